"""The printer: exact numbers, integer powers, and agreement of what it prints with other ways to a value."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable

import expression_trees
import mpmath as mp
import numpy as np
import pytest
import sympy as sp
import targets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from primitive_formulas import FORMULAS

from synspice.compact.errors import EmissionError
from synspice.compact.primitives import limexp
from synspice.compact.python_code import PythonPrinter

SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

X, Y = sp.symbols("x y", real=True)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=300, deadline=None)
def test_a_number_is_exact(value: float) -> None:
    text = PythonPrinter().number(value)
    assert float(text) == value
    assert math.copysign(1, float(text)) == math.copysign(1, value)
    assert text.strip("-+.0123456789e") == "", "no SI suffix"


@given(value=st.floats(1e-300, 1e300) | st.integers(0, 2**53).map(float))
@settings(max_examples=200, deadline=None)
def test_a_number_stays_exact_inside_an_expression(value: float) -> None:
    for expression in (sp.Float(value) * X, -sp.Float(value) * X):
        text = PythonPrinter().print(expression)
        literals = [n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant)]
        assert literals == ([] if value == 1 and expression in (X, -X) else [value])


@given(expressions=st.lists(expression_trees.trees(), min_size=5, max_size=5))
@settings(max_examples=8, deadline=None, suppress_health_check=SLOW_TO_DRAW)
def test_numpy_against_exact_arithmetic(expressions: list[sp.Expr]) -> None:
    """mpmath walks the tree itself, the primitives by their published formulas; the printed text must give the same."""
    printed = targets.numpy_values(expressions, expression_trees.POINTS)
    for expression, row in zip(expressions, printed, strict=True):
        size = expression_trees.size(expression)
        for k, value in enumerate(row):
            exact = _evaluate(expression, {name: mp.mpf(float(v[k])) for name, v in expression_trees.POINTS.items()})
            assert abs(value - exact) <= 1e-11 * (1 + size) ** 2


_EXACT: dict[type[sp.Basic], Callable[..., mp.mpf]] = {
    sp.Add: lambda *terms: mp.fsum(terms),
    sp.Mul: lambda *factors: mp.fprod(factors),
    sp.Pow: mp.power,
    sp.exp: mp.exp,
    sp.log: mp.log,
    sp.sinh: mp.sinh,
    sp.cosh: mp.cosh,
    sp.tanh: mp.tanh,
    sp.atan: mp.atan,
    sp.asinh: mp.asinh,
}


def _evaluate(node: sp.Expr, point: dict[str, mp.mpf]) -> mp.mpf:
    if node.is_Symbol:
        return point[node.name]
    if isinstance(node, sp.Rational):
        return mp.mpf(node.p) / node.q
    if not node.args:
        return mp.mpf(float(node)) if node.is_Float else mp.mpf(str(node.evalf(50)))
    formula = _EXACT.get(type(node)) or FORMULAS[type(node).__name__]
    return formula(*(_evaluate(a, point) for a in node.args))


@given(expressions=st.lists(expression_trees.trees(), min_size=1, max_size=6))
@settings(max_examples=8, deadline=None, suppress_health_check=SLOW_TO_DRAW)
def test_casadi_against_numpy(expressions: list[sp.Expr]) -> None:
    ours = targets.numpy_values(expressions, expression_trees.POINTS)
    theirs = targets.casadi_values(expressions, expression_trees.POINTS)
    for expression, a, b in zip(expressions, ours, theirs, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-11 * (1 + expression_trees.size(expression)) ** 2)


@given(expression=expression_trees.trees())
@settings(max_examples=30, deadline=None, suppress_health_check=SLOW_TO_DRAW)
def test_derivatives_of_the_trees_agree(expression: sp.Expr) -> None:
    """SymPy's derivative, printed, against CasADi's, away from the corners (a or b = 0 sits on many of them)."""
    points = {name: values[[0, 1, 3, 4, 5]] for name, values in expression_trees.POINTS.items()}
    slope = expression.diff(expression_trees.A)
    with np.errstate(all="ignore"):
        ours = targets.numpy_values([slope], points)[0]
    theirs = targets.casadi_slopes([expression], points)[0]
    smooth = np.isfinite(ours) & np.isfinite(theirs) & (np.abs(ours) < 1e6)
    # A tree can clip a constant exactly at a corner, where either one-sided slope is right.
    if not expression.has(sp.Function("saturate")):
        np.testing.assert_allclose(
            theirs[smooth], ours[smooth], rtol=1e-7, atol=1e-7 * (1 + np.max(np.abs(ours[smooth]), initial=0))
        )


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (X**2, "x*x"),
        (X**3 * Y, "(x*x*x)*y"),
        ((X + Y) ** 2, "square(x + y)"),
        ((X + Y) ** 3, "cube(x + y)"),
        ((X + Y) ** 5, "power_5(x + y)"),
        (1 / X**2, "1.0/(x*x)"),
        (X / Y, "x/y"),
        (X / (X * Y + 1), "x/(x*y + 1.0)"),
        (-X - Y, "-x - y"),
        (X - (Y - X), "2.0*x - y"),
        (X * (-Y), "-(x*y)"),
        (sp.Rational(-1, 2) * X, "-(x/2.0)"),
        (sp.sqrt(X**2 + 1), "np.sqrt(x*x + 1.0)"),
        (limexp(X) ** 2, "square(limexp(x))"),
        (sp.Float(1e-9) * X, "1e-09*x"),
        (2 ** sp.Symbol("m", real=True), "np.exp(m*np.log(2.0))"),
    ],
)
def test_printed_text(expression: sp.Expr, text: str) -> None:
    assert PythonPrinter().print(expression) == text


def test_helpers_come_before_those_that_call_them() -> None:
    printer = PythonPrinter()
    printer.print(1 / (1 + limexp(X)) + (X + Y) ** 2)
    definitions = printer.helper_definitions()
    assert set(definitions) == {"limexp", "square"}
    assert definitions["square"] == (("x",), "x*x")
    assert list(printer.helper_definitions(written=["limexp"])) == ["square"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (sp.sin(X), "Python cannot express 'sin'; it has asinh, atan"),
        (sp.Abs(X), "Python cannot express 'Abs'"),
        (X**17, "Python: power 17 is above 16; use signed_power or abs_power"),
        (sp.Piecewise((X, X > 0), (Y, True)), "Python cannot express .*Piecewise"),
        (sp.Derivative(sp.Function("f")(X), X), "Python cannot express .*Derivative"),
    ],
)
def test_what_cannot_be_printed_says_so(expression: sp.Expr, message: str) -> None:
    with pytest.raises(EmissionError, match=message):
        PythonPrinter().print(expression)


def test_casadi_says_what_it_cannot_express() -> None:
    with pytest.raises(EmissionError, match=r"CasADi cannot express 'sin\(a\)' \(sin\)"):
        targets.casadi_values([sp.sin(expression_trees.A)], expression_trees.POINTS)
