"""What papers document of their devices: one TOML file a paper, one row a characteristic.

A file has ``paper`` (its key, the file's stem), ``title``, ``citation``, ``doi`` and rows::

    [[row]]
    id = "EIS-01"
    quantity = "speed-up from 2 V to 4 V"
    source = "Sec. 2.1, Fig. 2"
    kind = "quantitative"            # or trend, statistical
    protocol = "single pulses, read 0.1 s after ..."
    documented = "about 60"
    values = [60.0]                  # only what the paper's text gives as numbers
    unit = "1"
    tolerance_reason = "'about' in the text"
    reading = "stated"               # or digitised
    use = "fitted"                   # or held out, by construction, undetermined
    card = "huang_ysz"
    expected = "met"                 # or unmet, undetermined; these need a reason
    accept = [{ name = "positive", unit = "1", low = 45.0, high = 80.0 }]

``accept`` is the tolerance: what the row's protocol returns under each name has to lie between the limits.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...compact.errors import DataError, UnknownNameError, nearest

KINDS = ("quantitative", "trend", "statistical")
READINGS = ("stated", "digitised")
USES = ("fitted", "held out", "by construction", "undetermined")
EXPECTED = ("met", "unmet", "undetermined")

_ROW_TEXTS = (
    "id",
    "quantity",
    "source",
    "kind",
    "protocol",
    "documented",
    "tolerance_reason",
    "reading",
    "use",
    "card",
    "expected",
)
_ROW_KEYS = (*_ROW_TEXTS, "values", "unit", "reason", "accept")
_PAPER_KEYS = ("paper", "title", "citation", "doi", "row")
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a simulated quantity is accepted between.

    Attributes
    ----------
    name, unit : str
    low, high : float
        Closed limits in ``unit``; infinite where a side is open.
    """

    name: str
    unit: str
    low: float
    high: float

    def accepts(self, value: float | None) -> bool:
        """Return whether a value is within the limits; None and NaN are not."""
        return value is not None and self.low <= value <= self.high

    @property
    def text(self) -> str:
        """The limits in words."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        if self.low == self.high:
            return f"{self.name} = {self.low:g}{unit}"
        if math.isinf(self.low):
            return f"{self.name} <= {self.high:g}{unit}"
        if math.isinf(self.high):
            return f"{self.name} >= {self.low:g}{unit}"
        return f"{self.name} {self.low:g} to {self.high:g}{unit}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A documented characteristic.

    Attributes
    ----------
    id, paper, quantity : str
    source : str
        Section or figure.
    kind : {"quantitative", "trend", "statistical"}
    protocol : str
        The experiment and its settings in words.
    documented : str
        What the paper says.
    values : tuple of float
        The numbers of its text, in ``unit``.
    unit : str
    accept : tuple of Limits
    tolerance_reason : str
    reading : {"stated", "digitised"}
    use : {"fitted", "held out", "by construction", "undetermined"}
        What the row is to its card.
    card : str
    expected : {"met", "unmet", "undetermined"}
        Undetermined: the paper leaves out a setting on which the answer hangs.
    reason : str
        Why the row is not expected to be met.
    """

    id: str
    paper: str
    quantity: str
    source: str
    kind: str
    protocol: str
    documented: str
    values: tuple[float, ...]
    unit: str
    accept: tuple[Limits, ...]
    tolerance_reason: str
    reading: str
    use: str
    card: str
    expected: str
    reason: str

    @property
    def held_out(self) -> bool:
        """Whether the row had no part in making the card or the protocol."""
        return self.use == "held out"

    @property
    def tolerance(self) -> str:
        """The limits in words."""
        return "; ".join(limit.text for limit in self.accept)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The rows of one paper."""

    paper: str
    title: str
    citation: str
    doi: str
    rows: tuple[Row, ...]

    def row(self, name: str) -> Row:
        """Return the row of an id (KeyError when there is none)."""
        return {row.id: row for row in self.rows}[name]


@cache
def paper_names() -> tuple[str, ...]:
    """Return the keys of the papers that have a catalogue."""
    return tuple(path.stem for path in sorted(_FOLDER.glob("*.toml")))


@cache
def catalogue(paper: str) -> Catalogue:
    """Return a paper's catalogue.

    Raises
    ------
    UnknownNameError, DataError
    """
    if paper not in paper_names():
        raise UnknownNameError("paper", paper, paper_names())
    return read_catalogue(_FOLDER / f"{paper}.toml")


def select(names: Iterable[str] = ()) -> list[Row]:
    """Return the rows of papers, cards and row ids, in the catalogue's order; every row when none is named.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    rows = [row for paper in paper_names() for row in catalogue(paper).rows]
    wanted = list(names)
    known = {*paper_names(), *(row.card for row in rows), *(row.id for row in rows)}
    for name in wanted:
        if name not in known:
            raise UnknownNameError("paper, card or row", name, sorted(known))
    return [row for row in rows if not wanted or {row.paper, row.card, row.id} & set(wanted)]


def read_catalogue(path: Path) -> Catalogue:
    """Read and check a catalogue file.

    Raises
    ------
    DataError
        With every fault found.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(path, str(error)) from error
    faults = [f"'{key}' is not a key{nearest(key, _PAPER_KEYS)}" for key in table if key not in _PAPER_KEYS]
    faults += [f"'{key}' is missing" for key in _PAPER_KEYS if key not in table]
    if not faults and table["paper"] != path.stem:
        faults.append(f"paper = '{table['paper']}' must be the file's name, '{path.stem}'")
    rows: list[Row] = []
    for k, entry in enumerate(table.get("row", [])):
        label = f"row {entry.get('id', k + 1)}"
        found = _row_faults(entry)
        if entry.get("id") in {row.id for row in rows}:
            found.append("the id is used twice")
        faults += [f"{label}: {fault}" for fault in found]
        if not found:
            rows.append(_row(entry, table.get("paper", path.stem)))
    if faults:
        raise DataError(path, faults[0] if len(faults) == 1 else "\n  - ".join(["", *faults]))
    texts = {key: str(table[key]) for key in ("paper", "title", "citation", "doi")}
    return Catalogue(rows=tuple(rows), **texts)


def _row(entry: Mapping[str, Any], paper: str) -> Row:
    limits = tuple(
        Limits(
            name=item["name"],
            unit=item["unit"],
            low=float(item.get("low", -math.inf)),
            high=float(item.get("high", math.inf)),
        )
        for item in entry["accept"]
    )
    return Row(
        paper=paper,
        accept=limits,
        values=tuple(float(v) for v in entry.get("values", ())),
        unit=entry.get("unit", ""),
        reason=entry.get("reason", ""),
        **{key: entry[key] for key in _ROW_TEXTS},
    )


def _row_faults(entry: Mapping[str, Any]) -> list[str]:
    faults = [f"'{key}' is not a key{nearest(key, _ROW_KEYS)}" for key in entry if key not in _ROW_KEYS]
    faults += [f"'{key}' is missing" for key in (*_ROW_TEXTS, "accept") if key not in entry]
    faults += [f"'{key}' must be a text" for key in _ROW_TEXTS if key in entry and not isinstance(entry[key], str)]
    if faults:
        return faults
    for key, allowed in (("kind", KINDS), ("reading", READINGS), ("use", USES), ("expected", EXPECTED)):
        if entry[key] not in allowed:
            faults.append(f"{key} = '{entry[key]}' is not one of {', '.join(allowed)}")
    if entry["expected"] != "met" and not entry.get("reason"):
        faults.append(f"expected = '{entry['expected']}' needs a reason")
    if entry["expected"] == "undetermined" and entry["use"] != "undetermined":
        faults.append("a row that is expected to be undetermined has use = 'undetermined'")
    values = entry.get("values", [])
    if not isinstance(values, list) or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        faults.append("values must be a list of numbers")
    elif values and not entry.get("unit"):
        faults.append("values need a unit ('1' for a pure number)")
    if not entry["accept"]:
        faults.append("accept is empty: say what is accepted")
    for item in entry["accept"]:
        faults += _limit_faults(item)
    return faults


def _limit_faults(item: Mapping[str, Any]) -> list[str]:
    known = ("name", "unit", "low", "high")
    faults = [f"accept: '{key}' is not a key{nearest(key, known)}" for key in item if key not in known]
    faults += [f"accept: '{key}' is missing" for key in ("name", "unit") if key not in item]
    if faults:
        return faults
    low, high = item.get("low", -math.inf), item.get("high", math.inf)
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in (low, high)):
        return [f"accept '{item['name']}': a limit must be a number"]
    if math.isinf(low) and math.isinf(high):
        return [f"accept '{item['name']}': give low, high or both"]
    return [f"accept '{item['name']}': low {low:g} is above high {high:g}"] if low > high else []
