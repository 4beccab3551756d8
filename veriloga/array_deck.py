"""The netlist twin of an array for VACASK, whose sparse solver takes arrays that Debian's ngspice does not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..compact.model import FROZEN
from ..netlists.arrays.crossbar import MIDDLE_CAPACITANCE, Crossbar
from ..netlists.arrays.dynamic_write import WriteResult
from ..netlists.arrays.kernels import FloatArray
from ..netlists.arrays.network import Drive, Sides, Wires, read_sides
from ..netlists.arrays.sampled import Delivered, end_currents, write_result
from ..netlists.arrays.wiring import Corners, bit_node, ends, layer_names, middle_nodes, places, segments, word_node
from ..netlists.ngspice import Plot
from ..netlists.steps import largest_step
from .compiler import compile_module
from .module import format_module
from .vacask import HEAD, Deck, VacaskOptions, parameters_text, real, run_decks, state_movement

READ, WRITE = "read", "write"
"""Names of the analyses."""

LEAST_STEPS = 200
"""Time steps of a transient at least; the truncation error adds the others."""


def _frame(wires: Wires, shape: tuple[int, int], sides: Sides, times: FloatArray | None = None) -> Iterator[str]:
    """Yield the wires and the sources of an array."""
    yield from (*HEAD, 'load "resistor.osdi"', "model resistor resistor")
    yield from (f"r{s.name} ({s.a} {s.b}) resistor r={s.ohm!r}" for s in segments(wires, shape))
    for end in ends(wires, shape, sides):
        name, volts = f"{end.side}{end.line}", end.volts.tolist()
        if end.ohm > 0.0:
            yield f"r{name} ({end.source} {end.node}) resistor r={end.ohm!r}"
        if times is None or min(volts) == max(volts):
            yield f"v{name} ({end.source} 0) vsource dc={volts[0]!r}"
        else:
            pairs = ", ".join(f"{t!r}, {v!r}" for t, v in zip(times.tolist(), volts, strict=True))
            yield f'v{name} ({end.source} 0) vsource dc={volts[0]!r} type="pwl" wave=[{pairs}]'


def _delivered(plot: Plot, sides: Sides) -> Delivered:
    return lambda side, line: None if sides.open_ends[side][line] else -_vector(plot, f"v{side}{line}:flow(br)")


def read_linear_vacask(
    conductances: FloatArray,
    drive: Drive,
    wires: Wires,
    temperature: float,
    options: VacaskOptions,
    *,
    timeout: float = 120.0,
) -> dict[str, FloatArray]:
    """Return the current of each end [A] of an array of linear cells: into word lines, out of bit lines, 0 where open."""
    rows, cols = conductances.shape
    sides = read_sides(drive, rows, cols, leading=None)
    lines = [f"{rows} x {cols} array of linear cells", *_frame(wires, (rows, cols), sides)]
    for r, c in np.argwhere(conductances > 0.0).tolist():
        value = float(1.0 / conductances[r, c])
        lines.append(f"rc{r}_{c} ({word_node(wires, r, c)} {bit_node(wires, r, c)}) resistor r={value!r}")
    text = "\n".join([*lines, "control", f"  {options.line(temperature)}", f"  analysis {READ} op", "endc", ""])
    (plots,) = run_decks([Deck(text=text, libraries={}, stops={READ: None})], timeout=timeout)
    flows = end_currents((rows, cols), 1, _delivered(plots[READ], sides))
    return {side: flow[:, 0] for side, flow in flows.items()}


def write_array_vacask(
    crossbar: Crossbar,
    times: FloatArray,
    drive: Drive,
    samples: FloatArray,
    options: VacaskOptions,
    *,
    timeout: float = 600.0,
) -> tuple[WriteResult, str]:
    """Return a transient of an array at sample times [s], and the deck."""
    sides = read_sides(drive, *crossbar.shape, leading=len(times))
    libraries = {}
    lines = [f"{crossbar.rows} x {crossbar.cols} crossbar", *_frame(crossbar.wires, crossbar.shape, sides, times)]
    for label, layer in zip(layer_names(crossbar), crossbar.layers, strict=True):
        libraries[f"{label}.osdi"] = compile_module(format_module(layer.model))
        lines.append(f'load "{label}.osdi"')
    if crossbar.selector is not None:
        lines += ['load "capacitor.osdi"', "model capacitor capacitor"]
    lines += _cells(crossbar)
    step = options.max_step or largest_step(Corners(times), LEAST_STEPS)
    stop = float(times[-1])
    control = [
        "control",
        f"  {options.line(crossbar.temperature)}",
        "  save default",
        f"  analysis {WRITE} tran step={step!r} stop={stop!r} maxstep={step!r}",
        "endc",
        "",
    ]
    text = "\n".join([*lines, *control])
    (plots,) = run_decks([Deck(text=text, libraries=libraries, stops={WRITE: stop})], timeout=timeout)
    plot = plots[WRITE]
    models = {label: layer.model for label, layer in zip(layer_names(crossbar), crossbar.layers, strict=True)}
    result = write_result(
        crossbar,
        samples,
        _vector(plot, "time"),
        voltage=lambda node: _vector(plot, node),
        state=lambda name, s, start: start + np.atleast_1d(state_movement(plot, name, models[name[:2]], s)),
        delivered=_delivered(plot, sides),
    )
    return result, text


def _cells(crossbar: Crossbar) -> Iterator[str]:
    """Yield the devices, and a model line for each set of material values: VACASK's instances cannot replace them."""
    tables = {id(layer): layer.parameters(crossbar.shape) for layer in crossbar.layers}
    cards: dict[tuple[str, str], str] = {}
    for place in places(crossbar):
        model, label = place.layer.model, place.name[:2]
        row = tables[id(place.layer)][place.row, place.col].tolist()
        values = dict(zip((p.name for p in model.parameters), row, strict=True))
        if crossbar.frozen:
            values[FROZEN.name] = 1.0
        material = parameters_text(model, values, instance=False)
        if (label, material) not in cards:
            cards[label, material] = f"{label}_card{len(cards)}"
            yield f"model {cards[label, material]} {model.name} {material}".rstrip()
        own = parameters_text(model, values, instance=True)
        yield f"{place.name} ({' '.join(place.nodes)}) {cards[label, material]} {own}".rstrip()
    yield from (f"c{node} ({node} 0) capacitor c={MIDDLE_CAPACITANCE!r}" for node in middle_nodes(crossbar))


def _vector(plot: Plot, name: str) -> FloatArray:
    return np.atleast_1d(real(plot, name))
