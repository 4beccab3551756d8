"""The solver options that each engine of a circuit takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...compact.network_reference import ReferenceOptions
from ..engines import vacask_options
from ..ngspice import SolverOptions


@dataclass(frozen=True, kw_only=True)
class ArrayOptions:
    """Settings of the array solver.

    Attributes
    ----------
    reltol : float
        Error of one step as a part of each state's scale (or of the state, where that is greater).
    max_steps : int
        Limit of attempted steps.
    """

    reltol: float = 5e-5
    max_steps: int = 1_000_000


@dataclass(frozen=True, kw_only=True)
class EquationOptions:
    """Tolerances with which one device's equations are integrated.

    Attributes
    ----------
    reltol, abstol : float
        For the states in their natural scale.
    """

    reltol: float = 1e-5
    abstol: float = 1e-9


_KINDS: dict[str, Callable[[], type[Any]]] = {
    "ngspice": lambda: SolverOptions,
    "ngspice-osdi": lambda: SolverOptions,
    "vacask": vacask_options,
    "reference": lambda: ReferenceOptions,
    "array": lambda: ArrayOptions,
    "equations": lambda: EquationOptions,
}


def kind_of(engine: str) -> type[Any]:
    """Return the class of an engine's options."""
    return _KINDS[engine]()
