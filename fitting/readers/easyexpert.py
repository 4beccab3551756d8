"""Keysight (Agilent) EasyEXPERT text exports of the B1500A family: a set-up block, then DataName and DataValue lines."""

from __future__ import annotations

import re
from pathlib import Path

from ...compact.errors import DataError
from .columns import MINIMUM_POINTS, Column, describe, records_from_table
from .records import Direction, Record
from .table import Table, listed, read_text

_MARKS = ("SetupTitle", "PrimitiveTest", "TestParameter", "MetaData", "DataName")


def matches(path: Path, head: str) -> bool:
    """Whether the first lines carry EasyEXPERT's keywords."""
    lines = [line.split(",")[0].strip() for line in head.splitlines()[:40] if line.strip()]
    return len(set(lines) & set(_MARKS)) >= 2


def read(
    path: Path,
    *,
    channel: str | None = None,
    direction: Direction | None = None,
    compliance: float | None = None,
    series_resistance: float | None = None,
    drop_bad_rows: bool = False,
    minimum_points: int = MINIMUM_POINTS,
) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Read an EasyEXPERT export, which may hold several tests.

    Parameters
    ----------
    path : Path
    channel : str, optional
        Name of the voltage of the channel to read; the swept one (VAR1) when not given.
    compliance, series_resistance : float, optional
        [A], [ohm]; those of the set-up block when not given.
    direction, drop_bad_rows, minimum_points
        As in `columns.records_from_table`.

    Returns
    -------
    tuple of Sweep or TransistorCurve, tuple of notes

    Raises
    ------
    DataError
        Without a DataName line or the channel, and for unusable rows.
    """
    records: list[Record] = []
    notes: list[str] = []
    setup: dict[str, list[str]] = {}
    names: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []

    def finish() -> None:
        if not names:
            return
        size = _integer(setup.get("Dimension1", []), len(rows)) or len(rows)
        for start in range(0, len(rows), max(size, 1)):
            table = Table(
                path,
                tuple(names),
                ("",) * len(names),
                tuple(rows[start : start + size]),
                tuple(lines[start : start + size]),
            )
            found, said = records_from_table(
                table,
                label=_text(setup, "SetupTitle") or path.stem,
                columns=_swept(table, setup, channel),
                cycle=len(records) + 1,
                direction=direction,
                compliance=_compliance(setup) if compliance is None else compliance,
                compliance_source="stated" if compliance is None else "given",
                series_resistance=_resistor(setup) if series_resistance is None else series_resistance,
                drop_bad_rows=drop_bad_rows,
                minimum_points=minimum_points,
            )
            records.extend(found)
            notes.extend(said)

    for number, line in enumerate(read_text(path).splitlines(), 1):
        key, *cells = [cell.strip() for cell in line.split(",")]
        if key == "SetupTitle" or (key == "DataName" and names):
            finish()
            names, rows, lines = [], [], []
            if key == "SetupTitle":
                setup = {}
        if key in ("TestParameter", "MetaData", "AnalysisSetup") and cells:
            setup[cells[0]] = cells[1:]
        elif key == "DataName":
            names = cells
        elif key == "DataValue":
            rows.append(cells)
            lines.append(number)
        elif key:
            setup[key] = cells
    finish()
    if not records:
        raise DataError(
            path, "no DataName line: this EasyEXPERT export holds the set-up only; export the result, not the set-up"
        )
    return tuple(records), tuple(dict.fromkeys(notes))


def _text(setup: dict[str, list[str]], key: str) -> str:
    return ", ".join(setup.get(key, []))


def _integer(cells: list[str], default: int) -> int:
    return int(cells[0]) if cells and cells[0].isdigit() else default


def _channel_index(setup: dict[str, list[str]], voltage: str) -> int | None:
    names = setup.get("Channel.VName", [])
    return names.index(voltage) if voltage in names else None


def _swept(table: Table, setup: dict[str, list[str]], channel: str | None) -> dict[str, str]:
    """Voltage and current of the swept channel, and its time, as the set-up names them."""
    voltages, currents = setup.get("Channel.VName", []), setup.get("Channel.IName", [])
    wanted = channel
    if channel is not None and channel not in table.names:
        raise table.error(f"there is no column {channel!r} for the channel; columns found: {listed(table.names, 20)}")
    if wanted is None:
        wanted = next((v for v, f in zip(voltages, setup.get("Channel.Func", []), strict=False) if f == "VAR1"), None)
    if wanted not in table.names:
        return {}
    chosen = {"voltage": str(wanted)}
    index = _channel_index(setup, str(wanted))
    if index is not None and index < len(currents) and currents[index] in table.names:
        chosen["current"] = currents[index]
    gate = [c for c in _described(table) if c.quantity == "gate_voltage"]
    return {} if gate else chosen


def _described(table: Table) -> list[Column]:
    return [describe(k, name) for k, name in enumerate(table.names)]


def _compliance(setup: dict[str, list[str]]) -> float | None:
    """Compliance of the primary sweep [A]."""
    for cell in setup.get("Measurement.Primary.Compliance", []):
        try:
            return float(cell)
        except ValueError:
            continue
    return None


def _resistor(setup: dict[str, list[str]]) -> float:
    """Return the SMU's own series resistor [ohm] on the swept channel (``NONE`` or for instance ``1M``)."""
    swept = setup.get("Channel.Func", [])
    resistors = setup.get("Measurement.Port.SeriesResistor", [])
    index = swept.index("VAR1") if "VAR1" in swept else 0
    found = re.match(r"([\d.]+)\s*([kM]?)", resistors[index]) if index < len(resistors) else None
    return float(found[1]) * {"": 1.0, "k": 1e3, "M": 1e6}[found[2]] if found else 0.0
