"""What a device is driven with: piecewise-linear waveforms, and the bench that connects them to its terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .constants import ROOM_TEMPERATURE
from .errors import ParameterError, nearest

LIMITER_SHARPNESS = 8
"""Half the exponent of the compliance limiter: at twice the corner voltage the current is within 1e-6 of compliance."""

LIMITER_DROP = 1e-3
"""Voltage [V] across a source in compliance that has no series resistance: sets the limiter's own resistance."""


@dataclass(frozen=True)
class Waveform:
    """A continuous piecewise-linear voltage.

    Attributes
    ----------
    time : tuple of float
        Breakpoints [s], strictly rising, starting at 0.
    value : tuple of float
        Voltages [V] at the breakpoints; the last one holds.
    """

    time: tuple[float, ...]
    value: tuple[float, ...]

    def __post_init__(self) -> None:
        time, value = np.asarray(self.time, float), np.asarray(self.value, float)
        faults = []
        if time.shape != value.shape or time.size < 1:
            faults.append(f"{time.size} times for {value.size} voltages; they must be as many, and one at least")
        elif not (np.isfinite(time).all() and np.isfinite(value).all()):
            faults.append("a time or voltage is not finite")
        else:
            if time[0] != 0:
                faults.append(f"the first time is {time[0]:g} s; it must be 0")
            steps = np.flatnonzero(np.diff(time) <= 0)
            if steps.size:
                k = int(steps[0])
                faults.append(
                    f"time does not rise at point {k + 2}: {time[k]:g} s then {time[k + 1]:g} s; give an edge a finite rise time"
                )
        if faults:
            raise ParameterError("waveform", faults)
        object.__setattr__(self, "time", tuple(time.tolist()))
        object.__setattr__(self, "value", tuple(value.tolist()))

    @classmethod
    def constant(cls, voltage: float) -> Waveform:
        """Return a DC voltage [V]."""
        return cls((0.0,), (float(voltage),))

    @classmethod
    def from_steps(cls, start: float, steps: Sequence[tuple[float, float]]) -> Waveform:
        """Return the waveform that starts at ``start`` [V] and moves by (duration [s], voltage [V]) steps."""
        duration, value = np.array(steps, float).reshape(-1, 2).T
        time = np.concatenate([[0.0], np.cumsum(duration)])
        return cls(tuple(time), (start, *value))

    @property
    def duration(self) -> float:
        """Time of the last breakpoint [s]."""
        return self.time[-1]

    @property
    def shortest_feature(self) -> float:
        """The shortest segment [s]; infinite for a constant."""
        return float(np.min(np.diff(self.time))) if len(self.time) > 1 else float("inf")

    def __call__(self, time: ArrayLike) -> np.ndarray:
        """Return the voltage [V] at times [s], any shape."""
        return np.asarray(np.interp(np.asarray(time, float), self.time, self.value))

    def scaled(self, factor: float) -> Waveform:
        """Return the waveform with every voltage multiplied."""
        return Waveform(self.time, tuple(factor * v for v in self.value))


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A source at one terminal, against ground.

    Attributes
    ----------
    waveform : Waveform
    series_resistance : float
        Between source and terminal [ohm].
    compliance : float or None
        Largest current that the source gives, of either sign [A].
    """

    waveform: Waveform
    series_resistance: float = 0.0
    compliance: float | None = None

    def __post_init__(self) -> None:
        faults = []
        if not (np.isfinite(self.series_resistance) and self.series_resistance >= 0):
            faults.append(f"series resistance {self.series_resistance:g} ohm must be finite and not negative")
        if self.compliance is not None and not (np.isfinite(self.compliance) and self.compliance > 0):
            faults.append(f"compliance {self.compliance:g} A must be finite and above 0 (leave it out for none)")
        if faults:
            raise ParameterError("drive", faults)
        object.__setattr__(self, "series_resistance", float(self.series_resistance))
        object.__setattr__(self, "compliance", None if self.compliance is None else float(self.compliance))

    @property
    def has_impedance(self) -> bool:
        """Whether the terminal's voltage differs from the source's."""
        return self.series_resistance > 0 or self.compliance is not None

    @property
    def resistance(self) -> float:
        """Resistance of the source in its linear range [ohm].

        With compliance the source follows i = u/R / (1 + (u/(R I_c))^16)^(1/16), u its voltage drop: R up to the
        compliance I_c, then flat.
        """
        if self.compliance is None:
            return self.series_resistance
        return max(self.series_resistance, LIMITER_DROP / self.compliance)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A device with sources at its terminals; terminals without a source are grounded.

    Attributes
    ----------
    drives : mapping of terminal to Drive
        At most one may have an impedance.
    temperature : float
        Ambient temperature [K].
    frozen : bool
        Hold the states at their initial values.
    """

    drives: Mapping[str, Drive]
    temperature: float = ROOM_TEMPERATURE
    frozen: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", float(self.temperature))

    def check_terminals(self, device: str, terminals: Sequence[str]) -> None:
        """Check that the device has a terminal for every source.

        Raises
        ------
        ParameterError
        """
        faults = [
            f"a source at '{t}', which is no terminal{nearest(t, terminals)}" for t in self.drives if t not in terminals
        ]
        if faults:
            raise ParameterError(f"bench of device '{device}'", faults)

    @property
    def breakpoints(self) -> np.ndarray:
        """All sources' breakpoints [s], sorted, without repeats."""
        return np.unique(np.concatenate([np.asarray(d.waveform.time) for d in self.drives.values()]))

    @property
    def duration(self) -> float:
        """Time of the last breakpoint [s]."""
        return float(self.breakpoints[-1])

    @property
    def shortest_feature(self) -> float:
        """The shortest segment of any source [s]; infinite when all are constant."""
        return min(d.waveform.shortest_feature for d in self.drives.values())


def check_duration(duration: float) -> None:
    """Check that a stimulus lasts: ``duration`` [s] is above 0.

    Raises
    ------
    ParameterError
    """
    if not duration > 0:
        raise ParameterError(
            "stimulus", ["it is constant, so the run has no duration: give a waveform a second point, at the run's end"]
        )
