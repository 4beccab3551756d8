"""Read-out of a crossbar: the matrix-vector product and its error, sneak paths and the read margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from ...compact.result import Measured
from ..arrays.crossbar import Crossbar
from ..arrays.linear_read import Scheme, bias, solve_array
from ..arrays.network import Drive
from ..settings import setting
from .array_engines import cost_text, engine_version, read_ends, run_array
from .base import CircuitResult, Device, Solver, Table, labelled
from .crossbar_base import CrossbarExperiment
from .drawing import array_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class CrossbarRead(CrossbarExperiment):
    """Random weights are read by random inputs; then one cell is read with all others on.

    The product is that of linear cells, each with its conductance at ``v_read``. The margin is (I_on - I_off)/I_off of the
    selected column's current, the cell in the corner far from drivers and sense inputs, all other cells on; the sneak current
    is what the column carries beside the cell's own current when the cell is off. With a selector the cell is read by a pulse,
    for the selector has to open, and once more without the selector, by linear cells. ``v_read`` is the largest input as well.
    """

    name: ClassVar[str] = "crossbar-read"
    title: ClassVar[str] = "read-out of a crossbar"

    v_select: float = setting(0.9, "V", "read voltage with a selector", above=0)
    read_width: float = setting(2e-3, "s", "of a read with a selector", above=0)

    def estimate(self, engine: str) -> str:
        return cost_text(engine, self.rows * self.cols, transient=False)

    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        generator = np.random.default_rng([self.seed, 0])
        shape = (self.rows, self.cols)
        weights, inputs = generator.random(shape), self.v_read * generator.random(self.rows)
        crossbar = self.crossbar(synapse, None, weights, frozen=True)
        g = crossbar.memory.conductances(self.v_read, shape, self.temperature)
        drive = Drive(left=inputs, bottom=np.zeros(self.cols))
        solution = solve_array(g, drive, self.wires)
        ends, deck = self._ends(solver, g, drive)
        ideal = inputs @ g
        loss = ends["bottom"] / ideal - 1
        lost = inputs[:, None] - (solution.word_voltages - solution.bit_voltages)
        plain = self._margin(self._linear_columns(solver, synapse))
        found = {
            "worst_error": Measured(float(np.max(np.abs(loss))), "1"),
            "rms_error": Measured(float(np.sqrt(np.mean(loss**2))), "1"),
            "largest_lost_voltage": Measured(float(np.max(lost)), "V"),
            **plain,
        }
        if partner is not None:
            with_selector = self._margin(self._selector_columns(solver, synapse, partner))
            found |= {f"selector_{name}": value for name, value in with_selector.items()}
            ratio = cast(float, with_selector["read_margin"].value) / cast(float, plain["read_margin"].value)
            found["margin_ratio"] = Measured(ratio, "1")
        return CircuitResult(
            circuit=self.name,
            engine=solver.engine,
            engine_version=engine_version(solver.engine),
            devices=labelled((synapse, partner)),
            tables={
                "input": Table(inputs, "V", ("row",)),
                "conductance": Table(g, "S", ("row", "column")),
                "lost_voltage": Table(lost, "V", ("row", "column")),
                "column_current": Table(ends["bottom"], "A", ("column",)),
                "ideal_current": Table(ideal, "A", ("column",)),
            },
            quantities=found,
            options=self.record(),
            decks=(deck,) if deck else (),
        )

    def _ends(self, solver: Solver, conductances: np.ndarray, drive: Drive) -> tuple[dict[str, np.ndarray], str]:
        return read_ends(solver.engine, conductances, drive, self.wires, self.temperature, solver.options)

    def _corner(self, on: bool) -> np.ndarray:
        weights = np.ones((self.rows, self.cols))
        weights[0, -1] = 1.0 if on else 0.0
        return weights

    def _linear_columns(self, solver: Solver, synapse: Device) -> dict[str, tuple[float, float]]:
        """Return the column's and the cell's current [A], the cell on and off, all cells linear."""
        shape = (self.rows, self.cols)
        lines = bias(cast(Scheme, self.scheme), shape, row=0, col=self.cols - 1, voltage=self.v_read)
        found = {}
        for label, on in (("on", True), ("off", False)):
            crossbar = self.crossbar(synapse, None, self._corner(on), programmed=False)
            g = crossbar.memory.conductances(self.v_read, shape, self.temperature)
            solution = solve_array(g, lines, self.wires)
            ends, _ = self._ends(solver, g, lines)
            found[label] = (float(ends["bottom"][-1]), float(solution.cell_currents[0, -1]))
        return found

    def _selector_columns(self, solver: Solver, synapse: Device, selector: Device) -> dict[str, tuple[float, float]]:
        """Return the column's and the cell's current [A] at the end of a read pulse, the cell on and off."""
        edge = self.read_width / 100
        times = np.array([0.0, edge, edge + self.read_width])
        drive = self.select(np.array([0.0, 1.0, 1.0]), 0, self.cols - 1, self.v_select)
        found = {}
        for label, on in (("on", True), ("off", False)):
            crossbar = self.crossbar(synapse, selector, self._corner(on), programmed=False)
            result, _ = run_array(solver.engine, crossbar, times, drive, times[-1:], solver.options)
            found[label] = (
                float(result.bottom_currents[-1, -1]),
                self._cell_current(crossbar, result.states[-1], result.cell_voltages[-1]),
            )
        return found

    def _cell_current(self, crossbar: Crossbar, states: np.ndarray, volts: np.ndarray) -> float:
        table = crossbar.parameters()
        return float(
            crossbar.cell.current(float(volts[0, -1]), states[0, -1].copy(), table[0, -1].copy(), self.temperature)
        )

    def _margin(self, columns: dict[str, tuple[float, float]]) -> dict[str, Measured]:
        on, off = columns["on"][0], columns["off"][0]
        return {
            "read_margin": Measured((on - off) / off, "1"),
            "on_current": Measured(on, "A"),
            "off_current": Measured(off, "A"),
            "sneak_current": Measured(off - columns["off"][1], "A"),
        }

    def draw(self, result: CircuitResult, figure: Figure) -> None:
        left, middle, right = figure.subplots(1, 3)
        array_map(left, 1e6 * result["conductance"], "conductance in uS")
        array_map(middle, 1e3 * result["lost_voltage"], "voltage lost in the wires\nand ends, in mV")
        ideal = 1e6 * result["ideal_current"]
        right.plot(ideal, 1e6 * result["column_current"], ".")
        right.plot([0, ideal.max()], [0, ideal.max()], color="0.6", linewidth=1)
        right.set_xlabel("ideal column current in uA")
        right.set_ylabel("column current in uA")
