"""Spikes of the neurons around a synapse: piecewise-linear shapes that are delayed, weighted and superposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Shape:
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
    def of(cls, points: Sequence[tuple[float, float]], unit: float = 1.0) -> Shape:
        """Return the shape through (time, voltage) points, with times in multiples of ``unit`` [s]."""
        return cls(tuple(unit * t for t, _ in points), tuple(float(v) for _, v in points))

    def scaled(self, *, time: float = 1.0, voltage: float = 1.0) -> Shape:
        """Return the shape with its times and voltages multiplied."""
        return Shape(tuple(time * t for t in self.time), tuple(voltage * v for v in self.value))

    def delayed(self, delay: float) -> Shape:
        """Return the shape fired later by ``delay`` [s]."""
        return Shape(tuple(t + delay for t in self.time), self.value)

    def __neg__(self) -> Shape:
        return self.scaled(voltage=-1.0)

    def __call__(self, time: np.ndarray) -> np.ndarray:
        """Return the voltage [V] at times [s]."""
        return np.asarray(np.interp(time, self.time, self.value, left=0.0, right=0.0))


def divided(pre: Shape, post: Shape, delay: float, weights: tuple[float, float] = (1.0, 1.0)) -> Shape:
    """Return the voltage of a divider of equal resistors between two neurons, the second fired later by ``delay`` [s].

    With weights: the neurons' voltages are multiplied first (Huang et al., Fig. 5c).
    """
    late = post.delayed(delay)
    time = merged(np.array(pre.time), np.array(late.time))
    return Shape(tuple(time), tuple((weights[0] * pre(time) + weights[1] * late(time)) / 2))


def merged(*times: np.ndarray) -> np.ndarray:
    """Return times [s] sorted, those closer than a billionth of the whole taken once."""
    time = np.unique(np.concatenate(times))
    keep = np.diff(time) > 1e-9 * (time[-1] - time[0])
    return np.asarray(time[np.concatenate([[True], keep])])
