"""ngspice against the reference engine: loops, pulse trains, relaxation, at the package's default options."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import device_points
import engines
import numpy as np
import pytest
import toys

from synspice.compact.registry import DEVICES
from synspice.compact.stimulus import Bench, Drive, Waveform
from synspice.netlists.experiments import Experiment, IVLoop, PulseTrain, Relaxation
from synspice.netlists.testbench import Job, run_ngspice

pytestmark = pytest.mark.every_ngspice

LONG_PULSES = PulseTrain(pulses=6, depression_pulses=6, width=1e-3, gap=1e-3, read_width=1e-4, edge=1e-6)
EXPERIMENTS: dict[str, Experiment] = {
    "loop": IVLoop(),
    "loop behind a resistor": IVLoop(series_resistance=5e3),
    "loop with compliance": IVLoop(compliance=1e-6),
    "loop with resistor and compliance": IVLoop(series_resistance=1e3, compliance=2e-5),
    "short pulses": PulseTrain(pulses=8, depression_pulses=8),
    "long pulses": LONG_PULSES,
    "relaxation": Relaxation(reads=12),
    "relaxation with compliance": Relaxation(reads=12, compliance=1e-5),
}
"""What every registered device is put through, at its default values."""

SLOW_GATE = PulseTrain(
    amplitude=3.0, depression_amplitude=-3.0, pulses=4, depression_pulses=4, width=1.0, gap=2.0, edge=1e-3
)
OWN: dict[str, dict[str, Experiment]] = {
    "ionic_synapse": {
        "loop": IVLoop(v_first=3.0, v_second=-3.0, ramp_rate=0.1),
        "loop behind a resistor": IVLoop(v_first=3.0, v_second=-3.0, ramp_rate=0.1, series_resistance=1e9),
        "loop with compliance": IVLoop(v_first=3.0, v_second=-3.0, ramp_rate=0.1, compliance=1e-13),
        "loop with resistor and compliance": IVLoop(
            v_first=3.0, v_second=-3.0, ramp_rate=0.1, series_resistance=1e9, compliance=1e-12
        ),
        "short pulses": replace(SLOW_GATE, width=0.1, gap=0.1, read_width=1e-2),
        "long pulses": replace(SLOW_GATE, read_width=0.1),
        "relaxation": Relaxation(
            amplitude=3.0, width=5.0, edge=1e-3, read_width=1e-2, first_read=0.1, last_read=50.0, reads=12
        ),
        "relaxation with compliance": Relaxation(
            amplitude=3.0,
            width=5.0,
            edge=1e-3,
            read_width=1e-2,
            first_read=0.1,
            last_read=50.0,
            reads=12,
            compliance=1e-12,
        ),
    },
    "silver_sulfide_switch": {"short pulses": PulseTrain(pulses=8, depression_pulses=8, width=1e-4)},
}
"""Devices that take other voltages or times."""

FAST: dict[str, Experiment] = {
    "loop": IVLoop(ramp_rate=500.0),
    "loop behind a resistor": IVLoop(ramp_rate=500.0, series_resistance=2e3),
    "loop with compliance": IVLoop(ramp_rate=500.0, compliance=2e-5),
    "pulses": PulseTrain(pulses=5, depression_pulses=5, width=2e-4, gap=5e-4, read_width=1e-4, edge=1e-6),
    "relaxation": Relaxation(reads=12, width=1e-3, first_read=1e-4, last_read=1e-2),
}
"""The same for the toys, whose time constants are a millisecond."""


@pytest.fixture(autouse=True)
def run_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the folders of failed runs appear where pytest removes them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def compare(name: str, experiment: Experiment) -> None:
    model = device_points.model_of(name)
    bench = experiment.bench(model)
    (result,) = run_ngspice([Job(model=model, values={}, bench=bench, experiment=experiment.name)])
    reference = engines.reference_at(result, model, {}, bench)
    moved = [np.ptp(reference[s.name]) / s.scale for s in model.states]
    assert max(moved) > 0.03, "the stimulus must change the device"
    signals = ["current"] if model.read == model.write else ["read_current"]
    for signal in signals:
        found = engines.agreement(result, reference, signal, corners=bench.breakpoints if model.charges else None)
        assert found.good, f"{signal}: {found}"
    for s in model.states:
        reach = np.ptp(reference[s.name])
        np.testing.assert_allclose(
            result[s.name], reference[s.name], atol=5e-3 * reach + 1e-5 * s.scale, err_msg=s.name
        )


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("name", DEVICES)
def test_a_device(name: str, experiment: str) -> None:
    compare(name, OWN.get(name, {}).get(experiment, EXPERIMENTS[experiment]))


@pytest.mark.parametrize("duration", [1e-2, 1e2])
def test_a_switch_that_a_compliance_holds_back(duration: float) -> None:
    """Newton's guesses go far out as the bridge opens on the falling edge; the equations must not overflow there."""
    pulse = [(1e-4, 1.0), (1e-3, 1.0), (1e-4, 0.0), (duration, 0.0)]
    drive = Drive(waveform=Waveform.from_steps(0.0, pulse), compliance=1e-5)
    job = Job(model=device_points.model_of("diffusive_memristor"), values={}, bench=Bench(drives={"p": drive}))
    (result,) = run_ngspice([job])
    assert np.max(result["current"]) == pytest.approx(1e-5, rel=1e-2)
    assert result["bridge"][-1] < 0.1 < np.max(result["bridge"])


@pytest.mark.parametrize("experiment", FAST)
@pytest.mark.parametrize("name", ["toy:relaxing", "toy:heated"])
def test_a_toy(name: str, experiment: str) -> None:
    compare(name, FAST[experiment])


def test_a_nonlinear_charge() -> None:
    compare("toy:varactor", FAST["loop behind a resistor"])


def test_a_nonlinear_charge_across_an_ideal_source() -> None:
    """The charge's current jumps at every corner of the stimulus."""
    compare("toy:varactor", FAST["pulses"])


@pytest.mark.parametrize("experiment", ["pulses", "relaxation"])
def test_three_terminals(experiment: str) -> None:
    compare("toy:transistor", FAST[experiment])


def test_a_loop_of_the_gate_reads_the_channel() -> None:
    compare("toy:transistor", FAST["loop"])


def test_the_gate_s_displacement_current() -> None:
    """C dv/dt between the corners, where the current jumps and either side is right."""
    model = toys.transistor()
    wave = Waveform((0.0, 1e-3, 2e-3, 3e-3), (0.0, 1.0, 1.0, 0.0))
    bench = Bench(drives={"g": Drive(waveform=wave)})
    (result,) = run_ngspice([Job(model=model, values={}, bench=bench)])
    for middle, slope, voltage in ((0.5e-3, 1e3, 0.5), (1.5e-3, 0.0, 1.0), (2.5e-3, -1e3, 0.5)):
        current = result.at("current", np.array([middle]))[0]
        assert current == pytest.approx(1e-9 * slope + 1e-9 * voltage, rel=1e-4)


def test_two_sources_with_an_impedance_run_in_ngspice() -> None:
    """The reference engine refuses this circuit; a divider has a closed form."""
    model = toys.transistor()
    hold = Waveform((0.0, 1e-6, 1e-3), (0.0, 0.1, 0.1))
    drive = Drive(waveform=hold, series_resistance=1e6)
    bench = Bench(drives={"g": drive, "d": drive}, frozen=True)
    (result,) = run_ngspice([Job(model=model, values={"c_g": 1e-15}, bench=bench)])
    channel = 1e-6 * (0.1 + 0.2)
    assert result["read_current"][-1] == pytest.approx(0.1 / (1e6 + 1 / channel), rel=1e-5)
    assert result["current"][-1] == pytest.approx(0.1 / (1e6 + 1e9), rel=1e-4)
