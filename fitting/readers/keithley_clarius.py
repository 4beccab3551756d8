"""Keithley 4200 workbooks, Clarius+ (.xlsx) and KITE (.xls): a sheet a run, plus Calc and Settings sheets."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Literal

import openpyxl
import xlrd

from ...compact.errors import DataError
from .columns import MINIMUM_POINTS, describe, records_from_table
from .records import Direction, Record
from .table import Cell, Table, listed

_MAGIC: dict[bytes, Literal["openpyxl", "xlrd"]] = {b"PK\x03\x04": "openpyxl", b"\xd0\xcf\x11\xe0": "xlrd"}
_OTHER_SHEETS = frozenset({"calc", "settings"})
Settings = dict[str, dict[str, list[str]]]


def matches(path: Path, head: str) -> bool:
    """Whether the file is a workbook."""
    return _engine(path) is not None


def _engine(path: Path) -> Literal["openpyxl", "xlrd"] | None:
    with path.open("rb") as file:
        return _MAGIC.get(file.read(4))


def read(
    path: Path,
    *,
    columns: dict[str, str] | None = None,
    direction: Direction | None = None,
    compliance: float | None = None,
    series_resistance: float = 0.0,
    drop_bad_rows: bool = False,
    minimum_points: int = MINIMUM_POINTS,
) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Read the runs of a workbook, in the order of their numbers.

    The derived columns of the formulator are left alone: voltage and current are the pair that carries one terminal's
    name (AV and AI), or the swept pair when there are several.

    Parameters
    ----------
    path : Path
    columns : mapping of quantity to column name, optional
        Where the names do not tell.
    compliance : float, optional
        [A]; from the Settings sheet when not given, else inferred from a flat top of the current.
    direction, series_resistance, drop_bad_rows, minimum_points
        As in `columns.records_from_table`.

    Returns
    -------
    tuple of Sweep or TransistorCurve, tuple of notes

    Raises
    ------
    DataError
        When it is not a workbook, no sheet holds a sweep, or rows are unusable.
    """
    engine = _engine(path)
    if engine is None:
        raise DataError(path, "not an Excel workbook (.xlsx or .xls)")
    sheets = _sheets(path, engine)
    settings = _settings(sheets)
    tables = [
        t for name, cells in sheets.items() if name.lower() not in _OTHER_SHEETS and (t := _table(path, name, cells))
    ]
    runs = [t for t in tables if columns or {"voltage", "current"} <= {describe(0, n).quantity for n in t.names}]
    if not runs:
        found = "; ".join(f"'{t.sheet}': {listed(t.names, 8)}" for t in tables) or "none with a header"
        raise DataError(
            path,
            "no sheet holds a voltage and a current column (such as Time, AI, AV); this may be a summary of runs, not the runs. "
            f"Sheets: {found}",
        )
    runs.sort(key=lambda t: _run_number(t.sheet))
    records: list[Record] = []
    notes: list[str] = []
    if not any(settings.values()):
        notes.append(
            "the Settings sheet is absent or states nothing: compliance and sweep settings are not known from it"
        )
    for table in runs:
        stated = _compliance(settings.get(str(table.sheet), {})) if compliance is None else None
        found_records, said = records_from_table(
            table,
            columns=columns,
            cycle=len(records) + 1,
            direction=direction,
            compliance=stated if compliance is None else compliance,
            compliance_source="given" if compliance is not None else "stated",
            series_resistance=series_resistance,
            drop_bad_rows=drop_bad_rows,
            minimum_points=minimum_points,
        )
        records.extend(found_records)
        notes.extend(said)
    return tuple(records), tuple(dict.fromkeys(notes))


def _sheets(path: Path, engine: Literal["openpyxl", "xlrd"]) -> dict[str, list[list[Cell]]]:
    """Read the cells of every sheet."""
    try:
        if engine == "xlrd":
            old = xlrd.open_workbook(path, logfile=io.StringIO())  # else it prints its warnings
            return {
                sheet.name: [
                    # the value of an error cell (#REF) is its code, a number
                    ["#error" if cell.ctype == xlrd.XL_CELL_ERROR else cell.value for cell in sheet.row(k)]
                    for k in range(sheet.nrows)
                ]
                for sheet in old.sheets()
            }
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            return {
                name: [[_cell(value) for value in row] for row in book[name].iter_rows(values_only=True)]
                for name in book.sheetnames
            }
    except Exception as error:  # a damaged workbook raises whatever its broken part provokes
        raise DataError(path, f"the workbook cannot be opened: {error}") from error


def _cell(value: object) -> Cell:
    """Keep numbers, text and blanks; a date or a formula becomes text, which is no number to the table."""
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _table(path: Path, sheet: str, cells: list[list[Cell]]) -> Table | None:
    if not cells or not all(isinstance(cell, str) for cell in cells[0] if cell is not None):
        return None
    names = tuple(str(cell).strip() if cell is not None else "" for cell in cells[0])
    return Table(path, names, ("",) * len(names), tuple(cells[1:]), tuple(range(2, len(cells) + 1)), sheet)


def _run_number(sheet: str | None) -> int:
    """Return the number at the end of 'Run122'; sheets without one keep their order."""
    found = re.fullmatch(r"run\s*(\d+)", (sheet or "").strip(), re.IGNORECASE)
    return int(found[1]) if found else 0


def _settings(sheets: dict[str, list[list[Cell]]]) -> Settings:
    """Collect the settings of each run: the blocks between rules of '=', a key a row and a value a terminal."""
    rows = next((cells for name, cells in sheets.items() if name.lower() == "settings"), [])
    texts = [["" if cell is None else str(cell).strip() for cell in row] for row in rows]
    settings: Settings = {}
    run: dict[str, list[str]] = {}
    for before, row, after in zip([[""], *texts], texts, [*texts[1:], [""]], strict=False):
        if _is_rule(before) and _is_rule(after) and not _is_rule(row):
            run = settings.setdefault(row[0], {})
        elif row and row[0] and not _is_rule(row):
            run[row[0]] = row[1:]
    return settings


def _is_rule(row: list[str]) -> bool:
    return bool(row) and len(row[0]) > 3 and set(row[0]) == {"="}


def _compliance(run: dict[str, list[str]]) -> float | None:
    """Compliance [A] of the terminal that is swept."""
    modes = run.get("Operation Mode", [])
    for mode, cell in zip(modes, run.get("Compliance", []), strict=False):
        found = re.match(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", cell)
        if "sweep" in mode.lower() and found:
            return float(found[0])
    return None
