"""Every target that a card can be emitted to. A new target is one entry of `EMITTERS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .compact.errors import UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

    from .compact.card import Card
    from .compact.model import Model


@dataclass(frozen=True)
class Target:
    """Something that a card can be emitted to.

    Attributes
    ----------
    summary : str
        One line for the command line's help.
    function : callable (card, model, name) -> str
        Imports what it needs when it is called, so that the table costs nothing. The name is what the text calls itself.
    called : str
        What has the name: a subcircuit, a module; empty where the text calls itself nothing.
    """

    summary: str
    function: Callable[[Card, Model, str], str]
    called: str = ""


@dataclass(frozen=True)
class Emitted:
    """An emitted text.

    Attributes
    ----------
    text : str
    name : str
        What the text calls its subcircuit or module; the card's name in another text.
    """

    text: str
    name: str


def _ngspice(card: Card, model: Model, name: str) -> str:
    from .netlists.card_netlist import format_card_subcircuit

    return format_card_subcircuit(card, model, name)


def _ltspice(card: Card, model: Model, name: str) -> str:
    from .netlists.card_netlist import format_card_subcircuit

    return format_card_subcircuit(card, model, name, dialect="ltspice")


def _xyce(card: Card, model: Model, name: str) -> str:
    from .netlists.card_netlist import format_card_subcircuit

    return format_card_subcircuit(card, model, name, dialect="xyce")


def _veriloga(card: Card, model: Model, name: str) -> str:
    from .netlists.card_netlist import card_text
    from .veriloga.module import format_module

    return format_module(model, card.parameters, **card_text(card, model, name))


def _python(card: Card, model: Model, name: str) -> str:
    from .compact.python_code import format_python

    values = model.values(card.parameters, f"card '{card.name}'")
    rows = "\n".join(f"    {values[p.name]!r},  # {p.name} [{p.unit}]" for p in model.parameters)
    comment = f"# the values of {name}, for the argument 'parameters'"
    return f"{format_python(model)}\n\n{comment}\nPARAMETERS = (\n{rows}\n)\n"


def _markdown(card: Card, model: Model, name: str) -> str:
    from .compact.documentation import format_markdown

    return format_markdown(model, replace(card, name=name))


def _latex(card: Card, model: Model, name: str) -> str:
    from .compact.documentation import format_latex

    return format_latex(model, replace(card, name=name))


EMITTERS: dict[str, Target] = {
    "ngspice": Target("a SPICE subcircuit of behavioural sources, for ngspice", _ngspice, "subcircuit"),
    "ltspice": Target(
        "the same subcircuit in LTspice's dialect (from its documentation; not run here)", _ltspice, "subcircuit"
    ),
    "xyce": Target("the same subcircuit in Xyce's dialect (from its documentation; not run here)", _xyce, "subcircuit"),
    "veriloga": Target(
        "a Verilog-A module, for openvaf-r, VACASK, ngspice with OSDI and commercial simulators", _veriloga, "module"
    ),
    "python": Target("a Python module of plain functions with their Jacobians; needs numpy only", _python),
    "markdown": Target("documentation, with the formulas in TeX", _markdown),
    "latex": Target("documentation, as a LaTeX document", _latex),
}
"""Every target by the name that the command line uses."""


def get_emitter(name: str) -> Target:
    """Return a target.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    if name not in EMITTERS:
        raise UnknownNameError("target", name, EMITTERS)
    return EMITTERS[name]


def emit(
    device: Card | Model | str | Path,
    to: str = "ngspice",
    *,
    values: Mapping[str, float] | None = None,
    name: str | None = None,
) -> str:
    """Return a card as text for a simulator, a language or a reader.

    Parameters
    ----------
    device : Card, Model, str or Path
        A card, a model with its default values, the name of either, or a card file.
    to : str
        One of `EMITTERS`.
    values : mapping of name to float, optional
        Parameter values that replace the card's.
    name : str, optional
        Name of the subcircuit or module: lower-case letters, digits and ``_``, starting with a letter, no reserved word. By
        default the card's, with a suffix that follows from the values where ``values`` change it, so that both can stand
        in one deck.

    Raises
    ------
    UnknownNameError, CardError, ParameterError, EmissionError
    """
    return emit_named(device, to, values=values, name=name).text


def emit_named(
    device: Card | Model | str | Path,
    to: str = "ngspice",
    *,
    values: Mapping[str, float] | None = None,
    name: str | None = None,
) -> Emitted:
    """Return what :func:`emit` returns, with the name that it got."""
    from .compact.registry import resolve
    from .netlists.card_netlist import chosen_name

    target = get_emitter(to)
    original, model = resolve(device)
    card = original.with_values(values, model, "given when emitted") if values else original
    chosen = chosen_name(card, model, name, original if values else None)
    return Emitted(text=target.function(card, model, chosen), name=chosen)
