"""Pulse ramps side by side: one ramp a column, one read current a row after each pulse, columns of different length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...compact.errors import DataError
from .records import Direction, Provenance, PulseRamp
from .table import is_number, listed, read_table, split

_NUMBERED = re.compile(r"^(?P<stem>[A-Za-z][A-Za-z _.-]*?)[ _#.-]*(?P<number>\d+)$")
_NOT_RAMPS = frozenset({"v", "i", "t", "voltage", "current", "time", "x", "y", "ch", "channel", "smu"})
READ_VOLTAGE = 0.1


def _numbers(cells: Sequence[str]) -> list[int] | None:
    """Numbers of columns that share one name (``rmp1, rmp2, ...``), else None."""
    found = [_NUMBERED.match(cell) for cell in cells]
    stems = {m["stem"].lower() for m in found if m}
    if len(cells) < 2 or not all(found) or len(stems) != 1 or stems & _NOT_RAMPS:
        return None
    return [int(m["number"]) for m in found if m]


def matches(path: Path, head: str) -> bool:
    """Whether the first line names columns that differ in their number only, with numbers below."""
    rows, _ = split(head)
    return len(rows) > 1 and _numbers(rows[0]) is not None and any(is_number(cell) for cell in rows[1])


def read(
    path: Path,
    *,
    read_voltage: float = READ_VOLTAGE,
    polarity: Direction | None = None,
    amplitude: float | None = None,
    width: float | None = None,
    period: float | None = None,
    minimum_points: int = 3,
) -> tuple[tuple[PulseRamp, ...], tuple[str, ...]]:
    """Read pulse ramps.

    Parameters
    ----------
    path : Path
    read_voltage : float
        [V]; the conductance is the read current over it.
    polarity : {"set", "reset"}, optional
        Whether the pulses raise or lower the conductance; told from each ramp's ends when not given.
    amplitude, width, period : float, optional
        Of the pulses [V], [s], [s].
    minimum_points : int
        Fewest pulses that make a ramp.

    Returns
    -------
    tuple of PulseRamp, tuple of notes

    Raises
    ------
    DataError
        For a blank within a ramp, text, a ramp that is too short, or a read voltage of zero.
    """
    if not np.isfinite(read_voltage) or read_voltage == 0:
        raise DataError(path, f"the read voltage must be a finite number other than 0 V, not {read_voltage!r}")
    table = read_table(path, is_header=lambda cells: _numbers(cells) is not None, is_unit=lambda cell: False)
    cycles = _numbers(table.names)
    if cycles is None:
        raise DataError(
            path, f"not a table of ramps: the columns are not one name with numbers (found {listed(table.names)})"
        )
    records = []
    for position, (name, cycle) in enumerate(zip(table.names, cycles, strict=True)):
        current, _ = table.numbers([position])
        if len(current) < minimum_points:
            raise DataError(path, f"ramp '{name}' has {len(current)} pulse(s), at least {minimum_points} are needed")
        conductance = current[:, 0] / read_voltage
        rising: Direction = "set" if conductance[-1] > conductance[0] else "reset"
        records.append(
            PulseRamp(
                pulse=np.arange(1.0, len(conductance) + 1),
                conductance=conductance,
                read_voltage=read_voltage,
                polarity=polarity or rising,
                amplitude=amplitude,
                width=width,
                period=period,
                label=f"{polarity or rising} {cycle}",
                cycle=cycle,
                provenance=Provenance(path=path, columns=(("current", name),)),
            )
        )
    notes: tuple[str, ...] = (f"conductance is the current in the file over a read voltage of {read_voltage:g} V",)
    if amplitude is None or width is None:
        notes += ("the file does not say the amplitude and width of the pulses",)
    return tuple(records), notes
