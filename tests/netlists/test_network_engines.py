"""Networks in ngspice and VACASK: the deck, and agreement with the reference engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import toys
from waveform_distance import difference

from synspice.compact.devices.drift_memristor import MODEL as DRIFT
from synspice.compact.errors import ParameterError, UnknownNameError
from synspice.compact.network import Capacitor, Instance, Network, Resistor, divider, series
from synspice.compact.network_reference import simulate_network
from synspice.compact.result import Result
from synspice.compact.stimulus import Drive, Waveform
from synspice.netlists.deck import circuit_of, format_network
from synspice.netlists.network import NetworkJob, run_networks, run_networks_ngspice
from synspice.netlists.ngspice import SolverOptions

LOOP = Waveform((0.0, 1e-3, 3e-3, 4e-3), (0.0, 1.0, -1.0, 0.0))
SLOW = {"k_set": 1.0, "v_set": 0.1, "k_reset": 1.0, "v_reset": 0.1}
OTHER = {"g_on": 3e-5, "k_set": 3.0, "v_set": 0.12, "x_init": 0.3}
LIMIT = 5e-3
"""Agreement of the engines, relative to full scale."""

DRIVEN = Drive(waveform=LOOP, series_resistance=1e4)
NETWORKS = {
    "two drift memristors": series(DRIFT, SLOW, DRIFT, {**SLOW, **OTHER}, pre=LOOP),
    "no middle capacitance": series(DRIFT, SLOW, DRIFT, OTHER, pre=LOOP, capacitance=0),
    "impedance at both ends": series(
        DRIFT,
        SLOW,
        DRIFT,
        OTHER,
        pre=DRIVEN,
        post=Drive(waveform=LOOP.scaled(-0.5), series_resistance=1e4, compliance=5e-6),
    ),
    "gate on a divider": divider(
        toys.transistor(),
        {},
        pre=Waveform.from_steps(0.0, [(1e-4, 1.0), (2e-3, 1.0)]),
        post=Waveform.from_steps(0.0, [(1e-3, 0.0), (1e-4, -0.8), (1e-3, -0.8)]),
        r_pre=2e5,
        r_post=1e5,
        others={"d": Waveform.constant(0.1)},
    ),
    "starts with a voltage": series(
        toys.relaxing(),
        {},
        DRIFT,
        SLOW,
        pre=Drive(waveform=Waveform((0, 1e-3, 2e-3), (0.8, 0.8, 0.2)), series_resistance=1e3),
    ),
    "charges that float": Network(
        instances=(Instance(name="c", model=toys.varactor(), values={}, nodes=("a", "b")),),
        capacitors=(Capacitor("c1", "a", "b", 1e-8),),
        resistors=(Resistor("r1", "a", "0", 1e4),),
        sources={"a": DRIVEN, "b": Drive(waveform=LOOP.scaled(-0.5), series_resistance=2e3)},
    ),
    "a heated pair at 350 K": replace(
        series(toys.heated(), {}, toys.heated(), {"rise_init": 9.0}, pre=DRIVEN), temperature=350.0
    ),
}


def both(network: Network, engine: str = "ngspice") -> tuple[Result, Result]:
    return run_networks([network], "reference")[0], run_networks([network], engine)[0]


@pytest.mark.every_ngspice
@pytest.mark.parametrize("engine", ["ngspice", "vacask"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_engines_agree(name: str, engine: str) -> None:
    network = NETWORKS[name]
    wanted, found = both(network, engine)
    assert list(found.signals) == list(wanted.signals) == list(network.signals)
    assert found.time[-1] == pytest.approx(network.duration)
    for signal in network.signals:
        assert difference(wanted, found, signal) < LIMIT, signal


@pytest.mark.every_ngspice
def test_currents_add_up_in_ngspice() -> None:
    found = run_networks([NETWORKS["no middle capacitance"]])[0]
    np.testing.assert_allclose(found["i(pre)"], found["a.i"], rtol=1e-6, atol=1e-15)
    np.testing.assert_allclose(found["a.i"], found["b.i"], rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(found["a.v"] + found["b.v"], LOOP(found.time), atol=1e-9)


def stiff(seed: int) -> Network:
    """Return a random volatile switch (on within microseconds, off over milliseconds) in series with a drift memristor."""
    random = np.random.default_rng(seed)
    g_on, ratio = 10 ** random.uniform(-4.5, -3), 10 ** random.uniform(5, 10)
    v_s, threshold, amplitude = random.uniform(0.01, 0.03), random.uniform(0.2, 0.4), random.uniform(0.8, 1.3)
    switch = {
        "g_on": g_on,
        "g_off": g_on / ratio,
        "v_s": v_s,
        "k": 1e5 * np.exp(-threshold / v_s),
        "tau": 10 ** random.uniform(-4, -2),
        "rate_max": 10 ** random.uniform(6, 9),
    }
    v_set = random.uniform(0.06, 0.12)
    rate = 3000 * np.exp(-0.9 * amplitude / v_set)
    synapse = {"v_set": v_set, "v_reset": v_set, "k_set": rate, "k_reset": rate, "x_init": random.uniform(0.1, 0.5)}
    width, gap = 10 ** random.uniform(-4.5, -3), 10 ** random.uniform(-4, -2)
    if seed % 2:
        steps = [(3 * width, amplitude), (3 * width, 0.0), (3 * width, -amplitude), (3 * width, 0.0)]
    else:
        steps = [(1e-6, amplitude), (width, amplitude), (1e-6, 0.0), (gap, 0.0)] * 3
    return series(toys.threshold_switch(), switch, DRIFT, synapse, pre=Waveform.from_steps(0.0, steps))


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(k, marks=pytest.mark.slow) for k in range(2, 20))])
@pytest.mark.parametrize("engine", ["ngspice", "vacask"])
def test_the_engines_agree_on_stiff_pairs(seed: int, engine: str) -> None:
    """A jump may come a ten-thousandth of the duration early or late; the weight change may not depend on it."""
    wanted, found = both(stiff(seed), engine)
    conductance = wanted["a.conductance"]
    assert conductance.max() / conductance.min() > 1e3
    change = np.ptp(wanted["b.x"])
    assert abs(found["b.x"][-1] - wanted["b.x"][-1]) < LIMIT * change
    for signal in ("v(middle)", "i(pre)", "a.x", "b.x"):
        assert difference(wanted, found, signal, shift=1e-4) < 2 * LIMIT, signal


def test_a_subcircuit_for_each_model_and_values() -> None:
    chain = Network(
        instances=(
            Instance(name="m1", model=DRIFT, values={"x_init": 0.25}, nodes=("pre", "a")),
            Instance(name="m2", model=DRIFT, values={"x_init": 0.5, "frozen": 1.0}, nodes=("a", "b")),
            Instance(name="m3", model=DRIFT, values={"g_on": 2e-4}, nodes=("b", "c")),
            Instance(name="m4", model=toys.relaxing(), values={}, nodes=("c", "0")),
        ),
        sources={"pre": DRIVEN},
    )
    deck = format_network(chain)
    assert deck.count(".subckt ") == 3
    assert "Xm1 m1.p a drift_memristor dtemp=0.0 frozen=0.0 x_init=0.25\n" in deck
    assert "Xm2 m2.p b drift_memristor dtemp=0.0 frozen=1.0 x_init=0.5\n" in deck
    assert "Xm3 m3.p c drift_memristor_2 dtemp=0.0 frozen=0.0 x_init=0.1\n" in deck
    assert "Xm4 m4.p 0 toy_relaxing frozen=0.0 x_init=0.0\n" in deck
    assert "Vm2.p a m2.p 0\n" in deck
    assert "Rpre.source pre.source pre 10000.0\n" in deck
    assert format_network(replace(chain, frozen=True)).count(" frozen=1.0 ") == 4


@pytest.mark.every_ngspice
@pytest.mark.parametrize("engine", ["ngspice", "vacask"])
def test_names_that_look_like_our_own(engine: str) -> None:
    """A user's names have no full stop, ours have one where they could meet; in VACASK ours have a prefix."""
    network = Network(
        instances=(Instance(name="pre_source", model=DRIFT, values={}, nodes=("pre_source", "0")),),
        resistors=(Resistor("pre_source_p", "pre", "pre_source", 1e3), Resistor("source_pre", "pre", "0", 1e5)),
        sources={"pre": DRIVEN},
    )
    wanted, found = both(network, engine)
    assert difference(wanted, found, "v(pre_source)") < LIMIT


@pytest.mark.every_ngspice
@pytest.mark.parametrize("engine", ["reference", "ngspice", "vacask"])
def test_frozen_states_stay(engine: str) -> None:
    (found,) = run_networks([replace(NETWORKS["impedance at both ends"], frozen=True)], engine)
    np.testing.assert_allclose(found["b.x"], 0.3, rtol=1e-12)
    assert np.ptp(found["a.x"]) == 0.0
    assert found.options["frozen"] is True


def test_the_circuit_can_be_extended() -> None:
    circuit = circuit_of(NETWORKS["two drift memristors"])
    circuit.R("probe", "middle", circuit.gnd, 1e6)
    text = str(circuit)
    assert "Rprobe middle 0 1000000.0" in text
    assert "Cc_middle middle 0 1e-12" in text


def test_the_record_of_a_run() -> None:
    calls = []
    jobs = [NetworkJob(network=n, experiment=f"run {k}") for k, n in enumerate(list(NETWORKS.values())[:2])]
    results = run_networks(jobs, progress=lambda done, total: calls.append((done, total)))
    assert [r.experiment for r in results] == ["run 0", "run 1"]
    assert calls == [(1, 2), (2, 2)]
    assert results[0].deck == format_network(jobs[0].network)
    assert results[0].engine_version.startswith("ngspice ")
    assert results[0].options["frozen"] is False
    assert results[0].units["a.conductance"] == "S"


@pytest.mark.every_ngspice
def test_options_reach_the_engine() -> None:
    network = NETWORKS["two drift memristors"]
    (found,) = run_networks([network], options={"reltol": 1e-5, "method": "gear"})
    assert "reltol=1e-05" in found.deck
    assert "method=gear" in found.deck
    assert (found.options["reltol"], found.options["method"]) == (1e-5, "gear")
    (same,) = run_networks_ngspice([NetworkJob(network=network)], options=SolverOptions(reltol=1e-5, method="gear"))
    np.testing.assert_array_equal(same["b.x"], found["b.x"])
    (reference,) = run_networks([network], "reference", options={"reltol": 1e-6})
    assert reference.options["reltol"] == 1e-6


def test_mistakes() -> None:
    network = NETWORKS["two drift memristors"]
    with pytest.raises(UnknownNameError, match="engine for networks 'ngspic'; did you mean 'ngspice'"):
        run_networks([network], "ngspic")
    with pytest.raises(ParameterError, match="no option 'retol'; did you mean 'reltol'"):
        run_networks([network], options={"retol": 1e-6})


@pytest.mark.parametrize("node", ["in", "e", "temp", "all", "v"])
def test_node_names_that_are_words_elsewhere(node: str) -> None:
    parts = NETWORKS["charges that float"]
    network = replace(
        parts, resistors=(*parts.resistors, Resistor("r2", "a", node, 1e3), Resistor("r3", node, "b", 1e3))
    )
    (found,) = run_networks([network])
    np.testing.assert_allclose(found[f"v({node})"], (found["v(a)"] + found["v(b)"]) / 2, atol=1e-8)


def test_more_instances_than_a_title_holds() -> None:
    """The title of a deck may have 512 characters in ngspice 39; these instances' names alone have 750."""
    instances = tuple(
        Instance(
            name=f"a_synapse_with_a_long_name_{k:03d}",
            model=DRIFT,
            values={**SLOW, "x_init": 0.2 + 0.02 * k},
            nodes=("pre", "0"),
        )
        for k in range(25)
    )
    network = Network(instances=instances, sources={"pre": DRIVEN})
    (wanted,) = run_networks([network], "reference")
    (found,) = run_networks(
        [NetworkJob(network=network, steps=100)], options={"reltol": 1e-4, "vntol": 1e-6, "abstol": 1e-12}
    )
    for signal in ("i(pre)", f"{instances[0].name}.x", f"{instances[24].name}.x"):
        assert difference(wanted, found, signal) < LIMIT, signal


@pytest.mark.parametrize("engine", ["ngspice", "vacask"])
def test_a_short_pulse_and_a_long_rest(engine: str) -> None:
    """A millisecond in ten thousand seconds: the largest step is bounded by the shortest feature of any source, as on a bench."""
    pulse = Waveform((0.0, 1e-4, 1.1e-3, 1.2e-3, 1e4), (0.0, 1.0, 1.0, 0.0, 0.0))
    network = series(
        toys.relaxing(), {}, DRIFT, SLOW, pre=pulse, post=Waveform((0.0, 5e3, 1e4), (0.0, 0.0, 0.0)), capacitance=0
    )
    (found,) = run_networks([network], engine)
    assert found.options["max_step"] == pytest.approx(1.0)
    wanted = simulate_network(network, times=found.time)
    for signal in ("a.x", "b.x"):
        assert np.abs(found[signal] - wanted[signal]).max() < LIMIT * np.ptp(wanted[signal]), signal
