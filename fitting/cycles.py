"""Cycle-to-cycle variation: how far one parameter moves from sweep to sweep while the card stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..compact.errors import SimulationError
from ..compact.model import Model
from .least_squares import Assembly, Coordinate, solve
from .observation import Observation

CYCLE_PARAMETER: dict[str, dict[str, str]] = {"drift_memristor": {"set": "v_set", "reset": "v_reset"}}
"""For each device, the parameter whose scatter stands for the variation of set and of reset from cycle to cycle."""

SCAN = np.exp(np.linspace(-0.4, 0.4, 13))
"""Factors on the parameter from which each cycle's own value is looked for: the misfit of a jump has many valleys."""


def own_values(
    model: Model,
    observed: Sequence[Observation],
    values: Sequence[Mapping[str, float]],
    progress: Callable[[str], None],
) -> dict[int, tuple[str, dict[str, float]]]:
    """Fit each sweep's own initial state and cycle parameter, all else held.

    Parameters
    ----------
    model : Model
    observed : sequence of Observation
    values : sequence of mappings
        Parameter values of each observation with the card alone.
    progress : callable of text

    Returns
    -------
    dict of observation index to (parameter name, values)
        For the sweeps of the groups that have a cycle parameter.
    """
    answer: dict[int, tuple[str, dict[str, float]]] = {}
    kinds = CYCLE_PARAMETER.get(model.name, {})
    for k, (o, card) in enumerate(zip(observed, values, strict=True)):
        name = next((p for kind, p in kinds.items() if o.group.startswith(f"{kind} ")), None)
        if o.scale != "log" or name is None:
            continue
        progress(f"cycle-to-cycle variation: {o.label}")
        answer[k] = (name, _own(model, o, dict(card), name))
    return answer


def _own(model: Model, observation: Observation, card: dict[str, float], name: str) -> dict[str, float]:
    state = model.states[0].initial_parameter
    parameter = model.parameter(name)
    coordinates = [Coordinate(f"{state.name}@0", state, 0), Coordinate(name, parameter)]
    assembly = Assembly(model, card, [observation], coordinates)
    start = {f"{state.name}@0": card[state.name], name: card[name]}
    best = min((start | {name: card[name] * f} for f in SCAN), key=lambda point: _robust(assembly, point))
    try:
        solution = solve(assembly, best, limit=15)
    except SimulationError:
        return card
    point = min((start, best, solution.point), key=lambda p: _robust(assembly, p))
    return card | {state.name: point[f"{state.name}@0"], name: point[name]}


def _robust(assembly: Assembly, point: Mapping[str, float]) -> float:
    return float(np.sum(assembly.residuals(point) ** 2))
