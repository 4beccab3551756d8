"""Units: every equation is checked for its unit when a device is defined.

Declared units need not be SI base units (``eV`` is fine), but an equation must be coherent as written: the numbers that
the emitted text computes with are the values in the declared units, so a term in ``mS`` cannot be added to one in ``S``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import sympy as sp

from .errors import UnitError, nearest
from .primitives import Primitive, maximum, minimum

if TYPE_CHECKING:
    import pint


@cache
def registry() -> pint.UnitRegistry[Any]:
    """Return the package's unit registry. pint is imported here: with its definitions it takes most of a second."""
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=False)


@dataclass(frozen=True)
class Unit:
    """A unit reduced to SI base units.

    Attributes
    ----------
    dimension : tuple of (str, float)
        Base dimensions and their exponents, sorted.
    factor : float
        Size in SI base units (``mS`` has 1e-3 times the factor of ``S``).
    """

    dimension: tuple[tuple[str, float], ...]
    factor: float

    def __mul__(self, other: Unit) -> Unit:
        powers = dict(self.dimension)
        for name, power in other.dimension:
            powers[name] = powers.get(name, 0.0) + power
        return Unit(_sorted(powers), self.factor * other.factor)

    def __pow__(self, power: float) -> Unit:
        return Unit(_sorted({n: p * power for n, p in self.dimension}), self.factor**power)

    def matches(self, other: Unit) -> bool:
        """Return whether both are the same unit (same dimension and same size)."""
        return self.dimension == other.dimension and abs(self.factor / other.factor - 1) < 1e-9

    def __str__(self) -> str:
        text = " ".join(f"{n}^{p:g}" if p != 1 else n for n, p in self.dimension) or "dimensionless"
        return text if abs(self.factor - 1) < 1e-12 else f"{self.factor:g} {text}"


def _sorted(powers: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((n, round(p, 9)) for n, p in powers.items() if abs(p) > 1e-9))


DIMENSIONLESS = Unit((), 1.0)


@lru_cache(maxsize=512)
def parse(text: str) -> Unit:
    """Return the unit that a text such as ``"S"``, ``"1/s"`` or ``"eV/K"`` names.

    Raises
    ------
    UnitError
        If the text is not a unit.
    """
    if text in ("", "1"):
        return DIMENSIONLESS
    import pint

    try:
        quantity = registry().Quantity(1.0, text).to_base_units()
        offset = registry().Quantity(0.0, text).to_base_units().magnitude
    except (pint.UndefinedUnitError, pint.OffsetUnitCalculusError, ValueError, TypeError, AttributeError) as error:
        known = ("V", "A", "S", "ohm", "s", "K", "eV", "F", "C", "m", "1/s", "W", "1")
        raise UnitError(f"'{text}' is not a unit{nearest(text, known)}") from error
    except Exception as error:  # pint's tokenizer raises its own kinds on malformed text
        raise UnitError(f"'{text}' is not a unit") from error
    if offset != 0:
        raise UnitError(f"'{text}' has an offset, or is a logarithm: give the value in the SI unit, such as K")
    return Unit(_sorted({str(n): float(p) for n, p in quantity.units._units.items()}), float(quantity.magnitude))


def convert(value: float, unit: str, target: str) -> float:
    """Return ``value`` given in ``unit`` expressed in ``target``.

    Raises
    ------
    UnitError
        If the dimensions differ.
    """
    if unit == target:
        return value
    source, wanted = parse(unit), parse(target)
    if source.dimension != wanted.dimension:
        raise UnitError(f"unit '{unit}' does not fit '{target}' ({source} against {wanted})")
    return value * source.factor / wanted.factor


class _Any:
    """The unit of a literal zero, which fits everything."""


_ANY = _Any()


def unit_of(expression: sp.Expr, symbols: Mapping[sp.Symbol, Unit]) -> Unit | _Any:
    """Return the unit of an expression.

    A number among the arguments of a primitive that share a unit is taken in that unit.

    Parameters
    ----------
    expression : sympy.Expr
    symbols : mapping of Symbol to Unit

    Raises
    ------
    UnitError
        With the term at fault.
    """
    if expression.is_Number:
        return _ANY if expression.is_zero else DIMENSIONLESS
    if isinstance(expression, sp.NumberSymbol):
        return DIMENSIONLESS
    if isinstance(expression, sp.Symbol):
        return symbols[expression]
    arguments = [(a, unit_of(a, symbols)) for a in expression.args]
    if isinstance(expression, sp.Add | minimum | maximum):
        return _same(expression, arguments)
    if isinstance(expression, sp.Mul):
        result = DIMENSIONLESS
        for _, unit in arguments:
            if isinstance(unit, _Any):
                return _ANY
            result = result * unit
        return result
    if isinstance(expression, sp.Pow):
        (base, unit), (exponent, exponent_unit) = arguments
        _demand_dimensionless(expression, exponent, exponent_unit)
        if isinstance(unit, _Any) or unit == DIMENSIONLESS:
            return DIMENSIONLESS
        if not exponent.is_Rational:
            raise UnitError(f"in {expression}: '{base}' has the unit {unit} and a power that is not a number")
        return unit ** float(exponent)
    if isinstance(expression, Primitive):
        same = [(a, _ANY if a.is_Number else u) for i, (a, u) in enumerate(arguments) if i in expression.same_unit]
        for i, (argument, unit) in enumerate(arguments):
            if i not in expression.same_unit:
                _demand_dimensionless(expression, argument, unit)
        common = _same(expression, same) if same else DIMENSIONLESS
        if expression.unit_power is None:
            return common
        power = expression.args[expression.unit_power]
        if isinstance(common, _Any) or common == DIMENSIONLESS:
            return DIMENSIONLESS
        if not power.is_Rational:
            raise UnitError(f"in {expression}: '{same[0][0]}' has the unit {common} and a power that is not a number")
        return common ** float(power)
    for argument, unit in arguments:
        _demand_dimensionless(expression, argument, unit)
    return DIMENSIONLESS


def _same(expression: sp.Expr, arguments: list[tuple[sp.Expr, Unit | _Any]]) -> Unit | _Any:
    first: tuple[sp.Expr, Unit] | None = None
    for argument, unit in arguments:
        if isinstance(unit, _Any):
            continue
        if first is None:
            first = (argument, unit)
        elif not unit.matches(first[1]):
            raise UnitError(f"in {expression}: '{first[0]}' has the unit {first[1]}, but '{argument}' has {unit}")
    return _ANY if first is None else first[1]


def _demand_dimensionless(expression: sp.Expr, argument: sp.Expr, unit: Unit | _Any) -> None:
    if not isinstance(unit, _Any) and not unit.matches(DIMENSIONLESS):
        raise UnitError(f"in {expression}: '{argument}' must be dimensionless, but has the unit {unit}")


def check(expression: sp.Expr, wanted: str, symbols: Mapping[sp.Symbol, Unit], what: str) -> str | None:
    """Return a fault text when the expression does not have the wanted unit, else None."""
    try:
        unit = unit_of(sp.sympify(expression), symbols)
        target = parse(wanted)
    except UnitError as error:
        return f"{what}: {error}"
    if isinstance(unit, _Any) or unit.matches(target):
        return None
    return f"{what}: has the unit {unit}, but '{wanted}' ({target}) was declared"
