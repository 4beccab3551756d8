"""Compiled parts of cells, as text that is compiled anew for each cell: the loops over an array, and two cells in series.

The names at the top stand for what :mod:`.cells` gives: the functions and sizes of the cells at hand. Text, and not closures,
because numba keeps on disk only what is compiled from a file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .kernels import FloatArray

cell_current: Callable[[float, FloatArray, FloatArray, float], float]
cell_rates: Callable[[float, FloatArray, FloatArray, float, FloatArray], None]
cell_jacobian: Callable[[float, FloatArray, FloatArray, float, FloatArray], None]

i1: Callable[[float, FloatArray, FloatArray, float], float]
f1: Callable[[float, FloatArray, FloatArray, float, FloatArray], None]
j1: Callable[[float, FloatArray, FloatArray, float, FloatArray], None]
i2: Callable[[float, FloatArray, FloatArray, float], float]
f2: Callable[[float, FloatArray, FloatArray, float, FloatArray], None]
j2: Callable[[float, FloatArray, FloatArray, float, FloatArray], None]
n1: int
m1: int
n2: int

INNER_LIMIT = 80
"""Steps of the local Newton of a series cell: bisection takes over outside the bracket, so the limit is only a guard."""

INNER_TOLERANCE = 1e-8
"""Of the middle node, as a part of the cell's voltage."""


def cell_both(v: float, x: FloatArray, p: FloatArray, T: float, out: FloatArray) -> float:
    """Fill the rates and return the current, where the two share no work.

    It has to be in the cell's own text: numba joins compiled functions by module and name, so that one of a fixed module, kept
    on disk for two cells by two processes, would stand for either in a third.
    """
    cell_rates(v, x, p, T, out)
    return cell_current(v, x, p, T)


def evaluate(v: FloatArray, x: FloatArray, p: FloatArray, T: float, i: FloatArray, f: FloatArray) -> None:
    """Fill the currents (rows, cols) and the rates (rows, cols, n_states) of every cell."""
    rows, cols = v.shape
    for r in range(rows):
        for c in range(cols):
            i[r, c] = cell_both(v[r, c], x[r, c], p[r, c], T, f[r, c])


def linearise(v: FloatArray, x: FloatArray, p: FloatArray, T: float, jac: FloatArray) -> None:
    """Fill the Jacobian of every cell, (rows, cols, 1 + n_states, 1 + n_states)."""
    rows, cols = v.shape
    for r in range(rows):
        for c in range(cols):
            cell_jacobian(v[r, c], x[r, c], p[r, c], T, jac[r, c])


def divide(v: float, x: FloatArray, p: FloatArray, T: float, a: FloatArray, b: FloatArray) -> float:
    """Return the first element's voltage, and leave both elements' Jacobians in a and b."""
    low, high = min(0.0, v), max(0.0, v)
    if low == high:
        j1(0.0, x[:n1], p[:m1], T, a)
        j2(0.0, x[n1:], p[m1:], T, b)
        return 0.0
    # The currents of the whole voltage on each give the first guess: exact for two linear elements.
    whole1, whole2 = abs(i1(v, x[:n1], p[:m1], T)), abs(i2(v, x[n1:], p[m1:], T))
    total = whole1 + whole2
    drop = v * whole2 / total if total > 0.0 else 0.5 * v
    for _ in range(INNER_LIMIT):
        j1(drop, x[:n1], p[:m1], T, a)
        j2(v - drop, x[n1:], p[m1:], T, b)
        excess = i1(drop, x[:n1], p[:m1], T) - i2(v - drop, x[n1:], p[m1:], T)
        if excess > 0.0:
            high = drop
        else:
            low = drop
        slope = a[0, 0] + b[0, 0]
        change = -excess / slope if slope > 0.0 else np.inf
        if abs(change) <= INNER_TOLERANCE * abs(v) or high - low <= INNER_TOLERANCE * abs(v):
            # Newton's error falls as the square, so this last change leaves less than rounding.
            return drop + (change if low <= drop + change <= high else 0.0)
        drop = drop + change if low < drop + change < high else 0.5 * (low + high)
    return drop


def both(v: float, x: FloatArray, p: FloatArray, T: float, out: FloatArray) -> float:
    """Fill the rates of both elements and return the current."""
    a, b = np.empty((1 + n1, 1 + n1)), np.empty((1 + n2, 1 + n2))
    drop = divide(v, x, p, T, a, b)
    f1(drop, x[:n1], p[:m1], T, out[:n1])
    f2(v - drop, x[n1:], p[m1:], T, out[n1:])
    # The less conductive element carries the current with fewer lost digits.
    if a[0, 0] <= b[0, 0]:
        return i1(drop, x[:n1], p[:m1], T)
    return i2(v - drop, x[n1:], p[m1:], T)


def current(v: float, x: FloatArray, p: FloatArray, T: float) -> float:
    """Return the current."""
    return both(v, x, p, T, np.empty(n1 + n2))


def rates(v: float, x: FloatArray, p: FloatArray, T: float, out: FloatArray) -> None:
    """Fill the rates of both elements."""
    both(v, x, p, T, out)


def jacobian(v: float, x: FloatArray, p: FloatArray, T: float, jac: FloatArray) -> None:
    """Fill the Jacobian by the implicit function theorem."""
    a, b = np.empty((1 + n1, 1 + n1)), np.empty((1 + n2, 1 + n2))
    divide(v, x, p, T, a, b)
    total = a[0, 0] + b[0, 0]
    share = 1.0 / total if total > 0.0 else 0.0
    size = 1 + n1 + n2
    for k in range(size):
        # Derivative of the first element's voltage with respect to v, its own states, the second one's states.
        if k == 0:
            moved = b[0, 0] * share
        elif k <= n1:
            moved = -a[0, k] * share
        else:
            moved = b[0, k - n1] * share
        across = (1.0 if k == 0 else 0.0) - moved
        jac[0, k] = a[0, 0] * moved + (a[0, k] if 0 < k <= n1 else 0.0)
        for m in range(1, 1 + n1):
            jac[m, k] = a[m, 0] * moved + (a[m, k] if 0 < k <= n1 else 0.0)
        for m in range(1, 1 + n2):
            jac[n1 + m, k] = b[m, 0] * across + (b[m, k - n1] if k > n1 else 0.0)


LOOPS: tuple[Callable[..., Any], ...] = (evaluate, linearise)
IN_TURN: tuple[Callable[..., Any], ...] = (cell_both, *LOOPS)
SERIES: tuple[Callable[..., Any], ...] = (divide, both, current, rates, jacobian)
