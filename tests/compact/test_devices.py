"""Every device in Python: its Jacobians by three ways, numba, and what must always hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import casadi as ca
import device_points
import numba
import numpy as np
import pytest

from synspice import compact
from synspice.compact import casadi_functions, registry
from synspice.compact.model import Model
from synspice.compact.python_code import FUNCTIONS, compile_python, format_python

Point = device_points.Point


def arguments(
    model: Model, point: Point, temperature: float = 300.15
) -> tuple[list[float], list[float], list[float], float]:
    """Return what the emitted functions take."""
    p = [point.values[q.name] for q in model.parameters]
    return point.voltages(model), list(point.states), p, temperature


@pytest.mark.parametrize("name", registry.DEVICES)
def test_a_registered_device_says_where_it_comes_from(name: str) -> None:
    model = device_points.model_of(name)
    assert registry.DEVICES[name] == f".devices.{name}" and model.name == name
    assert model.description.strip() and model.references
    assert all(q.description for q in (*model.quantities, *model.states, *model.observables))


def test_the_table_lists_every_device_file() -> None:
    files = {p.stem for p in (Path(compact.__file__).parent / "devices").glob("*.py")} - {"__init__"}
    assert files == set(registry.DEVICES)


@pytest.mark.parametrize("name", device_points.NAMES)
def test_jacobians_against_casadi_and_finite_differences(name: str) -> None:
    model = device_points.model_of(name)
    functions = compile_python(model)
    points = device_points.points(model, count=60, seed=5)
    steps = [*(1e-6 for _ in model.voltages), *(1e-6 * s.scale for s in model.states)]
    for kind in ("currents", "charges", "rates"):
        rows = getattr(functions, kind)(*arguments(model, points[0]))
        if not rows:
            assert getattr(functions, f"{kind}_jacobian")(*arguments(model, points[0])) == ()
            continue
        by_casadi = casadi_jacobian(model, kind)
        ours = np.array([np.array(getattr(functions, f"{kind}_jacobian")(*arguments(model, p)), float) for p in points])
        theirs = np.array([by_casadi(*arguments(model, p)) for p in points])
        assert ours.shape == (len(points), len(rows), len(steps))
        size = np.max(np.abs(ours), axis=0, keepdims=True)
        np.testing.assert_array_less(np.abs(theirs - ours), 1e-8 * np.abs(ours) + 1e-12 * size + 1e-290, err_msg=kind)
        differences = np.array([finite_differences(model, kind, p, steps) for p in points])
        smooth = np.array(
            [
                [[abs(d - o) <= e for d, o, e in zip(*r, strict=True)] for r in zip(*q, strict=True)]
                for q in zip(
                    differences[..., 0], ours, differences[..., 1] + 1e-5 * np.abs(ours) + 1e-9 * size, strict=True
                )
            ]
        )
        assert smooth.all(), f"{kind}: {np.argwhere(~smooth)[:5]}"


def casadi_jacobian(model: Model, kind: str) -> Callable[..., np.ndarray]:
    """Return CasADi's automatic derivative of the model's equations."""
    v, x = ca.SX.sym("v", len(model.voltages)), ca.SX.sym("x", len(model.states))
    p, t = ca.SX.sym("p", len(model.parameters)), ca.SX.sym("t")
    named = {q.name: p[i] for i, q in enumerate(model.parameters)}
    right = casadi_functions.expressions(model, ca.vertsplit(v), ca.vertsplit(x) if model.states else [], named, t)
    jacobian = ca.jacobian(ca.vertcat(*[ca.SX(e) for e in getattr(right, kind)]), ca.vertcat(v, x))
    function = ca.Function("jacobian", [v, x, p, t], [ca.densify(jacobian)])
    return lambda *a: np.asarray(function(*a))


def finite_differences(model: Model, kind: str, point: Point, steps: list[float]) -> np.ndarray:
    """Return central differences and an estimate of their error, shape (n_rows, n_variables, 2)."""
    v, x, p, t = arguments(model, point)
    variables = [*v, *x]

    def value(k: int, step: float) -> np.ndarray:
        moved = list(variables)
        moved[k] += step
        return np.array(getattr(compile_python(model), kind)(moved[: len(v)], moved[len(v) :], p, t), float)

    columns = []
    for k, step in enumerate(steps):
        up, middle, down = value(k, step), value(k, 0.0), value(k, -step)
        wide = (value(k, 4 * step) - value(k, -4 * step)) / (8 * step)
        slope = (up - down) / (2 * step)
        rounding = 1e-15 * (np.abs(up) + np.abs(middle) + np.abs(down)) / step
        columns.append(
            np.stack([slope, np.abs(up - 2 * middle + down) / step + np.abs(wide - slope) + 10 * rounding], -1)
        )
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", device_points.NAMES)
def test_casadi_values_agree(name: str) -> None:
    model = device_points.model_of(name)
    functions = compile_python(model)
    for kind in ("currents", "charges", "rates", "observables"):
        theirs, ours = [], []
        for point in device_points.points(model, count=40, seed=6):
            v, x, p, t = arguments(model, point, 358.15)
            right = casadi_functions.expressions(model, v, x, dict(point.values), t)
            theirs.append([float(e) for e in getattr(right, kind)])
            ours.append(getattr(functions, kind)(v, x, p, t))
        check_close(theirs, ours)


def check_close(found: list[Any], wanted: list[Any]) -> None:
    """Compare rows of values to nine digits, and where terms cancel to fourteen digits of the largest in a column."""
    a, b = np.array(found, float), np.array(wanted, float)
    floor = 1e-14 * np.max(np.abs(b), axis=0, initial=0.0)
    np.testing.assert_array_less(np.abs(a - b), 1e-9 * np.abs(b) + floor + 1e-290)


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.DEVICES)
def test_numba_compiles_every_function_of_a_device(name: str) -> None:
    check_numba(device_points.model_of(name), FUNCTIONS)


@pytest.mark.parametrize("name", ["toy:varactor", "toy:transistor"])
def test_numba_compiles_the_emitted_functions(name: str) -> None:
    check_numba(device_points.model_of(name), ("currents", "charges", "rates", "currents_jacobian"))


def check_numba(model: Model, names: tuple[str, ...]) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(format_python(model), "<emitted>", "exec"), namespace)
    for name, item in list(namespace.items()):
        if callable(item):
            namespace[name] = numba.njit(item)
    functions = compile_python(model)
    points = device_points.points(model, count=12, seed=7)
    for name in names:
        if not getattr(functions, name)(*arguments(model, points[0])):
            continue
        fast, plain = [], []
        for point in points:
            v, x, p, t = arguments(model, point)
            fast.append(namespace[name](np.array(v), np.array(x), np.array(p), t))
            plain.append(getattr(functions, name)(v, x, p, t))
        check_close(fast, plain)


@pytest.mark.parametrize("name", device_points.NAMES)
def test_arrays_give_what_floats_give(name: str) -> None:
    model = device_points.model_of(name)
    functions = compile_python(model)
    points = device_points.points(model, count=20, seed=8)
    columns = [arguments(model, p) for p in points]
    v, x, p = (list(np.array([c[i] for c in columns]).T) for i in range(3))
    for kind in ("currents", "charges", "rates", "observables"):
        together = [np.broadcast_to(row, len(points)) for row in getattr(functions, kind)(v, x, p, 300.15)]
        alone = np.array([getattr(functions, kind)(*c) for c in columns]).T
        np.testing.assert_allclose(np.array(together).reshape(alone.shape), alone, rtol=1e-12)


@pytest.mark.parametrize("name", device_points.NAMES)
def test_no_current_at_zero_volts_and_passive_for_any_parameters(name: str) -> None:
    model = device_points.model_of(name)
    functions = compile_python(model)
    for point in device_points.points(model, count=80, seed=9):
        v, x, p, t = arguments(model, point)
        at_zero = functions.currents([0.0] * len(v), x, p, t)
        assert all(i == 0.0 for b, i in zip(model.currents, at_zero, strict=True) if not b.cell)
        if any(branch.cell for branch in model.currents):
            continue  # a cell may deliver what it has stored
        inflow = dict.fromkeys(model.terminals, 0.0)
        for branch, current in zip(model.currents, functions.currents(v, x, p, t), strict=True):
            inflow[branch.plus] += current
            inflow[branch.minus] -= current
        assert sum(inflow[k] * point.potentials[k] for k in inflow) >= -1e-12 * sum(abs(i) for i in inflow.values())


@pytest.mark.parametrize("name", device_points.NAMES)
def test_the_field_keeps_the_states_in_range(name: str) -> None:
    """At a bound, and outside it, the rate does not point further out, whatever the voltage and the parameters."""
    model = device_points.model_of(name)
    functions = compile_python(model)
    for point in device_points.points(model, count=60, seed=10):
        v, x, p, t = arguments(model, point)
        inside = [min(max(a, s.lower), s.upper) for a, s in zip(x, model.states, strict=True)]
        for k, state in enumerate(model.states):
            for bound, outward in ((state.lower, -1.0), (state.upper, 1.0)):
                if not math.isfinite(bound):
                    continue
                for past in (0.0, 0.1):
                    there = list(inside)
                    there[k] = bound + outward * past * state.scale
                    rates = functions.rates(v, there, p, t)
                    size = abs(functions.rates(v, [s.initial for s in model.states], p, t)[k])
                    assert outward * rates[k] <= 1e-6 * size + 1e-30, (state.name, there, v)


@pytest.mark.parametrize("name", device_points.NAMES)
def test_finite_far_outside(name: str) -> None:
    model = device_points.model_of(name)
    functions = compile_python(model)
    generator = np.random.default_rng(11)
    p = [model.values({})[q.name] for q in model.parameters]
    for _ in range(50):
        v = list(generator.choice([-1e6, -1e3, -10.0, 0.0, 10.0, 1e3, 1e6], len(model.voltages)))
        x = [float(generator.choice([-1e3, -10, 0, 10, 1e3])) * s.scale + s.initial for s in model.states]
        for kind in FUNCTIONS:
            with np.errstate(all="ignore"):
                rows = getattr(functions, kind)(v, x, p, 300.0)
            assert np.isfinite(np.array(rows, float)).all(), (kind, v, x)


def test_the_emitted_module_reads_well_and_stands_alone() -> None:
    text = format_python(device_points.model_of("toy:heated"))
    namespace: dict[str, Any] = {}
    exec(compile(text, "<emitted>", "exec"), namespace)
    assert set(FUNCTIONS) <= set(namespace)
    assert "synspice" not in "\n".join(line for line in text.splitlines() if "Emitted by" not in line)
    assert "boost = limexp" in text and "# thermal activation [1]" in text
    assert "states: rise [K], density [1/m^3]" in text
    assert text == format_python(device_points.model_of("toy:heated"))


@pytest.mark.parametrize("card", [None, *(c.name for c in registry.cards_of("diffusive_memristor"))])
def test_a_closed_thick_bridge_stops_at_its_bounds(card: str | None) -> None:
    """Where the filament hardly decays, growth alone must stop: it once went on at the bound."""
    model = device_points.model_of("diffusive_memristor")
    rates = compile_python(model).rates
    p = list(model.values(registry.get_card(card).parameters if card else {"s_thick": 4.0}).values())
    for v in (-4.0, -0.5, 0.5, 4.0):
        for depletion in (-1.0, 0.0, 1.0):
            assert rates([v], [1.5, 30.0, depletion], p, 300.0)[0] <= 0.0
            assert rates([v], [1.5, 30.0, depletion], p, 300.0)[1] <= 0.0
            assert rates([v], [1.6, 31.0, depletion], p, 300.0)[0] < 0.0
