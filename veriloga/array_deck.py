"""The netlist twin of an array for VACASK, whose sparse solver takes arrays that Debian's ngspice does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..compact.model import FROZEN
from ..netlists.arrays.crossbar import MIDDLE_CAPACITANCE, Crossbar, Layer
from ..netlists.arrays.deck import SIDES, bit_node, end_node, word_node
from ..netlists.arrays.dynamic_write import WriteResult
from ..netlists.arrays.kernels import FloatArray
from ..netlists.arrays.network import Drive, Sides, Wires, read_sides
from ..netlists.ngspice import Plot
from .compiler import compile_module
from .module import format_module, state_node
from .vacask import Deck, VacaskOptions, parameters_text, run_decks

READ, WRITE = "read", "write"
"""Names of the analyses."""

LEAST_STEPS = 200
"""Time steps of a transient at least; the truncation error adds the others."""


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """The wires and sources of an array."""

    wires: Wires
    shape: tuple[int, int]
    sides: Sides
    times: FloatArray | None = None

    def lines(self) -> Iterator[str]:
        wires, (rows, cols) = self.wires, self.shape
        yield from ("ground 0", 'load "resistor.osdi"', "model vsource vsource", "model resistor resistor")
        if wires.word_segment > 0.0:
            for r in range(rows):
                for c in range(cols - 1):
                    yield f"rw{r}_{c} (w{r}_{c} w{r}_{c + 1}) resistor r={wires.word_segment!r}"
        if wires.bit_segment > 0.0:
            for r in range(rows - 1):
                for c in range(cols):
                    yield f"rb{r}_{c} (b{r}_{c} b{r + 1}_{c}) resistor r={wires.bit_segment!r}"
        for side in SIDES:
            for line in np.flatnonzero(~self.sides.open_ends[side]):
                yield from self._source(side, int(line))

    def _source(self, side: str, line: int) -> Iterator[str]:
        node, resistance = end_node(self.wires, self.shape, side, line)
        behind = node if resistance == 0.0 else f"s{side}{line}"
        if resistance > 0.0:
            yield f"r{side}{line} ({behind} {node}) resistor r={resistance!r}"
        volts = self.sides.values[side][:, line].tolist()
        if self.times is None or min(volts) == max(volts):
            yield f"v{side}{line} ({behind} 0) vsource dc={volts[0]!r}"
        else:
            pairs = ", ".join(f"{t!r}, {v!r}" for t, v in zip(self.times.tolist(), volts, strict=True))
            yield f'v{side}{line} ({behind} 0) vsource dc={volts[0]!r} type="pwl" wave=[{pairs}]'

    def ends(self, plot: Plot, side: str) -> FloatArray:
        """Return the current of each end [A], (points, lines): into word lines, out of bit lines; 0 where open."""
        sign = -1.0 if side in ("left", "right") else 1.0
        open_ends = self.sides.open_ends[side]
        columns = [
            np.zeros(plot.points) if open_ else sign * _real(plot, f"v{side}{k}:flow(br)")
            for k, open_ in enumerate(open_ends)
        ]
        return np.stack(columns, axis=1)


def read_linear_vacask(
    conductances: FloatArray, drive: Drive, wires: Wires, *, timeout: float = 120.0
) -> dict[str, FloatArray]:
    """Return the current of each end [A] of an array of linear cells: into word lines, out of bit lines, 0 where open."""
    rows, cols = conductances.shape
    frame = _Frame(wires=wires, shape=(rows, cols), sides=read_sides(drive, rows, cols, leading=None))
    lines = [f"{rows} x {cols} array of linear cells", *frame.lines()]
    for r in range(rows):
        for c in range(cols):
            if conductances[r, c] > 0.0:
                value = float(1.0 / conductances[r, c])
                lines.append(f"rc{r}_{c} ({word_node(wires, r, c)} {bit_node(wires, r, c)}) resistor r={value!r}")
    options = VacaskOptions(reltol=1e-9, vntol=1e-12)
    text = "\n".join([*lines, "control", f"  {options.line(300.15)}", f"  analysis {READ} op", "endc", ""])
    (plots,) = run_decks([Deck(text=text, libraries={}, stops={READ: None})], timeout=timeout)
    return {side: frame.ends(plots[READ], side)[0] for side in SIDES}


def write_array_vacask(
    crossbar: Crossbar,
    times: FloatArray,
    drive: Drive,
    samples: FloatArray,
    *,
    options: VacaskOptions | None = None,
    timeout: float = 600.0,
) -> tuple[WriteResult, str]:
    """Return a transient of an array at sample times [s], and the deck."""
    options = options or VacaskOptions(reltol=1e-4, vntol=1e-6, breakpoint_fraction=0.1)
    sides = read_sides(drive, *crossbar.shape, leading=len(times))
    frame = _Frame(wires=crossbar.wires, shape=crossbar.shape, sides=sides, times=times)
    labels = ("xm",) if crossbar.selector is None else ("xs", "xm")
    libraries = {}
    lines = [f"{crossbar.rows} x {crossbar.cols} crossbar", *frame.lines()]
    for label, layer in zip(labels, crossbar.layers, strict=True):
        libraries[f"{label}.osdi"] = compile_module(format_module(layer.model))
        card = parameters_text(layer.model, layer.model.values(layer.values), instance=False)
        lines += [f'load "{label}.osdi"', f"model {label}_card {layer.model.name} {card}".rstrip()]
    if crossbar.selector is not None:
        lines += ['load "capacitor.osdi"', "model capacitor capacitor"]
    lines += _cells(crossbar, labels)
    step = options.max_step or float(times[-1]) / LEAST_STEPS
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
    return _result(crossbar, frame, labels, plots[WRITE], samples), text


def _cells(crossbar: Crossbar, labels: tuple[str, ...]) -> Iterator[str]:
    wires, shape = crossbar.wires, crossbar.shape
    own = [_Instances.of(layer, shape, crossbar.frozen) for layer in crossbar.layers]
    for r in range(crossbar.rows):
        for c in range(crossbar.cols):
            word, bit = word_node(wires, r, c), bit_node(wires, r, c)
            middle = word if crossbar.selector is None else f"m{r}_{c}"
            ends = {"xs": (word, middle), "xm": (middle, bit)}
            for label, layer, instances in zip(labels, crossbar.layers, own, strict=True):
                at = dict(zip(layer.model.write, ends[label], strict=True))
                nodes = " ".join(at[t] for t in layer.model.terminals)
                yield f"{label}{r}_{c} ({nodes}) {label}_card {instances.text(r, c)}".rstrip()
            if crossbar.selector is not None:
                yield f"cm{r}_{c} ({middle} 0) capacitor c={MIDDLE_CAPACITANCE!r}"


@dataclass(frozen=True)
class _Instances:
    """What each crossing's instance is given; model parameters that differ are instance parameters in VACASK as well."""

    layer: Layer
    frozen: bool
    names: tuple[str, ...]
    table: FloatArray

    @classmethod
    def of(cls, layer: Layer, shape: tuple[int, int], frozen: bool) -> _Instances:
        names = tuple(p.name for p in layer.model.parameters if p.name in layer.maps or p.instance)
        order = [p.name for p in layer.model.parameters]
        return cls(layer, frozen, names, layer.parameters(shape)[:, :, [order.index(n) for n in names]])

    def text(self, row: int, col: int) -> str:
        words = []
        for name, value in zip(self.names, self.table[row, col].tolist(), strict=True):
            held = self.frozen or value >= 0.5
            words.append(f"{name}={int(held)}" if name == FROZEN.name else f"{name}={value!r}")
        return " ".join(words)


def _result(crossbar: Crossbar, frame: _Frame, labels: tuple[str, ...], plot: Plot, samples: FloatArray) -> WriteResult:
    time = _real(plot, "time")
    rows, cols = crossbar.shape
    starts = crossbar.initial_states()
    states = np.empty((samples.size, rows, cols, starts.shape[2]))
    volts = np.empty((samples.size, rows, cols))
    columns = [
        (label, s.scale, state_node(layer.model, s.name))
        for label, layer in zip(labels, crossbar.layers, strict=True)
        for s in layer.model.states
    ]
    for r in range(rows):
        for c in range(cols):
            drop = _real(plot, word_node(crossbar.wires, r, c)) - _real(plot, bit_node(crossbar.wires, r, c))
            volts[:, r, c] = np.interp(samples, time, drop)
            for k, (label, scale, node) in enumerate(columns):
                moved = np.interp(samples, time, _real(plot, f"{label}{r}_{c}:{node}"))
                states[:, r, c, k] = starts[r, c, k] + scale * moved
    sampled = {}
    for side in SIDES:
        full = frame.ends(plot, side)
        sampled[side] = np.stack([np.interp(samples, time, full[:, k]) for k in range(full.shape[1])], axis=1)
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


def _real(plot: Plot, name: str) -> FloatArray:
    return np.atleast_1d(np.asarray(plot[name].real, float))
