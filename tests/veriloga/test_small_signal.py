"""Operating points, admittances and noise, in VACASK and in ngspice, against the Python emitter."""

from __future__ import annotations

import device_points
import numpy as np
import pytest
import toys

from synspice.compact.constants import BOLTZMANN, CONSTANTS, ROOM_TEMPERATURE
from synspice.compact.registry import get_device
from synspice.netlists import bias_points
from synspice.veriloga import small_signal
from synspice.veriloga.comparison import python_evaluation

FREQUENCIES = (1.0, 1e4, 1e7)
K = CONSTANTS[BOLTZMANN][0]


@pytest.mark.parametrize("name", device_points.NAMES)
def test_admittance_and_current(name: str) -> None:
    model = device_points.model_of(name)
    generator = np.random.default_rng(7)
    values = device_points.random_values(model, generator)
    points = [
        dict(zip(model.terminals, generator.uniform(-0.5, 0.5, len(model.terminals)).tolist(), strict=True))
        for _ in range(4)
    ]
    response = small_signal.admittances(model, values, points, FREQUENCIES, temperature=310.0)
    currents = small_signal.operating_points(model, values, points, temperature=310.0)
    form = bias_points.subcircuit_form(model, values)
    spice = bias_points.terminal_currents(model, form, points, temperature=310.0)
    spice_response = bias_points.admittances(model, form, points, 1e4, temperature=310.0)
    n = len(model.terminals)
    for k, bias in enumerate(points):
        wanted = python_evaluation(model, values, 310.0, [bias[t] for t in model.terminals], [0.0] * len(model.states))
        size = np.max(np.abs(wanted.currents)) + 1e-30
        found = np.array([currents[k][f"i_{t}"] for t in model.terminals])
        assert np.max(np.abs(found - wanted.currents)) <= 1e-6 * size
        assert np.max(np.abs(spice[k] - wanted.currents)) <= 1e-5 * size
        for j, frequency in enumerate(FREQUENCIES):
            admittance = wanted.current_slopes[:, :n] + 2j * np.pi * frequency * wanted.charge_slopes[:, :n]
            assert np.max(np.abs(response[k, j] - admittance)) <= 1e-6 * np.max(np.abs(admittance))
            if frequency == 1e4:
                assert np.max(np.abs(spice_response[k] - admittance)) <= 1e-5 * np.max(np.abs(admittance))
        for state, start in zip(model.states, model.initial_states(values), strict=True):
            assert currents[k][state.name] == pytest.approx(start, rel=1e-12, abs=1e-15)


def test_thermal_noise_at_equilibrium() -> None:
    model = get_device("drift_memristor")
    for x in (0.0, 0.5, 1.0):
        point = small_signal.operating_points(model, {"x_init": x}, [{}])[0]
        density = small_signal.noise_densities(model, {"x_init": x}, [{}], [1.0, 1e6])
        np.testing.assert_allclose(density, 4 * K * ROOM_TEMPERATURE * point["conductance"], rtol=1e-9)


def test_the_observables_of_an_operating_point() -> None:
    points = small_signal.operating_points(toys.transistor(), {"w_init": 0.6}, [{"d": 0.1}, {"d": -0.2}])
    assert [p["conductance"] for p in points] == [pytest.approx(0.7e-6, rel=1e-9)] * 2
    assert [p["i_d"] for p in points] == [pytest.approx(0.7e-7, rel=1e-9), pytest.approx(-1.4e-7, rel=1e-9)]
    assert [p["i_g"] for p in points] == [0.0, 0.0]


def test_noise_at_another_terminal() -> None:
    model = toys.heated()
    at_p, at_n = (
        small_signal.noise_densities(model, {}, [{"p": 0.2}], [1e3], terminal=terminal) for terminal in ("p", "n")
    )
    np.testing.assert_allclose(at_p, at_n, rtol=1e-12)
    assert at_p[0, 0] > 0
