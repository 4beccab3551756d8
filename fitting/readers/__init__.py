"""Measured data in, records out: ``read(path)`` recognises the layout of a file and returns a `Dataset`.

What a file does not say (compliance, series resistance, read voltage, which column is which) is given as settings, or in
a ``dataset.toml`` beside it (see `sidecar`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from ...compact.errors import DataError, UnknownNameError
from . import csv_columns, easyexpert, headerless, keithley_clarius, oscilloscope, ramps
from .records import Dataset, Provenance, PulseRamp, Record, Sweep, TransistorCurve
from .sidecar import read_sidecar
from .table import decode

__all__ = [
    "LAYOUTS",
    "Dataset",
    "Layout",
    "Provenance",
    "PulseRamp",
    "Record",
    "Sweep",
    "TransistorCurve",
    "layouts",
    "read",
]

_KINDS: dict[str, tuple[str, type]] = {
    "float": ("a number", Real),
    "int": ("a whole number", Integral),
    "bool": ("true or false", bool),
    "str": ("a text", str),
    "dict[str, str]": ("a table of names", Mapping),
    "Mapping[str, str]": ("a table of names", Mapping),
}
"""What a reader's setting must be, by its annotation."""

_HEAD = 65536  # bytes; set-up blocks of some instruments are long


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One kind of file.

    Attributes
    ----------
    name : str
    summary : str
        One line for the command line's help.
    matches : callable (path, head) -> bool
        Tells from the beginning of the text whether a file has this layout.
    read : callable (path, **settings) -> (records, notes)
    """

    name: str
    summary: str
    matches: Callable[[Path, str], bool]
    read: Callable[..., tuple[tuple[Record, ...], tuple[str, ...]]]

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of the settings that the reader takes."""
        return tuple(inspect.signature(self.read).parameters)[1:]

    def fault(self, name: str, value: Any) -> str | None:
        """Return why a value is none for a setting of the reader, or None."""
        kind = str(inspect.signature(self.read).parameters[name].annotation).removesuffix(" | None")
        expected = _KINDS.get(kind)
        if expected is None:
            return None
        words, types = expected
        good = isinstance(value, types) and (isinstance(value, bool) == (types is bool))
        return None if good or value is None else f"the setting {name} = {value!r} is not {words}"


# in the order in which they are tried: from the most particular to the most general
LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            name="keithley",
            summary="Keithley 4200 workbook, Clarius+ (.xlsx) or KITE (.xls): a sheet a run",
            matches=keithley_clarius.matches,
            read=keithley_clarius.read,
        ),
        Layout(
            name="easyexpert",
            summary="Keysight B1500A EasyEXPERT text export",
            matches=easyexpert.matches,
            read=easyexpert.read,
        ),
        Layout(
            name="oscilloscope",
            summary="oscilloscope export (time, channels); needs series_resistance",
            matches=oscilloscope.matches,
            read=oscilloscope.read,
        ),
        Layout(
            name="ramps",
            summary="pulse ramps: one ramp a column, one read current (A) a row",
            matches=ramps.matches,
            read=ramps.read,
        ),
        Layout(
            name="headerless",
            summary="two or three columns of numbers without a header",
            matches=headerless.matches,
            read=headerless.read,
        ),
        Layout(
            name="columns",
            summary="text table with named columns, such as time (s), voltage (V), current (A)",
            matches=csv_columns.matches,
            read=csv_columns.read,
        ),
    )
}


def layouts() -> dict[str, str]:
    """Name and one-line summary of each layout, for the command line."""
    return {layout.name: layout.summary for layout in LAYOUTS.values()}


def read(path: str | Path, *, layout: str | None = None, **settings: Any) -> Dataset:
    """Read measured data.

    Parameters
    ----------
    path : str or Path
    layout : str, optional
        One of `layouts`; recognised from the file's content when not given.
    **settings
        What the file does not say, for instance ``compliance=5e-4`` [A], ``series_resistance=1e5`` [ohm],
        ``read_voltage=0.1`` [V], ``columns={"voltage": "Smu1.V[1][1]"}``. They go before those of a ``dataset.toml``.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        When the file cannot be read as measured data; says where and what usually helps.
    UnknownNameError
        For an unknown layout or setting.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(path, "this is a folder, not a data file" if path.is_dir() else "there is no such file")
    beside = read_sidecar(path)
    stated = dict(beside.settings)
    stated_layout = stated.pop("layout", None)
    chosen = _layout(path, layout or stated_layout)
    for name in settings:
        if name not in chosen.settings:
            raise UnknownNameError(f"setting of layout '{chosen.name}'", name, chosen.settings)
    for name in stated:
        if not any(name in known.settings for known in LAYOUTS.values()):
            raise DataError(
                path.parent / "dataset.toml",
                f"unknown setting '{name}'; layout '{chosen.name}' takes {', '.join(chosen.settings)}",
            )
    applicable = {name: value for name, value in stated.items() if name in chosen.settings}
    given = {**applicable, **settings}
    faults = [fault for name, value in given.items() if (fault := chosen.fault(name, value)) is not None]
    if faults:
        raise DataError(path, "; ".join(faults))
    records, notes = chosen.read(path, **given)
    return Dataset(
        records=records,
        title=beside.title or path.stem,
        licence=beside.licence,
        credit=beside.credit,
        notes=(*beside.notes, *notes),
    )


def _layout(path: Path, name: str | None) -> Layout:
    if name is not None:
        if name not in LAYOUTS:
            raise UnknownNameError("layout", name, LAYOUTS)
        return LAYOUTS[name]
    try:
        with path.open("rb") as file:
            data = file.read(_HEAD)
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from error
    if not data.strip():
        raise DataError(path, "the file is empty")
    head = decode(data)
    for layout in LAYOUTS.values():
        if layout.matches(path, head):
            return layout
    known = "\n".join(f"  {key}: {summary}" for key, summary in layouts().items())
    raise DataError(
        path,
        f"the layout of this file is not known; name one with layout=... (--layout) if it is one of these:\n{known}",
    )
