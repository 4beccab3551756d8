"""A model and a card as a behavioural SPICE subcircuit that is right in anyone's deck."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Mapping, Sequence

import sympy as sp

from ..compact.constants import CONSTANT_VALUES
from ..compact.model import FROZEN, Branch, Model, Quantity, State
from ..compact.parameters import Parameter
from ..compact.probes import current_names, probes
from ..compact.version import __version__
from .dialects import NGSPICE, Dialect, get_dialect
from .lowering import AMBIENT
from .node_choice import choose_nodes, within_voltages
from .printer import PRINTERS
from .spice_forms import choose

STATE_CAPACITANCE = 1e-3
"""Capacitance [F] that integrates a state. A user's ``rshunt`` lies across it: with 1e9 ohm it forgets in 1e6 s, with 1 nF in 1 s."""

HOLD_RATE = 1e6
"""Rate [1/s] at which a held state returns to its initial value; it is there already, so any large rate will do."""

PULL_RATE = 1e9
"""Rate [1/s] at which a state returns from outside its range, where only a solver's step takes it."""

PULL_MARGIN = 1e-4
"""How far outside, in its range, a state may rest. Without it the trapezoidal rule rings between what fills a state and what
takes it back, and the rest of the device sees half of either."""

LIMIT_IN_RANGE = (0.01,)
LIMIT_IN_SCALE = (0.1, 1.0)
"""Changes of a state over which the angles of the elements that limit the time step go by 1: in the state's range, or in its scale
where it has no range. A jump by many turns ends at any angle, so that one element is too few; each angle has a sine and a cosine."""

LIMIT_INDUCTANCE = 1e-9
"""Inductance [H] of that element: its voltage is then above ngspice's abstol, which counts for its truncation error too, in runs of
up to hours. In a capacitor the rounding of a state, over a short step, is a current above a tight abstol, and Newton never ends."""

LARGEST_SLOPE = 1e12
"""Conductance [S] of a branch beyond the largest voltage: above that of any current there, so that the next
guess is within. With less, guesses go from one far end to the other and never end."""

RUN = "run"
"""Node that is 1 V in a transient and 0 V in every other analysis."""

MULTIPLICITY = "m"
"""Parameter of the number of devices in parallel. Declared, a simulator does not apply it to some of the elements itself."""

RECOMMENDED = ".options reltol=1e-5 method=gear"
"""What a user's deck does well to say: at ngspice's defaults a run of a stiff device may end a few per cent off."""

BOUND_MARGIN = 1e-9
"""By how much, relatively, a value may be over a bound that it may have."""

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

    Every parameter of the model is a parameter of the subcircuit, the given values its defaults, and so is ``m``, the number of
    devices in parallel. A state ``x`` is a node of its own name. Node ``x_dev`` integrates its deviation from the initial value,
    in the state's natural scale, on a capacitor; it is held at zero until the transient starts, so that an operating point,
    a sweep and an AC analysis see the device as programmed. Nodes ``x_turn1`` and on have fluxes that turn as the state moves, so
    that the truncation error limits the step there and costs nothing where the state rests. Outside its range a state is pulled
    back. Quantities are nodes where that leaves ngspice the least to evaluate. In ngspice a parameter out of its range is an
    error that names it.

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
        self.choice = choose_nodes(model)
        self.lowered = self.choice.lowered
        self.printer = PRINTERS[dialect.name]({AMBIENT.name: dialect.temperature})
        self.printer.symbols.update({n: repr(v) for n, v in CONSTANT_VALUES.items()})
        self.functions = {q.name: dialect.rename(q.name, self._taken()) for q in model.quantities}
        self.arguments: dict[str, list[str]] = {}
        self._find_arguments()
        self.probes = probes(model)
        self.metered = {terminal: f"{terminal}_in" for terminal in current_names(model).values()}

    def _taken(self) -> set[str]:
        model = self.model
        groups = (model.parameters, model.states, model.voltages, model.quantities, model.observables)
        return {record.name for group in groups for record in group} | self.lowered.helpers.keys()

    def _find_arguments(self) -> None:
        """Note, for each quantity, the nodes that its function takes."""
        moving = [v.name for v in self.model.voltages] + [s.name for s in self.model.states]
        nodes = [*moving, *(q.name for q in self._moving() if q.name in self.choice.nodes)]
        for quantity in self._moving():
            needed: set[str] = set()
            for symbol in self.lowered.quantities[quantity.name].free_symbols:
                needed |= set(self.arguments.get(symbol.name, ())) | ({symbol.name} & set(nodes))
            self.arguments[quantity.name] = [n for n in nodes if n in needed]
            if quantity.name in self.choice.nodes:
                self.arguments[quantity.name] = [quantity.name]

    def _moving(self) -> list[Quantity]:
        return [q for q in self.model.quantities if q.name in self.lowered.quantities]

    def _node_text(self, name: str, value: sp.Expr) -> str:
        """Return what stands for a quantity, given over the symbol of its node's voltage."""
        return PRINTERS[self.dialect.name]({name: f"V({name})"}).print(value)

    def text(self) -> str:
        body = [*self._voltages(), *self._quantities(), *self._states(), *self._branches()]
        body += self._observables()
        lines = [
            *self._head(),
            *self._interface(),
            *self._range_checks(),
            *self._constants(),
            *self._helper_lines(),
            *body,
        ]
        return "\n".join([*lines, f".ends {self.name}"]) + "\n"

    def _helper_lines(self) -> list[str]:
        lines = []
        for helper in self.lowered.helpers.values():
            lines += self._function(helper.name, [s.name for s in helper.arguments], self.printer.print(helper.body))
        for name, (arguments, body) in self.printer.helper_definitions().items():
            lines += self._function(name, arguments, body)
        return ["* safe primitives: finite everywhere, with a continuous slope", *lines] if lines else []

    def _function(self, name: str, arguments: Sequence[str], body: str) -> list[str]:
        return _wrapped(f".func {name}({','.join(arguments)}) {{{body}}}")

    def _head(self) -> list[str]:
        model = self.model
        lines = [
            f"* {self.name}: {model.title}",
            f"* synspice {__version__}, device {model.name} ({model.definition_hash})",
        ]
        if self.dialect is not NGSPICE:
            lines += _comment(f"for {self.dialect.title}; it needs {self.dialect.needs}")
        for paragraph in [*model.description.strip().split("\n\n"), *self.header.splitlines()]:
            lines += ["*", *(f"* {part}" for part in textwrap.wrap(" ".join(paragraph.split()), WIDTH - 2))]
        lines += ["*", f"* terminals: {' '.join(model.terminals)}"]
        width = max(len(p.name) for p in model.parameters)
        unit_width = max(len(p.unit) for p in model.parameters)
        for p in model.parameters:
            note = f" [{self.notes[p.name]}]" if p.name in self.notes else ""
            lines += _comment(f"{p.name:<{width}} {p.unit:<{unit_width}} {p.range_text}: {p.description}{note}")
        if self.dialect is NGSPICE:
            lines += ["*", f"* recommended: {RECOMMENDED}"]
        return [*lines, *self._probes()]

    def _probes(self) -> list[str]:
        """Say what a user can look at."""
        lines = [
            "*",
            f"* nodes to look at, such as v(x1.{self.probes[0].name}) of an instance x1; values are of one device:",
        ]
        for probe in self.probes:
            lines += _comment(f"{probe.name} [{probe.unit}]: {probe.description}")
        return lines

    def _interface(self) -> list[str]:
        lines = [f".subckt {self.name} {' '.join(self.model.terminals)}{self.dialect.parameters}"]
        lines += [f"+ {p.name}={self.printer.number(self.values[p.name])}" for p in self.model.parameters]
        return [*lines, f"+ {MULTIPLICITY}=1.0"]

    def _range_checks(self) -> list[str]:
        """Return elements that no simulator takes, which appear where a parameter is out of its range."""
        if not self.dialect.conditional:
            return []
        lines = ["* a value out of its range is an error that names it"]
        a, b = self.model.terminals[:2]
        for p in self.model.parameters:
            if tests := _out_of_range(p):
                lines += [f".if ({' || '.join(tests)})", f"R{p.name}_is_out_of_range {a} {b} inf", ".endif"]
        return lines if len(lines) > 1 else []

    def _voltages(self) -> list[str]:
        lines = ["* voltages between the terminals"]
        lines += [f"E{v.name} {v.name} 0 {v.plus} {v.minus} 1.0" for v in self.model.voltages]
        if self.model.states:
            lines += [f"* {RUN}: 1 in a transient once it has started, 0 in every other analysis"]
            lines.append(f"V{RUN} {RUN} 0 {self.dialect.transient_flag}")
        return lines

    def _constants(self) -> list[str]:
        """Return what depends on parameters alone: evaluated once, by the netlist's parameter arithmetic."""
        lines: list[str] = []
        for quantity in self.model.quantities:
            if quantity.name in self.lowered.fixed:
                lines += _comment(f"{quantity.description} [{quantity.unit}]")
                lines += self._parameter(quantity.name, quantity.expression)
        if self.lowered.constants:
            lines.append("* constants of the equations below")
        for name, expression in self.lowered.constants.items():
            lines += self._parameter(name, expression)
        return lines

    def _parameter(self, name: str, expression: sp.Expr) -> list[str]:
        return _wrapped(f".param {name}={{{self.printer.print(expression)}}}")

    def _quantities(self) -> list[str]:
        lines: list[str] = []
        for quantity in self._moving():
            expression = self.lowered.quantities[quantity.name]
            if quantity.name in self.choice.nodes:
                scale = "" if quantity.scale == 1 else f", in units of {quantity.scale:g}"
                lines += _comment(f"{quantity.description} [{quantity.unit}]{scale}")
                lines += self._voltage_source(quantity.name, expression)
            else:
                lines += _comment(f"{quantity.description} [{quantity.unit}]")
                arguments = self.arguments[quantity.name] or ["unused"]
                lines += self._function(self.functions[quantity.name], arguments, self._print(expression, {}))
        return lines

    def _voltage_source(self, name: str, expression: sp.Expr) -> list[str]:
        return _wrapped(f"B{name} {name} 0 V = {self.dialect.source(self._print_source(expression))}")

    def _print_source(self, expression: sp.Expr) -> str:
        """Print what stands in a source."""
        seen = self.choice.seen(expression)
        return self._print(expression, {name: self._node_text(name, value) for name, value in seen.items()})

    def _print(self, expression: sp.Expr, variables: Mapping[str, str]) -> str:
        """Print an expression; quantities become calls, and voltages, states and nodes what stands for them."""
        saved = dict(self.printer.symbols)
        self.printer.symbols.update(variables)
        for quantity in self._moving():
            if quantity.name not in self.choice.nodes:
                arguments = [variables.get(a, a) for a in self.arguments[quantity.name]] or ["0"]
                self.printer.symbols[quantity.name] = f"{self.functions[quantity.name]}({','.join(arguments)})"
        text = self.printer.print(expression)
        self.printer.symbols = saved
        return text

    def _states(self) -> list[str]:
        lines: list[str] = []
        for state, leader, rate in zip(self.model.states, self.model.leaders, self.lowered.rates, strict=True):
            lines += self._state(state, leader, rate)
        return lines

    def _state(self, state: State, leader: State | None, rate: sp.Expr) -> list[str]:
        name, start, deviation = state.name, state.initial_parameter.name, f"{state.name}_dev"
        unit = "" if state.scale == 1 else f" in units of {state.scale:g}"
        beside = f" and from what {leader.name} has moved" if leader else ""
        lines = _comment(f"state {name}: {state.description}; {deviation} is its deviation from {start}{beside}{unit}")
        moves = " + ".join(_scaled(s.scale, f"V({s.name}_dev)") for s in (state, leader) if s)
        lines.append(f"B{name} {name} 0 V = {self.dialect.source(f'{start} + {moves}')}")
        text = self._print_source(rate)
        moved = self.dialect.choice.format(
            test=f"V({RUN})*(1-{FROZEN.name}) > 0.5",
            yes=text + self._pull(state),
            no=f"-{HOLD_RATE!r}*V({deviation})",
        )
        lines.append(f"C{deviation} {deviation} 0 {STATE_CAPACITANCE!r}")
        lines += _wrapped(f"B{deviation} 0 {deviation} I = {self.dialect.source(f'{STATE_CAPACITANCE!r}*({moved})')}")
        return lines if leader is not None else lines + self._limit(state)

    def _limit(self, state: State) -> list[str]:
        """Return the elements whose flux turns as a state moves."""
        deviation = f"V({state.name}_dev)"
        ranged = math.isfinite(state.upper - state.lower)
        span, parts = (state.upper - state.lower, LIMIT_IN_RANGE) if ranged else (state.scale, LIMIT_IN_SCALE)
        lines = []
        for k, (part, function) in enumerate(itertools.product(parts, ("sin", "cos"))):
            limit = f"{state.name}_turn{k + 1}"
            turns = state.scale / (part * span)
            turned = self.dialect.source(f"{function}({turns!r}*{deviation})")
            lines += [f"B{limit} 0 {limit} I = {turned}", f"L{limit} {limit} 0 {LIMIT_INDUCTANCE!r}"]
        return lines

    def _pull(self, state: State) -> str:
        """Return what takes a state back into its range, from where only a solver's step takes it."""
        pull = sp.Float(0.0)
        x = sp.Symbol(state.name, real=True)
        ranged = math.isfinite(state.upper - state.lower)
        margin = PULL_MARGIN * (state.upper - state.lower if ranged else state.scale)
        for bound, sign in ((state.upper, 1), (state.lower, -1)):
            if math.isfinite(bound):
                over = x - sp.Float(bound + sign * margin)
                pull = choose(sign * over, sp.Mul(sp.Float(-PULL_RATE / state.scale), over, evaluate=False), pull)
        return f" + {self._print(pull, {state.name: f'V({state.name})'})}" if pull else ""

    def _branches(self) -> list[str]:
        m = MULTIPLICITY
        lines = ["* currents and charges"]
        for i, (branch, current) in enumerate(zip(self.model.currents, self.lowered.currents, strict=True)):
            plus, minus = (self.metered.get(t, t) for t in (branch.plus, branch.minus))
            text = self._print_source(current) + self._beyond(branch)
            lines += _wrapped(f"Bcurrent{i} {plus} {minus} I = {self.dialect.source(f'{m}*({text})')}")
        for i, (branch, charge) in enumerate(zip(self.model.charges, self.lowered.charges, strict=True)):
            capacitance = self._capacitance(branch.expression, branch.plus, branch.minus)
            if capacitance is not None:
                text = self.printer.print(capacitance)
                lines.append(f"Ccharge{i} {branch.plus} {branch.minus} {{{m}*({text})}}")
            else:
                text = f"{m}*({self._print_source(charge)})"
                element = self.dialect.charge.format(
                    name=f"charge{i}", plus=branch.plus, minus=branch.minus, charge=text
                )
                lines += _wrapped(element)
        return lines

    def _beyond(self, branch: Branch) -> str:
        """Return the current beyond the largest voltage, which brings a solver's guess back."""
        own = next((v for v in self.model.voltages if (v.plus, v.minus) == (branch.plus, branch.minus)), None)
        if own is None:
            return ""
        return f" + {LARGEST_SLOPE!r}*(V({own.name}) - {self._node_text(own.name, within_voltages(own))})"

    def _observables(self) -> list[str]:
        lines = ["* to look at"]
        for item in self.model.observables:
            lines += _comment(f"{item.description} [{item.unit}]")
            lines += self._voltage_source(item.name, self.lowered.observables[item.name])
        for name, terminal in current_names(self.model).items():
            lines.append(f"* conduction current into {terminal} [A]")
            lines.append(f"V{name} {terminal} {self.metered[terminal]} 0")
            lines.append(f"H{name} {name} 0 V{name} {{1/{MULTIPLICITY}}}")
        return lines

    def _capacitance(self, charge: sp.Expr, plus: str, minus: str) -> sp.Expr | None:
        """Return the capacitance when a charge is a constant times its own branch voltage."""
        own = next((v for v in self.model.voltages if (v.plus, v.minus) == (plus, minus)), None)
        if own is None:
            return None
        ratio = sp.cancel(charge / own.symbol)
        known = {p.name for p in self.model.parameters} | self.lowered.fixed.keys() | CONSTANT_VALUES.keys()
        return ratio if {s.name for s in ratio.free_symbols} <= known else None


def _scaled(scale: float, text: str) -> str:
    return text if scale == 1 else f"{scale!r}*{text}"


def _out_of_range(p: Parameter) -> list[str]:
    """Return the tests of which one is true where a parameter is out of its range.

    A closed bound has a margin, for ngspice's reader of numbers may miss it by the last digit.
    """
    margin = BOUND_MARGIN * max(abs(b) for b in (p.lower, p.upper, 0.0) if math.isfinite(b))
    tests = []
    if math.isfinite(p.lower):
        tests.append(f"{p.name} <= {p.lower!r}" if p.lower_open else f"{p.name} < {p.lower - margin!r}")
    if math.isfinite(p.upper):
        tests.append(f"{p.name} >= {p.upper!r}" if p.upper_open else f"{p.name} > {p.upper + margin!r}")
    return tests


def _comment(text: str) -> list[str]:
    """Return comment lines, the later ones indented."""
    return textwrap.wrap(text, WIDTH, initial_indent="* ", subsequent_indent="*   ", break_long_words=False)


def _wrapped(line: str) -> list[str]:
    """Break a long line into SPICE continuation lines, at spaces only."""
    parts = textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent="+ ")
    return parts or [line]
