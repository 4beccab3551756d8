"""Numbers without a header: time, current and voltage in two or three columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...compact.errors import DataError
from .columns import MINIMUM_POINTS, Quantity, records_from_table
from .records import Direction, Record
from .table import Table, is_number, listed, read_text, split


def matches(path: Path, head: str) -> bool:
    """Whether the first lines are rows of two or three numbers."""
    rows, _ = split(head)
    return bool(rows) and all(len(row) in (2, 3) and all(is_number(cell) for cell in row) for row in rows[:5])


def read(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    direction: Direction | None = None,
    compliance: float | None = None,
    series_resistance: float = 0.0,
    drop_bad_rows: bool = False,
    minimum_points: int = MINIMUM_POINTS,
) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Read numbers without a header.

    Parameters
    ----------
    path : Path
    columns : sequence of str, optional
        The quantities in order, such as ``("time", "current", "voltage")``. When not given, three columns start with the
        time, and the larger of the two others is the voltage (true for any device above 1 ohm); a note says so.
    direction, compliance, series_resistance, drop_bad_rows, minimum_points
        As in `columns.records_from_table`.

    Returns
    -------
    tuple of Sweep, tuple of notes

    Raises
    ------
    DataError
        With file, line and the usual fix.
    """
    rows, lines = split(read_text(path))
    widths = {len(row) for row in rows}
    if columns is not None:
        widths |= {len(columns)}
    if len(widths) != 1 or not widths <= {2, 3}:
        odd = next((n for n, row in zip(lines, rows, strict=True) if len(row) != len(rows[0])), None)
        expected = f", while {len(columns)} columns were named" if columns is not None else ""
        raise DataError(
            path, f"two or three numbers a line are needed, found {listed(sorted(widths))}{expected}", row=odd
        )
    width = widths.pop()
    plain = Table(path, tuple(f"column {k + 1}" for k in range(width)), ("",) * width, tuple(rows), tuple(lines))
    notes: tuple[str, ...] = ()
    if columns is None:
        values, _ = plain.numbers(range(width), drop_bad_rows=drop_bad_rows)
        size = np.abs(values).max(axis=0) if len(values) else np.zeros(width)
        names: tuple[Quantity, ...] = ("voltage", "current") if size[-2] > size[-1] else ("current", "voltage")
        columns = ("time", *names) if width == 3 else names
        notes = (f"no header: the columns were taken as {', '.join(columns)}, in SI units",)
    records, more = records_from_table(
        plain,
        columns={quantity: f"column {k + 1}" for k, quantity in enumerate(columns)},
        direction=direction,
        compliance=compliance,
        series_resistance=series_resistance,
        drop_bad_rows=drop_bad_rows,
        minimum_points=minimum_points,
    )
    return records, notes + more
