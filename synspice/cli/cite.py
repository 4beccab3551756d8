"""``synspice cite``: how to cite the package, and the sources of a device or card."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .common import DeviceFiles, Format, OutputFormat, load_devices


def cite(
    name: Annotated[
        str | None, typer.Argument(help="A device, a card or a card file; the package alone without it.")
    ] = None,
    output_format: OutputFormat = Format.text,
    device_file: DeviceFiles = None,
) -> None:
    """Print how to cite the package, and the sources of a device or card."""
    from ..compact.version import __version__

    package = {
        "title": "synspice: compact models of synaptic devices",
        "version": __version__,
        "licence": "GPL-3.0-or-later",
    }
    card_record: dict[str, object] = {}
    references: list[str] = []
    if name is not None:
        from ..compact.registry import resolve

        load_devices(device_file)
        card, model = resolve(name)
        values = {key: value.source for key, value in card.values.items()}
        card_record = {"name": card.name, "device": model.name, "source": card.source, "values": values}
        references = list(model.references)
    if output_format is Format.json:
        answer = (
            {"package": package}
            if name is None
            else {"package": package, "card": card_record, "references": references}
        )
        print(json.dumps(answer, indent=2))
        return
    print("@software{synspice,")
    for key, value in {
        "title": "{" + package["title"] + "}",
        "version": __version__,
        "license": package["licence"],
    }.items():
        print(f"  {key} = {{{value}}},")
    print("}")
    if name is None:
        print("\nCite the sources of the device and card too: synspice cite NAME")
        return
    print(f"\nEquations of {model.name}:")
    print("\n".join(f"  - {reference}" for reference in references) or "  no source is stated")
    print(f"\nValues of {card.name}: {card.source or 'no source is stated'}")
    for source in dict.fromkeys(v for v in values.values() if v and v != card.source):
        names = ", ".join(key for key, value in values.items() if value == source)
        print(f"  - {names}: {source}")
