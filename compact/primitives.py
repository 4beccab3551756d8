"""Safe numeric primitives: finite everywhere, with a continuous first derivative.

A primitive is printed by name in every target; its body, over the basic nodes, becomes a helper function there. Bodies use
min and max instead of branches.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sympy as sp

LIMIT = 100.0
"""Argument beyond which the exponential continues as a straight line: exp(100) = 2.7e43."""

EXPONENT_LIMIT = 300.0
"""Largest exponent that is written out: exp(300) = 2e130, whose square still fits."""


class minimum(sp.Function):  # type: ignore[misc]
    """The smaller of two values. A basic node: it has no continuous derivative, so devices do not use it."""

    nargs = 2


class maximum(sp.Function):  # type: ignore[misc]
    """The larger of two values. A basic node: it has no continuous derivative, so devices do not use it."""

    nargs = 2


class Primitive(sp.Function):  # type: ignore[misc]
    """Base of the primitives.

    Attributes
    ----------
    arguments : tuple of str
        Argument names, as the helper functions show them.
    same_unit : tuple of int
        Arguments that share one unit, which is also the unit of the result; the others are dimensionless.
    unit_power : int or None
        Index of the argument to which power the common unit is raised.
    """

    arguments: ClassVar[tuple[str, ...]] = ("x",)
    same_unit: ClassVar[tuple[int, ...]] = ()
    unit_power: ClassVar[int | None] = None

    @classmethod
    def body(cls, *args: Any) -> sp.Expr:
        """Return the value over the basic nodes and other primitives."""
        raise TypeError(f"{cls.__name__} has no body")

    @classmethod
    def slope(cls, index: int, *args: Any) -> sp.Expr:
        """Return the derivative by argument ``index`` (from 0)."""
        raise TypeError(f"{cls.__name__} is not differentiable by its argument '{cls.arguments[index]}'")

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return self.slope(argindex - 1, *self.args)

    def _eval_is_extended_real(self) -> bool:
        return True


def _clip(x: Any, low: Any, high: Any) -> sp.Expr:
    return minimum(maximum(x, low), high)


class limexp(Primitive):
    """Exponential, continued as a straight line above x = 100 (the ``limexp`` of Verilog-A, without its memory)."""

    nargs = 1

    @classmethod
    def body(cls, x: Any) -> sp.Expr:
        return sp.exp(minimum(x, sp.Float(LIMIT))) * (1 + maximum(x - sp.Float(LIMIT), sp.Float(0.0)))

    @classmethod
    def slope(cls, index: int, x: Any) -> sp.Expr:
        return sp.exp(minimum(x, sp.Float(LIMIT)))

    def _eval_is_positive(self) -> bool:
        return True


class limsinh(Primitive):
    """Hyperbolic sine, continued as a straight line beyond +-100."""

    nargs = 1

    @classmethod
    def body(cls, x: Any) -> sp.Expr:
        inside = _clip(x, sp.Float(-LIMIT), sp.Float(LIMIT))
        return sp.sinh(inside) + sp.cosh(inside) * (x - inside)

    @classmethod
    def slope(cls, index: int, x: Any) -> sp.Expr:
        return sp.cosh(_clip(x, sp.Float(-LIMIT), sp.Float(LIMIT)))


class logistic(Primitive):
    """1 / (1 + exp(-x)), accurate in its tail down to exp(-100)."""

    nargs = 1

    @classmethod
    def body(cls, x: Any) -> sp.Expr:
        return 1 / (1 + limexp(-x))

    @classmethod
    def slope(cls, index: int, x: Any) -> sp.Expr:
        return sp.exp(minimum(-x, sp.Float(LIMIT))) * logistic(x) * logistic(x)

    def _eval_is_positive(self) -> bool:
        return True


class hopping(Primitive):
    """Net hopping over a barrier: 1/(1 + exp(-b - f)) - 1/(1 + exp(-b + f)), with b as 0 where there is no barrier (b > 0).

    That is sinh(f) / (cosh(f) + cosh(b)): for b << 0 it is 2 exp(b) sinh(f), the law of a barrier that a field lowers by f on one
    side and raises on the other; it levels off at 1 where f > -b, and grows with f and b everywhere.
    """

    nargs = 2
    arguments = ("f", "b")

    @classmethod
    def body(cls, f: Any, b: Any) -> sp.Expr:
        barrier = minimum(b, sp.Float(0.0))
        return logistic(barrier + f) - logistic(barrier - f)

    @classmethod
    def slope(cls, index: int, f: Any, b: Any) -> sp.Expr:
        barrier = minimum(b, sp.Float(0.0))
        forward, back = logistic.slope(0, barrier + f), logistic.slope(0, barrier - f)
        return forward - back if index == 1 else forward + back


class ohmic_hopping(Primitive):
    """Net hopping over a barrier, a resistance where there is none: ``linexp(b + f) - linexp(b - f)``.

    For |f| < -b that is 2 exp(b) sinh(f), the law of a barrier that a field lowers by f on one side and raises on the other, and
    for |f| < b it is 2 f. Near f = 0 it is no difference of two larger numbers.
    """

    nargs = 2
    arguments = ("f", "b")

    @classmethod
    def body(cls, f: Any, b: Any) -> sp.Expr:
        barrier = _clip(b, sp.Float(-EXPONENT_LIMIT), sp.Float(0.0))
        free = maximum(b, sp.Float(0.0))

        def beyond(side: Any) -> sp.Expr:
            past = maximum(side + barrier - free, sp.Float(0.0))
            return past + sp.exp(2 * barrier) * (1 + sp.exp(-past)) * sp.tanh(past / 2)  # that is 1 - exp(-past)

        hops = 2 * sp.exp(barrier) * sp.sinh(_clip(f, barrier, -barrier))
        return hops + 2 * _clip(f, -free, free) + beyond(f) - beyond(-f)

    @classmethod
    def slope(cls, index: int, f: Any, b: Any) -> sp.Expr:
        forward, back = linexp.slope(0, b + f), linexp.slope(0, b - f)
        return forward + back if index == 0 else forward - back


class linexp(Primitive):
    """exp(x) up to 0, continued as its tangent 1 + x: a law of reactions that becomes a resistance far out.

    Unlike :class:`logistic` it never levels off, so that a solver finds its way back from a guess that is far out.
    """

    nargs = 1

    @classmethod
    def body(cls, x: Any) -> sp.Expr:
        return sp.exp(minimum(x, sp.Float(0.0))) + maximum(x, sp.Float(0.0))

    @classmethod
    def slope(cls, index: int, x: Any) -> sp.Expr:
        return sp.exp(minimum(x, sp.Float(0.0)))

    def _eval_is_nonnegative(self) -> bool:
        return True


class softplus(Primitive):
    """ln(1 + exp(x)): zero far below, x far above."""

    nargs = 1

    @classmethod
    def body(cls, x: Any) -> sp.Expr:
        inside = minimum(x, sp.Float(40.0))
        return sp.log(1 + sp.exp(inside)) + (x - inside)

    @classmethod
    def slope(cls, index: int, x: Any) -> sp.Expr:
        grown = sp.exp(minimum(x, sp.Float(40.0)))
        return grown / (1 + grown)


class smooth_abs(Primitive):
    """Absolute value, rounded within ``width`` of zero: sqrt(x^2 + width^2) - width. Exactly zero at zero."""

    nargs = 2
    arguments = ("x", "width")
    same_unit = (0, 1)

    def _eval_is_nonnegative(self) -> bool:
        return True

    @classmethod
    def body(cls, x: Any, width: Any) -> sp.Expr:
        return x * x / (sp.sqrt(x * x + width * width) + width)

    @classmethod
    def slope(cls, index: int, x: Any, width: Any) -> sp.Expr:
        root = sp.sqrt(x * x + width * width)
        return x / root if index == 0 else width / root - 1


class positive_part(Primitive):
    """The positive part: exactly zero for x <= 0, x for x >> width, twice differentiable: m^3 / (m^2 + width^2)."""

    nargs = 2
    arguments = ("x", "width")
    same_unit = (0, 1)

    def _eval_is_nonnegative(self) -> bool:
        return True

    @classmethod
    def body(cls, x: Any, width: Any) -> sp.Expr:
        m = maximum(x, sp.Float(0.0))
        return m * m * m / (m * m + width * width)

    @classmethod
    def slope(cls, index: int, x: Any, width: Any) -> sp.Expr:
        m = maximum(x, sp.Float(0.0))
        square = m * m + width * width
        if index == 0:
            return m * m * (m * m + 3 * width * width) / (square * square)
        return -2 * width * m * m * m / (square * square)


class saturate(Primitive):
    """Identity from ``low`` to ``high``; outside it levels off, with continuous slope, at low - width and high + width.

    States are read through it: the vector field keeps them in range, but a solver's guesses go outside.
    """

    nargs = 4
    arguments = ("x", "low", "high", "width")
    same_unit = (0, 1, 2, 3)

    @classmethod
    def body(cls, x: Any, low: Any, high: Any, width: Any) -> sp.Expr:
        # The same max and min in the clip and beside it: automatic derivatives are then right at the bounds too.
        below = sp.exp((x - maximum(x, low)) / width)
        above = sp.exp((minimum(x, high) - x) / width)
        return _clip(x, low, high) + width * (below - above)

    @classmethod
    def slope(cls, index: int, x: Any, low: Any, high: Any, width: Any) -> sp.Expr:
        below = sp.exp(minimum(x - low, sp.Float(0.0)) / width)
        above = sp.exp(minimum(high - x, sp.Float(0.0)) / width)
        if index == 0:
            return below * above
        if index == 1:
            return 1 - below
        if index == 2:
            return 1 - above
        return super().slope(index, x, low, high, width)


class signed_power(Primitive):
    """sign(x) |x|^power, rounded within ``width`` of zero: x (x^2 + width^2)^((power - 1) / 2)."""

    nargs = 3
    arguments = ("x", "power", "width")
    same_unit = (0, 2)
    unit_power = 1

    @classmethod
    def body(cls, x: Any, power: Any, width: Any) -> sp.Expr:
        return x * sp.exp((power - 1) / 2 * sp.log(x * x + width * width))

    @classmethod
    def slope(cls, index: int, x: Any, power: Any, width: Any) -> sp.Expr:
        square = x * x + width * width
        if index == 0:
            return (power * x * x + width * width) * sp.exp((power - 3) / 2 * sp.log(square))
        if index == 1:
            return x * sp.exp((power - 1) / 2 * sp.log(square)) * sp.log(square) / 2
        return x * (power - 1) * width * sp.exp((power - 3) / 2 * sp.log(square))


class abs_power(Primitive):
    """|x|^power, rounded within ``width`` of zero: width^power ((1 + x^2/width^2)^(power/2) - 1). Exactly zero at zero."""

    nargs = 3
    arguments = ("x", "power", "width")
    same_unit = (0, 2)
    unit_power = 1

    @classmethod
    def body(cls, x: Any, power: Any, width: Any) -> sp.Expr:
        growth = sp.log(1 + (x / width) * (x / width))
        return sp.exp(power * sp.log(width)) * (sp.exp(power / 2 * growth) - 1)

    @classmethod
    def slope(cls, index: int, x: Any, power: Any, width: Any) -> sp.Expr:
        square = x * x + width * width
        if index == 0:
            return power * x * sp.exp((power - 2) / 2 * sp.log(square))
        if index == 1:
            outer = sp.log(square) / 2 * sp.exp(power / 2 * sp.log(square))
            return outer - sp.log(width) * sp.exp(power * sp.log(width))
        return power * width * sp.exp((power - 2) / 2 * sp.log(square)) - power * sp.exp((power - 1) * sp.log(width))


PRIMITIVES: dict[str, type[Primitive]] = {
    cls.__name__: cls
    for cls in (
        limexp,
        limsinh,
        logistic,
        hopping,
        ohmic_hopping,
        linexp,
        softplus,
        smooth_abs,
        positive_part,
        saturate,
        signed_power,
        abs_power,
    )
}
"""Every primitive by its name."""
