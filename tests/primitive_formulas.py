"""The published formula of each primitive at 120 digits, and the points to try it at."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import mpmath as mp
import numpy as np

mp.mp.dps = 120
HUGE = mp.exp(100)


def _limexp(x: mp.mpf) -> mp.mpf:
    return mp.exp(x) if x <= 100 else HUGE * (1 + x - 100)


def _limsinh(x: mp.mpf) -> mp.mpf:
    if abs(x) <= 100:
        return mp.sinh(x)
    return mp.sign(x) * (mp.sinh(100) + mp.cosh(100) * (abs(x) - 100))


def _positive_part(x: mp.mpf, width: mp.mpf) -> mp.mpf:
    return x**3 / (x**2 + width**2) if x > 0 else mp.mpf(0)


def _saturate(x: mp.mpf, low: mp.mpf, high: mp.mpf, width: mp.mpf) -> mp.mpf:
    if x < low:
        return low - width * (1 - mp.exp((x - low) / width))
    if x > high:
        return high + width * (1 - mp.exp((high - x) / width))
    return x


def _signed_power(x: mp.mpf, power: mp.mpf, width: mp.mpf) -> mp.mpf:
    return x * mp.power(x**2 + width**2, (power - 1) / 2)


def _abs_power(x: mp.mpf, power: mp.mpf, width: mp.mpf) -> mp.mpf:
    return mp.power(width, power) * (mp.power(1 + (x / width) ** 2, power / 2) - 1)


def _hopping(f: mp.mpf, b: mp.mpf) -> mp.mpf:
    return mp.sinh(f) / (mp.cosh(f) + mp.cosh(min(b, mp.mpf(0))))


def _linexp(x: mp.mpf) -> mp.mpf:
    return mp.exp(x) if x <= 0 else 1 + x


def _ohmic_hopping(f: mp.mpf, b: mp.mpf) -> mp.mpf:
    return _linexp(b + f) - _linexp(b - f)


FORMULAS: dict[str, Callable[..., mp.mpf]] = {
    "limexp": _limexp,
    "limsinh": _limsinh,
    "logistic": lambda x: 1 / (1 + _limexp(-x)),
    "hopping": _hopping,
    "ohmic_hopping": _ohmic_hopping,
    "linexp": _linexp,
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "smooth_abs": lambda x, width: mp.sqrt(x**2 + width**2) - width,
    "positive_part": _positive_part,
    "saturate": _saturate,
    "signed_power": _signed_power,
    "abs_power": _abs_power,
}
"""Value of each primitive over exact numbers."""

CORNERS: dict[str, tuple[float, ...]] = {
    "limexp": (100.0,),
    "limsinh": (-100.0, 100.0),
    "logistic": (-100.0, 100.0),
    "hopping": (0.0,),
    "ohmic_hopping": (-20.0, -5.0, -3.0, -0.5, 0.0, 0.5, 3.0, 5.0, 20.0),
    "linexp": (0.0,),
    "softplus": (40.0,),
    "smooth_abs": (0.0,),
    "positive_part": (0.0,),
    "saturate": (-0.5, 1.25),
    "signed_power": (0.0,),
    "abs_power": (0.0,),
}
"""Where a piece of each primitive begins, for the settings below."""

SETTINGS: dict[str, tuple[tuple[float, ...], ...]] = {
    "hopping": ((-20.0, -5.0, -0.5, 3.0),),
    "ohmic_hopping": ((-20.0, -5.0, -0.5, 3.0),),
    "smooth_abs": ((1e-3, 0.2),),
    "positive_part": ((1e-3, 0.2),),
    "saturate": ((-0.5,), (1.25,), (0.05, 0.5)),
    "signed_power": ((0.4, 1.0, 2.0, 3.7), (1e-3, 0.2)),
    "abs_power": ((0.4, 1.0, 2.0, 3.7), (1e-3, 0.2)),
}
"""Values of the arguments after the first."""

FIRST = np.array(
    [
        *(-1e6, -150.0, -100.5, -100.0, -60.0, -20.0, -3.3, -1.0, -0.5, -0.1, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 0.05, 0.3),
        *(0.9, 1.0, 1.25, 1.3, 2.5, 20.0, 39.9, 40.0, 40.1, 99.9, 100.0, 100.1, 150.0, 1e6),
    ]
)
"""Values of the first argument."""


def grid(name: str) -> list[tuple[float, ...]]:
    """Return the argument tuples at which a primitive is tried."""
    return [tuple(p) for p in itertools.product(FIRST.tolist(), *SETTINGS.get(name, ()))]


def exact(name: str, arguments: tuple[float, ...]) -> float:
    """Return the exact value, rounded to a float."""
    return float(FORMULAS[name](*(mp.mpf(a) for a in arguments)))


def tolerance(name: str, value: float, digits: float) -> float:
    """Return the absolute error to allow: `digits` relative, plus rounding where a formula takes a difference."""
    rounding = {"softplus": 1e-15, "hopping": 1e-15, "saturate": 1e-15, "abs_power": 1e-15}
    return digits * abs(value) + rounding.get(name, 1e-300)
