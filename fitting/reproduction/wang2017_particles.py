"""Row protocols of the particle model of Wang et al. 2017 (Methods, Fig. 4): no engine but the package's own."""

from __future__ import annotations

from functools import cache

import numpy as np

from ...compact.particles import ParticleParameters, pulses, simulate_particles
from ...compact.stimulus import Waveform
from .workbench import Outcome, Protocol, Workbench, flag, measured

REALISATIONS = 30
"""As many as the paper averages over (Methods)."""

TRAIN = (4.5, 0.01, 0.02, 60)
"""Amplitude [V_th], width and gap [1/kappa] and number of the pulses of Fig. 4b; none is in the text."""

PULSE = (4.5, 0.1)
"""Amplitude [V_th] and width [1/kappa] of the pulse of Fig. 4a; not in the text."""

TEMPERATURES = (0.45, 0.40, 0.35, 0.30)
"""k_B T/w_p: the range of the Methods."""

RELAXED, LONGEST = 0.02, 60.0
"""Conductance, in units of the largest, that counts as relaxed (caption of Fig. 4), and the time that is waited [1/kappa]."""

THRESHOLDS, HOLD = (0.5, 1.0, 1.5), 8.0
"""Constant voltages [V_th] around the threshold, and their duration [1/kappa]; not in the text."""


@cache
def _train() -> np.ndarray:
    """Return the conductance at the end of each pulse, shape (realisations, pulses)."""
    waveform, ends = pulses(*TRAIN)
    return simulate_particles(waveform, ends, realisations=REALISATIONS, seed=1).conductance


def train(bench: Workbench) -> Outcome:
    """W15: conductance at the end of the fourth and of the seventh pulse, mean over the realisations."""
    found = _train()
    mean = found.mean(axis=0)
    error = found[:, [3, 6]].std(axis=0, ddof=1) / np.sqrt(REALISATIONS)
    return Outcome(
        simulated={
            "after_4": measured(100 * mean[3], "%"),
            "after_7": measured(100 * mean[6], "%"),
            "last_over_largest": measured(mean[-1] / mean.max()),
        },
        curves={"conductance": (np.arange(1.0, mean.size + 1), mean)},
        note=f"standard errors {100 * error[0]:.0f} and {100 * error[1]:.0f} points",
    )


def relaxation_times(seed: int = 3) -> np.ndarray:
    """Return the time [1/kappa] in which the mean conductance falls to 2 %, at each temperature."""
    amplitude, width = PULSE
    edge = 1e-3
    waveform = Waveform((0.0, edge, width, width + edge), (0.0, amplitude, amplitude, 0.0))
    delay = 0.25 * np.arange(1, round(4 * LONGEST) + 1)
    times = []
    for temperature in TEMPERATURES:
        settings = ParticleParameters(temperature=temperature)
        found = simulate_particles(waveform, width + delay, realisations=REALISATIONS, seed=seed, parameters=settings)
        low = np.flatnonzero(found.conductance.mean(axis=0) < RELAXED)
        times.append(delay[low[0]] if low.size else np.inf)
    return np.array(times)


def relaxation(bench: Workbench) -> Outcome:
    """W16: the fit ln(kappa tau) = A + B w_p/(k_B T)."""
    times, inverse = relaxation_times(), 1 / np.array(TEMPERATURES)
    slope, offset = np.polyfit(inverse, np.log(times), 1)
    return Outcome(
        simulated={"slope": measured(slope), "offset": measured(offset)},
        curves={"relaxation time": (inverse, times)},
        note=", ".join(f"{t:g} at {x:g}" for t, x in zip(times, TEMPERATURES, strict=True)),
    )


def threshold(bench: Workbench) -> Outcome:
    """W17: largest mean conductance under constant voltages around the threshold."""
    sampled = np.linspace(0.2, HOLD, 40)
    largest = []
    for voltage in THRESHOLDS:
        waveform = Waveform((0.0, 1e-3, HOLD), (0.0, voltage, voltage))
        found = simulate_particles(waveform, sampled, realisations=REALISATIONS, seed=5)
        largest.append(float(found.conductance.mean(axis=0).max()))
    return Outcome(
        simulated={
            "below": measured(100 * largest[0], "%"),
            "above": measured(100 * largest[-1], "%"),
        },
        curves={"conductance": (np.array(THRESHOLDS), np.array(largest))},
        note=f"{100 * largest[1]:.0f} % at the threshold voltage itself",
    )


def stated(bench: Workbench) -> Outcome:
    """W18: the relations between parameters that the paper states."""
    p = ParticleParameters()
    relations = (
        p.particles == 40,
        p.w_interface == 4.5,
        np.allclose([p.tunnelling / 2, p.r_well, 2 * p.r_pin / 3], 0.1, rtol=1e-12),
        p.x_well == 0.85,
        np.isclose(p.push * p.r_pin / p.w_interface, 0.3, rtol=1e-12),
    )
    return Outcome(simulated={"relations": measured(sum(map(bool, relations))), "all": flag(all(relations))})


PROTOCOLS: dict[str, Protocol] = {
    "W15": train,
    "W15b": train,
    "W16": relaxation,
    "W17": threshold,
    "W18": stated,
}
"""The experiment of every row."""
