"""``synspice emit``: a card as a netlist, a module or documentation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..compact.registry import resolve
from ..emitters import EMITTERS, emit_named
from .common import DeviceFiles, check_writable_file, load_devices, numbers, write_text

_TARGETS = "; ".join(f"{name}: {target.summary}" for name, target in EMITTERS.items())


def emit(
    card: Annotated[str, typer.Argument(help="A card's name, a card file, or a device's name for its default values.")],
    to: Annotated[str, typer.Option("--to", metavar="TARGET", help=_TARGETS)] = "ngspice",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here, not to stdout.")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Replace a parameter's value; repeatable.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Name of the subcircuit or module; by default the card's, with a suffix where --set changes its values.",
        ),
    ] = None,
    device_file: DeviceFiles = None,
) -> None:
    """Emit a card as a netlist, a module or documentation."""
    load_devices(device_file)
    check_writable_file(output, f"the {to} text")
    emitted = emit_named(card, to, values=numbers(values, "--set"), name=name)
    called = EMITTERS[to].called
    if called and name is None and emitted.name != resolve(card)[0].name:
        print(f"{called} {emitted.name}; --name gives another", file=sys.stderr)
    if output is None:
        print(emitted.text, end="")
    else:
        write_text(emitted.text, output, f"the {to} text")
