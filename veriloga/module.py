"""A model and a card as a Verilog-A module."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping
from functools import reduce

import sympy as sp

from ..compact.constants import CONSTANTS, ZERO_CELSIUS
from ..compact.errors import EmissionError
from ..compact.model import DTEMP, FROZEN, TEMPERATURE, Model, Quantity, State
from ..compact.names import PATTERN, RESERVED
from ..compact.parameters import Parameter
from ..compact.probes import Probe, probes
from ..compact.version import __version__
from .printer import VerilogAPrinter

WIDTH = 118

GMIN = 1e-12
"""Value [S] of the simulators' gmin up to which a module adds nothing: it is every simulator's default."""

HOLD_RATE = 1e6
"""Rate [1/s] at which a held state returns to its initial value; it is there already, so any large rate will do."""

LARGEST_MOVE = 0.1
"""Part of its range by which a state may move in a time step; of its natural scale where it has no range."""

REFERENCE = "t_ref"
"""The parameter [K] that is a device's reference temperature; a module takes it in degrees Celsius too, as ``tref``."""

READING_ERROR = 1e-9
"""Part of a closed bound by which a simulator may read a number wrongly."""


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
    natural scale: ``x = x_init + scale*V(x_dev)`` with ``I(x_dev) <+ ddt(V(x_dev)) - rate/scale``. Where time does not
    run the deviation is held at zero, the value that every unknown starts from: operating point, DC, AC and noise see
    the device as programmed, and a transient starts there with and without ``uic``. ``$abstime`` tells, and nothing
    else does everywhere: ngspice does not call the operating point before a transient static, and a state that is the
    ``idt`` of its rate moves in ngspice's AC analysis. ``frozen`` holds the states in a transient too.

    ``$bound_step`` keeps a step from moving a state by more than `LARGEST_MOVE` of its range. Without it a simulator at its
    default options, with the fiftieth of the run that it then takes as its largest step, carried states past the end of
    their range, or over it: 14 of 195 random runs ended wrong by more than 2 % in ngspice 47, with it one, for the same
    number of points but for the ionic synapse's.

    ``gmin`` appears as what a simulator adds to its default of 1e-12 S while it steps gmin. The whole of it would be a
    second conductance beside an off-state of picosiemens, and the netlist of the same device has none.

    A closed bound that is no whole number is wider than the model's by `READING_ERROR` of it: ngspice reads some
    numbers wrongly in their last digit, and would refuse the bound itself.

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
        self.probes = probes(model)
        records = (model.parameters, model.voltages, model.quantities, self.probes)
        self._taken = {r.name for group in records for r in group} | set(model.terminals) | {name}
        self._taken |= {s.name for s in CONSTANTS}
        if not PATTERN.fullmatch(name) or name in RESERVED:
            raise EmissionError(f"Verilog-A module '{name}': lower-case letters, digits and '_', and no reserved word")
        if mixed := [t for t in model.terminals if t in RESERVED]:
            raise EmissionError(f"Verilog-A module '{name}': the terminal '{mixed[0]}' is a reserved word")
        self.nodes = {s.name: self._free(f"{s.name}_dev") for s in model.states}
        self.rates = {s.name: self._free(f"rate_{s.name}") for s in model.states}
        self.celsius = self._free("tref")
        self.temperature = self._free("t_device")
        self.held = self._free("held")
        self.pace = self._free("pace")
        self.gmin = self._free("g_step")
        self.printer = VerilogAPrinter({TEMPERATURE.name: self.temperature})
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

    def _print(self, expression: sp.Expr) -> str:
        """Print an expression; the circuit's temperature and ``dtemp``, always a sum, are the device's temperature."""
        return self.printer.print(expression.xreplace({DTEMP.symbol: sp.Integer(0)}))

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
            lines += ["//", *_comment(paragraph)]
        lines += ["//", *_comment(f"to probe, of one device: {', '.join(_with_unit(p) for p in self.probes)}")]
        if model.references:
            lines.append("//")
        for reference in model.references:
            lines += textwrap.wrap(reference, WIDTH, initial_indent="// - ", subsequent_indent="//   ")
        return lines

    def _interface(self) -> list[str]:
        ports = ", ".join(self.model.terminals)
        lines = [f"inout {ports};", f"electrical {ports};"]
        for state, leader in zip(self.model.states, self.model.leaders, strict=True):
            less = state.initial_parameter.name + (f" and what {leader.name} has moved" if leader else "")
            lines.append(
                f"electrical {self.nodes[state.name]};  // V: {state.name} less {less}, in units of {_amount(state)}"
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
                f"localparam real {s.name} = {self.printer.number(value)} from (0.0:inf);  // [{unit}]"
                for s, value, unit in constants
            ]
        return lines

    def _parameter(self, p: Parameter) -> list[str]:
        kind = 'type="instance", ' if p.instance else ""
        attributes = f'(* {kind}desc="{_quoted(p.description)}", units="{_quoted(p.unit)}" *)'
        note = f"  // {self.notes[p.name]}" if p.name in self.notes else ""
        if p.name == FROZEN.name:
            value = int(self.values[p.name] >= 0.5)
            return [attributes, f"parameter integer {p.name} = {value} from [0:1];{note}"]
        if p.name == REFERENCE and not p.instance:
            return [*self._celsius(p), attributes, self._real(p, f"{self.celsius} + {ZERO_CELSIUS!r}") + note]
        return [attributes, self._real(p, self.printer.number(self.values[p.name])) + note]

    def _celsius(self, p: Parameter) -> list[str]:
        """Return the parameter that the CMC's models have for a reference temperature, from which the model's follows."""
        degrees = self.values[p.name] - ZERO_CELSIUS
        short = (round(degrees, digits) for digits in range(2, 13))
        degrees = next((d for d in short if d + ZERO_CELSIUS == self.values[p.name]), degrees)
        return [
            f'(* desc="{_quoted(p.description)}, in degrees Celsius", units="degC" *)',
            f"parameter real {self.celsius} = {self.printer.number(degrees)} from (-{ZERO_CELSIUS!r}:inf);",
        ]

    def _real(self, p: Parameter, default: str) -> str:
        low = (
            "(-inf"
            if math.isinf(p.lower)
            else f"{'(' if p.lower_open else '['}{self._bound(p.lower, p.lower_open, -1)}"
        )
        high = (
            "inf)" if math.isinf(p.upper) else f"{self._bound(p.upper, p.upper_open, 1)}{')' if p.upper_open else ']'}"
        )
        return f"parameter real {p.name} = {default} from {low}:{high};"

    def _bound(self, bound: float, is_open: bool, outward: int) -> str:
        exact = is_open or bound == round(bound)
        return self.printer.number(bound if exact else bound * (1 + math.copysign(READING_ERROR, bound * outward)))

    def _variables(self) -> list[str]:
        model = self.model
        lines = ["", "// operating point"]
        for p in self.probes:
            scaling = "" if p.multiplicity is None else f', multiplicity="{p.multiplicity}"'
            unit = p.unit.replace("ohm", "Ohm")  # as the CMC's checker spells it
            lines += [f'(* desc="{_quoted(p.description)}", units="{_quoted(unit)}"{scaling} *)', f"real {p.name};"]
        lines += ["", "// intermediate quantities"]
        plain = [(v.name, f"voltage from {v.plus} to {v.minus} [V]") for v in model.voltages if v.symbol in self._used]
        if TEMPERATURE in self._used:
            plain.append((self.temperature, "temperature of the device, without its self-heating [K]"))
        plain += [(q.name, f"{q.description} [{q.unit}]") for q in model.quantities]
        plain += [(self.rates[s.name], f"rate of {s.name} [{_per_second(s.unit)}]") for s in model.states]
        if model.states:
            plain.append((self.pace, "rate of the fastest state, over its range or natural scale [1/s]"))
        plain.append((self.gmin, "conductance that gmin stepping adds [S]"))
        width = max(len(name) for name, _ in plain)
        lines += [f"real {name};{' ' * (width - len(name))}  // {meaning}" for name, meaning in plain]
        if model.states:
            lines.append(f"integer {self.held};  // whether the states are held [1]")
        return lines

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
            lines.append(f"{self.temperature} = $temperature + {DTEMP.name};")
        lines += [f"{v.name} = V({v.plus}, {v.minus});" for v in model.voltages if v.symbol in self._used]
        for state, leader in zip(model.states, model.leaders, strict=True):
            moves = " + ".join(self._moved(s) for s in (state, leader) if s)
            lines.append(f"{state.name} = {state.initial_parameter.name} + {moves};")
        moving = [q for q in model.quantities if q not in fixed]
        lines += self._assignments(moving)
        lines += self._states()
        lines += self._contributions()
        lines += ["", "// operating point", *self._assignments(p for p in self.probes if p.kind != "state")]
        return ["", "analog begin", *(f"    {line}" if line else "" for line in lines), "end"]

    def _moved(self, state: State) -> str:
        deviation = f"V({self.nodes[state.name]})"
        return deviation if state.scale == 1 else f"{self.printer.number(state.scale)}*{deviation}"

    def _assignments(self, quantities: Iterable[Quantity | Probe]) -> list[str]:
        return [line for q in quantities for line in _wrapped(f"{q.name} = {self._print(q.expression)};")]

    def _states(self) -> list[str]:
        if not self.model.states:
            return []
        number = self.printer.number
        lines = ["", f"{self.held} = ({FROZEN.name} == 1 || $abstime <= 0.0);"]
        for state, rate in zip(self.model.states, self.model.own_rates, strict=True):
            name, node = self.rates[state.name], self.nodes[state.name]
            lines += _wrapped(f"{name} = {self._print(rate)};")
            moved = name if state.scale == 1 else f"{name}/{number(state.scale)}"
            lines += _wrapped(
                f"I({node}) <+ ddt(V({node})) + (({self.held} == 1) ? {number(HOLD_RATE)}*V({node}) : -{moved});"
            )
        paces = [f"abs({self.rates[s.name]})/{number(_span(s))}" for s in self.model.states]
        fastest = reduce(lambda a, b: f"max({a}, {b})", paces)
        lines += [
            *_wrapped(f"{self.pace} = {fastest};"),
            f"$bound_step({number(LARGEST_MOVE)}/({self.pace} + 1.0e-30));",
        ]
        return lines

    def _contributions(self) -> list[str]:
        model = self.model
        lines = [""]
        for branch in model.currents:
            lines += _wrapped(f"I({branch.plus}, {branch.minus}) <+ {self._print(branch.expression)};")
        for branch in model.charges:
            lines += _wrapped(f"I({branch.plus}, {branch.minus}) <+ ddt({self._print(branch.expression)});")
        lines += ["", f'{self.gmin} = max($simparam("gmin", 0.0) - {self.printer.number(GMIN)}, 0.0);']
        pairs = dict.fromkeys((b.plus, b.minus) for b in model.currents)
        lines += [f"I({a}, {b}) <+ {self.gmin}*V({a}, {b});" for a, b in pairs]
        if model.noise:
            lines.append("")
        for noise in model.noise:
            density = self._print(noise.density)
            exponent = "" if noise.kind == "white" else f"{self.printer.number(noise.exponent)}, "
            source = f'{noise.kind}_noise({density}, {exponent}"{noise.name}")'
            lines += _wrapped(f"I({noise.plus}, {noise.minus}) <+ {source};")
        return lines


def _amount(state: State) -> str:
    return f"{state.scale:g}" if state.unit == "1" else f"{state.scale:g} {state.unit}"


def _span(state: State) -> float:
    return state.upper - state.lower if math.isfinite(state.upper - state.lower) else state.scale


def _with_unit(probe: Probe) -> str:
    return probe.name if probe.unit == "1" else f"{probe.name} [{probe.unit}]"


def _comment(paragraph: str) -> list[str]:
    return [f"// {part}" for part in textwrap.wrap(" ".join(paragraph.split()), WIDTH - 3)]


def _per_second(unit: str) -> str:
    return "1/s" if unit == "1" else f"{unit}/s" if unit.replace("_", "").isalnum() else f"({unit})/s"


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


def _wrapped(line: str) -> list[str]:
    """Break a long statement at spaces, with the continuation indented."""
    return textwrap.wrap(line, WIDTH - 8, break_long_words=False, break_on_hyphens=False, subsequent_indent="    ")
