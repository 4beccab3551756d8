"""Operating points, admittances and noise of a device in ngspice, its states held as programmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..compact.constants import ROOM_TEMPERATURE, ZERO_CELSIUS
from ..compact.model import FROZEN, Model
from .ngspice import Plot, SolverOptions, run_deck
from .subcircuit import format_subcircuit

Bias = Mapping[str, float]
"""Potential of each terminal [V]; the terminals left out are grounded."""

Copy = tuple[Bias, str]
"""A copy of the device in a deck: its bias, and the terminal at which the small signal drives it (empty for none)."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """A device as an ngspice deck has it.

    Attributes
    ----------
    head : sequence of str
        Lines that define it.
    instance : callable (name, nodes) -> line
        What places it in the circuit, its states held.
    files : mapping of name to Path
        What the lines load.
    """

    head: Sequence[str]
    instance: Callable[[str, str], str]
    files: Mapping[str, Path] = field(default_factory=dict)


def subcircuit_form(model: Model, values: Mapping[str, float]) -> Form:
    """Return a device as its emitted subcircuit."""
    return Form(
        head=[format_subcircuit(model, held_values(model, values))],
        instance=lambda name, nodes: f"X{name} {nodes} {model.name}",
    )


def held_values(model: Model, values: Mapping[str, float]) -> dict[str, float]:
    """Return a complete set of values with which the states stay at their initial ones."""
    return model.values(values) | ({FROZEN.name: 1.0} if model.states else {})


def driven_copies(model: Model, biases: Sequence[Bias]) -> list[Copy]:
    """Return a copy for each bias and driven terminal."""
    return [(bias, driven) for bias in biases for driven in model.terminals]


def terminal_currents(
    model: Model,
    form: Form,
    biases: Sequence[Bias],
    *,
    temperature: float = ROOM_TEMPERATURE,
    options: SolverOptions | None = None,
) -> np.ndarray:
    """Return the current into each terminal at each bias [A], shape (n_biases, n_terminals).

    Parameters
    ----------
    model : Model
    form : Form
        Of this model, such as :func:`subcircuit_form`.
    biases : sequence of mapping of terminal to V
    temperature : float
        Ambient temperature [K].
    options : SolverOptions, optional

    Raises
    ------
    ParameterError, SimulationError, EngineMissingError
    """
    deck = _deck(model, form, [(bias, "") for bias in biases], [".op"], temperature, options)
    plot = run_deck(deck, files=form.files).plot("op")
    return np.real(_currents(model, plot, len(biases))[:, :, 0])


def admittances(
    model: Model,
    form: Form,
    biases: Sequence[Bias],
    frequency: float,
    *,
    temperature: float = ROOM_TEMPERATURE,
    options: SolverOptions | None = None,
) -> np.ndarray:
    """Return the small-signal admittance between every pair of terminals at a frequency [Hz], the states held.

    Parameters
    ----------
    model, form, biases, temperature, options
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
    deck = _deck(model, form, copies, [f".ac lin 1 {frequency!r} {frequency!r}"], temperature, options)
    n = len(model.terminals)
    table = _currents(model, run_deck(deck, files=form.files).plot("ac"), len(copies))[:, :, 0]
    return table.reshape(len(biases), n, n).transpose(0, 2, 1)


def noise_densities(
    model: Model,
    form: Form,
    biases: Sequence[Bias],
    frequency: float,
    *,
    terminal: str | None = None,
    temperature: float = ROOM_TEMPERATURE,
    options: SolverOptions | None = None,
) -> np.ndarray:
    """Return the power spectral density of the noise current into a terminal at a frequency [Hz], the states held.

    Parameters
    ----------
    model, form, biases, temperature, options
        As for :func:`terminal_currents`. ngspice's behavioural sources make no noise: the form has to be a compiled one.
    terminal : str, optional
        The first terminal of the read port by default.

    Returns
    -------
    ndarray, shape (n_biases,)
        In A^2/Hz.

    Raises
    ------
    ParameterError, SimulationError, EngineMissingError
    """
    at = terminal or model.read[0]
    found = []
    for bias in biases:  # a deck each: ngspice's plots of several noise analyses carry no names
        sensed = [f"Hsensor sensed 0 V{at}_0 1", f".noise v(sensed) V{at}_0 lin 1 {frequency!r} {frequency!r}"]
        deck = _deck(model, form, [(bias, at)], sensed, temperature, options)
        found.append(float(run_deck(deck, files=form.files).plot("noise")["onoise_spectrum"][0].real))
    return np.array(found) ** 2


def _currents(model: Model, plot: Plot, copies: int) -> np.ndarray:
    return np.array([[-plot[f"i(v{t}_{k})"] for t in model.terminals] for k in range(copies)])


def _deck(
    model: Model,
    form: Form,
    copies: Sequence[Copy],
    analyses: Sequence[str],
    temperature: float,
    options: SolverOptions | None,
) -> str:
    lines = [f"* {model.name} at bias voltages", *form.head]
    for k, (bias, driven) in enumerate(copies):
        for terminal in model.terminals:
            response = " AC 1" if terminal == driven else ""
            lines.append(f"V{terminal}_{k} {terminal}_{k} 0 DC {float(bias.get(terminal, 0.0))!r}{response}")
        lines.append(form.instance(str(k), " ".join(f"{t}_{k}" for t in model.terminals)))
    options = replace(options or SolverOptions(), temperature_c=temperature - ZERO_CELSIUS)
    return "\n".join([*lines, *options.lines(), *analyses, ".end", ""])
