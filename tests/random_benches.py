"""Random benches of a device: parameters within bounds, piecewise-linear stimuli, series resistance from 0 to 1 Gohm."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from synspice.compact.constants import ROOM_TEMPERATURE
from synspice.compact.model import Model
from synspice.compact.python_code import compile_python
from synspice.compact.registry import get_device
from synspice.compact.stimulus import Bench, Drive, Waveform
from synspice.veriloga.comparison import random_values

AMPLITUDE = {"ionic_synapse": 4.0, "oxide_tunnel_junction": 2.5}
"""Largest voltage of a stimulus [V]; 1 V where none is given."""

DURATION = {
    "diffusive_memristor": (1e-5, 1e-1),
    "drift_memristor": (1e-4, 1e1),
    "ionic_synapse": (1e-2, 1e2),
    "oxide_tunnel_junction": (1e-7, 1e-2),
    "silver_sulfide_switch": (1e-4, 1e1),
}
"""Shortest and longest segment of a stimulus [s]: within the range of a device's rates."""

CAPACITANCE = (1e-15, 1e-9)
"""Of a two-terminal cell, where it has one [F]."""


NARROW = {"t_ref": (250.0, 400.0), "dtemp": (-30.0, 30.0), "u_0": (-0.3, 0.3)}
"""Parameters that are drawn from a range of their own: a reference temperature of a tenth means rates of 1e70/s at 300 K."""

HEATING = 100.0
"""Temperature rise [K] that a thermal resistance gives at most, at the largest power."""


@dataclass(frozen=True, kw_only=True)
class RandomBench:
    """A device with parameters on a bench."""

    model: Model
    values: dict[str, float]
    bench: Bench


def random_bench(device: str, seed: int) -> RandomBench:
    """Return one of a device's benches, the same for the same seed."""
    model = get_device(device)
    generator = np.random.default_rng([seed, *device.encode()])
    values = random_values(model, {}, generator)
    values |= {name: generator.uniform(*limits) for name, limits in NARROW.items() if name in values}
    if "t_rise_max" in values:
        values["t_rise_max"] = model.values({})["t_rise_max"] * _between(1 / 3, 3, generator)
    if "c_0" in values:
        values["c_0"] = 0.0 if generator.random() < 0.5 else _between(*CAPACITANCE, generator)
    plus = model.write[0]
    resistance = 0.0 if generator.random() < 0.2 else _between(1.0, 1e9, generator)
    compliance = _between(1e-9, 1e-3, generator) if generator.random() < 0.25 else None
    drives = {
        plus: Drive(waveform=_waveform(device, generator), series_resistance=resistance, compliance=compliance),
    }
    if "r_th" in values:
        rise, power = generator.uniform(0.0, HEATING), _largest_power(model, values, drives[plus])
        values["r_th"] = rise / power if power else 0.0
    if model.read != model.write:
        drives[model.read[0]] = Drive(waveform=Waveform.constant(0.1))
    return RandomBench(
        model=model, values=values, bench=Bench(drives=drives, temperature=generator.uniform(280.0, 360.0))
    )


def _largest_power(model: Model, values: dict[str, float], drive: Drive) -> float:
    """Return the power [W] of a two-terminal device at the stimulus' largest voltage, in any corner of its states' ranges.

    A series resistance leaves a quarter of its short circuit's, a compliance its current at that voltage.
    """
    voltage = float(np.max(np.abs(drive.waveform.value)))
    corners = itertools.product(*((s.lower, s.upper) for s in model.states))
    parameters = [model.values({**values, "r_th": 0.0})[p.name] for p in model.parameters]
    currents = [compile_python(model).currents([voltage], list(x), parameters, ROOM_TEMPERATURE)[0] for x in corners]
    power = voltage * float(np.nanmax(np.abs(currents)))
    if drive.series_resistance:
        power = min(power, voltage**2 / (4 * drive.series_resistance))
    return power if drive.compliance is None else min(power, voltage * drive.compliance)


def _waveform(device: str, generator: np.random.Generator) -> Waveform:
    """Return a stimulus of 4 to 12 segments, from 0 V; a third of its corners lie at 0 V again."""
    low, high = DURATION[device]
    longest = _between(10 * low, high, generator)
    largest = AMPLITUDE.get(device, 1.0)
    steps = []
    for _ in range(int(generator.integers(4, 13))):
        level = 0.0 if generator.random() < 1 / 3 else float(generator.uniform(-largest, largest))
        steps.append((_between(max(low, 1e-3 * longest), longest, generator), level))
    return Waveform.from_steps(0.0, steps)


def _between(low: float, high: float, generator: np.random.Generator) -> float:
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))
