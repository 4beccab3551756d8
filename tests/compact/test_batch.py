"""The batch engine against the reference engine, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from synspice.compact import batch
from synspice.compact.batch import BatchOptions, simulate_batch
from synspice.compact.errors import EngineError, ParameterError, SimulationError
from synspice.compact.reference import simulate
from synspice.compact.registry import get_device
from synspice.compact.stimulus import Bench, Drive, Waveform

STIMULI = {"silver_sulfide_switch": (0.08, 0.5, 1.5), "diffusive_memristor": (1.0, 5e-3, 5e-3)}
"""Amplitude [V], width and gap [s] of pulses that move the states."""


def pulses(name, *, series_resistance=0.0, compliance=None, frozen=False, factor=1.0):
    amplitude, width, gap = STIMULI[name]
    steps = [(width / 50, factor * amplitude), (width, factor * amplitude), (width / 50, 0.0), (gap, 0.0)]
    drive = Drive(
        waveform=Waveform.from_steps(0.0, steps * 4), series_resistance=series_resistance, compliance=compliance
    )
    return Bench(drives={"p": drive}, frozen=frozen)


def inside(bench, count=150):
    return np.linspace(0, bench.duration, count + 2)[1:-1]


@pytest.mark.parametrize(("resistance", "compliance"), [(0.0, None), (1e4, None), (1e3, 5e-5)])
@pytest.mark.parametrize("name", STIMULI)
def test_agrees_with_the_reference_engine(name, resistance, compliance):
    model = get_device(name)
    bench = pulses(name, series_resistance=resistance, compliance=compliance)
    times = inside(bench)
    found = simulate_batch(model, {}, bench, times)
    wanted = simulate(model, {}, bench, times=times)
    for signal in ("voltage", "current", *(s.name for s in model.states), *(o.name for o in model.observables)):
        full = np.abs(wanted[signal]).max()
        np.testing.assert_allclose(found[signal][0], wanted[signal], atol=1e-5 * full, rtol=0)


def test_the_error_falls_with_the_tolerance():
    model = get_device("silver_sulfide_switch")
    bench = pulses(model.name, series_resistance=1e4)
    times = inside(bench)
    wanted = simulate(model, {}, bench, times=times)["bridge"]
    errors = [
        np.abs(
            simulate_batch(model, {}, bench, times, BatchOptions(reltol=r, abstol=r / 100))["bridge"][0] - wanted
        ).max()
        for r in (1e-3, 1e-5, 1e-7)
    ]
    assert errors[1] < errors[0] / 10
    assert errors[2] < errors[1] / 10


def test_devices_of_their_own_values_and_stimuli():
    model = get_device("silver_sulfide_switch")
    rates = np.array([10.0, 20.0, 30.0])
    benches = [pulses(model.name, factor=f) for f in (0.8, 1.0, 1.2)]
    times = inside(benches[0], 20)
    together = simulate_batch(model, {"k_grow": rates, "t_decay": 2.0}, benches, times)
    assert together["bridge"].shape == (3, 20)
    for k, bench in enumerate(benches):
        alone = simulate_batch(model, {"k_grow": rates[k], "t_decay": 2.0}, bench, times)
        np.testing.assert_array_equal(together["bridge"][k], alone["bridge"][0])


def test_the_number_of_threads_changes_nothing():
    model = get_device("silver_sulfide_switch")
    bench = pulses(model.name)
    values = {"k_grow": np.linspace(5, 40, 7)}
    one, three = (
        simulate_batch(model, values, bench, inside(bench, 10), BatchOptions(workers=n))["current"] for n in (1, 3)
    )
    np.testing.assert_array_equal(one, three)


def test_states_are_handed_on():
    model = get_device("silver_sulfide_switch")
    bench = pulses(model.name)
    first = simulate_batch(model, {}, bench, [bench.duration])
    starts = {f"{s.name}_init": first[s.name][:, -1] for s in model.states}
    rest = Bench(drives={"p": Drive(waveform=Waveform((0.0, 1.0), (0.0, 0.0)))})
    later = simulate_batch(model, starts, rest, [0.0, 1.0])
    for s in model.states:
        assert later[s.name][0, 0] == first[s.name][0, -1]
    assert later["bridge"][0, 1] < later["bridge"][0, 0]


def test_frozen_states_stay():
    model = get_device("silver_sulfide_switch")
    bench = pulses(model.name, frozen=True)
    found = simulate_batch(model, {"bridge_init": 0.5}, bench, inside(bench, 30))
    assert set(found["bridge"][0]) == {0.5}
    assert np.ptp(found["current"]) > 0


@pytest.mark.slow
def test_without_a_cache_folder_the_answer_is_the_same(monkeypatch, tmp_path):
    model = get_device("silver_sulfide_switch")
    bench = pulses(model.name)
    kept = simulate_batch(model, {}, bench, [1.0])
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("SYNSPICE_CACHE", str(blocked))
    batch._compiled.cache_clear()
    try:
        np.testing.assert_array_equal(simulate_batch(model, {}, bench, [1.0])["bridge"], kept["bridge"])
    finally:
        batch._compiled.cache_clear()


def test_what_it_refuses():
    model = get_device("silver_sulfide_switch")
    bench = pulses(model.name)
    with pytest.raises(ParameterError, match="rise"):
        simulate_batch(model, {}, bench, [1.0, 0.5])
    with pytest.raises(ParameterError, match="k_grow"):
        simulate_batch(model, {"k_grow": np.array([1.0, -1.0])}, bench, [1.0])
    with pytest.raises(ParameterError, match="entries"):
        simulate_batch(model, {"k_grow": np.ones(2), "t_decay": np.ones(3)}, bench, [1.0])
    with pytest.raises(EngineError, match="capacitance"):
        simulate_batch(model, {"c_0": 1e-12}, bench, [1.0])
    with pytest.raises(EngineError, match="two terminals"):
        simulate_batch(get_device("ionic_synapse"), {}, bench, [1.0])
    with pytest.raises(SimulationError, match="run 0 of 1"):
        simulate_batch(model, {}, bench, [bench.duration], BatchOptions(max_steps=3))
