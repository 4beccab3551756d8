"""Held cells in a deck: their folded currents are the subcircuit's and the emitted equations'."""

from dataclasses import replace

import numpy as np
import pytest

from synspice.compact.errors import ParameterError
from synspice.compact.python_code import compile_python
from synspice.compact.registry import card_paths, resolve
from synspice.netlists.arrays.crossbar import Crossbar, Layer
from synspice.netlists.arrays.deck import format_array, format_held_read, read_linear, read_transient
from synspice.netlists.arrays.frozen_cells import held_values
from synspice.netlists.arrays.network import Drive, Wires
from synspice.netlists.ngspice import SolverOptions, run_deck

CARDS = [name for name in card_paths() if len(resolve(name)[1].terminals) == 2]
SHAPE = (2, 3)
DRIVE = Drive(left=np.array([0.4, -0.3]), bottom=np.array([0.0, 0.05, -0.1]))
TIGHT = SolverOptions(reltol=1e-12, abstol=1e-18, vntol=1e-12)

WIRE_ROUNDING = 1e-17
"""Rounding [A] of the current through a wire of 20 ohm at 0.4 V: 1/20 S x 0.4 V x 2.2e-16, from both ends."""


def array(name: str, wires: Wires) -> Crossbar:
    card, model = resolve(name)
    generator = np.random.default_rng(3)
    starts = {}
    for state in model.states:
        low, high = max(state.lower, state.initial - state.scale), min(state.upper, state.initial + state.scale)
        starts[state.initial_parameter.name] = low + (high - low) * generator.uniform(0.1, 0.9, SHAPE)
    memory = Layer(model=model, values={**card.parameters, "c_0": 0.0} if "c_0" in card.parameters else card.parameters)
    memory = replace(memory, maps=starts)
    return Crossbar(rows=2, cols=3, memory=memory, wires=wires, temperature=345.0, frozen=True)


@pytest.mark.ngspice
@pytest.mark.parametrize("name", CARDS)
def test_the_currents_are_those_of_the_equations(name: str) -> None:
    """With ideal wires every cell has the voltage of its lines."""
    crossbar = array(name, Wires())
    model, memory = crossbar.memory.model, crossbar.memory
    volts = np.asarray(DRIVE.left)[:, None] - np.asarray(DRIVE.bottom)
    x = np.moveaxis(memory.initial_states(SHAPE), 2, 0)
    p = np.moveaxis(memory.parameters(SHAPE), 2, 0)
    signs = [1.0 if v.plus == model.write[0] else -1.0 for v in model.voltages]
    flows = compile_python(model).currents([s * volts for s in signs], x, p, crossbar.temperature)
    wanted = sum(
        (1.0 if b.plus == model.write[0] else -1.0) * np.asarray(i) for b, i in zip(model.currents, flows, strict=True)
    )
    found = read_linear(run_deck(format_held_read(crossbar, DRIVE, TIGHT)).plot("op"), SHAPE)
    # of the currents that meet in a line, which may cancel: ngspice reads eleven digits of a number in an expression
    for side, axis in (("left", 1), ("bottom", 0)):
        meeting = np.sum(np.abs(wanted), axis=axis)
        np.testing.assert_array_less(np.abs(found[side] - np.sum(wanted, axis=axis)), 1e-9 * meeting + TIGHT.abstol)


@pytest.mark.ngspice
@pytest.mark.parametrize("name", CARDS)
def test_the_currents_are_those_of_the_subcircuit(name: str) -> None:
    crossbar = array(name, Wires(word_segment=20.0, bit_segment=30.0, left=100.0, bottom=50.0))
    memory = replace(crossbar.memory, maps={**crossbar.memory.maps, "frozen": np.ones(SHAPE)})
    whole = replace(crossbar, frozen=False, memory=memory)
    held, full = (format_held_read(c, DRIVE, TIGHT) for c in (crossbar, whole))
    assert ".subckt" in full and ".subckt" not in held
    wanted, found = (read_linear(run_deck(deck).plot("op"), SHAPE) for deck in (full, held))
    for side in ("left", "bottom"):
        np.testing.assert_allclose(found[side], wanted[side], rtol=1e-9, atol=WIRE_ROUNDING)


@pytest.mark.ngspice
def test_a_transient_of_held_cells_keeps_their_states() -> None:
    crossbar = array("taox", Wires(word_segment=20.0, bit_segment=30.0))
    times = np.array([0.0, 1e-6, 1e-5])
    drive = Drive(left=np.array([[0.0, 0.0], [0.4, -0.3], [0.4, -0.3]]), bottom=np.asarray(DRIVE.bottom))
    plot = run_deck(format_array(crossbar, drive, times, TIGHT)).plot("tran")
    result = read_transient(crossbar, plot, times)
    np.testing.assert_array_equal(result.states[-1], crossbar.initial_states())
    still = read_linear(run_deck(format_held_read(crossbar, DRIVE, TIGHT)).plot("op"), SHAPE)
    np.testing.assert_allclose(result.left_currents[-1], still["left"], rtol=1e-6)


def test_what_is_not_finite_is_named() -> None:
    card, model = resolve("taox")
    layer = Layer(model=model, values={**card.parameters, "v_nl": 1e-200})
    with pytest.raises(ParameterError, match=r"cell \(0, 0\).*not finite"):
        held_values(layer, SHAPE, 300.0)
