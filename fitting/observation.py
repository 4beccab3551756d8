"""Measured records as observations: what was applied, what was read when, and on which scale it is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq

from ..compact.equations import Equations
from ..compact.errors import FitError as FitFailure
from ..compact.model import Model
from ..compact.stimulus import Bench, Drive, Waveform
from ..netlists.experiments import PulseTrain
from .readers import Dataset, PulseRamp, Sweep

HoldOut = Literal["even", "odd", "none"]

PULSE_AMPLITUDE, PULSE_WIDTH, READ_VOLTAGE = 1.0, 1e-6, 0.1
"""Pulse [V], [s] and read voltage [V] where a file does not say them."""

RAMP_RATE = 1.0
"""Ramp rate [V/s] of a sweep without times."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Observation:
    """One measured curve with its circuit.

    Attributes
    ----------
    label, group : str
        The curve, and the kind of record that errors are reported for.
    held_out : bool
        Whether the fit must not see it.
    bench : Bench
    times : ndarray, shape (n,)
        When the current was read [s].
    current : ndarray, shape (n,)
        Current into the read terminal [A].
    scale : {"linear", "log"}
        Residuals are (model - data)/size, or the difference of asinh(current/size) in decades.
    size : float or ndarray, shape (n,)
        Full scale, or noise floor at each point [A].
    axis : ndarray, shape (n,)
        For the figures: pulse number or source voltage.
    axis_label : str
    read_voltage : float or None
        Where the current stands for a conductance [V].
    first_read : tuple of (voltage [V], current [A])
        A read-out of the state before the stimulus changes it.
    """

    label: str
    group: str
    held_out: bool
    bench: Bench
    times: np.ndarray
    current: np.ndarray
    scale: Literal["linear", "log"]
    size: float | np.ndarray
    axis: np.ndarray
    axis_label: str
    read_voltage: float | None
    first_read: tuple[float, float]

    def residual(self, model_current: np.ndarray) -> np.ndarray:
        """Return the residuals of a model's current [A] at ``times``."""
        if self.scale == "linear":
            return np.asarray((model_current - self.current) / self.size)
        return np.asarray((np.arcsinh(model_current / self.size) - np.arcsinh(self.current / self.size)) / np.log(10))

    def residual_slope(self, model_current: np.ndarray) -> np.ndarray:
        """Return the derivative of the residuals by the model's current [1/A]."""
        if self.scale == "linear":
            return np.full_like(model_current, 1 / self.size)
        return np.asarray(1 / np.sqrt(model_current**2 + self.size**2) / np.log(10))

    @property
    def metric(self) -> str:
        """What the root mean square of the residuals means."""
        return "rms of the conductance window" if self.scale == "linear" else "rms decades of current"


def observations(dataset: Dataset, model: Model, hold_out: HoldOut) -> tuple[list[Observation], list[str]]:
    """Return the observations of a data set, and notes on what was assumed.

    Every second record of each group is held out (``even``: the second, fourth, ...); a group with one record holds out none.

    Raises
    ------
    FitError
        If the data set holds nothing that a two-port fit can use.
    """
    notes = list(dataset.notes)
    found: list[Observation] = []
    ramps: dict[str, list[PulseRamp]] = {}
    for ramp in dataset.ramps:
        ramps.setdefault(ramp.polarity, []).append(ramp)
    for polarity, group in ramps.items():
        found += [
            _ramp(r, model, f"{polarity} ramp", _is_held_out(k, len(group), hold_out)) for k, r in enumerate(group)
        ]
    if any(r.amplitude is None for r in dataset.ramps):
        notes.append(
            f"the pulses' amplitude and width are not stated: +-{PULSE_AMPLITUDE:g} V and {PULSE_WIDTH:g} s are assumed, "
            "so that rates and voltage scales hold for these pulses only"
        )
    sweeps: dict[str, list[Sweep]] = {}
    for sweep in dataset.sweeps:
        sweeps.setdefault(sweep.direction or "loop", []).append(sweep)
    sign = orientation(dataset.sweeps)
    if sign < 0:
        notes.append("the device sets at negative voltage: its terminals are taken the other way round")
    for direction, curves in sweeps.items():
        found += [
            _sweep(s, model, f"{direction} sweep", _is_held_out(k, len(curves), hold_out), sign)
            for k, s in enumerate(curves)
        ]
    if any(s.time is None for s in dataset.sweeps):
        notes.append(f"sweeps without times are taken as ramps of {RAMP_RATE:g} V/s")
    if not found:
        raise FitFailure(
            "no pulse ramp and no current-voltage sweep is in these data; transistor curves cannot be fitted yet"
        )
    return found, notes


def orientation(sweeps: Sequence[Sweep]) -> int:
    """Return -1 when the sweeps set at negative voltage, else +1."""
    signs = [
        np.sign(s.voltage[np.argmax(np.abs(s.voltage))]) * (1 if s.direction == "set" else -1)
        for s in sweeps
        if s.direction
    ]
    return -1 if signs and np.sum(signs) < 0 else 1


def _is_held_out(position: int, count: int, hold_out: HoldOut) -> bool:
    if hold_out == "none" or count < 2:
        return False
    return (position % 2 == 1) == (hold_out == "even")


def _ramp(ramp: PulseRamp, model: Model, group: str, held_out: bool) -> Observation:
    amplitude = abs(ramp.amplitude or PULSE_AMPLITUDE) * (1 if ramp.polarity == "set" else -1)
    width = ramp.width or PULSE_WIDTH
    read = ramp.read_voltage or READ_VOLTAGE
    train = PulseTrain(
        amplitude=amplitude,
        width=width,
        edge=width / 100,
        gap=width,
        read_width=width,
        v_read=read,
        pulses=round(float(ramp.pulse[-1])),
        depression_pulses=0,
    )
    times = train.read_times[np.round(ramp.pulse).astype(int)]
    g = ramp.conductance
    return Observation(
        label=ramp.label,
        group=group,
        held_out=held_out,
        bench=train.bench(model),
        times=times,
        current=g * read,
        scale="linear",
        size=float(np.ptp(g)) * read,
        axis=np.asarray(ramp.pulse),
        axis_label="pulse",
        read_voltage=read,
        first_read=(read, float(g[0]) * read),
    )


def _sweep(sweep: Sweep, model: Model, group: str, held_out: bool, sign: int) -> Observation:
    voltage, current = sign * sweep.voltage, sign * sweep.current
    time = sweep.time
    if time is None:
        time = np.concatenate([[0.0], np.cumsum(np.maximum(np.abs(np.diff(voltage)), 1e-6) / RAMP_RATE)])
    lead = float(np.median(np.diff(time)))
    time = time - time[0] + lead
    keep = simplify(time, voltage)
    waveform = Waveform((0.0, *time[keep]), (0.0, *voltage[keep]))
    drive = Drive(waveform=waveform, series_resistance=sweep.series_resistance, compliance=sweep.compliance)
    floor = _noise_floor(voltage, current)
    used = np.abs(current) > 3 * floor
    if used.sum() < 10:
        raise FitFailure(
            f"{sweep.label}: only {used.sum()} of {used.size} points are above three times the noise floor "
            f"({np.max(floor):.3g} A, the largest current near zero volts)"
        )
    first = np.flatnonzero(used)[:5]
    middle = first[len(first) // 2]
    return Observation(
        label=sweep.label,
        group=group,
        held_out=held_out,
        bench=Bench(drives={model.write[0]: drive}),
        times=time[used],
        current=current[used],
        scale="log",
        size=floor[used],
        axis=voltage[used],
        axis_label="source voltage (V)",
        read_voltage=None,
        first_read=(float(voltage[middle]), float(current[middle])),
    )


def _noise_floor(voltage: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return the noise floor at each point [A]: the largest current near zero volts, out and back apart.

    An instrument that changes its range reads the way back from a low resistance far less finely than the way out.
    """
    turn = int(np.argmax(np.abs(voltage)))
    near_zero = np.abs(voltage) <= 0.005 * np.abs(voltage[turn])
    floor = np.empty_like(current)
    for part in (slice(0, turn + 1), slice(turn + 1, None)):
        floor[part] = np.max(np.abs(current[part][near_zero[part]]), initial=0.0)
    return np.asarray(np.maximum(floor, 1e-9 * np.max(np.abs(current))))


def simplify(time: np.ndarray, value: np.ndarray, tolerance: float = 1e-3) -> np.ndarray:
    """Return the indices of the points of a piecewise-linear curve that keep it within ``tolerance`` [V] of all points.

    Greedy: each segment reaches as far as a straight line holds, so evenly stepped ramps become a few segments.
    """
    keep = [0]
    while keep[-1] < len(time) - 1:
        start = keep[-1]
        low, high, end = -np.inf, np.inf, start + 1
        for k in range(start + 1, len(time)):
            span = time[k] - time[start]
            slope = (value[k] - value[start]) / span
            if slope < low or slope > high:
                break
            low = max(low, slope - tolerance / span)
            high = min(high, slope + tolerance / span)
            end = k
        keep.append(end)
    return np.array(keep)


def initial_state(model: Model, values: Mapping[str, float], read: tuple[float, float], temperature: float) -> float:
    """Return the value of the first state at which the device passes a read-out, clipped to the state's range.

    Parameters
    ----------
    model : Model
    values : mapping of name to float
        A complete set of parameter values.
    read : tuple of (voltage [V], current [A])
    temperature : float
        Ambient temperature of the read-out [K].
    """
    state = model.states[0]
    low = state.lower if np.isfinite(state.lower) else state.initial - state.scale
    high = state.upper if np.isfinite(state.upper) else state.initial + state.scale
    equations, terminal = Equations.of(model, values, temperature), model.read[0]
    others = model.initial_states(values)[1:]
    voltage, current = read

    def surplus(x: float) -> float:
        found = float(equations.current(terminal, {terminal: voltage}, [x, *others]))
        return float(np.log(max(abs(found), 1e-300) / abs(current)))

    inside = np.linspace(low, high, 41)
    gaps = np.array([surplus(x) for x in inside])
    change = np.flatnonzero(np.sign(gaps[:-1]) != np.sign(gaps[1:]))
    if change.size == 0:
        return float(inside[np.argmin(np.abs(gaps))])
    k = int(change[0])
    return float(brentq(surplus, inside[k], inside[k + 1]))
