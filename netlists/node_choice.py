"""Which quantities of a device become nodes of its subcircuit: those that save ngspice the most work.

A quantity that is written out is evaluated, and differentiated, wherever it is used; as the voltage of a node it is evaluated
once. Nodes are chosen greedily by counting (:mod:`synspice.netlists.evaluation_cost`). Only a quantity with a natural ``scale``
may become one, for Newton's iterations extrapolate a node linearly: it has to be continuous, bounded, and of order one in its
scale. A conductance that multiplies the terminal's voltage, a denominator that may pass zero or the logarithm of what may
vanish end in aborted runs at random parameters; such a quantity is declared without a scale.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy as sp

from ..compact.model import Model, Quantity, Voltage
from ..compact.primitives import maximum, minimum
from .evaluation_cost import cost, variable
from .growth import growth
from .lowering import Lowered, lower

NODE_COST = 10.0
"""What a node costs by itself: an unknown and an equation, in visits."""

LARGEST_VOLTAGE = 1e4
"""Voltage [V] beyond which a branch is a short, and equations that grow fast see no more."""

LARGEST_GROWTH = 4.0
"""Power of a voltage that does not overflow at a solver's guesses."""


@dataclass(frozen=True)
class NodeChoice:
    """The nodes of a subcircuit.

    Attributes
    ----------
    nodes : frozenset of str
        Quantities that are the voltage of a node.
    seen : mapping of name to sympy.Expr
        What the equations see of the voltages and states.
    lowered : Lowered
        The equations, nodes in their scales.
    visits : float
        What ngspice evaluates at an iteration for a device.
    """

    nodes: frozenset[str]
    seen: Mapping[str, sp.Expr]
    lowered: Lowered
    visits: float


def used_value(quantity: Quantity) -> sp.Expr:
    """Return a node's quantity over the node's voltage: in its scale, and within the range that it never leaves."""
    scaled = quantity.symbol if quantity.scale == 1 else sp.Float(quantity.scale) * quantity.symbol
    return _within(scaled, quantity.lower, quantity.upper)


def _seen(model: Model, lowered: Lowered, nodes: Iterable[str]) -> dict[str, sp.Expr]:
    """Return what the equations see of the voltages and states, by name.

    A solver's guess may be anything, and an overflow ends ngspice's run: it starts the next try from the same guess. So a voltage in
    which some equation grows faster than its `LARGEST_GROWTH`-th power is seen within `LARGEST_VOLTAGE`.
    """
    seen = {v.name: v.symbol for v in model.voltages} | {s.name: s.symbol for s in model.states}
    for voltage in model.voltages:
        degrees = {voltage.name: 1.0}
        reached = []
        for name, expression in lowered.quantities.items():
            degrees[name] = growth(expression, degrees, lowered.helpers)
            if name in nodes:
                reached.append(degrees.pop(name))
        reached += [growth(e, degrees, lowered.helpers) for e in _sources(lowered)]
        if max(reached) > LARGEST_GROWTH:
            seen[voltage.name] = within_voltages(voltage)
    return seen


def within_voltages(voltage: Voltage) -> sp.Expr:
    """Return a voltage, held within the largest that counts."""
    return _within(voltage.symbol, -LARGEST_VOLTAGE, LARGEST_VOLTAGE)


def _within(value: sp.Expr, lower: float, upper: float) -> sp.Expr:
    if math.isfinite(lower):
        value = maximum(value, sp.Float(lower))
    return minimum(value, sp.Float(upper)) if math.isfinite(upper) else value


@functools.lru_cache(maxsize=64)
def choose_nodes(model: Model) -> NodeChoice:
    """Return the nodes that leave ngspice the least to evaluate."""
    plain = lower(model, {})
    candidates = [q.name for q in model.quantities if q.scale is not None and q.name not in plain.fixed]
    chosen: set[str] = set()
    variables = _seen(model, plain, ())
    best = _visits(model, plain, chosen, variables)
    while True:
        tried = {name: _visits(model, plain, chosen | {name}, variables) for name in candidates if name not in chosen}
        if not tried or min(tried.values()) >= best:
            break
        name = min(tried, key=lambda n: tried[n])
        chosen.add(name)
        best = tried[name]
    scales = {q.name: q.scale or 1.0 for q in model.quantities if q.name in chosen}
    seen = _seen(model, plain, chosen)
    visits = _visits(model, plain, chosen, seen)
    return NodeChoice(nodes=frozenset(chosen), seen=seen, lowered=lower(model, scales), visits=visits)


def _sources(lowered: Lowered) -> list[sp.Expr]:
    return [*lowered.observables.values(), *lowered.rates, *lowered.currents, *lowered.charges]


def _visits(model: Model, lowered: Lowered, nodes: Iterable[str], seen: Mapping[str, sp.Expr]) -> float:
    known = {name: cost(value, {name: variable(name)}, {}) for name, value in seen.items()}
    total = 0.0
    for quantity in model.quantities:
        if quantity.name not in lowered.quantities:
            continue
        own = cost(lowered.quantities[quantity.name], known, lowered.helpers)
        if quantity.name in nodes:
            total += own.total + NODE_COST
            own = cost(used_value(quantity), {quantity.name: variable(quantity.name)}, {})
        known[quantity.name] = own
    return total + sum(cost(e, known, lowered.helpers).total for e in _sources(lowered))
