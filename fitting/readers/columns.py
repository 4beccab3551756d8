"""Which column is which quantity, in which unit, and the records that a table of columns makes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pint

from ...compact.errors import nearest
from ...compact.units import registry
from .inference import compliance_from_plateau, current_is_inverted, sweep_direction
from .records import Array, ComplianceSource, Direction, Provenance, PulseRamp, Record, Sweep, TransistorCurve
from .table import Table, listed

Quantity: TypeAlias = Literal[
    "time", "voltage", "current", "gate_voltage", "gate_current", "conductance", "pulse", "cycle"
]

UNITS: dict[Quantity, str] = {
    "time": "s",
    "voltage": "V",
    "current": "A",
    "gate_voltage": "V",
    "gate_current": "A",
    "conductance": "S",
    "pulse": "",
    "cycle": "",
}
MINIMUM_POINTS = 5

_MEASURED: tuple[Quantity, ...] = ("voltage", "current", "conductance", "time")
_WORDS: dict[Quantity, frozenset[str]] = {
    "voltage": frozenset({"voltage", "volt", "volts", "v", "u", "vd", "vds", "vg", "vgs", "bias", "potential"}),
    "current": frozenset({"current", "i", "id", "ids", "ig", "igs", "amp", "amps", "ampere"}),
    "conductance": frozenset({"conductance", "g"}),
    "time": frozenset({"time", "t", "timestamp", "elapsed"}),
    "cycle": frozenset({"cycle", "cycles", "sweep", "run", "loop", "repetition"}),
    "pulse": frozenset({"pulse", "pulses", "npulse", "n"}),
}
_DERIVED = frozenset(
    {"abs", "log", "log10", "ln", "norm", "normalised", "normalized", "density", "fit", "model", "simulated"}
)
_GATE = frozenset({"gate", "vg", "vgs", "ig", "igs"})
_UNIT_FORMS = (
    re.compile(r"^(?P<name>.*?)\s*[(\[]\s*(?P<unit>[^()\[\]]*[^()\[\]\d\s][^()\[\]]*?)\s*[)\]]$"),
    re.compile(r"^(?P<name>.+?)\s*[/,]\s*(?P<unit>[A-Za-zµμΩ]+)$"),
    re.compile(r"^(?P<name>.+)_(?P<unit>[A-Za-zµμΩ]+)$"),
)
_INDEX = re.compile(r"\s*((?:[\[(]\s*\d+\s*[\])])+)\s*$")

_UNIT_WORDS = {
    "a": "A",
    "v": "V",
    "ua": "uA",
    "ma": "mA",
    "na": "nA",
    "pa": "pA",
    "mv": "mV",
    "uv": "uV",
    "Ω": "ohm",
    "sec": "s",
}


@dataclass(frozen=True)
class Column:
    """One column as its name tells it.

    Attributes
    ----------
    position : int
    name : str
        As in the file.
    quantity : str or None
    stem : str
        What is left of the name without quantity and unit: columns of one instrument channel share it.
    group : str
        A trailing index such as ``[1][2]`` or ``(3)``: columns of one run share it.
    scale : float
        SI units per unit of the file.
    """

    position: int
    name: str
    quantity: Quantity | None
    stem: str
    group: str
    scale: float


def unit_scale(unit: str, quantity: Quantity) -> float | None:
    """SI units per ``unit``, or None when it is not a unit of this quantity."""
    if unit in ("", UNITS[quantity]):
        return 1.0
    if not UNITS[quantity]:
        return None
    spellings = [unit, _UNIT_WORDS.get(unit, unit), unit.lower() if len(unit) > 3 else unit]
    for text in dict.fromkeys(spellings):
        try:
            return float(registry().Quantity(1.0, text).to(UNITS[quantity]).magnitude)
        except (pint.errors.PintError, AttributeError, ValueError, TypeError, AssertionError):
            continue
    return None


def is_unit(cell: str) -> bool:
    """Whether a cell of a unit line is a unit of time, voltage, current or conductance, bracketed or not."""
    bare = cell.strip("()[] ")
    return bool(bare) and any(unit_scale(bare, q) is not None for q in _MEASURED)


def describe(position: int, name: str, unit: str = "") -> Column:
    """Interpret a column name and the unit beside or below it."""
    match = _INDEX.search(name)
    group = re.sub(r"\s", "", match[1]) if match else ""
    bare = name[: match.start()] if match else name
    unit = unit.strip("()[] ")
    for form in _UNIT_FORMS:
        found = form.match(bare)
        if not found:
            continue
        # 'gate (V)': a bracketed unit tells the quantity; '_v' counts only after the name of a voltage
        quantity, stem = _quantity(found["name"])
        for candidate in (quantity,) if quantity else _MEASURED if form is _UNIT_FORMS[0] else ():
            scale = unit_scale(found["unit"], candidate)
            if scale is not None and UNITS[candidate]:
                return Column(position, name, _terminal(candidate, found["name"]), stem, group, scale)
    quantity, stem = _quantity(bare)
    if quantity is None:
        return Column(position, name, None, stem, group, 1.0)
    return Column(position, name, _terminal(quantity, bare), stem, group, unit_scale(unit, quantity) or 1.0)


def knows(names: Iterable[str], columns: Mapping[str, str] | None = None) -> bool:
    """Whether a line of cells is a header: it holds the columns asked for, or names two quantities or more."""
    cells = list(names)
    if columns:
        return all(name in cells for name in columns.values())
    return len({describe(0, cell).quantity for cell in cells} - {None}) >= 2


def records_from_table(
    table: Table,
    *,
    label: str = "",
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    cycle: int = 1,
    direction: Direction | None = None,
    compliance: float | None = None,
    compliance_source: ComplianceSource = "given",
    series_resistance: float = 0.0,
    read_voltage: float | None = None,
    drop_bad_rows: bool = False,
    minimum_points: int = MINIMUM_POINTS,
) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Turn a table with named columns into records, with notes on what was assumed.

    Columns that share an index (``AV(2)``, ``Smu1.V[1][2]``) or rows that share a cycle number make one record each.

    Parameters
    ----------
    table : Table
    label : str
        Name of the records; the file's stem when empty.
    columns : mapping of quantity to column name, optional
        Which column is the time, voltage, current, gate_voltage, gate_current, conductance, pulse or cycle; what is not
        given is recognised by name.
    units : mapping of quantity to unit, optional
        Unit of the numbers, where the header does not give it.
    cycle : int
        Number of the first record.
    direction : {"set", "reset"}, optional
        Inferred from out-and-back sweeps of one polarity when not given.
    compliance : float, optional
        [A]; inferred from a flat top of the current when not given.
    compliance_source : str
        What to record as the source of ``compliance``.
    series_resistance : float
        [ohm].
    read_voltage : float, optional
        [V], to turn the read currents of a table of pulses into conductances.
    drop_bad_rows : bool
        Leave out rows that hold no number, and say so in a note, instead of raising.
    minimum_points : int
        Fewest rows that make a record.

    Returns
    -------
    tuple of records, tuple of notes

    Raises
    ------
    DataError
        For missing or ambiguous columns, rows that are not numbers, a time that does not rise, too few rows.
    """
    described = [describe(i, name, unit) for i, (name, unit) in enumerate(zip(table.names, table.units, strict=True))]
    chosen = _explicit(table, described, columns or {})
    groups = dict.fromkeys(c.group for c in described if c.group and c.quantity in ("voltage", "current"))
    notes: list[str] = []
    records: list[Record] = []
    asked = {c.group for c in chosen.values()} - {""}
    for group in asked or groups or [""]:
        mapping = _complete(table, [c for c in described if c.group in (group, "")], dict(chosen))
        order = sorted(mapping)
        numbers, lines = table.numbers([mapping[q].position for q in order], drop_bad_rows=drop_bad_rows)
        scales = [_scale(table, q, mapping[q], units or {}) for q in order]
        data = {q: numbers[:, k] * scales[k] for k, q in enumerate(order)}
        if drop_bad_rows and len(numbers) < len(table.rows):
            notes.append(f"{table.path.name}: {len(table.rows) - len(numbers)} rows without numbers were left out")
        provenance = Provenance(path=table.path, sheet=table.sheet, columns=tuple((q, mapping[q].name) for q in order))
        repeats = data.pop("cycle", None)
        for rows in (
            [repeats == n for n in dict.fromkeys(repeats)] if repeats is not None else [np.ones(len(lines), bool)]
        ):
            part = {q: values[rows] for q, values in data.items()}
            _check(table, part, [n for n, keep in zip(lines, rows, strict=True) if keep], minimum_points)
            name = (label or table.sheet or table.path.stem) + group
            number = int(repeats[rows][0]) if repeats is not None else cycle + len(records)
            if "pulse" in part:
                records.append(_ramp(table, part, name, number, provenance, direction, read_voltage))
            elif "gate_voltage" in part:
                records.append(_transistor(part, name, number, provenance))
            else:
                sweep, said = _sweep(
                    part, name, number, provenance, direction, compliance, compliance_source, series_resistance
                )
                records.append(sweep)
                notes.extend(f"{table.path.name}: {text}" for text in said)
    return tuple(records), tuple(dict.fromkeys(notes))


def _quantity(name: str) -> tuple[Quantity | None, str]:
    """Quantity that a name's words tell, and the rest of the name."""
    # AnodeI, AV, DrainV: the last capital is the quantity, the rest the terminal
    suffixed = re.match(r"^(?P<stem>\w*[A-Za-z])(?P<mark>[IV])$", name.strip())
    words = re.findall(r"[a-z]+\d*|\d+", name.lower())
    if _DERIVED & set(words):
        return None, ""
    for quantity, known in _WORDS.items():
        hits = [w for w in words if w.rstrip("0123456789") in known]
        if hits:
            rest = [w for w in words if w not in hits]
            return quantity, " ".join(rest) or (hits[0][1:] if hits[0][0] in "iv" and len(hits[0]) <= 3 else "")
    if suffixed:
        return ("current" if suffixed["mark"] == "I" else "voltage"), suffixed["stem"].lower()
    return None, ""


def _terminal(quantity: str, name: str) -> Quantity:
    words = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([IV])$", r"\1 \2", name.strip()).lower()))
    if quantity in ("voltage", "current") and _GATE & words:
        return "gate_voltage" if quantity == "voltage" else "gate_current"
    return quantity  # type: ignore[return-value]


def _explicit(table: Table, described: Sequence[Column], columns: Mapping[str, str]) -> dict[Quantity, Column]:
    chosen: dict[Quantity, Column] = {}
    for quantity, name in columns.items():
        if quantity not in UNITS:
            raise table.error(f"columns names an unknown quantity '{quantity}'{nearest(quantity, UNITS)}")
        found = [c for c in described if c.name == name]
        if not found:
            raise table.error(
                f"there is no column {name!r} for the {quantity}{_closest(name, table.names)}; "
                f"columns found: {listed(table.names, 20)}"
            )
        chosen[quantity] = found[0]
    return chosen


def _complete(table: Table, described: Sequence[Column], chosen: dict[Quantity, Column]) -> dict[Quantity, Column]:
    """Add to the columns chosen by the caller those that their names tell."""
    candidates: dict[Quantity, list[Column]] = {}
    for column in described:
        if column.quantity and column.quantity not in chosen and column not in chosen.values():
            candidates.setdefault(column.quantity, []).append(column)
    found_or_chosen = {*chosen, *candidates}
    ramp = "pulse" in found_or_chosen and not {"voltage", "current"} <= found_or_chosen
    if ramp:
        value: Quantity = "conductance" if "conductance" in found_or_chosen else "current"
        needed: tuple[Quantity, ...] = ("pulse", value)
    else:
        needed = ("voltage", "current")
        _pair(table, candidates, chosen)
    optional: tuple[Quantity, ...] = ("cycle",) if ramp else ("time", "gate_voltage", "gate_current", "cycle")
    for quantity in (*needed, *optional):
        found = candidates.get(quantity, [])
        if quantity in chosen or (not found and quantity in optional):
            continue
        if not found:
            raise table.error(
                f"no column for the {quantity}; columns found: {listed(table.names, 20)}"
                f"{_closest(quantity, table.names)}; name it as "
                f"'{quantity} ({UNITS[quantity] or 'count'})' or give columns={{'{quantity}': '...'}} "
                f"(--read-setting columns.{quantity}=...)",
            )
        if len(found) > 1:
            plain = [c for c in found if not c.stem]
            if len(plain) != 1:
                raise table.error(
                    f"{len(found)} columns could be the {quantity}: {listed(c.name for c in found)}; say which: "
                    f"columns={{'{quantity}': '{found[0].name}'}} (--read-setting columns.{quantity}={found[0].name})",
                )
            found = plain
        chosen[quantity] = found[0]
    if "gate_voltage" not in chosen:
        chosen.pop("gate_current", None)
    return chosen


def _closest(name: str, names: Sequence[str]) -> str:
    near = nearest(name, names)
    return near if near.startswith("; did") else ""


def _pair(table: Table, candidates: Mapping[Quantity, list[Column]], chosen: dict[Quantity, Column]) -> None:
    """Choose voltage and current of one channel: the only channel that has both, or the only one that is swept."""
    voltages = [chosen["voltage"]] if "voltage" in chosen else candidates.get("voltage", [])
    currents = [chosen["current"]] if "current" in chosen else candidates.get("current", [])
    pairs = [(v, i) for v in voltages for i in currents if v.stem == i.stem]
    if len(pairs) > 1:
        spans = []
        for voltage, _ in pairs:
            values, _ = table.numbers([voltage.position], drop_bad_rows=True)
            spans.append(float(np.ptp(values)) if len(values) else 0.0)
        swept = [pair for pair, span in zip(pairs, spans, strict=True) if span > 0.1 * max(spans)]
        pairs = swept if len(swept) == 1 else []
    if len(pairs) == 1:
        chosen["voltage"], chosen["current"] = pairs[0]


def _scale(table: Table, quantity: Quantity, column: Column, units: Mapping[str, str]) -> float:
    if quantity not in units:
        return column.scale
    scale = unit_scale(units[quantity], quantity)
    if scale is None:
        raise table.error(f"'{units[quantity]}' is not a unit of the {quantity}; its SI unit is '{UNITS[quantity]}'")
    return scale


def _check(table: Table, data: Mapping[Quantity, Array], lines: Sequence[int], minimum: int) -> None:
    points = len(lines)
    if points < minimum:
        raise table.error(f"{points} row(s) of data, at least {minimum} are needed")
    for quantity in ("time", "pulse"):
        if quantity not in data:
            continue
        back = np.flatnonzero(np.diff(data[quantity]) <= 0)
        if back.size:
            first = int(back[0])
            before, after = data[quantity][first : first + 2]
            unit = f" {UNITS[quantity]}" if UNITS[quantity] else ""
            raise table.error(
                f"the {quantity} does not rise: {before:g}{unit} is followed by {after:g}{unit}; {back.size} such row(s), on "
                f"line(s) {listed(lines[int(k) + 1] for k in back)}; sort the rows, or give each repetition a number in a "
                "column 'cycle'",
                row=lines[first + 1],
            )


def _sweep(
    data: Mapping[Quantity, Array],
    label: str,
    cycle: int,
    provenance: Provenance,
    direction: Direction | None,
    compliance: float | None,
    compliance_source: ComplianceSource,
    series_resistance: float,
) -> tuple[Sweep, list[str]]:
    voltage, current = data["voltage"], data["current"]
    notes = []
    inverted = current_is_inverted(voltage, current)
    if inverted:
        current = -current
        notes.append("the file counts the current out of the device; its sign was turned round")
    source: ComplianceSource = compliance_source
    if compliance is None:
        compliance = compliance_from_plateau(voltage, current)
        source = "unknown" if compliance is None else "inferred"
        if compliance is not None:
            notes.append(f"no compliance is stated; the flat top of the current shows {compliance:g} A")
    sweep = Sweep(
        voltage=voltage,
        current=current,
        time=data.get("time"),
        label=label,
        cycle=cycle,
        direction=direction or sweep_direction(voltage, current),
        compliance=compliance,
        compliance_source=source,
        series_resistance=series_resistance,
        sign_convention="inverted" if inverted else "passive",
        provenance=provenance,
    )
    return sweep, notes


def _ramp(
    table: Table,
    data: Mapping[Quantity, Array],
    label: str,
    cycle: int,
    provenance: Provenance,
    direction: Direction | None,
    read_voltage: float | None,
) -> PulseRamp:
    if "conductance" in data:
        conductance = data["conductance"]
    elif read_voltage:
        conductance = data["current"] / read_voltage
    else:
        raise table.error("a current after each pulse needs the voltage it was read at: give read_voltage=..., in V")
    rising: Direction = "set" if conductance[-1] > conductance[0] else "reset"
    return PulseRamp(
        pulse=data["pulse"],
        conductance=conductance,
        read_voltage=read_voltage,
        polarity=direction or rising,
        label=label,
        cycle=cycle,
        provenance=provenance,
    )


def _transistor(data: Mapping[Quantity, Array], label: str, cycle: int, provenance: Provenance) -> TransistorCurve:
    return TransistorCurve(
        gate_voltage=data["gate_voltage"],
        drain_voltage=data["voltage"],
        drain_current=data["current"],
        gate_current=data.get("gate_current"),
        time=data.get("time"),
        label=label,
        cycle=cycle,
        provenance=provenance,
    )
