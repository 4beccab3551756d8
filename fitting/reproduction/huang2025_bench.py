"""How the ionic synapse of Huang et al. 2025 is driven and read: spikes, events, pulses.

The paper shows its spikes only in figures. The shapes below are the modelling study's own, made before the rows were run;
they are not changed from row to row, only scaled in time and voltage to the regimes of Fig. 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import brentq

from ...compact.constants import BOLTZMANN, CONSTANT_VALUES, ELEMENTARY_CHARGE, ROOM_TEMPERATURE
from ...compact.equations import Equations
from ...compact.result import Result
from ...compact.stimulus import Bench, Drive, Waveform
from .spikes import Shape, divided
from .workbench import LONGEST, Workbench

MS, US, NS = 1e-3, 1e-6, 1e-9
READ = 0.1
"""Read voltage [V], Experimental Section."""

WAIT = 20.0
"""From the firing of the first neuron to the read [s], Sec. 2.2."""

PEAK, FAST_PEAK = 6.5, 10.0
"""Peak voltages [V] of the 100 ms regime, and of the faster ones; caption of Fig. 7."""

CANONICAL = Shape.of([(-26, 0), (-25, -6.5), (-1, -6.5), (0, 5.0), (160, 0)], MS)
LTP_ONLY = Shape.of(
    [(-462, 0), (-460, -1.6), (-62, -1.6), (-60, 0), (0, 6.5), (60, 0), (62, -1.6), (460, -1.6), (462, 0)], MS
)
SYMMETRIC = Shape.of(
    [(-112, 0), (-110, -3.8), (-32, -3.8), (-30, 0), (0, 6.5), (30, 0), (32, -3.8), (110, -3.8), (112, 0)], MS
)
DEAD_ZONE = Shape.of([(-26, 0), (-25, -6.5), (-1, -6.5), (0, 0), (60, 0), (61, 5.9), (180, 0)], MS)
SILENT = Shape.of([(-1, 0), (0, 0), (1, 0)], MS)

FORMS: dict[str, tuple[Shape, Shape, tuple[float, ...]]] = {
    "a": (CANONICAL, -CANONICAL, (-140, -100, -80, -60, -40, -30, -20, 20, 30, 40, 60, 80, 100, 140)),
    "b": (LTP_ONLY, LTP_ONLY, (-400, -200, -100, -60, -40, -20, 0, 20, 40, 60, 100, 200, 400)),
    "c": (SYMMETRIC, SYMMETRIC, (-140, -90, -60, -45, -30, -15, 0, 15, 30, 45, 60, 90, 140)),
    "d": (DEAD_ZONE, -DEAD_ZONE, (-140, -120, -90, -60, -30, 30, 60, 90, 120, 140)),
}
"""Spikes of both neurons and delays [ms] of the forms of Fig. 4."""

WIDTHS = {1.0: 100.0, 2.0: 10.0, 3.0: 1.5, 4.0: 0.2, 5.0: 0.05, 6.0: 0.013, 7.0: 0.005}
"""Pulse voltages [V] and the middle one of their widths [s]: changes of some 50 nS."""

WIDTH_FACTORS = (0.2, 0.5, 1.0, 3.0)
"""Widths over the middle one: changes of 10 to 200 nS."""


def rest_voltage(bench: Workbench, x: float) -> float:
    """Return the interface voltage [V] at rest at an occupation."""
    thermal = CONSTANT_VALUES[BOLTZMANN.name] * ROOM_TEMPERATURE / CONSTANT_VALUES[ELEMENTARY_CHARGE.name]
    return bench.value("u_0") + thermal / (2 * bench.value("alpha")) * float(np.log(x / (1 - x)))


def at_conductance(bench: Workbench, conductance: float) -> dict[str, float]:
    """Return the initial values of a device at rest at a conductance [S]."""
    equations = Equations.of(bench.model, bench.card.parameters, ROOM_TEMPERATURE)

    def surplus(x: float) -> float:
        return float(equations.observables({}, [0.0, x, 0.0])["conductance"]) - conductance

    x = float(brentq(surplus, 1e-4, 1 - 1e-4, xtol=1e-12))
    return {"x_init": x, "v_i_init": rest_voltage(bench, x), "y_init": 0.0}


def terminals(
    gate: Sequence[tuple[float, float]], drain: Sequence[tuple[float, float]], resistance: float = 0.0
) -> Bench:
    """Return the bench of (duration [s], voltage [V]) steps at gate and drain, the gate behind a resistance [ohm]."""
    return Bench(
        drives={
            "gate": Drive(waveform=Waveform.from_steps(0.0, gate), series_resistance=resistance),
            "drain": Drive(waveform=Waveform.from_steps(0.0, drain)),
        }
    )


def read(unit: float) -> list[tuple[float, float]]:
    """Return a read of the channel: rise, 10 units of time at 0.1 V, fall."""
    return [(unit, READ), (10 * unit, READ), (unit, 0.0)]


def read_conductance(result: Result, time: float) -> float:
    """Return the conductance [S] that a read shows at a time [s]."""
    return float(result.at("read_current", np.array([time]))[0] / READ)


def changes(
    bench: Workbench,
    gates: Sequence[Shape],
    *,
    unit: float = MS,
    wait: float = WAIT,
    values: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
    resistance: float = 0.0,
    settle: float = 0.0,
) -> tuple[np.ndarray, list[Result]]:
    """Return the change of conductance [S] by each gate waveform, read before it and ``wait`` after time 0, and the runs.

    Where the wait is too long against the waveform, it is split into runs that start from the states at the end of the last.
    """
    given = list(values) if isinstance(values, Sequence) else [dict(values or {})] * len(gates)
    lead = 14 * unit
    wanted, split = [], []
    for gate, v in zip(gates, given, strict=True):
        event = [(lead, 0.0), *zip(np.diff(gate.time).tolist(), gate.value[1:], strict=True)]
        rest = wait - gate.time[-1]
        split.append(wait / float(np.min(np.diff(gate.time))) > LONGEST)
        if split[-1]:
            tail = max(20 * unit, settle)
            wanted.append((terminals([*event, (tail, 0.0)], [(unit, 0.0), *read(unit), (tail, 0.0)], resistance), v))
        else:
            busy = lead + gate.time[-1] - gate.time[0] + rest
            drain = [(unit, 0.0), *read(unit), (busy - 13 * unit, 0.0), *read(unit)]
            wanted.append((terminals([*event, (rest + 12 * unit, 0.0)], drain, resistance), v))
    first = bench.run(wanted)
    before = np.array([read_conductance(r, 12 * unit) for r in first])
    last = _rest(bench, first, given, split, wait)
    after = [
        read_conductance(end, end.time[-1] - (MS if is_split else unit))
        for end, is_split in zip(last, split, strict=True)
    ]
    return np.array(after) - before, first


def _rest(
    bench: Workbench, first: list[Result], given: Sequence[Mapping[str, float]], split: list[bool], wait: float
) -> list[Result]:
    """Leave devices at 0 V until ``wait`` [s], each run a thousand times longer than what went before, and read at the end.

    The first time step of a run is 1e-5 of it, and the interface relaxes as the logarithm of time.
    """
    last, elapsed = list(first), [float(r.time[-1]) for r in first]
    while open_ := [k for k, is_split in enumerate(split) if is_split and elapsed[k] < wait]:
        wanted = []
        for k in open_:
            duration = min(1000 * elapsed[k], wait - elapsed[k])
            elapsed[k] = wait if duration > 0.5 * (wait - elapsed[k]) else elapsed[k] + duration
            gate, drain = [(duration, 0.0)], [(duration, 0.0)]
            if elapsed[k] == wait:
                gate, drain = [*gate, (12 * MS, 0.0)], [*drain, *read(MS)]
            wanted.append((terminals(gate, drain), {**given[k], **bench.end_states(last[k])}))
        for k, result in zip(open_, bench.run(wanted), strict=True):
            last[k] = result
    return last


def form(bench: Workbench, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return delays [ms] and changes of conductance [S] of a form of Fig. 4."""
    pre, post, delays = FORMS[name]
    gates = [divided(pre, post, MS * dt) for dt in delays]
    return np.array(delays), changes(bench, gates)[0]


def alone(
    bench: Workbench, pre: Shape, post: Shape, unit: float = MS, values: Mapping[str, float] | None = None
) -> float:
    """Return the larger magnitude [S] of the changes by each spike alone."""
    silent = SILENT.scaled(time=unit / MS)
    gates = [divided(pre, silent, 0.0), divided(silent, post, 0.0)]
    return float(np.abs(changes(bench, gates, unit=unit, values=values)[0]).max())


# ---------------------------------------------------------------------------------------------------- Fig. 2: pulses


def pulse_changes(bench: Workbench, pulses: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return the change of conductance [S] 0.1 s after single (voltage [V], width [s]) pulses."""
    wanted: list[tuple[Bench, Mapping[str, float]]] = []
    for voltage, width in pulses:
        edge = 1e-3 * width
        gate = [(14 * MS, 0.0), (edge, voltage), (width - edge, voltage), (edge, 0.0), (0.112, 0.0)]
        drain = [(MS, 0.0), *read(MS), (MS + width + edge + 0.1, 0.0), *read(MS)]
        wanted.append((terminals(gate, drain), {}))
    results = bench.run(wanted)
    return np.array([read_conductance(r, r.time[-1] - MS) - read_conductance(r, 12 * MS) for r in results])


def widths_and_changes(
    bench: Workbench, voltages: Sequence[float] = tuple(WIDTHS)
) -> dict[float, tuple[np.ndarray, np.ndarray]]:
    """Return pulse widths [s] and magnitudes of the changes [S] at voltages of both signs, as in Fig. 2a, b."""
    both = [sign * v for v in voltages for sign in (1, -1)]
    widths = np.outer([WIDTHS[abs(v)] for v in both], WIDTH_FACTORS)
    pulses = [(v, float(w)) for v, row in zip(both, widths, strict=True) for w in row]
    found = np.abs(pulse_changes(bench, pulses)).reshape(widths.shape)
    return {v: (widths[k], found[k]) for k, v in enumerate(both)}


def rates(bench: Workbench, voltages: Sequence[float] = tuple(WIDTHS)) -> dict[float, float]:
    """Return the rate of change [S/s] at voltages of both signs: the intersect of the fit of unit slope, as in Fig. 2c."""
    table = widths_and_changes(bench, voltages)
    return {v: float(np.sign(v) * np.exp(np.mean(np.log(g) - np.log(w)))) for v, (w, g) in table.items()}
