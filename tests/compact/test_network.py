"""Networks on the reference engine: against closed forms and against equations written out by hand for scipy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import toys
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from synspice.compact.definition import Definition
from synspice.compact.devices.drift_memristor import MODEL as DRIFT
from synspice.compact.errors import DefinitionError, EngineError, ParameterError, SimulationError
from synspice.compact.model import Model
from synspice.compact.network import Capacitor, Instance, Network, Resistor, divider, series
from synspice.compact.network_reference import NetworkProblem, ReferenceOptions, simulate_network
from synspice.compact.operating_point import operating_point
from synspice.compact.python_code import compile_python
from synspice.compact.reference import simulate
from synspice.compact.stimulus import Bench, Drive, Waveform

LOOP = Waveform((0.0, 1e-3, 3e-3, 4e-3), (0.0, 1.0, -1.0, 0.0))
SLOW = {"k_set": 1.0, "v_set": 0.1, "k_reset": 1.0, "v_reset": 0.1}
OTHER = {"g_on": 3e-5, "k_set": 3.0, "v_set": 0.12, "x_init": 0.3}
TIMES = np.linspace(0, 4e-3, 81)


def step(voltage: float, rise: float, hold: float) -> Waveform:
    return Waveform.from_steps(0.0, [(rise, voltage), (hold, voltage)])


def functions(model: Model, values: dict[str, float]) -> tuple[Callable[..., float], Callable[..., float]]:
    """Return current(v, x) and rate(v, x) of a device with two terminals and one state."""
    emitted, p = compile_python(model), list(model.values(values).values())
    return (
        lambda v, x: float(emitted.currents([v], [x], p, 300.15)[0]),
        lambda v, x: float(emitted.rates([v], [x], p, 300.15)[0]),
    )


def by_hand(values_a: dict[str, float], values_b: dict[str, float], source: Waveform) -> tuple[np.ndarray, np.ndarray]:
    """Return the states of two drift memristors in series, shape (2, n), and the voltage between them, at TIMES."""
    (i_a, rate_a), (i_b, rate_b) = functions(DRIFT, values_a), functions(DRIFT, values_b)

    def middle(t: float, x: Any) -> float:
        u = float(source(t))
        if u == 0:
            return 0.0
        return float(brentq(lambda v: i_a(u - v, x[0]) - i_b(v, x[1]), min(u, 0), max(u, 0), xtol=1e-15))

    def rates(t: float, x: Any) -> list[float]:
        v = middle(t, x)
        return [rate_a(float(source(t)) - v, x[0]), rate_b(v, x[1])]

    start = [DRIFT.values(v)["x_init"] for v in (values_a, values_b)]
    states = solve_ivp(rates, (0, 4e-3), start, "LSODA", TIMES, rtol=1e-9, atol=1e-11, max_step=2e-5).y
    return states, np.array([middle(t, x) for t, x in zip(TIMES, states.T, strict=True)])


def test_two_drift_memristors_in_series() -> None:
    states, middle = by_hand(SLOW, {**SLOW, **OTHER}, LOOP)
    found = simulate_network(series(DRIFT, SLOW, DRIFT, {**SLOW, **OTHER}, pre=LOOP, capacitance=0), times=TIMES)
    assert np.ptp(states, axis=1).min() > 0.01
    np.testing.assert_allclose(found["a.x"], states[0], atol=1e-6)
    np.testing.assert_allclose(found["b.x"], states[1], atol=1e-6)
    np.testing.assert_allclose(found["v(middle)"], middle, atol=1e-6)


def test_the_default_capacitance_at_the_middle_changes_nothing_that_is_slow() -> None:
    with_it, without = (
        simulate_network(series(DRIFT, SLOW, DRIFT, OTHER, pre=LOOP, **c), times=TIMES)
        for c in ({}, {"capacitance": 0})
    )
    assert np.max(np.abs(with_it["v(middle)"] - without["v(middle)"])) < 2e-3
    assert np.max(np.abs(with_it["b.x"] - without["b.x"])) < 1e-3


def test_series_between_two_neurons() -> None:
    """Only the difference of the neurons' voltages counts."""
    both = series(DRIFT, SLOW, DRIFT, OTHER, pre=LOOP.scaled(0.4), post=LOOP.scaled(-0.6), capacitance=0)
    one = series(DRIFT, SLOW, DRIFT, OTHER, pre=LOOP, capacitance=0)
    first, second = (simulate_network(n, times=TIMES) for n in (both, one))
    np.testing.assert_allclose(first["b.x"], second["b.x"], atol=1e-7)
    np.testing.assert_allclose(first["i(post)"], -first["i(pre)"], atol=1e-12)
    assert "i(post)" not in second.signals


PRE, POST = step(1.0, 1e-4, 2e-3), Waveform.from_steps(0.0, [(1e-3, 0.0), (1e-4, -0.8), (1e-3, -0.8), (1e-4, 0.0)])
GATE = divider(toys.transistor(), {}, pre=PRE, post=POST, r_pre=2e5, r_post=1e5, others={"d": Waveform.constant(0.1)})


def test_a_divider_drives_a_gate_with_a_charge() -> None:
    times = np.linspace(0, 2.2e-3, 100)
    p = toys.transistor().values({})

    def rates(t: float, y: Any) -> list[float]:
        v, w = y
        into = (PRE(t) - v) / 2e5 + (POST(t) - v) / 1e5 - p["g_leak"] * v
        plus, minus = (max(s * v, 0.0) ** 3 / (v**2 + 1e-6) for s in (1, -1))
        return [float(into) / p["c_g"], p["k"] * (plus * (1 - w) - minus * w)]

    v, w = solve_ivp(rates, (0, 2.2e-3), [0.0, 0.2], "LSODA", times, rtol=1e-10, atol=1e-12, max_step=1e-5).y
    found = simulate_network(GATE, times=times)
    assert np.ptp(v) > 0.5
    np.testing.assert_allclose(found["v(g)"], v, atol=1e-6)
    np.testing.assert_allclose(found["dut.w"], w, atol=1e-6)
    np.testing.assert_allclose(found["dut.i"], (PRE(times) - v) / 2e5 + (POST(times) - v) / 1e5, atol=1e-10)
    np.testing.assert_allclose(found["dut.read_i"], p["g_ch"] * (0.1 + w) * 0.1, rtol=1e-5)


def ladder(**changes: Any) -> Network:
    """Return a network of resistors and capacitors with a floating pair of nodes."""
    parts: dict[str, Any] = {
        "instances": (),
        "resistors": (Resistor("r1", "drive", "a", 1e3), Resistor("r2", "b", "0", 2e3)),
        "capacitors": (Capacitor("c1", "a", "b", 1e-6),),
        "sources": {"drive": Drive(waveform=step(1.0, 1e-9, 1e-2))},
    }
    return Network(**{**parts, **changes})


def test_a_high_pass_without_a_capacitor_to_ground() -> None:
    times = np.linspace(1e-4, 1e-2, 50)
    found = simulate_network(ladder(), times=np.concatenate([[0.0], times]))
    np.testing.assert_allclose(found["v(b)"][1:], 2 / 3 * np.exp(-times / 3e-3), atol=1e-6)
    np.testing.assert_allclose(found["i(drive)"][1:], np.exp(-times / 3e-3) / 3e3, atol=1e-9)


def test_a_low_pass_behind_a_source_that_is_on_from_the_start() -> None:
    low = ladder(
        resistors=(Resistor("r1", "drive", "a", 1e3), Resistor("r2", "a", "0", 1e3)),
        capacitors=(Capacitor("c1", "a", "0", 1e-6),),
        sources={"drive": Drive(waveform=Waveform((0, 1e-3, 1e-3 + 1e-9, 5e-3), (1, 1, 0, 0)), series_resistance=1e3)},
    )
    times = np.linspace(1.1e-3, 5e-3, 30)
    found = simulate_network(low, times=np.concatenate([[0.0, 5e-4], times]))
    np.testing.assert_allclose(found["v(a)"][:2], 1 / 3, rtol=1e-9)
    np.testing.assert_allclose(found["v(a)"][2:], np.exp(-(times - 1e-3) * 1.5e3) / 3, atol=1e-6)


def test_resistors_alone() -> None:
    found = simulate_network(ladder(resistors=(*ladder().resistors, Resistor("r3", "a", "b", 1e3)), capacitors=()))
    assert found["v(b)"][-1] == pytest.approx(0.5)
    assert found["i(drive)"][-1] == pytest.approx(1 / 4e3)


def test_a_device_with_an_impedance_at_both_ends_and_a_charge_between() -> None:
    """The pair of nodes floats: one is algebraic, and their difference is differential."""
    drive = Drive(waveform=LOOP, series_resistance=1e3)
    back = Drive(waveform=LOOP.scaled(-0.5), series_resistance=2e3)
    device = Instance(name="c", model=toys.varactor(), values={}, nodes=("a", "b"))
    found = simulate_network(Network(instances=(device,), sources={"a": drive, "b": back}), times=TIMES)
    lumped = Drive(waveform=LOOP.scaled(1.5), series_resistance=3e3)
    wanted = simulate(toys.varactor(), {}, Bench(drives={"p": lumped}), times=TIMES)
    np.testing.assert_allclose(found["c.v"], wanted["voltage"], atol=1e-7)
    np.testing.assert_allclose(found["c.i"], wanted["current"], atol=1e-10)
    np.testing.assert_allclose(found["i(b)"], -found["i(a)"], atol=1e-12)


@pytest.mark.parametrize("toy", ["relaxing", "varactor", "heated"])
def test_a_bench_is_a_network_of_one_device(toy: str) -> None:
    model, drive = toys.TOYS[toy](), Drive(waveform=LOOP, series_resistance=1e3, compliance=1e-4)
    wanted = simulate(model, {}, Bench(drives={"p": drive}), times=TIMES)
    alone = Network(instances=(Instance(name="m", model=model, values={}, nodes=("n1", "0")),), sources={"n1": drive})
    found = simulate_network(alone, times=TIMES)
    np.testing.assert_array_equal(found["m.i"], wanted["current"])
    np.testing.assert_array_equal(found["v(n1)"], wanted["voltage"])
    for state in model.states:
        np.testing.assert_array_equal(found[f"m.{state.name}"], wanted[state.name])


def test_currents_add_up_at_every_node() -> None:
    network = series(
        toys.varactor(),
        {},
        DRIFT,
        {**SLOW, "c_0": 1e-9},
        pre=Drive(waveform=LOOP, series_resistance=1e4),
        capacitance=1e-8,
    )
    network = replace(network, resistors=(Resistor("leak", "middle", "0", 1e5),))
    found = simulate_network(network)
    np.testing.assert_allclose(found["i(pre)"], found["a.i"], atol=1e-12)
    np.testing.assert_allclose(found["i(pre)"], (LOOP(found.time) - found["v(pre)"]) / 1e4, atol=1e-12)
    slope = np.gradient(found["v(middle)"], found.time, edge_order=2)
    left = found["a.i"] - found["b.i"] - found["v(middle)"] / 1e5 - 1e-8 * slope
    smooth = np.min(np.abs(found.time[:, None] - network.breakpoints), axis=1) > 1e-4
    assert np.max(np.abs(left[smooth])) < 1e-3 * np.max(np.abs(found["a.i"]))


def test_a_frozen_network_and_a_frozen_instance() -> None:
    network = series(DRIFT, {**SLOW, "frozen": 1.0}, DRIFT, OTHER, pre=LOOP)
    one = simulate_network(network, times=TIMES)
    assert np.ptp(one["a.x"]) == 0 < np.ptp(one["b.x"])
    both = simulate_network(replace(network, frozen=True), times=TIMES)
    assert np.ptp(both["a.x"]) == np.ptp(both["b.x"]) == 0
    assert both.options["frozen"] is True


def test_sensitivities_of_a_network() -> None:
    network = series(DRIFT, SLOW, DRIFT, OTHER, pre=LOOP)
    point = [network.instances[0].values["v_set"], network.instances[1].values["g_on"]]
    problem = NetworkProblem(network, TIMES, ["a.v_set", "b.g_on"], ReferenceOptions(reltol=1e-10, abstol=1e-12))
    signal, slopes = problem.jacobian(point, "b.i")
    row = problem.signal_names.index("b.i")
    np.testing.assert_allclose(signal, problem.solve(point)[row], rtol=1e-6, atol=1e-14)
    for k, value in enumerate(point):
        up, down = ([*point[:k], f * value, *point[k + 1 :]] for f in (1 + 1e-4, 1 - 1e-4))
        wanted = (problem.solve(up)[row] - problem.solve(down)[row]) / (2e-4 * value)
        np.testing.assert_allclose(slopes[:, k], wanted, atol=1e-4 * np.max(np.abs(wanted)))


def test_sensitivities_from_an_operating_point_that_is_not_zero() -> None:
    """The middle node's voltage at the start depends on the parameters too."""
    network = series(DRIFT, SLOW, DRIFT, OTHER, pre=Waveform((0, 1e-3), (0.5, 0.5)))
    names, times = ["a.g_off", "b.x_init"], np.linspace(0, 1e-3, 11)
    problem = NetworkProblem(network, times, names, ReferenceOptions(reltol=1e-10, abstol=1e-12))
    centre = [DRIFT.values(SLOW)["g_off"], OTHER["x_init"]]
    _, slopes = problem.jacobian(centre, "v(middle)")
    row = problem.signal_names.index("v(middle)")
    for k, value in enumerate(centre):
        up, down = (
            problem.solve([c * (1 + s) if j == k else c for j, c in enumerate(centre)])[row] for s in (1e-4, -1e-4)
        )
        wanted = (up - down) / (2e-4 * value)
        assert abs(wanted[0]) > 0
        np.testing.assert_allclose(slopes[:, k], wanted, atol=1e-5 * np.max(np.abs(wanted)))


def test_a_stiff_switch_in_series_with_a_drift_memristor() -> None:
    """On within microseconds, off over milliseconds: the synapse learns during the pulses only, with and without 1 fF."""
    pulse = [(1e-6, 1.0), (2e-4, 1.0), (1e-6, 0.0), (5e-3, 0.0)]
    wave = Waveform.from_steps(0.0, pulse * 2)
    synapse = {"v_set": 0.08, "k_set": 1e3 * np.exp(-0.9 / 0.08), "g_on": 5e-5, "x_init": 0.2}
    weights = []
    for capacitance in (1e-15, 0.0):
        switch = {"g_on": 1e-3, "g_off": 1e-10, "k": 0.03}
        network = series(toys.threshold_switch(), switch, DRIFT, synapse, pre=wave, capacitance=capacitance)
        found = simulate_network(network)
        conductance = found["a.conductance"]
        assert conductance.max() / conductance.min() > 1e4
        assert found["v(middle)"].max() > 0.7
        weights.append(found.at("b.x", np.array([wave.time[1], wave.time[3], wave.time[5], wave.duration])))
    assert weights[0][1] > weights[0][0] + 0.01
    assert weights[0][2] == pytest.approx(weights[0][1], abs=1e-3)
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-4)


def test_the_operating_point_of_a_network_that_starts_with_a_voltage() -> None:
    (i_a, _), (i_b, _) = functions(DRIFT, SLOW), functions(DRIFT, OTHER)
    network = series(DRIFT, SLOW, DRIFT, OTHER, pre=Waveform((0, 1e-6), (0.9, 0.9)))
    wanted = brentq(lambda v: i_a(0.9 - v, 0.1) - i_b(v, 0.3), 0, 0.9, xtol=1e-15)
    assert simulate_network(network)["v(middle)"][0] == pytest.approx(wanted, abs=1e-12)


def test_newton_is_damped_and_then_ramped() -> None:
    def diode(v: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
        current = fraction * 5.0 / 100 - v / 100 - 1e-14 * np.expm1(v / 0.025)
        return current, np.diag(-1 / 100 - 1e-14 / 0.025 * np.exp(v / 0.025))

    found = operating_point(diode, 1)
    assert abs(diode(found, 1.0)[0][0]) < 1e-12

    def never(v: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
        square = 1 + v**2
        return fraction - v / square, np.diag((v**2 - 1) / square**2)

    with pytest.raises(SimulationError, match=r"no operating point: the voltages were found up to (49\.9|50)"):
        operating_point(never, 1)


def test_devices_that_are_off_leave_their_node_to_the_others() -> None:
    """Two rectifiers back to back: no current at all flows at the operating point, and the Jacobian is singular."""
    pair = (
        Instance(name="a", model=toys.rectifier(), values={}, nodes=("pre", "middle")),
        Instance(name="b", model=toys.rectifier(), values={}, nodes=("post", "middle")),
    )
    wave = Drive(waveform=Waveform((0, 1e-3), (-1.0, -1.0)))
    found = simulate_network(
        Network(instances=pair, capacitors=(Capacitor("c", "middle", "0", 1e-12),), sources={"pre": wave, "post": wave})
    )
    assert np.max(np.abs(found["a.i"])) < 1e-12


def cross_charged() -> Model:
    """Return a device whose gate charge depends on its drain's voltage."""
    d = Definition("toy_cross", "Gate charge that depends on the drain")
    g, s, k = d.terminals("g", "s", "k")
    v_g, v_k = d.voltage(g, s, "v_g"), d.voltage(k, s, "v_k")
    g_0 = d.parameter("g_0", "S", 1e-6, "conductance", above=0)
    c_0 = d.parameter("c_0", "F", 1e-9, "capacitance", above=0)
    d.current(g, s, g_0 * v_g)
    d.current(k, s, g_0 * v_k)
    d.charge(g, s, c_0 * (v_g + v_k / 2))
    return d.model()


def test_a_charge_on_the_voltage_of_a_node_without_one() -> None:
    drive = Drive(waveform=LOOP, series_resistance=1e3)
    device = Instance(name="m", model=cross_charged(), values={}, nodes=("g", "0", "k"))
    network = Network(instances=(device,), sources={"g": drive, "k": drive})
    with pytest.raises(EngineError, match="no charge holds, among nodes 'g', 'k'"):
        simulate_network(network)
    times = np.linspace(0, 4e-3, 8001)
    held = simulate_network(replace(network, capacitors=(Capacitor("c", "k", "0", 1e-9),)), times=times)
    left = held["i(g)"] - 1e-6 * held["v(g)"]
    charge = 1e-9 * (held["v(g)"] + held["v(k)"] / 2)
    passed = np.concatenate([[0.0], np.cumsum(np.diff(times) * (left[1:] + left[:-1]) / 2)])
    np.testing.assert_allclose(passed, charge, atol=1e-3 * np.max(charge))


def test_signals_have_names_and_units() -> None:
    assert GATE.signals == {
        "v(pre)": "V",
        "v(post)": "V",
        "v(d)": "V",
        "v(g)": "V",
        "i(pre)": "A",
        "i(post)": "A",
        "i(d)": "A",
        "dut.v": "V",
        "dut.i": "A",
        "dut.read_v": "V",
        "dut.read_i": "A",
        "dut.w": "1",
        "dut.conductance": "S",
    }
    found = simulate_network(GATE, experiment="gate")
    assert list(found.signals) == list(found.units) == list(GATE.signals)
    assert (found.experiment, found.engine) == ("gate", "reference")


DEVICE = Instance(name="m", model=DRIFT, values={}, nodes=("a", "b"))
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt node": (
        {"resistors": (Resistor("r1", "drive", "aa", 1e3), *ladder().resistors)},
        "node 'aa' hangs on a single terminal; did you mean 'a'",
    ),
    "source at an unknown node": (
        {"sources": {**ladder().sources, "drve": Drive(waveform=LOOP)}},
        "node 'drve' hangs on a single terminal; did you mean 'drive'",
    ),
    "floating": (
        {"resistors": (ladder().resistors[1], Resistor("r1", "a", "c", 1.0), Resistor("r3", "c", "a", 1.0))},
        "no direct current can reach ground from 'a', 'c'",
    ),
    "negative resistance": (
        {"resistors": (Resistor("r1", "drive", "a", -1.0), Resistor("r2", "b", "0", 1.0))},
        "resistor 'r1': -1 ohm must be finite and above 0",
    ),
    "infinite capacitance": (
        {"capacitors": (Capacitor("c1", "a", "b", np.inf),)},
        "capacitor 'c1': inf F must be finite",
    ),
    "shorted": ({"resistors": (*ladder().resistors, Resistor("r3", "a", "a", 1.0))}, "'r3': both ends are at node 'a'"),
    "name twice": (
        {"capacitors": (Capacitor("r1", "a", "b", 1e-6),)},
        "the name 'r1' is used for more than one element",
    ),
    "reserved node": (
        {"resistors": (*ladder().resistors, Resistor("r3", "a", "gnd", 1.0))},
        "node 'gnd': the word means something else",
    ),
    "upper-case instance": ({"instances": (replace(DEVICE, name="M"),)}, "instance 'M': a name is lower-case"),
    "too few nodes": (
        {"instances": (replace(DEVICE, nodes=("a",)),)},
        "1 nodes for the 2 terminals of drift_memristor",
    ),
    "unknown parameter": (
        {"instances": (replace(DEVICE, values={"g_onn": 1.0}),)},
        "instance 'm': no parameter 'g_onn'",
    ),
    "value out of range": (
        {"instances": (replace(DEVICE, values={"g_on": -1.0}),)},
        "instance 'm': g_on = -1 S is outside",
    ),
    "no source": ({"sources": {}}, "there is no source"),
    "source at ground": ({"sources": {"0": Drive(waveform=LOOP)}}, "a source at node '0' drives ground"),
    "temperature": ({"temperature": 0.0}, "temperature 0 K must be finite and above 0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str) -> None:
    changes, message = FAULTS[fault]
    with pytest.raises(ParameterError) as caught:
        ladder(**changes)
    assert message in str(caught.value)


def test_all_faults_are_collected() -> None:
    with pytest.raises(ParameterError) as caught:
        ladder(resistors=(Resistor("r1", "drive", "aa", 0.0),), temperature=-1.0)
    assert len(caught.value.faults) == 5
    for part in ("0 ohm", "-1 K", "'aa' hangs", "'a' hangs", "'b' hangs"):
        assert part in str(caught.value)


def test_an_observable_with_the_name_of_a_port_signal() -> None:
    d = Definition("toy_named", "Observable named read_v")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    d.current(p, n, d.parameter("g_0", "S", 1.0, "conductance", above=0) * v)
    d.observable("read_v", "V", v, "voltage")
    with pytest.raises(DefinitionError, match="observable 'read_v': the word is reserved"):
        d.model()


def test_mistakes_in_the_constructors() -> None:
    with pytest.raises(ParameterError, match="toy_transistor has 3 terminals; two are needed"):
        series(DRIFT, {}, toys.transistor(), {}, pre=LOOP)
    with pytest.raises(ParameterError, match=r"no terminal 'dd'(.|\n)*'g' is the one that the divider drives"):
        divider(toys.transistor(), {}, pre=LOOP, post=LOOP, r_pre=1.0, r_post=1.0, others={"dd": LOOP, "g": LOOP})


def test_a_constant_stimulus_has_no_duration() -> None:
    with pytest.raises(ParameterError, match="no duration"):
        simulate_network(ladder(sources={"drive": Drive(waveform=Waveform.constant(1.0))}))
