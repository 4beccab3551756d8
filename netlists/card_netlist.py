"""A card as a netlist: the subcircuit named after the card, each value with its source."""

from __future__ import annotations

import re
from typing import TypedDict

from ..compact.card import Card
from ..compact.model import Model
from .subcircuit import format_subcircuit


class CardText(TypedDict):
    """What a netlist says of a card: the keyword arguments of ``format_subcircuit`` and its like."""

    name: str
    notes: dict[str, str]
    header: str


def card_text(card: Card) -> CardText:
    """Return the card's name as simulators take it, the source of each value, and the title and notes as comments."""
    notes = {
        name: ": ".join(text for text in (value.method, _one_line(value.source)) if text)
        for name, value in card.values.items()
    }
    source = f"Source: {card.source}" if card.source else ""
    header = "\n".join(_one_line(line) for line in (card.title, source, card.notes) if line.strip())
    return CardText(name=subcircuit_name(card), notes=notes, header=header)


def subcircuit_name(card: Card) -> str:
    """Return the card's name in lower-case letters, digits and ``_``, starting with a letter."""
    name = re.sub(r"[^a-z0-9_]", "_", card.name.lower())
    return name if name[:1].isalpha() else f"card_{name}"


def format_card_subcircuit(card: Card, model: Model, name: str | None = None, dialect: str = "ngspice") -> str:
    """Return a subcircuit that has the card's values as the defaults of its parameters.

    Parameters
    ----------
    card : Card
    model : Model
        The card's device.
    name : str, optional
        Name of the subcircuit; the card's name by default.
    dialect : str
        ``ngspice``, ``ltspice`` or ``xyce``.

    Raises
    ------
    ParameterError
        If a value is out of range.
    UnknownNameError, EmissionError
        As :func:`synspice.netlists.subcircuit.format_subcircuit`.
    """
    text = card_text(card)
    if name is not None:
        text["name"] = name
    return format_subcircuit(model, card.parameters, dialect=dialect, **text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
