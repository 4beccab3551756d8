"""What a deck will cost ngspice, from its text: counted, and multiplied by what was measured.

Measured, in user CPU, on ngspice 39.3 with decks of 300 to 10,000 devices (one processor of an AMD EPYC); 44.2 and 47 differ by
less than a tenth but for their KLU solver. The answer is right within a factor of three, and meant to be said before a run.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .deck import logical_lines, parse_number

START = 0.02
"""Seconds of an empty deck."""

EXPAND = 5e-7
"""Seconds to expand and read one symbol of an instance's expressions, ``.func`` written out."""

BYTES = 110.0
"""Memory of one such symbol, its derivatives included [B]."""

EVALUATE = 3e-8
"""Seconds to evaluate one such symbol in one iteration."""

ITERATIONS = 4
"""Newton iterations of a time point."""

OPERATING_POINT = 20
"""Newton iterations of an operating point."""

POINTS_A_CORNER = 40
"""Time points that follow a corner of a stimulus, at tight tolerances."""

_HUB = (250.0, 1e4, 4.0)
_LOOPS_ONCE = (3.2, 4096.0, 2.35)
_LOOPS_A_POINT = (0.5, 4096.0, 2.0)
_KLU_ONCE = (0.1, 4096.0, 1.4)
_KLU_A_POINT = (0.015, 4096.0, 1.65)
"""Seconds at a number, that number, and the power: of devices on one driven node (the old solver searches its whole row for each),
and of independent loops of a mesh (the fill of the matrix), ordered once and solved at every time point."""

_BRACKETS = frozenset("(),{}")
_TOKEN = re.compile(r"[a-z_]\w*|\d+\.?\d*(?:e[+-]?\d+)?|\*\*|[^\s\w]", re.IGNORECASE)


WORTH_SAYING = 10.0
"""Seconds from which a run's cost is said beforehand."""

_LOG = logging.getLogger("synspice.cost")


@dataclass(frozen=True)
class Cost:
    """What a run will take, roughly.

    Attributes
    ----------
    seconds : float
    memory : float
        [B].
    """

    seconds: float
    memory: float


@dataclass(frozen=True)
class Counts:
    """What of a deck decides its cost.

    Attributes
    ----------
    instances : int
        Of subcircuits.
    symbols : float
        Names, numbers and operators of all expressions, every instance by itself and ``.func`` written out.
    hub : int
        Devices at the busiest node that a source drives.
    loops : int
        Independent loops between nodes that no source drives.
    points : float
        Time points; 0 for an operating point.
    klu : bool
        Whether the deck asks for the KLU solver.
    """

    instances: int
    symbols: float
    hub: int
    loops: int
    points: float
    klu: bool


def deck_cost(deck: str) -> Cost:
    """Return what a deck will cost, from its counts."""
    return cost(count(deck))


def announce(decks: Sequence[str]) -> None:
    """Say what decks will cost, as a warning of the logger ``synspice.cost``, where they take long; and what is faster."""
    costs = [deck_cost(deck) for deck in decks]
    seconds, memory = sum(c.seconds for c in costs), max((c.memory for c in costs), default=0.0)
    if seconds >= WORTH_SAYING:
        _LOG.warning(
            "%d run%s: about %.2g s of processor time in ngspice, up to %.2g GB; faster: the engine vacask, or array for a "
            "crossbar; for thousands of devices an ngspice with KLU (44 or later, option klu)",
            len(costs),
            "" if len(costs) == 1 else "s",
            seconds,
            memory / 1e9,
        )


def cost(counts: Counts) -> Cost:
    """Return the cost of a deck with these counts."""
    iterations = ITERATIONS * counts.points + OPERATING_POINT
    once, each = (_KLU_ONCE, _KLU_A_POINT) if counts.klu else (_LOOPS_ONCE, _LOOPS_A_POINT)
    matrix = _power(counts.loops, once) + counts.points * _power(counts.loops, each)
    if not counts.klu:
        matrix += _power(counts.hub, _HUB)
    seconds = START + EXPAND * counts.symbols + EVALUATE * counts.symbols * iterations + matrix
    return Cost(seconds, BYTES * counts.symbols)


def _power(number: float, law: tuple[float, float, float]) -> float:
    seconds, at, power = law
    return float(seconds * (number / at) ** power)


def count(deck: str) -> Counts:
    """Return the counts of a deck: every subcircuit in it, no included files."""
    lines = logical_lines("title\n" + deck.split("\n", 1)[-1])
    functions: dict[str, _Linear] = {}
    sizes: dict[str, float] = {}
    top: list[str] = []
    inside: str | None = None
    for line in lines:
        word = line.split(maxsplit=1)[0].lower()
        if word == ".func":
            _define(line, functions)
        elif word == ".subckt":
            inside = line.split()[1].lower()
            sizes[inside] = 0.0
        elif word == ".ends":
            inside = None
        elif inside is not None:
            sizes[inside] += _symbols(line, functions)
        else:
            top.append(line)
    used = [name for line in top if line[0] in "xX" for name in _subcircuit(line, sizes)]
    symbols = sum(sizes[name] for name in used) + sum(_symbols(line, functions) for line in top if line[0] in "bB")
    hub, loops = _mesh(top)
    return Counts(len(used), symbols, hub, loops, _points(top), any(re.match(r"\.opt\w*\s.*\bklu\b", x) for x in top))


@dataclass(frozen=True)
class _Linear:
    """The size of a function: of its own text, and of each argument times how often it is copied."""

    own: float
    copies: tuple[float, ...]


def _define(line: str, functions: dict[str, _Linear]) -> None:
    match = re.match(r"\.func\s+(\w+)\s*\(([^)]*)\)\s*(.*)", line, re.IGNORECASE)
    if match is None:
        return
    arguments = [a.strip() for a in match[2].split(",")]
    size = _sizes(_TOKEN.findall(match[3]), functions, arguments)
    functions[match[1].lower()] = _Linear(size[0], tuple(size[1:]))


def _symbols(line: str, functions: Mapping[str, _Linear]) -> float:
    return _sizes(_TOKEN.findall(line), functions, [])[0]


def _sizes(tokens: Sequence[str], functions: Mapping[str, _Linear], arguments: Sequence[str]) -> list[float]:
    """Return the size of a text, its calls written out, without its arguments; and how often each argument is in it."""
    sizes = [0.0] * (1 + len(arguments))
    place = 0
    while place < len(tokens):
        token = tokens[place]
        function = functions.get(token.lower())
        if function is not None and tokens[place + 1 : place + 2] == ["("]:
            parts, place = _call(tokens, place + 1)
            sizes[0] += function.own
            for copies, part in zip(function.copies, parts, strict=False):
                inner = _sizes(part, functions, arguments)
                sizes = [a + copies * b for a, b in zip(sizes, inner, strict=True)]
        else:
            where = 1 + arguments.index(token) if token in arguments else 0
            sizes[where] += token not in _BRACKETS
            place += 1
    return sizes


def _call(tokens: Sequence[str], start: int) -> tuple[list[list[str]], int]:
    """Return the arguments of a call whose bracket opens at ``start``, and the place after it."""
    parts: list[list[str]] = [[]]
    depth = 0
    for place in range(start, len(tokens)):
        token = tokens[place]
        depth += (token == "(") - (token == ")")  # noqa: S105 - brackets, not secrets
        if depth == 0:
            return parts, place + 1
        if token == "," and depth == 1:  # noqa: S105
            parts.append([])
        elif place > start:
            parts[-1].append(token)
    return parts, len(tokens)


def _subcircuit(line: str, known: Mapping[str, float]) -> list[str]:
    words = [w.lower() for w in line.split() if "=" not in w]
    return [w for w in words[1:] if w in known][-1:]


def _mesh(top: Sequence[str]) -> tuple[int, int]:
    """Return the devices at the busiest driven node, and the independent loops between the others."""
    driven = {"0"} | {line.split()[1] for line in top if line[0] in "vV" and line.split()[2:3] == ["0"]}
    at: Counter[str] = Counter()
    edges: set[tuple[str, str]] = set()
    for line in top:
        if line[0] not in "xXrRcCbB":
            continue
        words = [w for w in line.split()[1:] if "=" not in w]
        nodes = words[:-1] if line[0] in "xX" else words[:2]
        at.update(set(nodes) & driven - {"0"})
        free = [n for n in nodes if n not in driven]
        edges |= {(min(a, b), max(a, b)) for a, b in pairwise(free) if a != b}
    root: dict[str, str] = {}

    def find(node: str) -> str:
        while (up := root.setdefault(node, node)) != node:
            root[node] = node = root[up]
        return node

    loops = 0
    for a, b in edges:
        one, other = find(a), find(b)
        loops += one == other
        root[one] = other
    return max(at.values(), default=0), loops


def _points(top: Sequence[str]) -> float:
    """Return the time points of the transients, from their largest step and the corners of the sources."""
    corners = sum(len(line[line.upper().index("PWL") :].split()) / 2 for line in top if "PWL" in line.upper())
    points = 0.0
    for line in top:
        if line.lower().startswith(".tran"):
            numbers = [n for n in (parse_number(w) for w in line.split()[1:5]) if n is not None]
            longest = numbers[3] if len(numbers) > 3 and numbers[3] > 0 else numbers[1] / 50
            points += numbers[1] / longest + POINTS_A_CORNER * corners
    return points
