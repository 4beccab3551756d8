"""What a parameter is (unit, bounds, meaning), and the check of the values given for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import sympy as sp

from .errors import ParameterError, nearest

Scale = Literal["linear", "log"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a parameter is; its value lives in a card.

    Attributes
    ----------
    name : str
        Lower-case name, the same in every target.
    unit : str
        Unit of the value.
    default : float
    description : str
    lower, upper : float
        Bounds; infinite where there is none.
    lower_open, upper_open : bool
        Whether the bound itself is excluded.
    scale : {"linear", "log"}
        The scale on which a fit moves the value.
    instance : bool
        Whether it is set per instance (initial states, ``frozen``) rather than per material.
    """

    name: str
    unit: str
    default: float
    description: str
    lower: float = -math.inf
    upper: float = math.inf
    lower_open: bool = False
    upper_open: bool = False
    scale: Scale = "linear"
    instance: bool = False

    @property
    def symbol(self) -> sp.Symbol:
        """The SymPy symbol, with the assumptions that its bounds prove."""
        if self.lower > 0 or (self.lower == 0 and self.lower_open):
            return sp.Symbol(self.name, positive=True)
        if self.lower == 0:
            return sp.Symbol(self.name, nonnegative=True)
        return sp.Symbol(self.name, real=True)

    @property
    def range_text(self) -> str:
        """The range in interval notation, ``(0, inf)`` for a positive value."""
        left = "(" if self.lower_open or math.isinf(self.lower) else "["
        right = ")" if self.upper_open or math.isinf(self.upper) else "]"
        return f"{left}{self.lower:g}, {self.upper:g}{right}"

    def fault(self, value: float) -> str | None:
        """Return why ``value`` is not allowed, or None."""
        if isinstance(value, bool) or not isinstance(value, Real):
            return f"{self.name} = {value!r} is not a number"
        if not math.isfinite(value):
            return f"{self.name} = {value} is not finite"
        low = value < self.lower or (self.lower_open and value == self.lower)
        high = value > self.upper or (self.upper_open and value == self.upper)
        if low or high:
            unit = f" {self.unit}" if self.unit not in ("", "1") else ""
            return f"{self.name} = {value:g}{unit} is outside its range {self.range_text}{unit} ({self.description})"
        return None


def definition_faults(parameter: Parameter) -> list[str]:
    """Return what is wrong with the record itself."""
    faults = []
    if not parameter.lower < parameter.upper:
        faults.append(f"parameter '{parameter.name}': lower bound {parameter.lower:g} is not below {parameter.upper:g}")
    elif (fault := parameter.fault(parameter.default)) is not None:
        faults.append(f"parameter '{parameter.name}': default: {fault}")
    if parameter.scale == "log" and parameter.lower < 0:
        faults.append(f"parameter '{parameter.name}': a log scale needs a lower bound of 0 or more")
    if not parameter.description:
        faults.append(f"parameter '{parameter.name}': say what it means (description)")
    return faults


def complete(parameters: Iterable[Parameter], values: Mapping[str, float], where: str) -> dict[str, float]:
    """Return every parameter's value: the given ones, checked, and the defaults of the rest.

    Parameters
    ----------
    parameters : iterable of Parameter
    values : mapping of name to value, in the parameters' own units
    where : str
        What the values belong to, for the error.

    Raises
    ------
    ParameterError
        With every fault found: unknown names (with the nearest), values out of range or not finite.
    """
    known = {p.name: p for p in parameters}
    faults = [f"no parameter '{name}'{nearest(name, known)}" for name in values if name not in known]
    result = {}
    for name, parameter in known.items():
        value = values.get(name, parameter.default)
        if (fault := parameter.fault(value)) is not None:
            faults.append(fault)
        else:
            result[name] = float(value)
    if faults:
        raise ParameterError(where, faults)
    return result
