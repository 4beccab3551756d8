"""A card as a netlist: the subcircuit named after the card, each value with its source.

A name stands for one set of values, so that two emitted files can be included in one deck: simulators take the first of
two subcircuits of a name and ignore the second without a word. A shipped card's name and a device's name stand for the
shipped values, a card file's name for the values of that file. Where the values are others, given by ``--set`` or by a
card that has a shipped card's name, a suffix of eight digits that follow from the values makes the name differ. Two card
files of the user's own that share a name keep it, for decks refer to it, also after the next fit;
:func:`synspice.netlists.ngspice.deck_check.check_deck` refuses a deck that holds both.
"""

from __future__ import annotations

import hashlib
from typing import TypedDict

from ..compact import names
from ..compact.card import Card
from ..compact.errors import EmissionError
from ..compact.model import Model
from ..compact.registry import card_paths, default_card, get_card
from .subcircuit import format_subcircuit

DIGITS = 8
"""Hexadecimal digits of a suffix: of a thousand variants of a card, two get the same one with a chance of 1 in 10,000."""


class CardText(TypedDict):
    """What a netlist says of a card: the keyword arguments of ``format_subcircuit`` and its like."""

    name: str
    notes: dict[str, str]
    header: str


def card_text(card: Card, model: Model, name: str | None = None) -> CardText:
    """Return the name that the text gets, the source of each value, and the title and notes as comments.

    Raises
    ------
    EmissionError
        If ``name`` is not a name that every target takes.
    """
    notes = {
        name: ": ".join(text for text in (value.method, _one_line(value.source)) if text)
        for name, value in card.values.items()
    }
    source = f"Source: {card.source}" if card.source else ""
    header = "\n".join(_one_line(line) for line in (card.title, source, card.notes) if line.strip())
    return CardText(name=chosen_name(card, model, name), notes=notes, header=header)


def chosen_name(card: Card, model: Model, name: str | None = None, original: Card | None = None) -> str:
    """Return the name of a card's subcircuit or module.

    Parameters
    ----------
    card : Card
    model : Model
        The card's device.
    name : str, optional
        The name that the user wants.
    original : Card, optional
        The card that ``card`` is with other values; the shipped card of the same name by default.

    Raises
    ------
    EmissionError
        If ``name`` is not a name that every target takes.
    """
    if name is not None:
        if (fault := names.fault(name, "subcircuit or module")) is not None:
            raise EmissionError(fault)
        return name
    stem = names.legal(card.name)
    original = original or _shipped(card, model)
    values = model.values(card.parameters, f"card '{card.name}'")
    if original is None or values == model.values(original.parameters, f"card '{original.name}'"):
        return stem
    text = " ".join(f"{name}={float(value)!r}" for name, value in sorted(values.items()))
    suffix = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
    return f"{stem[: names.LONGEST - DIGITS - 1]}_{suffix}"


def format_card_subcircuit(card: Card, model: Model, name: str | None = None, dialect: str = "ngspice") -> str:
    """Return a subcircuit that has the card's values as the defaults of its parameters.

    Parameters
    ----------
    card : Card
    model : Model
        The card's device.
    name : str, optional
        Name of the subcircuit; by default the card's, with a suffix where a shipped card of that name has other values.
    dialect : str
        ``ngspice``, ``ltspice`` or ``xyce``.

    Raises
    ------
    ParameterError
        If a value is out of range.
    UnknownNameError, EmissionError
        As :func:`synspice.netlists.subcircuit.format_subcircuit`.
    """
    return format_subcircuit(model, card.parameters, dialect=dialect, **card_text(card, model, name))


def _shipped(card: Card, model: Model) -> Card | None:
    """Return the shipped card, or the device's defaults, that has the card's name."""
    if card.name in card_paths():
        return get_card(card.name)
    return default_card(model) if card.name == model.name else None


def _one_line(text: str) -> str:
    return " ".join(text.split())
