"""Writing a crossbar: pulses on one cell, and what they do to all others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...compact.errors import ParameterError
from ...compact.result import Measured
from ..arrays.crossbar import Crossbar
from ..settings import setting
from .array_engines import engine_version, run_array
from .base import CircuitResult, Device, Solver, Table, labelled
from .crossbar_base import CrossbarExperiment, pulse_corners
from .drawing import array_map, curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class CrossbarWrite(CrossbarExperiment):
    """Pulses on one cell of an array with random weights; the others are biased by the scheme.

    Quantities: the change of the selected weight, the largest change of a half-selected one (same line) and of the others,
    and the change of the same cell without wires and neighbours (``alone``).
    """

    name: ClassVar[str] = "crossbar-write"
    title: ClassVar[str] = "write and disturb in a crossbar"

    row: int = setting(2, "1", "of the selected cell", at_least=0)
    col: int = setting(5, "1", "of the selected cell", at_least=0)
    amplitude: float = setting(1.8, "V", "of a pulse")
    pulses: int = setting(10, "1", "pulses", at_least=1)
    width: float = setting(1e-5, "s", "of a pulse at full voltage", above=0)
    edge: float = setting(2e-7, "s", "rise and fall time", above=0)
    gap: float = setting(1e-5, "s", "from a pulse to the next", above=0)
    start: float = setting(0.3, "1", "weight of the selected cell before the pulses", at_least=0)

    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        if self.row >= self.rows or self.col >= self.cols:
            raise ParameterError("circuit 'crossbar-write'", [f"cell ({self.row}, {self.col}) is outside the array"])
        weights = np.random.default_rng([self.seed, 0]).random((self.rows, self.cols))
        weights[self.row, self.col] = self.start
        crossbar = self.crossbar(synapse, partner, weights)
        times, shape = pulse_corners(self.width, self.edge, self.gap, np.ones(self.pulses))
        drive = self.select(shape, self.row, self.col, self.amplitude)
        samples = np.concatenate([times[:1], times[4::4], times[-1:]])
        result, deck = run_array(solver.engine, crossbar, times, drive, samples, solver.options)
        states = crossbar.memory_states(result.states)[..., 0]
        change = states[-1] - states[0]
        half = np.zeros(change.shape, bool)
        half[self.row, :] = half[:, self.col] = True
        half[self.row, self.col] = False
        rest = ~half
        rest[self.row, self.col] = False
        selected = float(change[self.row, self.col])
        disturb = float(np.max(np.abs(change[half]), initial=0.0))
        alone = self._alone(crossbar, solver, times, shape)
        return CircuitResult(
            circuit=self.name,
            engine=solver.engine,
            engine_version=engine_version(solver.engine),
            devices=labelled((synapse, partner)),
            tables={
                "time": Table(samples, "s", ("time",)),
                "weight": Table(states, crossbar.memory.model.states[0].unit, ("time", "row", "column")),
                "cell_voltage": Table(result.cell_voltages, "V", ("time", "row", "column")),
            },
            quantities={
                "selected_change": Measured(selected, "1"),
                "alone_change": Measured(alone, "1"),
                "half_selected_disturb": Measured(disturb, "1"),
                "unselected_disturb": Measured(float(np.max(np.abs(change[rest]), initial=0.0)), "1"),
                "selectivity": Measured(abs(selected) / disturb if disturb > 0 else None, "1"),
            },
            options=self.record(),
            decks=(deck,) if deck else (),
        )

    def _alone(self, crossbar: Crossbar, solver: Solver, times: np.ndarray, shape: np.ndarray) -> float:
        single = replace(
            crossbar,
            rows=1,
            cols=1,
            memory=crossbar.memory.at(self.row, self.col),
            selector=None if crossbar.selector is None else crossbar.selector.at(self.row, self.col),
            wires=replace(crossbar.wires, word_segment=0.0, bit_segment=0.0),
        )
        drive = replace(self, rows=1, cols=1, cells={}).select(shape, 0, 0, self.amplitude)
        result, _ = run_array(solver.engine, single, times, drive, times[[0, -1]], solver.options)
        states = single.memory_states(result.states)[:, 0, 0, 0]
        return float(states[-1] - states[0])

    def draw(self, result: CircuitResult, figure: Figure) -> None:
        left, middle, right = figure.subplots(1, 3)
        weight = result["weight"]
        array_map(left, weight[-1], "weight after the pulses")
        array_map(middle, weight[-1] - weight[0], "change of weight")
        curve(right, np.arange(len(weight)), weight[:, self.row, self.col], "pulses", "weight", label="selected")
        for k in range(self.cols):
            if k != self.col:
                right.plot(weight[:, self.row, k] - weight[0, self.row, k] + weight[0, self.row, self.col], color="0.7")
