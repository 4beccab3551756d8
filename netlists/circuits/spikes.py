"""Spikes of the neurons around a gate: piecewise-linear shapes, the four forms of plasticity that they give, delays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...compact.stimulus import Waveform

LEAST_CORNER = 1e-9
"""Corners closer than this part of the whole are one."""


@dataclass(frozen=True)
class Spike:
    """A voltage that is zero before its first point and after its last; time 0 is the neuron's firing.

    Attributes
    ----------
    time : tuple of float
        Seconds, rising.
    value : tuple of float
        Volts.
    """

    time: tuple[float, ...]
    value: tuple[float, ...]

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]]) -> Spike:
        """Return the spike through (time, voltage) points."""
        return cls(tuple(float(t) for t, _ in points), tuple(float(v) for _, v in points))

    def scaled(self, time: float, voltage: float) -> Spike:
        """Return the spike with its times and voltages multiplied."""
        return Spike(tuple(time * t for t in self.time), tuple(voltage * v for v in self.value))

    def __call__(self, time: np.ndarray) -> np.ndarray:
        """Return the voltage [V] at times [s] from the firing."""
        return np.asarray(np.interp(time, self.time, self.value, left=0.0, right=0.0))

    def waveform(self, firing: float, end: float) -> Waveform:
        """Return the waveform from 0 to ``end`` [s] with the neuron firing at ``firing`` [s]."""
        return self.train(np.array([firing]), end)

    def train(self, firings: np.ndarray, end: float) -> Waveform:
        """Return the waveform from 0 to ``end`` [s] with the neuron firing at times [s], one spike after the other."""
        time = (firings[:, None] + np.array(self.time)).ravel().tolist()
        return Waveform((0.0, *time, end), (0.0, *(self.value * len(firings)), 0.0))

    def parts(self) -> list[float]:
        """Return how long each part of one sign lasts [s], from zero to zero."""
        time, value = np.array(self.time), np.array(self.value)
        turns = np.flatnonzero(value[:-1] * value[1:] < 0)
        crossed = time[turns] + np.diff(time)[turns] * value[turns] / (value[turns] - value[turns + 1])
        zeros = np.unique(np.concatenate([time[[0, -1]], time[value == 0], crossed]))
        middle = (zeros[:-1] + zeros[1:]) / 2
        return [float(length) for length in np.diff(zeros)[self(middle) != 0]]

    @property
    def length(self) -> float:
        """From the first point to the last [s]."""
        return self.time[-1] - self.time[0]


SILENT = Spike((-1.0, 0.0, 1.0), (0.0, 0.0, 0.0))
"""A neuron that does not fire."""

_CANONICAL = Spike.of([(-26, 0), (-25, -6.5), (-1, -6.5), (0, 5.0), (160, 0)])
_LTP_ONLY = Spike.of(
    [(-462, 0), (-460, -1.6), (-62, -1.6), (-60, 0), (0, 6.5), (60, 0), (62, -1.6), (460, -1.6), (462, 0)]
)
_SYMMETRIC = Spike.of(
    [(-112, 0), (-110, -3.8), (-32, -3.8), (-30, 0), (0, 6.5), (30, 0), (32, -3.8), (110, -3.8), (112, 0)]
)
_DEAD_ZONE = Spike.of([(-26, 0), (-25, -6.5), (-1, -6.5), (0, 0), (60, 0), (61, 5.9), (180, 0)])

PEAK = 6.5
"""Largest voltage [V] of the forms' spikes; their times are in multiples of a unit, 1 ms in the slowest regime."""

FORMS: dict[str, tuple[Spike, Spike, float]] = {
    "antisymmetric": (_CANONICAL, _CANONICAL.scaled(1, -1), 140.0),
    "ltp-only": (_LTP_ONLY, _LTP_ONLY, 400.0),
    "symmetric": (_SYMMETRIC, _SYMMETRIC, 140.0),
    "dead-zone": (_DEAD_ZONE, _DEAD_ZONE.scaled(1, -1), 140.0),
}
"""Spikes of both neurons and the longest delay, in units, of each form. The shapes are assumptions: the paper shows its own in
figures only."""


def divided(pre: Spike, post: Spike, delay: float, weights: tuple[float, float] = (1.0, 1.0)) -> Spike:
    """Return the voltage between two equal resistors, the second neuron firing later by ``delay`` [s]."""
    late = np.array(post.time) + delay
    time = np.unique(np.concatenate([pre.time, late]))
    time = time[np.concatenate([[True], np.diff(time) > LEAST_CORNER * (time[-1] - time[0])])]
    value = (weights[0] * pre(time) + weights[1] * post(time - delay)) / 2
    return Spike(tuple(time.tolist()), tuple(value.tolist()))
