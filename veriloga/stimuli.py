"""Stimuli that make any device switch: their voltage and duration are found from its own equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.integrate import solve_ivp

from ..compact.constants import ROOM_TEMPERATURE
from ..compact.equations import Equations
from ..compact.model import Model
from ..netlists.experiments import Experiment, IVLoop, PulseTrain, Relaxation

VOLTAGES = np.geomspace(0.02, 4.0, 24)
"""Voltages tried, rising [V]."""

WIDTHS = (1e-3, 0.1, 10.0)
"""Pulse widths tried, rising [s]."""

CHANGE = 0.2
"""Part of a state's range by which a pulse must move it."""


@dataclass(frozen=True)
class Drive:
    """A pulse that switches a device.

    Attributes
    ----------
    amplitude : float
        At the write port, in the polarity that switches at the lower voltage [V].
    width : float
        In s.
    before, after : float
        Largest current of the write port at the amplitude, before and after [A].
    """

    amplitude: float
    width: float
    before: float
    after: float


def find_drive(model: Model, values: Mapping[str, float]) -> Drive:
    """Return the lowest pulse, then the shortest, that moves a state by a fifth of its range; else the largest tried.

    Parameters
    ----------
    model : Model
    values : mapping of name to float
        Parameter values; the defaults stand for missing ones.
    """
    for width in WIDTHS:
        for voltage in VOLTAGES:
            for amplitude in (voltage, -voltage):
                drive = _pulse(model, values, float(amplitude), width)
                if drive is not None:
                    return drive
    fallback = float(VOLTAGES[-1])
    current = _current(model, values, fallback, np.array(model.initial_states(model.values(values))))
    return Drive(fallback, WIDTHS[-1], current, current)


def _pulse(model: Model, values: Mapping[str, float], amplitude: float, width: float) -> Drive | None:
    """Hold a voltage, and return the drive when some state moved enough."""
    if not model.states:
        current = _current(model, values, amplitude, np.zeros(0))
        return Drive(amplitude, width, current, current)
    equations, at = Equations.of(model, values, ROOM_TEMPERATURE), {model.write[0]: amplitude}
    start = np.array(model.initial_states(model.values(values)))
    scales = np.array([s.scale for s in model.states])

    def rates(_: float, deviations: np.ndarray) -> np.ndarray:
        return np.asarray(np.array(equations.rates(at, start + scales * deviations)) / scales)

    answer = solve_ivp(rates, (0.0, width), np.zeros(len(start)), method="LSODA", rtol=1e-4, atol=1e-6)
    ranges = np.array([s.upper - s.lower for s in model.states])
    spans = np.where(np.isfinite(ranges), ranges, scales)
    moved = np.max(np.abs(answer.y), axis=1) * scales / spans
    if not answer.success or np.max(moved) < CHANGE:
        return None
    end = start + scales * answer.y[:, -1]
    return Drive(amplitude, width, _current(model, values, amplitude, start), _current(model, values, amplitude, end))


def _current(model: Model, values: Mapping[str, float], amplitude: float, states: np.ndarray) -> float:
    equations, terminal = Equations.of(model, values, ROOM_TEMPERATURE), model.write[0]
    return abs(float(equations.current(terminal, {terminal: amplitude}, states.tolist())))


def experiments(drive: Drive) -> dict[str, Experiment]:
    """Return the experiments of a verification by the names of their checks.

    Parameters
    ----------
    drive : Drive
        The pulse that switches the device.

    Returns
    -------
    dict
        ``loop`` with an ideal source, ``loop with compliance``, ``pulses`` of both signs, and ``relaxation`` after one.
    """
    peak, width = 1.2 * drive.amplitude, drive.width
    loop = IVLoop(v_first=peak, v_second=-peak, ramp_rate=abs(peak) / (10 * width), v_read=abs(peak) / 10)
    compliance = max(float(np.sqrt(drive.before * drive.after)), 2.0 * min(drive.before, drive.after), 1e-12)
    read = 0.1 * abs(drive.amplitude)
    return {
        "loop": loop,
        "loop with compliance": replace(loop, compliance=compliance),
        "pulses": PulseTrain(
            amplitude=drive.amplitude,
            depression_amplitude=-drive.amplitude,
            width=width,
            edge=width / 20,
            gap=width,
            pulses=3,
            depression_pulses=3,
            v_read=read,
            read_width=width / 2,
        ),
        "relaxation": Relaxation(
            amplitude=drive.amplitude,
            width=width,
            edge=width / 20,
            v_read=read,
            read_width=width / 5,
            first_read=width / 2,
            last_read=20 * width,
            reads=8,
        ),
    }
