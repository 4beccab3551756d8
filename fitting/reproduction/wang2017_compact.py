"""The compact model fitted to the particle model of Wang et al. 2017: the card ``wang_particles``.

Least squares on the mean conductance of 30 realisations at the ends of the pulses of three trains and during a relaxation, from
the recipe's start; both models in the units of :data:`TIME` and :data:`LARGEST`. The train of :data:`HELD_OUT` is not fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from ...compact.batch import BatchOptions, simulate_batch
from ...compact.card import Card
from ...compact.particles import pulses, simulate_particles
from ...compact.registry import get_device
from ...compact.stimulus import Bench, Drive, Waveform
from .stages import Fitted
from .wang2017_particles import PULSE, REALISATIONS, TRAIN
from .workbench import Outcome, Protocol, Workbench, measured

TIME, LARGEST = 1e-3, 1e-4
"""The card's 1/kappa [s] and largest conductance [S]; its threshold voltage is 1 V. All three are assumptions of scale."""

TRAINS = {"W15": TRAIN, "slow": (4.5, 0.01, 0.04, 60), "weak": (3.0, 0.01, 0.02, 60)}
"""Amplitude [V_th], width and gap [1/kappa] and number of the pulses that are fitted."""

HELD_OUT = (3.75, 0.01, 0.03, 60)
"""The train that the fit does not see."""

REST = np.geomspace(0.02, 15.0, 25)
"""Times after the pulse of Fig. 4a at which the relaxation is fitted [1/kappa]."""

START = {
    "g_on": 1.3e-4,
    "g_off": 4.5e-6,
    "k_grow": 1.2e6,
    "v_half": 27.0,
    "m_grow": 2.2,
    "gap_rest": 0.45,
    "k_thick": 5e4,
    "m_thick": 1.0,
    "k_relax": 1e4,
    "w_life": 0.12,
    "k_thin": 4e3,
    "k_pump": 1.2e4,
    "s_grow": 0.5,
}
"""Where the fit starts; from a search over random starts."""

STEP = 1e-3
"""Relative step of the derivatives."""

Stimulus = tuple[Waveform, np.ndarray]


def _relaxation() -> Stimulus:
    (amplitude, width), edge = PULSE, 1e-3
    times = width + REST
    return Waveform((0.0, edge, width, width + edge, times[-1]), (0.0, amplitude, amplitude, 0.0, 0.0)), times


@cache
def stimuli() -> dict[str, Stimulus]:
    """Return waveform [V_th, 1/kappa] and sampling times [1/kappa] of every curve that is fitted."""
    return {name: pulses(*train) for name, train in TRAINS.items()} | {"rest": _relaxation()}


def particle_curve(stimulus: Stimulus, seed: int = 1) -> np.ndarray:
    """Return the mean conductance of the particle model, the largest being 1."""
    waveform, times = stimulus
    return np.asarray(
        simulate_particles(waveform, times, realisations=REALISATIONS, seed=seed).conductance.mean(axis=0)
    )


def compact_curve(stimulus: Stimulus, values: Mapping[str, np.ndarray | float]) -> np.ndarray:
    """Return the conductance of the compact model, shape (devices, times), the particle model's largest being 1."""
    bench, times = _bench(stimulus)
    options = BatchOptions(reltol=1e-6, abstol=1e-8, workers=1)
    return simulate_batch(get_device("diffusive_memristor"), values, bench, times, options)["conductance"] / LARGEST


def _bench(stimulus: Stimulus) -> tuple[Bench, np.ndarray]:
    """Return the stimulus in the card's units."""
    waveform, times = stimulus
    drive = Drive(waveform=Waveform(tuple(TIME * t for t in waveform.time), waveform.value))
    return Bench(drives={"p": drive}), TIME * np.asarray(times)


def fit(card: Card) -> Fitted:
    """Return the values of :data:`START`'s parameters that give the particle model's curves, the card's others held."""
    wanted = np.concatenate([particle_curve(s) for s in stimuli().values()])
    model = get_device(card.device)
    names = list(START)
    low, high = (np.log([max(getattr(model.parameter(n), side), 1e-12) for n in names]) for side in ("lower", "upper"))
    start = np.log(list(START.values()))

    def curves(rows: np.ndarray) -> np.ndarray:
        values = {**card.parameters, **{n: np.exp(rows[:, k]) for k, n in enumerate(names)}}
        return np.concatenate([compact_curve(s, values) for s in stimuli().values()], axis=1)

    def residuals(z: np.ndarray) -> np.ndarray:
        return np.asarray(curves(z[None])[0] - wanted)

    def jacobian(z: np.ndarray) -> np.ndarray:
        inward = np.where(z + STEP < high, STEP, -STEP)
        moved = curves(np.vstack([z, z + np.diag(inward)]))
        return np.asarray(((moved[1:] - moved[0]) / inward[:, None]).T)

    answer: OptimizeResult = least_squares(residuals, start, jacobian, bounds=(low, high), x_scale=0.3, max_nfev=60)
    found = np.exp(answer.x)
    variance = 2 * answer.cost / (wanted.size - start.size)
    spread = found * np.sqrt(np.diag(np.linalg.pinv(answer.jac.T @ answer.jac)) * variance)
    return Fitted(
        values=dict(zip(names, found.tolist(), strict=True)),
        stderr=dict(zip(names, spread.tolist(), strict=True)),
        rows=("W15c",),
        error=float(np.sqrt(np.mean(answer.fun**2))),
    )


def _both(bench: Workbench, stimulus: Stimulus) -> tuple[np.ndarray, np.ndarray, Outcome]:
    """Return the compact and the particle model's conductances after the pulses, and their curves."""
    own, times = _bench(stimulus)
    (result,) = bench.run([(own, {})])
    compact, particles = result.at("conductance", times) / LARGEST, particle_curve(stimulus)
    number = np.arange(1.0, times.size + 1)
    return (
        compact,
        particles,
        Outcome(simulated={}, curves={"compact": (number, compact), "particles": (number, particles)}),
    )


def train(bench: Workbench) -> Outcome:
    """W15c: the train of Fig. 4b on the compact model."""
    compact, particles, both = _both(bench, stimuli()["W15"])
    simulated = {
        "after_4": measured(100 * compact[3], "%"),
        "after_7": measured(100 * compact[6], "%"),
        "last_over_largest": measured(compact[-1] / compact.max()),
        "difference": measured(np.sqrt(np.mean((compact - particles) ** 2))),
    }
    return Outcome(simulated=simulated, curves=both.curves)


def unseen(bench: Workbench) -> Outcome:
    """W15d: a weaker train with longer gaps, which the fit did not see."""
    compact, particles, both = _both(bench, pulses(*HELD_OUT))
    simulated = {
        "rise": measured(compact[6] / compact[3]),
        "last_over_largest": measured(compact[-1] / compact.max()),
        "difference": measured(np.sqrt(np.mean((compact - particles) ** 2))),
    }
    return Outcome(simulated=simulated, curves=both.curves)


PROTOCOLS: dict[str, Protocol] = {"W15c": train, "W15d": unseen}
"""The experiment of every row."""
