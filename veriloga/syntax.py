"""Read the Verilog-A that the emitter writes: a small parser, for the lint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..compact.errors import EmissionError

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<directive>`[^\n]*)
    |(?P<string>"[^"\n]*")
    |(?P<number>\d+(\.\d+)?([eE][+-]?\d+)?)
    |(?P<name>\$?[A-Za-z_][A-Za-z0-9_$]*)
    |(?P<operator>\(\*|\*\)|<\+|==|!=|<=|>=|&&|\|\||[-+*/(){}\[\],;:?=<>!@\#%&|^~.])""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"//([^\n]*)")
_BINARY = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}


@dataclass(frozen=True)
class Expression:
    """A node of an expression.

    Attributes
    ----------
    kind : str
        ``number``, ``string``, ``name``, ``call``, ``unary``, ``binary`` or ``choice`` (``?:``).
    text : str
        The literal, name, function or operator.
    parts : tuple of Expression
    """

    kind: str
    text: str
    parts: tuple[Expression, ...] = ()

    def walk(self) -> Iterator[Expression]:
        """Yield the node and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True)
class Statement:
    """An assignment, a contribution (``<+``), a system task, an event (``@``) or an ``if`` with its two lists of statements.

    ``target`` is the assigned name, or the access function of a contribution with its nodes.
    """

    kind: str
    line: int
    target: str = ""
    nodes: tuple[str, ...] = ()
    value: Expression = field(default=Expression("number", "0"))
    then: tuple[Statement, ...] = ()
    otherwise: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Declaration:
    """A declared name: a parameter, localparam or variable, with its attributes and the comment on its line."""

    kind: str
    type: str
    name: str
    line: int
    attributes: dict[str, str]
    comment: str
    default: Expression | None = None
    bounds: tuple[str, str, str, str] | None = None


@dataclass(frozen=True)
class Function:
    """An analog function with one assignment."""

    name: str
    line: int
    arguments: tuple[str, ...]
    declared: tuple[str, ...]
    body: tuple[Statement, ...]


@dataclass
class Module:
    """A module as it is written."""

    name: str
    line: int
    ports: tuple[str, ...] = ()
    directions: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    declarations: list[Declaration] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)


def parse(text: str) -> list[Module]:
    """Return the modules of a source.

    Raises
    ------
    EmissionError
        With the line of what is not understood: only what the emitter writes is.
    """
    return _Parser(text).modules()


class _Parser:
    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.tokens: list[tuple[str, str, int]] = []
        self.place = 0
        position, line = 0, 1
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise EmissionError(f"Verilog-A, line {line}: '{text[position]}' is not understood")
            kind = match.lastgroup or ""
            if kind not in ("space", "directive"):
                self.tokens.append((kind, match[0], line))
            line += match[0].count("\n")
            position = match.end()

    def peek(self) -> str:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    @property
    def line(self) -> int:
        return self.tokens[min(self.place, len(self.tokens) - 1)][2]

    def next(self, wanted: str | None = None) -> str:
        text = self.peek()
        if not text or (wanted is not None and text != wanted):
            raise EmissionError(f"Verilog-A, line {self.line}: '{wanted or 'more'}' is expected before '{text}'")
        self.place += 1
        return text

    def accept(self, wanted: str) -> bool:
        if self.peek() == wanted:
            self.place += 1
            return True
        return False

    def names(self) -> tuple[str, ...]:
        found = [self.next()]
        while self.accept(","):
            found.append(self.next())
        return tuple(found)

    def modules(self) -> list[Module]:
        found = []
        while self.peek():
            found.append(self.module())
        return found

    def module(self) -> Module:
        line = self.line
        self.next("module")
        module = Module(self.next(), line)
        self.next("(")
        module.ports = self.names()
        self.next(")")
        self.next(";")
        while not self.accept("endmodule"):
            self.item(module)
        return module

    def item(self, module: Module) -> None:
        attributes = self.attributes()
        word = self.next()
        if word in ("inout", "input", "output"):
            module.directions.update(dict.fromkeys(self.names(), word))
        elif word in ("electrical", "thermal"):
            module.nodes.update(dict.fromkeys(self.names(), word))
        elif word in ("parameter", "localparam"):
            module.declarations.append(self.parameter(word, attributes))
        elif word in ("real", "integer"):
            line, comment = self.line, self.comment()
            module.declarations += [
                Declaration("variable", word, name, line, attributes, comment) for name in self.names()
            ]
        elif word == "analog":
            if self.accept("function"):
                module.functions.append(self.function())
            else:
                module.statements += self.statement()
            return
        else:
            raise EmissionError(f"Verilog-A, line {self.line}: '{word}' is not understood")
        self.next(";")

    def comment(self) -> str:
        match = _COMMENT.search(self.lines[self.line - 1])
        return match[1].strip() if match else ""

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while self.accept("(*"):
            while not self.accept("*)"):
                name = self.next()
                self.next("=")
                found[name] = self.next().strip('"')
                self.accept(",")
        return found

    def parameter(self, kind: str, attributes: dict[str, str]) -> Declaration:
        kind_of = self.next()
        line, comment, name = self.line, self.comment(), self.next()
        self.next("=")
        default = self.expression()
        bounds = None
        if self.accept("from"):
            opening = self.next()
            low = self.bound()
            self.next(":")
            high = self.bound()
            bounds = (opening, low, high, self.next())
        return Declaration(kind, kind_of, name, line, attributes, comment, default, bounds)

    def bound(self) -> str:
        sign = "-" if self.accept("-") else ""
        return sign + self.next()

    def function(self) -> Function:
        line = self.line
        self.next()
        name = self.next()
        self.next(";")
        arguments: tuple[str, ...] = ()
        declared: tuple[str, ...] = ()
        while self.peek() in ("input", "real", "integer"):
            if self.next() == "input":
                arguments += self.names()
            else:
                declared += self.names()
            self.next(";")
        body = self.statement()
        self.next("endfunction")
        return Function(name, line, arguments, declared, tuple(body))

    def statement(self) -> list[Statement]:
        line = self.line
        if self.accept("begin"):
            inside: list[Statement] = []
            while not self.accept("end"):
                inside += self.statement()
            return inside
        if self.accept("if"):
            self.next("(")
            value = self.expression()
            self.next(")")
            then = tuple(self.statement())
            otherwise = tuple(self.statement()) if self.accept("else") else ()
            return [Statement("if", line, value=value, then=then, otherwise=otherwise)]
        if self.accept("@"):
            value = self.primary()
            return [Statement("event", line, value=value, then=tuple(self.statement()))]
        if self.peek().startswith("$"):
            made = Statement("task", line, self.peek(), value=self.primary())
            self.next(";")
            return [made]
        name = self.next()
        if self.accept("("):
            nodes = self.names()
            self.next(")")
            self.next("<+")
            made = Statement("contribution", line, name, nodes, self.expression())
        else:
            self.next("=")
            made = Statement("assignment", line, name, value=self.expression())
        self.next(";")
        return [made]

    def expression(self) -> Expression:
        condition = self.binary(1)
        if not self.accept("?"):
            return condition
        first = self.expression()
        self.next(":")
        return Expression("choice", "?", (condition, first, self.expression()))

    def binary(self, level: int) -> Expression:
        left = self.unary()
        while (own := _BINARY.get(self.peek(), 0)) >= level:
            operator = self.next()
            left = Expression("binary", operator, (left, self.binary(own + 1)))
        return left

    def unary(self) -> Expression:
        if self.peek() in ("-", "+", "!"):
            return Expression("unary", self.next(), (self.unary(),))
        return self.primary()

    def primary(self) -> Expression:
        if self.accept("("):
            inside = self.expression()
            self.next(")")
            return inside
        kind, text, line = self.tokens[self.place]
        if kind not in ("number", "string", "name"):
            raise EmissionError(f"Verilog-A, line {line}: an expression is expected before '{text}'")
        self.next()
        if kind == "name" and self.accept("("):
            parts: list[Expression] = []
            while not self.accept(")"):
                parts.append(self.expression())
                self.accept(",")
            return Expression("call", text, tuple(parts))
        return Expression(kind, text)
