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

from ..compact.model import TEMPERATURE, Model, Quantity
from ..compact.primitives import maximum, minimum
from .evaluation_cost import AMBIENT, Cost, cost, variable

NODE_COST = 8.0
"""What a node costs by itself: an unknown and an equation, in operations."""


@dataclass(frozen=True)
class NodeChoice:
    """The nodes of a subcircuit.

    Attributes
    ----------
    nodes : frozenset of str
        Quantities that are the voltage of a node.
    fixed : frozenset of str
        Quantities of parameters alone.
    operations : float
        What ngspice evaluates at an iteration for a device, in operations.
    """

    nodes: frozenset[str]
    fixed: frozenset[str]
    operations: float


def fixed_quantities(model: Model) -> frozenset[str]:
    """Return the names of the quantities that depend on parameters alone, not on temperature either."""
    moving = {v.symbol for v in model.voltages} | {s.symbol for s in model.states} | {TEMPERATURE}
    return frozenset(q.name for q in model.quantities if not model.expanded[q.symbol].free_symbols & moving)


def used_value(quantity: Quantity, voltage: sp.Expr) -> sp.Expr:
    """Return a node's quantity from the node's voltage: in its scale, and within the range that it never leaves."""
    value = voltage if quantity.scale == 1 else sp.Float(quantity.scale) * voltage
    if math.isfinite(quantity.lower):
        value = maximum(value, sp.Float(quantity.lower))
    return minimum(value, sp.Float(quantity.upper)) if math.isfinite(quantity.upper) else value


@functools.lru_cache(maxsize=64)
def choose_nodes(model: Model) -> NodeChoice:
    """Return the nodes that leave ngspice the least to evaluate."""
    fixed = fixed_quantities(model)
    candidates = [q for q in model.quantities if q.scale is not None and q.name not in fixed]
    chosen: set[str] = set()
    best = _operations(model, fixed, chosen)
    while True:
        tried = {q.name: _operations(model, fixed, chosen | {q.name}) for q in candidates if q.name not in chosen}
        if not tried or min(tried.values()) >= best:
            return NodeChoice(nodes=frozenset(chosen), fixed=fixed, operations=best)
        name = min(tried, key=lambda n: tried[n])
        chosen.add(name)
        best = tried[name]


def _operations(model: Model, fixed: frozenset[str], nodes: Iterable[str]) -> float:
    known: dict[str, Cost] = {TEMPERATURE.name: AMBIENT}
    known |= {v.name: variable(v.name) for v in model.voltages}
    known |= {s.name: variable(s.name) for s in model.states}
    total = 0.0
    for quantity in model.quantities:
        if quantity.name in fixed:
            continue
        own = cost(quantity.expression, known)
        if quantity.name in nodes:
            total += own.total + NODE_COST
            own = cost(used_value(quantity, quantity.symbol), {quantity.name: variable(quantity.name)})
        known[quantity.name] = own
    sources = [o.expression for o in model.observables] + list(model.rates)
    sources += [b.expression for b in (*model.currents, *model.charges)]
    return total + sum(cost(e, known).total for e in sources)
