"""What a simulator does not say of a deck with emitted subcircuits: misspelt parameters, values out of range, two of one name.

ngspice ignores a parameter that a subcircuit does not have, and the second of two subcircuits that share a name. An emitted
subcircuit lists its parameters with unit and range in its header, so a deck's text is enough to tell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ...compact import names
from ...compact.errors import ParameterError, nearest
from .deck import inclusions, logical_lines, parse_number, section_of

_HEADER = re.compile(r"\* synspice \S+, device (\w+) \(\w+\)")
_PARAMETER = re.compile(r"\* (\w+) +(\S+) +([\[(])(\S+), (\S+)([\])]): ")
_SUBCIRCUIT = re.compile(r"\.subckt\s+(\S+)", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"(\w+)\s*=\s*(\{[^}]*\}|'[^']*'|\"[^\"]*\"|\S+)")

MARGIN = 1e-9
"""By how much, relatively, a value may be over a bound that it may have: simulators' number readers are off in the last digit."""

_IMPLIED = frozenset({"m"})
"""Parameters that every instance takes, declared or not."""


@dataclass(frozen=True)
class _Range:
    text: str
    unit: str
    lower: float
    upper: float
    lower_open: bool
    upper_open: bool

    def holds(self, value: float) -> bool:
        margin = MARGIN * max(abs(b) for b in (self.lower, self.upper, 0.0) if math.isfinite(b))
        above = value > self.lower if self.lower_open else value >= self.lower - margin
        below = value < self.upper if self.upper_open else value <= self.upper + margin
        return above and below


@dataclass
class _Emitted:
    """A subcircuit of the package, as its text says."""

    name: str
    device: str
    body: list[str] = field(default_factory=list)
    parameters: set[str] = field(default_factory=set)
    ranges: dict[str, _Range] = field(default_factory=dict)


def check_deck(deck: str, files: Mapping[str, str | Path] | None = None, folder: Path | None = None) -> None:
    """Check the instances of emitted subcircuits in a deck for ngspice.

    Parameters
    ----------
    deck : str
        Its first line is the title.
    files : mapping of str to str or Path, optional
        Files that the deck includes, by the relative name that it uses: their text or their path.
    folder : Path, optional
        Where other relative paths start; they are left out without it.

    Raises
    ------
    ParameterError
        With every fault that :func:`deck_faults` finds.
    """
    if faults := deck_faults(deck, files, folder):
        raise ParameterError("deck", faults)


def deck_faults(deck: str, files: Mapping[str, str | Path] | None = None, folder: Path | None = None) -> list[str]:
    """Return what is wrong: unknown parameters, constant values out of range, two subcircuits of one name, fatal node names.

    A value that is an expression is left to the subcircuit's own check. Parameters as in :func:`check_deck`.
    """
    texts = [deck.partition("\n")[2], *_included(deck, files or {}, folder)]
    emitted: dict[str, _Emitted] = {}
    faults = []
    for found in (subcircuit for text in texts for subcircuit in _emitted(text)):
        known = emitted.setdefault(found.name, found)
        if known.body != found.body:
            faults.append(
                f"two different subcircuits have the name '{found.name}', of which ngspice takes the first; emit one of "
                "them with --name"
            )
    for text in texts:
        depth = 0
        for line in logical_lines("\n" + text):
            word = line.split(maxsplit=1)[0].lower()
            depth += (word == ".subckt") - (word == ".ends")
            faults += _crashing_nodes(line)
            faults += _instance_faults(line, emitted, top=depth == 0) if word[0] == "x" else []
    return list(dict.fromkeys(faults))


def _included(deck: str, files: Mapping[str, str | Path], folder: Path | None) -> Iterator[str]:
    """Yield the text of every file that a deck includes, directly or not; a file that is not there is the simulator's matter."""
    waiting: list[tuple[str, PurePosixPath]] = [(deck.partition("\n")[2], PurePosixPath())]
    seen: set[tuple[PurePosixPath, str]] = set()
    while waiting:
        text, place = waiting.pop()
        for name, section in inclusions(logical_lines("\n" + text)):
            path = place / name
            if (path, section) in seen:
                continue
            seen.add((path, section))
            inner = _read(path, files, folder)
            if inner is not None:
                yield section_of(inner, section)
                waiting.append((section_of(inner, section), path.parent))


def _read(path: PurePosixPath, files: Mapping[str, str | Path], folder: Path | None) -> str | None:
    source: str | Path | None = files.get(str(path))
    if source is None and (path.is_absolute() or folder is not None):
        source = (folder or Path()) / path
    if isinstance(source, str) or source is None:
        return source
    return source.read_text(encoding="utf-8", errors="replace") if source.is_file() else None


def _emitted(text: str) -> Iterator[_Emitted]:
    """Yield the subcircuits of the package that a text defines."""
    device = ""
    ranges: dict[str, _Range] = {}
    inside: _Emitted | None = None
    for line in text.splitlines():
        if inside is not None:
            inside.body.append(line)
            if line.lower().startswith(".ends"):
                yield inside
                inside = None
        elif header := _HEADER.match(line):
            device, ranges = header[1], {}
        elif device and (described := _PARAMETER.match(line)):
            ranges[described[1]] = _range(described)
        elif device and (start := _SUBCIRCUIT.match(line)):
            inside = _Emitted(name=start[1].lower(), device=device, body=[line], ranges=ranges)
            device = ""


def _range(described: re.Match[str]) -> _Range:
    _, unit, left, lower, upper, right = described.groups()
    unit = "" if unit == "1" else f" {unit}"
    return _Range(f"{left}{lower}, {upper}{right}{unit}", unit, float(lower), float(upper), left == "(", right == ")")


def _instance_faults(line: str, emitted: Mapping[str, _Emitted], top: bool) -> list[str]:
    """Return the faults of one instance line; a node that is not at the ``top`` gets the instance before its name."""
    given = _ASSIGNMENT.findall(line)
    words = _ASSIGNMENT.sub(" ", re.sub(r"\bparams:", " ", line, flags=re.IGNORECASE)).split()
    subcircuit = emitted.get(words[-1].lower())
    if subcircuit is None:
        return []
    instance, *nodes = words[:-1]
    head = f"instance '{instance}' of '{subcircuit.name}'"
    parameters = _parameters(subcircuit)
    faults = []
    for name, text in given:
        name = name.lower()
        if name not in parameters | _IMPLIED:
            faults.append(
                f"{head}: device '{subcircuit.device}' has no parameter '{name}', which ngspice ignores"
                f"{nearest(name, parameters)}"
            )
            continue
        value, bounds = parse_number(text.strip("{}'\"").strip()), subcircuit.ranges.get(name)
        if value is not None and bounds is not None and not bounds.holds(value):
            faults.append(f"{head}: {name} = {value:g}{bounds.unit} is outside its range {bounds.text}")
    faults += [
        f"{head}: ngspice 39 crashes at a node named '{node}' there; give the node another name"
        for node in nodes
        if top and node.lower() in names.CRASHING_SOURCE_NODES
    ]
    return faults


def _parameters(subcircuit: _Emitted) -> set[str]:
    if not subcircuit.parameters:
        head = logical_lines("\n".join(["", *subcircuit.body]))[0]
        subcircuit.parameters |= {name.lower() for name, _ in _ASSIGNMENT.findall(head)}
    return subcircuit.parameters


def _crashing_nodes(line: str) -> list[str]:
    """Return the fault of an element line with a node that ends every ngspice in a segmentation fault."""
    words = re.split(r"[\s,()]+", line.lower())
    if not line[0].isalpha() or not (fatal := names.CRASHING_NODES.intersection(words[1:3])):
        return []
    return [f"element '{words[0]}': ngspice crashes at a node named '{min(fatal)}'; give the node another name"]
