"""``synspice fit``: a device fitted to measured data."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import (
    DeviceFiles,
    Format,
    OutputFormat,
    check_writable_file,
    complain,
    load_devices,
    make_writable_folder,
    number_text,
    numbers,
    plain_value,
    print_table,
    split_pairs,
    status_line,
    unit_text,
)

if TYPE_CHECKING:
    from ..fitting.result import FitResult


class HeldOut(StrEnum):
    """The records that the fit does not see."""

    even = "even"
    odd = "odd"
    none = "none"


def fit(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Measured data; several files are fitted together.")
    ],
    device: Annotated[str, typer.Option("--device", metavar="NAME", help="The device to fit.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="CARD.toml", help="Write the fitted card here.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Write a report with figures into this folder.")
    ] = None,
    output_format: OutputFormat = Format.text,
    layout: Annotated[str | None, typer.Option(help="How the files are laid out; recognised when left out.")] = None,
    read_settings: Annotated[
        list[str] | None,
        typer.Option(
            "--read-setting",
            metavar="KEY=VALUE",
            help="What the files do not say, such as compliance=5e-4 or columns.voltage=V1; repeatable.",
        ),
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option("--fix", metavar="NAME=VALUE", help="A parameter that the fit does not move; repeatable."),
    ] = None,
    start: Annotated[
        list[str] | None, typer.Option("--start", metavar="NAME=VALUE", help="A starting value; repeatable.")
    ] = None,
    hold_out: Annotated[
        HeldOut, typer.Option("--hold-out", help="The cycles that the fit does not see and that check it.")
    ] = HeldOut.even,
    ngspice: Annotated[bool, typer.Option(help="Run the fitted card in ngspice for the report.")] = True,
    device_file: DeviceFiles = None,
) -> None:
    """Fit a device to measured data; exit with 1 when the fit failed."""
    load_devices(device_file)
    start_values, fixed_values = numbers(start, "--start"), numbers(fixed, "--fix")
    settings = _settings(read_settings)
    check_writable_file(output, "the card")
    make_writable_folder(report, "the report")

    from ..compact.card import write_card
    from ..compact.registry import get_device

    model = get_device(device)
    from ..api import read

    dataset = read(files, layout=layout, **settings)
    if report is not None and ngspice:
        from ..netlists.ngspice import find_executable

        find_executable()
    from ..fitting.fit import fit_dataset

    with status_line(f"fitting {device}") as say:
        fitted = fit_dataset(
            dataset,
            model,
            start=start_values,
            fixed=fixed_values,
            hold_out=hold_out.value,
            progress=say,
            name=None if output is None else output.stem,
        )
        result = fitted.result
        if result.ok and output is not None:
            write_card(result.card, output)
        written = None
        if report is not None:
            from ..fitting.report import write_report

            say("writing the report")
            written = write_report(fitted, report, with_ngspice=ngspice)
    if output_format is Format.json:
        print(json.dumps(result.record(), indent=2, allow_nan=False))
    else:
        _print(result)
        if written is not None:
            print(f"report: {written}")
    if not result.ok:
        raise typer.Exit(complain(f"the fit failed, so no card is written: {result.message}", 1))


def _settings(pairs: list[str] | None) -> dict[str, Any]:
    """Return the reader's settings: numbers and truth values as such, ``columns.voltage=V1`` as an entry of a table."""
    settings: dict[str, Any] = {}
    for key, text in split_pairs(pairs, "--read-setting").items():
        name, dot, entry = key.partition(".")
        if dot:
            settings.setdefault(name, {})[entry] = text
        else:
            settings[name] = plain_value(text)
    return settings


def _print(result: FitResult) -> None:
    print(f"{result.device}: {result.status}. {result.message}")
    rows = []
    for name, p in result.parameters.items():
        remarks = [] if p.fitted else ["held"]
        remarks += ["at its bound"] if p.at_bound else []
        remarks += ["not determined by the data"] if name in result.undetermined and p.fitted else []
        rows.append((name, number_text(p.value, 6), number_text(p.stderr, 2), unit_text(p.unit), ", ".join(remarks)))
    print_table(("parameter", "value", "+-", "unit", "remark"), rows)
    print_table(
        ("data", "error", "fitted", "held out"),
        [(e.data, e.metric, number_text(e.in_sample, 3), number_text(e.held_out, 3)) for e in result.errors],
    )
    if result.notes:
        print("notes", *(f"  - {note}" for note in result.notes), sep="\n")
