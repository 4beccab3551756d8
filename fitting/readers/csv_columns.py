"""Plain text tables with named columns: ``time (s), voltage (V), current (A)`` and the like.

Also the exports that name channel and run in the header (``Smu1.V[1][1]``), tables of pulse number and conductance, and
transfer curves (gate and drain voltage and current).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .columns import MINIMUM_POINTS, is_unit, knows, records_from_table
from .records import Direction, Record
from .table import is_number, read_table, split


def matches(path: Path, head: str) -> bool:
    """Whether a line of the head names columns."""
    rows, _ = split(head)
    return any(len(row) > 1 and not any(is_number(cell) for cell in row) for row in rows)


def read(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    direction: Direction | None = None,
    compliance: float | None = None,
    series_resistance: float = 0.0,
    read_voltage: float | None = None,
    drop_bad_rows: bool = False,
    minimum_points: int = MINIMUM_POINTS,
) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Read a table with named columns; settings as in `columns.records_from_table`.

    Raises
    ------
    DataError
        With file, line and the usual fix.
    """
    table = read_table(path, is_header=lambda cells: knows(cells, columns), is_unit=is_unit)
    return records_from_table(
        table,
        columns=columns,
        units=units,
        direction=direction,
        compliance=compliance,
        series_resistance=series_resistance,
        read_voltage=read_voltage,
        drop_bad_rows=drop_bad_rows,
        minimum_points=minimum_points,
    )
