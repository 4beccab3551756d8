"""How fast an expression grows with a variable, which tells whether a solver's guess far out overflows in it."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from .lowering import Helper


def growth(expression: sp.Expr, degrees: Mapping[str, float], helpers: Mapping[str, Helper]) -> float:
    """Return the highest power that an expression, or its derivative, grows with; see `reached` for what is within it.

    Parameters
    ----------
    expression : sympy.Expr
        Lowered; exponentials and what is made of them have their arguments limited there.
    degrees : mapping of name to float
        Powers of the symbols; 0 for others.
    helpers : mapping of name to Helper
    """

    def of(e: sp.Expr) -> float:
        if isinstance(e, sp.Symbol):
            return degrees.get(e.name, 0.0)
        if isinstance(e, sp.Add):
            return max(of(a) for a in e.args)
        if isinstance(e, sp.Mul | sp.Pow):
            above = below = 0.0
            for factor in sp.Mul.make_args(e):
                power = float(factor.args[1]) if isinstance(factor, sp.Pow) and factor.args[1].is_number else 1.0
                degree = abs(power) * of(factor.args[0] if isinstance(factor, sp.Pow) else factor)
                above, below = (above + degree, below) if power > 0 else (above, below + degree)
            return max(above + below - 1.0, 2 * below) if below else above  # (a/b)' is (a'b - ab')/b^2
        name = type(e).__name__
        if name in helpers:
            inner = {s.name: of(a) for s, a in zip(helpers[name].arguments, e.args, strict=True)}
            return growth(helpers[name].body, inner, helpers)
        if name in ("choose", "minimum", "maximum"):
            return max((of(a) for a in e.args), default=0.0)
        return 0.0

    return of(expression)


def reached(expression: sp.Expr, degrees: Mapping[str, float], helpers: Mapping[str, Helper]) -> float:
    """Return the highest power that anything within an expression reaches while it is evaluated: a square in a logarithm."""
    name = type(expression).__name__
    parts = [reached(a, degrees, helpers) for a in expression.args]
    if name in helpers:
        inner = {
            s.name: growth(a, degrees, helpers) for s, a in zip(helpers[name].arguments, expression.args, strict=True)
        }
        parts.append(reached(helpers[name].body, inner, helpers))
    return max([growth(expression, degrees, helpers), *parts])
