"""Random benches of every device: the reference engine, ngspice and VACASK give the same, at the package's default options."""

from __future__ import annotations

import tempfile
from pathlib import Path

import engines
import numpy as np
import pytest
from random_benches import random_bench

from synspice.compact.registry import DEVICES, get_card, get_device
from synspice.compact.stimulus import Waveform
from synspice.netlists.experiments import PiecewiseLinear
from synspice.netlists.run import run
from synspice.netlists.testbench import Job, run_ngspice
from synspice.veriloga.comparison import signal_errors
from synspice.veriloga.network import run_vacask
from synspice.veriloga.verify import WAVEFORM_TOLERANCE

RUNNERS = {"ngspice": run_ngspice, "vacask": run_vacask}
FEW, ALL = 7, 40
"""Benches of a device in every run of the tests, and in the slow ones."""


RINGS = "ngspice's trapezoidal rule rings after a corner, and Gear is off for two steps: a displacement current behind a resistor"
SHORT = (
    "a junction of 3e10 S behind 27 kohm: the reference's voltage is 4e-13 V off, and with it the part that is emission"
)
KNOWN = {
    **{("ionic_synapse", seed, "ngspice"): ("current", RINGS) for seed in (3, 7, 8, 14, 17, 19, 25, 36, 37)},
    **{("oxide_tunnel_junction", 15, engine): ("emission_current", SHORT) for engine in RUNNERS},
    ("ionic_synapse", 26, "vacask"): ("current", "1 % of a current of 14 fA, just after a corner: abstol is 1 fA"),
}
"""The signal of a bench that is more than the tolerance off, and why; every other of its signals is right."""


@pytest.fixture(autouse=True)
def run_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the folders of failed runs appear where pytest removes them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


BENCHES = [
    pytest.param(device, seed, marks=[] if seed < FEW else pytest.mark.slow)
    for device in DEVICES
    for seed in range(ALL)
]


@pytest.mark.parametrize("engine", RUNNERS)
@pytest.mark.parametrize(("device", "seed"), BENCHES)
def test_engines_agree(device: str, seed: int, engine: str) -> None:
    b = random_bench(device, seed)
    (found,) = RUNNERS[engine]([Job(model=b.model, values=b.values, bench=b.bench)])
    reference = engines.reference_at(found, b.model, b.values, b.bench)
    errors = signal_errors(b.model, b.bench, found, reference)
    signal, reason = KNOWN.get((device, seed, engine), (None, ""))
    off = {name: error for name, error in errors.items() if error > WAVEFORM_TOLERANCE}
    assert off.keys() == ({signal} if signal else set()), off
    if off:
        pytest.xfail(reason)


GATE_PULSE = Waveform((0.0, 0.1, 0.103, 0.5, 0.503, 1.0), (0.0, 0.0, 2.0, 2.0, 0.0, 0.0))


@pytest.mark.parametrize("engine", ["reference", "ngspice", "vacask"])
@pytest.mark.parametrize("resistance", [0.0, 1.0, 100.0, 2000.0, 1e6])
def test_a_gate_s_charge_behind_a_resistor(resistance: float, engine: str) -> None:
    """Its displacement current, 1e4 times the gate's own, is R C = 0.1 ns late at most and passes twice."""
    experiment = PiecewiseLinear(waveform=GATE_PULSE, series_resistance=resistance)
    found = run(experiment, get_card("ionic_synapse"), engine).quantities
    assert found["charge"].value == pytest.approx(1.2968e-15, rel=1e-3)
    assert found["energy"].value == pytest.approx(2.568e-15, rel=1e-3)
    if engine != "ngspice":  # its trapezoidal rule rings after a corner
        assert found["largest_current"].value == pytest.approx(9.487e-11, rel=1e-3)


def test_charge_is_the_integral_of_the_current() -> None:
    """Between corners, where nothing jumps, of a current that is resolved."""
    model = get_device("drift_memristor")
    experiment = PiecewiseLinear(series_resistance=1e3)
    found = run(experiment, model, "reference")
    summed = np.append(0.0, np.cumsum(np.diff(found.time) * (found["current"][1:] + found["current"][:-1]) / 2))
    np.testing.assert_allclose(found["charge"], summed, atol=1e-4 * np.max(np.abs(summed)))
