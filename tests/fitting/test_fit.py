"""Fits: recovery of known parameters, the targets on real ramps, and what a fit says when it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synspice.compact.errors import FitError as FitFailure
from synspice.compact.errors import ParameterError
from synspice.compact.registry import get_card, get_device
from synspice.fitting.fit import Fit, fit_dataset
from synspice.fitting.observation import initial_state, observations, simplify
from synspice.fitting.readers import Dataset, Provenance, PulseRamp, Sweep, read
from synspice.fitting.report import ngspice_currents, write_report
from synspice.netlists.experiments import PulseTrain
from synspice.netlists.run import run

ROOT = Path(__file__).resolve().parents[2]
RAMPS = ROOT / "examples" / "data" / "cross_sim_ltp_ltd"
LOCAL = ROOT.parent / "shared" / "data" / "local"

TRUE = {
    "g_on": 3e-3,
    "g_off": 1.2e-3,
    "m_nl": 1.0,
    "k_set": 0.09,
    "k_reset": 0.15,
    "focus_set": 0.25,
    "focus_reset": -0.15,
}


def synthetic(noise: float, seed: int, cycles: int = 4) -> Dataset:
    """Return ramps of a drift memristor with known parameters and Gaussian noise (a fraction of the window)."""
    device = get_device("drift_memristor")
    generator = np.random.default_rng(seed)
    records = []
    for polarity, amplitude, start in (("set", 1.0, 0.3), ("reset", -1.0, 0.75)):
        train = PulseTrain(amplitude=amplitude, pulses=60, depression_pulses=0)
        result = run(train, device, "reference", values={**TRUE, "x_init": start})
        clean = np.array(result.quantities["conductance"].value)
        for cycle in range(1, cycles + 1):
            records.append(
                PulseRamp(
                    label=f"{polarity} {cycle}",
                    cycle=cycle,
                    provenance=Provenance(path=Path("synthetic.csv")),
                    pulse=np.arange(1.0, clean.size + 1),
                    conductance=clean + noise * np.ptp(clean) * generator.standard_normal(clean.size),
                    read_voltage=0.1,
                    polarity=polarity,
                    amplitude=1.0,
                    width=1e-6,
                )
            )
    return Dataset(records=tuple(records), title="synthetic")


@pytest.fixture(scope="module")
def real_fit() -> Fit:
    data = Dataset.combine([read(RAMPS / "set.csv"), read(RAMPS / "reset.csv")])
    return fit_dataset(data, get_device("drift_memristor"))


def test_known_parameters_are_recovered_within_their_standard_errors() -> None:
    fixed = {name: TRUE[name] for name in ("g_on", "g_off", "m_nl")}
    fit = fit_dataset(synthetic(0.003, seed=3), get_device("drift_memristor"), fixed=fixed)
    assert fit.result.ok
    for name in ("k_set", "k_reset", "focus_set", "focus_reset"):
        found = fit.result.parameters[name]
        assert found.fitted
        assert found.stderr is not None
        assert abs(found.value - TRUE[name]) < 4 * found.stderr, name
        assert found.stderr < 0.1 * abs(TRUE[name]), name


@pytest.mark.slow
def test_standard_errors_cover_the_truth_over_seeds() -> None:
    fixed = {name: TRUE[name] for name in ("g_on", "g_off", "m_nl")}
    pulls = []
    for seed in range(8):
        fit = fit_dataset(synthetic(0.005, seed=100 + seed, cycles=2), get_device("drift_memristor"), fixed=fixed)
        for name in ("k_set", "k_reset", "focus_set", "focus_reset"):
            found = fit.result.parameters[name]
            assert found.stderr is not None
            pulls.append((found.value - TRUE[name]) / found.stderr)
    assert 0.5 < np.std(pulls) < 2.0
    assert np.mean(np.abs(pulls) < 2) > 0.8


def test_real_ramps_are_met_and_held_out_ramps_too(real_fit: Fit) -> None:
    assert real_fit.result.ok
    for error in real_fit.result.errors:
        assert error.in_sample is not None
        assert error.held_out is not None
        assert error.in_sample <= 0.010, error
        assert error.held_out <= 0.025, error


def test_the_emitted_card_keeps_the_figures_in_ngspice(real_fit: Fit) -> None:
    simulated = ngspice_currents(real_fit)
    for curve in real_fit.fitted:
        k = next(k for k in simulated if real_fit.observed[k].group == curve.group)
        own = curve.residual(simulated[k][: curve.times.size])
        assert np.sqrt(np.mean(own**2)) <= 0.010
        for o in (o for o in real_fit.observed if o.group == curve.group and o.held_out):
            if o.times.size <= simulated[k].size:
                assert np.sqrt(np.mean(o.residual(simulated[k][: o.times.size]) ** 2)) < 0.06


def test_a_fit_says_what_the_data_do_not_determine(real_fit: Fit) -> None:
    result = real_fit.result
    assert {"v_set", "v_reset", "m_nl"} <= set(result.undetermined)
    for name in result.undetermined:
        assert result.parameters[name].stderr is None
        assert not result.parameters[name].fitted
    assert any("amplitude" in note for note in result.notes)
    assert result.card.values["v_set"].method == "assumed"
    assert result.card.values["k_set"].method == "fitted"


def test_the_report_is_one_file_with_figures_beside_it(real_fit: Fit, tmp_path: Path) -> None:
    page = write_report(real_fit, tmp_path / "report")
    text = page.read_text(encoding="utf-8")
    assert "data:image/png;base64," in text
    assert "http://" not in text
    assert "https://" not in text
    for name in ("k_set", "focus_reset"):
        assert name in text
    assert sorted(p.name for p in page.parent.glob("*.png")) == ["reset_ramp.png", "set_ramp.png"]


def test_a_fixed_parameter_is_held(real_fit: Fit) -> None:
    fit = fit_dataset(
        synthetic(0.003, seed=5), get_device("drift_memristor"), fixed={"focus_set": 0.1}, hold_out="none"
    )
    assert fit.result.parameters["focus_set"].value == 0.1
    assert not fit.result.parameters["focus_set"].fitted
    assert all(e.held_out is None for e in fit.result.errors)


def test_a_device_that_does_not_follow_the_data_is_told(real_fit: Fit) -> None:
    assert not any("does not follow" in note for note in real_fit.result.notes)
    fit = fit_dataset(read(RAMPS / "set.csv"), get_device("oxide_tunnel_junction"))
    (error,) = fit.result.errors
    assert error.in_sample > 0.2
    assert any("the device does not follow these data: set ramp (" in note for note in fit.result.notes)


def test_a_device_that_rests_at_the_data_s_pulses_is_told() -> None:
    """Whether a start that moves is found differs between machines by the last digit; what a user is told must not be missing."""
    try:
        told = fit_dataset(read(RAMPS / "set.csv"), get_device("ionic_synapse")).result.notes
    except FitFailure as error:
        told = (str(error),)
    assert any("determine none" in note or "does not follow these data" in note for note in told)


def test_a_flat_ramp_determines_nothing() -> None:
    flat = PulseRamp(
        label="flat",
        provenance=Provenance(path=Path("flat.csv")),
        pulse=np.arange(1.0, 30),
        conductance=np.full(29, 1e-5) * (1 + 1e-9 * np.arange(29)),
        read_voltage=0.1,
        polarity="set",
    )
    outcome: FitFailure | Fit
    try:
        outcome = fit_dataset(Dataset(records=(flat,)), get_device("drift_memristor"))
    except FitFailure as error:
        outcome = error
    if isinstance(outcome, Fit):
        assert not outcome.result.ok or outcome.result.undetermined
    else:
        assert "determine" in str(outcome) or "simulated" in str(outcome)


@pytest.mark.parametrize(
    ("settings_given", "words"),
    [
        ({"start": {"k_st": 1.0}}, "k_set"),
        ({"start": {"p_set": 99.0}}, "outside its range"),
        ({"start": {"k_set": 1.0}, "fixed": {"k_set": 1.0}}, "start and as fixed"),
    ],
)
def test_wrong_starting_values_are_refused(settings_given: dict[str, dict[str, float]], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        fit_dataset(synthetic(0.01, seed=1), get_device("drift_memristor"), **settings_given)


def test_data_without_a_curve_are_refused() -> None:
    with pytest.raises(FitFailure, match="no pulse ramp"):
        observations(Dataset(records=()), get_device("drift_memristor"), "even")


def test_the_state_is_read_back_from_a_read_out() -> None:
    device = get_device("drift_memristor")
    values = device.values({"g_on": 1e-3, "g_off": 1e-6})
    result = run(PulseTrain(pulses=1, depression_pulses=0), device, "reference", values={**values, "x_init": 0.4})
    g = result.quantities["initial_conductance"].value
    assert isinstance(g, float)
    assert initial_state(device, values, (0.1, 0.1 * g), 300.15) == pytest.approx(0.4, abs=2e-3)


@given(st.lists(st.tuples(st.floats(1e-3, 1.0), st.floats(-3, 3)), min_size=2, max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_simplified_waveform_stays_within_its_tolerance(steps: list[tuple[float, float]]) -> None:
    time = np.cumsum([s[0] for s in steps])
    value = np.array([s[1] for s in steps])
    keep = simplify(time, value, tolerance=0.01)
    assert keep[0] == 0
    assert keep[-1] == len(time) - 1
    assert np.max(np.abs(np.interp(time, time[keep], value[keep]) - value)) <= 0.0101


def test_sweeps_that_set_at_negative_voltage_are_turned_round() -> None:
    v = np.concatenate([np.linspace(0, -2, 50), np.linspace(-2, 0, 50)[1:]])
    sweep = Sweep(
        label="s",
        provenance=Provenance(path=Path("s.csv")),
        voltage=v,
        current=1e-6 * v * (1 + np.arange(v.size)),
        time=np.arange(1.0, v.size + 1),
        direction="set",
    )
    found, notes = observations(Dataset(records=(sweep,)), get_device("drift_memristor"), "even")
    assert np.max(found[0].bench.drives["p"].waveform.value) == pytest.approx(2.0)
    assert np.all(found[0].current >= 0)
    assert any("other way round" in n for n in notes)


def test_the_shipped_card_is_what_the_fit_gives(real_fit: Fit) -> None:
    shipped = get_card("cross_sim_ltp_ltd").parameters
    for name, value in real_fit.result.card.parameters.items():
        assert shipped[name] == pytest.approx(value, rel=0.01, abs=1e-12), name


@pytest.mark.slow
@pytest.mark.skipif(not LOCAL.exists(), reason="measurements without a licence to ship are not here")
def test_set_and_reset_loops_of_one_device() -> None:
    """Targets: 0.15 decade on the fitted cycles, 0.2 on the held-out ones. Met for SET on held-out cycles when each cycle
    has its own set voltage; RESET steps at random by 0.2 to 3 decades, which no smooth state equation follows."""
    folder = LOCAL / "rram_keithley_4200a"
    data = Dataset.combine([read(folder / "03 endurance set.xlsx"), read(folder / "03 endurance reset.xlsx")])
    fit = fit_dataset(data, get_device("drift_memristor"))
    assert fit.result.ok
    by_name = {e.data: e for e in fit.result.errors}
    own = {k.split(" ")[0]: e for k, e in by_name.items() if "own" in k}
    assert own["set"].held_out is not None
    assert own["set"].held_out <= 0.20
    assert own["set"].in_sample is not None
    assert own["set"].in_sample <= 0.22
    assert own["reset"].in_sample is not None
    assert own["reset"].in_sample <= 0.40
    assert fit.result.card.values["v_set"].spread_cycle is not None
