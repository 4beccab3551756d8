"""What the crossbar circuits share: size, wires, spread, biasing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, cast

import numpy as np

from ...compact.constants import ROOM_TEMPERATURE
from ...compact.errors import ParameterError
from ..arrays.cell_map import CellMap, with_cells, with_conductances
from ..arrays.crossbar import Crossbar, Layer
from ..arrays.linear_read import Scheme, bias
from ..arrays.network import Drive, Wires
from ..settings import choice, setting
from .array_engines import OPTIONS, cost_text
from .base import CircuitExperiment, Device

SCHEMES = ("V/2", "V/3", "float", "grounded")

BAND = (0.0, 1.0)
"""States of the memory that count as off and on: the first state is the weight."""


@dataclass(frozen=True, kw_only=True)
class CrossbarExperiment(CircuitExperiment):
    """A wired array of one card, with a selector in each cell where a second card is given.

    ``cells`` are those that differ: by a card of the same device, parameters, initial states or a conductance at ``v_read``.
    Spread comes on top of them.
    """

    engines: ClassVar[tuple[str, ...]] = ("ngspice", "array", "vacask", "reference")
    card: ClassVar[str] = "taox"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = OPTIONS

    rows: int = setting(8, "1", "word lines", at_least=1)
    cols: int = setting(8, "1", "bit lines", at_least=1)
    word_resistance: float = setting(2.0, "ohm", "of a word line's segment", at_least=0)
    bit_resistance: float = setting(2.0, "ohm", "of a bit line's segment", at_least=0)
    driver_resistance: float = setting(100.0, "ohm", "of a word line's driver", at_least=0)
    sense_resistance: float = setting(100.0, "ohm", "at the end of a bit line", at_least=0)
    scheme: str = choice("V/2", SCHEMES, "what the lines do that are not selected")
    spread: float = setting(0.0, "1", "lognormal sigma of the memories' conductances", at_least=0)
    selector_spread: float = setting(0.0, "1", "lognormal sigma of the selectors' voltages", at_least=0)
    state_off: float = setting(0.0, "1", "state of a memory that is off")
    state_on: float = setting(1.0, "1", "state of a memory that is on")
    seed: int = setting(1, "1", "of the random numbers", at_least=0)
    temperature: float = setting(ROOM_TEMPERATURE, "K", "ambient temperature", above=0)
    v_read: float = setting(0.1, "V", "read voltage without a selector", above=0)
    cells: CellMap = field(default_factory=dict)

    @property
    def wires(self) -> Wires:
        """The wires; word lines are driven at the left, bit lines read at the bottom."""
        return Wires(
            word_segment=float(self.word_resistance),
            bit_segment=float(self.bit_resistance),
            left=float(self.driver_resistance),
            bottom=float(self.sense_resistance),
        )

    def crossbar(
        self,
        synapse: Device,
        selector: Device | None,
        weights: np.ndarray,
        *,
        frozen: bool = False,
        programmed: bool = True,
    ) -> Crossbar:
        """Return the array with each memory at a weight from 0 (off) to 1 (on), (rows, cols).

        Where ``programmed``, the weights or conductances of :attr:`cells` go before these.
        """
        model = synapse.model
        if not model.states:
            raise ParameterError(f"circuit '{self.name}'", [f"{model.name} has no state to store a weight in"])
        start = model.states[0].initial_parameter.name
        shape, generator = (self.rows, self.cols), np.random.default_rng([self.seed, 1])
        states = self.state_off + (self.state_on - self.state_off) * weights
        memory = Layer(model=model, values=synapse.values, maps={start: np.broadcast_to(states, shape).copy()})
        memory = with_cells(memory, self.cells, shape, programmed=programmed)
        if programmed:
            memory = with_conductances(memory, self.cells, shape, self.v_read, self.temperature)
        if self.spread > 0:
            memory = memory.spread(self.spread, "S", shape, generator)
        layer = None if selector is None else Layer(model=selector.model, values=selector.values)
        if layer is not None and self.selector_spread > 0:
            layer = layer.spread(self.selector_spread, "V", shape, generator)
        return Crossbar(
            rows=self.rows,
            cols=self.cols,
            memory=memory,
            selector=layer,
            wires=self.wires,
            temperature=self.temperature,
            frozen=frozen,
        )

    def select(self, shape: np.ndarray, row: int, col: int, voltage: float) -> Drive:
        """Return the drive of one cell, times a waveform (n_times,) of unit height."""
        lines = bias(cast(Scheme, self.scheme), (self.rows, self.cols), row=row, col=col, voltage=voltage)
        return Drive(left=shape[:, None] * np.asarray(lines.left), bottom=shape[:, None] * np.asarray(lines.bottom))

    def record(self) -> dict[str, Any]:
        own = [{"row": r, "column": c, **asdict(cell)} for (r, c), cell in self.cells.items()]
        return {**super().record(), "cells": own}

    def estimate(self, engine: str) -> str:
        return cost_text(engine, self.rows * self.cols, transient=True)


def pulse_corners(width: float, edge: float, gap: float, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return times [s] and heights of pulses, each after half a gap and followed by half a gap."""
    time, value = [0.0], [0.0]
    for k, sign in enumerate(signs):
        start = k * (gap + width + 2 * edge) + gap / 2
        time += [start, start + edge, start + edge + width, start + 2 * edge + width]
        value += [0.0, float(sign), float(sign), 0.0]
    return np.array([*time, time[-1] + gap / 2]), np.array([*value, 0.0])
