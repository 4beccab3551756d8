"""How a device is written down, and the checks that make the model well posed.

A device is a short script::

    d = Definition("resistor_with_memory", "A toy")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    g = d.parameter("g_0", "S", 1e-6, "conductance at rest", above=0)
    k = d.parameter("k", "1/(V*s)", 1.0, "rate")
    x = d.state("x", "1", "memory", lower=-1, upper=1)
    d.rate(x, k * v * (1 - x**2))
    d.current(p, n, g * (1 + x / 2) * v)
    MODEL = d.model()

All faults are collected and raised together by :meth:`Definition.model`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import sympy as sp

from . import names, units
from .constants import CONSTANT_VALUES, CONSTANTS
from .errors import DefinitionError, UnitError
from .model import (
    CURRENT_PREFIX,
    DEVICE_TEMPERATURE,
    DTEMP,
    FROZEN,
    TEMPERATURE,
    Branch,
    Model,
    Noise,
    Quantity,
    State,
    Voltage,
    expand,
    is_positive,
)
from .parameters import Parameter, Scale, definition_faults
from .primitives import PRIMITIVES, Primitive

BASIC_FUNCTIONS = (sp.exp, sp.log, sp.sinh, sp.cosh, sp.tanh, sp.atan, sp.asinh)
"""The functions of the closed node set; sqrt is a power."""

_checked: ContextVar[bool] = ContextVar("checked", default=True)


@contextmanager
def unchecked() -> Iterator[None]:
    """Take definitions as they are, without their units and equations being checked: 30 ms a device in place of 2 s.

    For the shipped devices, which the package's tests check; see :func:`synspice.compact.registry.get_device`.
    """
    token = _checked.set(False)
    try:
        yield
    finally:
        _checked.reset(token)


_GROWING = {sp.exp: "limexp", sp.sinh: "limsinh", sp.cosh: "a form with limexp"}


class Definition:
    """Collects a device's declarations; :meth:`model` checks them and returns the frozen record.

    Parameters
    ----------
    name : str
        Lower-case name.
    title : str
        One line that says what the device is.
    description : str
        Equations' origin, sign convention, validity range and what the source does not cover.
    """

    def __init__(self, name: str, title: str, description: str = "") -> None:
        self._name = name
        self._title = title
        self._description = description
        self._terminals: tuple[str, ...] = ()
        self._write: tuple[str, str] | None = None
        self._read: tuple[str, str] | None = None
        self._parameters: list[Parameter] = []
        self._states: list[State] = []
        self._voltages: list[Voltage] = []
        self._quantities: list[Quantity] = []
        self._currents: list[Branch] = []
        self._charges: list[Branch] = []
        self._rates: dict[str, sp.Expr] = {}
        self._along: dict[str, str] = {}
        self._observables: list[Quantity] = []
        self._noise: list[Noise] = []
        self._references: list[str] = []
        self._checked = _checked.get()
        self._units: dict[sp.Symbol, units.Unit] = {}
        self._faults: list[str] = []
        self._names: set[str] = {FROZEN.name, DTEMP.name}
        for symbol, unit in {
            TEMPERATURE: "K",
            DTEMP.symbol: DTEMP.unit,
            **{s: u for s, (_, u) in CONSTANTS.items()},
        }.items():
            self._known(symbol, unit, f"'{symbol}'")

    temperature = DEVICE_TEMPERATURE
    """Temperature of the device [K], without its self-heating: the circuit's and ``dtemp``."""

    def terminals(self, *terminal_names: str) -> tuple[str, ...]:
        """Declare the terminals in order; the first two are written and read unless :meth:`ports` says otherwise."""
        self._terminals = terminal_names
        for name in terminal_names:
            if (fault := names.fault(name, "terminal")) is not None:
                self._faults.append(fault)
        return terminal_names

    def ports(self, *, write: tuple[str, str], read: tuple[str, str]) -> None:
        """Declare which terminal pair a stimulus drives, and whose conductance is the weight."""
        self._write, self._read = write, read

    def voltage(self, plus: str, minus: str, name: str | None = None) -> sp.Symbol:
        """Return the symbol of the voltage between two terminals [V]."""
        record = Voltage(name=name or f"v_{plus}{minus}", plus=plus, minus=minus)
        self._claim(record.name, "voltage")
        self._voltages.append(record)
        return self._known(record.symbol, "V", f"voltage '{record.name}'")

    def parameter(
        self,
        name: str,
        unit: str,
        default: float,
        description: str,
        *,
        above: float | None = None,
        at_least: float | None = None,
        below: float | None = None,
        at_most: float | None = None,
        scale: Scale = "linear",
        instance: bool = False,
    ) -> sp.Symbol:
        """Declare a parameter and return its symbol. ``above``/``below`` are open bounds, ``at_least``/``at_most`` closed."""
        if (above is not None and at_least is not None) or (below is not None and at_most is not None):
            self._faults.append(f"parameter '{name}': give an open or a closed bound on a side, not both")
        record = Parameter(
            name=name,
            unit=unit,
            default=float(default),
            description=description,
            lower=next((float(b) for b in (above, at_least) if b is not None), -math.inf),
            upper=next((float(b) for b in (below, at_most) if b is not None), math.inf),
            lower_open=above is not None,
            upper_open=below is not None,
            scale=scale,
            instance=instance,
        )
        self._claim(name, "parameter")
        self._faults += definition_faults(record)
        self._parameters.append(record)
        return self._known(record.symbol, unit, f"parameter '{name}'")

    def state(
        self,
        name: str,
        unit: str,
        description: str,
        *,
        initial: float = 0.0,
        scale: float = 1.0,
        lower: float = -math.inf,
        upper: float = math.inf,
    ) -> sp.Symbol:
        """Declare a state and return its symbol; the instance parameter ``<name>_init`` comes with it."""
        record = State(
            name=name,
            unit=unit,
            description=description,
            initial=float(initial),
            scale=float(scale),
            lower=float(lower),
            upper=float(upper),
        )
        self._claim(name, "state")
        self._claim(record.initial_parameter.name, "parameter")
        if not scale > 0:
            self._faults.append(f"state '{name}': scale {scale:g} must be above 0")
        self._faults += definition_faults(record.initial_parameter)
        self._states.append(record)
        return self._known(record.symbol, unit, f"state '{name}'")

    def quantity(
        self,
        name: str,
        unit: str,
        expression: Any,
        description: str,
        *,
        scale: float | None = None,
        lower: float = -math.inf,
        upper: float = math.inf,
    ) -> sp.Symbol:
        """Name an intermediate expression and return its symbol.

        Name what is used more than once, and what a reader wants to see. A simulator without local variables solves for one
        that has a ``scale`` as it does for a voltage: give one to quantities that stay within a few decades (an exponent
        rather than its exponential), with the range that they never leave.
        """
        record = Quantity(
            name=name,
            unit=unit,
            description=description,
            expression=sp.sympify(expression),
            scale=None if scale is None else float(scale),
            lower=float(lower),
            upper=float(upper),
        )
        self._claim(name, "quantity")
        self._check(record.expression, unit, f"quantity '{name}'")
        self._quantities.append(record)
        return self._known(record.symbol, unit, f"quantity '{name}'")

    def current(self, plus: str, minus: str, expression: Any, *, cell: bool = False) -> None:
        """Add a current [A] that flows from ``plus`` through the device to ``minus``.

        The current must vanish at zero volts, unless the branch is declared to be an electrochemical ``cell``.
        """
        expression = sp.sympify(expression)
        self._check(expression, "A", f"current ({plus}, {minus})")
        self._currents.append(Branch(plus=plus, minus=minus, expression=expression, cell=cell))

    def charge(self, plus: str, minus: str, expression: Any) -> None:
        """Add a charge [C] whose time derivative flows from ``plus`` to ``minus``."""
        expression = sp.sympify(expression)
        self._check(expression, "C", f"charge ({plus}, {minus})")
        self._charges.append(Branch(plus=plus, minus=minus, expression=expression))

    def rate(self, state: sp.Symbol, expression: Any, *, along: sp.Symbol | None = None) -> None:
        """Set the time derivative of a state [its unit per second].

        A state that moves ``along`` with another one, of the same unit, has that one's rate and the given one. A simulator then
        integrates the two's difference, and no step that it takes too far can part what moves together.
        """
        expression = sp.sympify(expression)
        record = next((s for s in self._states if s.name == state.name), None)
        if record is None:
            self._faults.append(f"rate of '{state}': there is no such state")
            return
        if record.name in self._rates:
            self._faults.append(f"rate of '{state}': given twice")
        self._check(expression, f"({record.unit})/s", f"rate of '{state}'")
        if along is not None:
            leader = next((s for s in self._states if s.name == along.name), None)
            if (
                leader is None
                or leader.name not in self._rates
                or leader.name in self._along
                or leader.unit != record.unit
            ):
                self._faults.append(
                    f"rate of '{state}': '{along}', which it moves along with, must be a state of the same unit whose own rate "
                    "was given before"
                )
                return
            self._along[record.name] = leader.name
            expression += self._rates[leader.name]
        self._rates[record.name] = expression

    def observable(self, name: str, unit: str, expression: Any, description: str) -> None:
        """Add an expression over states and voltages that results report."""
        record = Quantity(name=name, unit=unit, description=description, expression=sp.sympify(expression))
        self._claim(name, "observable")
        self._check(record.expression, unit, f"observable '{name}'")
        self._observables.append(record)

    def noise(
        self,
        name: str,
        plus: str,
        minus: str,
        density: Any,
        kind: Literal["white", "flicker"] = "white",
        exponent: float = 1.0,
    ) -> None:
        """Add a noise current; ``density`` is its power spectral density [A^2/Hz] (at 1 Hz for flicker noise)."""
        density = sp.sympify(density)
        self._claim(name, "noise source")
        self._check(density, "A^2/Hz", f"noise '{name}'")
        self._noise.append(Noise(name=name, plus=plus, minus=minus, kind=kind, density=density, exponent=exponent))

    def reference(self, text: str) -> None:
        """Add a source: paper with figure or section."""
        self._references.append(text)

    def model(self) -> Model:
        """Check the definition and return the frozen record.

        Raises
        ------
        DefinitionError
            With every fault found: names, units, bounds, node set, missing rates, and what probing the equations
            numerically showed (not finite, a current at zero volts, an active device).
        """
        faults = self._faults + self._structure_faults()
        faults += [f"the name '{n}' is used more than once" for n in sorted(self._duplicates())]
        if faults:
            raise DefinitionError(self._name, faults)
        first_two = (self._terminals[0], self._terminals[1])
        instance = [s.initial_parameter for s in self._states] + ([FROZEN] if self._states else [])
        if any(e.has(TEMPERATURE) for e in self._all_expressions()):
            instance.append(DTEMP)
        model = Model(
            name=self._name,
            title=self._title,
            description=self._description,
            terminals=self._terminals,
            write=self._write or first_two,
            read=self._read or self._write or first_two,
            parameters=(*self._parameters, *instance),
            states=tuple(self._states),
            voltages=tuple(self._voltages),
            quantities=tuple(self._quantities),
            currents=tuple(self._currents),
            charges=tuple(self._charges),
            rates=tuple(self._rates[s.name] for s in self._states),
            along=tuple(self._along.get(s.name) for s in self._states),
            observables=tuple(self._observables),
            noise=tuple(self._noise),
            references=tuple(self._references),
        )
        if self._checked:
            from .wellposed import probe  # with numpy, which a model that is not checked can do without

            if faults := probe(model):
                raise DefinitionError(self._name, faults)
        return model

    def _claim(self, name: str, what: str) -> None:
        if (fault := names.fault(name, what)) is not None:
            self._faults.append(fault)
        if name in PRIMITIVES or name in CONSTANT_VALUES or name == TEMPERATURE.name:
            self._faults.append(f"{what} '{name}': the name stands for a primitive or a constant")
        if name in self._names:
            self._faults.append(f"{what} '{name}': the name is taken already")
        self._names.add(name)

    def _duplicates(self) -> set[str]:
        inside = self._names & set(self._terminals)
        return {t for t in self._terminals if self._terminals.count(t) > 1} | inside

    def _known(self, symbol: sp.Symbol, unit: str, what: str) -> sp.Symbol:
        if not self._checked:
            return symbol
        try:
            self._units[symbol] = units.parse(unit)
        except UnitError as error:
            self._faults.append(f"{what}: {error}")
            self._units[symbol] = units.DIMENSIONLESS
        return symbol

    def _check(self, expression: sp.Expr, unit: str, what: str) -> None:
        if not self._checked:
            return
        unknown = sorted(str(s) for s in expression.free_symbols if s not in self._units)
        if unknown:
            self._faults.append(f"{what}: '{', '.join(unknown)}' was not declared before its use")
            return
        variables = {s.symbol for s in self._states} | {v.symbol for v in self._voltages}
        variables |= {s for s, e in expand(self._quantities).items() if e.free_symbols & variables}
        self._faults += [f"{what}: {fault}" for fault in _node_faults(expression, variables)]
        if (fault := units.check(expression, unit, self._units, what)) is not None:
            self._faults.append(fault)

    def _structure_faults(self) -> list[str]:
        faults = []
        if (fault := names.fault(self._name, "device")) is not None:
            faults.append(fault)
        if len(self._terminals) < 2:
            faults.append("a device has at least two terminals: declare them with terminals('p', 'n')")
            return faults
        if not self._currents:
            faults.append("no current is declared")
        branches: list[Branch | Noise | Voltage] = [*self._currents, *self._charges, *self._noise, *self._voltages]
        for branch in branches:
            for terminal in (branch.plus, branch.minus):
                if terminal not in self._terminals:
                    faults.append(f"branch ({branch.plus}, {branch.minus}): there is no terminal '{terminal}'")
        for port in (self._write, self._read):
            if port is not None and any(t not in self._terminals for t in port):
                faults.append(f"port {port}: not a pair of terminals")
        taken = self._names | set(self._terminals)
        faults += [
            f"'{name}' stands for the conduction current into '{b.plus}': rename what has that name"
            for b in self._currents
            if (name := f"{CURRENT_PREFIX}{b.plus}") in taken
        ]
        faults += [f"state '{s.name}' has no rate" for s in self._states if s.name not in self._rates]
        used: set[sp.Symbol] = set()
        for expression in self._all_expressions():
            used |= expression.free_symbols
        faults += [f"parameter '{p.name}' is used by no equation" for p in self._parameters if p.symbol not in used]
        faults += [f"quantity '{q.name}' is used by no equation" for q in self._quantities if q.symbol not in used]
        return faults

    def _all_expressions(self) -> list[sp.Expr]:
        records: list[Quantity | Branch] = [*self._quantities, *self._observables, *self._currents, *self._charges]
        return [r.expression for r in records] + list(self._rates.values()) + [n.density for n in self._noise]


def _node_faults(expression: sp.Expr, variables: set[sp.Symbol]) -> list[str]:
    faults = []
    for node in sp.preorder_traversal(expression):
        if node.is_Symbol or (node.is_Number and node.is_finite) or isinstance(node, sp.NumberSymbol | Primitive):
            continue
        if isinstance(node, sp.Add | sp.Mul):
            continue
        if isinstance(node, sp.Pow):
            base, exponent = node.args
            if exponent.is_Integer or is_positive(base) or (base.is_nonnegative and exponent.is_positive):
                continue
            if base == sp.E:
                continue
            faults.append(
                f"'{node}': a power needs an integer exponent or a provably positive base; use signed_power or abs_power"
            )
        elif isinstance(node, BASIC_FUNCTIONS):
            if type(node) in _GROWING and node.args[0].free_symbols & variables:
                faults.append(f"'{node}' can overflow: use {_GROWING[type(node)]} for voltages and states")
            if isinstance(node, sp.log) and not is_positive(node.args[0]):
                faults.append(
                    f"'{node}': the logarithm's argument is not provably positive; use softplus or a positive form"
                )
        else:
            allowed = ", ".join([f.__name__ for f in BASIC_FUNCTIONS] + ["sqrt", *PRIMITIVES])
            faults.append(f"'{node}': '{type(node).__name__}' is not in the node set ({allowed})")
    return faults
