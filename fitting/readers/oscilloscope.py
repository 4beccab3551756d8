"""Oscilloscope exports: a device in series with a resistor, one channel on the resistor, one on the source.

Keysight (``x-axis,1,2`` / ``second,Volt,Volt``), Rigol (``X,CH1,CH2``) and Tektronix (``TIME,CH1,CH2``, after a preamble).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...compact.errors import DataError
from .columns import MINIMUM_POINTS, describe, is_unit, records_from_table
from .records import Direction, Sweep
from .table import Table, listed, read_table, split

_TIME = re.compile(r"^(x-axis|x|time|second|t)\b", re.IGNORECASE)
_CHANNEL = re.compile(r"^(?:ch(?:annel)?\s*)?(?P<number>\d)\b", re.IGNORECASE)


def _is_header(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return len(filled) > 1 and bool(_TIME.match(filled[0])) and bool(_CHANNEL.match(filled[1]))


def matches(path: Path, head: str) -> bool:
    """Whether a line of the head is a time axis followed by channel numbers."""
    return any(_is_header(row) for row in split(head)[0])


def read(
    path: Path,
    *,
    series_resistance: float | None = None,
    resistor_channel: int = 1,
    source_channel: int = 2,
    offsets: tuple[float, float] = (0.0, 0.0),
    direction: Direction | None = None,
    compliance: float | None = None,
    drop_bad_rows: bool = False,
    minimum_points: int = MINIMUM_POINTS,
) -> tuple[tuple[Sweep, ...], tuple[str, ...]]:
    """Read an oscilloscope export.

    Parameters
    ----------
    path : Path
    series_resistance : float
        The resistor in series with the device [ohm]; needed, since no export states it.
    resistor_channel, source_channel : int
        Channels on the resistor and on the source; the device's voltage is their difference.
    offsets : (float, float)
        Offset voltages of these two channels, subtracted [V].
    direction, compliance, drop_bad_rows, minimum_points
        As in `columns.records_from_table`.

    Returns
    -------
    tuple of one Sweep, tuple of notes
        ``voltage`` is the source's; `Sweep.device_voltage` is that of the device.

    Raises
    ------
    DataError
        Without a series resistance or a channel, and for unusable rows.
    """
    if series_resistance is None or not series_resistance > 0:
        raise DataError(
            path,
            "an oscilloscope records voltages only: give series_resistance=..., the resistor in series with the device, in ohm "
            f"(here over channel {resistor_channel}; change resistor_channel and source_channel if need be)",
        )
    table = read_table(path, is_header=_is_header, is_unit=is_unit)
    channels = {int(m["number"]): k for k, name in enumerate(table.names) if (m := _CHANNEL.match(name))}
    for channel in (resistor_channel, source_channel):
        if channel not in channels:
            raise DataError(path, f"there is no channel {channel}; channels found: {listed(sorted(channels))}")
    positions = [0, channels[resistor_channel], channels[source_channel]]
    numbers, lines = table.numbers(positions, drop_bad_rows=drop_bad_rows)
    time_scale = describe(0, "time", table.units[0]).scale
    scales = [describe(0, "voltage", table.units[k]).scale for k in positions[1:]]
    over_resistor, source = (numbers[:, k] * scales[k - 1] - offsets[k - 1] for k in (1, 2))
    columns = np.column_stack([numbers[:, 0] * time_scale, source, over_resistor / series_resistance])
    names = (
        table.names[positions[0]] or "time",
        f"channel {source_channel}",
        f"channel {resistor_channel} / series resistance",
    )
    plain = Table(path, names, ("",) * 3, tuple(columns.tolist()), lines)
    records, notes = records_from_table(
        plain,
        columns=dict(zip(("time", "voltage", "current"), names, strict=True)),
        direction=direction,
        compliance=compliance,
        series_resistance=series_resistance,
        minimum_points=minimum_points,
    )
    said = f"current is the voltage of channel {resistor_channel} over {series_resistance:g} ohm; offsets removed: {offsets} V"
    return tuple(r for r in records if isinstance(r, Sweep)), (said, *notes)
