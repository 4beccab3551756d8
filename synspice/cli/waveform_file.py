"""The waveform that ``synspice run waveform --waveform FILE.csv`` reads."""

from __future__ import annotations

from pathlib import Path

from ..compact.errors import DataError, ParameterError
from ..compact.stimulus import Waveform
from ..fitting.readers.columns import describe, is_unit, knows
from ..fitting.readers.table import read_table


def read_waveform(path: Path) -> Waveform:
    """Read a waveform from a text table with a time and a voltage column.

    Raises
    ------
    DataError
        For a missing column, a cell that is no number, a time that does not start at 0 and rise.
    """
    table = read_table(path, is_header=knows, is_unit=is_unit)
    named = zip(table.names, table.units, strict=True)
    columns = {c.quantity: c for c in [describe(i, name, unit) for i, (name, unit) in enumerate(named)]}
    missing = [q for q in ("time", "voltage") if q not in columns]
    if missing:
        raise table.error(f"no column of {' and '.join(missing)}; it has {', '.join(table.names)}")
    time, voltage = columns["time"], columns["voltage"]
    numbers, _ = table.numbers([time.position, voltage.position])
    try:
        return Waveform(tuple(numbers[:, 0] * time.scale), tuple(numbers[:, 1] * voltage.scale))
    except ParameterError as error:
        raise DataError(path, "; ".join(error.faults)) from error
