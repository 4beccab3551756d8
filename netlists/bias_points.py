"""Operating points and admittances of a device's subcircuit in ngspice, its states held as programmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..compact.constants import ROOM_TEMPERATURE, ZERO_CELSIUS
from ..compact.model import FROZEN, Model
from .ngspice import Plot, SolverOptions, run_deck
from .subcircuit import format_subcircuit

Bias = Mapping[str, float]
"""Potential of each terminal [V]; the terminals left out are grounded."""

Copy = tuple[Bias, str]
"""A copy of the device in a deck: its bias, and the terminal at which the small signal drives it (empty for none)."""


def held_values(model: Model, values: Mapping[str, float]) -> dict[str, float]:
    """Return a complete set of values with which the states stay at their initial ones."""
    return model.values(values) | ({FROZEN.name: 1.0} if model.states else {})


def driven_copies(model: Model, biases: Sequence[Bias]) -> list[Copy]:
    """Return a copy for each bias and driven terminal."""
    return [(bias, driven) for bias in biases for driven in model.terminals]


def terminal_currents(
    model: Model,
    values: Mapping[str, float],
    biases: Sequence[Bias],
    *,
    temperature: float = ROOM_TEMPERATURE,
    options: SolverOptions | None = None,
) -> np.ndarray:
    """Return the current into each terminal at each bias [A], shape (n_biases, n_terminals).

    Parameters
    ----------
    model : Model
    values : mapping of name to float
        Parameter values; the states stay at their initial ones.
    biases : sequence of mapping of terminal to V
    temperature : float
        Ambient temperature [K].
    options : SolverOptions, optional

    Raises
    ------
    ParameterError, SimulationError, EngineMissingError
    """
    deck = _deck(model, values, [(bias, "") for bias in biases], [".op"], temperature, options)
    plot = run_deck(deck).plot("op")
    return np.real(_currents(model, plot, len(biases))[:, :, 0])


def admittances(
    model: Model,
    values: Mapping[str, float],
    biases: Sequence[Bias],
    frequency: float,
    *,
    temperature: float = ROOM_TEMPERATURE,
    options: SolverOptions | None = None,
) -> np.ndarray:
    """Return the small-signal admittance between every pair of terminals at a frequency [Hz], the states held.

    Parameters
    ----------
    model, values, biases, temperature, options
        As for :func:`terminal_currents`.

    Returns
    -------
    ndarray, shape (n_biases, n_terminals, n_terminals)
        Current into the first terminal for a volt at the second [S], complex.

    Raises
    ------
    ParameterError, SimulationError, EngineMissingError
    """
    copies = driven_copies(model, biases)
    deck = _deck(model, values, copies, [f".ac lin 1 {frequency!r} {frequency!r}"], temperature, options)
    n = len(model.terminals)
    table = _currents(model, run_deck(deck).plot("ac"), len(copies))[:, :, 0]
    return table.reshape(len(biases), n, n).transpose(0, 2, 1)


def _currents(model: Model, plot: Plot, copies: int) -> np.ndarray:
    return np.array([[-plot[f"i(v{t}_{k})"] for t in model.terminals] for k in range(copies)])


def _deck(
    model: Model,
    values: Mapping[str, float],
    copies: Sequence[Copy],
    analyses: Sequence[str],
    temperature: float,
    options: SolverOptions | None,
) -> str:
    lines = [f"* {model.name} at bias voltages", format_subcircuit(model, held_values(model, values))]
    for k, (bias, driven) in enumerate(copies):
        for terminal in model.terminals:
            response = " AC 1" if terminal == driven else ""
            lines.append(f"V{terminal}_{k} {terminal}_{k} 0 DC {float(bias.get(terminal, 0.0))!r}{response}")
        lines.append(f"X{k} {' '.join(f'{t}_{k}' for t in model.terminals)} {model.name}")
    options = replace(options or SolverOptions(), temperature_c=temperature - ZERO_CELSIUS)
    return "\n".join([*lines, *options.lines(), *analyses, ".end", ""])
