"""A device's equations at given potentials, states and temperature: what flows into a terminal, what it stores, how states move.

Whoever needs these at a point of a device takes them from here, and says the temperature. Generated code (cells, the batch
engine) and the check of compiled modules, which has to stand by itself, sum the branches on their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import UnknownNameError
from .model import Branch, Model
from .python_code import PythonFunctions, compile_python

Potentials = Mapping[str, Any]
"""Terminals that are not at 0 V: their potentials [V], numbers or arrays."""

Row = Sequence[Any] | np.ndarray
"""One entry for each state or parameter, in the model's order: numbers or arrays."""


_Point = tuple[list[Any], Row, Row, Any]


@dataclass(frozen=True)
class Equations:
    """The equations with parameters and an ambient temperature.

    Potentials, states, parameters and temperature may be numbers or arrays; currents, charges and capacitances have their common
    shape, whether or not they depend on them. A terminal that the model does not have is an `UnknownNameError`.

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
        point = self._point(potentials, states)
        return self._into(terminal, self.model.currents, self._functions.currents(*point), point)

    def charge(self, terminal: str, potentials: Potentials, states: Row) -> np.ndarray:
        """Return the charge on a terminal [C]."""
        point = self._point(potentials, states)
        return self._into(terminal, self.model.charges, self._functions.charges(*point), point)

    def capacitance(self, terminal: str, potentials: Potentials, states: Row) -> np.ndarray:
        """Return by how much a terminal's charge grows with its own potential [F]."""
        point = self._point(potentials, states)
        rows = self._functions.charges_jacobian(*point)
        moves = self._voltages({terminal: 1.0})
        slopes = [sum(move * slope for move, slope in zip(moves, row, strict=False)) for row in rows]
        return self._into(terminal, self.model.charges, slopes, point)

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
        for terminal in potentials:
            self._known(terminal)
        return [potentials.get(v.plus, 0.0) - potentials.get(v.minus, 0.0) for v in self.model.voltages]

    def _known(self, terminal: str) -> None:
        if terminal not in self.model.terminals:
            raise UnknownNameError(f"terminal of {self.model.name}", terminal, self.model.terminals)

    def _point(self, potentials: Potentials, states: Row) -> _Point:
        return self._voltages(potentials), states, self.parameters, self.temperature

    def _into(self, terminal: str, branches: Sequence[Branch], values: Sequence[Any], point: _Point) -> np.ndarray:
        self._known(terminal)
        voltages, states, parameters, temperature = point
        shape = np.broadcast_shapes(*(np.shape(x) for x in (*voltages, *states, *parameters, temperature)))
        signs = [float(b.plus == terminal) - float(b.minus == terminal) for b in branches]
        return np.asarray(sum((s * v for s, v in zip(signs, values, strict=True) if s), start=np.zeros(shape)))
