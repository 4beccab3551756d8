"""A device in a circuit that a user writes with PySpice."""

import logging
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit

from synspice.compact.card import Card, Value
from synspice.compact.errors import ParameterError, UnknownNameError
from synspice.compact.registry import get_device
from synspice.netlists.ngspice import run_shared
from synspice.netlists.pyspice import subcircuit

pytestmark = pytest.mark.ngspice

TRIANGLE = "PWL(0 0 1m 1.2 2m 0)"


@pytest.fixture(autouse=True)
def _without_pyspice_log() -> Any:
    """PySpice logs that it does not know this version of ngspice."""
    logging.getLogger("PySpice").setLevel(logging.CRITICAL)


def circuit(*values: dict[str, float]) -> Circuit:
    """Return a circuit with one driven device for each set of instance values."""
    circuit = Circuit("devices side by side")
    circuit.subcircuit(subcircuit("drift_memristor", name="synapse", values={"k_set": 2.0}))
    circuit.V("in", "a", circuit.gnd, TRIANGLE)
    for k, own in enumerate(values, 1):
        circuit.V(f"m{k}", "a", f"a{k}", 0)
        circuit.X(str(k), "synapse", f"a{k}", circuit.gnd, **own)
    return circuit


def test_it_is_a_subcircuit_like_any_other() -> None:
    made = subcircuit("drift_memristor", name="synapse", values={"g_on": 2e-4})
    assert made.name == "synapse"
    assert tuple(made.external_nodes) == ("p", "n")
    assert made.parameters["g_on"] == 2e-4
    assert made.parameters["g_off"] == get_device("drift_memristor").parameter("g_off").default
    assert made.clone("other").name == "other"
    text = str(made)
    assert text.count(".subckt synapse p n") == text.count(".ends synapse") == 1
    assert "+ g_on=0.0002" in text


def test_a_card_names_the_subcircuit_and_its_sources() -> None:
    value = Value(value=3e-4, unit="S", method="documented", source="Fig. 1")
    card = Card(name="TaOx-5nm", device="drift_memristor", title="Ta oxide", source="a paper", values={"g_on": value})
    made = subcircuit(card)
    assert made.name == "taox_5nm"
    assert "[documented: Fig. 1]" in str(made)
    assert "Source: a paper" in str(made)


def test_instances_have_parameters_of_their_own() -> None:
    plot = run_shared(
        circuit({"x_init": 0.3}, {"x_init": 0.7}, {"x_init": 0.3, "frozen": 1}), analyses=[".tran 2u 2m"]
    ).plot("tran")
    low, high, held = (np.real(plot[f"i(vm{k})"]) for k in (1, 2, 3))
    state = np.real(plot["v(x1.x)"])
    early = int(np.searchsorted(np.real(plot.scale), 1e-4))
    ratio = (1e-4 / 1e-6) ** 0.4
    assert high[early] / low[early] == pytest.approx(ratio, rel=0.05)
    assert state[-1] > 0.35
    assert np.all(np.real(plot["v(x3.x)"]) == 0.3)
    assert low[-1] == pytest.approx(0.0, abs=1e-9)
    assert held.max() < low.max()


def test_pyspices_own_simulator_runs_it_and_agrees() -> None:
    simulator = circuit({"x_init": 0.3}).simulator(temperature=27, nominal_temperature=27)
    simulator.options(reltol=1e-6)
    analysis = simulator.transient(step_time=2e-6, end_time=2e-3, max_time=2e-6)
    time, state = np.array(analysis.time), np.array(analysis.nodes["x1.x"])
    plot = run_shared(circuit({"x_init": 0.3}), analyses=[".options reltol=1e-6", ".tran 2u 2m 0 2u"]).plot("tran")
    assert state == pytest.approx(np.interp(time, np.real(plot.scale), np.real(plot["v(x1.x)"])), abs=1e-4)


def test_pyspices_own_simulator_is_the_first_thing_in_a_process() -> None:
    """PySpice by itself asks for libngspice.so, a link of the development package, and never tries again."""
    script = """
        from PySpice.Spice.Netlist import Circuit
        from synspice.netlists.pyspice import subcircuit
        circuit = Circuit("first")
        circuit.subcircuit(subcircuit("drift_memristor", name="synapse"))
        circuit.V("in", "a", circuit.gnd, "PWL(0 0 1m 1.2 2m 0)")
        circuit.X("1", "synapse", "a", circuit.gnd)
        print(float(circuit.simulator().transient(step_time=2e-6, end_time=2e-3).time[-1]))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert float(answer.stdout or "nan") == pytest.approx(2e-3), answer.stderr


def test_wrong_names_and_values_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="drift_memristor"):
        subcircuit("drift_memristr")
    with pytest.raises(ParameterError, match="g_on"):
        subcircuit("drift_memristor", values={"g_onn": 1.0})
    with pytest.raises(ParameterError, match="range"):
        subcircuit("drift_memristor", values={"g_on": -1.0})
