"""The safe primitives against their formulas at 120 digits: values, slopes, corners, and the far ends."""

from __future__ import annotations

import numpy as np
import primitive_formulas
import pytest
import sympy as sp
import targets

from synspice.compact.definition import Definition
from synspice.compact.errors import DefinitionError
from synspice.compact.primitives import LIMIT, PRIMITIVES, limexp, saturate, smooth_abs, softplus

NAMES = sorted(PRIMITIVES)


def points_of(name: str) -> dict[str, np.ndarray]:
    columns = np.array(primitive_formulas.grid(name)).T
    return {f"a_{k}": column for k, column in enumerate(columns)}


def call(name: str, count: int) -> sp.Expr:
    return PRIMITIVES[name](*[sp.Symbol(f"a_{k}", real=True) for k in range(count)])


def test_every_primitive_has_an_independent_formula() -> None:
    assert set(primitive_formulas.FORMULAS) == set(PRIMITIVES) == set(primitive_formulas.CORNERS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("evaluate", [targets.numpy_values, targets.casadi_values])
def test_value(name: str, evaluate: object) -> None:
    points = points_of(name)
    values = evaluate([call(name, len(points))], points)[0]  # type: ignore[operator]
    for value, arguments in zip(values, primitive_formulas.grid(name), strict=True):
        exact = primitive_formulas.exact(name, arguments)
        assert abs(value - exact) <= primitive_formulas.tolerance(name, exact, 2e-13), arguments


@pytest.mark.parametrize("name", NAMES)
def test_slope_by_every_argument(name: str) -> None:
    """SymPy's derivative, as it is printed, against a central difference of the formula at 120 digits."""
    import mpmath as mp

    count = len(points_of(name))
    corners = primitive_formulas.CORNERS[name]
    grid = [a for a in primitive_formulas.grid(name) if a[0] not in corners]
    points = {f"a_{k}": column for k, column in enumerate(np.array(grid).T)}
    symbols = list(call(name, count).args)
    smooth = [k for k in range(count) if not (name == "saturate" and k == 3)]
    slopes = targets.numpy_values([call(name, count).diff(symbols[k]) for k in smooth], points)
    for row, k in zip(slopes, smooth, strict=True):
        for value, arguments in zip(row, grid, strict=True):
            exact = [mp.mpf(a) for a in arguments]
            step = mp.mpf(10) ** -20 * max(1, abs(exact[k]))
            up, down = list(exact), list(exact)
            up[k] += step
            down[k] -= step
            formula = primitive_formulas.FORMULAS[name]
            difference = (formula(*up) - formula(*down)) / (2 * step)
            scale = abs(difference) + (mp.mpf("1e-6") if k else mp.mpf("1e-40"))
            if name in ("softplus", "logistic", "hopping"):  # the logistic function is right down to exp(-100)
                scale += mp.exp(-75)  # seen here at -100.5 and below
            if name == "abs_power" and k:
                scale += abs(formula(*exact)) + 1  # a difference of large terms
            assert abs(value - difference) <= 1e-9 * scale, (arguments, k)


@pytest.mark.parametrize("name", NAMES)
def test_casadi_differentiates_the_same_slope(name: str) -> None:
    corners = primitive_formulas.CORNERS[name]
    grid = [a for a in primitive_formulas.grid(name) if a[0] not in corners]
    points = {f"a_{k}": column for k, column in enumerate(np.array(grid).T)}
    expression = call(name, len(points))
    by_sympy = targets.numpy_values([expression.diff(expression.args[0])], points)
    np.testing.assert_allclose(targets.casadi_slopes([expression], points), by_sympy, rtol=1e-9, atol=1e-38)


@pytest.mark.parametrize("name", NAMES)
def test_value_and_slope_are_continuous_at_the_corners(name: str) -> None:
    for corner in primitive_formulas.CORNERS[name]:
        for setting in {a[1:] for a in primitive_formulas.grid(name)}:
            step = 1e-9 * max(abs(corner), min((1.0, *(setting[-1:] if setting else ()))))
            near = np.array([corner - step, corner, corner + step, corner - 0.5, corner + 0.5])
            points = {"a_0": near, **{f"a_{k + 1}": np.full(5, s) for k, s in enumerate(setting)}}
            expression = call(name, len(points))
            value, slope = targets.numpy_values([expression, expression.diff(expression.args[0])], points)
            size = np.max(np.abs(slope))
            assert np.ptp(value[:3]) <= 3 * size * step + 1e-12 * np.max(np.abs(value)), (corner, setting)
            assert np.ptp(slope[:3]) <= 1e-5 * size, (corner, setting)


@pytest.mark.parametrize("name", NAMES)
def test_finite_far_away(name: str) -> None:
    settings = {a[1:] for a in primitive_formulas.grid(name)}
    for setting in settings:
        far = np.array([-1e6, -1e4, -710.0, 0.0, 710.0, 1e4, 1e6])
        points = {"a_0": far, **{f"a_{k + 1}": np.full(far.size, s) for k, s in enumerate(setting)}}
        expression = call(name, len(points))
        rows = [expression, expression.diff(expression.args[0])]
        for evaluate in (targets.numpy_values, targets.casadi_values):
            assert np.isfinite(evaluate(rows, points)).all(), (setting, evaluate.__name__)
        assert np.isfinite(targets.casadi_slopes([expression], points)).all(), setting


@pytest.mark.parametrize("name", ["smooth_abs", "positive_part", "signed_power", "abs_power", "limsinh"])
def test_exactly_zero_at_zero(name: str) -> None:
    grid = [a for a in primitive_formulas.grid(name) if a[0] == 0]
    points = {f"a_{k}": column for k, column in enumerate(np.array(grid).T)}
    for evaluate in (targets.numpy_values, targets.casadi_values):
        assert np.all(evaluate([call(name, len(points))], points) == 0.0)


def test_the_positive_part_is_exactly_zero_below_zero() -> None:
    points = {"a_0": np.array([-1e6, -1.0, -1e-12]), "a_1": np.full(3, 1e-3)}
    assert np.all(targets.numpy_values([call("positive_part", 2)], points) == 0.0)


def test_the_limit_is_far_from_overflow_and_beyond_every_device() -> None:
    assert np.isfinite(np.exp(LIMIT) * 1e6)
    assert LIMIT > 60


def test_a_slope_that_does_not_exist_says_so() -> None:
    x, width = sp.symbols("x width", real=True)
    with pytest.raises(TypeError, match="saturate is not differentiable by its argument 'width'"):
        saturate(x, 0, 1, width).diff(width)


def test_assumptions_that_let_a_logarithm_through() -> None:
    x = sp.Symbol("x", real=True)
    assert limexp(x).is_positive
    assert limexp(x).is_real
    assert softplus(x).is_positive is None
    assert smooth_abs(x, 1).is_positive is None


@pytest.mark.parametrize("name", ["limexp", "saturate", "signed_power"])
def test_a_primitive_cannot_be_declared_over(name: str) -> None:
    d = Definition("toy", "Toy")
    d.terminals("p", "n")
    d.current("p", "n", d.parameter(name, "S", 1.0, "conductance") * d.voltage("p", "n"))
    with pytest.raises(DefinitionError, match=f"parameter '{name}': the name stands for a primitive or a constant"):
        d.model()
