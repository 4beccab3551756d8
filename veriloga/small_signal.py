"""Operating points, admittances and noise of a device at bias voltages in VACASK, its states held as programmed.

Every bias has a copy of the device of its own in one VACASK deck, and for the admittance one copy for each terminal
that is driven.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..compact.constants import ROOM_TEMPERATURE
from ..compact.model import Model
from ..compact.probes import probes
from ..netlists.bias_points import Bias, Copy, driven_copies, held_values
from ..netlists.ngspice import Plot
from .compiler import compile_module
from .module import format_module
from .vacask import Deck, VacaskOptions, number_text, parameters_text, run_decks


def operating_points(
    model: Model,
    values: Mapping[str, float],
    biases: Sequence[Bias],
    *,
    temperature: float = ROOM_TEMPERATURE,
    options: VacaskOptions | None = None,
) -> list[dict[str, float]]:
    """Return the currents into the terminals, the states and the observables at each bias.

    Parameters
    ----------
    model : Model
    values : mapping of name to float
        Parameter values; the states stay at their initial ones.
    biases : sequence of mapping of terminal to V
    temperature : float
        Ambient temperature [K].
    options : VacaskOptions, optional

    Returns
    -------
    list of dict
        ``i_<terminal>`` [A], and each state and observable by its name.

    Raises
    ------
    ParameterError, SimulationError, EngineMissingError
    """
    saved = [f"p({_copy(k)},{p.name})" for k in range(len(biases)) for p in probes(model)]
    control = [f"save default {' '.join(saved)}".rstrip(), "analysis point op"]
    plot = _run(model, values, [(bias, "") for bias in biases], control, ["point"], temperature, options)["point"]
    found = []
    for k in range(len(biases)):
        row = {p.name: float(plot[f"{_copy(k)}.{p.name}"][0].real) for p in probes(model)}
        row |= {f"i_{t}": -float(plot[f"{_source(t, k)}:flow(br)"][0].real) for t in model.terminals}
        found.append(row)
    return found


def admittances(
    model: Model,
    values: Mapping[str, float],
    biases: Sequence[Bias],
    frequencies: Sequence[float],
    *,
    temperature: float = ROOM_TEMPERATURE,
    options: VacaskOptions | None = None,
) -> np.ndarray:
    """Return the small-signal admittance between every pair of terminals, the states held.

    Parameters
    ----------
    model, values, biases, temperature, options
        As for :func:`operating_points`.
    frequencies : sequence of float
        In Hz.

    Returns
    -------
    ndarray, shape (n_biases, n_frequencies, n_terminals, n_terminals)
        Current into the first terminal for a volt at the second [S], complex.

    Raises
    ------
    ParameterError, SimulationError, EngineMissingError
    """
    copies = driven_copies(model, biases)
    control = [f"analysis response ac values=[{', '.join(repr(float(f)) for f in frequencies)}]"]
    plot = _run(model, values, copies, control, ["response"], temperature, options)["response"]
    n = len(model.terminals)
    currents = [[-plot[f"{_source(t, k)}:flow(br)"] for t in model.terminals] for k in range(len(copies))]
    table = np.array(currents, complex).reshape(len(biases), n, n, len(frequencies))
    return table.transpose(0, 3, 2, 1)


def noise_densities(
    model: Model,
    values: Mapping[str, float],
    biases: Sequence[Bias],
    frequencies: Sequence[float],
    *,
    terminal: str | None = None,
    temperature: float = ROOM_TEMPERATURE,
    options: VacaskOptions | None = None,
) -> np.ndarray:
    """Return the power spectral density of the noise current into a terminal, all voltages fixed, the states held.

    Parameters
    ----------
    model, values, biases, temperature, options
        As for :func:`operating_points`.
    frequencies : sequence of float
        In Hz, above 0.
    terminal : str, optional
        The first terminal of the read port by default.

    Returns
    -------
    ndarray, shape (n_biases, n_frequencies)
        In A^2/Hz.

    Raises
    ------
    ParameterError, SimulationError, EngineMissingError
    """
    at = terminal or model.read[0]
    listed = ", ".join(repr(float(f)) for f in frequencies)
    names = [f"noise{k}" for k in range(len(biases))]
    control = [
        f'analysis {name} noise out="sensed{k}" in="{_source(at, k)}" values=[{listed}]' for k, name in enumerate(names)
    ]
    sensors = [f'sensor{k} (sensed{k} 0) ccvs gain=1 ctlinst="{_source(at, k)}"' for k in range(len(biases))]
    copies = [(bias, "") for bias in biases]
    plots = _run(model, values, copies, control, names, temperature, options, ["model ccvs ccvs", *sensors])
    return np.array([np.asarray(plots[name]["onoise"].real, float) for name in names])


def _copy(k: int) -> str:
    return f"dut{k}"


def _source(terminal: str, k: int) -> str:
    return f"v_{terminal}_{k}"


def _run(
    model: Model,
    values: Mapping[str, float],
    copies: Sequence[Copy],
    control: Sequence[str],
    analyses: Sequence[str],
    temperature: float,
    options: VacaskOptions | None,
    further: Sequence[str] = (),
) -> dict[str, Plot]:
    """Run one deck with a copy of the device for each bias and driven terminal, and return its plots."""
    complete = held_values(model, values)
    lines = [f"{model.name} at bias voltages", "ground 0", "model vsource vsource", 'load "device.osdi"']
    lines.append(f"model card {model.name} {parameters_text(model, complete, instance=False)}".rstrip())
    instance = parameters_text(model, complete, instance=True)
    for k, (bias, driven) in enumerate(copies):
        for terminal in model.terminals:
            mag = " mag=1" if terminal == driven else ""
            lines.append(
                f"{_source(terminal, k)} ({terminal}_{k} 0) vsource dc={number_text(bias.get(terminal, 0.0))}{mag}"
            )
        lines.append(f"{_copy(k)} ({' '.join(f'{t}_{k}' for t in model.terminals)}) card {instance}".rstrip())
    options = options or VacaskOptions()
    told = [options.line(temperature), *control]
    text = "\n".join([*lines, *further, "control", *(f"  {line}" for line in told), "endc", ""])
    deck = Deck(
        text=text,
        libraries={"device.osdi": compile_module(format_module(model))},
        stops=dict.fromkeys(analyses),
    )
    return run_decks([deck], workers=1)[0]
