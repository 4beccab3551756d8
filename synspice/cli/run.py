"""``synspice run``: an experiment on a card, on any engine."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..compact.errors import UnknownNameError
from .common import (
    DeviceFiles,
    Format,
    OutputFormat,
    check_writable_file,
    load_devices,
    number_or_word,
    number_text,
    numbers,
    plain_value,
    print_table,
    progress_bar,
    split_pairs,
    unit_text,
    write_text,
)
from .run_circuit import run_circuit

if TYPE_CHECKING:
    from ..compact.result import Result
    from ..netlists.experiments import Experiment


def run(
    experiment: Annotated[
        str, typer.Argument(help="An experiment on one device, or a circuit: a wrong name lists them.")
    ],
    card: Annotated[
        str | None,
        typer.Option(
            "--card",
            help="A card's name, a card file, or a device's name for its default values; a circuit has its own.",
        ),
    ] = None,
    partner: Annotated[
        str | None,
        typer.Option(
            "--partner", metavar="CARD", help="The second device of a circuit: the selector of a crossbar's cells."
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine", help="ngspice (most often the default), vacask, reference; array, for crossbars and series."
        ),
    ] = None,
    output_format: OutputFormat = Format.text,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the JSON record here.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the experiment, in SI units; repeatable."),
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="Replace a parameter's value, such as x_init; repeatable."),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--option", metavar="NAME=VALUE", help="A solver option of the engine, such as reltol; repeatable."
        ),
    ] = None,
    waveform: Annotated[
        Path | None,
        typer.Option(
            "--waveform", metavar="FILE.csv", help="Columns time (s) and voltage (V), for the experiment waveform."
        ),
    ] = None,
    cells: Annotated[
        Path | None,
        typer.Option(
            "--cells",
            metavar="FILE.csv",
            help="Cells of a crossbar that differ: columns row, column, and card, conductance or any parameter.",
        ),
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw the signals.")] = None,
    deck: Annotated[
        Path | None, typer.Option("--deck", metavar="FILE.cir", help="Write what ngspice was given.")
    ] = None,
    device_file: DeviceFiles = None,
) -> None:
    """Run an experiment on a card and print what is measured."""
    from ..compact.registry import resolve
    from ..netlists.circuits import CIRCUITS
    from ..netlists.experiments import EXPERIMENTS
    from ..netlists.run import get_engine, run_many

    load_devices(device_file)
    check_writable_file(output, "the record")
    check_writable_file(plot, "the figure")
    check_writable_file(deck, "the deck")
    if experiment in CIRCUITS:
        if waveform is not None:
            raise typer.BadParameter("a circuit takes no waveform", param_hint="--waveform")
        run_circuit(
            experiment,
            card=card,
            partner=partner,
            engine=engine,
            settings={n: number_or_word(text) for n, text in split_pairs(settings, "--set").items()},
            values=numbers(parameters, "--param"),
            options={name: plain_value(text) for name, text in split_pairs(options, "--option").items()},
            output_format=output_format,
            cells=cells,
            output=output,
            plot=plot,
            deck=deck,
        )
        return
    if experiment not in EXPERIMENTS:
        raise UnknownNameError("experiment or circuit", experiment, (*EXPERIMENTS, *CIRCUITS))
    if card is None:
        raise typer.BadParameter("an experiment needs a card or a device", param_hint="--card")
    if partner is not None:
        raise typer.BadParameter("only a circuit has a second device", param_hint="--partner")
    if cells is not None:
        raise typer.BadParameter("only a crossbar has cells", param_hint="--cells")
    engine = engine or "ngspice"
    get_engine(engine)
    if deck is not None and engine == "reference":
        raise typer.BadParameter("the reference engine has no deck", param_hint="--deck")
    chosen_options = {name: plain_value(text) for name, text in split_pairs(options, "--option").items()}
    prepared = _experiment(experiment, numbers(settings, "--set"), waveform)
    chosen, model = resolve(card)
    values = {**chosen.parameters, **numbers(parameters, "--param")}
    with progress_bar(f"{experiment} in {engine}") as progress:
        result = run_many([(prepared, model, values)], engine, progress=progress, options=chosen_options)[0]
    if output is not None:
        write_text(result.to_json() + "\n", output, "the record")
    if deck is not None:
        write_text(result.deck, deck, "the deck")
    if plot is not None:
        from .plot import draw

        draw(result, plot)
    if output_format is Format.json:
        if output is None:
            print(result.to_json())
    else:
        _print(result)


def _experiment(name: str, settings: dict[str, float], waveform: Path | None) -> Experiment:
    from ..netlists.experiments import PiecewiseLinear, get_experiment

    kind = get_experiment(name)
    if kind is PiecewiseLinear:
        if waveform is None:
            raise typer.BadParameter("the experiment 'waveform' needs one", param_hint="--waveform")
        from .waveform_file import read_waveform

        points = read_waveform(waveform)
        return replace(kind.from_settings(settings), waveform=points)
    if waveform is not None:
        raise typer.BadParameter(f"the experiment '{name}' has its own stimulus", param_hint="--waveform")
    return kind.from_settings(settings)


def _print(result: Result) -> None:
    print(f"{result.experiment} in {result.engine_version}, {len(result.time)} points over {result.time[-1]:g} s")
    rows = []
    for name, quantity in result.quantities.items():
        if isinstance(quantity.value, list):
            text = f"{len(quantity.value)} values, {_ends(quantity.value)}" if quantity.value else "-"
        else:
            text = number_text(quantity.value)
        rows.append((name, text, unit_text(quantity.unit)))
    print_table(("quantity", "value", "unit"), rows)


def _ends(values: list[float]) -> str:
    finite = [v for v in values if math.isfinite(v)]
    return f"{values[0]:.4g} ... {values[-1]:.4g}" if finite else "none finite"
