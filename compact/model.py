"""The model record: one device's equations over its terminals, states and parameters.

Pure declaration in SymPy. It knows no simulator, no stimulus and no data. Devices are written with
:class:`~synspice.compact.definition.Definition`, which checks them and returns this record.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import sympy as sp

from . import parameters as _parameters
from .parameters import Parameter

TEMPERATURE = sp.Symbol("t_ambient", positive=True)
"""Temperature of the circuit [K]; each target replaces it with the simulator's own."""

DTEMP = Parameter(
    name="dtemp",
    unit="K",
    default=0.0,
    description="temperature of the device above that of the circuit",
    lower=-200.0,
    upper=300.0,
    instance=True,
)
"""The instance parameter of every device whose equations use the temperature."""

CURRENT_PREFIX = "i_"
"""With a terminal's name, the name by which simulations report the conduction current into it."""

DEVICE_TEMPERATURE = TEMPERATURE + DTEMP.symbol
"""Temperature of the device [K], without its self-heating. Equations use ``TEMPERATURE`` and ``DTEMP`` in no other way."""

FROZEN = Parameter(
    name="frozen",
    unit="1",
    default=0.0,
    description="1 holds the states at their initial values in every analysis",
    lower=0.0,
    upper=1.0,
    instance=True,
)
"""The instance parameter that every device with states has."""


@dataclass(frozen=True, kw_only=True)
class State:
    """A memory variable.

    Attributes
    ----------
    name, unit, description : str
    initial : float
        Default of the instance parameter ``<name>_init``.
    scale : float
        Natural size of a change, in ``unit``; simulators integrate the deviation in this scale.
    lower, upper : float
        Range that the vector field keeps the state in.
    """

    name: str
    unit: str
    description: str
    initial: float = 0.0
    scale: float = 1.0
    lower: float = -math.inf
    upper: float = math.inf

    @property
    def symbol(self) -> sp.Symbol:
        return sp.Symbol(self.name, real=True)

    @property
    def initial_parameter(self) -> Parameter:
        """The instance parameter that holds the initial value."""
        return Parameter(
            name=f"{self.name}_init",
            unit=self.unit,
            default=self.initial,
            description=f"initial value of {self.name} ({self.description})",
            lower=self.lower,
            upper=self.upper,
            instance=True,
        )


@dataclass(frozen=True, kw_only=True)
class Voltage:
    """The voltage between two terminals."""

    name: str
    plus: str
    minus: str

    @property
    def symbol(self) -> sp.Symbol:
        return sp.Symbol(self.name, real=True)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A named intermediate expression.

    A simulator without local variables may solve for a quantity that has a natural ``scale`` as it does for a voltage, and
    reads it within the range that it never leaves; one without a scale is always written out.
    """

    name: str
    unit: str
    description: str
    expression: sp.Expr
    scale: float | None = None
    lower: float = -math.inf
    upper: float = math.inf

    @property
    def symbol(self) -> sp.Symbol:
        if is_positive(self.expression):
            return sp.Symbol(self.name, positive=True)
        if self.expression.is_nonnegative:
            return sp.Symbol(self.name, nonnegative=True)
        return sp.Symbol(self.name, real=True)


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A current or a charge between two terminals; a positive current flows from plus through the device to minus.

    A branch with a ``cell`` is an electrochemical one: its open-circuit voltage need not be zero.
    """

    plus: str
    minus: str
    expression: sp.Expr
    cell: bool = False


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A noise current between two terminals. ``density`` is its power spectral density [A^2/Hz]."""

    name: str
    plus: str
    minus: str
    kind: Literal["white", "flicker"]
    density: sp.Expr
    exponent: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Model:
    """One device's equations. See the module docstring.

    Attributes
    ----------
    name : str
        Lower-case name of the device in every target.
    title, description : str
    terminals : tuple of str
    write, read : tuple of (str, str)
        The terminal pair that a stimulus drives, and the one whose conductance is the weight.
    parameters : tuple of Parameter
        Model parameters first, then the instance parameters (initial states, ``frozen``, ``dtemp``).
    states, voltages, quantities, currents, charges, noise : tuples of records
    rates : tuple of sympy.Expr
        One time derivative a state [unit/s].
    along : tuple of str or None
        For each state the one that it moves along with, whose rate is a part of its own.
    observables : tuple of Quantity
        Expressions worth reporting, over states and voltages.
    references : tuple of str
    """

    name: str
    title: str
    description: str
    terminals: tuple[str, ...]
    write: tuple[str, str]
    read: tuple[str, str]
    parameters: tuple[Parameter, ...]
    states: tuple[State, ...]
    voltages: tuple[Voltage, ...]
    quantities: tuple[Quantity, ...]
    currents: tuple[Branch, ...]
    charges: tuple[Branch, ...]
    rates: tuple[sp.Expr, ...]
    along: tuple[str | None, ...]
    observables: tuple[Quantity, ...]
    noise: tuple[Noise, ...]
    references: tuple[str, ...]

    def parameter(self, name: str) -> Parameter:
        """Return the parameter record of a name (KeyError when there is none)."""
        return {p.name: p for p in self.parameters}[name]

    @property
    def model_parameters(self) -> tuple[Parameter, ...]:
        """The parameters that belong to the material, without the instance parameters."""
        return tuple(p for p in self.parameters if not p.instance)

    def values(self, given: Mapping[str, float], where: str | None = None) -> dict[str, float]:
        """Return every parameter's value, checked (see :func:`synspice.compact.parameters.complete`)."""
        return _parameters.complete(self.parameters, given, where or f"device '{self.name}'")

    def initial_states(self, values: Mapping[str, float]) -> tuple[float, ...]:
        """Return the initial states that a complete set of values holds."""
        return tuple(values[s.initial_parameter.name] for s in self.states)

    @property
    def leaders(self) -> tuple[State | None, ...]:
        """For each state the one that it moves along with."""
        states = {s.name: s for s in self.states}
        return tuple(None if name is None else states[name] for name in self.along)

    @property
    def own_rates(self) -> tuple[sp.Expr, ...]:
        """Each state's rate, without that of the state that it moves along with [unit/s]."""
        rates = {s.name: r for s, r in zip(self.states, self.rates, strict=True)}
        return tuple(r if name is None else r - rates[name] for r, name in zip(self.rates, self.along, strict=True))

    @property
    def apart(self) -> Model:
        """The device with every state's own rate for its rate, which is what a simulator integrates along with its leader's."""
        return replace(self, rates=self.own_rates, along=(None,) * len(self.states))

    @cached_property
    def expanded(self) -> dict[sp.Symbol, sp.Expr]:
        """Every quantity's symbol with its expression over variables and parameters only."""
        return expand(self.quantities)

    @cached_property
    def definition_hash(self) -> str:
        """Twelve hex digits that change with any equation, parameter or name."""
        parts = [self.name, *self.terminals, str(self.write), str(self.read), *(repr(p) for p in self.parameters)]
        parts += [repr(r) for group in (self.states, self.voltages) for r in group]
        for group in (self.quantities, self.observables):
            parts += [f"{q.name} {q.unit} {q.scale} {q.lower} {q.upper} {sp.srepr(q.expression)}" for q in group]
        for branches in (self.currents, self.charges):
            parts += [f"{b.plus} {b.minus} {sp.srepr(b.expression)}" for b in branches]
        parts += [sp.srepr(r) for r in self.rates] + [name for name in self.along if name]
        parts += [f"{n.name} {n.plus} {n.minus} {n.kind} {sp.srepr(n.density)} {n.exponent}" for n in self.noise]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def is_positive(expression: sp.Expr) -> bool:
    """Whether the bounds of an expression's symbols prove that it is above zero.

    ``dtemp`` may be negative, the device's temperature may not; it occurs in that sum only, so that zero stands for it.
    """
    return bool(expression.xreplace({DTEMP.symbol: sp.Integer(0)}).is_positive)


def expand(quantities: Iterable[Quantity]) -> dict[sp.Symbol, sp.Expr]:
    """Return each quantity's symbol with its expression, earlier quantities substituted."""
    known: dict[sp.Symbol, sp.Expr] = {}
    for quantity in quantities:
        known[quantity.symbol] = quantity.expression.xreplace(known)
    return known
