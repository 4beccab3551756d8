"""Cells of their own in a crossbar, and small arrays on the reference engine."""

from pathlib import Path

import numpy as np
import pytest

from synspice.compact.errors import DataError, EngineError, ParameterError
from synspice.compact.registry import resolve
from synspice.netlists.arrays.cell_map import Cell, read_cell_map, with_cells, with_conductances
from synspice.netlists.arrays.crossbar import Crossbar, Layer
from synspice.netlists.arrays.linear_read import bias, solve_array
from synspice.netlists.arrays.network import Drive, Wires
from synspice.netlists.circuits import get_circuit
from synspice.netlists.circuits.array_engines import read_ends, run_array
from synspice.netlists.circuits.crossbar_base import pulse_corners

FILE = """\
row, column, card, conductance, x_init, g_on
0, 0, hfox_tin, , 0.5,
1, 2, , 2e-5, ,
2, 1, hfox_tin, , ,
2, 2, , , , 1e-4
"""


def layer(shape: tuple[int, int] = (3, 3)) -> Layer:
    card, model = resolve("taox")
    states = np.random.default_rng(2).uniform(0.1, 0.9, shape)
    return Layer(model=model, values=card.parameters, maps={"x_init": states})


def cells(folder: Path, text: str = FILE) -> dict[tuple[int, int], Cell]:
    path = folder / "cells.csv"
    path.write_text(text)
    return read_cell_map(path)


def test_a_file_says_what_is_in_a_cell(tmp_path: Path) -> None:
    found = cells(tmp_path)
    assert found[0, 0] == Cell(card="hfox_tin", values={"x_init": 0.5})
    assert found[1, 2] == Cell(conductance=2e-5)
    assert found[2, 2] == Cell(values={"g_on": 1e-4})


def test_cells_have_their_cards_values_and_conductances(tmp_path: Path) -> None:
    plain, given = layer(), cells(tmp_path)
    own = with_conductances(with_cells(plain, given, (3, 3)), given, (3, 3), 0.1, 300.0)
    names = [p.name for p in plain.model.parameters]
    before, after = plain.parameters((3, 3)), own.parameters((3, 3))
    other = plain.model.values(resolve("hfox_tin")[0].parameters)
    for place in ((0, 0), (2, 1)):
        wanted = {**other, "x_init": 0.5 if place == (0, 0) else before[2, 1, names.index("x_init")]}
        assert dict(zip(names, after[place].tolist())) == pytest.approx(wanted)
    assert after[2, 2, names.index("g_on")] == 1e-4
    assert own.conductances(0.1, (3, 3), 300.0)[1, 2] == pytest.approx(2e-5, rel=1e-9)
    changed = np.argwhere((before != after).any(axis=2)).tolist()
    assert changed == [[0, 0], [1, 2], [2, 1], [2, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row,card\n1,taox\n", "no column column"),
        ("row,column,g_on\n1,one,1e-5\n", "line 2.*whole numbers"),
        ("row,column,g_on\n1,1,1e-5\n1,1,1e-5\n", "line 3: cell \\(1, 1\\) is there twice"),
    ],
)
def test_unusable_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        cells(tmp_path, text)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({(3, 0): Cell()}, r"cell \(3, 0\) is outside the array of 3 x 3"),
        ({(1, 1): Cell(card="siox_ny_ag")}, "all cells of an array are of one device"),
        ({(1, 1): Cell(values={"g_om": 1e-5})}, "no parameter 'g_om' of drift_memristor; did you mean 'g_on'"),
        ({(1, 1): Cell(conductance=1.0)}, "a conductance of 1 S is outside"),
    ],
)
def test_unusable_cells(cell: dict[tuple[int, int], Cell], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        with_conductances(with_cells(layer(), cell, (3, 3)), cell, (3, 3), 0.1, 300.0)


def test_spread_comes_on_top_of_cards() -> None:
    own = with_cells(layer(), {(1, 1): Cell(card="hfox_tin")}, (3, 3))
    factor = (
        own.spread(0.3, "S", (3, 3), np.random.default_rng(0)).maps["g_on"]
        / own.spread(0.0, "S", (3, 3), np.random.default_rng(0)).maps["g_on"]
    )
    np.testing.assert_allclose(factor, np.exp(0.3 * np.random.default_rng(0).standard_normal((3, 3))))


@pytest.mark.ngspice
def test_the_engines_agree_on_cells_of_their_own(tmp_path: Path) -> None:
    circuit = get_circuit("crossbar-write")(
        rows=3, cols=3, row=0, col=0, pulses=3, amplitude=2.2, spread=0.1, cells=cells(tmp_path)
    )
    results = {engine: circuit.run(engine=engine) for engine in ("reference", "array", "ngspice", "vacask")}
    wanted = results["reference"]["weight"]
    assert wanted[-1, 0, 0] - 0.5 > 0.03
    for engine, result in results.items():
        assert np.abs(result["weight"] - wanted).max() < 5e-3, engine
        assert result.options["cells"][0]["card"] == "hfox_tin"


@pytest.mark.parametrize("wires", [Wires(word_segment=2, bit_segment=2), Wires(bit_segment=100, left=7), Wires()])
def test_a_linear_read_is_the_references(wires: Wires) -> None:
    generator = np.random.default_rng(5)
    g = 10 ** generator.uniform(-9, -3, (5, 4))
    drive = Drive(left=generator.uniform(-1, 1, 5), bottom=np.zeros(4))
    ends, _ = read_ends("reference", g, drive, wires, 300.15)
    solution = solve_array(g, drive, wires)
    np.testing.assert_allclose(ends["bottom"], solution.bottom_currents, rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(ends["left"], solution.left_currents, rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize(
    ("selector", "size", "scheme"), [(None, 4, "V/2"), ("siox_ny_ag", 3, "V/2"), (None, 3, "float")]
)
def test_a_write_is_the_references(selector: str | None, size: int, scheme: str) -> None:
    shape = (size, size)
    other = None if selector is None else resolve(selector)
    crossbar = Crossbar(
        rows=size,
        cols=size,
        memory=layer(shape),
        selector=other and Layer(model=other[1], values=other[0].parameters),
        wires=Wires(word_segment=20.0, bit_segment=20.0, left=100.0, bottom=100.0),
    )
    times, pulses = pulse_corners(4e-5, 2e-7, 1e-5, np.array([1.0, -1.0]))
    lines = bias(scheme, shape, row=1, col=1, voltage=2.4)
    drive = Drive(left=pulses[:, None] * lines.left, bottom=pulses[:, None] * lines.bottom)
    ours, _ = run_array("array", crossbar, times, drive, times)
    wanted, deck = run_array("reference", crossbar, times, drive, times)
    assert deck == ""
    moved = np.abs(wanted.states - wanted.states[0]).max(axis=(0, 1, 2))
    assert np.all(moved[-1:] > 0.05)
    assert np.abs(ours.states - wanted.states).max() < 1e-3
    for side in ("left", "right", "top", "bottom"):
        found, currents = getattr(ours, f"{side}_currents"), getattr(wanted, f"{side}_currents")
        assert np.abs(found - currents).max() <= 2e-3 * np.abs(wanted.bottom_currents).max()


def test_an_array_that_is_too_large_for_the_reference() -> None:
    with pytest.raises(EngineError, match="up to 1024 cells, not 40 x 40"):
        get_circuit("crossbar-read")(rows=40, cols=40).run(engine="reference")
    with pytest.raises(EngineError, match="would take .* in reference; .*--engine array"):
        get_circuit("crossbar-write")(rows=32, cols=32).run(engine="reference")
