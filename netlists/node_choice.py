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
from collections.abc import Collection
from dataclasses import dataclass

import sympy as sp

from ..compact.model import Model, Quantity, State, Voltage
from ..compact.primitives import maximum, minimum
from .evaluation_cost import cost, variable
from .growth import growth, reached
from .lowering import Lowered, lower

NODE_COST = 10.0
"""What a node costs by itself: an unknown and an equation, in visits."""

LARGEST_VOLTAGE = 1e4
"""Voltage [V] beyond which a branch is a short, and equations that grow fast see no more."""

LARGEST_SCALES = 1e50
"""Size of a state without a range, in its scale, beyond which only a solver's guess lies; its sixth power does not overflow."""

LARGEST_GROWTH = 1.0
"""Power of a voltage or a state that does not overflow at a solver's guesses, which reach 1e182: a square does."""


@dataclass(frozen=True)
class NodeChoice:
    """The nodes of a subcircuit.

    Attributes
    ----------
    nodes : frozenset of str
        Quantities that are the voltage of a node.
    lowered : Lowered
        The equations, nodes in their scales.
    model : Model
    """

    nodes: frozenset[str]
    lowered: Lowered
    model: Model

    def seen(self, expression: sp.Expr) -> dict[str, sp.Expr]:
        """Return what a source with a lowered expression sees of the voltages, the states and the nodes, by name.

        A solver's guess may be anything, and an overflow ends ngspice's run: it starts the next try from the same guess. So a
        voltage or a state with more than its first power in the source is held within what it never leaves.
        """
        written = _written_out(self.lowered, self.nodes, expression)

        def power_of(name: str) -> float:
            degrees = {name: 1.0}
            powers = []
            for quantity in written:
                inside = self.lowered.quantities[quantity]
                degrees[quantity] = growth(inside, degrees, self.lowered.helpers)
                powers.append(reached(inside, degrees, self.lowered.helpers))
            return max([*powers, reached(expression, degrees, self.lowered.helpers)])

        held = {v.name: within_voltages(v) for v in self.model.voltages}
        held |= {s.name: _near(s) for s in self.model.states}
        plain = _unlimited(self.model, self.nodes)
        return plain | {name: value for name, value in held.items() if power_of(name) > LARGEST_GROWTH}


def used_value(quantity: Quantity) -> sp.Expr:
    """Return a node's quantity over the node's voltage: in its scale, and within the range that it never leaves."""
    scaled = quantity.symbol if quantity.scale == 1 else sp.Float(quantity.scale) * quantity.symbol
    return _within(scaled, quantity.lower, quantity.upper)


def _unlimited(model: Model, nodes: Collection[str]) -> dict[str, sp.Expr]:
    """Return what stands for the voltages, the states and the nodes, by name, where no power asks for more."""
    moving = {v.name: v.symbol for v in model.voltages} | {s.name: s.symbol for s in model.states}
    return moving | {q.name: used_value(q) for q in model.quantities if q.name in nodes}


def _written_out(lowered: Lowered, nodes: Collection[str], expression: sp.Expr) -> list[str]:
    """Return the quantities that are written out in an expression, those of others first."""
    wanted = {s.name for s in expression.free_symbols}
    found: list[str] = []
    for name in reversed(list(lowered.quantities)):
        if name in wanted and name not in nodes:
            found.append(name)
            wanted |= {s.name for s in lowered.quantities[name].free_symbols}
    return found[::-1]


def _near(state: State) -> sp.Expr:
    """Return a state within its range and once more of it on either side, or within `LARGEST_SCALES` where it has no range."""
    span = state.upper - state.lower
    if not math.isfinite(span):
        return _within(state.symbol, -LARGEST_SCALES * state.scale, LARGEST_SCALES * state.scale)
    return _within(state.symbol, state.lower - span, state.upper + span)


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
    best = _visits(model, plain, chosen)
    while True:
        tried = {name: _visits(model, plain, chosen | {name}) for name in candidates if name not in chosen}
        if not tried or min(tried.values()) >= best:
            break
        name = min(tried, key=lambda n: tried[n])
        chosen.add(name)
        best = tried[name]
    scales = {q.name: q.scale or 1.0 for q in model.quantities if q.name in chosen}
    return NodeChoice(nodes=frozenset(chosen), lowered=lower(model, scales), model=model)


def _sources(lowered: Lowered) -> list[sp.Expr]:
    return [*lowered.observables.values(), *lowered.rates, *lowered.currents, *lowered.charges]


def _visits(model: Model, lowered: Lowered, nodes: Collection[str]) -> float:
    """Return what ngspice evaluates at an iteration for a device, but for the limits of what a source sees."""
    known = {n: cost(value, {n: variable(n)}, {}) for n, value in _unlimited(model, nodes).items()}
    total = 0.0
    for name, expression in lowered.quantities.items():
        own = cost(expression, known, lowered.helpers)
        if name in nodes:
            total += own.total + NODE_COST
        else:
            known[name] = own
    return total + sum(cost(e, known, lowered.helpers).total for e in _sources(lowered))
