"""Any piecewise-linear waveform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ...compact.errors import ParameterError
from ...compact.model import Model
from ...compact.result import Measured, Result
from ...compact.stimulus import Waveform
from .base import Experiment, setting


@dataclass(frozen=True, kw_only=True)
class PiecewiseLinear(Experiment):
    """A waveform given by its points.

    Attributes
    ----------
    waveform : Waveform
        At the write port; it starts at 0 V.
    v_channel : float
        Held at the read port of a three-terminal device [V].

    Quantities: largest and smallest current, the charge through the device and the energy taken from the source. The reference
    engine integrates the last two within its error control; for the simulators they are summed over the points that they accepted
    (:mod:`synspice.compact.accumulation`).
    """

    name: ClassVar[str] = "waveform"
    title: ClassVar[str] = "arbitrary piecewise-linear waveform"

    waveform: Waveform = field(default=Waveform((0.0, 1.0, 2.0), (0.0, 1.0, 0.0)))
    v_channel: float = setting(0.0, "V", "held at the read port of a three-terminal device")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.waveform.value[0] != 0 or len(self.waveform.time) < 2:
            raise ParameterError(
                "experiment 'waveform'", ["the waveform must start at 0 V and have two points or more"]
            )

    @property
    def channel(self) -> float:
        return self.v_channel

    def steps(self) -> list[tuple[float, float, float]]:
        durations = np.diff(self.waveform.time)
        return [(float(t), v, 0.0) for t, v in zip(durations, self.waveform.value[1:], strict=True)]

    def measure(self, model: Model, result: Result) -> dict[str, Measured]:
        current = result["current"]
        return {
            "largest_current": Measured(float(np.max(current)), "A"),
            "smallest_current": Measured(float(np.min(current)), "A"),
            "charge": Measured(float(result["charge"][-1]), "C"),
            "energy": Measured(float(result["energy"][-1]), "J"),
        }
