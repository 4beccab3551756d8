"""What a simulation of a device shows of its inside, by the same names in every form: states, observables, currents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sympy as sp

from . import units
from .model import CURRENT_PREFIX, Model

Kind = Literal["state", "observable", "current"]

Multiplicity = Literal["multiply", "divide"]

_EXTENSIVE = ("A", "C", "F", "S", "W", "J/K", "W/K", "A/V^2", "A^2/Hz")
"""Units of what grows in proportion to the number of devices in parallel; their inverses fall with it."""

_INTENSIVE = ("1", "V", "K", "s", "1/s", "m")
"""Units of what does not change; listed, for it takes half a second to load the unit registry."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A quantity that a user may look at.

    Attributes
    ----------
    name, unit, description : str
    kind : {"state", "observable", "current"}
    expression : sympy.Expr
        Over states, voltages, parameters and quantities, of one device.
    multiplicity : {"multiply", "divide"} or None
        How ``m`` devices in parallel, seen as one, change the value.
    """

    name: str
    unit: str
    description: str
    kind: Kind
    expression: sp.Expr
    multiplicity: Multiplicity | None


def probes(model: Model) -> tuple[Probe, ...]:
    """Return what there is to probe of a device.

    The states by their names, the observables by theirs, and ``i_<terminal>`` for each terminal at which a current
    enters: the current into the device there, all its branches together. It is the current of conduction: what
    charges a capacitance is not in it.
    """
    found = [
        Probe(
            name=s.name,
            unit=s.unit,
            description=s.description,
            kind="state",
            expression=s.symbol,
            multiplicity=None,
        )
        for s in model.states
    ]
    found += [
        Probe(
            name=o.name,
            unit=o.unit,
            description=o.description,
            kind="observable",
            expression=o.expression,
            multiplicity=multiplicity(o.unit),
        )
        for o in model.observables
    ]
    for name, terminal in current_names(model).items():
        into = [b.expression for b in model.currents if b.plus == terminal]
        out = [b.expression for b in model.currents if b.minus == terminal]
        found.append(
            Probe(
                name=name,
                unit="A",
                description=f"conduction current into {terminal}",
                kind="current",
                expression=sp.Add(*into) - sp.Add(*out),
                multiplicity="multiply",
            )
        )
    return tuple(found)


def current_names(model: Model) -> dict[str, str]:
    """Return the terminal of each current that can be probed, by the current's name."""
    return {f"{CURRENT_PREFIX}{t}": t for t in model.terminals if any(b.plus == t for b in model.currents)}


def multiplicity(unit: str) -> Multiplicity | None:
    """Return how a value with this unit changes with the number of devices in parallel."""
    if unit in _EXTENSIVE:
        return "multiply"
    if unit in _INTENSIVE:
        return None
    parsed = units.parse(unit)
    extensive = [units.parse(u).dimension for u in _EXTENSIVE]
    if parsed.dimension in extensive:
        return "multiply"
    return "divide" if (parsed**-1.0).dimension in extensive else None
