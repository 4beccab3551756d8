"""Starting values in closed form, and the order in which a device's parameters are taken into a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..compact.model import Model
from .observation import Observation

Guess = Callable[[Sequence[Observation]], dict[str, float]]


SHARPNESS = 25.0
"""Switching voltage over the voltage scale of its rate that a sweep starts from: e^25 between rest and switching."""


def drift_memristor(observed: Sequence[Observation]) -> dict[str, float]:
    """Return starting values for the drift memristor.

    The conductances span what was read, with a margin. From ramps, each rate follows from the mean step a pulse. From
    sweeps: at a constant ramp rate the filament runs away at a voltage A (1 - focus_set x) (reset: proceeds at
    A (1 + focus_reset gap)), where A is the voltage scale times the logarithm of scale and rate over the ramp rate; a straight
    line through the measured switching voltages against the state gives A and the focus.
    """
    ramps = [o for o in observed if o.scale == "linear"]
    sweeps = [o for o in observed if o.scale == "log"]
    conductances = [o.current / o.read_voltage for o in ramps if o.read_voltage]
    conductances += [np.abs(o.current[_low(o)] / o.axis[_low(o)]) for o in sweeps]
    everything = np.concatenate(conductances)
    guess = {"g_off": float(np.min(everything)) / 1.4, "g_on": float(np.max(everything)) * 1.3}
    span = np.log(guess["g_on"] / guess["g_off"])
    if ramps:
        guess |= {"focus_set": 0.2, "focus_reset": -0.1}
    for o in ramps:
        waveform = next(iter(o.bench.drives.values())).waveform
        amplitude = float(np.max(np.abs(waveform.value)))
        width = 2 * float(np.median(np.diff(waveform.time)))
        step = float(np.abs(np.log(o.current[-1] / o.current[0]))) / span / len(o.current)
        guess["k_set" if o.current[-1] > o.current[0] else "k_reset"] = 2 * step / width / np.sinh(amplitude / 0.1)
    if sweeps:
        guess |= {"v_nl": 0.06, "m_nl": 1.8} | _switching(sweeps, guess["g_off"], span)
    return guess


def _low(observation: Observation) -> np.ndarray:
    """Points of a sweep below a tenth of its largest voltage."""
    return np.asarray(np.abs(observation.axis) < 0.1 * np.max(np.abs(observation.axis)))


def _switching(sweeps: Sequence[Observation], g_off: float, span: float) -> dict[str, float]:
    """Return rates, voltage scales and focus of set and reset, from straight lines of switching voltage against state."""
    found: dict[str, float] = {}
    for kind in ("set", "reset"):
        points: list[tuple[float, float]] = []
        rates: list[float] = []
        for o in (o for o in sweeps if o.group.startswith(kind) or o.group.startswith("loop")):
            out, v, x, rate = _outward(o, g_off, span)
            if v.size < 5:
                continue
            rates.append(rate)
            points += _set_point(o, out, v, x) if kind == "set" else _reset_points(o, out, v, x)
        if not points:
            continue
        state, voltage = np.array(points).T
        slope, start = np.polyfit(state, voltage, 1) if np.ptp(state) > 0.05 else (0.0, float(np.mean(voltage)))
        if kind == "set":
            full = max(start, float(np.max(voltage)))
            focus = float(np.clip(-slope / full, 0.0, 0.9))
        else:
            closed = max(start + slope, 0.2 * float(np.min(voltage)))
            full, focus = closed, float(np.clip(-slope / closed, -0.8, 15.0))
        scale = full / SHARPNESS
        found[f"v_{kind}"], found[f"focus_{kind}"] = scale, focus
        found[f"k_{kind}"] = float(np.median(rates)) / scale / float(np.sinh(SHARPNESS))
    return found


def _outward(o: Observation, g_off: float, span: float) -> tuple[slice, np.ndarray, np.ndarray, float]:
    """Return the way out of a sweep: its points, |voltage| [V], the state that the conductance suggests, and the ramp rate [V/s]."""
    v = np.abs(o.axis)
    out = slice(0, int(np.argmax(v)) + 1)
    v = v[out]
    x = np.log(np.abs(o.current[out]) / v / g_off) / span
    steps = np.diff(o.times[out])
    rate = float(np.median(np.abs(np.diff(v)) / steps)) if v.size > 1 else 1.0
    return out, v, x, rate


def _set_point(o: Observation, out: slice, v: np.ndarray, x: np.ndarray) -> list[tuple[float, float]]:
    """State before, and voltage of, the largest jump of the conductance."""
    jumps = np.diff(x)
    jumps[v[1:] < 0.15 * v[-1]] = 0.0
    k = int(np.argmax(jumps))
    before = float(np.median(x[: max(k // 2, 1)]))
    return [(before, float(v[k + 1]))]


def _reset_points(o: Observation, out: slice, v: np.ndarray, x: np.ndarray) -> list[tuple[float, float]]:
    """States and voltages from the largest current to the end of the way out."""
    k = int(np.argmax(np.abs(o.current[out])))
    every = max(1, (v.size - k) // 12)
    return [(float(a), float(b)) for a, b in zip(x[k::every], v[k::every], strict=True)]


STARTING_VALUES: dict[str, Guess] = {"drift_memristor": drift_memristor}
"""The closed-form estimates of each device that has them."""

CONDUCTION: dict[str, tuple[str, ...]] = {"drift_memristor": ("g_on", "g_off", "v_nl", "m_nl")}
"""Parameters of the conduction law, held where a ramp at one read voltage cannot see them."""

STAGES: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    ("drift_memristor", "linear"): (
        ("k_set", "k_reset", "focus_set", "focus_reset"),
        ("g_on", "g_off", "v_set", "v_reset", "m_nl", "v_nl", "r_th", "p_set", "p_reset"),
    ),
    ("drift_memristor", "log"): (
        ("g_on", "m_nl", "v_nl"),
        ("focus_set", "focus_reset", "k_set", "k_reset", "v_set", "v_reset"),
        ("p_set", "p_reset", "r_th", "g_off"),
    ),
}
"""Parameters in the order in which they are offered to a fit of ramps (linear) or sweeps (log); a later stage comes only where
the ones before fall short."""

HELD: dict[str, tuple[str, ...]] = {"drift_memristor": ("t_ref", "t_rise_max", "rate_max", "c_0", "e_a")}
"""Parameters that loops and pulse trains at one temperature never determine."""


def stages_of(model: Model, scale: str) -> list[list[str]]:
    """Return a device's fit parameters by stages; a device without an entry has one stage with all."""
    known = [p.name for p in model.model_parameters if p.name not in HELD.get(model.name, ())]
    stages = [[n for n in stage if n in known] for stage in STAGES.get((model.name, scale), ())]
    named = {n for stage in stages for n in stage}
    rest = [n for n in known if n not in named]
    return [*stages, rest] if rest else stages
