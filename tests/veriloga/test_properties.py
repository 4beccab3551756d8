"""Properties of every device under random parameters and stimuli: it converges, keeps its range, and is passive."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synspice.compact.model import Model
from synspice.compact.registry import DEVICES, get_device
from synspice.compact.result import Result
from synspice.compact.stimulus import Bench, Drive, Waveform
from synspice.netlists.testbench import Job, run_ngspice
from synspice.veriloga.comparison import random_values
from synspice.veriloga.network import run_vacask
from synspice.veriloga.small_signal import operating_points
from synspice.veriloga.stimuli import find_drive

THERE = [name for name, module in DEVICES.items() if find_spec(module, "synspice.compact") is not None]
SETTINGS = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
ENGINES = {"vacask": run_vacask, "ngspice": run_ngspice}


def drawn_values(model: Model, seed: int) -> dict[str, float]:
    """Return parameters within a factor of two of the defaults, or anywhere between two bounds; initial states too."""
    values = random_values(model, {}, np.random.default_rng(seed), spread=2.0)
    return {n: 0.0 if model.parameter(n).default == 0 and n.startswith("c_") else v for n, v in values.items()}


def stimulus(model: Model, heights: list[float], seed: int) -> Bench:
    """Return a piecewise-linear waveform within the voltage that switches the device, with legs of random length."""
    drive = find_drive(model, {})
    lengths = drive.width * 10.0 ** np.random.default_rng(seed).uniform(-1.0, 1.0, len(heights) + 1)
    time = (0.0, *np.cumsum(lengths).tolist())
    value = (0.0, *(abs(drive.amplitude) * h for h in heights), 0.0)
    return Bench(drives={model.write[0]: Drive(waveform=Waveform(time, value))})


def keeps_its_range(model: Model, result: Result) -> None:
    for state in model.states:
        span = state.upper - state.lower
        if np.isfinite(span):
            assert np.min(result[state.name]) >= state.lower - 1e-3 * span, state.name
            assert np.max(result[state.name]) <= state.upper + 1e-3 * span, state.name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "engine"),
    [(n, e) for n in THERE for e in ENGINES],
)
@SETTINGS
@given(heights=st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=6), seed=st.integers(0, 2**32 - 1))
def test_random_devices_and_stimuli(name: str, engine: str, heights: list[float], seed: int) -> None:
    model = get_device(name)
    job = Job(model=model, values=drawn_values(model, seed), bench=stimulus(model, heights, seed))
    (result,) = ENGINES[engine]([job])
    keeps_its_range(model, result)
    power = result["current"] * result["voltage"]
    if len(model.terminals) == 2:
        assert np.min(power) >= -1e-6 * np.max(np.abs(power), initial=1e-15)


@pytest.mark.parametrize("name", [n for n in THERE if len(get_device(n).terminals) == 2])
@settings(SETTINGS, max_examples=5)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_current_at_zero_volts(name: str, seed: int) -> None:
    """Of two-terminal devices: an electrochemical gate out of its equilibrium is a cell that discharges at zero volts."""
    model = get_device(name)
    (point,) = operating_points(model, random_values(model, {}, np.random.default_rng(seed)), [{}])
    assert all(point[f"i_{t}"] == 0.0 for t in model.terminals)
