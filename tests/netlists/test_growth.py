"""The powers that an evaluation of an expression or of its derivative reaches."""

from __future__ import annotations

import pytest
import sympy as sp

from synspice.netlists.growth import growth, reached
from synspice.netlists.lowering import Helper
from synspice.netlists.spice_forms import choose

X, Y, A = sp.symbols("x y a", real=True)
SQUARE = {"square": Helper(name="square", arguments=(A,), body=sp.Mul(A, A, evaluate=False))}


@pytest.mark.parametrize(
    ("expression", "power"),
    [
        (Y, 0),
        (3 * X + Y, 1),
        (X**4, 4),
        (sp.sqrt(X**2 + 1), 1),
        (X**3 / (X**2 + 1), 4),  # 3 x^2 (x^2 + 1) - 2 x^4, over (x^2 + 1)^2
        (X**4 / (X**4 + 1), 8),
        (sp.tanh(X**4), 0),
        (choose(X, X**2, Y), 2),
        (sp.Function("square")(X * Y), 2),
    ],
)
def test_growth(expression: sp.Expr, power: float) -> None:
    assert growth(expression, {"x": 1.0}, SQUARE) == pytest.approx(power)


def test_a_symbol_may_grow_itself() -> None:
    assert growth(X * Y, {"x": 1.0, "y": 2.0}, {}) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("expression", "power"),
    [
        (sp.log(X**2 + 1), 2),
        (sp.tanh(3 * X), 1),
        (Y + sp.exp(-sp.Function("square")(X)), 2),
        (choose(X, sp.sqrt(X**6 + 1), Y), 6),
    ],
)
def test_what_is_within_is_reached(expression: sp.Expr, power: float) -> None:
    assert reached(expression, {"x": 1.0}, SQUARE) == pytest.approx(power)
