"""The safe primitives in the form that SPICE evaluates fastest and in every mode.

A behavioural source is evaluated by walking its text, once for the value and once for each derivative. What costs least there
differs from what suits Python or Verilog-A:

- a choice is lazy, in its value and in its derivatives, while ``min`` and ``max`` evaluate both arguments every time;
- no ``exp()`` has a positive argument: ngspice's PSpice-like modes (``ngbehavior=psa``, ``ltpsa``: what KiCad sets up) continue
  it as a straight line above 14. Above zero it is ``cosh(x) + sinh(x)``, which no mode changes;
- nothing is divided by less than 1e-22: ngspice adds 1e-20 of gmin to every denominator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from ..compact.primitives import EXPONENT_LIMIT, LIMIT, PRIMITIVES, maximum, minimum

_LIMIT = sp.Float(LIMIT)


class choose(sp.Function):  # type: ignore[misc]  # noqa: N801 - SymPy functions are lower case
    """``choose(test, yes, no)``: ``yes`` where ``test`` is above zero, else ``no``; only the chosen one is evaluated."""

    nargs = 3


class falling_exp(sp.Function):  # type: ignore[misc]  # noqa: N801
    """The exponential of what is never above zero."""

    nargs = 1


def exponential(x: Any) -> sp.Expr:
    """Return exp(x) without an exponential of a positive argument; constant where it would overflow."""
    top = sp.Float(EXPONENT_LIMIT)
    return choose(x, choose(x - top, sp.exp(top), sp.cosh(x) + sp.sinh(x)), falling_exp(x))


def _limexp(x: Any) -> sp.Expr:
    line = sp.Mul(sp.exp(_LIMIT), x + (1 - _LIMIT), evaluate=False)
    return choose(x, choose(x - _LIMIT, line, sp.cosh(x) + sp.sinh(x)), falling_exp(x))


def _limsinh(x: Any) -> sp.Expr:
    # tanh(100) is 1: the straight line beyond the limit is exp(100)/2 (1 + |x| - 100)
    above = sp.Mul(sp.cosh(_LIMIT), x + (1 - _LIMIT), evaluate=False)
    below = sp.Mul(sp.cosh(_LIMIT), x - (1 - _LIMIT), evaluate=False)
    return choose(x - _LIMIT, above, choose(-x - _LIMIT, below, sp.sinh(x)))


def _logistic(x: Any) -> sp.Expr:
    # above 0 the exponential falls; below, the same over exp(x), which keeps the tail's relative accuracy
    grown = falling_exp(x)
    tail = choose(x + _LIMIT, grown / (1 + grown), sp.exp(-_LIMIT) / (1 - _LIMIT - x))
    return choose(x, 1 / (1 + falling_exp(-x)), tail)


def _hopping(f: Any, b: Any) -> sp.Expr:
    plain = sp.sinh(f) / (sp.cosh(f) + sp.cosh(b))
    # far out, cosh(b) / cosh(f) from exponentials that do not overflow
    size_f, size_b = maximum(f, -f), maximum(-b, sp.Float(0.0))
    grown = sp.exp(minimum(size_b - size_f, sp.Float(EXPONENT_LIMIT)))
    ratio = grown * (1 + falling_exp(-2 * size_b)) / (1 + falling_exp(-2 * size_f))
    return choose(b, sp.tanh(f / 2), choose(maximum(size_f, -b) - _LIMIT, sp.tanh(f) / (1 + ratio), plain))


def _ohmic_hopping(f: Any, b: Any) -> sp.Expr:
    forward, back = b + f, b - f
    without = choose(back, 2 * f, 1 + forward - falling_exp(back))
    hops = 2 * falling_exp(b) * sp.sinh(f)
    return choose(forward, without, choose(back, falling_exp(forward) - 1 - back, hops))


def _linexp(x: Any) -> sp.Expr:
    return choose(x, 1 + x, falling_exp(x))


def _softplus(x: Any) -> sp.Expr:
    return choose(x, x + sp.log(1 + falling_exp(-x)), sp.log(1 + falling_exp(x)))


def _positive_part(x: Any, width: Any) -> sp.Expr:
    return choose(x, x * x * x / (x * x + width * width), sp.Float(0.0))


def _saturate(x: Any, low: Any, high: Any, width: Any) -> sp.Expr:
    below = low - width + width * falling_exp((x - low) / width)
    above = high + width - width * falling_exp((high - x) / width)
    return choose(low - x, below, choose(x - high, above, x))


def _signed_power(x: Any, power: Any, width: Any) -> sp.Expr:
    return x * sp.exp((power - 1) / 2 * sp.log(x * x + width * width))


def _abs_power(x: Any, power: Any, width: Any) -> sp.Expr:
    grown = sp.exp(power / 2 * sp.log(1 + x * x / (width * width)), evaluate=False)
    return sp.exp(power * sp.log(width), evaluate=False) * (grown - 1)


FORMS: dict[str, Callable[..., sp.Expr]] = {
    "limexp": _limexp,
    "limsinh": _limsinh,
    "logistic": _logistic,
    "hopping": _hopping,
    "ohmic_hopping": _ohmic_hopping,
    "linexp": _linexp,
    "softplus": _softplus,
    "positive_part": _positive_part,
    "saturate": _saturate,
    "signed_power": _signed_power,
    "abs_power": _abs_power,
}
"""The body of a primitive in a behavioural source, by its name; the others have their own body there too."""


def form(name: str, *arguments: Any) -> sp.Expr:
    """Return the body of a primitive as SPICE evaluates it."""
    body: Callable[..., sp.Expr] = FORMS.get(name, PRIMITIVES[name].body)
    return body(*arguments)
