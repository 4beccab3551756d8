"""The operating point of a network: its node voltages at time zero, with the states held."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .errors import SimulationError

TOLERANCE = 1e-12
"""Newton step, relative to 1 V or to the largest voltage, below which the solution counts as found."""

ITERATIONS = 100
SMALLEST_DAMPING = 2.0**-20
SMALLEST_RAMP = 2.0**-12

LEAST_CONDUCTANCE = 1e-18
"""Conductance [S] added to the Jacobian's diagonal: a step is then defined where a device is wholly off. It bends the way to the
solution and not the solution."""

Static = Callable[[np.ndarray, float], tuple[np.ndarray, np.ndarray]]
"""From node voltages [V] and a fraction of the sources' voltages to the currents into the nodes [A] and their Jacobian [S]."""


def operating_point(static: Static, size: int) -> np.ndarray:
    """Return the node voltages [V], shape (size,), at which no current is left over.

    Newton's method, damped by its own next step (which no unit or scale of the equations changes); where it fails, the sources are
    ramped up from zero, at which every voltage is zero.

    Raises
    ------
    SimulationError
        If even a ramp of thousands of steps does not reach the full voltages.
    """
    start = np.zeros(size)
    solution = _newton(static, start, 1.0)
    if solution is not None:
        return solution
    reached, step = 0.0, 0.25
    while reached < 1.0:
        solution = _newton(static, start, min(reached + step, 1.0))
        if solution is not None:
            start, reached, step = solution, min(reached + step, 1.0), 2 * step
        elif step <= SMALLEST_RAMP:
            raise SimulationError(
                "convergence", f"no operating point: the voltages were found up to {reached:.3%} of the sources'"
            )
        else:
            step /= 2
    return start


def _newton(static: Static, start: np.ndarray, fraction: float) -> np.ndarray | None:
    """Return the solution near a start; None where the steps do not shrink."""
    voltages = start
    for _ in range(ITERATIONS):
        current, jacobian = static(voltages, fraction)
        step = _step(jacobian, current)
        length = _length(step)
        if not np.isfinite(length):
            return None
        if length <= TOLERANCE * max(1.0, _length(voltages)):
            return np.asarray(voltages + step)
        damping = 1.0
        while True:
            trial = voltages + damping * step
            left = _length(_step(jacobian, static(trial, fraction)[0]))
            if left <= (1 - damping / 4) * length:
                break
            damping /= 2
            if damping < SMALLEST_DAMPING:
                return None
        voltages = trial
    return None


def _step(jacobian: np.ndarray, current: np.ndarray) -> np.ndarray:
    matrix = jacobian - LEAST_CONDUCTANCE * np.eye(len(current))
    scale = np.max(np.abs(matrix), axis=1)
    return np.asarray(np.linalg.solve(matrix / scale[:, None], -current / scale))


def _length(voltages: np.ndarray) -> float:
    return float(np.max(np.abs(voltages), initial=0.0))
