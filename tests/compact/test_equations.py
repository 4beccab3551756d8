"""The equations at a point: sums at terminals against the incidence of branches, and slopes against differences."""

from __future__ import annotations

import numpy as np
import pytest

from synspice.compact.equations import Equations
from synspice.compact.errors import ParameterError, UnknownNameError
from synspice.compact.registry import DEVICES, get_device
from synspice.veriloga.comparison import python_evaluation

TEMPERATURE = 320.0


@pytest.mark.parametrize("device", DEVICES)
def test_what_flows_into_each_terminal(device: str) -> None:
    model = get_device(device)
    generator = np.random.default_rng(1)
    potentials = dict(zip(model.terminals, generator.uniform(-1, 1, len(model.terminals)).tolist(), strict=True))
    values = {"c_0": 1e-12} if "c_0" in {p.name for p in model.parameters} else {}
    states = model.initial_states(model.values(values))
    equations = Equations.of(model, values, TEMPERATURE)
    wanted = python_evaluation(model, values, TEMPERATURE, list(potentials.values()), [0.0] * len(states))
    currents = [float(equations.current(t, potentials, states)) for t in model.terminals]
    charges = [float(equations.charge(t, potentials, states)) for t in model.terminals]
    np.testing.assert_allclose(currents, wanted.currents, rtol=1e-12, atol=1e-30)
    np.testing.assert_allclose(charges, wanted.charges, rtol=1e-12, atol=1e-30)
    assert sum(currents) == pytest.approx(0.0, abs=1e-12 * max(map(abs, currents)))
    for k, terminal in enumerate(model.terminals):
        slope = float(equations.capacitance(terminal, potentials, states))
        assert slope == pytest.approx(wanted.charge_slopes[k, k], rel=1e-12, abs=1e-30)
    assert equations.stores_charge(states) == bool(model.charges)


def test_a_gate_s_capacitance_is_the_slope_of_its_charge() -> None:
    model = get_device("ionic_synapse")
    equations, states = Equations.of(model, {}, TEMPERATURE), model.initial_states(model.values({}))
    high, low = (float(equations.charge("gate", {"gate": v, "drain": 0.1}, states)) for v in (0.51, 0.49))
    found = float(equations.capacitance("gate", {"gate": 0.5, "drain": 0.1}, states))
    assert found == pytest.approx((high - low) / 0.02, rel=1e-6)
    assert found > 0


def test_arrays_of_potentials_states_and_temperatures() -> None:
    model = get_device("drift_memristor")
    volts, temperatures = np.linspace(0.1, 1.0, 4), np.linspace(280.0, 360.0, 3)[:, None]
    p = list(model.values({"r_th": 1e5}).values())
    table = Equations(model, p, temperatures)
    rates = np.broadcast_to(table.rates({"p": volts}, [0.4])[0], (3, 4))
    for k, t in enumerate(temperatures[:, 0]):
        single = Equations.of(model, {"r_th": 1e5}, float(t))
        assert float(single.rates({"p": volts[2]}, [0.4])[0]) == pytest.approx(rates[k, 2], rel=1e-12)
    assert rates[0, 2] < rates[2, 2]
    assert set(table.observables({"p": volts}, [0.4])) == {o.name for o in model.observables}


def test_what_depends_on_nothing_has_the_common_shape() -> None:
    equations = Equations.of(get_device("drift_memristor"), {}, TEMPERATURE)
    assert equations.charge("p", {"p": np.linspace(0.0, 1.0, 4)}, [0.4]).shape == (4,)
    assert equations.capacitance("p", {}, [np.array([[0.2], [0.4]])]).shape == (2, 1)


def test_a_terminal_that_the_model_does_not_have() -> None:
    equations = Equations.of(get_device("drift_memristor"), {}, TEMPERATURE)
    with pytest.raises(UnknownNameError, match="terminal of drift_memristor.*'q'"):
        equations.current("p", {"q": 1.0}, [0.4])
    with pytest.raises(UnknownNameError, match="terminal of drift_memristor.*'gate'"):
        equations.current("gate", {"p": 1.0}, [0.4])


def test_a_value_out_of_range() -> None:
    with pytest.raises(ParameterError, match="g_on"):
        Equations.of(get_device("drift_memristor"), {"g_on": -1.0}, TEMPERATURE)
