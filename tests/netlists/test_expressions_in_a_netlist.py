"""What the printer writes for ngspice gives the numbers that numpy gets: powers, signs, precedence, constants."""

from __future__ import annotations

import expression_trees
import numpy as np
import pytest
import sympy as sp
import targets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synspice.compact.errors import EmissionError
from synspice.netlists.ngspice import run_deck
from synspice.netlists.printer import SpicePrinter

SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

A, B = expression_trees.A, expression_trees.B


def compare(expressions: list[sp.Expr]) -> None:
    """Evaluate in one deck. ngspice writes the numbers of an expression out with eleven digits."""
    ours = targets.numpy_values(expressions, expression_trees.POINTS)
    casadi = targets.casadi_values(expressions, expression_trees.POINTS)
    ngspice = targets.ngspice_values(expressions, expression_trees.POINTS)
    for expression, a, b, c in zip(expressions, ours, casadi, ngspice, strict=True):
        size = 1 + expression_trees.size(expression)
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-11 * size**2, err_msg=str(expression))
        np.testing.assert_allclose(c, a, rtol=0, atol=1e-8 * size**2, err_msg=str(expression))


@pytest.mark.every_ngspice
@given(expressions=st.lists(expression_trees.trees(), min_size=20, max_size=20))
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=SLOW_TO_DRAW)
def test_random_trees_agree_with_numpy_and_casadi(expressions: list[sp.Expr]) -> None:
    """The same hundred trees every time, at six points."""
    compare(expressions)


@pytest.mark.every_ngspice
@pytest.mark.slow
@given(expressions=st.lists(expression_trees.trees(), min_size=20, max_size=20))
@settings(max_examples=30, deadline=None, suppress_health_check=SLOW_TO_DRAW)
def test_other_random_trees_agree_too(expressions: list[sp.Expr]) -> None:
    """Six hundred new ones each time."""
    compare(expressions)


@pytest.mark.every_ngspice
@pytest.mark.parametrize("power", range(-6, 17))
def test_integer_powers_of_negative_bases(power: int) -> None:
    """In ngspice 39 (-2)**3, (-2)^3 and pow(-2, 3) are all +8."""
    points = {"a": np.array([-2.0, -0.5, 3.0]), "b": np.array([1.0, -1.5, 0.25])}
    exact = np.array([points["a"] ** power, (points["a"] + points["b"]) ** float(power)])
    values = targets.ngspice_values([A**power, (A + B) ** power], points)
    np.testing.assert_allclose(values, exact, rtol=1e-12)


@pytest.mark.every_ngspice
@pytest.mark.parametrize(
    "expression",
    [
        A - (B - A * B),
        A / ((2 + sp.tanh(B)) / (A + 3)),
        -(A**2),
        (-A) ** 2,
        A * -sp.Rational(1, 3),
        2 - A * -B,
        -(A - B) / -((A + 3) ** 3),
        A - (-B) ** 3,
        sp.Float(-2.0) * (A - sp.Float(-3.5)),
        1 / (1 + A**2) / (1 + B**2),
        sp.exp(-(sp.tanh(A) ** 2)),
        sp.log(1 + A**2) ** 2 * sp.log(2 + B**2) ** -2,
        (3 + sp.tanh(A)) ** (2 * sp.tanh(B)),
        (3 + sp.tanh(A)) ** sp.Rational(5, 2) / (3 + sp.tanh(B)) ** sp.Rational(3, 2),
        sp.pi * A + sp.E * B,
        sp.sqrt(2) * A,
    ],
    ids=str,
)
def test_precedence_and_signs(expression: sp.Expr) -> None:
    ours = targets.numpy_values([expression], expression_trees.POINTS)
    np.testing.assert_allclose(
        targets.ngspice_values([expression], expression_trees.POINTS), ours, rtol=1e-10, atol=1e-12
    )


@given(value=st.floats(1e-290, 1e290))
@settings(max_examples=300, deadline=None)
def test_numbers_are_exact_in_the_text(value: float) -> None:
    text = SpicePrinter().number(value)
    assert float(text) == value
    assert text.strip("+-.0123456789e") == ""


@pytest.mark.every_ngspice
def test_numbers_as_ngspice_reads_them() -> None:
    """A parameter keeps sixteen digits, a number within an expression eleven: the emitted decks rely on no more."""
    values = [1 / 3, 8.617333262e-05, 1.380649e-23, 1.2345678901234567e15, 273.15, 1e-30, 1e30, 1000000000.0]
    number = SpicePrinter().number
    lines = ["numbers"]
    for k, value in enumerate(values):
        lines += [f".param c{k}={number(value)}", f"Ba{k} a{k} 0 V = {{c{k}}}", f"Bb{k} b{k} 0 V = {number(value)}"]
        lines.append(f"Bc{k} c{k} 0 V = (c{k})*2.0")
    plot = run_deck("\n".join([*lines, ".op", ".end"])).plot("op")
    for k, value in enumerate(values):
        assert plot[f"v(a{k})"][0] == pytest.approx(value, rel=5e-15)
        assert plot[f"v(c{k})"][0] == pytest.approx(2 * value, rel=5e-15)
        assert plot[f"v(b{k})"][0] == pytest.approx(value, rel=5e-11)


def test_what_ngspice_cannot_express_says_so() -> None:
    with pytest.raises(EmissionError, match="ngspice cannot express 'erf'; it has asinh, atan"):
        SpicePrinter().print(sp.erf(A))
    with pytest.raises(EmissionError, match="ngspice: power 20 is above 16"):
        SpicePrinter().print(A**20)


def test_no_power_operator_reaches_ngspice() -> None:
    expression = A**3 + (A + B) ** 4 + (1 + A**2) ** sp.Float(1.7) + (1 + B**2) ** sp.Rational(-3, 2)
    printer = SpicePrinter()
    text = printer.print(expression) + "".join(body for _, body in printer.helper_definitions().values())
    assert "**" not in text and "^" not in text and "pow(" not in text and "pwr" not in text
