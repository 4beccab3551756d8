"""A model and a card as a behavioural SPICE subcircuit."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any

import sympy as sp

from ..compact.constants import CONSTANT_VALUES
from ..compact.errors import EmissionError
from ..compact.model import FROZEN, TEMPERATURE, Model, Quantity
from ..compact.primitives import Primitive
from ..compact.version import __version__
from .dialects import NGSPICE, Dialect, get_dialect
from .printer import PRINTERS

STATE_CAPACITANCE = 1e-9
"""Capacitance [F] that integrates a state: larger takes more steps, below 1 pF ngspice's chgtol hides the error."""

HOLD_RATE = 1e6
"""Rate [1/s] at which a held state returns to its initial value; it is there already, so any large rate will do."""

INLINE_SIZE = 3
"""Operations up to which a repeated quantity stays inline; a larger one becomes the voltage of a node."""

NO_AC = ": no AC analysis, for it takes no source that depends on time, as the states' sources do"

WIDTH = 118


def format_subcircuit(
    model: Model,
    values: Mapping[str, float] | None = None,
    *,
    name: str | None = None,
    notes: Mapping[str, str] | None = None,
    header: str = "",
    dialect: str = "ngspice",
) -> str:
    """Return the text of a SPICE subcircuit.

    Every parameter of the model is a parameter of the subcircuit, the given values its defaults. A state is the voltage of a
    1 nF capacitor, as the deviation from its initial value in the state's natural scale; it is held at zero until the
    transient starts, so that an operating point and an AC analysis see the device as programmed.

    Parameters
    ----------
    model : Model
    values : mapping of name to float, optional
        Parameter values; the model's defaults stand for the rest.
    name : str, optional
        Name of the subcircuit; the device's name by default.
    notes : mapping of name to text, optional
        Where each value comes from, for the comments.
    header : str
        Further comment lines.
    dialect : str
        ``ngspice``, ``ltspice`` or ``xyce``; see :mod:`synspice.netlists.dialects`.

    Returns
    -------
    str
        Ends with ``.ends`` and a line break. The terminals are in the model's order.

    Raises
    ------
    ParameterError
        If a value is unknown or out of range.
    UnknownNameError
        If the dialect is not known.
    EmissionError
        If a name stands for something else in the dialect.
    """
    complete = model.values(values or {})
    return _Writer(model, complete, name or model.name, notes or {}, header, get_dialect(dialect)).text()


class _Writer:
    def __init__(
        self,
        model: Model,
        values: Mapping[str, float],
        name: str,
        notes: Mapping[str, str],
        header: str,
        dialect: Dialect,
    ) -> None:
        self.model = model
        self.values = values
        self.name = name
        self.notes = notes
        self.header = header
        self.dialect = dialect
        self._check_names()
        self.printer = PRINTERS[dialect.name]({TEMPERATURE.name: dialect.temperature})
        self.printer.symbols.update({n: repr(v) for n, v in CONSTANT_VALUES.items()})
        self.variables = {v.name: f"V({v.plus},{v.minus})" for v in model.voltages}
        for state in model.states:
            deviation = f"V({state.name})" if state.scale == 1 else f"{state.scale!r}*V({state.name})"
            self.variables[state.name] = f"{state.initial_parameter.name}+{deviation}"
        self.arguments: dict[str, list[str]] = {}
        self.nodes: set[str] = set()
        self._find_arguments()

    def _check_names(self) -> None:
        model = self.model
        named = {p.name for p in model.parameters} | {q.name for q in model.quantities} | {s.name for s in model.states}
        if clash := sorted(named & self.dialect.reserved):
            raise EmissionError(
                f"{self.dialect.title} subcircuit '{self.name}': {self.dialect.title} has a function of its own named "
                f"'{clash[0]}'; rename it in the definition of '{model.name}', such as to '{clash[0]}_0'"
            )

    def _find_arguments(self) -> None:
        """Note, for each quantity, the variables that its function takes, and which quantities get a node of their own."""
        for quantity in self.model.quantities:
            needed: set[str] = set()
            for symbol in quantity.expression.free_symbols:
                if symbol.name in self.nodes:
                    needed.add(symbol.name)
                needed |= set(self.arguments.get(symbol.name, ())) | ({symbol.name} & self.variables.keys())
            self.arguments[quantity.name] = [n for n in self.variables if n in needed]
            if self._deserves_node(quantity):
                self.nodes.add(quantity.name)
                self.variables[quantity.name] = self._node_text(quantity)
                self.arguments[quantity.name] = [quantity.name]

    def _deserves_node(self, quantity: Quantity) -> bool:
        """Whether the text would repeat this quantity, which ngspice then evaluates, and differentiates, every time."""
        if quantity.scale is None or self._is_constant(quantity) or not self.arguments[quantity.name]:
            return False
        consumers = [q.expression for q in self.model.quantities] + list(self.model.rates)
        consumers += [b.expression for b in (*self.model.currents, *self.model.charges)]
        repeats = sum(_occurrences(e, quantity.symbol) for e in consumers)
        return repeats > 1 and _size(quantity.expression) > INLINE_SIZE

    def _node_text(self, quantity: Quantity) -> str:
        scaled = f"V({quantity.name})" if quantity.scale == 1 else f"{quantity.scale!r}*V({quantity.name})"
        if math.isfinite(quantity.lower):
            scaled = f"max({scaled},{quantity.lower!r})"
        return f"min({scaled},{quantity.upper!r})" if math.isfinite(quantity.upper) else scaled

    def text(self) -> str:
        body = [*self._hoisted(), *self._functions()]
        body += self._states() + self._branches()
        lines = [*self._head(), *self._interface(), *self._helper_lines(), *body, f".ends {self.name}"]
        return "\n".join(lines) + "\n"

    def _helper_lines(self) -> list[str]:
        lines = []
        for name, (arguments, text) in self.printer.helper_definitions().items():
            lines += _wrapped(f".func {name}({','.join(arguments)}) {{{text}}}")
        return ["* safe primitives: finite everywhere, with a continuous slope", *lines] if lines else []

    def _head(self) -> list[str]:
        model = self.model
        lines = [
            f"* {self.name}: {model.title}",
            f"* synspice {__version__}, device {model.name} ({model.definition_hash})",
        ]
        if self.dialect is not NGSPICE:
            lines.append(f"* for {self.dialect.title}{'' if self.dialect.held_in_ac else NO_AC}")
        for paragraph in [*model.description.strip().split("\n\n"), *self.header.splitlines()]:
            lines += ["*", *(f"* {part}" for part in textwrap.wrap(" ".join(paragraph.split()), WIDTH - 2))]
        lines += ["*", f"* terminals: {' '.join(model.terminals)}"]
        width = max(len(p.name) for p in model.parameters)
        unit_width = max(len(p.unit) for p in model.parameters)
        for p in model.parameters:
            note = f" [{self.notes[p.name]}]" if p.name in self.notes else ""
            lines += _comment(f"{p.name:<{width}} {p.unit:<{unit_width}} {p.range_text}: {p.description}{note}")
        return lines

    def _interface(self) -> list[str]:
        lines = [f".subckt {self.name} {' '.join(self.model.terminals)}{self.dialect.parameters}"]
        lines += [f"+ {p.name}={self.printer.number(self.values[p.name])}" for p in self.model.parameters]
        return lines

    def _hoisted(self) -> list[str]:
        """Quantities of parameters alone: evaluated once, by the netlist's parameter arithmetic."""
        constant = [q for q in self.model.quantities if self._is_constant(q)]
        return [
            line
            for q in constant
            for line in [
                *_comment(f"{q.description} [{q.unit}]"),
                *_wrapped(f".param {q.name}={{{self.printer.print(q.expression)}}}"),
            ]
        ]

    def _is_constant(self, quantity: Quantity) -> bool:
        return (
            not self.arguments[quantity.name] and TEMPERATURE not in self.model.expanded[quantity.symbol].free_symbols
        )

    def _functions(self) -> list[str]:
        lines: list[str] = []
        for quantity in self.model.quantities:
            if self._is_constant(quantity):
                continue
            lines += _comment(f"{quantity.description} [{quantity.unit}]")
            if quantity.name in self.nodes:
                scale = "" if quantity.scale == 1 else f"/{quantity.scale!r}"
                text = self._call_quantities(quantity.expression, self.variables)
                lines += _wrapped(f"B{quantity.name} {quantity.name} 0 V = {self.dialect.source(f'({text}){scale}')}")
                continue
            text = self._call_quantities(quantity.expression, {})
            lines += _wrapped(
                f".func {quantity.name}({','.join(self.arguments[quantity.name] or ['unused'])}) {{{text}}}"
            )
        return lines

    def _call_quantities(self, expression: sp.Expr, variables: Mapping[str, str]) -> str:
        """Print an expression; quantities become calls, and variables and nodes what stands for them."""
        saved = dict(self.printer.symbols)
        self.printer.symbols.update({n: f"({t})" if "+" in t else t for n, t in variables.items()})
        for quantity in self.model.quantities:
            if quantity.name not in self.nodes and not self._is_constant(quantity):
                arguments = [variables.get(a, a) for a in self.arguments[quantity.name]] or ["0"]
                self.printer.symbols[quantity.name] = f"{quantity.name}({','.join(arguments)})"
        text = self.printer.print(expression)
        self.printer.symbols = saved
        return text

    def _states(self) -> list[str]:
        lines: list[str] = []
        for state, rate in zip(self.model.states, self.model.rates, strict=True):
            text = self._call_quantities(rate, self.variables)
            scale = "" if state.scale == 1 else f"/{state.scale!r}"
            lines += _comment(
                f"state {state.name}: {state.description}; V({state.name}) is its deviation from "
                f"{state.initial_parameter.name} in units of {state.scale:g} {state.unit}"
            )
            lines.append(f"C{state.name} {state.name} 0 {STATE_CAPACITANCE!r}")
            moved = self.dialect.choice.format(
                test=f"time*(1-{FROZEN.name}) > 0", yes=f"({text}){scale}", no=f"-{HOLD_RATE!r}*V({state.name})"
            )
            lines += _wrapped(
                f"B{state.name} 0 {state.name} I = {self.dialect.source(f'{STATE_CAPACITANCE!r}*({moved})')}"
            )
        return lines

    def _branches(self) -> list[str]:
        lines = ["* currents and charges"]
        for i, branch in enumerate(self.model.currents):
            text = self._call_quantities(branch.expression, self.variables)
            lines += _wrapped(f"Bcurrent{i} {branch.plus} {branch.minus} I = {self.dialect.source(text)}")
        for i, branch in enumerate(self.model.charges):
            capacitance = self._capacitance(branch.expression, branch.plus, branch.minus)
            if capacitance is not None:
                lines.append(f"Ccharge{i} {branch.plus} {branch.minus} {{{self.printer.print(capacitance)}}}")
            else:
                text = self._call_quantities(branch.expression, self.variables)
                element = self.dialect.charge.format(
                    name=f"charge{i}", plus=branch.plus, minus=branch.minus, charge=text
                )
                lines += _wrapped(element)
        return lines

    def _capacitance(self, charge: sp.Expr, plus: str, minus: str) -> sp.Expr | None:
        """Return the capacitance when a charge is a constant times its own branch voltage."""
        own = next((v for v in self.model.voltages if (v.plus, v.minus) == (plus, minus)), None)
        if own is None:
            return None
        ratio = sp.cancel(charge / own.symbol)
        parameters: set[Any] = {p.symbol for p in self.model.parameters}
        parameters |= {q.symbol for q in self.model.quantities if self._is_constant(q)}
        return ratio if ratio.free_symbols <= parameters else None


def _comment(text: str) -> list[str]:
    """Return comment lines, the later ones indented."""
    return textwrap.wrap(text, WIDTH, initial_indent="* ", subsequent_indent="*   ", break_long_words=False)


def _wrapped(line: str) -> list[str]:
    """Break a long line into SPICE continuation lines, at spaces only."""
    parts = textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent="+ ")
    return parts or [line]


def _occurrences(expression: sp.Expr, symbol: sp.Symbol) -> int:
    """Count a symbol in an expression, with the primitives written out."""
    if expression == symbol:
        return 1
    if isinstance(expression, Primitive):
        return _occurrences(_body(expression), symbol)
    count = sum(_occurrences(a, symbol) for a in expression.args)
    if isinstance(expression, sp.Pow) and expression.exp.is_Integer:
        return count * abs(int(expression.exp))
    return count


def _size(expression: sp.Expr) -> int:
    """Count the operations of an expression, with the primitives written out."""
    if isinstance(expression, Primitive):
        return _size(_body(expression))
    return (len(expression.args) > 0) + sum(_size(a) for a in expression.args)


def _body(primitive: Primitive) -> sp.Expr:
    return type(primitive).body(*primitive.args)
