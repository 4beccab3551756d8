"""What a dynamic array asks of a cell, and two cells in series as one.

A cell is three compiled functions of its voltage ``v`` [V], states ``x`` (n_states,), parameters ``p`` (n_params,) and temperature
``T`` [K]: its current, the rates of its states, and the Jacobian of both, (1 + n_states) square, rows (current, rates), columns
(v, states). At fixed states the current must not fall with the voltage.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from numba import njit

from ...compact.compiled import load_compiled
from ...compact.errors import ParameterError
from . import cell_templates
from .kernels import FloatArray

Current = Callable[[float, FloatArray, FloatArray, float], float]
Rates = Callable[[float, FloatArray, FloatArray, float, FloatArray], None]
Both = Callable[[float, FloatArray, FloatArray, float, FloatArray], float]
Jacobian = Callable[[float, FloatArray, FloatArray, float, FloatArray], None]
Evaluate = Callable[[FloatArray, FloatArray, FloatArray, float, FloatArray, FloatArray], None]
Linearise = Callable[[FloatArray, FloatArray, FloatArray, float, FloatArray], None]

_F = TypeVar("_F", bound=Callable[..., object])
_HEAD = "import numpy as np\n"


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
    key : str
        Says which equations these are, so that what is compiled from them may be kept on disk; empty where nothing may.
    """

    name: str
    n_params: int
    scales: tuple[float, ...]
    current: Current = field(repr=False)
    rates: Rates = field(repr=False)
    jacobian: Jacobian = field(repr=False)
    both: Both | None = field(default=None, repr=False)
    key: str = ""

    def __post_init__(self) -> None:
        faults = [
            f"scale {scale!r} of state {k}; a scale is positive"
            for k, scale in enumerate(self.scales)
            if not scale > 0.0
        ]
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
    given: dict[str, Any] = {"cell_jacobian": cell.jacobian}
    if cell.both is None:
        text = _text(cell_templates.IN_TURN)
        given |= {"cell_current": cell.current, "cell_rates": cell.rates}
    else:
        text = _text(cell_templates.LOOPS)
        given |= {"cell_both": cell.both}
    module = load_compiled("cell_loops", text, ("evaluate", "linearise"), given, key=cell.key or None)
    return module.evaluate, module.linearise


@functools.lru_cache(maxsize=64)
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
    given = {
        "i1": first.current, "f1": first.rates, "j1": first.jacobian, "n1": first.n_states, "m1": first.n_params,
        "i2": second.current, "f2": second.rates, "j2": second.jacobian, "n2": second.n_states,
        "INNER_LIMIT": cell_templates.INNER_LIMIT, "INNER_TOLERANCE": cell_templates.INNER_TOLERANCE,
    }  # fmt: skip
    text = _text(cell_templates.SERIES)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]  # loops on disk belong to this text
    key = f"{first.key}+{second.key}+{digest}" if first.key and second.key else ""
    module = load_compiled("series_cell", text, (), given, key=key or None)
    return CellModel(
        name=name,
        n_params=first.n_params + second.n_params,
        scales=first.scales + second.scales,
        current=module.current,
        rates=module.rates,
        jacobian=module.jacobian,
        both=module.both,
        key=key,
    )


def as_cell(name: str, n_params: int, scales: tuple[float, ...], functions: tuple[Any, Any, Any]) -> CellModel:
    """Build a cell from plain Python functions (current, rates, jacobian), compiling them."""
    current, rates, jacobian = (_compile(function) for function in functions)
    return CellModel(name=name, n_params=n_params, scales=scales, current=current, rates=rates, jacobian=jacobian)


def _compile(function: _F) -> _F:
    return cast(_F, njit(function))


def _text(functions: tuple[Callable[..., Any], ...]) -> str:
    """Return functions as the text of a module, their annotations left unevaluated."""
    sources = (inspect.getsource(function) for function in functions)
    return "\n\n".join(["from __future__ import annotations", _HEAD, *sources])
