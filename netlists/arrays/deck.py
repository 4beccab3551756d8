"""The netlist twin of an array: the same wires, drives and cells as text for ngspice.

Written as text, not element by element through PySpice, whose programming interface costs 65 us an element.

Nodes are ``w<row>_<col>`` and ``b<row>_<col>`` (``w<row>`` and ``b<col>`` where wires are ideal); instances are ``xm<row>_<col>``
and, where there is one, the selector ``xs<row>_<col>`` with the node ``m<row>_<col>`` between the two. A source is ``v<side><line>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...compact.constants import ZERO_CELSIUS
from ...compact.model import FROZEN
from ..ngspice import Plot, SolverOptions
from ..subcircuit import format_subcircuit
from .crossbar import MIDDLE_CAPACITANCE, Crossbar, Layer
from .dynamic_write import WriteResult
from .kernels import FloatArray
from .network import Drive, Sides, Wires, read_sides

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Circuit

SIDES = ("left", "right", "top", "bottom")

LEAST_STEPS = 100
"""Time steps of a transient at least; the truncation error adds the others."""

OPTIONS = SolverOptions(reltol=1e-4, abstol=1e-12, vntol=1e-6, chgtol=1e-14, trtol=7.0, method="gear")
"""Solver settings of a transient: an array has thousands of states, and 4e-4 of full scale is reached with these."""

SAVED_PER_LINE = 20
"""Vectors on one ``.save`` line."""


def word_node(wires: Wires, row: int, col: int) -> str:
    """Return the name of a crossing's node on its word line."""
    return f"w{row}" if wires.word_segment == 0.0 else f"w{row}_{col}"


def bit_node(wires: Wires, row: int, col: int) -> str:
    """Return the name of a crossing's node on its bit line."""
    return f"b{col}" if wires.bit_segment == 0.0 else f"b{row}_{col}"


def wire_lines(wires: Wires, shape: tuple[int, int]) -> Iterator[str]:
    """Yield a resistor for each segment between two crossings."""
    rows, cols = shape
    if wires.word_segment > 0.0:
        for r in range(rows):
            for c in range(cols - 1):
                yield f"Rw{r}_{c} w{r}_{c} w{r}_{c + 1} {wires.word_segment!r}"
    if wires.bit_segment > 0.0:
        for r in range(rows - 1):
            for c in range(cols):
                yield f"Rb{r}_{c} b{r}_{c} b{r + 1}_{c} {wires.bit_segment!r}"


def end_node(wires: Wires, shape: tuple[int, int], side: str, line: int) -> tuple[str, float]:
    """Return the node that a source drives, and the resistance between them [ohm]."""
    rows, cols = shape
    if side in ("left", "right"):
        node = word_node(wires, line, 0 if side == "left" else cols - 1)
        return node, wires.word_segment + getattr(wires, side)
    node = bit_node(wires, 0 if side == "top" else rows - 1, line)
    return node, wires.bit_segment + getattr(wires, side)


def _source_lines(wires: Wires, shape: tuple[int, int], sides: Sides, times: FloatArray | None) -> Iterator[str]:
    for side in SIDES:
        for line in np.flatnonzero(~sides.open_ends[side]):
            node, resistance = end_node(wires, shape, side, int(line))
            behind = node if resistance == 0.0 else f"s{side}{line}"
            if resistance > 0.0:
                yield f"R{side}{line} {behind} {node} {resistance!r}"
            volts = sides.values[side][:, line]
            if times is None or np.all(volts == volts[0]):
                yield f"V{side}{line} {behind} 0 DC {float(volts[0])!r}"
            else:
                pairs = [f"{t!r} {v!r}" for t, v in zip(times.tolist(), volts.tolist(), strict=True)]
                yield f"V{side}{line} {behind} 0 PWL("
                yield from (f"+ {' '.join(pairs[k : k + 8])}" for k in range(0, len(pairs), 8))
                yield "+ )"


def linear_lines(conductances: FloatArray, wires: Wires) -> Iterator[str]:
    """Yield a resistor for each cell that conducts."""
    rows, cols = conductances.shape
    for r in range(rows):
        for c in range(cols):
            g = float(conductances[r, c])
            if g > 0.0:
                yield f"Rc{r}_{c} {word_node(wires, r, c)} {bit_node(wires, r, c)} {1.0 / g!r}"


def cell_lines(crossbar: Crossbar) -> Iterator[str]:
    """Yield the subcircuits of the devices and their instances at the crossings."""
    for label, layer in _named(crossbar):
        yield format_subcircuit(layer.model, layer.values, name=f"{label}_{layer.model.name}")
    wires, given = crossbar.wires, {label: _given(crossbar, layer) for label, layer in _named(crossbar)}
    for r in range(crossbar.rows):
        for c in range(crossbar.cols):
            word, bit = word_node(wires, r, c), bit_node(wires, r, c)
            middle = word if crossbar.selector is None else f"m{r}_{c}"
            ends = {"xs": (word, middle), "xm": (middle, bit)}
            for label, layer in _named(crossbar):
                at = dict(zip(layer.model.write, ends[label], strict=True))
                nodes = " ".join(at[t] for t in layer.model.terminals)
                own = " ".join(f"{n}={float(m[r, c])!r}" for n, m in given[label].items())
                yield f"{label}{r}_{c} {nodes} {label}_{layer.model.name} {own}".rstrip()
            if crossbar.selector is not None:
                yield f"Cm{r}_{c} {middle} 0 {MIDDLE_CAPACITANCE!r}"


def _named(crossbar: Crossbar) -> list[tuple[str, Layer]]:
    labels = ("xm",) if crossbar.selector is None else ("xs", "xm")
    return list(zip(labels, crossbar.layers, strict=True))


def _given(crossbar: Crossbar, layer: Layer) -> dict[str, FloatArray]:
    maps = dict(layer.maps)
    if crossbar.frozen and layer.model.states:
        maps[FROZEN.name] = np.ones(crossbar.shape)
    return maps


def array_text(crossbar: Crossbar, drive: Drive, times: FloatArray | None = None) -> str:
    """Return the array with its sources as netlist text, without an analysis.

    Parameters
    ----------
    crossbar : Crossbar
    drive : Drive
        Line voltages [V]; with ``times`` each side may be (n_times, lines).
    times : (n_times,) array, optional
        Corners of the drive [s], rising.
    """
    sides = read_sides(drive, *crossbar.shape, leading=None if times is None else len(times))
    lines = [*cell_lines(crossbar), *wire_lines(crossbar.wires, crossbar.shape)]
    lines += _source_lines(crossbar.wires, crossbar.shape, sides, times)
    return "\n".join(lines)


def array_circuit(crossbar: Crossbar, drive: Drive, times: FloatArray | None = None) -> Circuit:
    """Return the array with its sources as a PySpice circuit, to be extended; the array itself is the circuit's raw text."""
    import logging

    logging.getLogger("PySpice").setLevel(logging.ERROR)
    from PySpice.Spice.Netlist import Circuit

    circuit = Circuit(f"{crossbar.rows} x {crossbar.cols} crossbar")
    circuit.raw_spice = array_text(crossbar, drive, times)
    return circuit


def format_linear_read(
    conductances: FloatArray, drive: Drive, wires: Wires, options: SolverOptions | None = None
) -> str:
    """Return the deck of a read of linear cells: one operating point."""
    shape = conductances.shape
    sides = read_sides(drive, *shape, leading=None)
    lines = [f"* read of a {shape[0]} x {shape[1]} array of linear cells", *linear_lines(conductances, wires)]
    lines += [*wire_lines(wires, (shape[0], shape[1])), *_source_lines(wires, (shape[0], shape[1]), sides, None)]
    saved = [f"i(v{side}{k})" for side in SIDES for k in np.flatnonzero(~sides.open_ends[side])]
    return _deck(lines, saved, options or SolverOptions(), ".op")


def read_linear(plot: Plot, shape: tuple[int, int]) -> dict[str, FloatArray]:
    """Return the current of each end [A] from a read's operating point, 0 where open: into word lines, out of bit lines."""
    return {side: _ends(plot, side, shape)[0] for side in SIDES}


def format_array(crossbar: Crossbar, drive: Drive, times: FloatArray, options: SolverOptions | None = None) -> str:
    """Return the deck of a transient of an array.

    Parameters
    ----------
    crossbar : Crossbar
    drive : Drive
        Each side (lines,) or (n_times, lines) [V].
    times : (n_times,) array
        Corners of the drive [s], rising from 0.
    options : SolverOptions, optional
    """
    wires = crossbar.wires
    options = replace(options or OPTIONS, temperature_c=crossbar.temperature - ZERO_CELSIUS)
    sides = read_sides(drive, *crossbar.shape, leading=len(times))
    saved = [f"i(v{side}{k})" for side in SIDES for k in np.flatnonzero(~sides.open_ends[side])]
    nodes: dict[str, None] = {}
    for r in range(crossbar.rows):
        for c in range(crossbar.cols):
            nodes |= {f"v({word_node(wires, r, c)})": None, f"v({bit_node(wires, r, c)})": None}
            saved += [f"v({label}{r}_{c}.{s.name})" for label, layer in _named(crossbar) for s in layer.model.states]
    saved += nodes
    step = float(times[-1]) / LEAST_STEPS
    lines = [f"* {crossbar.rows} x {crossbar.cols} crossbar", array_text(crossbar, drive, times)]
    return _deck(lines, saved, options, options.transient(float(times[-1]), step))


def read_transient(crossbar: Crossbar, plot: Plot, samples: FloatArray) -> WriteResult:
    """Return a transient's waveforms at sample times [s] as the array solver returns them."""
    rows, cols = crossbar.shape
    time = np.asarray(plot.scale, float)

    def at(name: str) -> FloatArray:
        return np.asarray(np.interp(samples, time, np.asarray(plot[name], float)))

    starts = crossbar.initial_states()
    states = np.empty((samples.size, rows, cols, starts.shape[2]))
    volts = np.empty((samples.size, rows, cols))
    columns = [(label, s) for label, layer in _named(crossbar) for s in layer.model.states]
    for r in range(rows):
        for c in range(cols):
            volts[:, r, c] = at(f"v({word_node(crossbar.wires, r, c)})") - at(f"v({bit_node(crossbar.wires, r, c)})")
            for k, (label, state) in enumerate(columns):
                states[:, r, c, k] = starts[r, c, k] + state.scale * at(f"v({label}{r}_{c}.{state.name})")
    ends = {side: _ends(plot, side, crossbar.shape) for side in SIDES}
    sampled = {
        side: np.stack([np.interp(samples, time, full[:, k]) for k in range(full.shape[1])], axis=1)
        for side, full in ends.items()
    }
    return WriteResult(
        times=samples,
        states=states,
        cell_voltages=volts,
        left_currents=sampled["left"],
        right_currents=sampled["right"],
        top_currents=sampled["top"],
        bottom_currents=sampled["bottom"],
        steps=time.size,
        rejected=0,
        solves=0,
        iterations=0,
    )


def _ends(plot: Plot, side: str, shape: tuple[int, int]) -> FloatArray:
    """Return the current of each end [A], (points, lines): into word lines, out of bit lines; 0 where open."""
    lines = shape[0] if side in ("left", "right") else shape[1]
    sign = -1.0 if side in ("left", "right") else 1.0
    names = set(plot.names)
    columns = [
        sign * np.atleast_1d(np.asarray(plot[name], float))
        if (name := f"i(v{side}{k})") in names
        else np.zeros(plot.points)
        for k in range(lines)
    ]
    return np.stack(columns, axis=1)


def _deck(lines: list[str], saved: list[str], options: SolverOptions, analysis: str) -> str:
    saves = [f".save {' '.join(saved[k : k + SAVED_PER_LINE])}" for k in range(0, len(saved), SAVED_PER_LINE)]
    return "\n".join([*lines, *options.lines(), *saves, analysis, ".end"]) + "\n"
