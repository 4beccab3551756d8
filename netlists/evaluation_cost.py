"""What ngspice evaluates of a behavioural source: counted, so that nodes can be chosen for any device.

At every Newton iteration, and once more in its convergence test, ngspice walks the tree of a source's expression, and one tree
more for the derivative by each variable in it. A derivative copies: that of ``x*y`` holds x and y once more, that of ``x/y``
holds y twice more, that of ``f(u)`` holds u once more, ``min`` and ``max`` hold both arguments in a test and take one branch,
a choice holds its test and takes one branch. The unit is one operation of the tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp

from ..compact.primitives import Primitive, maximum, minimum
from .spice_forms import choose, exponential, falling_exp, form

FUNCTION_WEIGHT = 4.0
"""Cost of an exponential, a logarithm or the like, in operations."""


@dataclass(frozen=True)
class Cost:
    """What an expression costs: its own tree, and the tree of its derivative by each variable.

    Attributes
    ----------
    value : float
    slopes : mapping of variable to float
        Only of variables that it depends on.
    fixed : bool
        Whether it depends on parameters alone: ngspice then evaluates it once, when it reads the deck.
    """

    value: float = 1.0
    slopes: Mapping[str, float] = field(default_factory=dict)
    fixed: bool = True

    @property
    def total(self) -> float:
        """The value and all derivatives."""
        return self.value + sum(self.slopes.values())


def variable(name: str) -> Cost:
    """Return the cost of a node's voltage."""
    return Cost(1.0, {name: 1.0}, fixed=False)


AMBIENT = Cost(1.0, {}, fixed=False)
"""The simulator's temperature."""


def cost(expression: sp.Expr, known: Mapping[str, Cost]) -> Cost:
    """Return the cost of an expression, as the printer writes it.

    Parameters
    ----------
    expression : sympy.Expr
    known : mapping of name to Cost
        Of what stands for a symbol; a name that is missing is a parameter.
    """
    if isinstance(expression, sp.Symbol):
        return known.get(expression.name, Cost())
    if not expression.args:
        return Cost()
    if isinstance(expression, Primitive):
        return cost(form(type(expression).__name__, *expression.args), known)
    if isinstance(expression, sp.exp) and not expression.args[0].is_nonpositive:
        return cost(exponential(expression.args[0]), known)
    if isinstance(expression, sp.Pow):
        return _power(expression, known)
    parts = [cost(a, known) for a in expression.args]
    if all(p.fixed for p in parts):
        return Cost()
    if isinstance(expression, sp.Add):
        return _folded(parts, _sum)
    if isinstance(expression, sp.Mul):
        below = [cost(1 / a, known) for a in expression.args if _is_divisor(a)]
        above = [p for a, p in zip(expression.args, parts, strict=True) if not _is_divisor(a)]
        top = _folded(above or [Cost()], _product)
        return _quotient(top, _folded(below, _product)) if below else top
    if isinstance(expression, minimum | maximum):
        return _extreme(*parts)
    if isinstance(expression, choose):
        return _choice(*parts)
    return _function(parts[0])


def _is_divisor(factor: sp.Expr) -> bool:
    exponent = factor.as_base_exp()[1]
    return bool(exponent.could_extract_minus_sign()) and not isinstance(factor, sp.exp | falling_exp)


def _power(expression: sp.Pow, known: Mapping[str, Cost]) -> Cost:
    base, exponent = expression.args
    if exponent.could_extract_minus_sign():
        return _quotient(Cost(), cost(sp.Pow(base, -exponent), known))
    if exponent == sp.Rational(1, 2):
        return _function(cost(base, known))
    if exponent.is_Integer:
        return _folded([cost(base, known)] * int(exponent), _product)
    if isinstance(exponent, sp.Rational) and exponent.q == 2:
        whole = cost(sp.Pow(base, exponent.p // 2), known)
        return _product(whole, _function(cost(base, known)))
    return cost(exponential(exponent * sp.log(base, evaluate=False)), known)


def _folded(parts: list[Cost], join: object) -> Cost:
    """Join the parts as they are printed: what is fixed first, which ngspice folds to one number."""
    moving = [p for p in parts if not p.fixed]
    ordered = ([Cost()] if len(moving) < len(parts) else []) + moving
    result = ordered[0]
    for part in ordered[1:]:
        result = join(result, part)  # type: ignore[operator]
    return result


def _merged(a: Cost, b: Cost, term: object) -> dict[str, float]:
    return {v: term(a.slopes.get(v, 0.0), b.slopes.get(v, 0.0)) for v in dict.fromkeys([*a.slopes, *b.slopes])}  # type: ignore[operator]


def _sum(a: Cost, b: Cost) -> Cost:
    return Cost(1 + a.value + b.value, _merged(a, b, lambda x, y: x + y + bool(x and y)), a.fixed and b.fixed)


def _product(a: Cost, b: Cost) -> Cost:
    def slope(x: float, y: float) -> float:
        return (1 + x + b.value if x else 0.0) + (1 + y + a.value if y else 0.0) + bool(x and y)

    return Cost(1 + a.value + b.value, _merged(a, b, slope), a.fixed and b.fixed)


def _quotient(a: Cost, b: Cost) -> Cost:
    def slope(x: float, y: float) -> float:
        if not y:
            return 1 + x + b.value
        return (1 + x + b.value if x else 0.0) + (1 + y + a.value) + bool(x) + 3 + b.value

    return Cost(1 + a.value + b.value, _merged(a, b, slope), a.fixed and b.fixed)


def _function(a: Cost) -> Cost:
    return Cost(
        FUNCTION_WEIGHT + a.value, {v: FUNCTION_WEIGHT + 1 + a.value + s for v, s in a.slopes.items()}, a.fixed
    )


def _extreme(a: Cost, b: Cost) -> Cost:
    test = 2 + a.value + b.value
    return Cost(test, _merged(a, b, lambda x, y: test + (x + y) / 2), a.fixed and b.fixed)


def _choice(test: Cost, yes: Cost, no: Cost) -> Cost:
    first = 2 + test.value
    slopes = _merged(yes, no, lambda x, y: first + (x + y) / 2)
    return Cost(first + (yes.value + no.value) / 2, slopes, test.fixed and yes.fixed and no.fixed)
