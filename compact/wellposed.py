"""What can only be seen by putting numbers in: finite everywhere, no current at zero volts, passive."""

from __future__ import annotations

import numpy as np

from .model import Model
from .python_code import compile_python

VOLTAGES = (0.0, 1e-9, 1e-3, 0.1, 1.0, 10.0, 1e3)
"""Voltages [V] at which a definition is probed, with both signs."""


def state_samples(model: Model, seed: int = 0, count: int = 40) -> np.ndarray:
    """Return states to probe at: the initial ones, both bounds, past both bounds and random ones between.

    Returns
    -------
    ndarray, shape (n_states, count)
    """
    generator = np.random.default_rng(seed)
    rows = []
    for state in model.states:
        low = state.lower if np.isfinite(state.lower) else state.initial - 10 * state.scale
        high = state.upper if np.isfinite(state.upper) else state.initial + 10 * state.scale
        span = high - low
        fixed = [state.initial, low, high, low - 0.5 * span, high + 0.5 * span, low - 100 * span, high + 100 * span]
        row = np.concatenate([fixed, generator.uniform(low, high, count - len(fixed))])
        rows.append(np.concatenate([row[:1], generator.permutation(row[1:])]))
    return np.array(rows).reshape(len(model.states), count)


def probe(model: Model) -> list[str]:
    """Return the faults that numbers show, at the default parameter values and 300 K.

    Parameters
    ----------
    model : Model

    Returns
    -------
    list of str
        Empty for a well-posed model.
    """
    functions = compile_python(model)
    values = model.values({})
    p = [values[q.name] for q in model.parameters]
    x = state_samples(model)
    count = x.shape[1]
    faults: dict[str, str] = {}
    generator = np.random.default_rng(1)
    for size in VOLTAGES:
        for sign in (1.0, -1.0):
            v = sign * size * generator.uniform(0.1, 1.0, (len(model.voltages), count))
            v[:, 0] = sign * size
            _finite(model, functions, v, x, p, faults)
    zero = np.zeros((len(model.voltages), count))
    with np.errstate(all="ignore"):
        at_zero = functions.currents(zero, x, p, 300.0)
    for branch, current in zip(model.currents, at_zero, strict=True):
        if not branch.cell and np.any(np.abs(current) > 1e-30):
            worst = float(np.max(np.abs(current)))
            faults["zero"] = f"current ({branch.plus}, {branch.minus}) is {worst:.3g} A at zero volts; it must be 0"
    if len(model.terminals) == 2 and len(model.voltages) == 1:
        _passive(model, functions, x, p, faults)
    return list(faults.values())


def _finite(
    model: Model, functions: object, v: np.ndarray, x: np.ndarray, p: list[float], faults: dict[str, str]
) -> None:
    named = {
        "currents": [f"current ({b.plus}, {b.minus})" for b in model.currents],
        "charges": [f"charge ({b.plus}, {b.minus})" for b in model.charges],
        "rates": [f"rate of '{s.name}'" for s in model.states],
        "currents_jacobian": [f"the derivative of current ({b.plus}, {b.minus})" for b in model.currents],
        "rates_jacobian": [f"the derivative of the rate of '{s.name}'" for s in model.states],
    }
    for function, labels in named.items():
        with np.errstate(all="ignore"):
            rows = getattr(functions, function)(v, x, p, 300.0)
        for label, row in zip(labels, rows, strict=True):
            entries = row if isinstance(row, tuple) else (row,)
            bad = np.zeros(v.shape[1], dtype=bool)
            for entry in entries:
                bad |= ~np.isfinite(np.broadcast_to(entry, bad.shape))
            if bad.any() and label not in faults:
                i = int(np.argmax(bad))
                place = [f"{w.name} = {v[k, i]:.3g} V" for k, w in enumerate(model.voltages)]
                place += [f"{s.name} = {x[k, i]:.3g}" for k, s in enumerate(model.states)]
                faults[label] = f"{label} is not finite at {', '.join(place)}; use the safe primitives"


def _passive(model: Model, functions: object, x: np.ndarray, p: list[float], faults: dict[str, str]) -> None:
    for size in VOLTAGES:
        for v in (size, -size):
            voltage = np.full((1, x.shape[1]), v)
            with np.errstate(all="ignore"):
                currents = functions.currents(voltage, x, p, 300.0)  # type: ignore[attr-defined]
            power = v * np.sum([np.broadcast_to(c, x.shape[1]) for c in currents], axis=0)
            if np.any(power < -1e-30) and "passive" not in faults:
                i = int(np.argmin(power))
                place = ", ".join(f"{s.name} = {x[k, i]:.3g}" for k, s in enumerate(model.states))
                faults["passive"] = f"the device delivers {-power[i]:.3g} W at {v:g} V with {place}; it must be passive"
