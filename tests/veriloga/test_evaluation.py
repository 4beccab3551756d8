"""Compiled modules against the Python emitter: residual, charge, rate and Jacobian, to the last digits."""

from __future__ import annotations

import device_points
import numpy as np
import pytest
import toys

from synspice.compact.errors import EngineError
from synspice.compact.registry import DEVICES
from synspice.veriloga.comparison import compiled_errors, python_evaluation, relative_error
from synspice.veriloga.compiler import compile_module
from synspice.veriloga.evaluation import CompiledModule
from synspice.veriloga.module import HOLD_RATE, format_module


def compiled(name: str) -> CompiledModule:
    model = device_points.model_of(name)
    return CompiledModule(compile_module(format_module(model)), model)


@pytest.mark.parametrize("name", device_points.NAMES)
@pytest.mark.parametrize("voltage", [0.0, 0.1, 2.0])
def test_random_voltages_states_and_parameters(name: str, voltage: float) -> None:
    errors = compiled_errors(compiled(name), 40, voltage=voltage, seed=1)
    assert max(errors.values()) < 1e-9, errors


@pytest.mark.parametrize("name", device_points.NAMES)
def test_points_at_and_past_every_bound(name: str) -> None:
    module = compiled(name)
    model = module.model
    for point in device_points.points(model, seed=5):
        potentials = [point.potentials[t] for t in model.terminals]
        starts = model.initial_states(point.values)
        deviations = [(x - x0) / s.scale for x, x0, s in zip(point.states, starts, model.states, strict=True)]
        found = module.at(point.values, 300.0).evaluate(potentials, deviations)
        wanted = python_evaluation(model, point.values, 300.0, potentials, deviations)
        for part in ("currents", "charges", "current_slopes", "charge_slopes"):
            for a, b in zip(np.atleast_2d(getattr(found, part)), np.atleast_2d(getattr(wanted, part)), strict=True):
                assert relative_error(a, b) < 1e-6, part
        # rates near 0 V are small differences of two exponentials
        np.testing.assert_allclose(found.rates, wanted.rates, rtol=1e-6, atol=1e-9)
        for a, b in zip(found.rate_slopes, wanted.rate_slopes, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9 + 1e-8 * np.max(np.abs(b)))


def test_frozen_holds_the_states_and_changes_nothing_else() -> None:
    module = compiled("toy:transistor")
    free = module.at({}).evaluate([1.0, 0.0, 0.1], [0.2])
    held = module.at({"frozen": 1.0}).evaluate([1.0, 0.0, 0.1], [0.2])
    assert free.rates[0] > 0.0 and held.rates[0] == pytest.approx(-HOLD_RATE * 0.2)
    np.testing.assert_array_equal(held.rate_slopes, [[0.0, 0.0, 0.0, -HOLD_RATE]])
    np.testing.assert_array_equal(free.currents, held.currents)
    np.testing.assert_array_equal(free.current_slopes, held.current_slopes)


def test_operating_point_variables() -> None:
    module = compiled("toy:transistor")
    found = module.at({"w_init": 0.25}).operating_point([0.0, 0.0, 0.1], [0.5])
    assert found == {
        "w": 0.75,
        "conductance": pytest.approx(0.85e-6, rel=1e-12),
        "i_g": 0.0,
        "i_d": pytest.approx(8.5e-8, rel=1e-12),
    }


@pytest.mark.parametrize("name", DEVICES)
def test_dtemp_is_a_rise_of_the_circuits_temperature(name: str) -> None:
    module = compiled(name)
    potentials = [0.3, *[0.0] * (len(module.model.terminals) - 1)]
    states = [0.01] * len(module.model.states)
    by_device = module.at({"dtemp": 25.0}, 300.0).evaluate(potentials, states)
    by_circuit = module.at({}, 325.0).evaluate(potentials, states)
    for part in ("currents", "charges", "rates", "current_slopes", "rate_slopes"):
        np.testing.assert_array_equal(getattr(by_device, part), getattr(by_circuit, part))


def test_gmin_does_not_leak() -> None:
    found = compiled("toy:resistor").at({"g_0": 1e-15}).evaluate([1.0, 0.0])
    assert found.currents[0] == pytest.approx(1e-15, rel=1e-12)


def test_a_library_of_another_module_is_refused() -> None:
    library = compile_module(format_module(toys.resistor()))
    with pytest.raises(EngineError, match="holds the module 'toy_resistor', not 'toy_heated'"):
        CompiledModule(library, toys.heated())


def test_a_file_that_is_no_library_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("no") / "no.osdi"
    path.write_text("nothing")
    with pytest.raises(EngineError, match="is no OSDI library"):
        CompiledModule(path, toys.resistor())
