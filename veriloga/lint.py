"""What the CMC's conventions ask of a Verilog-A model and openvaf-r does not warn about."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .intervals import Interval, Ranges
from .syntax import Declaration, Expression, Module, Statement, parse

_NAME = re.compile(r"[a-z][a-z0-9_]*")

_FORBIDDEN = {
    **dict.fromkeys(("$abstime", "$realtime", "$discontinuity"), "depends on the time step"),
    **dict.fromkeys(("initial_step", "final_step", "cross", "above", "timer"), "is an event"),
    **dict.fromkeys(("analysis", "$limit", "limexp", "$prevstate"), "depends on the solver's history"),
    **dict.fromkeys(("$random", "$arandom", "$rdist_normal", "$dist_normal"), "is random"),
    **dict.fromkeys(("absdelay", "transition", "slew", "last_crossing"), "hides a state"),
}
_OPERATORS = ("ddt", "idt", "white_noise", "flicker_noise")
_NOISE_ARGUMENTS = {"white_noise": 2, "flicker_noise": 3}

_MULTIPLICITIES = {
    **dict.fromkeys(("A", "F", "C", "W", "S", "A/V", "A/K", "C/K", "J/K", "A/V^2", "A^2/Hz"), "multiply"),
    **dict.fromkeys(("Ohm", "V/A", "K/W", "V^2/Hz"), "divide"),
}
"""What the CMC's checker asks of an operating-point variable, by its unit; it asks for nothing of other units."""

_REFERENCES = ("tref", "t_ref", "tnom")


@dataclass(frozen=True)
class Finding:
    """One departure from the conventions."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


def lint(text: str) -> list[Finding]:
    """Return every departure of a source from the conventions, in the order of its lines.

    Checked: lower-case names; a direction and a discipline for every port; description, unit and range on every
    parameter, its default within, and a range on every constant; description and unit on every operating-point
    variable, and ``multiplicity`` where its unit scales with the number of devices; a unit in the comment of every
    other variable; all parameters, variables, functions and nodes used; ``dtemp`` as an instance parameter where the
    temperature is used; no variable read before it is assigned (a hidden state); no event, nothing random or that
    remembers, no ``$abstime`` but in the question whether time runs at all; operators such as ``ddt`` outside
    conditions; no division of integers; no logarithm, square root or division by parameters that their ranges do not
    keep defined; noise with a name; ``gmin`` with the default 0; no branch with both a potential and a flow.

    Two findings of the CMC's own checker remain, of modules that are right: it warns of ``$abstime``, without which no
    state starts as programmed in every simulator, and it asks for ``tref`` of any module that uses the temperature,
    also where no parameter holds at a reference temperature.

    Parameters
    ----------
    text : str
        Verilog-A as the emitter writes it.

    Raises
    ------
    EmissionError
        The text holds what the emitter never writes.
    """
    findings = [finding for module in parse(text) for finding in _Lint(module).findings()]
    return sorted(set(findings), key=lambda f: (f.line, f.message))


class _Lint:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.types = {d.name: d.type for d in module.declarations}
        self.read = {e.text for expression in self._expressions() for e in expression.walk() if e.kind != "string"}
        self.accessed = {n for s in _flat(module.statements) for n in s.nodes}
        self.found: list[Finding] = []

    def findings(self) -> list[Finding]:
        self._interface()
        for declaration in self.module.declarations:
            self._declaration(declaration)
        self._functions()
        self._uses()
        self._temperature()
        self._order()
        self._expressions_within()
        self._branches()
        self._ranges()
        return self.found

    def _say(self, line: int, message: str) -> None:
        self.found.append(Finding(line, message))

    def _expressions(self) -> Iterator[Expression]:
        yield from (s.value for s in _flat(self.module.statements))
        yield from (s.value for f in self.module.functions for s in f.body)
        yield from (d.default for d in self.module.declarations if d.default is not None)

    def _interface(self) -> None:
        module = self.module
        named = [
            module.name,
            *module.nodes,
            *(d.name for d in module.declarations),
            *(f.name for f in module.functions),
        ]
        for name in named:
            if not _NAME.fullmatch(name):
                self._say(module.line, f"'{name}' is not lower case")
        for port in module.ports:
            if port not in module.directions:
                self._say(module.line, f"the port '{port}' has no direction")
            if port not in module.nodes:
                self._say(module.line, f"the port '{port}' has no discipline")

    def _declaration(self, d: Declaration) -> None:
        if d.kind == "parameter":
            for attribute in ("desc", "units"):
                if not d.attributes.get(attribute):
                    self._say(d.line, f"the parameter '{d.name}' has no {attribute}")
            if d.bounds is None:
                self._say(d.line, f"the parameter '{d.name}' has no range")
            elif d.default is not None and not _contains(d.bounds, self._value(d.default)):
                self._say(d.line, f"the default of the parameter '{d.name}' is outside its range")
        elif d.kind == "localparam" and d.bounds is None:
            self._say(d.line, f"the constant '{d.name}' has no range")
        elif d.kind == "variable" and d.attributes:
            unit, given = d.attributes.get("units", ""), d.attributes.get("multiplicity", "")
            if given != (wanted := _MULTIPLICITIES.get(unit, "")):
                self._say(
                    d.line, f"the operating-point variable '{d.name}' needs multiplicity '{wanted}', not '{given}'"
                )
            for attribute in ("desc", "units"):
                if not d.attributes.get(attribute):
                    self._say(d.line, f"the operating-point variable '{d.name}' has no {attribute}")
        elif not re.search(r"\[.+\]", d.comment):
            self._say(d.line, f"the comment of '{d.name}' gives no [unit]")

    def _value(self, e: Expression) -> float:
        """Return the value of a default, which may be of other parameters."""
        if e.kind == "number":
            return float(e.text)
        if e.kind == "name":
            defaults = {d.name: d.default for d in self.module.declarations}
            inner = defaults.get(e.text)
            return math.nan if inner is None else self._value(inner)
        values = [self._value(part) for part in e.parts]
        if e.kind == "unary":
            return -values[0] if e.text == "-" else values[0]
        return values[0] + values[1] if (e.kind, e.text) == ("binary", "+") else math.nan

    def _temperature(self) -> None:
        if "$temperature" not in self.read:
            return
        rise = next((d for d in self.module.declarations if d.name == "dtemp"), None)
        if rise is None or rise.attributes.get("type") != "instance":
            self._say(self.module.line, "the temperature is used, and 'dtemp' is no instance parameter")
        for d in self.module.declarations:
            if d.name in _REFERENCES and d.attributes.get("type") == "instance":
                self._say(d.line, f"the reference temperature '{d.name}' is an instance parameter")

    def _functions(self) -> None:
        for function in self.module.functions:
            if function.name not in self.read:
                self._say(function.line, f"the function '{function.name}' is never called")
            inside = {e.text for s in function.body for e in s.value.walk() if e.kind == "name"}
            for name in function.arguments:
                if name not in inside:
                    self._say(function.line, f"the function '{function.name}' does not use '{name}'")
                if name not in function.declared:
                    self._say(function.line, f"the function '{function.name}' does not declare '{name}'")
            for name in sorted(inside - set(function.arguments)):
                self._say(function.line, f"the function '{function.name}' uses '{name}', which is not its argument")

    def _uses(self) -> None:
        assigned = {s.target for s in _flat(self.module.statements) if s.kind == "assignment"}
        for d in self.module.declarations:
            if d.kind == "variable" and d.name not in assigned:
                self._say(d.line, f"the variable '{d.name}' is never assigned")
            elif d.name not in self.read and not d.attributes.get("desc"):
                self._say(d.line, f"'{d.name}' is never used")
            elif d.kind == "parameter" and d.name not in self.read:
                self._say(d.line, f"the parameter '{d.name}' is never used")
        for name in sorted(assigned - self.types.keys()):
            self._say(self.module.line, f"'{name}' is assigned and not declared")
        for node in self.module.nodes:
            if node not in self.accessed | self.read:
                self._say(self.module.line, f"the node '{node}' is never used")

    def _order(self) -> None:
        """Find the variables that are read before they are assigned: they would remember the last time step."""
        variables = {d.name for d in self.module.declarations if d.kind == "variable"}
        self._assigned_after(self.module.statements, set(), variables)

    def _assigned_after(self, statements: Sequence[Statement], before: set[str], variables: set[str]) -> set[str]:
        done = set(before)
        for s in statements:
            used = {e.text for e in s.value.walk() if e.kind == "name"} & variables
            for name in sorted(used - done):
                self._say(s.line, f"'{name}' is read before it is assigned: a hidden state")
            if s.kind == "assignment":
                done.add(s.target)
            elif s.kind == "if":
                both = [self._assigned_after(branch, done, variables) for branch in (s.then, s.otherwise)]
                done |= both[0] & both[1]
            elif s.kind == "event":
                self._assigned_after(s.then, done, variables)
        return done

    def _expressions_within(self) -> None:
        inside_if = {
            id(s) for s in _flat(self.module.statements) if s.kind == "if" for s in _flat((*s.then, *s.otherwise))
        }
        for s in _flat(self.module.statements):
            if s.kind == "event":
                self._say(s.line, "an event")
            conditional = [e for c in s.value.walk() if c.kind == "choice" for part in c.parts for e in part.walk()]
            nodes = list(s.value.walk()) if id(s) in inside_if else conditional
            for e in nodes:
                if e.kind == "call" and e.text in _OPERATORS:
                    self._say(s.line, f"'{e.text}' within a condition")
        functions = [s for f in self.module.functions for s in f.body]
        for s in [*_flat(self.module.statements), *functions]:
            asked = {id(part) for e in s.value.walk() if _asks_whether_time_runs(e) for part in e.parts}
            for e in s.value.walk():
                if id(e) not in asked:
                    self._node(e, s.line)

    def _node(self, e: Expression, line: int) -> None:
        if e.text in _FORBIDDEN and e.kind in ("call", "name"):
            self._say(line, f"'{e.text}' {_FORBIDDEN[e.text]}")
        if e.kind == "call" and e.text == "$simparam" and e.parts[0].text.strip('"') == "gmin":
            default = e.parts[1] if len(e.parts) > 1 else None
            if default is None or default.kind != "number" or float(default.text) != 0:
                self._say(line, "the default of 'gmin' is not 0")
        if e.kind == "binary" and e.text == "/" and all(self._is_integer(part) for part in e.parts):
            self._say(line, "a division of integers, which drops the remainder")
        if e.kind == "call" and e.text in _NOISE_ARGUMENTS:
            wanted = _NOISE_ARGUMENTS[e.text]
            if len(e.parts) != wanted or e.parts[-1].kind != "string" or len(e.parts[-1].text) < 3:
                self._say(line, f"'{e.text}' has no name")

    def _is_integer(self, e: Expression) -> bool:
        if e.kind == "number":
            return "." not in e.text and "e" not in e.text.lower()
        if e.kind == "name":
            return self.types.get(e.text) == "integer"
        if e.kind == "choice":
            return all(self._is_integer(part) for part in e.parts[1:])
        return e.kind in ("unary", "binary") and all(self._is_integer(part) for part in e.parts)

    def _branches(self) -> None:
        kinds: dict[frozenset[str], set[str]] = {}
        for s in _flat(self.module.statements):
            if s.kind == "contribution":
                kinds.setdefault(frozenset(s.nodes), set()).add(s.target)
                if len(kinds[frozenset(s.nodes)]) > 1:
                    self._say(s.line, f"the branch ({', '.join(s.nodes)}) has both a potential and a flow")

    def _ranges(self) -> None:
        line = 0
        ranges = Ranges({f.name: f for f in self.module.functions}, lambda text: self._say(line, text))
        known: dict[str, Interval] = {}
        for d in self.module.declarations:
            line = d.line
            if d.kind == "parameter" and d.bounds is not None:
                known[d.name] = _interval(d.bounds)
            elif d.default is not None:
                known[d.name] = ranges.of(d.default, known)
        for s in _flat(self.module.statements):
            line = s.line
            value = ranges.of(s.value, known)
            if s.kind == "assignment":
                known[s.target] = value


def _flat(statements: Sequence[Statement]) -> Iterator[Statement]:
    for s in statements:
        yield s
        yield from _flat(s.then)
        yield from _flat(s.otherwise)


def _number(text: str) -> float:
    return math.copysign(math.inf, -1 if text.startswith("-") else 1) if text.endswith("inf") else float(text)


def _interval(bounds: tuple[str, str, str, str]) -> Interval:
    opening, low, high, closing = bounds
    nonzero = (opening == "(" and _number(low) == 0) or (closing == ")" and _number(high) == 0)
    return Interval(_number(low), _number(high), nonzero, True)


def _contains(bounds: tuple[str, str, str, str], value: float) -> bool:
    opening, low, high, closing = bounds
    above = value > _number(low) or (opening == "[" and value == _number(low))
    return above and (value < _number(high) or (closing == "]" and value == _number(high)))


def _asks_whether_time_runs(e: Expression) -> bool:
    if (e.kind, e.text) != ("binary", "<="):
        return False
    time, zero = e.parts
    return time.text == "$abstime" and zero.kind == "number" and float(zero.text) == 0
