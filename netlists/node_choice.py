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
from collections.abc import Iterable
from dataclasses import dataclass

import sympy as sp

from ..compact.model import Model, Quantity
from ..compact.primitives import maximum, minimum
from .evaluation_cost import cost, variable
from .lowering import Lowered, lower

NODE_COST = 10.0
"""What a node costs by itself: an unknown and an equation, in visits."""

LARGEST_VOLTAGE = 1e4
"""Voltage [V] beyond which the equations see no more."""

LARGEST_SCALES = 1e4
"""Value of a state without a range beyond which the equations see no more, in its scale."""


@dataclass(frozen=True)
class NodeChoice:
    """The nodes of a subcircuit.

    Attributes
    ----------
    nodes : frozenset of str
        Quantities that are the voltage of a node.
    lowered : Lowered
        The equations, nodes in their scales.
    visits : float
        What ngspice evaluates at an iteration for a device.
    """

    nodes: frozenset[str]
    lowered: Lowered
    visits: float


def used_value(quantity: Quantity) -> sp.Expr:
    """Return a node's quantity over the node's voltage: in its scale, and within the range that it never leaves."""
    scaled = quantity.symbol if quantity.scale == 1 else sp.Float(quantity.scale) * quantity.symbol
    return _within(scaled, quantity.lower, quantity.upper)


def seen_variables(model: Model) -> dict[str, sp.Expr]:
    """Return what the equations see of the voltages and states, by name.

    A solver's guess may be anything. Without a bound an overflow ends ngspice's run: it starts the next try from the same guess.
    """
    seen = {v.name: _within(v.symbol, -LARGEST_VOLTAGE, LARGEST_VOLTAGE) for v in model.voltages}
    for state in model.states:
        span = state.upper - state.lower
        if math.isfinite(span):
            seen[state.name] = _within(state.symbol, state.lower - span, state.upper + span)
        else:
            seen[state.name] = _within(state.symbol, -LARGEST_SCALES * state.scale, LARGEST_SCALES * state.scale)
    return seen


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
    best = _visits(model, plain, chosen)
    while True:
        tried = {name: _visits(model, plain, chosen | {name}) for name in candidates if name not in chosen}
        if not tried or min(tried.values()) >= best:
            break
        name = min(tried, key=lambda n: tried[n])
        chosen.add(name)
        best = tried[name]
    scales = {q.name: q.scale or 1.0 for q in model.quantities if q.name in chosen}
    return NodeChoice(nodes=frozenset(chosen), lowered=lower(model, scales), visits=best)


def _visits(model: Model, lowered: Lowered, nodes: Iterable[str]) -> float:
    known = {name: cost(seen, {name: variable(name)}, {}) for name, seen in seen_variables(model).items()}
    total = 0.0
    for quantity in model.quantities:
        if quantity.name not in lowered.quantities:
            continue
        own = cost(lowered.quantities[quantity.name], known, lowered.helpers)
        if quantity.name in nodes:
            total += own.total + NODE_COST
            own = cost(used_value(quantity), {quantity.name: variable(quantity.name)}, {})
        known[quantity.name] = own
    sources = [*lowered.observables.values(), *lowered.rates, *lowered.currents, *lowered.charges]
    return total + sum(cost(e, known, lowered.helpers).total for e in sources)
