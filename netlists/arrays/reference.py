"""Small arrays as networks, which the reference engine solves: every wire, driver, cell and selector by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...compact.network import GROUND, Capacitor, Instance, Network, Resistor
from ...compact.network_reference import ReferenceOptions, simulate_network
from ...compact.result import Result
from ...compact.stimulus import Drive as Source
from ...compact.stimulus import Waveform
from .crossbar import MIDDLE_CAPACITANCE, Crossbar
from .dynamic_write import WriteResult
from .kernels import FloatArray
from .network import Drive, Sides, Wires, read_sides
from .sampled import Delivered, end_currents, write_result
from .wiring import End, bit_node, ends, middle_nodes, places, segments, word_node

READ_TIMES = np.array([0.0, 1.0])
"""Times [s] of a read of linear cells; nothing moves in it."""


def array_network(crossbar: Crossbar, drive: Drive, times: FloatArray) -> Network:
    """Return an array with its sources as a network.

    Parameters
    ----------
    crossbar : Crossbar
    drive : Drive
        Each side (lines,) or (n_times, lines) [V].
    times : (n_times,) array
        Corners of the drive [s], rising from 0.
    """
    sides = read_sides(drive, *crossbar.shape, leading=len(times))
    driven = list(ends(crossbar.wires, crossbar.shape, sides))
    return Network(
        instances=tuple(_instances(crossbar)),
        resistors=tuple(_frame(crossbar.wires, crossbar.shape, driven)),
        capacitors=tuple(Capacitor(f"c{node}", node, GROUND, MIDDLE_CAPACITANCE) for node in middle_nodes(crossbar)),
        sources=_sources(driven, times),
        temperature=crossbar.temperature,
        frozen=crossbar.frozen,
    )


def write_array_reference(
    crossbar: Crossbar, times: FloatArray, drive: Drive, samples: FloatArray, options: ReferenceOptions
) -> WriteResult:
    """Return a transient of an array at sample times [s]."""
    found = simulate_network(array_network(crossbar, drive, times), times=samples, options=options)
    sides = read_sides(drive, *crossbar.shape, leading=len(times))
    return write_result(
        crossbar,
        samples,
        found.time,
        voltage=lambda node: found[f"v({node})"],
        state=lambda instance, state, start: found[f"{instance}.{state.name}"],
        delivered=_delivered(found, crossbar.wires, crossbar.shape, sides),
    )


def read_linear_reference(
    conductances: FloatArray, drive: Drive, wires: Wires, options: ReferenceOptions
) -> dict[str, FloatArray]:
    """Return the current of each end [A] of an array of linear cells: into word lines, out of bit lines, 0 where open."""
    rows, cols = conductances.shape
    sides = read_sides(drive, rows, cols, leading=None)
    driven = list(ends(wires, (rows, cols), sides))
    cells = [
        Resistor(f"rc{r}_{c}", word_node(wires, r, c), bit_node(wires, r, c), 1.0 / float(conductances[r, c]))
        for r, c in np.argwhere(conductances > 0.0).tolist()
    ]
    network = Network(
        instances=(), resistors=(*_frame(wires, (rows, cols), driven), *cells), sources=_sources(driven, READ_TIMES)
    )
    found = simulate_network(network, times=READ_TIMES[1:], options=options)
    flows = end_currents((rows, cols), 1, _delivered(found, wires, (rows, cols), sides))
    return {side: flow[:, 0] for side, flow in flows.items()}


def _instances(crossbar: Crossbar) -> Iterator[Instance]:
    tables = {id(layer): layer.parameters(crossbar.shape) for layer in crossbar.layers}
    for place in places(crossbar):
        model, row = place.layer.model, tables[id(place.layer)][place.row, place.col].tolist()
        values = dict(zip((p.name for p in model.parameters), row, strict=True))
        yield Instance(name=place.name, model=model, values=values, nodes=place.nodes)


def _frame(wires: Wires, shape: tuple[int, int], driven: Sequence[End]) -> Iterator[Resistor]:
    yield from (Resistor(f"r{s.name}", s.a, s.b, s.ohm) for s in segments(wires, shape))
    yield from (Resistor(f"r{e.side}{e.line}", e.source, e.node, e.ohm) for e in driven if e.ohm > 0.0)


def _sources(driven: Sequence[End], times: FloatArray) -> dict[str, Source]:
    return {
        e.source: Source(
            waveform=Waveform(tuple(times.tolist()), tuple(np.broadcast_to(e.volts, times.shape).tolist()))
        )
        for e in driven
    }


def _delivered(found: Result, wires: Wires, shape: tuple[int, int], sides: Sides) -> Delivered:
    sources = {(e.side, e.line): e.source for e in ends(wires, shape, sides)}
    return lambda side, line: found[f"i({sources[side, line]})"] if (side, line) in sources else None
