"""Experiments: what they apply, what they measure against closed forms, and mistakes in their settings."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import toys

from synspice.compact.batch import simulate_batch
from synspice.compact.card import Card, Value
from synspice.compact.errors import ParameterError, UnknownNameError
from synspice.compact.reference import simulate
from synspice.compact.registry import default_card, get_device
from synspice.compact.result import Measured, Result
from synspice.compact.stimulus import Bench, Drive, Waveform
from synspice.netlists.deck import piecewise_linear
from synspice.netlists.experiments import (
    EXPERIMENTS,
    Experiment,
    IVLoop,
    PiecewiseLinear,
    PulseTrain,
    Relaxation,
    get_experiment,
)
from synspice.netlists.experiments.base import crossing
from synspice.netlists.run import ENGINES, get_engine, run, run_many
from synspice.netlists.testbench import Job, bench_circuit, format_bench, run_ngspice

BOTH = pytest.mark.parametrize("engine", ["reference", "ngspice"])


def number(result: Result, name: str) -> float:
    """Return a measured quantity that is one number."""
    value = result.quantities[name].value
    assert isinstance(value, float)
    return value


# --- the loop ---


def test_a_resistor_s_loop() -> None:
    result = run(IVLoop(v_first=1.5, v_second=-0.75, ramp_rate=2.0), toys.resistor(), "ngspice")
    assert number(result, "largest_current") == pytest.approx(3e-3)
    assert number(result, "smallest_current") == pytest.approx(-1.5e-3)
    for side in ("first", "second"):
        assert number(result, f"{side}_conductance_out") == pytest.approx(2e-3)
        assert number(result, f"{side}_conductance_back") == pytest.approx(2e-3)
        assert number(result, f"{side}_ratio") == pytest.approx(1.0)
        assert result.quantities[f"{side}_switching_voltage"].value is None
    assert result.time[-1] == pytest.approx(1.5 / 2 * 2 + 0.75 / 2 * 2)
    assert result.quantities["first_ratio"].unit == "1"
    assert json.loads(result.to_json())["quantities"]["first_switching_voltage"]["value"] is None


def test_a_series_resistance_and_compliance_in_the_loop() -> None:
    behind = run(IVLoop(series_resistance=500.0), toys.resistor(), "ngspice")
    assert number(behind, "largest_current") == pytest.approx(1.5 / 1000)
    assert number(behind, "first_conductance_out") == pytest.approx(1e-3), "of source voltage, as an instrument sees it"
    limited = run(IVLoop(compliance=1e-3), toys.resistor(), "ngspice")
    assert number(limited, "largest_current") == pytest.approx(1e-3, rel=1e-4)
    assert number(limited, "smallest_current") == pytest.approx(-1e-3, rel=1e-4)


def test_a_rectifier_carries_nothing_on_one_side() -> None:
    result = run(IVLoop(), toys.rectifier(), "ngspice")
    assert number(result, "smallest_current") == pytest.approx(0.0, abs=1e-14)
    assert "second_switching_voltage" not in result.quantities
    assert number(result, "first_conductance_out") == pytest.approx(2e-3 * 0.1**2 / (0.1**2 + 0.01**2), rel=1e-3)


@pytest.mark.every_ngspice
@BOTH
def test_the_switching_voltage_is_where_the_conductance_changes_fastest(engine: str) -> None:
    """A slow ramp: G follows 1 + 10 v^2/(v^2 + v_0^2), whose logarithm is steepest at 0.11 V, 10 mV behind."""
    values = {"tau": 1e-2}
    result = run(IVLoop(v_first=1.0, v_second=0), toys.relaxing(), engine, values=values)
    v = np.linspace(0.02, 1, 20001)
    steepest = v[np.argmax(np.gradient(np.log(1 + 10 * v**2 / (v**2 + 0.25)), v))]
    assert number(result, "first_switching_voltage") == pytest.approx(steepest, abs=0.03)
    assert "second_switching_voltage" not in result.quantities


@pytest.mark.every_ngspice
@BOTH
def test_a_device_that_forgets_at_once_does_not_switch(engine: str) -> None:
    result = run(IVLoop(v_first=1.0, v_second=0), toys.relaxing(), engine, values={"tau": 1e-6})
    assert result.quantities["first_switching_voltage"].value is None
    at_read = 1e-5 * (1 + 10 * 0.01 / 0.26)
    assert number(result, "first_conductance_out") == pytest.approx(at_read, rel=5e-3)
    assert number(result, "first_ratio") == pytest.approx(1.0, abs=2e-3)
    assert "second_ratio" not in result.quantities


def test_cycles_of_a_loop() -> None:
    wave = IVLoop(v_first=1.0, v_second=-0.5, cycles=2).bench(toys.relaxing()).drives["p"].waveform
    assert wave.value == (0.0, 1.0, 0.0, -0.5, 0.0, 1.0, 0.0, -0.5, 0.0)
    np.testing.assert_allclose(np.diff(wave.time), [1, 1, 0.5, 0.5] * 2)


# --- pulses ---


def after_pulses(train: PulseTrain, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the state at the end of each read (one before the train) and of each pulse, edges and reads neglected."""
    x, reads, pulses = 0.0, [0.0], []
    for amplitude in train.amplitudes:
        drive = amplitude**2 / (amplitude**2 + 0.25)
        x = drive + (x - drive) * np.exp(-(train.width + train.edge) / tau)
        pulses.append(x)
        rest = train.gap / 2 + train.edge + train.read_width + train.edge
        reads.append(x * np.exp(-rest / tau))
        x *= np.exp(-(train.gap + train.read_width + 3 * train.edge) / tau)
    return np.array(reads), np.array(pulses)


@pytest.mark.every_ngspice
@BOTH
def test_a_pulse_train_against_its_closed_form(engine: str) -> None:
    train = PulseTrain(
        amplitude=1.0,
        depression_amplitude=-0.5,
        pulses=6,
        depression_pulses=3,
        width=2e-4,
        gap=3e-4,
        edge=1e-7,
        read_width=1e-5,
        v_read=1e-3,
    )
    result = run(train, toys.relaxing(), engine)
    reads, pulses = after_pulses(train, 1e-3)
    conductance = 1e-5 * (1 + 10 * reads)
    assert number(result, "initial_conductance") == pytest.approx(1e-5, rel=1e-4)
    np.testing.assert_allclose(result.quantities["conductance"].value, conductance[1:], rtol=1e-3)
    assert number(result, "final_conductance") == pytest.approx(conductance[-1], rel=1e-3)
    current = 1e-5 * (1 + 10 * pulses) * train.amplitudes
    np.testing.assert_allclose(result.quantities["pulse_current"].value, current, rtol=1e-3)
    assert number(result, "paired_pulse_ratio") == pytest.approx(current[1] / current[0] - 1, rel=5e-3)
    for name, ramp in (("ltp_nonlinearity", conductance[:7]), ("ltd_nonlinearity", conductance[6:])):
        line = np.linspace(ramp[0], ramp[-1], len(ramp))
        assert number(result, name) == pytest.approx(np.max(np.abs(ramp - line)) / abs(ramp[-1] - ramp[0]), rel=5e-3)


def test_the_times_of_a_pulse_train_lie_on_its_plateaus() -> None:
    train = PulseTrain(pulses=3, depression_pulses=2)
    wave = train.bench(toys.relaxing()).drives["p"].waveform
    np.testing.assert_allclose(wave(train.read_times), 0.1)
    np.testing.assert_allclose(wave(train.pulse_times), train.amplitudes)
    np.testing.assert_allclose(wave(train.read_times - 0.99e-6), 0.1, err_msg="the plateau is as long as it says")
    assert wave.duration == pytest.approx(train.period * 5 + train.gap + 2 * train.edge + train.read_width)
    np.testing.assert_array_equal(train.amplitudes, [1, 1, 1, -1, -1])


def test_a_train_without_depression_or_memory() -> None:
    result = run(PulseTrain(pulses=3, depression_pulses=0), toys.resistor(), "ngspice")
    assert "ltd_nonlinearity" not in result.quantities
    assert number(result, "final_conductance") == pytest.approx(2e-3)
    assert number(result, "paired_pulse_ratio") == pytest.approx(0.0, abs=1e-9)
    single = run(PulseTrain(pulses=1, depression_pulses=0), toys.resistor(), "ngspice")
    assert "paired_pulse_ratio" not in single.quantities


# --- relaxation ---


@pytest.mark.every_ngspice
@BOTH
@pytest.mark.parametrize("tau", [2e-4, 1e-3])
def test_the_relaxation_time_of_a_linear_device(engine: str, tau: float) -> None:
    """The conductance falls as exp(-t/tau): to 1/e of the first read one tau later, to 1 % after 4.6 tau."""
    experiment = Relaxation(
        amplitude=1.0, width=2e-3, reads=80, first_read=5e-5, last_read=0.02, read_width=1e-6, edge=1e-7, v_read=1e-3
    )
    result = run(experiment, toys.relaxing(), engine, values={"tau": tau})
    first = experiment.read_times[0] - experiment.pulse_end
    assert number(result, "relaxation_time") - first == pytest.approx(tau, rel=0.01)
    assert number(result, "relaxation_time_1_percent") - first == pytest.approx(np.log(100) * tau, rel=0.01)
    x = 0.8 * (1 - np.exp(-2e-3 / tau))
    assert number(result, "largest_current") == pytest.approx(1e-5 * (1 + 10 * x), rel=2e-3)
    late = np.exp(-np.array(result.quantities["read_delay"].value) / tau)
    np.testing.assert_allclose(result.quantities["conductance"].value, 1e-5 * (1 + 10 * x * late), rtol=2e-3)
    left = 1 / (1 + 10 * x * late[0])
    assert number(result, "residual") == pytest.approx(left, rel=5e-3)


def test_the_delay_of_a_pulse() -> None:
    """The current is half its largest where 1 + 10 x is: x(t) = x_end (1 - exp(-t/tau))/(1 - exp(-w/tau))."""
    result = run(Relaxation(amplitude=1.0, width=1e-3, reads=5, edge=1e-8), toys.relaxing(), "reference")
    end = 0.8 * (1 - np.exp(-1.0))
    half = ((1 + 10 * end) / 2 - 1) / 10
    assert number(result, "delay") == pytest.approx(-1e-3 * np.log(1 - half / 0.8), rel=5e-3)


def test_a_device_that_does_not_relax_has_no_relaxation_time() -> None:
    result = run(Relaxation(reads=4), toys.resistor(), "ngspice")
    assert number(result, "residual") == pytest.approx(1.0)
    assert number(result, "delay") < 2e-6
    assert result.quantities["relaxation_time"].unit == "s"


def test_reads_do_not_overlap() -> None:
    experiment = Relaxation(reads=40, first_read=1e-6, last_read=2e-4, read_width=1e-5)
    gaps = np.diff(experiment.read_starts)
    assert np.all(gaps > experiment.read_width + 2 * experiment.edge)
    wave = experiment.bench(toys.relaxing()).drives["p"].waveform
    np.testing.assert_allclose(wave(experiment.read_times), experiment.v_read, rtol=1e-6)


# --- any waveform ---


def test_charge_and_energy_of_a_waveform() -> None:
    wave = Waveform((0.0, 1.0, 2.0, 3.0), (0.0, 1.0, 1.0, 0.0))
    result = run(PiecewiseLinear(waveform=wave), toys.resistor(), "ngspice")
    assert number(result, "charge") == pytest.approx(2e-3 * 2.0, rel=1e-5)
    assert number(result, "energy") == pytest.approx(2e-3 * (1 + 2 / 3), rel=1e-5)
    assert number(result, "largest_current") == pytest.approx(2e-3)


@pytest.mark.parametrize("wave", [Waveform((0.0, 1.0), (0.5, 1.0)), Waveform((0.0,), (0.0,))])
def test_a_waveform_starts_at_zero_and_goes_somewhere(wave: Waveform) -> None:
    with pytest.raises(ParameterError, match="must start at 0 V and have two points or more"):
        PiecewiseLinear(waveform=wave)


# --- three terminals ---


@pytest.mark.every_ngspice
@BOTH
def test_a_pulse_train_on_three_terminals_reads_the_channel(engine: str) -> None:
    train = PulseTrain(pulses=2, depression_pulses=1, width=2e-4, gap=2e-4, edge=1e-6, read_width=1e-4)
    result = run(train, toys.transistor(), engine)
    w, states = 0.2, [0.2]
    for amplitude in train.amplitudes:
        gain = np.exp(-1e3 * abs(amplitude) * (train.width + train.edge))
        w = 1 - (1 - w) * gain if amplitude > 0 else w * gain
        states.append(w)
    found = [number(result, "initial_conductance"), *np.array(result.quantities["conductance"].value)]
    np.testing.assert_allclose(found, 1e-6 * (0.1 + np.array(states)), rtol=2e-3)
    assert {"read_voltage", "read_current"} <= set(result.signals)
    np.testing.assert_allclose(result.at("read_voltage", train.read_times), 0.1, rtol=1e-6)
    np.testing.assert_allclose(result.at("read_voltage", train.pulse_times), 0.0, atol=1e-9)


# --- settings ---


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: IVLoop(ramp_rate=0), r"experiment 'iv-loop': ramp_rate = 0 V/s must be above 0"),
        (lambda: IVLoop(ramp_rate=np.float32(0)), "ramp_rate = 0 V/s must be above 0"),
        (lambda: IVLoop(cycles=np.int64(0)), "cycles = 0 must be at least 1"),
        (lambda: IVLoop(cycles=0), "cycles = 0 must be at least 1"),
        (lambda: IVLoop(v_first=float("nan")), "v_first = nan is not finite"),
        (lambda: IVLoop(temperature=-3.0), "temperature = -3 K must be above 0"),
        (lambda: IVLoop(series_resistance=-1.0), "series_resistance = -1 ohm must be at least 0"),
        (lambda: IVLoop(compliance=0.0), "compliance = 0 A must be above 0"),
        (lambda: PulseTrain(width=0.0), "width = 0 s must be above 0"),
        (lambda: PulseTrain(pulses=2.5), r"pulses = 2\.5 must be a whole number"),
        (lambda: PulseTrain.from_settings({"pulses": 2.5}), r"pulses = 2\.5 must be a whole number"),
        (lambda: IVLoop(cycles=10**9), "cycles = 1e\\+09 must be at most 10000"),
        (lambda: Relaxation(reads=2), "reads = 2 must be at least 3"),
        (lambda: Relaxation(first_read=1.0, last_read=0.1), r"last_read = 0\.1 s must be after first_read = 1 s"),
        (
            lambda: IVLoop.from_settings({"vfirst": 1}),
            "experiment 'iv-loop': no setting 'vfirst'; did you mean 'v_first'",
        ),
    ],
)
def test_a_bad_setting_is_named(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


def test_all_bad_settings_are_reported_together() -> None:
    with pytest.raises(ParameterError) as caught:
        PulseTrain(width=-1, gap=0, v_read=0)
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_setting_has_a_unit_and_a_meaning(name: str) -> None:
    kind = get_experiment(name)
    assert kind.name == name and kind.title and issubclass(kind, Experiment)
    for item in kind.settings():
        assert item.metadata["unit"] and item.metadata["description"]
    assert kind() == kind.from_settings({})


def test_a_whole_number_may_be_written_as_a_float() -> None:
    train = PulseTrain.from_settings({"pulses": 3.0, "amplitude": 2})
    assert isinstance(train, PulseTrain)
    assert train.pulses == 3 and isinstance(train.pulses, int) and train.amplitude == 2


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown experiment 'iv_loop'; did you mean 'iv-loop'"):
        get_experiment("iv_loop")
    with pytest.raises(UnknownNameError, match="unknown engine 'ngspce'; did you mean 'ngspice'"):
        get_engine("ngspce")
    assert set(ENGINES) >= {"reference", "ngspice"}


@pytest.mark.parametrize(("level", "rising", "found"), [(0.5, True, 0.5), (2.0, True, None), (-1.0, True, None)])
def test_crossing(level: float, rising: bool, found: float | None) -> None:
    time, signal = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.5])
    assert crossing(time, signal, level, rising=rising) == found


# --- runs ---


def test_a_card_s_values_and_those_that_replace_them() -> None:
    value = Value(value=4e-3, unit="S", method="assumed", source="test")
    card = Card(name="c", device="toy_resistor", title="c", source="s", values={"g_0": value})
    import synspice.compact.registry as registry

    registry.add_device(toys.resistor())
    try:
        result = run(IVLoop(v_second=0), card, "ngspice")
        replaced = run(IVLoop(v_second=0), card, "ngspice", values={"g_0": 1e-3})
        plain = run(IVLoop(v_second=0), default_card(toys.resistor()), "ngspice")
    finally:
        registry._user_devices.clear()
    assert [number(r, "largest_current") for r in (result, replaced, plain)] == pytest.approx([6e-3, 1.5e-3, 3e-3])


def test_runs_keep_their_order_and_report_progress() -> None:
    seen: list[tuple[int, int]] = []
    runs = [(IVLoop(v_second=0, v_first=v), toys.relaxing(), {}) for v in (0.5, 1.0, 1.5)]
    for engine in ("reference", "ngspice"):
        seen.clear()
        results = run_many(runs, engine, progress=lambda done, total: seen.append((done, total)))
        peaks = [np.max(r["source"]) for r in results]
        assert peaks == pytest.approx([0.5, 1.0, 1.5])
        assert sorted(seen) == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.every_ngspice
def test_both_engines_return_the_same_record() -> None:
    experiment = IVLoop(ramp_rate=500.0)
    reference, ngspice = (run(experiment, toys.relaxing(), engine) for engine in ("reference", "ngspice"))
    assert set(reference.signals) == set(ngspice.signals) and reference.units == ngspice.units
    assert set(reference.quantities) == set(ngspice.quantities)
    assert (reference.engine, ngspice.engine) == ("reference", "ngspice")
    assert reference.experiment == ngspice.experiment == "iv-loop"
    assert reference.deck == "" and ngspice.deck.rstrip().endswith(".end")
    assert all(isinstance(q, Measured) for q in reference.quantities.values())
    for name, measured in reference.quantities.items():
        assert measured.unit == ngspice.quantities[name].unit
    assert number(ngspice, "largest_current") == pytest.approx(number(reference, "largest_current"), rel=1e-4)
    for name in ("first_ratio", "second_ratio"):
        assert number(ngspice, name) == pytest.approx(number(reference, name), rel=2e-3)


def test_the_deck_of_a_bench() -> None:
    bench = Bench(
        drives={"p": Drive(waveform=Waveform((0.0, 1e-3), (0.0, 1.0)), series_resistance=50.0)}, temperature=350.0
    )
    deck = format_bench(Job(model=toys.relaxing(), values={"tau": 0.5}, bench=bench))
    assert "PWL(0.0 0.0 0.001 1.0)" in deck
    assert "\n+ tau=0.5\n" in deck
    assert ".options temp=76.85" in deck
    assert deck.count(".tran") == 1


def test_a_long_run_with_short_features() -> None:
    """A thousandth of the run would leave ngspice no step below 0.1 ns, and the gate's capacitor charges in 10 ps."""
    pulse = [(1e-4, 1.0), (1e-3, 1.0), (1e-4, 0.0), (1e4, 0.0)]
    drive = Drive(waveform=Waveform.from_steps(0.0, pulse), series_resistance=1e3)
    job = Job(model=get_device("ionic_synapse"), values={}, bench=Bench(drives={"gate": drive}))
    (result,) = run_ngspice([job])
    assert result.options["max_step"] == pytest.approx(1.0)
    assert result.time[-1] == pytest.approx(1e4)


def test_a_long_waveform_is_continued_over_lines() -> None:
    wave = Waveform(tuple(np.arange(20.0)), tuple(np.zeros(20)))
    text = piecewise_linear(wave)
    assert text.startswith("PWL(0.0 0.0 1.0 0.0") and text.count("\n+ ") == 2 and text.endswith("19.0 0.0)")
    assert piecewise_linear(Waveform.constant(0.3)) == "DC 0.3"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_constant_stimulus_is_refused(engine: str) -> None:
    with pytest.raises(ParameterError, match="constant, so the run has no duration: give a waveform a second point"):
        run(IVLoop(v_first=0.0, v_second=0.0), toys.relaxing(), engine)


def test_an_unknown_parameter_is_refused_by_both_engines() -> None:
    for engine in ("reference", "ngspice"):
        with pytest.raises(ParameterError, match="device 'toy_relaxing': no parameter 'toe'; known: frozen, g_0, tau"):
            run(IVLoop(), toys.relaxing(), engine, values={"toe": 1.0})


@pytest.mark.parametrize(("terminal", "near"), [("q", "known: n, p"), ("P", "did you mean 'p'")])
def test_a_source_at_a_terminal_that_the_device_does_not_have(terminal: str, near: str) -> None:
    bench = Bench(drives={terminal: Drive(waveform=Waveform((0.0, 1.0), (0.0, 1.0)))})
    message = f"bench of device 'toy_relaxing': a source at '{terminal}', which is no terminal; {near}"
    for refuse in (
        lambda: Job(model=toys.relaxing(), values={}, bench=bench),
        lambda: bench_circuit(toys.relaxing(), {}, bench),
        lambda: simulate(toys.relaxing(), {}, bench),
        lambda: simulate_batch(toys.relaxing(), {}, bench, [0.0, 1.0]),
    ):
        with pytest.raises(ParameterError, match=re.escape(message)):
            refuse()
