"""Images that are memorised or forgotten: the numerals of Ohno 2011 (Fig. 4) and the letters of Li 2019 (Fig. 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...compact.card import Card
from ...compact.constants import ROOM_TEMPERATURE
from ...compact.model import Model
from ...compact.result import Measured
from ..arrays.crossbar import Crossbar, Layer
from ..arrays.network import Drive, Wires
from ..settings import choice, setting
from .array_engines import OPTIONS, cost_text, engine_version, run_array
from .base import CircuitExperiment, CircuitResult, Device, Solver, Table, labelled
from .drawing import array_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """One image and the pulses that write it.

    Attributes
    ----------
    label : str
    rows : tuple of str
        ``#`` is a pixel that gets the pulses.
    amplitude, width, period : float
        Of the pulses [V], [s], [s].
    """

    label: str
    rows: tuple[str, ...]
    amplitude: float
    width: float
    period: float

    @property
    def pixels(self) -> np.ndarray:
        """Which pixels get the pulses, (rows, cols)."""
        return np.array([[mark == "#" for mark in row] for row in self.rows])


@dataclass(frozen=True)
class Task:
    """Images, how many pulses, what lies between source and pixel [ohm], how long until the second read [s], its voltage.

    ``boost`` makes up for the shorter pulses of a wired array and for what its lines take.
    """

    card: str
    pictures: tuple[Picture, ...]
    pulses: int
    resistance: float
    wait: float
    v_read: float
    boost: float


_ONE = (".......", "...#...", "..##...", "...#...", "...#...", "...#...", "..###..")
_TWO = (".......", "..###..", ".....#.", "....#..", "...#...", "..#....", "..####.")
_C = (".###.", "#....", "#....", "#....", ".###.")
_H = ("#...#", "#...#", "#####", "#...#", "#...#")
_N = ("#...#", "##..#", "#.#.#", "#..##", "#...#")

TASKS: dict[str, Task] = {
    "numerals": Task(
        "ag2s",
        (Picture("1", _ONE, 0.08, 0.5, 2.0), Picture("2", _TWO, 0.08, 0.5, 20.0)),
        10,
        10e3,
        20.0,
        0.01,
        1.3,
    ),
    "letters": Task(
        "li_srtio3",
        (
            Picture("C", _C, 0.9, 50e-9, 200e-9),
            Picture("H", _H, 1.5, 50e-9, 200e-9),
            Picture("N", _N, 1.5, 50e-9, 2e-6),
        ),
        10,
        0.0,
        25e-6,
        0.1,
        1.05,
    ),
}
"""The papers' pulses; the pixels' patterns are ours, the papers show theirs in figures only."""

EDGE = 0.02
"""Edge of a pulse as a part of its width."""

COLUMN_PART = 1 / 3
"""Part of a pulse's voltage that a column of the wired array takes. A pixel is disturbed by it once for every other row with
pixels in its column, by the row's part once a period: the smaller one is for the column."""

FILLED = 0.9
"""Part of the shortest period that the writing of all rows takes."""


@dataclass(frozen=True, kw_only=True)
class CrossbarImage(CircuitExperiment):
    """Images written with pulses, read directly after the last and once more later.

    With ``wired`` 0 every pixel is measured by itself, as in the papers; with 1 each image lies in a wired array whose rows are
    written one after the other in every period. All images then get the same short pulses, the rows two thirds of the voltage
    and the columns, each behind the pixel's resistance, one. A selector (the partner) lies in every cell where one is given; it
    takes a ``boost`` of its own.

    Quantities, for each image, at once and after the wait: the mean conductance of its pixels over that of the background
    (``contrast``), and the weakest pixel's over the strongest of the background (``least``).
    """

    name: ClassVar[str] = "crossbar-image"
    title: ClassVar[str] = "images that are memorised or forgotten"
    engines: ClassVar[tuple[str, ...]] = ("array", "ngspice", "vacask", "reference")
    card: ClassVar[str] = "ag2s"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = OPTIONS

    task: str = choice("numerals", tuple(TASKS), "which images")
    wired: int = setting(0, "1", "1 writes into a wired array", at_least=0)
    boost: float | None = setting(None, "1", "factor on the pulses' voltage; if wired, the task's by default", above=0)
    segment_resistance: float = setting(2.0, "ohm", "of a segment of the wired array", at_least=0)
    spread: float = setting(0.0, "1", "lognormal sigma of the devices' rates", at_least=0)
    seed: int = setting(1, "1", "of the random numbers", at_least=0)
    temperature: float = setting(ROOM_TEMPERATURE, "K", "ambient temperature", above=0)

    def devices(
        self, card: Card | Model | str | None, partner: Card | Model | str | None, values: Mapping[str, float] | None
    ) -> tuple[Device, Device | None]:
        return super().devices(TASKS[self.task].card if card is None else card, partner, values)

    def estimate(self, engine: str) -> str:
        cells = sum(p.pixels.size for p in TASKS[self.task].pictures)
        return cost_text(engine, cells, transient=True)

    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        task = TASKS[self.task]
        tables: dict[str, Table] = {}
        found: dict[str, Measured] = {}
        decks = []
        for k, picture in enumerate(task.pictures):
            maps, deck = (self._wired if self.wired else self._single)(synapse, partner, picture, solver, k)
            tables[f"image_{picture.label.lower()}"] = Table(maps, "S", ("moment", "row", "column"))
            inside, outside = maps[:, picture.pixels], maps[:, ~picture.pixels]
            ratios = {
                "contrast": inside.mean(axis=1) / outside.mean(axis=1),
                "least": inside.min(axis=1) / outside.max(axis=1),
            }
            for name, ratio in ratios.items():
                found[f"{name}_{picture.label.lower()}_at_once"] = Measured(float(ratio[-2]), "1")
                found[f"{name}_{picture.label.lower()}_later"] = Measured(float(ratio[-1]), "1")
            decks += [deck] if deck else []
            solver.told(k + 1, len(task.pictures))
        return CircuitResult(
            circuit=self.name,
            engine=solver.engine,
            engine_version=engine_version(solver.engine),
            devices=labelled((synapse, partner)),
            tables=tables,
            quantities=found,
            options=self.record(),
            decks=tuple(decks),
        )

    def _crossbar(
        self, synapse: Device, selector: Device | None, shape: tuple[int, int], wires: Wires, picture: int
    ) -> Crossbar:
        memory = Layer(model=synapse.model, values=synapse.values)
        if self.spread > 0:
            memory = memory.spread(self.spread, "1/s", shape, np.random.default_rng([self.seed, picture]))
        return Crossbar(
            rows=shape[0],
            cols=shape[1],
            memory=memory,
            selector=None if selector is None else Layer(model=selector.model, values=selector.values),
            wires=wires,
            temperature=self.temperature,
        )

    def _moments(self, picture: Picture, written: float) -> np.ndarray:
        """Return when the pixels are read [s]: before, after the first, the middle and the last pulse, and after the wait.

        Writing takes ``written`` [s] of a period.
        """
        task = TASKS[self.task]
        ends = np.array([0, (task.pulses - 1) // 2, task.pulses - 1]) * picture.period + written
        return np.concatenate([[0.0], ends, [ends[-1] + task.wait]])

    def _single(
        self, synapse: Device, selector: Device | None, picture: Picture, solver: Solver, k: int
    ) -> tuple[np.ndarray, str]:
        """Return the maps (moments, rows, cols) [S] of pixels that are measured one by one, and the deck."""
        task, pixels = TASKS[self.task], picture.pixels
        edge, moments = EDGE * picture.width, self._moments(picture, picture.width * (1 + 3 * EDGE))
        time, height = [0.0], [0.0]
        for pulse in range(task.pulses):
            start = pulse * picture.period + edge
            time += [start, start + edge, start + edge + picture.width, start + 2 * edge + picture.width]
            height += [0.0, 1.0, 1.0, 0.0]
        corners, shape = np.array([*time, moments[-1] + picture.width]), np.array([*height, 0.0])
        crossbar = self._crossbar(synapse, selector, (pixels.size, 1), Wires(left=task.resistance), k)
        amplitude = picture.amplitude * (self.boost or 1.0)
        drive = Drive(left=amplitude * shape[:, None] * pixels.ravel(), bottom=np.zeros(1))
        result, deck = run_array(solver.engine, crossbar, corners, drive, moments, solver.options)
        return self._maps(crossbar, result.states).reshape(len(moments), *pixels.shape), deck

    def _wired(
        self, synapse: Device, selector: Device | None, picture: Picture, solver: Solver, k: int
    ) -> tuple[np.ndarray, str]:
        """Return the maps (moments, rows, cols) [S] of an image in a wired array, and the deck."""
        task, pixels = TASKS[self.task], picture.pixels
        rows, cols = pixels.shape
        slot = FILLED * min(p.period for p in task.pictures) / rows
        width = min(picture.width, 0.8 * slot)
        edge, moments = EDGE * width, self._moments(picture, rows * slot)
        time, left, bottom = [0.0], [np.zeros(rows)], [np.zeros(cols)]
        amplitude = picture.amplitude * (self.boost or task.boost)
        for pulse in range(task.pulses):
            for row in np.flatnonzero(pixels.any(axis=1)):
                start = pulse * picture.period + row * slot + edge
                for moment, height in ((0.0, 0.0), (edge, 1.0), (edge + width, 1.0), (2 * edge + width, 0.0)):
                    time.append(start + moment)
                    left.append((1 - COLUMN_PART) * amplitude * height * (np.arange(rows) == row))
                    bottom.append(-COLUMN_PART * amplitude * height * pixels[row])
        time.append(float(moments[-1]) + picture.width)
        left.append(np.zeros(rows))
        bottom.append(np.zeros(cols))
        segment = self.segment_resistance
        wires = Wires(word_segment=segment, bit_segment=segment, left=1.0, bottom=task.resistance)
        crossbar = self._crossbar(synapse, selector, (rows, cols), wires, k)
        drive = Drive(left=np.array(left), bottom=np.array(bottom))
        result, deck = run_array(solver.engine, crossbar, np.array(time), drive, moments, solver.options)
        return self._maps(crossbar, result.states), deck

    def _maps(self, crossbar: Crossbar, states: np.ndarray) -> np.ndarray:
        """Return the memories' conductances [S] at the read voltage for the cells' states (moments, rows, cols, n_states)."""
        read, layer, shape = TASKS[self.task].v_read, crossbar.memory, crossbar.shape
        moments = crossbar.memory_states(states)
        return np.stack([layer.with_states(s).conductances(read, shape, self.temperature) for s in moments])

    def draw(self, result: CircuitResult, figure: Figure) -> None:
        pictures = TASKS[self.task].pictures
        labels = ("before", "after the first pulse", "half-way", "after the last pulse", "later")
        panels = figure.subplots(len(pictures), len(labels), squeeze=False)
        for row, picture in zip(panels, pictures, strict=True):
            maps = 1e6 * result[f"image_{picture.label.lower()}"]
            limits = (float(maps.min()), float(maps[-2].max()))
            for axes, values, label in zip(row, maps, labels, strict=True):
                array_map(axes, values, f"{picture.label} {label}, uS", limits)
