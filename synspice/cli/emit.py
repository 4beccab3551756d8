"""``synspice emit``: a card as a netlist, a module or documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..emitters import EMITTERS
from ..emitters import emit as emit_card
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
    device_file: DeviceFiles = None,
) -> None:
    """Emit a card as a netlist, a module or documentation."""
    load_devices(device_file)
    check_writable_file(output, f"the {to} text")
    text = emit_card(card, to, values=numbers(values, "--set"))
    if output is None:
        print(text, end="")
    else:
        write_text(text, output, f"the {to} text")
