"""The states at the corners of a case's stimulus, by the reference engine, kept on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from synspice.compact.errors import SimulationError
from synspice.compact.network_reference import NetworkProblem, ReferenceOptions
from synspice.compact.stimulus import Drive

from .cases import Case

FOLDER_VARIABLE = "SYNSPICE_TRUTHS"
"""Names the folder of the truths."""

TOLERANCES = (1e-9, 1e-8, 1e-7)
"""Of the reference engine, the first that it carries through; it is stiff where a cell of 1 fF hangs behind a resistor."""

LOOSER = 100.0
"""Factor on the tolerance of the solution that a truth is held against."""

NUDGE = 1e-4
"""Relative change of the source, by which a case's sensitivity is asked."""


@dataclass(frozen=True)
class Truth:
    """What a case's states are.

    Attributes
    ----------
    times : ndarray, shape (n,)
        Corners of the stimulus [s]; the last is the end.
    states : ndarray, shape (n_states, n)
    spans : ndarray, shape (n_states,)
        Each state's range; of one without a range its scale, or its excursion where that is larger.
    doubt : float
        Largest difference of two solutions of other tolerances, over the span.
    sensitivity : float
        Largest relative change of a state at the end, over the span, by a relative change of the source.
    """

    times: np.ndarray
    states: np.ndarray
    spans: np.ndarray
    doubt: float
    sensitivity: float


def truth_folder() -> Path:
    """Return the folder of the truths: ``SYNSPICE_TRUTHS`` where it is set, else ``build/truths`` of this tree."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path(__file__).parents[2] / "build" / "truths"


def find_truth(case: Case) -> Truth:
    """Return a case's truth, from disk where it is known.

    Raises
    ------
    SimulationError
        The reference engine gives up.
    """
    file = truth_folder() / f"{case.key}.npz"
    if file.is_file():
        with np.load(file) as kept:
            return Truth(kept["times"], kept["states"], kept["spans"], float(kept["doubt"]), float(kept["sensitivity"]))
    truth = _solve(case)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.npz")
    np.savez(part, **vars(truth))
    part.replace(file)
    return truth


def _solve(case: Case) -> Truth:
    times = case.network.breakpoints
    tolerance, states = _tightest(case)
    spans = np.array(
        [
            s.upper - s.lower if np.isfinite(s.upper - s.lower) else max(s.scale, float(np.ptp(row)))
            for (_, s), row in zip(case.states, states, strict=True)
        ]
    )
    loose = LOOSER * tolerance
    nudged = _distance(_states(case, 1.0 + NUDGE, loose), states, spans)
    doubt = _distance(_states(case, 1.0, loose), states, spans) if np.max(nudged) > 10 * NUDGE else nudged
    return Truth(times, states, spans, float(np.max(doubt)), float(np.max(nudged[:, -1])) / NUDGE)


def _tightest(case: Case) -> tuple[float, np.ndarray]:
    """Return the tightest tolerance that the reference engine carries through, and the states."""
    for tolerance in TOLERANCES[:-1]:
        try:
            return tolerance, _states(case, 1.0, tolerance)
        except SimulationError:
            continue
    return TOLERANCES[-1], _states(case, 1.0, TOLERANCES[-1])


def _distance(found: np.ndarray, states: np.ndarray, spans: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(found - states) / spans[:, None])


def _states(case: Case, factor: float, tolerance: float) -> np.ndarray:
    """Return every state at the corners, with the source scaled."""
    sources = {n: Drive(waveform=d.waveform.scaled(factor)) for n, d in case.network.sources.items()}
    options = ReferenceOptions(reltol=tolerance, abstol=tolerance / 100)
    problem = NetworkProblem(replace(case.network, sources=sources), case.network.breakpoints, (), options)
    rows = dict(zip(problem.signal_names, problem.solve(), strict=True))
    found = np.array([rows[f"{i.name}.{s.name}"] for i, s in case.states])
    if not np.isfinite(found).all():
        raise SimulationError("not finite", f"the truth of {case.key}")
    return found
