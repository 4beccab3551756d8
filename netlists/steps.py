"""The largest time step that a simulator may take: one rule for benches, networks and arrays."""

from __future__ import annotations

from typing import Protocol

STEPS = 1000
"""Time steps that the whole stimulus has at least; breakpoints and the truncation error add the others."""

LONGEST_STEP = 1e4
"""Largest time step, in units of the stimulus' shortest feature: ngspice steps no finer than 1e-11 of its largest step, and joins
breakpoints that are closer than 5e-5 of it."""


class Stimulus(Protocol):
    """What drives a circuit: a bench, a network, or one waveform."""

    @property
    def duration(self) -> float:
        """Time of the last breakpoint [s]."""
        ...

    @property
    def shortest_feature(self) -> float:
        """The shortest segment of any source [s]; infinite where all are constant."""
        ...


def largest_step(stimulus: Stimulus, steps: int = STEPS) -> float:
    """Return the largest time step [s] that a stimulus allows, where the whole of it takes ``steps`` at least."""
    return min(stimulus.duration / steps, LONGEST_STEP * stimulus.shortest_feature)
