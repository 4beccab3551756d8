"""The emitted subcircuit: its text, and its numbers against the emitted Python, device by device."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import device_points
import golden_files
import instances
import numpy as np
import pytest
import toys

import synspice
from synspice.compact.errors import ParameterError
from synspice.compact.printing import Printer
from synspice.compact.registry import DEVICES
from synspice.emitters import emit
from synspice.netlists.subcircuit import format_subcircuit

COMPARED = {"Python", "ngspice", "LTspice", "Xyce", "Verilog-A"}
"""Targets whose numbers are compared: here, in test_devices.py, in test_dialects.py and in veriloga/test_evaluation.py."""

PAIRS = [(device, target) for device in DEVICES for target in golden_files.TARGETS]


def close(found: np.ndarray, wanted: np.ndarray, what: str) -> None:
    """Compare to seven digits, and where terms cancel to ten of the largest value: ngspice's text holds eleven."""
    assert np.isfinite(found).all()
    floor = 1e-10 * np.max(np.abs(wanted), axis=0, initial=0.0)
    np.testing.assert_array_less(np.abs(found - wanted), 1e-7 * np.abs(wanted) + floor + 1e-30, err_msg=what)


@pytest.mark.every_ngspice
@pytest.mark.parametrize("temperature_c", [27.0, 85.0])
@pytest.mark.parametrize("name", device_points.NAMES)
def test_ngspice_agrees_with_python_at_given_voltages_and_states(name: str, temperature_c: float) -> None:
    model = device_points.model_of(name)
    points = device_points.points(model, seed=int(temperature_c))
    found = instances.in_ngspice(model, points, temperature_c)
    wanted = instances.in_python(model, points, temperature_c)
    assert np.count_nonzero(wanted.currents) > 0.4 * wanted.currents.size
    close(found.currents, wanted.currents, "current")
    close(found.rates, wanted.rates, "rate")
    close(found.conductances, wanted.conductances, "conductance")
    close(found.capacitances, wanted.capacitances, "capacitance")


@pytest.mark.parametrize(("device", "target"), PAIRS)
def test_golden_text(device: str, target: str) -> None:
    device_points.model_of(device)
    path = golden_files.path(device, target)
    assert path.is_file(), f"no golden text: run 'python tests/golden_files.py' and read {path.name}"
    assert golden_files.stripped(emit(device, target)) == path.read_text(encoding="utf-8")


def test_every_pair_of_device_and_target_is_covered() -> None:
    """A new printer must be compared, and a new device or target bring its golden text."""
    for module in pkgutil.walk_packages(synspice.__path__, "synspice."):
        if not module.name.startswith("synspice.compact.devices.") and "__main__" not in module.name:
            import_module(module.name)
    printers, waiting = set(), [Printer]
    while waiting:
        waiting += (found := waiting.pop().__subclasses__())
        printers |= {cls.target for cls in found if cls.__module__.startswith("synspice.")}
    assert printers == COMPARED
    assert set(DEVICES) <= set(device_points.NAMES)
    there = {p for p in PAIRS if golden_files.exists(p[0])}
    assert {p.name for p in golden_files.FOLDER.iterdir()} == {golden_files.path(*pair).name for pair in there}


@pytest.mark.parametrize("name", device_points.NAMES)
def test_the_text_is_deterministic_and_plain(name: str) -> None:
    model = device_points.model_of(name)
    text = format_subcircuit(model)
    assert text == format_subcircuit(model)
    assert text.endswith(f".ends {model.name}\n")
    for line in text.splitlines():
        assert len(line) <= 120 or " " not in line.removeprefix("+ "), f"can be broken: {line}"
    assert text.isascii(), "SPICE readers differ on anything else"
    for parameter in model.parameters:
        assert f"\n+ {parameter.name}=" in text
        assert f"\n* {parameter.name} " in text, "every parameter is explained"
    for item in (*model.quantities, *model.states):
        assert item.description in text


def test_values_names_notes_and_header() -> None:
    text = format_subcircuit(
        toys.relaxing(), {"tau": 0.125}, name="mine", notes={"tau": "fitted to Fig. 2"}, header="A line.\nAnother."
    )
    assert text.startswith("* mine: Linear relaxation\n")
    assert "\n.subckt mine p n\n" in text and text.endswith(".ends mine\n")
    assert "\n+ tau=0.125\n" in text
    assert "relaxation time [fitted to Fig. 2]\n" in text
    assert "\n* A line.\n*\n* Another.\n" in text


def test_a_bad_value_is_refused() -> None:
    with pytest.raises(ParameterError, match="device 'toy_relaxing': tau = -1 s is outside its range"):
        format_subcircuit(toys.relaxing(), {"tau": -1})


def test_quantities_of_parameters_alone_are_hoisted() -> None:
    text = format_subcircuit(toys.heated())
    assert "\n.param g_eq={n_eq*sigma}\n" in text or "\n.param g_eq={sigma*n_eq}\n" in text


def test_a_linear_charge_is_a_capacitor_and_another_one_is_not() -> None:
    assert "\nCcharge0 g s {m*(c_g)}\n" in format_subcircuit(toys.transistor())
    assert "\nCcharge0 p n Q = {" in format_subcircuit(toys.varactor())
