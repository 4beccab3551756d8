"""What bounds the resistors of a divider: the current that the gate takes, and the time that its capacitance takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...compact.equations import Equations
from ...compact.result import Result
from .base import Device
from .spikes import Spike


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a divider of two equal resistors has to keep up with.

    Attributes
    ----------
    gate_resistance : float
        Gate voltage over the current through the electrolyte where that current is largest [ohm]; infinite without one.
    gate_capacitance : float
        At 0 V [F].
    pulse : float
        Shortest part of one sign in either neuron's spike [s].
    """

    gate_resistance: float
    gate_capacitance: float
    pulse: float

    def by_gate(self, loss: float) -> float:
        """Return the resistance [ohm] at which the gate's current takes a part ``loss`` of the divided voltage."""
        return 2 * self.gate_resistance * loss / (1 - loss)

    def by_capacitance(self, loss: float) -> float:
        """Return the resistance [ohm] at which a part ``loss`` of the voltage is still missing at the end of the pulse."""
        charging = self.gate_capacitance * float(np.log(1 / loss))
        return 2 * self.pulse / charging if charging > 0 else float("inf")


def divider_limits(device: Device, pre: Spike, post: Spike, event: Result, temperature: float) -> Limits:
    """Return the limits of a divider from a simulated event of both spikes, the device being instance ``dut``."""
    current = conduction(device, event, temperature)
    worst = int(np.argmax(np.abs(current)))
    return Limits(
        gate_resistance=float(abs(event["dut.v"][worst] / current[worst])) if current[worst] else float("inf"),
        gate_capacitance=capacitance(device, temperature),
        pulse=min(length for spike in (pre, post) for length in spike.parts()),
    )


def integral(time: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Return the integral over time of a product, both factors straight lines between the time points."""
    ends = a[:-1] * b[:-1] + a[1:] * b[1:]
    return float(np.diff(time) @ (2 * ends + a[:-1] * b[1:] + a[1:] * b[:-1]) / 6)


def conduction(device: Device, event: Result, temperature: float) -> np.ndarray:
    """Return the current into the gate [A] without the displacement current."""
    model = device.model
    gate = model.write[0]
    states = [event[f"dut.{s.name}"] for s in model.states]
    return Equations.of(model, device.values, temperature).current(gate, {gate: event["dut.v"]}, states)


def capacitance(device: Device, temperature: float) -> float:
    """Return the gate's capacitance [F] at 0 V, the other terminals grounded."""
    model = device.model
    states = model.initial_states(model.values(device.values))
    return float(Equations.of(model, device.values, temperature).capacitance(model.write[0], {}, states))
