"""The safe primitives as ngspice computes them, against their formulas at 120 digits."""

from __future__ import annotations

import numpy as np
import primitive_formulas
import pytest
import sympy as sp
import targets

from synspice.compact.primitives import PRIMITIVES

pytestmark = pytest.mark.every_ngspice


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_value_in_ngspice(name: str) -> None:
    grid = primitive_formulas.grid(name)
    columns = np.array(grid).T
    points = {f"a_{k}": column for k, column in enumerate(columns)}
    expression = PRIMITIVES[name](*[sp.Symbol(n, real=True) for n in points])
    values = targets.ngspice_values([expression], points)[0]
    for value, arguments in zip(values, grid, strict=True):
        exact = primitive_formulas.exact(name, arguments)
        assert abs(value - exact) <= primitive_formulas.tolerance(name, exact, 1e-12), arguments


@pytest.mark.parametrize("name", ["limexp", "limsinh", "logistic", "softplus"])
def test_small_signal_slope_in_ngspice(name: str) -> None:
    """ngspice differentiates the text by itself; its AC conductance must be the slope that everybody else uses."""
    from synspice.netlists.ngspice import run_deck
    from synspice.netlists.printer import SpicePrinter

    x = sp.Symbol("x", real=True)
    expression = PRIMITIVES[name](x)
    printer = SpicePrinter({"x": "x"})
    text = printer.print(expression)
    biases = [-30.0, -1.0, 0.0, 0.5, 3.0, 50.0]
    lines = ["slope"]
    lines += [f".func {n}({','.join(a)}) {{{body}}}" for n, (a, body) in printer.helper_definitions().items()]
    lines.append(f".func f(x) {{{text}}}")
    for k, bias in enumerate(biases):
        lines += [f"V{k} n{k} 0 DC {bias!r} AC 1", f"B{k} n{k} 0 I = f(V(n{k}))"]
    plot = run_deck("\n".join([*lines, ".ac lin 1 1 1", ".end"])).plot("ac")
    slopes = targets.numpy_values([expression.diff(x)], {"x": np.array(biases)})[0]
    for k, slope in enumerate(slopes):
        assert -plot[f"i(v{k})"][0].real == pytest.approx(slope, rel=1e-9)
