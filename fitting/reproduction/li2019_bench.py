"""How the oxide tunnel junction of Li et al. 2019 is driven and read: trains of pulses on a resting voltage.

Pulse widths are at half height; edges take a fiftieth of a pulse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import brentq

from ...compact.constants import ROOM_TEMPERATURE
from ...compact.equations import Equations
from ...compact.result import Result
from ...compact.stimulus import Bench, Drive, Waveform
from .workbench import Workbench

NS, US = 1e-9, 1e-6
READ = 0.1
"""Read voltage [V], Sec. 3 and caption of Fig. 1."""

V_SET, V_RESET, WRITE = 2.2, -4.3, 0.1
"""Write voltages [V] of the loop and duration of its pulses [s], Sec. 3."""

COMPLIANCE = 115e-9
"""Current compliance [A], caption of Fig. 3a, b."""

STRAY = {"c_0": 1e-15}
"""Capacitance [F] behind a source in compliance: a node needs one, and this one is charged to 1 V in 10 ns."""

EDGE = 0.02
"""Rise and fall time over the width of a pulse."""

G_START = 3e-6
"""Conductance [S] at which STDP and thresholds start: within the range of Fig. 3c; not stated."""

SETTLED = 50 * US
"""After a pulse: many relaxation times of the volatile part [s]."""


class Train:
    """Pulses on a resting voltage, built one after the other; remembers the ends of pulses and of rests."""

    def __init__(self, rest: float = 0.0) -> None:
        self.rest = rest
        self.steps: list[tuple[float, float]] = []
        self.now = 0.0
        self.pulse_ends: list[float] = []
        self.rest_ends: list[float] = []

    def hold(self, duration: float) -> Train:
        """Stay at the resting voltage for ``duration`` [s]."""
        self._move(duration, self.rest)
        self.rest_ends.append(self.now)
        return self

    def pulse(self, voltage: float, width: float) -> Train:
        """Add a pulse of ``width`` [s] at half height."""
        edge = EDGE * width
        self._move(edge, voltage)
        self._move(width - edge, voltage)
        self.pulse_ends.append(self.now)
        self._move(edge, self.rest)
        return self

    def _move(self, duration: float, voltage: float) -> None:
        self.steps.append((duration, voltage))
        self.now += duration

    def bench(self, *, compliance: float | None = None) -> Bench:
        """Return the train at the top electrode."""
        wave = Waveform.from_steps(self.rest, self.steps)
        return Bench(drives={"p": Drive(waveform=wave, compliance=compliance)})


def read_conductance(bench: Workbench, w: float, values: Mapping[str, float] | None = None) -> float:
    """Return the conductance at 0.1 V [S] of a vacancy position without a volatile part."""
    equations = Equations.of(bench.model, {**bench.card.parameters, **(values or {})}, ROOM_TEMPERATURE)
    return float(equations.current("p", {"p": READ}, [0.0, w])) / READ


def position(bench: Workbench, target: float) -> dict[str, float]:
    """Return the initial values of a device with a conductance [S] at 0.1 V."""
    return {"w_init": float(brentq(lambda w: read_conductance(bench, w) - target, 0.0, 1.0, xtol=1e-12)), "s_init": 0.0}


def at_read(result: Result, times: Sequence[float]) -> np.ndarray:
    """Return currents over 0.1 V [S] at times at which the read voltage is on."""
    return np.asarray(result.at("current", np.array(times)) / READ)
