"""What a dynamic array asks of a cell, and two cells in series as one.

A cell is three compiled functions of its voltage ``v`` [V], states ``x`` (n_states,), parameters ``p`` (n_params,) and temperature
``T`` [K]: its current, the rates of its states, and the Jacobian of both, (1 + n_states) square, rows (current, rates), columns
(v, states). At fixed states the current must not fall with the voltage.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from ...compact.errors import ParameterError
from .kernels import FloatArray

Current = Callable[[float, FloatArray, FloatArray, float], float]
Rates = Callable[[float, FloatArray, FloatArray, float, FloatArray], None]
Both = Callable[[float, FloatArray, FloatArray, float, FloatArray], float]
Jacobian = Callable[[float, FloatArray, FloatArray, float, FloatArray], None]
Evaluate = Callable[[FloatArray, FloatArray, FloatArray, float, FloatArray, FloatArray], None]
Linearise = Callable[[FloatArray, FloatArray, FloatArray, float, FloatArray], None]

# Local Newton of a series cell: bisection takes over outside the bracket, so the limit is only a guard.
_INNER_LIMIT = 80
_INNER_TOLERANCE = 1e-8

_F = TypeVar("_F", bound=Callable[..., object])


def _compile(function: _F) -> _F:
    """Compile without the disk cache, which cannot tell closures over different cells apart."""
    return cast(_F, njit(function))


@dataclass(frozen=True, kw_only=True, slots=True)
class CellModel:
    """A dynamic cell.

    Attributes
    ----------
    name : str
        For messages.
    n_params : int
        Number of parameters.
    scales : tuple of float
        Natural scale of each state, in its unit; errors are measured against it.
    current, rates, jacobian
        ``numba.njit`` functions, see the module.
    both : optional
        ``numba.njit`` function with the arguments of ``rates``, which also returns the current: for cells where the two share work.
    """

    name: str
    n_params: int
    scales: tuple[float, ...]
    current: Current = field(repr=False)
    rates: Rates = field(repr=False)
    jacobian: Jacobian = field(repr=False)
    both: Both | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        faults = [f"scale {scale!r} of state {k}; a scale is positive" for k, scale in enumerate(self.scales) if not scale > 0.0]
        if self.n_params < 0:
            faults.append(f"n_params = {self.n_params}; it is at least 0")
        if faults:
            raise ParameterError(f"cell '{self.name}'", faults)

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.scales)


@functools.lru_cache(maxsize=64)
def array_kernels(cell: CellModel) -> tuple[Evaluate, Linearise]:
    """Compile the loops of a cell over an array, once a cell and process.

    Returns
    -------
    evaluate : function
        ``(v, x, p, T, i, f)``: fills currents (rows, cols) [A] and rates (rows, cols, n_states).
    linearise : function
        ``(v, x, p, T, jac)``: fills Jacobians (rows, cols, 1 + n_states, 1 + n_states).
    """
    current, rates, jacobian = cell.current, cell.rates, cell.jacobian

    @_compile
    def one_after_the_other(v: float, x: FloatArray, p: FloatArray, T: float, out: FloatArray) -> float:
        rates(v, x, p, T, out)
        return current(v, x, p, T)

    both = one_after_the_other if cell.both is None else cell.both

    @_compile
    def evaluate(v: FloatArray, x: FloatArray, p: FloatArray, T: float, i: FloatArray, f: FloatArray) -> None:
        rows, cols = v.shape
        for r in range(rows):
            for c in range(cols):
                i[r, c] = both(v[r, c], x[r, c], p[r, c], T, f[r, c])

    @_compile
    def linearise(v: FloatArray, x: FloatArray, p: FloatArray, T: float, jac: FloatArray) -> None:
        rows, cols = v.shape
        for r in range(rows):
            for c in range(cols):
                jacobian(v[r, c], x[r, c], p[r, c], T, jac[r, c])

    return evaluate, linearise


def series(first: CellModel, second: CellModel, *, name: str) -> CellModel:
    """Join two cells in series, such as a selector and a memory (1S1R); the node between them is solved inside the cell.

    States and parameters are those of ``first``, then those of ``second``. The middle node is found by Newton's method kept in a
    bracket by bisection (both currents rise with the voltage), the Jacobian by the implicit function theorem.

    Parameters
    ----------
    first, second : CellModel
        From the word line to the bit line.
    name : str
        For messages.
    """
    n1, n2 = first.n_states, second.n_states
    m1 = first.n_params
    i1, f1, j1 = first.current, first.rates, first.jacobian
    i2, f2, j2 = second.current, second.rates, second.jacobian

    @_compile
    def divide(v: float, x: FloatArray, p: FloatArray, T: float, a: FloatArray, b: FloatArray) -> float:
        low, high = min(0.0, v), max(0.0, v)
        if low == high:
            j1(0.0, x[:n1], p[:m1], T, a)
            j2(0.0, x[n1:], p[m1:], T, b)
            return 0.0
        # The currents of the whole voltage on each give the first guess: exact for two linear elements.
        whole1, whole2 = abs(i1(v, x[:n1], p[:m1], T)), abs(i2(v, x[n1:], p[m1:], T))
        total = whole1 + whole2
        drop = v * whole2 / total if total > 0.0 else 0.5 * v
        for _ in range(_INNER_LIMIT):
            j1(drop, x[:n1], p[:m1], T, a)
            j2(v - drop, x[n1:], p[m1:], T, b)
            excess = i1(drop, x[:n1], p[:m1], T) - i2(v - drop, x[n1:], p[m1:], T)
            if excess > 0.0:
                high = drop
            else:
                low = drop
            slope = a[0, 0] + b[0, 0]
            change = -excess / slope if slope > 0.0 else np.inf
            if abs(change) <= _INNER_TOLERANCE * abs(v) or high - low <= _INNER_TOLERANCE * abs(v):
                # Newton's error falls as the square, so this last change leaves less than rounding.
                return drop + (change if low <= drop + change <= high else 0.0)
            drop = drop + change if low < drop + change < high else 0.5 * (low + high)
        return drop

    @_compile
    def both(v: float, x: FloatArray, p: FloatArray, T: float, out: FloatArray) -> float:
        a, b = np.empty((1 + n1, 1 + n1)), np.empty((1 + n2, 1 + n2))
        drop = divide(v, x, p, T, a, b)
        f1(drop, x[:n1], p[:m1], T, out[:n1])
        f2(v - drop, x[n1:], p[m1:], T, out[n1:])
        # The less conductive element carries the current with fewer lost digits.
        if a[0, 0] <= b[0, 0]:
            return i1(drop, x[:n1], p[:m1], T)
        return i2(v - drop, x[n1:], p[m1:], T)

    @_compile
    def current(v: float, x: FloatArray, p: FloatArray, T: float) -> float:
        return both(v, x, p, T, np.empty(n1 + n2))

    @_compile
    def rates(v: float, x: FloatArray, p: FloatArray, T: float, out: FloatArray) -> None:
        both(v, x, p, T, out)

    @_compile
    def jacobian(v: float, x: FloatArray, p: FloatArray, T: float, jac: FloatArray) -> None:
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

    return CellModel(
        name=name,
        n_params=m1 + second.n_params,
        scales=first.scales + second.scales,
        current=current,
        rates=rates,
        jacobian=jacobian,
        both=both,
    )


def as_cell(name: str, n_params: int, scales: tuple[float, ...], functions: tuple[Any, Any, Any]) -> CellModel:
    """Build a cell from plain Python functions (current, rates, jacobian), compiling them."""
    current, rates, jacobian = (_compile(function) for function in functions)
    return CellModel(name=name, n_params=n_params, scales=scales, current=current, rates=rates, jacobian=jacobian)
