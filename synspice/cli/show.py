"""``synspice show``: the equations of a device and the values of a card."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..emitters import emit
from .common import DeviceFiles, load_devices, number_text, print_table, unit_text

if TYPE_CHECKING:
    from ..compact.card import Card
    from ..compact.model import Model
    from ..compact.parameters import Parameter


class ShowFormat(StrEnum):
    """How ``show`` prints a device."""

    text = "text"
    json = "json"
    markdown = "markdown"
    latex = "latex"


def show(
    name: Annotated[str, typer.Argument(help="A device, a card or a card file.")],
    output_format: Annotated[ShowFormat, typer.Option("--format", help="How to print it.")] = ShowFormat.text,
    device_file: DeviceFiles = None,
) -> None:
    """Show the equations of a device, and its parameters with unit, bounds, value and source."""
    from ..compact.registry import resolve

    load_devices(device_file)
    card, model = resolve(name)
    if output_format is ShowFormat.json:
        print(json.dumps(_record(card, model), indent=2))
    elif output_format is ShowFormat.text:
        _print(card, model)
    else:
        print(emit(card, output_format.value), end="")


def _print(card: Card, model: Model) -> None:
    record = _record(card, model)
    print(f"{card.title}\ncard {card.name} of device {model.name}; {card.source}")
    if card.notes:
        print(f"\n{card.notes.strip()}")
    print(f"\n{model.description.strip()}\n\nterminals: {' '.join(model.terminals)}")
    print(*(f"{v.name} = V({v.plus}) - V({v.minus})  [V]" for v in model.voltages), sep="\n")
    for title, rows in record["equations"].items():
        if rows:
            print(f"\n{title}")
        for row in rows:
            print(f"  {row['left']} = {row['expression']}  [{row['unit']}]")
            if row["description"]:
                print(f"      {row['description']}")
    print()
    cells = [
        (
            p["name"],
            number_text(p["value"]),
            number_text(p["stderr"]),
            unit_text(p["unit"]),
            p["range"],
            p["description"],
            p["method"],
            p["source"],
        )
        for p in record["parameters"]
    ]
    print_table(("parameter", "value", "+-", "unit", "range", "meaning", "come by", "source"), cells)
    if model.references:
        print("references", *(f"  - {reference}" for reference in model.references), sep="\n")


def _record(card: Card, model: Model) -> dict[str, Any]:
    """Return the device and card as the JSON of ``show`` has them."""
    return {
        "name": card.name,
        "device": model.name,
        "title": card.title,
        "source": card.source,
        "notes": card.notes,
        "description": model.description.strip(),
        "terminals": list(model.terminals),
        "states": [
            {
                "name": s.name,
                "unit": s.unit,
                "initial": s.initial,
                "lower": _finite(s.lower),
                "upper": _finite(s.upper),
                "description": s.description,
            }
            for s in model.states
        ],
        "equations": {
            "quantities": [_equation(q.name, q.expression, q.unit, q.description) for q in model.quantities],
            "currents": [_equation(f"i({b.plus},{b.minus})", b.expression, "A") for b in model.currents],
            "charges": [_equation(f"q({b.plus},{b.minus})", b.expression, "C") for b in model.charges],
            "rates": [
                _equation(f"d({s.name})/dt", rate, "1/s" if s.unit == "1" else f"{s.unit}/s", s.description)
                for s, rate in zip(model.states, model.rates, strict=True)
            ],
            "observables": [_equation(o.name, o.expression, o.unit, o.description) for o in model.observables],
            "noise": [_equation(f"S({n.name})", n.density, "A^2/Hz", f"{n.kind} noise") for n in model.noise],
        },
        "parameters": [_parameter(card, p) for p in model.parameters],
        "references": list(model.references),
    }


def _equation(left: str, expression: Any, unit: str, description: str = "") -> dict[str, str]:
    return {"left": left, "expression": str(expression), "unit": unit, "description": description}


def _parameter(card: Card, parameter: Parameter) -> dict[str, Any]:
    value = card.values.get(parameter.name)
    return {
        "name": parameter.name,
        "value": parameter.default if value is None else value.value,
        "unit": parameter.unit,
        "stderr": None if value is None else value.stderr,
        "lower": _finite(parameter.lower),
        "upper": _finite(parameter.upper),
        "range": parameter.range_text,
        "description": parameter.description,
        "method": "assumed" if value is None else value.method,
        "source": "default of the definition" if value is None else value.source,
    }


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
