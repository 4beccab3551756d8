"""A device's equations at given potentials, states and temperature: what flows into a terminal, what it stores, how states move.

The only place where the currents of branches are summed at a terminal in Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .model import Branch, Model
from .python_code import PythonFunctions, compile_python

Potentials = Mapping[str, Any]
"""Terminals that are not at 0 V: their potentials [V], numbers or arrays."""

Row = Sequence[Any] | np.ndarray
"""One entry for each state or parameter, in the model's order: numbers or arrays."""


@dataclass(frozen=True)
class Equations:
    """The equations with parameters and an ambient temperature.

    Potentials, states and parameters may be numbers or arrays; what is returned has their common shape.

    Attributes
    ----------
    model : Model
    parameters : sequence or ndarray
        In the model's order, complete; :meth:`of` takes and checks values by name.
    temperature : float or ndarray
        Ambient [K].
    """

    model: Model
    parameters: Row
    temperature: Any

    @classmethod
    def of(cls, model: Model, values: Mapping[str, float], temperature: float) -> Equations:
        """Return the equations with values by name; the defaults stand for missing ones.

        Raises
        ------
        ParameterError
            A value is unknown or out of range.
        """
        return cls(model, list(model.values(values).values()), temperature)

    def current(self, terminal: str, potentials: Potentials, states: Row) -> np.ndarray:
        """Return the conduction current into a terminal [A]."""
        return self._into(terminal, self.model.currents, self._functions.currents(*self._point(potentials, states)))

    def charge(self, terminal: str, potentials: Potentials, states: Row) -> np.ndarray:
        """Return the charge on a terminal [C]."""
        return self._into(terminal, self.model.charges, self._functions.charges(*self._point(potentials, states)))

    def capacitance(self, terminal: str, potentials: Potentials, states: Row) -> np.ndarray:
        """Return by how much a terminal's charge grows with its own potential [F]."""
        rows = self._functions.charges_jacobian(*self._point(potentials, states))
        moves = self._voltages({terminal: 1.0})
        slopes = [sum(move * slope for move, slope in zip(moves, row, strict=False)) for row in rows]
        return self._into(terminal, self.model.charges, slopes)

    def rates(self, potentials: Potentials, states: Row) -> tuple[Any, ...]:
        """Return how fast each state moves, in its unit per second."""
        return self._functions.rates(*self._point(potentials, states))

    def observables(self, potentials: Potentials, states: Row) -> dict[str, Any]:
        """Return the observables by name, each in its unit."""
        found = self._functions.observables(*self._point(potentials, states))
        return {o.name: value for o, value in zip(self.model.observables, found, strict=True)}

    def stores_charge(self, states: Row) -> bool:
        """Return whether a charge changes with a voltage, or with a state."""
        point = ([0.1] * len(self.model.voltages), states, self.parameters, self.temperature)
        return any(np.any(np.asarray(entry) != 0) for row in self._functions.charges_jacobian(*point) for entry in row)

    @property
    def _functions(self) -> PythonFunctions:
        return compile_python(self.model)

    def _voltages(self, potentials: Potentials) -> list[Any]:
        return [potentials.get(v.plus, 0.0) - potentials.get(v.minus, 0.0) for v in self.model.voltages]

    def _point(self, potentials: Potentials, states: Row) -> tuple[Any, ...]:
        return self._voltages(potentials), states, self.parameters, self.temperature

    def _into(self, terminal: str, branches: Sequence[Branch], values: Sequence[Any]) -> np.ndarray:
        signs = [float(b.plus == terminal) - float(b.minus == terminal) for b in branches]
        return np.asarray(sum((s * v for s, v in zip(signs, values, strict=True) if s), start=np.zeros(())))
