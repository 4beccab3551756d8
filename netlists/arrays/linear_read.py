"""Read of a wired crossbar of linear cells: column currents and node voltages for any bias of the lines.

The bit lines are eliminated exactly, line by line; conjugate gradients run on the word lines, preconditioned by their own
tridiagonal solves. A wire segment is far more conductive than a cell, so a few iterations do; floating lines add a coarse
correction.

Sign: a cell current flows from word line to bit line; word-line end currents enter the array, bit-line end currents leave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...compact.errors import ParameterError, UnknownNameError
from .kernels import FloatArray
from .network import Drive, Ends, Network, Sides, Wires, check_short, read_sides, require_converged

Scheme = Literal["float", "V/2", "V/3", "grounded"]
# Voltage of unselected word and bit lines as a part of the selected voltage; NaN floats.
_SCHEMES: dict[str, tuple[float, float]] = {
    "float": (np.nan, np.nan),
    "V/2": (0.5, 0.5),
    "V/3": (1.0 / 3.0, 2.0 / 3.0),
    "grounded": (0.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class ArraySolution:
    """Currents and voltages of an array; a batch of inputs adds a leading axis to every array.

    Attributes
    ----------
    word_voltages, bit_voltages : (rows, cols) array
        Node voltages [V].
    cell_currents : (rows, cols) array
        From word line to bit line [A].
    left_currents, right_currents : (rows,) array
        Into the word lines at their ends [A].
    top_currents, bottom_currents : (cols,) array
        Out of the bit lines at their ends [A].
    iterations : int
        Conjugate-gradient iterations (the most of a batch).
    residual : float
        Worst net current into a node as a part of the greatest sum of cell-current magnitudes on a line. Includes the rounding of
        the wire currents themselves, about 1e-16 of node voltage times segment conductance.
    """

    word_voltages: FloatArray
    bit_voltages: FloatArray
    cell_currents: FloatArray
    left_currents: FloatArray
    right_currents: FloatArray
    top_currents: FloatArray
    bottom_currents: FloatArray
    iterations: int
    residual: float

    @property
    def column_currents(self) -> FloatArray:
        """Currents out of the bottom ends of the bit lines [A], (cols,) or (batch, cols)."""
        return self.bottom_currents


def read_array(
    conductances: ArrayLike,
    voltages: ArrayLike,
    *,
    word_resistance: float = 0.0,
    bit_resistance: float = 0.0,
    driver_resistance: float = 0.0,
    sense_resistance: float = 0.0,
    tolerance: float = 1e-12,
    max_iterations: int = 5000,
) -> ArraySolution:
    """Read a crossbar: word lines driven from the left, bit lines at virtual ground at the bottom (badcrossbar's circuit).

    Parameters
    ----------
    conductances : (rows, cols) array
        Cell conductances [S], at least 0.
    voltages : (rows,) or (batch, rows) array
        Input voltages [V]; NaN leaves a word line floating.
    word_resistance, bit_resistance : float
        Resistance of one wire segment [ohm].
    driver_resistance, sense_resistance : float
        Resistance of each driver and of each sense input [ohm].
    tolerance : float
        Reduction of the preconditioned residual of the voltage drops along the wires.
    max_iterations : int
        Limit of the conjugate gradients.

    Returns
    -------
    ArraySolution
        With ``column_currents`` (cols,) or (batch, cols).

    Raises
    ------
    ParameterError
        Shapes, signs, or a line that nothing holds.
    SimulationError
        The tolerance was not reached.
    """
    cells = _conductances(conductances)
    rows, cols = cells.shape
    inputs = np.asarray(voltages, dtype=np.float64)
    if inputs.ndim not in (1, 2) or inputs.shape[-1] != rows or inputs.size == 0:
        raise ParameterError(
            f"read of a {rows} x {cols} array",
            [f"voltages have shape {inputs.shape}; needed ({rows},) or (batch, {rows})"],
        )
    wires = Wires(
        word_segment=word_resistance, bit_segment=bit_resistance, left=driver_resistance, bottom=sense_resistance
    )
    batch = np.atleast_2d(inputs)
    sides = read_sides(Drive(left=batch, bottom=np.zeros(cols)), rows, cols, leading=batch.shape[0])
    return _solve(cells, sides, wires, tolerance, max_iterations, squeeze=inputs.ndim == 1)


def solve_array(
    conductances: ArrayLike,
    drive: Drive,
    wires: Wires,
    *,
    tolerance: float = 1e-12,
    max_iterations: int = 5000,
) -> ArraySolution:
    """Solve an array whose line ends are driven or left open in any way.

    Parameters
    ----------
    conductances : (rows, cols) array
        Cell conductances [S], at least 0.
    drive : Drive
        Voltages of the ends [V], one value a line; NaN or None is open.
    wires : Wires
        Wire and source resistances [ohm].
    tolerance, max_iterations
        As :func:`read_array`.

    Returns
    -------
    ArraySolution

    Raises
    ------
    ParameterError, SimulationError
        As :func:`read_array`; also ideal sources that short each other.
    """
    cells = _conductances(conductances)
    sides = read_sides(drive, *cells.shape, leading=None)
    return _solve(cells, sides, wires, tolerance, max_iterations, squeeze=True)


def bias(scheme: Scheme, shape: tuple[int, int], *, row: int, col: int, voltage: float) -> Drive:
    """Return the drive that selects one cell: its word line at ``voltage`` on the left, its bit line at 0 V at the bottom.

    Parameters
    ----------
    scheme : {"float", "V/2", "V/3", "grounded"}
        What the other lines do: float; all at V/2; word lines at V/3 and bit lines at 2V/3; all at 0.
    shape : (int, int)
        Rows and columns.
    row, col : int
        The selected cell.
    voltage : float
        Selected voltage [V].
    """
    if scheme not in _SCHEMES:
        raise UnknownNameError("biasing scheme", scheme, _SCHEMES)
    rows, cols = shape
    faults = [
        f"{name} {index} is outside the array; indices run from 0 to {size - 1}"
        for name, index, size in (("row", row, rows), ("column", col, cols))
        if not 0 <= index < size
    ]
    if faults:
        raise ParameterError(f"bias of a {rows} x {cols} array", faults)
    word, bit = _SCHEMES[scheme]
    left, bottom = np.full(rows, word * voltage), np.full(cols, bit * voltage)
    left[row], bottom[col] = voltage, 0.0
    return Drive(left=left, bottom=bottom)


def _conductances(given: ArrayLike) -> FloatArray:
    cells = np.ascontiguousarray(given, dtype=np.float64)
    if cells.ndim != 2 or cells.size == 0:
        raise ParameterError(
            "conductances of an array", [f"shape {cells.shape}; needed (rows, cols), neither of them 0"]
        )
    bad = ~(np.isfinite(cells) & (cells >= 0.0))
    if bad.any():
        i, j = (int(k) for k in np.argwhere(bad)[0])
        raise ParameterError(
            "conductances of an array",
            [
                f"cell ({i}, {j}) has {cells[i, j]} S, and {int(bad.sum())} cells in all are wrong; a conductance is finite and >= 0"
            ],
        )
    return cells


def _solve(
    cells: FloatArray, sides: Sides, wires: Wires, tolerance: float, max_iterations: int, *, squeeze: bool
) -> ArraySolution:
    check_short(wires, sides)
    rows, cols = cells.shape
    network = Network(rows, cols, wires, sides.open_ends)
    network.check_held(cells)
    network.factorise(cells)
    side = sides.values
    solutions = [
        _solve_one(network, cells, {name: side[name][k] for name in side}, tolerance, max_iterations)
        for k in range(side["left"].shape[0])
    ]
    if squeeze:
        return solutions[0]
    names = [name for name in ArraySolution.__slots__ if name not in ("iterations", "residual")]
    return ArraySolution(
        **{name: np.stack([getattr(s, name) for s in solutions]) for name in names},
        iterations=max(s.iterations for s in solutions),
        residual=max(s.residual for s in solutions),
    )


def _solve_one(
    network: Network, cells: FloatArray, side: dict[str, FloatArray], tolerance: float, max_iterations: int
) -> ArraySolution:
    word_reference, bit_reference = line_references(network, cells, side)
    gap = word_reference[:, None] - bit_reference
    current = cells * gap
    into_words, into_bits = network.unbalance(np.zeros_like(cells), np.zeros_like(cells), current)
    word_sources = network.end_sources(network.word, word_reference, side["left"], side["right"])
    bit_sources = network.end_sources(network.bit, bit_reference, side["top"], side["bottom"])
    add_sources(into_words, into_bits, word_sources, bit_sources)
    least = 1e-6 * float(np.einsum("ij,ij->", current, gap))
    words, bits, iterations, reached = network.solve(
        into_words, into_bits, tolerance=tolerance, least=least, limit=max_iterations
    )
    require_converged(reached, tolerance, iterations, f"read of a {cells.shape[0]} x {cells.shape[1]} array")
    current = cells * (gap + (words - bits))
    into_words, into_bits = network.unbalance(words, bits, current)
    add_sources(into_words, into_bits, word_sources, bit_sources)
    scale = max(np.abs(current).sum(axis=1).max(), np.abs(current).sum(axis=0).max())
    residual = network.worst_unbalance(into_words, into_bits) / scale if scale > 0.0 else 0.0
    left, right = end_currents(network.word, word_sources, words[:, 0], words[:, -1], current.sum(axis=1))
    top, bottom = end_currents(network.bit, bit_sources, bits[0], bits[-1], -current.sum(axis=0))
    return ArraySolution(
        word_voltages=word_reference[:, None] + words,
        bit_voltages=bit_reference + bits,
        cell_currents=current,
        left_currents=left,
        right_currents=right,
        top_currents=-top,
        bottom_currents=-bottom,
        iterations=iterations,
        residual=residual,
    )


def line_references(network: Network, cells: FloatArray, side: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Return a potential for every line [V]: of its sources, or for floating lines that of the network with ideal wires.

    Parameters
    ----------
    network : Network
        The frame.
    cells : (rows, cols) array
        Cell conductances [S].
    side : dict of str to array
        Voltages of the four sides, NaN where open.
    """
    word = network.word.reference(side["left"], side["right"])
    bit = network.bit.reference(side["top"], side["bottom"])
    free_words, free_bits = ~network.word.driven, ~network.bit.driven
    if not (free_words.any() or free_bits.any()):
        return word, bit
    # Floating bit lines follow from the word lines; what is left is a dense network of the floating word lines.
    bit_sum = np.where(free_bits, cells.sum(axis=0), 1.0)
    follow = np.where(free_bits, 1.0 / np.where(bit_sum > 0.0, bit_sum, 1.0), 0.0)
    if free_words.any():
        part = cells[free_words]
        matrix = np.diag(part.sum(axis=1)) - (part * follow) @ part.T
        known = cells[~free_words].T @ word[~free_words]
        right = part @ np.where(free_bits, follow * known, bit)
        word[free_words] = np.linalg.lstsq(matrix, right, rcond=1e-14)[0]
    bit = np.where(free_bits, follow * (cells.T @ word), bit)
    return word, bit


def add_sources(
    into_words: FloatArray,
    into_bits: FloatArray,
    word_sources: FloatArray,
    bit_sources: FloatArray,
) -> None:
    """Add the source currents (2, lines) of the first and last ends to the node currents [A]."""
    into_words[:, 0] += word_sources[0]
    into_words[:, -1] += word_sources[1]
    into_bits[0] += bit_sources[0]
    into_bits[-1] += bit_sources[1]


def end_currents(
    ends: Ends, sources: FloatArray, first: FloatArray, last: FloatArray, total: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Share each line's total current [A] between its ends; two ideal sources on an ideal line take half each."""
    out_first = sources[0] - ends.first * first
    out_last = sources[1] - ends.last * last
    only_first = (ends.first > 0.0) & (ends.last == 0.0) & ~ends.held
    only_last = (ends.last > 0.0) & (ends.first == 0.0) & ~ends.held
    out_first = np.where(only_first, total, out_first)
    out_last = np.where(only_last, total, out_last)
    both = ends.ideal_first & ends.ideal_last
    rest = np.where(both, 0.5, 1.0) * (total - np.where(ends.held, out_first + out_last, 0.0))
    out_first = np.where(ends.ideal_first, rest, out_first)
    out_last = np.where(ends.ideal_last, rest, out_last)
    return out_first, out_last
