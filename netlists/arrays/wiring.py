"""What the netlist twins of an array share: the names of its nodes, and its elements.

Nodes are ``w<row>_<col>`` and ``b<row>_<col>`` (``w<row>`` and ``b<col>`` where wires are ideal). Devices are ``xm<row>_<col>``
and, where there is one, the selector ``xs<row>_<col>`` with the node ``m<row>_<col>`` between the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .crossbar import Crossbar, Layer
from .kernels import FloatArray
from .network import Sides, Wires

SIDES = ("left", "right", "top", "bottom")


class Segment(NamedTuple):
    """A wire between two crossings."""

    name: str
    a: str
    b: str
    ohm: float


class End(NamedTuple):
    """A source at an end of a line, behind a resistance [ohm] that may be 0; volts (n_times,)."""

    side: str
    line: int
    node: str
    source: str
    ohm: float
    volts: FloatArray


class Corners(NamedTuple):
    """The corners of an array's drive [s], rising from 0; ``times`` (n_times,)."""

    times: FloatArray

    @property
    def duration(self) -> float:
        """Time of the last corner [s]."""
        return float(self.times[-1])

    @property
    def shortest_feature(self) -> float:
        """The shortest time between two corners [s]."""
        return float(np.min(np.diff(self.times)))


class Place(NamedTuple):
    """A device at a crossing."""

    name: str
    layer: Layer
    row: int
    col: int
    nodes: tuple[str, ...]


def word_node(wires: Wires, row: int, col: int) -> str:
    """Return the name of a crossing's node on its word line."""
    return f"w{row}" if wires.word_segment == 0.0 else f"w{row}_{col}"


def bit_node(wires: Wires, row: int, col: int) -> str:
    """Return the name of a crossing's node on its bit line."""
    return f"b{col}" if wires.bit_segment == 0.0 else f"b{row}_{col}"


def layer_names(crossbar: Crossbar) -> tuple[str, ...]:
    """Return what the devices of each layer are called before their row and column."""
    return ("xm",) if crossbar.selector is None else ("xs", "xm")


def segments(wires: Wires, shape: tuple[int, int]) -> Iterator[Segment]:
    """Yield the wires between crossings; ideal ones are none."""
    rows, cols = shape
    if wires.word_segment > 0.0:
        for r in range(rows):
            for c in range(cols - 1):
                yield Segment(f"w{r}_{c}", f"w{r}_{c}", f"w{r}_{c + 1}", wires.word_segment)
    if wires.bit_segment > 0.0:
        for r in range(rows - 1):
            for c in range(cols):
                yield Segment(f"b{r}_{c}", f"b{r}_{c}", f"b{r + 1}_{c}", wires.bit_segment)


def ends(wires: Wires, shape: tuple[int, int], sides: Sides) -> Iterator[End]:
    """Yield the ends of lines that are driven."""
    rows, cols = shape
    for side in SIDES:
        for line in np.flatnonzero(~sides.open_ends[side]).tolist():
            if side in ("left", "right"):
                node, ohm = word_node(wires, line, 0 if side == "left" else cols - 1), wires.word_segment
            else:
                node, ohm = bit_node(wires, 0 if side == "top" else rows - 1, line), wires.bit_segment
            ohm += getattr(wires, side)
            yield End(side, line, node, node if ohm == 0.0 else f"s{side}{line}", ohm, sides.values[side][:, line])


def places(crossbar: Crossbar) -> Iterator[Place]:
    """Yield the devices, selector first at each crossing."""
    wires, names = crossbar.wires, layer_names(crossbar)
    for r in range(crossbar.rows):
        for c in range(crossbar.cols):
            word, bit = word_node(wires, r, c), bit_node(wires, r, c)
            stops = (word, bit) if crossbar.selector is None else (word, f"m{r}_{c}", bit)
            for k, (name, layer) in enumerate(zip(names, crossbar.layers, strict=True)):
                at = dict(zip(layer.model.write, stops[k : k + 2], strict=True))
                yield Place(f"{name}{r}_{c}", layer, r, c, tuple(at[t] for t in layer.model.terminals))


def middle_nodes(crossbar: Crossbar) -> list[str]:
    """Return the nodes between selectors and memories."""
    if crossbar.selector is None:
        return []
    return [f"m{r}_{c}" for r in range(crossbar.rows) for c in range(crossbar.cols)]
