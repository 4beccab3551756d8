"""The charge through a device and the energy from its source, from the points that a simulator accepted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .equations import Equations
from .model import Model
from .stimulus import Bench


def accumulated(
    model: Model, values: Mapping[str, float], bench: Bench, time: np.ndarray, rows: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return what has passed the write port since the start, at every point of a run.

    A current that is conduction alone is integrated by the trapezoidal rule. The current of a charge jumps at the stimulus'
    corners, and a step across a jump is worth half the jump; there the conduction current is computed from the device's
    equations and integrated, and the charge is taken from them as it stands.

    Parameters
    ----------
    values : mapping of name to float
        The defaults stand for missing ones.
    time : ndarray, shape (n,)
    rows : mapping
        ``v_<terminal>``, ``i_<terminal>`` (into the device) and every state, each of shape (n,).

    Returns
    -------
    dict
        ``charge`` [C] and ``energy`` [J], the latter delivered by the source before its impedance, each of shape (n,).
    """
    plus = model.write[0]
    source = bench.drives[plus].waveform(time) if plus in bench.drives else np.zeros_like(time)
    equations = Equations.of(model, values, bench.temperature)
    potentials = {t: rows[f"v_{t}"] for t in model.terminals}
    states = [rows[s.name] for s in model.states]
    stored = equations.charge(plus, potentials, states)
    conducted = equations.current(plus, potentials, states) if np.any(stored) else rows[f"i_{plus}"]
    moved = _steps(conducted) * np.diff(time) + np.diff(stored)
    supplied = _steps(conducted * source) * np.diff(time) + _steps(source) * np.diff(stored)
    return {name: np.append(0.0, np.cumsum(part)) for name, part in (("charge", moved), ("energy", supplied))}


def _steps(signal: np.ndarray) -> np.ndarray:
    """Return a signal's mean over every step."""
    return np.asarray((signal[1:] + signal[:-1]) / 2)
