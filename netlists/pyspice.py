"""Devices for circuits that are written with PySpice.

::

    from PySpice.Spice.Netlist import Circuit
    from synspice.netlists.pyspice import subcircuit

    circuit = Circuit("two synapses")
    circuit.subcircuit(subcircuit("drift_memristor", name="synapse"))
    circuit.X("1", "synapse", "row_1", "column", x_init=0.3)
    circuit.X("2", "synapse", "row_2", "column", x_init=0.7, k_set=2e3)

Importing this module imports PySpice, which takes most of a second, and tells it which ngspice library this system has:
``circuit.simulator()`` then works without the development package.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySpice.Spice.Netlist import SubCircuit

from ..compact.card import Card
from ..compact.model import Model
from ..compact.registry import resolve
from .card_netlist import format_card_subcircuit, subcircuit_name
from .ngspice.shared import point_pyspice_to_the_library

point_pyspice_to_the_library()


class DeviceSubCircuit(SubCircuit):  # type: ignore[misc]
    """A device as a PySpice ``SubCircuit``: its terminals are the nodes, its parameters those of the model.

    Attributes
    ----------
    card : Card
    model : Model
    """

    def __init__(self, card: Card, model: Model, name: str) -> None:
        super().__init__(name, *model.terminals, **model.values(card.parameters, f"card '{card.name}'"))
        self.card = card
        self.model = model

    def clone(self, name: str | None = None) -> DeviceSubCircuit:
        """Return the same device under another name."""
        return DeviceSubCircuit(self.card, self.model, name or self.name)

    def __str__(self) -> str:
        """Return the definition, ``.subckt`` to ``.ends``."""
        return format_card_subcircuit(self.card, self.model, self.name)


def subcircuit(
    device: Card | Model | str | Path, name: str | None = None, values: Mapping[str, float] | None = None
) -> DeviceSubCircuit:
    """Return a device for ``circuit.subcircuit``; its instances are ``circuit.X(instance, name, *nodes, **parameters)``.

    Parameters
    ----------
    device : Card, Model, str or Path
        A card, a model with its default values, the name of either, or a card file.
    name : str, optional
        What ``circuit.X`` calls it by; the card's or model's name by default, in lower case.
    values : mapping of name to float, optional
        Parameter values that replace the card's; every instance may replace them again.

    Raises
    ------
    UnknownNameError, CardError, ParameterError
    """
    card, model = resolve(device)
    if values:
        card = card.with_values(values, model, "given to subcircuit()")
    return DeviceSubCircuit(card, model, name or subcircuit_name(card))
