"""``synspice run`` for circuits: their cards, settings, picture and record."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..compact.errors import OutputError
from .common import Format, number_text, print_table, progress_bar, unit_text, write_text

if TYPE_CHECKING:
    from ..netlists.circuits import CircuitExperiment, CircuitResult


def run_circuit(
    name: str,
    *,
    card: str | None,
    partner: str | None,
    engine: str | None,
    settings: Mapping[str, float | str],
    values: Mapping[str, float],
    options: Mapping[str, object],
    output_format: Format,
    cells: Path | None,
    output: Path | None,
    plot: Path | None,
    deck: Path | None,
) -> None:
    """Run a circuit, write what is asked for, and print what is measured."""
    from ..netlists.circuits import get_circuit

    circuit = get_circuit(name).from_settings(settings)
    if cells is not None:
        circuit = with_cell_map(circuit, cells)
    chosen = circuit.known_engine(engine)
    if (cost := circuit.estimate(chosen)) != "":
        print(f"synspice: {name} will take {cost}", file=sys.stderr)
    with progress_bar(f"{name} in {chosen}") as progress:
        result = circuit.run(card, chosen, partner=partner, values=values, progress=progress, options=options)
    if output is not None:
        write_text(result.to_json() + "\n", output, "the record")
    if deck is not None:
        if not result.decks:
            raise OutputError(f"{name} in {chosen} has no deck; take --engine ngspice")
        write_text("\n".join(result.decks), deck, "the deck")
    if plot is not None:
        draw(circuit, result, plot)
    if output_format is Format.json:
        if output is None:
            print(result.to_json())
        return
    print(f"{name} in {result.engine_version}, {' and '.join(result.devices)}")
    rows = [
        (
            quantity,
            number_text(q.value) if not isinstance(q.value, list) else f"{len(q.value)} values",
            unit_text(q.unit),
        )
        for quantity, q in result.quantities.items()
    ]
    print_table(("quantity", "value", "unit"), rows)


def with_cell_map(circuit: CircuitExperiment, path: Path) -> CircuitExperiment:
    """Return a crossbar with the cells of a file.

    Raises
    ------
    DataError
    typer.BadParameter
        The circuit takes none.
    """
    from ..netlists.arrays.cell_map import read_cell_map
    from ..netlists.circuits.crossbar_base import CrossbarExperiment

    if not isinstance(circuit, CrossbarExperiment):
        raise typer.BadParameter("only crossbar-read and crossbar-write take cells of their own", param_hint="--cells")
    return replace(circuit, cells=read_cell_map(path))


def draw(circuit: CircuitExperiment, result: CircuitResult, path: Path) -> None:
    """Draw a circuit's result into a file.

    Raises
    ------
    OutputError
        If the file cannot be written, or matplotlib does not know its kind.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    FigureCanvasAgg(figure)
    circuit.draw(result, figure)
    figure.suptitle(f"{circuit.title}: {' and '.join(result.devices)}, {result.engine_version}", fontsize="medium")
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write the figure to {path}: {error}") from error
