"""What ngspice evaluates of a behavioural source: counted, so that nodes can be chosen for any device.

At every Newton iteration, and once more in its convergence test, ngspice walks the tree of a source's expression, and one tree
more for the derivative by each variable in it. A derivative copies: that of ``x*y`` holds x and y once more, that of ``x/y``
holds y twice more, that of ``f(u)`` holds u once more, ``min`` and ``max`` hold both arguments in a test and take one branch,
a choice holds its test and takes one branch. Constants are folded in derivatives, but not in the expression itself. The unit is
one visit of a tree's node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import sympy as sp
from sympy.core.function import AppliedUndef

from ..compact.primitives import maximum, minimum
from .lowering import Helper
from .spice_forms import choose

FUNCTION_WEIGHT = 3.0
"""Cost of an exponential, a logarithm, a square root or a power, in visits."""

_OWN_SLOPE = {
    sp.log: 2.0,
    sp.tanh: 5.0 + 2 * FUNCTION_WEIGHT,
    sp.atan: 6.0 + FUNCTION_WEIGHT,
    sp.asinh: 8.0 + 2 * FUNCTION_WEIGHT,
}
"""Visits of a function's own derivative beside its argument; the others' is one function."""


class Slope(NamedTuple):
    """A derivative's tree: its visits, and whether it is a constant, and 1."""

    size: float
    fixed: bool = False
    one: bool = False


_ONE = Slope(1.0, True, True)
_FIXED = Slope(1.0, True)


@dataclass(frozen=True)
class Cost:
    """What an expression costs: its own tree, and the tree of its derivative by each variable it depends on."""

    value: float = 1.0
    slopes: Mapping[str, Slope] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """The value and all derivatives."""
        return self.value + sum(s.size for s in self.slopes.values())


def variable(name: str) -> Cost:
    """Return the cost of a node's voltage."""
    return Cost(1.0, {name: _ONE})


def cost(expression: sp.Expr, known: Mapping[str, Cost], helpers: Mapping[str, Helper]) -> Cost:
    """Return the cost of a lowered expression, as the printer writes it.

    Parameters
    ----------
    expression : sympy.Expr
    known : mapping of name to Cost
        Of what stands for a symbol; a name that is missing is a constant.
    helpers : mapping of name to Helper
    """

    def of(e: sp.Expr) -> Cost:
        if isinstance(e, sp.Symbol):
            return known.get(e.name, Cost())
        if not e.args:
            return Cost()
        if isinstance(e, AppliedUndef):
            helper = helpers[type(e).__name__]
            inside = {s.name: of(a) for s, a in zip(helper.arguments, e.args, strict=True)}
            return cost(helper.body, inside, helpers)
        if isinstance(e, sp.Add):
            return _joined([_negated(of(-a)) if a.could_extract_minus_sign() else of(a) for a in e.args], _sum)
        if isinstance(e, sp.Mul):
            return _negated(of(-e)) if e.could_extract_minus_sign() else _mul(e)
        if isinstance(e, sp.Pow):
            return _pow(e)
        parts = [of(a) for a in e.args]
        if isinstance(e, minimum | maximum):
            return _extreme(*parts)
        if isinstance(e, choose):
            return _choice(*parts)
        return _function(parts[0], _OWN_SLOPE.get(type(e), FUNCTION_WEIGHT))

    def _mul(e: sp.Mul) -> Cost:
        below = [1 / a for a in e.args if a.as_base_exp()[1].could_extract_minus_sign()]
        above = [of(a) for a in e.args if not a.as_base_exp()[1].could_extract_minus_sign()]
        top = _joined(above or [Cost()], _product)
        return _quotient(top, _joined([of(b) for b in below], _product)) if below else top

    def _pow(e: sp.Pow) -> Cost:
        base, exponent = e.args
        if exponent.could_extract_minus_sign():
            return _quotient(Cost(), of(sp.Pow(base, -exponent, evaluate=False)) if exponent != -1 else of(base))
        if exponent == sp.Rational(1, 2):
            return _function(of(base), 4.0 + FUNCTION_WEIGHT)
        return _joined([of(base)] * int(exponent), _product)

    return of(expression)


def _joined(parts: list[Cost], join: Callable[[Cost, Cost], Cost]) -> Cost:
    result = parts[0]
    for part in parts[1:]:
        result = join(result, part)
    return result


def _both(a: Cost, b: Cost, term: Callable[[Slope | None, Slope | None], Slope]) -> dict[str, Slope]:
    return {v: term(a.slopes.get(v), b.slopes.get(v)) for v in dict.fromkeys([*a.slopes, *b.slopes])}


def _times(slope: Slope | None, factor: Cost) -> Slope | None:
    """Return the tree of a derivative times an expression."""
    if slope is None:
        return None
    fixed = not factor.slopes and factor.value == 1
    if slope.one:
        return Slope(factor.value, fixed)
    return _FIXED if slope.fixed and fixed else Slope(1 + slope.size + factor.value)


def _plus(a: Slope | None, b: Slope | None) -> Slope:
    if a is None or b is None:
        return a or b or _FIXED
    return _FIXED if a.fixed and b.fixed else Slope(1 + a.size + b.size)


def _negated(a: Cost) -> Cost:
    return Cost(1 + a.value, {v: _FIXED if s.fixed else Slope(2 + s.size) for v, s in a.slopes.items()})


def _sum(a: Cost, b: Cost) -> Cost:
    return Cost(1 + a.value + b.value, _both(a, b, _plus))


def _product(a: Cost, b: Cost) -> Cost:
    return Cost(1 + a.value + b.value, _both(a, b, lambda x, y: _plus(_times(x, b), _times(y, a))))


def _quotient(a: Cost, b: Cost) -> Cost:
    square = 1 + FUNCTION_WEIGHT + b.value

    def slope(x: Slope | None, y: Slope | None) -> Slope:
        top = _plus(_times(x, b), _times(y, a))
        return Slope(1 + top.size + square + (y is not None and x is None))

    return Cost(1 + a.value + b.value, _both(a, b, slope))


def _function(a: Cost, own: float) -> Cost:
    slopes = {v: Slope(own + a.value if s.one else 1 + own + a.value + s.size) for v, s in a.slopes.items()}
    return Cost(FUNCTION_WEIGHT + a.value, slopes)


def _extreme(a: Cost, b: Cost) -> Cost:
    return Cost(2 + a.value + b.value, _branches(3 + a.value + b.value, a, b))


def _choice(test: Cost, yes: Cost, no: Cost) -> Cost:
    first = 4 + test.value
    return Cost(first + (yes.value + no.value) / 2, _branches(first, yes, no))


def _branches(test: float, a: Cost, b: Cost) -> dict[str, Slope]:
    def size(s: Slope | None) -> float:
        return 1.0 if s is None else s.size

    return _both(a, b, lambda x, y: Slope(test + (size(x) + size(y)) / 2))
