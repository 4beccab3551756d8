"""The quasi-static I-V loop: a triangle up, down, to the other side and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...compact.model import Model
from ...compact.result import Measured, Result
from .base import MOST, Experiment, setting

SWITCHED = 1.05
"""Ratio of the conductances on the way out and back, at some voltage, from which a branch has switched."""


@dataclass(frozen=True, kw_only=True)
class IVLoop(Experiment):
    """I-V loop 0 -> v_first -> 0 -> v_second -> 0, repeated.

    Quantities: the largest current of each branch, the set and reset voltages (where the conductance changes fastest on a
    logarithmic scale; none on a branch without hysteresis), the conductances at the read voltage on the way out and back
    and their ratio, the steepest turn-on slope.
    """

    name: ClassVar[str] = "iv-loop"
    title: ClassVar[str] = "DC / quasi-static I-V loop"

    v_first: float = setting(1.5, "V", "turning point of the first triangle")
    v_second: float = setting(-1.5, "V", "turning point of the second triangle; 0 for none")
    ramp_rate: float = setting(1.0, "V/s", "slope of the ramps", above=0)
    cycles: int = setting(1, "1", "loops", at_least=1, at_most=MOST)
    v_read: float = setting(0.1, "V", "voltage at which on and off are compared", above=0)
    v_channel: float = setting(0.1, "V", "held at the read port of a three-terminal device")

    @property
    def channel(self) -> float:
        return self.v_channel

    def steps(self) -> list[tuple[float, float, float]]:
        rows = []
        for _ in range(self.cycles):
            for peak in (self.v_first, self.v_second):
                if peak != 0:
                    rows += [(abs(peak) / self.ramp_rate, peak), (abs(peak) / self.ramp_rate, 0.0)]
        return [(duration, v, 0.0) for duration, v in rows]

    def measure(self, model: Model, result: Result) -> dict[str, Measured]:
        voltage, current = result["source"], result["current"]
        found: dict[str, Measured] = {
            "largest_current": Measured(float(np.max(current)), "A"),
            "smallest_current": Measured(float(np.min(current)), "A"),
        }
        start = 0.0
        for label, peak in (("first", self.v_first), ("second", self.v_second)):
            if peak == 0:
                continue
            out = (result.time >= start) & (result.time <= start + abs(peak) / self.ramp_rate)
            middle = start + abs(peak) / self.ramp_rate
            back = (result.time >= middle) & (result.time <= middle + abs(peak) / self.ramp_rate)
            found |= self._branch(
                label, np.abs(voltage[out]), np.abs(current[out]), np.abs(voltage[back]), np.abs(current[back])
            )
            start = middle + abs(peak) / self.ramp_rate
        return found

    def _branch(
        self, label: str, v_out: np.ndarray, i_out: np.ndarray, v_back: np.ndarray, i_back: np.ndarray
    ) -> dict[str, Measured]:
        read = self.v_read
        if v_out.size < 3 or read > np.max(v_out, initial=0.0):
            return {}
        before = float(np.interp(read, v_out, i_out)) / read
        after = float(np.interp(read, v_back[::-1], i_back[::-1])) / read
        sensible = (v_out > 0.02 * np.max(v_out)) & (i_out > 0)
        if np.count_nonzero(sensible) < 2:  # no current on this side
            return {
                f"{label}_conductance_out": Measured(before, "S"),
                f"{label}_conductance_back": Measured(after, "S"),
            }
        v, log_g = v_out[sensible], np.log10(i_out[sensible] / v_out[sensible])
        g_back = np.interp(v, v_back[::-1], i_back[::-1]) / v
        switched = bool(np.any(np.abs(np.log10(np.maximum(g_back, 1e-300)) - log_g) > np.log10(SWITCHED)))
        k = int(np.argmax(np.abs(np.gradient(log_g, v))))
        decades = np.gradient(np.log10(i_out[sensible]), v)
        steepest = float(np.max(decades))
        return {
            f"{label}_switching_voltage": Measured(float(v[k]) if switched else None, "V"),
            f"{label}_conductance_out": Measured(before, "S"),
            f"{label}_conductance_back": Measured(after, "S"),
            f"{label}_ratio": Measured(after / before if before > 0 else None, "1"),
            f"{label}_turn_on_slope": Measured(1.0 / steepest if steepest > 0 else None, "V"),
        }
