"""What can be told from a deck's text before it runs: its analyses, its stop time, its undefined subcircuits."""

from __future__ import annotations

import re
from pathlib import Path

#: Analyses that leave a plot of their own in the raw file.
_ANALYSES = frozenset({"op", "dc", "ac", "tran", "noise", "tf"})

#: ngspice's scale suffixes, which are case-insensitive: ``m`` and ``M`` are both milli.
_SUFFIXES = {
    "t": 1e12,
    "g": 1e9,
    "meg": 1e6,
    "k": 1e3,
    "mil": 25.4e-6,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
    "a": 1e-18,
}
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*", re.IGNORECASE)


LONGEST_TITLE = 200
"""Bytes of a title."""


def parse_number(text: str) -> float | None:
    """Return a SPICE number such as ``10u``, ``1meg`` or ``5ms``; None where the text is none (a parameter, say)."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    return float(match[1]) * _SUFFIXES.get((match[2] or "").lower(), 1.0)


def shorten_titles(text: str) -> str:
    """Return a deck whose title, on its first line and on ``.title`` lines, is short enough for ngspice.

    ngspice 39 to 47 abort at a title of about 500 bytes. A longer one is cut at `LONGEST_TITLE` and ends in ``...``.
    """
    lines = text.split("\n")
    for k, line in enumerate(lines):
        if (k == 0 or line.lower().startswith(".title")) and len(line.encode()) > LONGEST_TITLE:
            lines[k] = line.encode()[: LONGEST_TITLE - 3].decode(errors="ignore") + "..."
    return "\n".join(lines)


def logical_lines(text: str) -> list[str]:
    """Return the lines after the title, comments and ``.control`` blocks removed, continuations joined."""
    return _join(text.splitlines()[1:])


def _join(raw: list[str]) -> list[str]:
    lines: list[str] = []
    in_control = False
    for line in raw:
        line = re.split(r"\s\$\s|;", line, maxsplit=1)[0].strip()
        word = line.split(maxsplit=1)[0].lower() if line else ""
        if word in (".control", ".endc"):
            in_control = word == ".control"
        elif word == ".end":
            break
        elif line.startswith("+") and lines:
            lines[-1] += " " + line[1:].strip()
        elif line and not line.startswith("*") and not in_control:
            lines.append(line)
    return lines


def analyses(text: str) -> set[str]:
    """Return the analyses that the deck asks for by dot lines, such as ``{"tran", "op"}``."""
    words = {line.split()[0].lower().removeprefix(".") for line in logical_lines(text) if line.startswith(".")}
    return words & _ANALYSES


def transient_stop(text: str) -> float | None:
    """Return the stop time (s) of the last ``.tran`` line; None without one, or where it is an expression."""
    stop = None
    for line in logical_lines(text):
        fields = line.split()
        if fields[0].lower() == ".tran":
            stop = parse_number(fields[2]) if len(fields) > 2 else None
    return stop


def interpolates(text: str) -> bool:
    """Tell whether the deck sets ``.options interp``, after which the library interpolates every later run."""
    return any(re.match(r"\.opt\w*\s.*\binterp\b", line, re.IGNORECASE) for line in logical_lines(text))


def undefined_subcircuits(text: str, folder: Path) -> dict[str, str]:
    """Find the instances of subcircuits that neither the deck nor a file it includes defines.

    Parameters
    ----------
    text : str
        The deck.
    folder : Path
        Where relative ``.include`` and ``.lib`` paths start.

    Returns
    -------
    dict of str to str
        The missing subcircuit by instance name, of the deck's own instances. Empty where a file cannot be found from
        here, for then nothing is known; ngspice itself reports that file.
    """
    own = logical_lines(text)
    included = _included(own, folder, frozenset())
    if any(lines is None for lines in included):
        return {}
    everything = own + [line for lines in included if lines for line in lines]
    defined = {line.split()[1].lower() for line in everything if re.match(r"\.subckt\s+\S", line, re.IGNORECASE)}
    # Only the deck's own instances: a section of a library that is not used may hold anything.
    instances = {line.split()[0]: _subcircuit_of(line) for line in own if line[0] in "xX"}
    return {name: subcircuit for name, subcircuit in instances.items() if subcircuit.lower() not in defined}


def _subcircuit_of(line: str) -> str:
    """Return the subcircuit of an X line: its last word before the parameters."""
    words = re.split(r"\bparams:", re.sub(r"\s*=\s*", "=", line), flags=re.IGNORECASE)[0].split()
    plain = words[: next((place for place, word in enumerate(words) if "=" in word), len(words))]
    return plain[-1]


def inclusions(lines: list[str]) -> list[tuple[str, str]]:
    """Return path and section of the ``.include`` and ``.lib`` lines, as they stand there; no section is an empty text."""
    found = []
    for line in lines:
        match = re.match(r"\.(?:inc|include|lib)\s+(\"[^\"]+\"|'[^']+'|\S+)(.*)", line, re.IGNORECASE)
        if match is None or (line.lower().startswith(".lib") and not match[2].strip()):
            continue  # `.lib name` alone opens a section of a library
        found.append((match[1].strip("\"'"), match[2].strip() if line.lower().startswith(".lib") else ""))
    return found


def section_of(text: str, section: str) -> str:
    """Return the lines of a library's section, which stands between ``.lib section`` and ``.endl``; all without a name."""
    if not section:
        return text
    pattern = rf"^\.lib\s+['\"]?{re.escape(section)}['\"]?\s*$(.*?)^\.endl\b"
    match = re.search(pattern, text, re.IGNORECASE | re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


def _included(lines: list[str], folder: Path, seen: frozenset[Path]) -> list[list[str] | None]:
    """Return the lines of every included file, recursively; None stands for a file that is not there."""
    found: list[list[str] | None] = []
    for name, _ in inclusions(lines):
        path = folder / Path(name).expanduser()
        if path in seen:
            continue
        if not path.is_file():
            found.append(None)
            continue
        inner = _join(path.read_text(encoding="utf-8", errors="replace").splitlines())
        found.append(inner)
        found += _included(inner, path.parent, seen | {path})
    return found
