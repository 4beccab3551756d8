"""Compiled kernels of the wired-array solver: line factors, line solves, conjugate gradients, Kirchhoff sums.

An array has ``rows`` word lines (index ``i``) and ``cols`` bit lines (index ``j``). A *resistive* line is a chain of nodes, one a
cell, joined by equal segments; an *ideal* line is one node. The two ends of a line are held to a source through a conductance
(0 where the end is open). With ``D`` the diagonal of the cells and ``K``, ``B`` the lines, node currents ``f`` give the voltages

    (K + D) u - D w = f_word        (B + D) w - D u = f_bit

Line factors follow the chain of parallel and series conductances seen from a node (the GTH form of Gaussian elimination): nothing
is ever subtracted, so a floating line of 1 Gohm cells on milliohm wires keeps full relative accuracy.

Arrays are C-contiguous float64. Where a line is ideal, the inverse pivots hold one column (row) in use: ``inverse[i, 0]`` of a word
line, ``inverse[0, j]`` of a bit line; 0 there means a line held by an ideal source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_F = TypeVar("_F", bound=Callable[..., object])


def jit(function: _F) -> _F:
    """Compile a kernel; sums may be reordered (for SIMD), infinities and NaN keep their meaning."""
    return cast(_F, njit(cache=True, fastmath={"reassoc", "contract"})(function))


@jit
def factor_words(
    cells: FloatArray,
    segment: float,
    ideal: bool,
    first: FloatArray,
    last: FloatArray,
    held: NDArray[np.bool_],
    inverse: FloatArray,
) -> bool:
    """Fill the inverse pivots of ``K + D`` for every word line.

    Parameters
    ----------
    cells : (rows, cols) array
        Cell conductances [S].
    segment : float
        Conductance of one wire segment [S]; not used where the line is ideal.
    ideal : bool
        Whether word lines are single nodes.
    first, last : (rows,) array
        Conductances that hold the left and the right end [S].
    held : (rows,) array of bool
        Lines that an ideal source holds.
    inverse : (rows, cols) array
        Output [ohm].

    Returns
    -------
    bool
        False where a pivot is not positive, so that the network is not positive definite.
    """
    rows, cols = cells.shape
    good = True
    for i in range(rows):
        to_ground = first[i]
        if ideal:
            for j in range(cols):
                to_ground += cells[i, j]
            to_ground += last[i]
            if held[i]:
                inverse[i, 0] = 0.0
            else:
                good = good and to_ground > 0.0
                inverse[i, 0] = 1.0 / to_ground if to_ground != 0.0 else 0.0
            continue
        for j in range(cols - 1):
            to_ground += cells[i, j]
            pivot = segment + to_ground
            good = good and pivot > 0.0
            inverse[i, j] = 1.0 / pivot if pivot != 0.0 else 0.0
            to_ground *= segment * inverse[i, j]
        to_ground += cells[i, cols - 1] + last[i]
        good = good and to_ground > 0.0
        inverse[i, cols - 1] = 1.0 / to_ground if to_ground != 0.0 else 0.0
    return good


@jit
def factor_bits(
    cells: FloatArray,
    segment: float,
    ideal: bool,
    first: FloatArray,
    last: FloatArray,
    held: NDArray[np.bool_],
    inverse: FloatArray,
) -> bool:
    """Fill the inverse pivots of ``B + D`` for every bit line; arguments as :func:`factor_words`, a bit line a column."""
    rows, cols = cells.shape
    good = True
    to_ground = first.copy()
    for i in range(rows):
        end = i == rows - 1
        for j in range(cols):
            to_ground[j] += cells[i, j]
            if end:
                to_ground[j] += last[j]
            if ideal:
                continue
            pivot = to_ground[j] if end else segment + to_ground[j]
            good = good and pivot > 0.0
            inverse[i, j] = 1.0 / pivot if pivot != 0.0 else 0.0
            to_ground[j] *= segment * inverse[i, j]
    if ideal:
        for j in range(cols):
            if held[j]:
                inverse[0, j] = 0.0
            else:
                good = good and to_ground[j] > 0.0
                inverse[0, j] = 1.0 / to_ground[j] if to_ground[j] != 0.0 else 0.0
    return good


@jit
def solve_word(right: FloatArray, inverse: FloatArray, segment: float, ideal: bool, out: FloatArray) -> None:
    """Solve one word line: ``right`` (cols,) [A], inverse pivots (cols,) [ohm], ``out`` (cols,) [V]."""
    cols = right.shape[0]
    if ideal:
        total = 0.0
        for j in range(cols):
            total += right[j]
        total *= inverse[0]
        for j in range(cols):
            out[j] = total
        return
    carried = right[0]
    out[0] = carried
    for j in range(1, cols):
        carried = right[j] + (segment * inverse[j - 1]) * carried
        out[j] = carried
    carried *= inverse[cols - 1]
    out[cols - 1] = carried
    for j in range(cols - 2, -1, -1):
        carried = out[j] * inverse[j] + (segment * inverse[j]) * carried
        out[j] = carried


@jit
def solve_bits(
    cells: FloatArray,
    words: FloatArray,
    right: FloatArray,
    inverse: FloatArray,
    segment: float,
    ideal: bool,
    out: FloatArray,
) -> None:
    """Solve all bit lines for given word-line voltages: ``(B + D) out = right + D words``; all arrays (rows, cols)."""
    rows, cols = cells.shape
    for j in range(cols):
        out[0, j] = right[0, j] + cells[0, j] * words[0, j]
    if ideal:
        for i in range(1, rows):
            for j in range(cols):
                out[0, j] += right[i, j] + cells[i, j] * words[i, j]
        for j in range(cols):
            out[0, j] *= inverse[0, j]
        for i in range(1, rows):
            for j in range(cols):
                out[i, j] = out[0, j]
        return
    for i in range(1, rows):
        for j in range(cols):
            out[i, j] = right[i, j] + cells[i, j] * words[i, j] + (segment * inverse[i - 1, j]) * out[i - 1, j]
    for j in range(cols):
        out[rows - 1, j] *= inverse[rows - 1, j]
    for i in range(rows - 2, -1, -1):
        for j in range(cols):
            out[i, j] = inverse[i, j] * (out[i, j] + segment * out[i + 1, j])


@jit
def conjugate_gradients(
    cells: FloatArray,
    word_inverse: FloatArray,
    word_segment: float,
    word_ideal: bool,
    word_first: FloatArray,
    word_last: FloatArray,
    bit_inverse: FloatArray,
    bit_segment: float,
    bit_ideal: bool,
    loose: IntArray,
    coarse: FloatArray,
    right: FloatArray,
    tolerance: float,
    least: float,
    limit: int,
    words: FloatArray,
    work: FloatArray,
) -> tuple[int, float]:
    """Solve ``S u = right`` on the word lines, ``S = K + D - D (B + D)^-1 D``, preconditioned by the line solves ``(K + D)^-1``.

    ``(K + D) p`` of a search direction follows from the residuals by recurrence, so the wires are never multiplied: their large
    conductances cannot cancel. Loosely held word lines add a coarse correction: one unknown a line, a dense inverse.

    Parameters
    ----------
    cells : (rows, cols) array
        Cell conductances [S].
    word_inverse, bit_inverse : (rows, cols) array
        Inverse pivots [ohm].
    word_segment, bit_segment : float
        Segment conductances [S].
    word_ideal, bit_ideal : bool
        Whether lines are single nodes.
    word_first, word_last : (rows,) array
        End conductances of the word lines [S].
    loose : (n_loose,) array of int
        Loosely held word lines.
    coarse : (n_loose, n_loose) array
        Inverse of the network with one node a line, on those word lines [ohm].
    right : (rows, cols) array
        Right-hand side [A]; holds the residual at the end.
    tolerance : float
        Stop at this reduction of the residual in the preconditioner's norm, squared a power.
    least : float
        Power from which the reduction counts when the first residual has less [W]; rounding noise must not be solved.
    limit : int
        Greatest number of iterations.
    words : (rows, cols) array
        Solution [V], overwritten.
    work : (4, rows, cols) array
        Scratch.

    Returns
    -------
    int, float
        Iterations, and the reduction reached (NaN where the operator proved not positive definite).
    """
    rows, cols = cells.shape
    n_loose = loose.shape[0]
    z = work[0]
    p = work[1]
    kp = work[2]
    w = work[3]
    lift = np.zeros(rows)
    sums = np.zeros(n_loose)
    iterations = 0
    alpha = 0.0
    rho_old = 1.0
    rho_first = 0.0
    reached = 0.0
    for i in range(rows):
        for j in range(cols):
            words[i, j] = 0.0
            p[i, j] = 0.0
            kp[i, j] = 0.0
            w[i, j] = 0.0
    while True:
        rho = 0.0
        for i in range(rows):
            for j in range(cols):
                words[i, j] += alpha * p[i, j]
                right[i, j] -= alpha * (kp[i, j] - cells[i, j] * w[i, j])
            solve_word(right[i], word_inverse[i], word_segment, word_ideal, z[i])
            for j in range(cols):
                rho += right[i, j] * z[i, j]
        for k in range(n_loose):
            total = 0.0
            for j in range(cols):
                total += right[loose[k], j]
            sums[k] = total
        for k in range(n_loose):
            total = 0.0
            for m in range(n_loose):
                total += coarse[k, m] * sums[m]
            lift[loose[k]] = total
            rho += total * sums[k]
        if iterations == 0:
            rho_first = max(rho, least)
        if not rho > 0.0 or not rho_first < np.inf:
            reached = 0.0 if rho == 0.0 else np.nan
            break
        reached = np.sqrt(rho / rho_first)
        if reached <= tolerance or iterations >= limit:
            break
        beta = rho / rho_old if iterations > 0 else 0.0
        rho_old = rho
        for i in range(rows):
            for j in range(cols):
                p[i, j] = z[i, j] + lift[i] + beta * p[i, j]
                kp[i, j] = right[i, j] + lift[i] * cells[i, j] + beta * kp[i, j]
            kp[i, 0] += lift[i] * word_first[i]
            kp[i, cols - 1] += lift[i] * word_last[i]
            if bit_ideal:
                for j in range(cols):
                    w[0, j] = cells[i, j] * p[i, j] + (w[0, j] if i > 0 else 0.0)
            elif i == 0:
                for j in range(cols):
                    w[0, j] = cells[0, j] * p[0, j]
            else:
                for j in range(cols):
                    w[i, j] = cells[i, j] * p[i, j] + (bit_segment * bit_inverse[i - 1, j]) * w[i - 1, j]
        if bit_ideal:
            for j in range(cols):
                w[0, j] *= bit_inverse[0, j]
            for i in range(1, rows):
                for j in range(cols):
                    w[i, j] = w[0, j]
        else:
            for j in range(cols):
                w[rows - 1, j] *= bit_inverse[rows - 1, j]
        curvature = 0.0
        for i in range(rows - 1, -1, -1):
            if not bit_ideal and i < rows - 1:
                for j in range(cols):
                    w[i, j] = bit_inverse[i, j] * (w[i, j] + bit_segment * w[i + 1, j])
            for j in range(cols):
                curvature += p[i, j] * (kp[i, j] - cells[i, j] * w[i, j])
        if not curvature > 0.0:
            reached = np.nan
            break
        alpha = rho / curvature
        iterations += 1
    return iterations, reached


@jit
def kirchhoff(
    words: FloatArray,
    bits: FloatArray,
    current: FloatArray,
    word_segment: float,
    word_ideal: bool,
    word_first: FloatArray,
    word_last: FloatArray,
    bit_segment: float,
    bit_ideal: bool,
    bit_first: FloatArray,
    bit_last: FloatArray,
    into_words: FloatArray,
    into_bits: FloatArray,
) -> None:
    """Sum the currents that enter each node from its line and its cell, for sources at zero.

    Parameters
    ----------
    words, bits : (rows, cols) array
        Node voltages [V].
    current : (rows, cols) array
        Cell currents, from word line to bit line [A].
    word_segment, bit_segment : float
        Segment conductances [S].
    word_ideal, bit_ideal : bool
        Whether lines are single nodes.
    word_first, word_last : (rows,) array
        End conductances [S].
    bit_first, bit_last : (cols,) array
        End conductances [S].
    into_words, into_bits : (rows, cols) array
        Output [A]; of an ideal line only the sum along the line has a meaning.
    """
    rows, cols = words.shape
    for i in range(rows):
        for j in range(cols):
            into_words[i, j] = -current[i, j]
            into_bits[i, j] = current[i, j]
    for i in range(rows):
        into_words[i, 0] -= word_first[i] * words[i, 0]
        into_words[i, cols - 1] -= word_last[i] * words[i, cols - 1]
    for j in range(cols):
        into_bits[0, j] -= bit_first[j] * bits[0, j]
        into_bits[rows - 1, j] -= bit_last[j] * bits[rows - 1, j]
    if not word_ideal:
        for i in range(rows):
            for j in range(cols - 1):
                along = word_segment * (words[i, j] - words[i, j + 1])
                into_words[i, j] -= along
                into_words[i, j + 1] += along
    if not bit_ideal:
        for i in range(rows - 1):
            for j in range(cols):
                down = bit_segment * (bits[i, j] - bits[i + 1, j])
                into_bits[i, j] -= down
                into_bits[i + 1, j] += down
