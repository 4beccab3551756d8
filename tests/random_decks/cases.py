"""Random cases: from a device's name and a seed to a small circuit, the same on every machine."""

from __future__ import annotations

import warnings
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.integrate import solve_ivp

from synspice.compact.constants import ROOM_TEMPERATURE
from synspice.compact.model import FROZEN, Model, State
from synspice.compact.network import GROUND, Instance, Network, Resistor
from synspice.compact.parameters import Parameter
from synspice.compact.python_code import compile_python
from synspice.compact.registry import DEVICES, get_device
from synspice.compact.stimulus import Drive, Waveform

MIXED = "mixed"
"""Stands for a device of its own in each place of a circuit of four."""

VERSION = 2
"""Rises when a seed stands for another case: truths are kept by it."""

VOLTAGES = np.geomspace(0.05, 20.0, 20)
"""Among which a device's own drive voltage is looked for [V]."""

MOVED = 0.2
"""Part of a state's range that a pulse at the drive voltage moves it."""

PULSE = 0.02
"""Length of that pulse, as a part of the run."""

SLOWER = (1.0, 100.0, 1e4)
"""Factors on the run's duration, tried until the device moves."""

CREEPING = 20_000
"""Evaluations after which a state counts as moved: it rushes, far beyond what a device is for."""

WHERE_ZERO = {"F": (1e-15, 1e-11), "K/W": (1e3, 1e7), "V": (1e-3, 0.5)}
"""Usual sizes, by unit, of a parameter that is zero by default."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A circuit with random devices, resistors and one source.

    Attributes
    ----------
    device : str
        A device's name, or `MIXED`.
    seed : int
    network : Network
        Without series resistance in its sources: a resistor is an element, as in a user's deck.
    """

    device: str
    seed: int
    network: Network

    @property
    def states(self) -> list[tuple[Instance, State]]:
        """Every state of every instance."""
        return [(instance, state) for instance in self.network.instances for state in instance.model.states]

    @property
    def limits(self) -> np.ndarray:
        """Lower and upper limit of each state, shape (n_states, 2)."""
        return np.array([(state.lower, state.upper) for _, state in self.states])

    @property
    def key(self) -> str:
        """What the case is known by on disk: it changes with the devices' equations."""
        hashes = dict.fromkeys(i.model.definition_hash for i in self.network.instances)
        return f"v{VERSION}-{self.device}-{len(self.network.instances)}-{self.seed}-{'-'.join(hashes)}"


@lru_cache(maxsize=4096)
def draw_case(device: str, seed: int, devices: int = 1) -> Case:
    """Return the case of a seed.

    Parameters
    ----------
    device : str
        A shipped device, or `MIXED`.
    seed : int
    devices : int
        1: one device behind a resistor of 0 to 100 kohm. 4: four, each with values of its own, in an array of two by two or
        in a ladder, with resistors.
    """
    generator = np.random.default_rng([seed, devices, zlib.crc32(device.encode())])
    names = list(generator.choice(list(DEVICES), devices)) if device == MIXED else [device] * devices
    models = [get_device(str(name)) for name in names]
    values = [draw_values(model, generator) for model in models]
    duration = float(10.0 ** generator.uniform(-6.0, 1.0))
    for factor in SLOWER:
        drives = [drive_voltage(m, v, PULSE * factor * duration) for m, v in zip(models, values, strict=True)]
        found = [drive for drive in drives if drive is not None]
        if found:
            duration *= factor
            break
    amplitude = float(np.exp(np.mean(np.log(found or [1.0])))) * float(10.0 ** generator.uniform(-0.2, 0.6))
    waveform = draw_waveform(amplitude, duration, generator)
    circuit = _single if devices == 1 else (_array, _ladder)[int(generator.integers(2))]
    return Case(device=device, seed=seed, network=circuit(models, values, waveform, generator))


def draw_values(model: Model, generator: np.random.Generator) -> dict[str, float]:
    """Return random values of every parameter but ``frozen``.

    A set has a reach between 0.2 and 1: at 1 a parameter lies anywhere between its bounds, or within a factor of 10 about its
    default where it is not bounded on both sides; below it as much nearer to the default. States start near their default
    in half of the sets, and anywhere in their range in the others.
    """
    reach = float(generator.uniform(0.2, 1.0))
    anywhere = bool(generator.integers(2))
    starts = {s.initial_parameter.name: s for s in model.states}
    return {
        p.name: _start(starts[p.name], reach, anywhere, generator) if p.name in starts else _value(p, reach, generator)
        for p in model.parameters
        if p.name != FROZEN.name
    }


def _start(state: State, reach: float, anywhere: bool, generator: np.random.Generator) -> float:
    if not np.isfinite(state.upper - state.lower):
        return state.initial + 0.5 * reach * state.scale * float(generator.uniform(-1.0, 1.0))
    target = float(generator.uniform(state.lower, state.upper))
    return target if anywhere else state.initial + 0.2 * reach * (target - state.initial)


def _value(p: Parameter, reach: float, generator: np.random.Generator) -> float:
    if p.name == "t_ref":  # a factor would ask for rates that hold at 30 K
        return p.default + 50.0 * reach * float(generator.uniform(-1.0, 1.0))
    if np.isfinite(p.upper - p.lower):
        margin = 1e-6 * (p.upper - p.lower)
        target = float(generator.uniform(p.lower + margin, p.upper - margin))
        return p.default + reach * (target - p.default)
    if p.default == 0.0:
        least, most = WHERE_ZERO[p.unit]
        return float(generator.integers(2)) * float(np.exp(generator.uniform(np.log(least), np.log(most))))
    value = p.default * float(10.0 ** (reach * generator.uniform(-1.0, 1.0)))
    return value if p.fault(value) is None else p.default


def drive_voltage(model: Model, values: dict[str, float], width: float) -> float | None:
    """Return the lowest voltage at which a pulse [s] of either polarity moves a state, or None where none does."""
    found = [_threshold(model, values, width, sign) for sign in (1.0, -1.0)]
    return min((v for v in found if v is not None), default=None)


def _threshold(model: Model, values: dict[str, float], width: float, sign: float) -> float | None:
    low, high = 0, len(VOLTAGES) - 1
    if not _moves(model, values, width, sign * VOLTAGES[high]):
        return None
    while low < high:
        middle = (low + high) // 2
        if _moves(model, values, width, sign * VOLTAGES[middle]):
            high = middle
        else:
            low = middle + 1
    return float(VOLTAGES[low])


def _moves(model: Model, values: dict[str, float], width: float, voltage: float) -> bool:
    """Return whether a voltage held for a time [s] moves a state with a range, more than rest does."""
    ranged = np.array([np.isfinite(s.upper - s.lower) for s in model.states])
    spans = np.array([s.upper - s.lower if ok else np.inf for s, ok in zip(model.states, ranged, strict=True)])
    driven, rest = (_held(model, values, width, v) for v in (voltage, 0.0))
    if driven is None or rest is None:
        return driven is None and rest is not None
    return bool(np.max(np.abs(driven - rest) / spans) > MOVED)


def _held(model: Model, values: dict[str, float], width: float, voltage: float) -> np.ndarray | None:
    functions, complete = compile_python(model), model.values(values)
    p = [complete[q.name] for q in model.parameters]
    start = np.array(model.initial_states(complete))
    v = [voltage * ((w.plus == model.write[0]) - (w.minus == model.write[0])) for w in model.voltages]

    evaluations = 0

    def rates(_: float, x: np.ndarray) -> np.ndarray:
        nonlocal evaluations
        if (evaluations := evaluations + 1) > CREEPING:
            raise _Creeping
        return np.array(functions.rates(v, x, p, ROOM_TEMPERATURE), float)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = solve_ivp(rates, (0.0, width), start, method="LSODA", rtol=1e-3, atol=1e-5)
        except _Creeping:
            return None
    return np.asarray(answer.y[:, -1])


class _Creeping(Exception):
    """A state rushed to where it is held by what changes within its tolerance."""


def draw_waveform(amplitude: float, duration: float, generator: np.random.Generator) -> Waveform:
    """Return 5 to 12 corners from 0 V on: ramps, plateaus and edges, of both polarities, up to the amplitude [V]."""
    corners = int(generator.integers(5, 13))
    weight, level = [], [0.0]
    for _ in range(corners):
        kind = generator.choice(["ramp", "plateau", "edge"], p=[0.4, 0.35, 0.25])
        target = amplitude * float(generator.uniform(0.4, 1.0)) * float(generator.choice([-1.0, 1.0]))
        target *= float(generator.uniform() > 0.2)
        level.append(level[-1] if kind == "plateau" else target)
        weight.append(float(10.0 ** generator.uniform(-1.0, 0.0)) * (0.02 if kind == "edge" else 1.0))
    times = np.concatenate([[0.0], np.cumsum(weight) / np.sum(weight)]) * duration
    return Waveform(tuple(times.tolist()), tuple(level))


def _ohms(generator: np.random.Generator, least: float) -> float:
    return float(10.0 ** generator.uniform(np.log10(least), 5.0))


def _instance(k: int, model: Model, values: dict[str, float], plus: str, minus: str) -> Instance:
    """Return a device between two nodes by its write port; further terminals are at the minus node."""
    nodes = tuple(plus if t == model.write[0] else minus for t in model.terminals)
    return Instance(name=f"d{k + 1}", model=model, values=values, nodes=nodes)


def _single(
    models: list[Model], values: list[dict[str, float]], waveform: Waveform, generator: np.random.Generator
) -> Network:
    behind = bool(generator.uniform() > 0.15)
    ohm = _ohms(generator, 10.0)
    return Network(
        instances=(_instance(0, models[0], values[0], "a" if behind else "s", GROUND),),
        resistors=(Resistor("r1", "s", "a", ohm),) if behind else (),
        sources={"s": Drive(waveform=waveform)},
    )


def _array(
    models: list[Model], values: list[dict[str, float]], waveform: Waveform, generator: np.random.Generator
) -> Network:
    """Two rows behind resistors at the source, two columns behind resistors at ground."""
    ends = [("s", "r0"), ("s", "r1"), ("c0", GROUND), ("c1", GROUND)]
    places = [("r0", "c0"), ("r0", "c1"), ("r1", "c0"), ("r1", "c1")]
    return Network(
        instances=tuple(_instance(k, models[k], values[k], *place) for k, place in enumerate(places)),
        resistors=tuple(Resistor(f"r{k + 1}", a, b, _ohms(generator, 100.0)) for k, (a, b) in enumerate(ends)),
        sources={"s": Drive(waveform=waveform)},
    )


def _ladder(
    models: list[Model], values: list[dict[str, float]], waveform: Waveform, generator: np.random.Generator
) -> Network:
    """A chain of resistors from the source on, a device to ground after each."""
    nodes = ["s", "n1", "n2", "n3", "n4"]
    return Network(
        instances=tuple(_instance(k, models[k], values[k], nodes[k + 1], GROUND) for k in range(4)),
        resistors=tuple(Resistor(f"r{k + 1}", nodes[k], nodes[k + 1], _ohms(generator, 100.0)) for k in range(4)),
        sources={"s": Drive(waveform=waveform)},
    )
