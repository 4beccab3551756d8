"""A three-terminal device under a gate voltage alone: rest, constant pulses, and the sum of their rates (Huang 2025, eq. 1)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

from ...compact.equations import Equations
from ...compact.errors import SimulationError
from .base import Device
from .engine_options import EquationOptions
from .spikes import Spike

V_READ = 0.1
"""Read voltage of the channel [V]."""

RELATIVE_TOLERANCE = 1e-5


def weights(device: Device, states: np.ndarray, temperature: float, v_read: float = V_READ) -> np.ndarray:
    """Return the conductance of the read port [S] at states (n_states, n) and a temperature [K]."""
    model = device.model
    channel = model.read[0]
    return Equations.of(model, device.values, temperature).current(channel, {channel: v_read}, states) / v_read


def initial_states(device: Device, count: int) -> np.ndarray:
    """Return the states of devices as their values say, (n_states, count)."""
    start = device.model.initial_states(device.model.values(device.values))
    return np.tile(np.array(start)[:, None], (1, count))


def hold(device: Device, states: np.ndarray, gate: np.ndarray, times: np.ndarray, temperature: float) -> np.ndarray:
    """Return the states (n_times, n_states, n) of devices, each at a constant gate voltage (n,) [V], at times [s] from 0.

    The temperature is in K.

    Raises
    ------
    SimulationError
        If the integrator gives up.
    """
    model = device.model
    equations, at = Equations.of(model, device.values, temperature), {model.write[0]: gate}
    scales = np.array([s.scale for s in model.states])[:, None]
    shape = states.shape

    def rate(time: float, y: np.ndarray) -> np.ndarray:
        x = states + scales * y.reshape(shape)
        return np.ravel(np.stack(equations.rates(at, x)) / scales)

    count = shape[1]
    pattern = np.kron(np.ones((shape[0], shape[0])), np.eye(count))
    answer = solve_ivp(
        rate,
        (0.0, float(times[-1])),
        np.zeros(states.size),
        method="BDF",
        t_eval=times,
        rtol=RELATIVE_TOLERANCE,
        atol=1e-10,
        jac_sparsity=pattern,
        first_step=1e-9 * float(times[-1]),
    )
    if not answer.success:
        raise SimulationError("convergence", f"'{model.name}' at a constant gate voltage: {answer.message}")
    return np.asarray(states + scales * answer.y.T.reshape(len(times), *shape))


def rest(device: Device, states: np.ndarray, duration: float, temperature: float) -> np.ndarray:
    """Return the states (n_states, n) of devices after a time [s] at 0 V and a temperature [K]."""
    return np.asarray(hold(device, states, np.zeros(states.shape[1]), np.array([0.0, duration]), temperature)[-1])


def follow(
    device: Device, states: np.ndarray, gate: Spike, duration: float, temperature: float, options: EquationOptions
) -> np.ndarray:
    """Return the states (n_states,) of one device after a gate waveform and rest at 0 V, ``duration`` [s] in all.

    The temperature is in K.

    The gate voltage is the divider's own: right where its resistors are far below the gate's resistance, and its time
    constant below the spikes' edges.

    Raises
    ------
    SimulationError
        If the integrator gives up.
    """
    model = device.model
    equations, terminal = Equations.of(model, device.values, temperature), model.write[0]
    scales = np.array([s.scale for s in model.states])
    corners = np.append(gate.time, max(gate.time[0] + duration, gate.time[-1]))
    y = states / scales

    def rate(time: float, y: np.ndarray) -> np.ndarray:
        at = {terminal: float(gate(np.array(time)))}
        return np.asarray(np.array(equations.rates(at, scales * y)) / scales)

    for start, end in pairwise(corners.tolist()):
        if end <= start:
            continue
        answer = solve_ivp(rate, (start, end), y, method="LSODA", rtol=options.reltol, atol=options.abstol)
        if not answer.success:
            raise SimulationError("convergence", f"'{model.name}' under a gate waveform: {answer.message}")
        y = answer.y[:, -1]
    return np.asarray(scales * y)


@dataclass(frozen=True)
class RateLaw:
    """Change of weight per time [S/s] against a constant gate voltage [V]."""

    voltage: np.ndarray
    rate: np.ndarray

    def __call__(self, voltage: np.ndarray) -> np.ndarray:
        """Return the rate at voltages, interpolated on a scale that is logarithmic for large rates."""
        small = float(np.min(np.abs(self.rate[self.rate != 0.0]), initial=1e-30))
        bent = np.interp(voltage, self.voltage, np.arcsinh(self.rate / small))
        return np.asarray(small * np.sinh(bent))

    def sum(self, gate: Spike, points: int = 2000) -> float:
        """Return the change of weight [S] as the sum of the rates along a gate waveform: eq. 1."""
        time = np.union1d(np.linspace(gate.time[0], gate.time[-1], points), gate.time)
        return float(np.trapezoid(self(gate(time)), time))


def rate_law(
    device: Device, peak: float, change: float, temperature: float, longest: float = 1e3, count: int = 20
) -> RateLaw:
    """Return the rates of pulses of constant voltage, each as long as it takes to change the weight by ``change`` [S].

    Parameters
    ----------
    device : Device
    peak : float
        Largest voltage [V], of both signs.
    change : float
        Change of weight [S] over which a rate is taken.
    temperature : float
        [K].
    longest : float
        Longest pulse [s]; the rate is that of its whole change where it does not reach ``change``.
    count : int
        Voltages of each sign.
    """
    half = np.linspace(0.0, peak, count + 1)
    voltage = np.concatenate([-half[:0:-1], half])
    times = np.concatenate([[0.0], np.geomspace(1e-10, longest, 260)])
    states = hold(device, initial_states(device, voltage.size), voltage, times, temperature)
    weight = np.stack([weights(device, s, temperature) for s in states])
    moved = weight - weight[0]
    rates = np.empty(voltage.size)
    for k in range(voltage.size):
        beyond = np.flatnonzero(np.abs(moved[:, k]) >= change)
        if beyond.size == 0:
            rates[k] = moved[-1, k] / times[-1]
            continue
        last = int(beyond[0])
        sizes = np.abs(moved[[last - 1, last], k])
        part = (change - sizes[0]) / (sizes[1] - sizes[0])
        duration = times[last - 1] + part * (times[last] - times[last - 1])
        rates[k] = np.sign(moved[last, k]) * change / duration
    rates[count] = 0.0
    return RateLaw(voltage, rates)
