"""Pulse trains with read-outs: LTP/LTD ramps and paired pulses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...compact.model import Model
from ...compact.result import Measured, Result
from .base import MOST, Experiment, conductance_at, setting


@dataclass(frozen=True, kw_only=True)
class PulseTrain(Experiment):
    """Potentiating pulses, then depressing ones, each followed by a read.

    One period is the pulse (rise, width, fall), half the gap, the read (rise, width, fall), the other half.

    Quantities: the conductance after each pulse, before the train and at its end, the current at the end of each pulse, the
    paired-pulse ratio (current of the second over the first, less 1), and the non-linearity of each ramp (largest
    distance from the straight line between its ends, over their difference).
    """

    name: ClassVar[str] = "pulse-train"
    title: ClassVar[str] = "pulse train with read-outs (LTP/LTD, PPF)"

    amplitude: float = setting(1.0, "V", "of the potentiating pulses")
    width: float = setting(1e-6, "s", "of a pulse at full voltage", above=0)
    edge: float = setting(1e-8, "s", "rise and fall time", above=0)
    gap: float = setting(1e-6, "s", "between a pulse and the next, the read apart", above=0)
    pulses: int = setting(50, "1", "potentiating pulses", at_least=1, at_most=MOST)
    depression_amplitude: float = setting(-1.0, "V", "of the depressing pulses")
    depression_pulses: int = setting(50, "1", "depressing pulses", at_least=0, at_most=MOST)
    v_read: float = setting(0.1, "V", "read voltage", above=0)
    read_width: float = setting(1e-6, "s", "of a read at full voltage", above=0)

    @property
    def period(self) -> float:
        """From one pulse to the next [s]."""
        return self.width + self.gap + self.read_width + 4 * self.edge

    def _read(self) -> list[tuple[float, float, float]]:
        half = self.gap / 2
        return [
            (half, 0.0, 0.0),
            (self.edge, 0.0, self.v_read),
            (self.read_width, 0.0, self.v_read),
            (self.edge, 0.0, 0.0),
            (half, 0.0, 0.0),
        ]

    @property
    def amplitudes(self) -> np.ndarray:
        """Amplitude of every pulse [V], shape (pulses + depression_pulses,)."""
        return np.concatenate(
            [np.full(self.pulses, self.amplitude), np.full(self.depression_pulses, self.depression_amplitude)]
        )

    def steps(self) -> list[tuple[float, float, float]]:
        steps = self._read()
        for amplitude in self.amplitudes:
            steps += [(self.edge, amplitude, 0.0), (self.width, amplitude, 0.0), (self.edge, 0.0, 0.0), *self._read()]
        return steps

    @property
    def read_times(self) -> np.ndarray:
        """Time at the end of each read [s], the one before the train first, shape (n + 1,)."""
        first = self.gap / 2 + self.edge + self.read_width
        return first + self.period * np.arange(len(self.amplitudes) + 1)

    @property
    def pulse_times(self) -> np.ndarray:
        """Time at the end of each pulse [s], shape (n,)."""
        first = self.gap + 2 * self.edge + self.read_width + self.edge + self.width
        return first + self.period * np.arange(len(self.amplitudes))

    def measure(self, model: Model, result: Result) -> dict[str, Measured]:
        conductance = conductance_at(model, result, self.read_times)
        current = result.at("current", self.pulse_times)
        found = {
            "initial_conductance": Measured(float(conductance[0]), "S"),
            "conductance": Measured(conductance[1:].tolist(), "S"),
            "final_conductance": Measured(float(conductance[-1]), "S"),
            "pulse_current": Measured(current.tolist(), "A"),
            "ltp_nonlinearity": Measured(_nonlinearity(conductance[: self.pulses + 1]), "1"),
        }
        if self.depression_pulses:
            found["ltd_nonlinearity"] = Measured(_nonlinearity(conductance[self.pulses :]), "1")
        if self.pulses > 1:
            found["paired_pulse_ratio"] = Measured(float(current[1] / current[0] - 1) if current[0] != 0 else None, "1")
        return found


def _nonlinearity(ramp: np.ndarray) -> float | None:
    span = ramp[-1] - ramp[0]
    if span == 0 or len(ramp) < 3:
        return None
    line = ramp[0] + span * np.linspace(0, 1, len(ramp))
    return float(np.max(np.abs(ramp - line)) / abs(span))
