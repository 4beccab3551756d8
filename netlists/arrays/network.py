"""The passive frame of a crossbar: wires, what drives the ends of the lines, and the linear solve around any cells.

Word lines run along the columns and are driven at their left (column 0) or right end; bit lines run along the rows and end at the
top (row 0) and the bottom. Between an end and its first cell lies one wire segment, as between two cells, so that a crossbar
driven from the left and read at the bottom is badcrossbar's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...compact.errors import ParameterError, SimulationError
from . import kernels
from .kernels import FloatArray, IntArray

# A line is loose when the ideal-wire network would take more than this part of its potential from other lines.
_LOOSE = 0.5
_SHIFT = 1e-13


@dataclass(frozen=True, kw_only=True, slots=True)
class Wires:
    """Resistances of the wires and of what terminates them [ohm]; 0 is an ideal wire or source.

    Attributes
    ----------
    word_segment, bit_segment : float
        One segment between neighbouring cells, and between an end and its first cell.
    left, right : float
        Source resistance at the ends of the word lines (``left`` is the driver resistance of a read).
    top, bottom : float
        Source resistance at the ends of the bit lines (``bottom`` is the sense resistance of a read).
    """

    word_segment: float = 0.0
    bit_segment: float = 0.0
    left: float = 0.0
    right: float = 0.0
    top: float = 0.0
    bottom: float = 0.0

    def __post_init__(self) -> None:
        faults = [
            f"{f.name} = {getattr(self, f.name)!r} ohm; a resistance is finite and at least 0 (for an open end leave out its drive)"
            for f in fields(self)
            if not (math.isfinite(getattr(self, f.name)) and getattr(self, f.name) >= 0.0)
        ]
        if faults:
            raise ParameterError("wires of an array", faults)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drive:
    """Source voltages at the ends of the lines [V]; NaN, or None for a whole side, is an open end.

    Attributes
    ----------
    left, right : (rows,) array or (n_times, rows) array or None
        Word-line ends.
    top, bottom : (cols,) array or (n_times, cols) array or None
        Bit-line ends.
    """

    left: ArrayLike | None = None
    right: ArrayLike | None = None
    top: ArrayLike | None = None
    bottom: ArrayLike | None = None


@dataclass(frozen=True, slots=True)
class Ends:
    """The sources of one direction: conductance and voltage at the first and the last end of each line.

    Attributes
    ----------
    first, last : (lines,) array
        Conductances [S]: 0 where open or where an ideal source holds an ideal line.
    held : (lines,) array of bool
        Ideal lines that an ideal source holds.
    ideal_first, ideal_last : (lines,) array of bool
        At which end the ideal source sits.
    """

    first: FloatArray
    last: FloatArray
    held: NDArray[np.bool_]
    ideal_first: NDArray[np.bool_]
    ideal_last: NDArray[np.bool_]

    @property
    def driven(self) -> NDArray[np.bool_]:
        """Lines that any source holds, (lines,)."""
        return np.asarray(self.held | (self.first > 0.0) | (self.last > 0.0))

    def reference(self, first: FloatArray, last: FloatArray) -> FloatArray:
        """Return the potential that the sources alone give each line [V], 0 for a floating line.

        ``first`` and ``last`` are source voltages, (..., lines), NaN where open.
        """
        first, last = np.nan_to_num(first), np.nan_to_num(last)
        weight_first = np.where(self.held, self.ideal_first * 1.0, self.first)
        weight_last = np.where(self.held, self.ideal_last * 1.0, self.last)
        total = weight_first + weight_last
        share = np.divide(weight_last, total, out=np.zeros_like(total), where=total > 0.0)
        driven = total > 0.0
        return np.asarray(np.where(driven, first + share * (last - first), 0.0))


class Network:
    """The linear network of one array with one choice of driven ends.

    Voltages are solved as deviations from a reference potential of each line, so that a drop of nanovolts below a volt keeps its
    digits.

    Parameters
    ----------
    rows, cols : int
        Size.
    wires : Wires
        Resistances [ohm].
    open_ends : dict of str to array of bool
        For ``left``, ``right`` (rows,), ``top``, ``bottom`` (cols,): whether the end is open.
    """

    def __init__(self, rows: int, cols: int, wires: Wires, open_ends: dict[str, NDArray[np.bool_]]) -> None:
        self.shape = (rows, cols)
        self.wires = wires
        self.word_ideal = wires.word_segment == 0.0
        self.bit_ideal = wires.bit_segment == 0.0
        self.word_segment = 0.0 if self.word_ideal else 1.0 / wires.word_segment
        self.bit_segment = 0.0 if self.bit_ideal else 1.0 / wires.bit_segment
        self.word = _ends(wires.word_segment, wires.left, wires.right, open_ends["left"], open_ends["right"])
        self.bit = _ends(wires.bit_segment, wires.top, wires.bottom, open_ends["top"], open_ends["bottom"])
        self._cells: FloatArray = np.zeros(self.shape)
        self._word_inverse = np.zeros(self.shape)
        self._bit_inverse = np.zeros(self.shape)
        self._work = np.zeros((4, rows, cols))
        self._zero = np.zeros(self.shape)
        self._loose: IntArray = np.zeros(0, dtype=np.int64)
        self._coarse = np.zeros((0, 0))

    def check_held(self, cells: FloatArray) -> None:
        """Raise where a part of the array is held by no source, so that its potential is undetermined."""
        rows, cols = self.shape
        driven = np.concatenate([self.word.driven, self.bit.driven])
        if np.all(cells > 0.0) and driven.any():
            return
        i, j = np.nonzero(cells)
        graph = coo_array((np.ones(i.size), (i, j + rows)), shape=(rows + cols, rows + cols))
        count, label = connected_components(graph, directed=False)
        loose = ~np.isin(label, label[driven])
        # A line without a cell harms nobody, but its potential has no value: it is an error like any other.
        if count and loose.any():
            names = [f"word line {k}" if k < rows else f"bit line {k - rows}" for k in np.flatnonzero(loose)]
            shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
            raise ParameterError(
                f"drive of a {rows} x {cols} array",
                [
                    f"{shown}: floating, and no cell joins them to a driven line; drive an end, or give the cells a leakage"
                ],
            )

    def factorise(self, cells: FloatArray) -> bool:
        """Prepare solves with these cell conductances (rows, cols) [S]; False if the network is not positive definite.

        The array is kept, not copied: it must not change before the last solve.
        """
        self._cells = cells
        good_words = kernels.factor_words(
            cells,
            self.word_segment,
            self.word_ideal,
            self.word.first,
            self.word.last,
            self.word.held,
            self._word_inverse,
        )
        good_bits = kernels.factor_bits(
            cells, self.bit_segment, self.bit_ideal, self.bit.first, self.bit.last, self.bit.held, self._bit_inverse
        )
        self._build_coarse()
        return bool(good_words and good_bits)

    def _build_coarse(self) -> None:
        """Find the loosely held word lines and invert the ideal-wire network on them."""
        cells = self._cells
        word_sum, bit_sum = cells.sum(axis=1), cells.sum(axis=0)
        word_total = word_sum + self.word.first + self.word.last
        bit_total = bit_sum + self.bit.first + self.bit.last
        bit_weight = np.where(self.bit.held | (bit_total <= 0.0), 0.0, 1.0 / np.where(bit_total > 0.0, bit_total, 1.0))
        # Not a matrix product: the threads of a BLAS cost more here than they gain.
        pulled = np.einsum("ij,j->i", cells, bit_weight * bit_sum)
        loose = np.flatnonzero(~self.word.held & (pulled > _LOOSE * word_total))
        self._loose, self._coarse = loose, np.zeros((0, 0))
        if loose.size == 0:
            return
        part = cells[loose]
        matrix = np.diag(word_total[loose]) - (part * bit_weight) @ part.T
        scale = 1.0 / np.sqrt(word_total[loose])
        matrix *= scale[:, None] * scale
        # Rounding can lose the last mode of a nearly isolated cluster; the shift keeps the correction positive.
        matrix[np.diag_indices_from(matrix)] += _SHIFT
        factor, failed = dpotrf(matrix, lower=1)
        inverse, failed_inverse = dpotri(factor, lower=1, overwrite_c=1)
        if failed or failed_inverse:
            self._loose = np.zeros(0, dtype=np.int64)
            return
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        self._coarse = np.ascontiguousarray(inverse * (scale[:, None] * scale))

    def solve(
        self, into_words: FloatArray, into_bits: FloatArray, *, tolerance: float, least: float = 0.0, limit: int = 5000
    ) -> tuple[FloatArray, FloatArray, int, float]:
        """Solve for the node voltages that given node currents cause.

        Parameters
        ----------
        into_words, into_bits : (rows, cols) array
            Currents into the nodes [A].
        tolerance : float
            Reduction of the preconditioned residual (an error of voltage, weighted by the conductances).
        least : float
            The reduction counts from this power [W] at least.
        limit : int
            Greatest number of iterations.

        Returns
        -------
        words, bits : (rows, cols) array
            Voltages [V].
        iterations : int
        reached : float
            Reduction reached; NaN where the network is not positive definite.
        """
        right = np.empty(self.shape)
        words = np.empty(self.shape)
        bits = np.empty(self.shape)
        self._solve_bits(self._zero, into_bits, right)
        np.multiply(right, self._cells, out=right)
        right += into_words
        iterations, reached = kernels.conjugate_gradients(
            self._cells,
            self._word_inverse,
            self.word_segment,
            self.word_ideal,
            self.word.first,
            self.word.last,
            self._bit_inverse,
            self.bit_segment,
            self.bit_ideal,
            self._loose,
            self._coarse,
            right,
            tolerance,
            least,
            limit,
            words,
            self._work,
        )
        self._solve_bits(words, into_bits, bits)
        return words, bits, iterations, reached

    def _solve_bits(self, words: FloatArray, into_bits: FloatArray, out: FloatArray) -> None:
        kernels.solve_bits(self._cells, words, into_bits, self._bit_inverse, self.bit_segment, self.bit_ideal, out)

    def unbalance(self, words: FloatArray, bits: FloatArray, current: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the net current into each node, sources at their references (see :func:`kernels.kirchhoff`)."""
        into_words, into_bits = np.empty(self.shape), np.empty(self.shape)
        kernels.kirchhoff(
            words,
            bits,
            current,
            self.word_segment,
            self.word_ideal,
            self.word.first,
            self.word.last,
            self.bit_segment,
            self.bit_ideal,
            self.bit.first,
            self.bit.last,
            into_words,
            into_bits,
        )
        return into_words, into_bits

    def worst_unbalance(self, into_words: FloatArray, into_bits: FloatArray) -> float:
        """Return the greatest net current into a node [A]; an ideal line is one node, a held one none."""
        word = into_words.sum(axis=1) * ~self.word.held if self.word_ideal else into_words
        bit = into_bits.sum(axis=0) * ~self.bit.held if self.bit_ideal else into_bits
        return float(max(np.abs(word).max(), np.abs(bit).max()))

    def end_sources(self, ends: Ends, reference: FloatArray, first: FloatArray, last: FloatArray) -> FloatArray:
        """Return the currents into the first and last nodes of lines held at their reference, (2, ..., lines) [A]."""
        return np.stack(
            (
                ends.first * np.where(ends.first > 0.0, first - reference, 0.0),
                ends.last * np.where(ends.last > 0.0, last - reference, 0.0),
            )
        )


def _ends(
    segment: float, first: float, last: float, first_open: NDArray[np.bool_], last_open: NDArray[np.bool_]
) -> Ends:
    resistance_first, resistance_last = segment + first, segment + last
    ideal_first = ~first_open & (resistance_first == 0.0)
    ideal_last = ~last_open & (resistance_last == 0.0)
    held = ideal_first | ideal_last
    lines = first_open.shape[0]
    conductance_first = (
        np.zeros(lines) if resistance_first == 0.0 else np.where(first_open, 0.0, 1.0 / resistance_first)
    )
    conductance_last = np.zeros(lines) if resistance_last == 0.0 else np.where(last_open, 0.0, 1.0 / resistance_last)
    return Ends(conductance_first, conductance_last, held, ideal_first, ideal_last)


@dataclass(frozen=True, slots=True)
class Sides:
    """The four sides of a drive as arrays (n_times, lines), NaN where open, and which ends are open."""

    values: dict[str, FloatArray]
    open_ends: dict[str, NDArray[np.bool_]] = field(repr=False)


def read_sides(drive: Drive, rows: int, cols: int, *, leading: int | None) -> Sides:
    """Check a drive against an array's size.

    Parameters
    ----------
    drive : Drive
        Voltages [V]; with ``leading`` each side may be (lines,) or (leading, lines).
    rows, cols : int
        Size.
    leading : int or None
        Number of times; None for voltages without a time axis (taken as one).

    Raises
    ------
    ParameterError
        Wrong shape, infinite values, or an end that is open at some times only.
    """
    faults: list[str] = []
    values: dict[str, FloatArray] = {}
    open_ends: dict[str, NDArray[np.bool_]] = {}
    count = 1 if leading is None else leading
    for side, lines in (("left", rows), ("right", rows), ("top", cols), ("bottom", cols)):
        given = getattr(drive, side)
        array = np.full(lines, np.nan) if given is None else np.asarray(given, dtype=np.float64)
        allowed = [(lines,)] if leading is None else [(lines,), (leading, lines)]
        if array.shape not in allowed:
            shapes = " or ".join(str(shape) for shape in allowed)
            faults.append(f"{side}: voltages have shape {array.shape}, a {rows} x {cols} array needs {shapes}")
            array = np.full(lines, np.nan)
        if np.isinf(array).any():
            faults.append(f"{side}: a voltage is infinite; use NaN for an open end")
        full = np.array(np.broadcast_to(array, (count, lines)))
        missing = np.isnan(full)
        if (missing.any(axis=0) & ~missing.all(axis=0)).any():
            line = int(np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0))[0])
            faults.append(
                f"{side}: line {line} is open (NaN) at some times only; an end is open or driven for the whole run"
            )
        values[side], open_ends[side] = full, missing.any(axis=0)
    if faults:
        raise ParameterError("drive of an array", faults)
    return Sides(values, open_ends)


def check_short(wires: Wires, sides: Sides) -> None:
    """Raise where ideal sources of different voltages meet on one ideal line."""
    faults = []
    for kind, segment, first, last, names in (
        ("word", wires.word_segment, wires.left, wires.right, ("left", "right")),
        ("bit", wires.bit_segment, wires.top, wires.bottom, ("top", "bottom")),
    ):
        if segment == first == last == 0.0:
            gap = np.nan_to_num(np.abs(sides.values[names[0]] - sides.values[names[1]])).max(axis=0)
            faults += [
                f"{kind} line {k}: its two ideal sources differ by {gap[k]:.6g} V on a wire of 0 ohm; "
                f"give the {kind} segments or a source a resistance, or leave one end open"
                for k in np.flatnonzero(gap > 0.0)
            ]
    if faults:
        raise ParameterError("drive of an array", faults)


def require_converged(reached: float, tolerance: float, iterations: int, what: str) -> None:
    """Raise unless a network solve has reached its tolerance."""
    if math.isnan(reached):
        raise SimulationError("not finite", f"{what}: the network is not positive definite, or a current is not finite")
    if reached > tolerance:
        raise SimulationError(
            "convergence",
            f"{what}: residual reduced to {reached:.3g} in {iterations} iterations, asked for {tolerance:.3g}; "
            "loosen the tolerance or raise max_iterations",
        )
