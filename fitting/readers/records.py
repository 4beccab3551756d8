"""Measured data as the fits take them: frozen records in SI units, each with the circuit it was measured in.

Every record uses one sign convention: a current is positive when it flows into the terminal to which a positive voltage
is applied, so that a passive device has current and voltage of one sign.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Direction: TypeAlias = Literal["set", "reset"]
SignConvention: TypeAlias = Literal["passive", "inverted"]
ComplianceSource: TypeAlias = Literal["given", "stated", "inferred", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a record was read.

    Attributes
    ----------
    path : Path
        The file.
    sheet : str or None
        The sheet of a workbook.
    columns : tuple of (quantity, column name)
        Which column served as which quantity.
    """

    path: Path
    sheet: str | None = None
    columns: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        place = self.path.name + (f", sheet '{self.sheet}'" if self.sheet else "")
        return place + (f" ({', '.join(f'{q} = {c}' for q, c in self.columns)})" if self.columns else "")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Record:
    """What all records share; arrays become read-only floats of one length."""

    label: str
    cycle: int = 1
    provenance: Provenance

    def __post_init__(self) -> None:
        lengths = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value = np.array(value, dtype=float)
                value.flags.writeable = False
                object.__setattr__(self, item.name, value)
                lengths[item.name] = value.shape
        if len(set(lengths.values())) != 1 or len(next(iter(lengths.values()))) != 1:
            raise ValueError(
                f"{type(self).__name__} '{self.label}' needs one-dimensional arrays of one length, got {lengths}"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Sweep(_Record):
    """Current against the voltage that the source applied, in the order of measurement.

    Attributes
    ----------
    voltage : array of shape (points,)
        Voltage of the source [V]; over the device and its series resistance together.
    current : array of shape (points,)
        Current [A], positive into the positive terminal.
    time : array of shape (points,) or None
        Time of each point [s], strictly increasing; None when the source does not say.
    label : str
        Name for legends and messages.
    cycle : int
        Which repetition, from 1, in the order of measurement.
    direction : {"set", "reset"} or None
        Whether the conductance rose or fell; None for a full loop or no change.
    compliance : float or None
        Largest current that the source allowed [A]; None when there was no limit or it is not known.
    compliance_source : {"given", "stated", "inferred", "unknown"}
        Given by the caller, stated in the file, inferred from a flat top of the current, or unknown.
    series_resistance : float
        Resistance between source and device [ohm].
    sign_convention : {"passive", "inverted"}
        How the file counts the current; an inverted one has been turned round here.
    provenance : Provenance
        File, sheet and columns.
    """

    voltage: Array
    current: Array
    time: Array | None = None
    direction: Direction | None = None
    compliance: float | None = None
    compliance_source: ComplianceSource = "unknown"
    series_resistance: float = 0.0
    sign_convention: SignConvention = "passive"

    @property
    def in_compliance(self) -> NDArray[np.bool_]:
        """Points at which the source limited the current (within 2 %); there it did not apply ``voltage``."""
        if self.compliance is None:
            return np.zeros(self.current.shape, dtype=bool)
        return np.asarray(np.abs(self.current) >= 0.98 * self.compliance)

    @property
    def device_voltage(self) -> Array:
        """Voltage over the device [V]; not known in compliance, where it is NaN."""
        voltage = self.voltage - self.series_resistance * self.current
        return np.where(self.in_compliance, np.nan, voltage)


@dataclass(frozen=True, kw_only=True, eq=False)
class PulseRamp(_Record):
    """Conductance read after each of a train of equal pulses.

    Attributes
    ----------
    pulse : array of shape (pulses,)
        Number of pulses applied before the read, 1 for the first row.
    conductance : array of shape (pulses,)
        Read current over read voltage [S].
    read_voltage : float or None
        [V]; None when the file gives conductances and does not say.
    polarity : {"set", "reset"}
        Conductance rising or falling.
    amplitude, width, period : float or None
        Of the pulses [V], [s], [s]; None when the source does not say.
    label, cycle, provenance
        As in `Sweep`.
    """

    pulse: Array
    conductance: Array
    read_voltage: float | None
    polarity: Direction
    amplitude: float | None = None
    width: float | None = None
    period: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class TransistorCurve(_Record):
    """Drain current against gate and drain voltage: a transfer or an output curve.

    Attributes
    ----------
    gate_voltage, drain_voltage : array of shape (points,)
        Against the source terminal [V].
    drain_current : array of shape (points,)
        [A], positive into the drain.
    gate_current : array of shape (points,) or None
        [A], positive into the gate.
    time : array of shape (points,) or None
        [s].
    label, cycle, provenance
        As in `Sweep`.
    """

    gate_voltage: Array
    drain_voltage: Array
    drain_current: Array
    gate_current: Array | None = None
    time: Array | None = None


Record: TypeAlias = Sweep | PulseRamp | TransistorCurve


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Records that belong together, with the credit that they need.

    Attributes
    ----------
    records : tuple of Sweep, PulseRamp or TransistorCurve
        In the order of measurement, as far as the source tells it.
    title, licence, credit : str
        Empty when not known.
    notes : tuple of str
        What the reader assumed, inferred or turned round.
    """

    records: tuple[Record, ...]
    title: str = ""
    licence: str = ""
    credit: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """The sweeps among the records."""
        return tuple(r for r in self.records if isinstance(r, Sweep))

    @property
    def ramps(self) -> tuple[PulseRamp, ...]:
        """The pulse ramps among the records."""
        return tuple(r for r in self.records if isinstance(r, PulseRamp))

    @property
    def transistor_curves(self) -> tuple[TransistorCurve, ...]:
        """The transistor curves among the records."""
        return tuple(r for r in self.records if isinstance(r, TransistorCurve))

    @staticmethod
    def combine(datasets: Iterable[Dataset]) -> Dataset:
        """Join data sets, for instance a SET and a RESET file of one device; equal texts are kept once."""
        parts = tuple(datasets)

        def joined(texts: Iterable[str]) -> str:
            return "; ".join(dict.fromkeys(t for t in texts if t))

        return Dataset(
            records=tuple(r for part in parts for r in part.records),
            title=joined(p.title for p in parts),
            licence=joined(p.licence for p in parts),
            credit=joined(p.credit for p in parts),
            notes=tuple(dict.fromkeys(n for p in parts for n in p.notes)),
        )
