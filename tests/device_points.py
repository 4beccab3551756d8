"""The registered devices, and the voltages, states and parameter values at which their targets are compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pytest
import toys

from synspice.compact.model import Model
from synspice.compact.registry import DEVICES, get_device

NAMES = (*DEVICES, *(f"toy:{name}" for name in toys.TOYS))
"""Every registered device, and the toys, which have the constructs that the devices do not use."""


def model_of(name: str) -> Model:
    """Return a device of :data:`NAMES`; the test is skipped while a registered device has no module yet."""
    if name.startswith("toy:"):
        return toys.TOYS[name.removeprefix("toy:")]()
    if find_spec(DEVICES[name], "synspice.compact") is None:
        pytest.skip(f"{name} is registered, and its module is not there yet")
    return get_device(name)


@dataclass(frozen=True)
class Point:
    """Terminal potentials [V], states and a complete set of parameter values."""

    potentials: Mapping[str, float]
    states: tuple[float, ...]
    values: Mapping[str, float]

    def voltages(self, model: Model) -> list[float]:
        """Return the branch voltages."""
        return [self.potentials[v.plus] - self.potentials[v.minus] for v in model.voltages]


def random_values(model: Model, generator: np.random.Generator) -> dict[str, float]:
    """Return parameter values within their bounds and, where the scale allows it, away from the defaults."""
    values = {}
    for p in model.model_parameters:
        if p.scale == "log" or (math.isinf(p.upper) and p.default > 0):
            value = p.default * 10 ** generator.uniform(-0.15, 0.15)
        elif math.isinf(p.upper) or math.isinf(p.lower):
            value = p.default + 10 ** generator.uniform(-3, 3)
        else:
            value = p.default + generator.uniform(0, 0.5) * (generator.uniform(p.lower, p.upper) - p.default)
        values[p.name] = float(np.clip(value, p.lower, p.upper))
    return model.values(values)


def random_states(model: Model, generator: np.random.Generator) -> tuple[float, ...]:
    """Return states of which each is initial, inside its range, at a bound of it or past one."""
    states = []
    for s in model.states:
        low = s.lower if math.isfinite(s.lower) else s.initial - 5 * s.scale
        high = s.upper if math.isfinite(s.upper) else s.initial + 5 * s.scale
        past = 0.3 * (high - low)
        choices = [s.initial, low, high, low - past, high + past, *generator.uniform(low, high, 4)]
        states.append(float(generator.choice(choices)))
    return tuple(states)


def points(model: Model, count: int = 48, seed: int = 0) -> list[Point]:
    """Return points forwards, backwards, at zero and far out, at, between and past the bounds of the states."""
    generator = np.random.default_rng(seed)
    sizes = [0.0, 1e-6, 1e-3, 0.05, 0.3, 1.0, 4.0]
    defaults = model.values({})
    found = []
    for k in range(count):
        ground = 0.0 if k % 3 else float(generator.uniform(-1, 1))
        potentials = dict.fromkeys(model.terminals, ground)
        for terminal in model.terminals:
            if terminal != model.write[1]:
                potentials[terminal] += float(generator.choice([-1, 1])) * sizes[int(generator.integers(len(sizes)))]
        potentials[model.write[0]] = ground + (-1) ** k * sizes[k // 2 % len(sizes)]
        values = defaults if k % 2 == 0 or k < 6 else random_values(model, generator)
        states = random_states(model, generator) if k % 4 else tuple(s.initial for s in model.states)
        found.append(Point(potentials, states, values))
    return found
