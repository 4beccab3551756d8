"""``synspice extract``: a shipped card regenerated from the documented rows that determine it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import (
    Format,
    OutputFormat,
    check_writable_file,
    complain,
    number_text,
    print_table,
    status_line,
    unit_text,
)

if TYPE_CHECKING:
    from ..compact.card import Card
    from ..fitting.extraction import Extracted

LARGEST_CHANGE = 0.01
"""Relative difference from the shipped value up to which a card is reproduced."""


def extract(
    card: Annotated[str, typer.Argument(metavar="CARD", help="A shipped card.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="CARD.toml", help="Write the regenerated card here.")
    ] = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Regenerate a shipped card from its catalogue rows; exit with 1 when a value differs by more than 1 %."""
    check_writable_file(output, "the card")
    from ..compact.card import write_card
    from ..compact.registry import get_card
    from ..fitting.extraction import extract_in_detail

    with status_line(f"extracting {card}") as status:
        extracted = extract_in_detail(card, progress=status)
    shipped = get_card(card)
    if output is not None:
        write_card(extracted.card, output)
    changes = _changes(extracted, shipped)
    if output_format is Format.json:
        print(json.dumps(_record(extracted, shipped, changes), indent=1))
    else:
        _print(extracted, shipped, changes)
    worst = max(changes, key=lambda name: abs(changes[name]), default=None)
    if worst is not None and abs(changes[worst]) > LARGEST_CHANGE:
        message = f"'{worst}' differs from the shipped card by {100 * changes[worst]:+.2g} %"
        raise typer.Exit(complain(message, 1))


def _changes(extracted: Extracted, shipped: Card) -> dict[str, float]:
    """Return the relative differences of the parameters that were fitted or derived."""
    old, new = shipped.parameters, extracted.card.parameters
    return {name: new[name] / old[name] - 1 for name in (*extracted.determined, *extracted.derived)}


def _record(extracted: Extracted, shipped: Card, changes: dict[str, float]) -> dict[str, object]:
    parameters = {
        name: {
            "value": value.value,
            "unit": value.unit,
            "stderr": value.stderr,
            "shipped": shipped.values[name].value,
            "change": changes.get(name),
            "rows": list(extracted.determined.get(name, ())),
            "method": "derived" if name in extracted.derived else value.method,
        }
        for name, value in extracted.card.values.items()
    }
    targets = [
        {"row": row, "quantity": quantity, "target": target, "reached": value}
        for (row, quantity), (target, value) in extracted.reached.items()
    ]
    return {"card": extracted.card.name, "parameters": parameters, "targets": targets}


def _print(extracted: Extracted, shipped: Card, changes: dict[str, float]) -> None:
    rows = []
    for name, value in extracted.card.values.items():
        how = ", ".join(extracted.determined.get(name, ())) or (
            "follows from the others" if name in extracted.derived else value.method
        )
        change = f"{100 * changes[name]:+.2g} %" if name in changes else ""
        rows.append(
            (
                name,
                number_text(value.value, 6),
                number_text(value.stderr, 2) if name in extracted.determined else "",
                unit_text(value.unit),
                number_text(shipped.values[name].value, 6),
                change,
                how,
            )
        )
    print_table(("parameter", "value", "standard error", "unit", "shipped", "change", "determined by"), rows)
    if not extracted.determined:
        print(f"No documented row determines a value of '{extracted.card.name}': its rows test what was assumed.")
        return
    print_table(
        ("row", "quantity", "aimed at", "reached"),
        [
            (row, quantity, number_text(target), number_text(value))
            for (row, quantity), (target, value) in extracted.reached.items()
        ],
    )
