"""One pulse, then reads while the device relaxes: delay, on-state, relaxation time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...compact.errors import ParameterError
from ...compact.model import Model
from ...compact.result import Measured, Result
from .base import MOST, Experiment, conductance_at, crossing, setting


@dataclass(frozen=True, kw_only=True)
class Relaxation(Experiment):
    """A pulse, then short reads at times that are spread evenly on a logarithmic scale.

    Quantities: the delay (from the pulse's start until the current is half its largest), the largest current, the
    conductance of each read and its time after the pulse, the times at which the conductance above its last value has
    fallen to 1/e and to 1 % of the first read, and what is left at the end.
    """

    name: ClassVar[str] = "relaxation"
    title: ClassVar[str] = "pulse and relaxation"

    amplitude: float = setting(0.75, "V", "of the pulse")
    width: float = setting(5e-3, "s", "of the pulse at full voltage", above=0)
    edge: float = setting(1e-6, "s", "rise and fall time", above=0)
    v_read: float = setting(0.05, "V", "read voltage", above=0)
    read_width: float = setting(10e-6, "s", "of a read at full voltage", above=0)
    first_read: float = setting(50e-6, "s", "from the pulse's end to the first read", above=0)
    last_read: float = setting(0.1, "s", "from the pulse's end to the last read", above=0)
    reads: int = setting(40, "1", "reads", at_least=3, at_most=MOST)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.last_read <= self.first_read:
            raise ParameterError(
                f"experiment '{self.name}'",
                [f"last_read = {self.last_read:g} s must be after first_read = {self.first_read:g} s"],
            )

    @property
    def read_starts(self) -> np.ndarray:
        """Start of each read after the pulse [s], shape (reads,)."""
        starts = np.geomspace(self.first_read, self.last_read, self.reads)
        busy = self.read_width + 3 * self.edge
        for k in range(1, len(starts)):
            starts[k] = max(starts[k], starts[k - 1] + busy)
        return starts

    @property
    def pulse_end(self) -> float:
        """Time at which the pulse is over [s]."""
        return 3 * self.edge + self.width

    def steps(self) -> list[tuple[float, float, float]]:
        steps = [
            (self.edge, 0.0, 0.0),
            (self.edge, self.amplitude, 0.0),
            (self.width, self.amplitude, 0.0),
            (self.edge, 0.0, 0.0),
        ]
        now = 0.0
        for start in self.read_starts:
            steps += [
                (start - now, 0.0, 0.0),
                (self.edge, 0.0, self.v_read),
                (self.read_width, 0.0, self.v_read),
                (self.edge, 0.0, 0.0),
            ]
            now = start + self.read_width + 2 * self.edge
        return [*steps, (self.edge, 0.0, 0.0)]

    @property
    def read_times(self) -> np.ndarray:
        """Time at the end of each read [s], shape (reads,)."""
        return np.asarray(self.pulse_end + self.read_starts + self.edge + self.read_width)

    def measure(self, model: Model, result: Result) -> dict[str, Measured]:
        during = result.time <= self.pulse_end
        time, current = result.time[during], np.abs(result["current"][during])
        peak = float(np.max(current))
        started = crossing(time, current, peak / 2)
        conductance = conductance_at(model, result, self.read_times)
        after = self.read_times - self.pulse_end
        excess = (
            (conductance - conductance[-1]) / (conductance[0] - conductance[-1])
            if conductance[0] != conductance[-1]
            else None
        )
        found = {
            "delay": Measured(None if started is None else started - self.edge, "s"),
            "largest_current": Measured(peak, "A"),
            "read_delay": Measured(after.tolist(), "s"),
            "conductance": Measured(conductance.tolist(), "S"),
            "residual": Measured(float(conductance[-1] / conductance[0]), "1"),
        }
        for label, level in (("relaxation_time", np.exp(-1)), ("relaxation_time_1_percent", 0.01)):
            found[label] = Measured(None if excess is None else crossing(after, excess, level, rising=False), "s")
        return found
