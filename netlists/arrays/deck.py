"""The netlist twin of an array: the same wires, drives and cells as text for ngspice.

Written as text, not element by element through PySpice, whose programming interface costs 65 us an element. Nodes and devices are
called as in :mod:`.wiring`; a source is ``v<side><line>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...compact.constants import ZERO_CELSIUS
from ..ngspice import Plot, SolverOptions
from ..steps import largest_step
from ..subcircuit import format_subcircuit
from .crossbar import MIDDLE_CAPACITANCE, Crossbar
from .dynamic_write import WriteResult
from .frozen_cells import fold_currents, held_lines, held_values
from .kernels import FloatArray
from .network import Drive, Sides, Wires, read_sides
from .sampled import Delivered, end_currents, write_result
from .wiring import SIDES, Corners, bit_node, ends, layer_names, middle_nodes, places, segments, word_node

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Circuit

LEAST_STEPS = 100
"""Time steps of a transient at least; the truncation error adds the others."""

SAVED_PER_LINE = 20
"""Vectors on one ``.save`` line."""


def _wire_lines(wires: Wires, shape: tuple[int, int]) -> Iterator[str]:
    yield from (f"R{s.name} {s.a} {s.b} {s.ohm!r}" for s in segments(wires, shape))


def _source_lines(wires: Wires, shape: tuple[int, int], sides: Sides, times: FloatArray | None) -> Iterator[str]:
    for end in ends(wires, shape, sides):
        name, volts = f"{end.side}{end.line}", end.volts
        if end.ohm > 0.0:
            yield f"R{name} {end.source} {end.node} {end.ohm!r}"
        if times is None or np.all(volts == volts[0]):
            yield f"V{name} {end.source} 0 DC {float(volts[0])!r}"
        else:
            pairs = [f"{t!r} {v!r}" for t, v in zip(times.tolist(), volts.tolist(), strict=True)]
            yield f"V{name} {end.source} 0 PWL("
            yield from (f"+ {' '.join(pairs[k : k + 8])}" for k in range(0, len(pairs), 8))
            yield "+ )"


def _linear_lines(conductances: FloatArray, wires: Wires) -> Iterator[str]:
    """Yield a resistor for each cell that conducts."""
    for r, c in np.argwhere(conductances > 0.0).tolist():
        yield f"Rc{r}_{c} {word_node(wires, r, c)} {bit_node(wires, r, c)} {1.0 / float(conductances[r, c])!r}"


def _cell_lines(crossbar: Crossbar) -> Iterator[str]:
    """Yield the devices at the crossings: subcircuits and their instances, or the currents of held ones."""
    if crossbar.frozen:
        yield from _held_cell_lines(crossbar)
        return
    names = dict(zip(layer_names(crossbar), crossbar.layers, strict=True))
    for label, layer in names.items():
        yield format_subcircuit(layer.model, layer.values, name=f"{label}_{layer.model.name}")
    for place in places(crossbar):
        label, at = place.name[:2], (place.row, place.col)
        own = " ".join(f"{n}={float(m[at])!r}" for n, m in place.layer.maps.items())
        yield f"{place.name} {' '.join(place.nodes)} {label}_{place.layer.model.name} {own}".rstrip()
    yield from (f"C{node} {node} 0 {MIDDLE_CAPACITANCE!r}" for node in middle_nodes(crossbar))


def _held_cell_lines(crossbar: Crossbar) -> Iterator[str]:
    yield from dict.fromkeys(line for layer in crossbar.layers for line in fold_currents(layer.model).helpers)
    tables = {id(layer): held_values(layer, crossbar.shape, crossbar.temperature) for layer in crossbar.layers}
    for place in places(crossbar):
        values = tables[id(place.layer)][place.row, place.col]
        yield from held_lines(place.name, place.layer.model, place.nodes, values)
    yield from (f"C{node} {node} 0 {MIDDLE_CAPACITANCE!r}" for node in middle_nodes(crossbar))


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
    lines = [*_cell_lines(crossbar), *_wire_lines(crossbar.wires, crossbar.shape)]
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
    conductances: FloatArray, drive: Drive, wires: Wires, temperature: float, options: SolverOptions
) -> str:
    """Return the deck of a read of linear cells at a temperature [K]: one operating point."""
    shape = conductances.shape
    options = replace(options, temperature_c=temperature - ZERO_CELSIUS)
    sides = read_sides(drive, *shape, leading=None)
    lines = [f"* read of a {shape[0]} x {shape[1]} array of linear cells", *_linear_lines(conductances, wires)]
    lines += [*_wire_lines(wires, (shape[0], shape[1])), *_source_lines(wires, (shape[0], shape[1]), sides, None)]
    return _deck(lines, _end_currents(sides), options, ".op")


def format_held_read(crossbar: Crossbar, drive: Drive, options: SolverOptions) -> str:
    """Return the deck of one operating point of an array whose states are held, each cell at its own current.

    Parameters
    ----------
    crossbar : Crossbar
        A frozen one.
    drive : Drive
        Line voltages [V].
    options : SolverOptions
    """
    sides = read_sides(drive, *crossbar.shape, leading=None)
    lines = [f"* read of a {crossbar.rows} x {crossbar.cols} array of held cells", array_text(crossbar, drive)]
    options = replace(options, temperature_c=crossbar.temperature - ZERO_CELSIUS)
    return _deck(lines, _end_currents(sides), options, ".op")


def read_linear(plot: Plot, shape: tuple[int, int]) -> dict[str, FloatArray]:
    """Return the current of each end [A] from a read's operating point, 0 where open: into word lines, out of bit lines."""
    return {side: flows[:, 0] for side, flows in end_currents(shape, 1, _delivered(plot)).items()}


def format_array(crossbar: Crossbar, drive: Drive, times: FloatArray, options: SolverOptions) -> str:
    """Return the deck of a transient of an array.

    Parameters
    ----------
    crossbar : Crossbar
    drive : Drive
        Each side (lines,) or (n_times, lines) [V].
    times : (n_times,) array
        Corners of the drive [s], rising from 0.
    options : SolverOptions
    """
    wires = crossbar.wires
    options = replace(options, temperature_c=crossbar.temperature - ZERO_CELSIUS)
    sides = read_sides(drive, *crossbar.shape, leading=len(times))
    saved = _end_currents(sides)
    crossings = np.ndindex(crossbar.shape)
    saved += dict.fromkeys(f"v({node(wires, r, c)})" for r, c in crossings for node in (word_node, bit_node))
    if not crossbar.frozen:
        saved += [f"v({p.name}.{s.name})" for p in places(crossbar) for s in p.layer.model.states]
    step = largest_step(Corners(times), LEAST_STEPS)
    lines = [f"* {crossbar.rows} x {crossbar.cols} crossbar", array_text(crossbar, drive, times)]
    return _deck(lines, saved, options, options.transient(float(times[-1]), step))


def read_transient(crossbar: Crossbar, plot: Plot, samples: FloatArray) -> WriteResult:
    """Return a transient's waveforms at sample times [s] as the array solver returns them."""
    return write_result(
        crossbar,
        samples,
        np.asarray(plot.scale, float),
        voltage=lambda node: _vector(plot, f"v({node})"),
        state=lambda name, state, start: (
            np.full(plot.points, start) if crossbar.frozen else _vector(plot, f"v({name}.{state.name})")
        ),
        delivered=_delivered(plot),
    )


def _end_currents(sides: Sides) -> list[str]:
    return [f"i(v{side}{k})" for side in SIDES for k in np.flatnonzero(~sides.open_ends[side])]


def _delivered(plot: Plot) -> Delivered:
    names = set(plot.names)
    return lambda side, line: -_vector(plot, name) if (name := f"i(v{side}{line})") in names else None


def _vector(plot: Plot, name: str) -> FloatArray:
    return np.atleast_1d(np.asarray(plot[name], float))


def _deck(lines: list[str], saved: list[str], options: SolverOptions, analysis: str) -> str:
    saves = [f".save {' '.join(saved[k : k + SAVED_PER_LINE])}" for k in range(0, len(saved), SAVED_PER_LINE)]
    return "\n".join([*lines, *options.lines(), *saves, analysis, ".end"]) + "\n"
