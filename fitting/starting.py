"""Starting values in closed form, and the order in which a device's parameters are taken into a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..compact.model import Model
from .observation import Observation

Guess = Callable[[Sequence[Observation]], dict[str, float]]


def drift_memristor(observed: Sequence[Observation]) -> dict[str, float]:
    """Starting values for the drift memristor.

    The conductances span what was read, with a margin. From ramps, each rate follows from the mean step a pulse. From
    sweeps, the set (reset) voltage is where the conductance changes fastest, and the rate is one that crosses the range
    there within the time that the voltage takes to change by its scale.
    """
    ramps = [o for o in observed if o.scale == "linear"]
    sweeps = [o for o in observed if o.scale == "log"]
    guess: dict[str, float] = {"focus_set": 0.2, "focus_reset": -0.1}
    conductances = [o.current / o.read_voltage for o in ramps if o.read_voltage]
    conductances += [np.abs(o.current[_low(o)] / o.axis[_low(o)]) for o in sweeps]
    everything = np.concatenate(conductances)
    low, high = float(np.min(everything)), float(np.max(everything))
    guess["g_off"], guess["g_on"] = low / 1.4, high * 1.3
    span = np.log(guess["g_on"] / guess["g_off"])
    for o in ramps:
        waveform = next(iter(o.bench.drives.values())).waveform
        amplitude = float(np.max(np.abs(waveform.value)))
        width = 2 * float(np.median(np.diff(waveform.time)))
        step = float(np.abs(np.log(o.current[-1] / o.current[0]))) / span / len(o.current)
        guess["k_set" if o.current[-1] > o.current[0] else "k_reset"] = 2 * step / width / np.sinh(amplitude / 0.1)
    if sweeps:
        guess |= {"v_nl": 0.3, "m_nl": 1.7, "v_set": 0.05, "v_reset": 0.1, "r_th": 1e5, "focus_set": 0.5, "focus_reset": 0.5}
    for kind, scale in (("set", "v_set"), ("reset", "v_reset")):
        places = [_switching(o) for o in sweeps if o.group.startswith(kind)]
        if places:
            voltage, rate = np.median([p[0] for p in places]), np.median([p[1] for p in places])
            share = 1 - 0.5 * 0.5 if kind == "set" else 1.3
            guess[f"k_{kind}"] = float(rate / guess[scale] / np.sinh(voltage / (guess[scale] * share)))
    return guess


def _low(observation: Observation) -> np.ndarray:
    """Points of a sweep below a tenth of its largest voltage."""
    return np.asarray(np.abs(observation.axis) < 0.1 * np.max(np.abs(observation.axis)))


def _switching(observation: Observation) -> tuple[float, float]:
    """Voltage of the fastest change of log conductance on the way out [V], and the ramp rate [V/s]."""
    v = np.abs(observation.axis)
    out = slice(0, int(np.argmax(v)) + 1)
    log_g = np.log(np.abs(observation.current[out]) / v[out])
    steps = np.abs(np.diff(log_g))
    steps[v[out][1:] < 0.15 * v.max()] = 0.0
    ramp = float(np.median(np.abs(np.diff(v[out])) / np.diff(observation.times[out])))
    return float(v[int(np.argmax(steps)) + 1]), ramp


STARTING_VALUES: dict[str, Guess] = {"drift_memristor": drift_memristor}
"""The closed-form estimates of each device that has them."""

CONDUCTION: dict[str, tuple[str, ...]] = {"drift_memristor": ("g_on", "g_off", "v_nl", "m_nl")}
"""Parameters of the conduction law, held where a ramp at one read voltage cannot see them."""

STAGES: dict[str, tuple[tuple[str, ...], ...]] = {
    "drift_memristor": (
        ("k_set", "k_reset", "focus_set", "focus_reset"),
        ("g_on", "g_off", "v_set", "v_reset", "m_nl", "v_nl", "r_th", "p_set", "p_reset"),
    )
}
"""Parameters in the order in which they are offered to a fit; a later stage comes only where the ones before fall short."""

HELD: dict[str, tuple[str, ...]] = {"drift_memristor": ("t_ref", "t_rise_max", "rate_max", "c_0", "e_a")}
"""Parameters that loops and pulse trains at one temperature never determine."""


def stages_of(model: Model) -> list[list[str]]:
    """Return a device's fit parameters by stages; a device without an entry has one stage with all."""
    known = [p.name for p in model.model_parameters if p.name not in HELD.get(model.name, ())]
    stages = [[n for n in stage if n in known] for stage in STAGES.get(model.name, ())]
    named = {n for stage in stages for n in stage}
    rest = [n for n in known if n not in named]
    return [*stages, rest] if rest else stages
