"""A model and a card as a Verilog-A module."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping

import sympy as sp

from ..compact.constants import CONSTANTS
from ..compact.errors import EmissionError
from ..compact.model import FROZEN, TEMPERATURE, Model, Quantity, State
from ..compact.names import PATTERN, RESERVED
from ..compact.parameters import Parameter
from ..compact.version import __version__
from .printer import VerilogAPrinter

WIDTH = 118

GMIN = 1e-12
"""Value [S] of the simulators' gmin up to which a module adds nothing: it is every simulator's default."""


def format_module(
    model: Model,
    values: Mapping[str, float] | None = None,
    *,
    name: str | None = None,
    notes: Mapping[str, str] | None = None,
    header: str = "",
) -> str:
    """Return the text of a Verilog-A module.

    Each state has an internal node, whose voltage is the state's deviation from its initial value in the state's
    natural scale: ``x = x_init + scale*V(x_dev)`` with ``I(x_dev) <+ V(x_dev) - idt(rate/scale, 0.0)``. The initial
    condition of ``idt`` is zero, the value that every unknown starts from, so that an operating point, an AC analysis
    and a transient see the device as programmed, with and without ``uic``. No event and no ``$abstime`` is needed, and
    nothing is remembered outside the node. ``frozen`` holds the states in a transient too. ``V(x_dev) <+ idt(...)``
    gives the same answers to the last digit and costs one unknown more a state.

    ``gmin`` appears as what a simulator adds to its default of 1e-12 S while it steps gmin. The whole of it would be a
    second conductance beside an off-state of picosiemens, and the netlist of the same device has none.

    Parameters
    ----------
    model : Model
    values : mapping of name to float, optional
        Parameter values, which become the module's defaults; the model's defaults stand for the rest.
    name : str, optional
        Name of the module; the device's name by default.
    notes : mapping of name to text, optional
        Where each value comes from, for the comments.
    header : str
        Further comment lines.

    Returns
    -------
    str
        One module, which needs ``disciplines.vams``. The ports are in the model's order.

    Raises
    ------
    ParameterError
        If a value is unknown or out of range.
    EmissionError
        If a name cannot stand in Verilog-A.
    """
    complete = model.values(values or {})
    return _Writer(model, complete, name or model.name, notes or {}, header).text()


def reported(model: Model) -> list[tuple[str, str, str]]:
    """Return name, unit and meaning of a module's operating-point variables: the states, then the observables."""
    states = [(s.name, s.unit, s.description) for s in model.states]
    return states + [(o.name, o.unit, o.description) for o in model.observables]


def state_node(model: Model, state: str) -> str:
    """Return the internal node whose voltage is a state's deviation from its initial value, in the state's scale."""
    return _Writer(model, model.values({}), model.name, {}, "").nodes[state]


class _Writer:
    def __init__(
        self, model: Model, values: Mapping[str, float], name: str, notes: Mapping[str, str], header: str
    ) -> None:
        self.model = model
        self.values = values
        self.name = name
        self.notes = notes
        self.header = header
        self.printer = VerilogAPrinter()
        records = (model.parameters, model.states, model.voltages, model.quantities, model.observables)
        self._taken = {r.name for group in records for r in group} | set(model.terminals) | {name}
        self._taken |= {s.name for s in CONSTANTS} | {TEMPERATURE.name}
        if not PATTERN.fullmatch(name) or name in RESERVED:
            raise EmissionError(f"Verilog-A module '{name}': lower-case letters, digits and '_', and no reserved word")
        if mixed := [t for t in model.terminals if t in RESERVED]:
            raise EmissionError(f"Verilog-A module '{name}': the terminal '{mixed[0]}' is a reserved word")
        self.nodes = {s.name: self._free(f"{s.name}_dev") for s in model.states}
        self.rates = {s.name: self._free(f"rate_{s.name}") for s in model.states}
        self.gmin = self._free("g_step")
        self._used = self._symbols_used()

    def _free(self, wanted: str) -> str:
        """Return a name that nothing else in the module has."""
        while wanted in self._taken or wanted in RESERVED:
            wanted += "_"
        self._taken.add(wanted)
        return wanted

    def _symbols_used(self) -> set[sp.Symbol]:
        model = self.model
        expressions = [q.expression for q in (*model.quantities, *model.observables)]
        expressions += [b.expression for b in (*model.currents, *model.charges)]
        expressions += [*model.rates, *(n.density for n in model.noise)]
        return {symbol for e in expressions for symbol in e.free_symbols}

    def text(self) -> str:
        body = self._analog()
        clash = sorted(self._taken & self.printer.helpers.keys())
        if clash:
            raise EmissionError(f"Verilog-A module '{self.name}': '{clash[0]}' is the name of an analog function there")
        inside = [*self._interface(), *self._parameters(), *self._variables(), *self._functions(), *body]
        lines = [
            *self._head(),
            "",
            '`include "disciplines.vams"',
            "",
            f"module {self.name}({', '.join(self.model.terminals)});",
            *(f"    {line}" if line else "" for line in inside),
            "endmodule",
        ]
        return "\n".join(lines) + "\n"

    def _head(self) -> list[str]:
        model = self.model
        lines = [
            f"// {self.name}: {model.title}",
            f"// synspice {__version__}, device {model.name} ({model.definition_hash})",
        ]
        for paragraph in [*model.description.strip().split("\n\n"), *self.header.splitlines()]:
            lines += ["//", *(f"// {part}" for part in textwrap.wrap(" ".join(paragraph.split()), WIDTH - 3))]
        if model.references:
            lines.append("//")
        for reference in model.references:
            lines += textwrap.wrap(reference, WIDTH, initial_indent="// - ", subsequent_indent="//   ")
        return lines

    def _interface(self) -> list[str]:
        ports = ", ".join(self.model.terminals)
        lines = [f"inout {ports};", f"electrical {ports};"]
        for state in self.model.states:
            start = state.initial_parameter.name
            lines.append(
                f"electrical {self.nodes[state.name]};  // V: {state.name} less {start}, in units of {_amount(state)}"
            )
        return lines

    def _parameters(self) -> list[str]:
        lines = ["", "// material"]
        lines += [line for p in self.model.model_parameters for line in self._parameter(p)]
        instance = [p for p in self.model.parameters if p.instance]
        if instance:
            lines += ["", "// instance", *(line for p in instance for line in self._parameter(p))]
        constants = [(s, *CONSTANTS[s]) for s in CONSTANTS if s in self._used]
        if constants:
            lines += ["", "// physical constants"]
            lines += [
                f"localparam real {s.name} = {self.printer.number(value)};  // [{unit}]" for s, value, unit in constants
            ]
        return lines

    def _parameter(self, p: Parameter) -> list[str]:
        kind = 'type="instance", ' if p.instance else ""
        attributes = f'(* {kind}desc="{_quoted(p.description)}", units="{_quoted(p.unit)}" *)'
        note = f"  // {self.notes[p.name]}" if p.name in self.notes else ""
        if p.name == FROZEN.name:
            value = int(self.values[p.name] >= 0.5)
            return [attributes, f"parameter integer {p.name} = {value} from [0:1];{note}"]
        return [
            attributes,
            f"parameter real {p.name} = {self.printer.number(self.values[p.name])} from {self._range(p)};{note}",
        ]

    def _range(self, p: Parameter) -> str:
        low = "(-inf" if math.isinf(p.lower) else f"{'(' if p.lower_open else '['}{self.printer.number(p.lower)}"
        high = "inf)" if math.isinf(p.upper) else f"{self.printer.number(p.upper)}{')' if p.upper_open else ']'}"
        return f"{low}:{high}"

    def _variables(self) -> list[str]:
        model = self.model
        lines = ["", "// operating point"]
        for name, unit, description in reported(model):
            lines += [f'(* desc="{_quoted(description)}", units="{_quoted(unit)}" *)', f"real {name};"]
        lines += ["", "// intermediate quantities"]
        plain = [(v.name, f"voltage from {v.plus} to {v.minus} [V]") for v in model.voltages if v.symbol in self._used]
        if TEMPERATURE in self._used:
            plain.append((TEMPERATURE.name, "ambient temperature [K]"))
        plain += [(q.name, f"{q.description} [{q.unit}]") for q in model.quantities]
        plain += [(self.rates[s.name], f"rate of {s.name} [{_per_second(s.unit)}]") for s in model.states]
        plain.append((self.gmin, "conductance that gmin stepping adds [S]"))
        width = max(len(name) for name, _ in plain)
        return [*lines, *(f"real {name};{' ' * (width - len(name))}  // {meaning}" for name, meaning in plain)]

    def _functions(self) -> list[str]:
        lines: list[str] = []
        for name, (arguments, text) in self.printer.helper_definitions().items():
            listed = ", ".join(arguments)
            lines += ["", f"analog function real {name};", f"    input {listed};", f"    real {listed};"]
            lines += [f"    {line}" for line in _wrapped(f"{name} = {text};")]
            lines.append("endfunction")
        return ["", "// safe primitives: finite everywhere, with a continuous slope", *lines[1:]] if lines else []

    def _analog(self) -> list[str]:
        model = self.model
        variables = {v.symbol for v in model.voltages} | {s.symbol for s in model.states} | {TEMPERATURE}
        fixed = [q for q in model.quantities if not model.expanded[q.symbol].free_symbols & variables]
        lines: list[str] = []
        if fixed:
            lines += ["// of the parameters alone", *self._assignments(fixed), ""]
        if TEMPERATURE in self._used:
            lines.append(f"{TEMPERATURE.name} = $temperature;")
        lines += [f"{v.name} = V({v.plus}, {v.minus});" for v in model.voltages if v.symbol in self._used]
        for state in model.states:
            deviation = f"V({self.nodes[state.name]})"
            scaled = deviation if state.scale == 1 else f"{self.printer.number(state.scale)}*{deviation}"
            lines.append(f"{state.name} = {state.initial_parameter.name} + {scaled};")
        moving = [q for q in model.quantities if q not in fixed]
        lines += self._assignments(moving)
        lines += self._states()
        lines += self._contributions()
        if model.observables:
            lines += ["", "// operating point", *self._assignments(model.observables)]
        return ["", "analog begin", *(f"    {line}" if line else "" for line in lines), "end"]

    def _assignments(self, quantities: Iterable[Quantity]) -> list[str]:
        return [line for q in quantities for line in _wrapped(f"{q.name} = {self.printer.print(q.expression)};")]

    def _states(self) -> list[str]:
        lines: list[str] = []
        for state, rate in zip(self.model.states, self.model.rates, strict=True):
            name, node = self.rates[state.name], self.nodes[state.name]
            scale = "" if state.scale == 1 else f"/{self.printer.number(state.scale)}"
            lines += ["", *_wrapped(f"{name} = {self.printer.print(rate)};")]
            lines.append(f"I({node}) <+ V({node}) - idt(({FROZEN.name} == 1) ? 0.0 : {name}{scale}, 0.0);")
        return lines

    def _contributions(self) -> list[str]:
        model = self.model
        lines = [""]
        for branch in model.currents:
            lines += _wrapped(f"I({branch.plus}, {branch.minus}) <+ {self.printer.print(branch.expression)};")
        for branch in model.charges:
            lines += _wrapped(f"I({branch.plus}, {branch.minus}) <+ ddt({self.printer.print(branch.expression)});")
        default = self.printer.number(GMIN)
        lines += ["", f'{self.gmin} = max($simparam("gmin", {default}) - {default}, 0.0);']
        pairs = dict.fromkeys((b.plus, b.minus) for b in model.currents)
        lines += [f"I({a}, {b}) <+ {self.gmin}*V({a}, {b});" for a, b in pairs]
        if model.noise:
            lines.append("")
        for noise in model.noise:
            density = self.printer.print(noise.density)
            exponent = "" if noise.kind == "white" else f"{self.printer.number(noise.exponent)}, "
            source = f'{noise.kind}_noise({density}, {exponent}"{noise.name}")'
            lines += _wrapped(f"I({noise.plus}, {noise.minus}) <+ {source};")
        return lines


def _amount(state: State) -> str:
    return f"{state.scale:g}" if state.unit == "1" else f"{state.scale:g} {state.unit}"


def _per_second(unit: str) -> str:
    return "1/s" if unit == "1" else f"{unit}/s" if unit.replace("_", "").isalnum() else f"({unit})/s"


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


def _wrapped(line: str) -> list[str]:
    """Break a long statement at spaces, with the continuation indented."""
    return textwrap.wrap(line, WIDTH - 8, break_long_words=False, break_on_hyphens=False, subsequent_indent="    ")
