"""Waveforms, drives and the result record: mistakes named, JSON as the command line promises it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import toys
from hypothesis import given, settings
from hypothesis import strategies as st

from synspice.compact.errors import EngineError, ParameterError, SimulationError, SynspiceError, nearest
from synspice.compact.reference import simulate
from synspice.compact.result import Measured, Result
from synspice.compact.stimulus import Bench, Drive, Waveform


@pytest.mark.parametrize(
    ("time", "value", "message"),
    [
        ((0.0, 1.0), (0.0,), "2 times for 1 voltages; they must be as many, and one at least"),
        ((), (), "0 times for 0 voltages"),
        ((0.0, 1.0), (0.0, math.nan), "a time or voltage is not finite"),
        ((0.0, math.inf), (0.0, 1.0), "a time or voltage is not finite"),
        ((0.1, 1.0), (0.0, 1.0), r"the first time is 0\.1 s; it must be 0"),
        ((0.0, 1.0, 1.0), (0.0, 1.0, 2.0), r"time does not rise at point 3: 1 s then 1 s; give an edge a finite rise"),
        ((0.0, 2.0, 1.0), (0.0, 1.0, 2.0), r"time does not rise at point 3: 2 s then 1 s"),
    ],
)
def test_a_bad_waveform(time: tuple[float, ...], value: tuple[float, ...], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Waveform(time, value)


def test_steps_and_interpolation() -> None:
    wave = Waveform.from_steps(0.5, [(1.0, 1.5), (2.0, 1.5), (0.5, -1.0)])
    assert wave.time == (0.0, 1.0, 3.0, 3.5) and wave.value == (0.5, 1.5, 1.5, -1.0)
    assert wave.duration == 3.5 and wave.shortest_feature == 0.5
    np.testing.assert_allclose(wave([0.0, 0.5, 2.0, 3.25, 9.0]), [0.5, 1.0, 1.5, 0.25, -1.0])
    assert wave.scaled(-2).value == (-1.0, -3.0, -3.0, 2.0)
    assert all(type(t) is float for t in (*wave.time, *wave.value)), "numpy's own floats would show in a deck"


def test_a_constant() -> None:
    wave = Waveform.constant(2)
    assert wave.duration == 0.0 and math.isinf(wave.shortest_feature)
    assert float(wave(7.0)) == 2.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"series_resistance": -1.0}, "series resistance -1 ohm must be finite and not negative"),
        ({"series_resistance": math.inf}, "series resistance inf ohm"),
        ({"compliance": 0.0}, r"compliance 0 A must be finite and above 0 \(leave it out for none\)"),
        ({"compliance": math.nan}, "compliance nan A"),
    ],
)
def test_a_bad_drive(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Drive(waveform=Waveform.constant(1.0), **settings)


def test_the_impedance_of_a_drive() -> None:
    wave = Waveform.constant(1.0)
    assert not Drive(waveform=wave).has_impedance
    assert Drive(waveform=wave, series_resistance=1.0).resistance == 1.0
    assert Drive(waveform=wave, compliance=1e-6).resistance == pytest.approx(1e3), "1 mV at compliance"
    assert Drive(waveform=wave, compliance=1e-6, series_resistance=5e3).resistance == 5e3


def test_numpy_s_numbers_become_floats() -> None:
    drive = Drive(waveform=Waveform.constant(1.0), series_resistance=np.float64(50), compliance=np.float32(0.5))
    bench = Bench(drives={"p": drive}, temperature=np.int64(300))
    assert [repr(x) for x in (drive.resistance, drive.compliance, bench.temperature)] == ["50.0", "0.5", "300.0"]


def test_a_bench_merges_the_breakpoints_of_its_sources() -> None:
    drives = {"g": Drive(waveform=Waveform((0, 1, 3), (0, 1, 0))), "d": Drive(waveform=Waveform((0, 2, 3), (0, 1, 0)))}
    bench = Bench(drives=drives)
    np.testing.assert_array_equal(bench.breakpoints, [0, 1, 2, 3])
    assert bench.duration == 3.0 and bench.temperature == pytest.approx(300.15)


def result(**changes: object) -> Result:
    fields: dict[str, object] = {
        "experiment": "iv-loop",
        "engine": "reference",
        "engine_version": "1",
        "time": np.array([0.0, 1.0, 2.0]),
        "signals": {"current": np.array([0.0, np.nan, np.inf]), "x": np.array([1.0, 2.0, 4.0])},
        "units": {"current": "A", "x": "1"},
        "quantities": {
            "one": Measured(np.float64(2.5), "S"),
            "none": Measured(None, "V"),
            "bad": Measured(float("nan"), "V"),
            "list": Measured([1.0, float("-inf")], "A"),
        },
        "options": {"reltol": np.float32(0.5), "points": np.int64(3), "method": "trap", "frozen": False, "n": None},
        "deck": "a deck",
    }
    return Result(**{**fields, **changes})  # type: ignore[arg-type]


def test_json_has_the_keys_of_the_contract_and_null_for_what_is_not_finite() -> None:
    text = result().to_json()
    assert "NaN" not in text and "Infinity" not in text
    record = json.loads(text)
    assert list(record) == ["experiment", "engine", "engine_version", "signals", "quantities", "options"]
    assert record["signals"]["current"] == {"unit": "A", "time": [0.0, 1.0, 2.0], "value": [0.0, None, None]}
    assert record["quantities"] == {
        "one": {"value": 2.5, "unit": "S"},
        "none": {"value": None, "unit": "V"},
        "bad": {"value": None, "unit": "V"},
        "list": {"value": [1.0, None], "unit": "A"},
    }
    assert record["options"] == {"reltol": 0.5, "points": 3, "method": "trap", "frozen": False, "n": None}


def test_json_of_a_run() -> None:
    wave = Waveform((0.0, 1e-3, 2e-3), (0.0, 1.0, 0.0))
    run = simulate(toys.relaxing(), {}, Bench(drives={"p": Drive(waveform=wave)}), experiment="mine")
    record = json.loads(run.to_json())
    assert record["experiment"] == "mine" and record["engine"] == "reference"
    assert set(record["signals"]) == {"source", "voltage", "current", "charge", "energy", "x", "conductance"}
    units = {name: signal["unit"] for name, signal in record["signals"].items()}
    assert units == {
        "source": "V",
        "voltage": "V",
        "current": "A",
        "charge": "C",
        "energy": "J",
        "x": "1",
        "conductance": "S",
    }
    for signal in record["signals"].values():
        assert len(signal["time"]) == len(signal["value"]) == run.time.size
    assert record["options"]["temperature_K"] == pytest.approx(300.15) and record["options"]["frozen"] is False


@given(time=st.floats(-1, 3))
@settings(max_examples=30, deadline=None)
def test_a_signal_between_its_points(time: float) -> None:
    assert result().at("x", np.array([time]))[0] == pytest.approx(np.interp(time, [0, 1, 2], [1, 2, 4]))


def test_errors_are_the_package_s_and_the_builtin_s() -> None:
    error = SimulationError("convergence", "no luck", log="one\ntwo")
    assert isinstance(error, EngineError | SynspiceError) and isinstance(error, RuntimeError)
    assert str(error) == "simulation failed (convergence): no luck\nlog ends:\n  one\n  two"
    assert nearest("tua", ["tau", "g_0"]) == "; did you mean 'tau'?"
    assert nearest("zzz", ["tau", "g_0"]) == "; known: g_0, tau"
    assert nearest("zzz", []) == ""
