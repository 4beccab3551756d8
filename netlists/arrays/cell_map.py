"""Cells of an array that differ from the others: by their card, by parameter values, by what is programmed into them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...compact.errors import DataError, ParameterError, nearest
from ...compact.registry import resolve
from .crossbar import Layer
from .kernels import FloatArray

HALVINGS = 60
"""Steps of the search for the state of a conductance."""

PLACE, CARD, CONDUCTANCE = ("row", "column"), "card", "conductance"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one cell has of its own.

    Attributes
    ----------
    card : str or None
        Name or file of a card of the array's device.
    values : mapping of name to float
        Parameters and initial states, which go before the card's.
    conductance : float or None
        To which the memory is programmed [S], at the circuit's read voltage: sets its first state.
    """

    card: str | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    conductance: float | None = None


CellMap = Mapping[tuple[int, int], Cell]
"""Cells by row and column, counted from 0; the others are as the circuit makes them."""


def read_cell_map(path: Path) -> dict[tuple[int, int], Cell]:
    """Read a CSV file: columns ``row`` and ``column``; ``card``, ``conductance`` and any parameter; a line a cell.

    An empty field leaves the cell what it is.

    Raises
    ------
    DataError
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            lines = list(reader)
            names = [n.strip() for n in reader.fieldnames or ()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(path, f"cannot be read: {error}") from error
    if missing := [n for n in PLACE if n not in names]:
        raise DataError(path, f"no column {' and '.join(missing)}; it has {', '.join(names)}")
    cells: dict[tuple[int, int], Cell] = {}
    for k, line in enumerate(lines, start=2):
        given = {n.strip(): text.strip() for n, text in line.items() if n and text and text.strip()}
        card = given.pop(CARD, None)
        try:
            row, column = (int(given.pop(n)) for n in PLACE)
            values = {name: float(text) for name, text in given.items()}
        except (KeyError, ValueError) as error:
            raise DataError(path, f"{error}; row and column are whole numbers, the rest numbers", row=k) from error
        if (row, column) in cells:
            raise DataError(path, f"cell ({row}, {column}) is there twice", row=k)
        cells[row, column] = Cell(card=card, conductance=values.pop(CONDUCTANCE, None), values=values)
    return cells


def with_cells(layer: Layer, cells: CellMap, shape: tuple[int, int], *, programmed: bool = True) -> Layer:
    """Return a layer with the cells' own cards and values, conductances aside.

    Parameters
    ----------
    layer : Layer
    cells : CellMap
    shape : tuple of int
    programmed : bool
        Give them their own initial states too.

    Raises
    ------
    ParameterError, UnknownNameError, CardError
        A cell outside the array, a card of another device, unknown parameters.
    """
    model = layer.model
    starts = {s.initial_parameter.name for s in model.states}
    faults = list(_faults(layer, cells, shape))
    own: dict[tuple[int, int], dict[str, float]] = {}
    for place, cell in cells.items():
        card = {} if cell.card is None else _card_values(layer, cell.card, place, faults)
        own[place] = {**card, **{n: v for n, v in cell.values.items() if programmed or n not in starts}}
    if faults:
        raise ParameterError(f"cells of '{model.name}'", faults)
    complete = model.values(layer.values)
    maps = dict(layer.maps)
    for name in {n for values in own.values() for n in values}:
        table = np.array(maps[name] if name in maps else np.full(shape, complete[name]), float)
        for place, values in own.items():
            table[place] = values.get(name, table[place])
        maps[name] = table
    return replace(layer, maps=maps)


def with_conductances(
    layer: Layer, cells: CellMap, shape: tuple[int, int], voltage: float, temperature: float
) -> Layer:
    """Return a layer whose cells are programmed to their conductances at a read voltage [V].

    Raises
    ------
    ParameterError
        For a conductance that the cell cannot have.
    """
    wanted = {place: cell.conductance for place, cell in cells.items() if cell.conductance is not None}
    if not wanted:
        return layer
    state = layer.model.states[0]
    name = state.initial_parameter.name

    def conductances(states: FloatArray) -> FloatArray:
        return replace(layer, maps={**layer.maps, name: states}).conductances(voltage, shape, temperature)

    states = layer.initial_states(shape)[:, :, 0]
    goal = conductances(states).copy()
    for place, value in wanted.items():
        goal[place] = value
    low, high = np.full(shape, state.lower), np.full(shape, state.upper)
    first, last = conductances(low), conductances(high)
    least, most = np.minimum(first, last), np.maximum(first, last)
    faults = [
        f"cell {place}: a conductance of {value:g} S is outside its {least[place]:g} to {most[place]:g} S at {voltage:g} V"
        for place, value in wanted.items()
        if not least[place] <= value <= most[place]
    ]
    if faults:
        raise ParameterError(f"cells of '{layer.model.name}'", faults)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = (conductances(middle) < goal) == (first < last)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    for place in wanted:
        states[place] = (low[place] + high[place]) / 2
    return replace(layer, maps={**layer.maps, name: states})


def _faults(layer: Layer, cells: CellMap, shape: tuple[int, int]) -> Iterator[str]:
    known = [p.name for p in layer.model.parameters]
    for (row, column), cell in cells.items():
        if not (0 <= row < shape[0] and 0 <= column < shape[1]):
            yield f"cell ({row}, {column}) is outside the array of {shape[0]} x {shape[1]}"
        yield from (
            f"no parameter '{n}' of {layer.model.name}{nearest(n, known)}" for n in cell.values if n not in known
        )


def _card_values(layer: Layer, name: str, place: tuple[int, int], faults: list[str]) -> Mapping[str, float]:
    card, model = resolve(name)
    if model.name != layer.model.name:
        faults.append(f"cell {place}: card '{name}' is of '{model.name}'; all cells of an array are of one device")
        return {}
    starts = {s.initial_parameter.name for s in model.states}
    return {n: v for n, v in model.values(card.parameters).items() if n not in starts}
