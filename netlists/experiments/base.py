"""What every experiment has: its settings, a stimulus for any device with the right ports, and what is read off."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from ...compact.constants import ROOM_TEMPERATURE
from ...compact.model import Model
from ...compact.result import Measured, Result
from ...compact.stimulus import Bench, Drive, Waveform
from ..settings import Settings, setting

MOST = 10_000
"""Cycles, pulses or reads of one run: each has a handful of breakpoints, and each of those a dozen time points."""

__all__ = ["MOST", "Experiment", "conductance_at", "crossing", "read_signals", "setting"]


@dataclass(frozen=True, kw_only=True)
class Experiment(Settings, ABC):
    """A stimulus for one device, and what is measured from the waveforms.

    Attributes
    ----------
    series_resistance : float
        Between the source and the written terminal [ohm].
    compliance : float or None
        Largest current of the source [A].
    temperature : float
        Ambient temperature [K].
    """

    series_resistance: float = setting(0.0, "ohm", "between source and device", at_least=0)
    compliance: float | None = setting(None, "A", "largest current of the source", above=0)
    temperature: float = setting(ROOM_TEMPERATURE, "K", "ambient temperature", above=0)

    @abstractmethod
    def steps(self) -> list[tuple[float, float, float]]:
        """Return the stimulus as (duration [s], write voltage [V], read voltage [V]) moves from (0, 0)."""

    @property
    def channel(self) -> float:
        """Voltage held at the read port of a device that has one of its own [V]."""
        return 0.0

    @abstractmethod
    def measure(self, model: Model, result: Result) -> dict[str, Measured]:
        """Return what people read off the waveforms."""

    def bench(self, model: Model) -> Bench:
        """Return the device's bench: the write port driven, a separate read port driven by the read voltage.

        On a device whose read port is its write port, the read voltage is added to the write voltage.
        """
        steps = self.steps()
        if model.read == model.write:
            waves = {model.write[0]: Waveform.from_steps(0.0, [(t, w + r) for t, w, r in steps])}
        else:
            waves = {
                model.write[0]: Waveform.from_steps(0.0, [(t, w) for t, w, _ in steps]),
                model.read[0]: Waveform.from_steps(self.channel, [(t, self.channel + r) for t, _, r in steps]),
            }
        drives = {terminal: Drive(waveform=wave) for terminal, wave in waves.items()}
        drives[model.write[0]] = Drive(
            waveform=waves[model.write[0]], series_resistance=self.series_resistance, compliance=self.compliance
        )
        return Bench(drives=drives, temperature=self.temperature)


def read_signals(model: Model) -> tuple[str, str]:
    """Return the names of the voltage and current signals of the read port."""
    return ("voltage", "current") if model.read == model.write else ("read_voltage", "read_current")


def conductance_at(model: Model, result: Result, times: np.ndarray) -> np.ndarray:
    """Return the conductance of the read port [S] at times [s] at which the read voltage is on."""
    voltage, current = read_signals(model)
    return np.asarray(result.at(current, times) / result.at(voltage, times))


def crossing(time: np.ndarray, signal: np.ndarray, level: float, *, rising: bool = True) -> float | None:
    """Return the first time [s] at which a signal crosses a level, interpolated; None when it does not."""
    above = signal >= level if rising else signal <= level
    later = np.flatnonzero(above)
    if later.size == 0 or above[0]:
        return None
    k = int(later[0])
    fraction = (level - signal[k - 1]) / (signal[k] - signal[k - 1])
    return float(time[k - 1] + fraction * (time[k] - time[k - 1]))
