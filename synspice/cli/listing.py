"""``synspice list``: the devices and their cards."""

from __future__ import annotations

import json
from typing import Any

from .common import DeviceFiles, Format, OutputFormat, load_devices, print_table


def list_devices(output_format: OutputFormat = Format.text, device_file: DeviceFiles = None) -> None:
    """List the devices, with their terminals, states, parameters and cards."""
    from ..compact.registry import cards_of, device_names, get_device

    load_devices(device_file)
    devices: list[dict[str, Any]] = [
        {
            "name": name,
            "terminals": list(model.terminals),
            "states": [s.name for s in model.states],
            "parameters": [p.name for p in model.parameters],
            "cards": [{"name": card.name, "source": card.source} for card in cards_of(name)],
        }
        for name in device_names()
        for model in [get_device(name)]
    ]
    if output_format is Format.json:
        print(json.dumps({"devices": devices}, indent=2))
        return
    rows = [
        (
            d["name"],
            get_device(d["name"]).title,
            " ".join(d["terminals"]),
            " ".join(d["states"]),
            str(len(d["parameters"])),
        )
        for d in devices
    ]
    print_table(("device", "what it is", "terminals", "states", "parameters"), rows)
    cards = [(card["name"], d["name"], card["source"]) for d in devices for card in d["cards"]]
    if cards:
        print_table(("card", "device", "source"), cards)
