"""``synspice reproduce``: what the papers document, run and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import Format, OutputFormat, make_writable_folder, number_text, print_table, progress_bar, unit_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..fitting.reproduction import Reproduced


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PAPER|CARD|ID]...", help="What to reproduce; everything when left out."),
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="ngspice, vacask or reference.")] = "ngspice",
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", help="Write a report with the papers' figures into this folder."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare every waveform with the reference engine's.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; the processors by default.")
    ] = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Run the experiments of documented rows; exit with 1 when a row that is marked as met is not."""
    from ..fitting.characteristics.catalogue import select
    from ..fitting.reproduction import reproduce as run
    from ..netlists.ngspice import find_executable
    from ..netlists.run import get_engine

    get_engine(engine)
    select(names or ())
    if engine == "ngspice":
        find_executable()
    make_writable_folder(report, "the report")
    with progress_bar(f"rows in {engine}") as progress:
        results = run(names or (), engine, compare=compare, workers=workers, progress=progress)
    if report is not None:
        from ..fitting.reproduction.report import write_report

        write_report(results, report)
    if output_format is Format.json:
        print(json.dumps([item.record() for item in results], indent=1))
    else:
        _print(results)
    if any(item.fails for item in results):
        raise typer.Exit(1)


def _print(results: Sequence[Reproduced]) -> None:
    from ..fitting.reproduction import counts

    rows = []
    for item in results:
        simulated = ", ".join(
            f"{name} {number_text(value.value, 4)} {unit_text(value.unit)}".strip()
            for name, value in item.simulated.items()
            if not isinstance(value.value, list)
        )
        state = {True: "met", False: "NOT MET", None: "undetermined"}[item.met]
        deviation = () if item.deviation is None else (f"{100 * item.deviation:.2g} %",)
        rows.append(
            (
                item.row.id,
                item.row.documented,
                simulated,
                item.row.tolerance,
                state,
                item.row.use,
                item.note,
                *deviation,
            )
        )
    columns = ("row", "documented", "simulated", "accepted", "", "use", "note")
    print_table((*columns, "deviation") if any(i.deviation is not None for i in results) else columns, rows)
    for kind, (met, unmet, open_) in counts(results).items():
        tail = f", {open_} undetermined by the paper's text" if open_ else ""
        print(f"{kind}: {met} of {met + unmet} met{tail}")
    for item in results:
        if item.fails:
            print(f"{item.row.id} fails: it is marked as met, or its engines disagree")
