"""The record of a crossbar of devices: what lies at every crossing, and the wires around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ...compact.constants import ROOM_TEMPERATURE
from ...compact.equations import Equations
from ...compact.errors import ParameterError, nearest
from ...compact.model import FROZEN, Model
from .cells import CellModel, series
from .device_cells import cell_parameters, device_cell
from .kernels import FloatArray
from .network import Wires

MIDDLE_CAPACITANCE = 1e-15
"""Capacitance [F] of the node between selector and memory in a netlist: small beside the time constants of the cells."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One device at every crossing.

    Attributes
    ----------
    model : Model
        Two-terminal; its first write terminal lies towards the word line.
    values : mapping of name to float
        What all crossings share; the defaults stand for missing values.
    maps : mapping of name to (rows, cols) array
        Values of parameters, or initial states, that differ from crossing to crossing.
    """

    model: Model
    values: Mapping[str, float]
    maps: Mapping[str, FloatArray] = field(default_factory=dict)

    def parameters(self, shape: tuple[int, int]) -> FloatArray:
        """Return every crossing's parameters in the model's order, (rows, cols, n_params), checked."""
        names = [p.name for p in self.model.parameters]
        faults = [f"no parameter '{n}' of {self.model.name}{nearest(n, names)}" for n in self.maps if n not in names]
        faults += [
            f"the map of '{n}' has shape {np.shape(m)}; the array is {shape[0]} x {shape[1]}"
            for n, m in self.maps.items()
            if np.shape(m) != shape
        ]
        if not faults:
            table = np.tile(cell_parameters(self.model, self.values), (*shape, 1))
            for name, values in self.maps.items():
                parameter = self.model.parameter(name)
                for extreme in (float(np.min(values)), float(np.max(values))):
                    if (fault := parameter.fault(extreme)) is not None:
                        faults.append(fault)
                table[:, :, names.index(name)] = values
        if faults:
            raise ParameterError(f"crossbar of '{self.model.name}'", faults)
        return table

    def initial_states(self, shape: tuple[int, int]) -> FloatArray:
        """Return every crossing's initial states, (rows, cols, n_states)."""
        table = self.parameters(shape)
        names = [p.name for p in self.model.parameters]
        return table[:, :, [names.index(s.initial_parameter.name) for s in self.model.states]]

    def with_states(self, states: FloatArray) -> Layer:
        """Return the layer with other initial states, (rows, cols, n_states), an integrator's overshoot cut off."""
        starts = {
            s.initial_parameter.name: np.clip(states[:, :, k], s.lower, s.upper)
            for k, s in enumerate(self.model.states)
        }
        return Layer(model=self.model, values=self.values, maps={**self.maps, **starts})

    def conductances(self, voltage: float, shape: tuple[int, int], temperature: float) -> FloatArray:
        """Return current over voltage of each device [S] at a read voltage [V] and its initial states, (rows, cols)."""
        model, table = self.model, self.parameters(shape)
        plus = model.write[0]
        equations = Equations(model, np.moveaxis(table, 2, 0), temperature)
        current = equations.current(plus, {plus: voltage}, np.moveaxis(self.initial_states(shape), 2, 0))
        return np.ascontiguousarray(np.broadcast_to(current / voltage, shape), dtype=np.float64)

    def spread(self, sigma: float, unit: str, shape: tuple[int, int], generator: np.random.Generator) -> Layer:
        """Return the layer with a lognormal factor at each crossing on every model parameter of a unit, common to these."""
        factor, table = np.exp(sigma * generator.standard_normal(shape)), self.parameters(shape)
        places = {p.name: k for k, p in enumerate(self.model.parameters)}
        names = [p.name for p in self.model.model_parameters if p.unit == unit and table[:, :, places[p.name]].any()]
        return replace(self, maps={**self.maps, **{n: table[:, :, places[n]] * factor for n in names}})

    def at(self, row: int, col: int) -> Layer:
        """Return the layer of one crossing."""
        return replace(self, maps={n: np.asarray(m)[row : row + 1, col : col + 1] for n, m in self.maps.items()})


@dataclass(frozen=True, kw_only=True)
class Crossbar:
    """A wired array: a memory at each crossing, with or without a selector between it and the word line.

    Attributes
    ----------
    rows, cols : int
    memory : Layer
    selector : Layer or None
        In series with the memory, on the word line's side (1S1R).
    wires : Wires
    temperature : float
        Ambient temperature [K].
    frozen : bool
        Hold all states at their initial values.
    """

    rows: int
    cols: int
    memory: Layer
    selector: Layer | None = None
    wires: Wires = field(default_factory=Wires)
    temperature: float = ROOM_TEMPERATURE
    frozen: bool = False

    def __post_init__(self) -> None:
        if self.rows < 1 or self.cols < 1:
            raise ParameterError("crossbar", [f"{self.rows} x {self.cols} cells; at least 1 x 1 are needed"])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    @property
    def layers(self) -> tuple[Layer, ...]:
        """From the word line to the bit line."""
        return (self.memory,) if self.selector is None else (self.selector, self.memory)

    @property
    def cell(self) -> CellModel:
        """What the array solver is given for a crossing."""
        cells = [device_cell(layer.model) for layer in self.layers]
        return cells[0] if len(cells) == 1 else series(cells[0], cells[1], name=f"{cells[0].name} + {cells[1].name}")

    def parameters(self) -> FloatArray:
        """Return every cell's parameters, selector first, (rows, cols, n_params)."""
        tables = []
        for layer in self.layers:
            table = layer.parameters(self.shape)
            if self.frozen:
                table[:, :, [p.name for p in layer.model.parameters].index(FROZEN.name)] = 1.0
            tables.append(table)
        return np.concatenate(tables, axis=2)

    def initial_states(self) -> FloatArray:
        """Return every cell's initial states, selector first, (rows, cols, n_states)."""
        return np.concatenate([layer.initial_states(self.shape) for layer in self.layers], axis=2)

    def memory_states(self, states: FloatArray) -> FloatArray:
        """Return the memory's part of states (..., n_states) of the cells."""
        return states[..., states.shape[-1] - len(self.memory.model.states) :]
