"""The voltages that a network is solved for: drops across resistors, so that no current is a difference of voltages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .network import GROUND, Network

CURRENT_SCALE = 1e-8
"""Unit of the solved currents [A]: at the default absolute tolerance of 1e-10 a current of 1e-18 A counts. The gate of an ionic
synapse takes 1e-14 A."""

CONDUCTANCE_SCALE = 1e-2
"""Conductance of a well conducting device [S]; beside a resistor it sets the unit of the voltage that is left."""

LEAST_LEFT = 1e-2
"""Of a voltage, what may be left at a node as the difference from a drop. Where less may be, it is solved for beside the drop."""


@dataclass(frozen=True)
class Link:
    """A resistor, or the impedance of a source between its ideal end and its node."""

    a: str
    b: str
    ohm: float


@dataclass(frozen=True)
class Coordinate:
    """An unknown: the voltage of a node against another one that stands earlier in the order, or is fixed.

    Attributes
    ----------
    node, against : str
    ohm : float or None
        Of the resistor between them whose drop it is; None where there is none.
    """

    node: str
    against: str
    ohm: float | None = None

    @property
    def scale(self) -> float:
        """Its unit [V]: the drop of `CURRENT_SCALE` across the resistor, 1 V at most."""
        return 1.0 if self.ohm is None else min(1.0, self.ohm * CURRENT_SCALE)

    @property
    def twin_scale(self) -> float | None:
        """Unit [V] of the node's voltage where that is solved for beside the drop: what a well conducting device has of 1 V."""
        left = 1.0 if self.ohm is None else 1 / (self.ohm * CONDUCTANCE_SCALE)
        return left if left < LEAST_LEFT else None


@dataclass(frozen=True)
class Island:
    """Free nodes that charges tie together; ``base`` is None where they are tied to ground or to a source too.

    With a base, the base alone is algebraic, and the others are solved for as voltages against it.
    """

    members: tuple[str, ...]
    base: str | None

    @property
    def differential(self) -> tuple[str, ...]:
        """The nodes whose voltages have a rate."""
        return tuple(n for n in self.members if n != self.base)


def ideal_end(node: str) -> str:
    """Return the name of a source's own end, in front of its impedance; no node can have it."""
    return f"source of {node}"


def links(network: Network) -> tuple[Link, ...]:
    """Return the resistors and the sources' impedances."""
    impedances = (Link(ideal_end(n), n, d.resistance) for n, d in network.sources.items() if d.has_impedance)
    return (*impedances, *(Link(r.a, r.b, r.ohm) for r in network.resistors))


def islands(network: Network, ties: Iterable[set[str]]) -> tuple[Island, ...]:
    """Group the free nodes by the charges that depend on their voltages: each tie holds the nodes that one charge joins."""
    nodes = network.free_nodes
    group = {n: {n} for n in (*nodes, GROUND)}
    for tie in ties:
        joined = set[str]().union(*(group[n if n in nodes else GROUND] for n in tie))
        group |= dict.fromkeys(joined, joined)
    found, seen = [], set[str]()
    for node in nodes:
        if node not in seen:
            seen |= group[node]
            members = tuple(n for n in nodes if n in group[node])
            found.append(Island(members, None if GROUND in group[node] else members[0]))
    return tuple(found)


def coordinates(network: Network, found: Sequence[Island]) -> tuple[Coordinate, ...]:
    """Return the unknown of every free node, in an order in which their voltages can be added up.

    The smallest resistors that reach every node, a spanning tree, give the unknowns; a node that none reaches is solved for
    against ground. A voltage with a rate stands against one whose rate is known.
    """
    bases = {n: island.base for island in found for n in island.members}
    based = {n: base for n, base in bases.items() if base is not None and n != base}
    open_nodes = [n for n in network.free_nodes if n not in based]
    placed = {GROUND, *(n for n in network.nodes if n not in network.free_nodes), *map(ideal_end, network.sources)}
    rising = sorted(links(network), key=lambda link: link.ohm)
    order: list[Coordinate] = []
    while open_nodes:
        chosen = next(_reached(rising, placed, open_nodes, bases), Coordinate(open_nodes[0], GROUND))
        order.append(chosen)
        placed.add(chosen.node)
        open_nodes.remove(chosen.node)
    return (*order, *(Coordinate(n, base) for n, base in based.items()))


def _reached(
    rising: Iterable[Link], placed: set[str], open_nodes: Sequence[str], bases: Mapping[str, str | None]
) -> Iterator[Coordinate]:
    """Yield the nodes that a resistor joins to a placed one."""
    for link in rising:
        for node, other in ((link.a, link.b), (link.b, link.a)):
            algebraic = bases.get(node) is not None
            if node in open_nodes and other in placed and (algebraic or bases.get(other) is None):
                yield Coordinate(node, other, link.ohm)
