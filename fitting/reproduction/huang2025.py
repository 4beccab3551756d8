"""Row protocols of Huang et al. 2025: the electrochemical ionic synapse.

The paper shows its spikes only in figures. The shapes below are the modelling study's own, made before the rows were run;
they are not changed from row to row, only scaled in time and voltage to the regimes of Fig. 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from scipy.optimize import brentq

from ...compact.constants import BOLTZMANN, CONSTANT_VALUES, ELEMENTARY_CHARGE, ROOM_TEMPERATURE
from ...compact.python_code import compile_python
from ...compact.result import Result
from ...compact.stimulus import Bench, Drive, Waveform
from ..variability import sample
from .spikes import Shape, divided
from .stages import Recipe, Stage, Target
from .workbench import LONGEST, Outcome, Protocol, Workbench, flag, measured

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
SYMMETRIC = Shape.of([(-112, 0), (-110, -3.8), (-32, -3.8), (-30, 0), (0, 6.5), (30, 0), (32, -3.8), (110, -3.8), (112, 0)], MS)
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
    functions = compile_python(bench.model)
    p = list(bench.model.values(bench.card.parameters).values())

    def surplus(x: float) -> float:
        return float(functions.observables([0.0, 0.0, 0.0], [0.0, x, 0.0], p, ROOM_TEMPERATURE)[0]) - conductance

    x = float(brentq(surplus, 1e-4, 1 - 1e-4, xtol=1e-12))
    return {"x_init": x, "v_i_init": rest_voltage(bench, x), "y_init": 0.0}


def _bench(gate: Sequence[tuple[float, float]], drain: Sequence[tuple[float, float]], resistance: float = 0.0) -> Bench:
    return Bench(
        drives={
            "gate": Drive(waveform=Waveform.from_steps(0.0, gate), series_resistance=resistance),
            "drain": Drive(waveform=Waveform.from_steps(0.0, drain)),
        }
    )


def _read(unit: float) -> list[tuple[float, float]]:
    """A read of the channel: rise, 10 units at 0.1 V, fall."""
    return [(unit, READ), (10 * unit, READ), (unit, 0.0)]


def _conductance(result: Result, time: float) -> float:
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
            wanted.append((_bench([*event, (tail, 0.0)], [(unit, 0.0), *_read(unit), (tail, 0.0)], resistance), v))
        else:
            busy = lead + gate.time[-1] - gate.time[0] + rest
            drain = [(unit, 0.0), *_read(unit), (busy - 13 * unit, 0.0), *_read(unit)]
            wanted.append((_bench([*event, (rest + 12 * unit, 0.0)], drain, resistance), v))
    first = bench.run(wanted)
    before = np.array([_conductance(r, 12 * unit) for r in first])
    last = _rest(bench, first, given, split, wait)
    after = [
        _conductance(end, end.time[-1] - (MS if is_split else unit)) for end, is_split in zip(last, split, strict=True)
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
                gate, drain = [*gate, (12 * MS, 0.0)], [*drain, *_read(MS)]
            wanted.append((_bench(gate, drain), {**given[k], **bench.end_states(last[k])}))
        for k, result in zip(open_, bench.run(wanted), strict=True):
            last[k] = result
    return last


def form(bench: Workbench, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return delays [ms] and changes of conductance [S] of a form of Fig. 4."""
    pre, post, delays = FORMS[name]
    gates = [divided(pre, post, MS * dt) for dt in delays]
    return np.array(delays), changes(bench, gates)[0]


def alone(bench: Workbench, pre: Shape, post: Shape, unit: float = MS, values: Mapping[str, float] | None = None) -> float:
    """Return the larger magnitude [S] of the changes by each spike alone."""
    silent = SILENT.scaled(time=unit / MS)
    gates = [divided(pre, silent, 0.0), divided(silent, post, 0.0)]
    return float(np.abs(changes(bench, gates, unit=unit, values=values)[0]).max())


# ---------------------------------------------------------------------------------------------------- Fig. 2: pulses


def pulse_changes(bench: Workbench, pulses: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return the change of conductance [S] 0.1 s after single (voltage [V], width [s]) pulses."""
    wanted = []
    for voltage, width in pulses:
        edge = 1e-3 * width
        gate = [(14 * MS, 0.0), (edge, voltage), (width - edge, voltage), (edge, 0.0), (0.112, 0.0)]
        drain = [(MS, 0.0), *_read(MS), (MS + width + edge + 0.1, 0.0), *_read(MS)]
        wanted.append((_bench(gate, drain), {}))
    results = bench.run(wanted)
    return np.array([_conductance(r, r.time[-1] - MS) - _conductance(r, 12 * MS) for r in results])


def widths_and_changes(bench: Workbench) -> dict[float, tuple[np.ndarray, np.ndarray]]:
    """Return pulse widths [s] and magnitudes of the changes [S] for every voltage of Fig. 2, both signs."""
    voltages = [sign * v for v in WIDTHS for sign in (1, -1)]
    widths = np.outer([WIDTHS[abs(v)] for v in voltages], WIDTH_FACTORS)
    pulses = [(v, float(w)) for v, row in zip(voltages, widths, strict=True) for w in row]
    found = np.abs(pulse_changes(bench, pulses)).reshape(widths.shape)
    return {v: (widths[k], found[k]) for k, v in enumerate(voltages)}


def rates(bench: Workbench) -> dict[float, float]:
    """Return the rate of change [S/s] at each voltage: the intersect of the fit of unit slope, as in Fig. 2c."""
    return {
        v: float(np.sign(v) * np.exp(np.mean(np.log(g) - np.log(w)))) for v, (w, g) in widths_and_changes(bench).items()
    }


def _speed_up(bench: Workbench, voltage: float) -> Outcome:
    rate = rates(bench)
    found = {"positive": rate[voltage] / rate[2.0], "negative": rate[-voltage] / rate[-2.0]}
    return Outcome(simulated={name: measured(value) for name, value in found.items()})


def linearity(bench: Workbench) -> Outcome:
    """EIS-03: slopes between neighbouring pulse widths in the log-log plot of Fig. 2a, b."""
    table = widths_and_changes(bench)
    slopes = [
        np.diff(np.log(g)) / np.diff(np.log(w)) for v, (w, g) in table.items() if abs(v) in (2.0, 4.0, 6.0)
    ]
    curves = {f"{v:+g} V": (w, np.sign(v) * g) for v, (w, g) in table.items()}
    return Outcome(
        simulated={"smallest_slope": measured(np.min(slopes)), "largest_slope": measured(np.max(slopes))}, curves=curves
    )


def rate_law(bench: Workbench) -> Outcome:
    """EIS-04: sign, growth and zero of the rate of Fig. 2c."""
    rate = rates(bench)
    voltages = np.array(sorted(rate))
    values = np.array([rate[v] for v in voltages])
    growth = np.diff(np.log(np.abs(values[voltages > 0])))
    rest = rest_voltage(bench, bench.value("x_init"))
    still = float(pulse_changes(bench, [(rest, 1.0)])[0])
    return Outcome(
        simulated={
            "monotone": flag(bool(np.all(np.diff(values) > 0))),
            "least_growth_per_volt": measured(float(np.exp(growth.min()))),
            "change_at_open_circuit": measured(1e9 * abs(still), "nS"),
        },
        curves={"rate": (voltages, values)},
    )


def open_circuit(bench: Workbench) -> Outcome:
    """EIS-05: gate voltage at which the gate current changes its sign, against conductance."""
    conductances = np.array([0.1e-6, 0.3e-6, 1e-6, 3e-6, 6e-6])
    sweep = _bench([(0.1, -0.5), (2.0, 0.3)], [(2.1, 0.0)])
    results = bench.run([(sweep, at_conductance(bench, g)) for g in conductances])
    found = []
    for result in results:
        late = result.time > 0.2
        voltage, current = result["voltage"][late], result["gate_current"][late]
        k = int(np.flatnonzero(current > 0)[0])
        found.append(float(np.interp(0.0, current[k - 1 : k + 1], voltage[k - 1 : k + 1])))
    return Outcome(
        simulated={
            "lowest": measured(min(found), "V"),
            "highest": measured(max(found), "V"),
            "rises_with_content": flag(bool(np.all(np.diff(found) > 0))),
        },
        curves={"open-circuit voltage": (conductances, np.array(found))},
    )


def gate_resistance(bench: Workbench) -> Outcome:
    """EIS-06: peak voltage over gate current of a submicron gate once the interface is charged; electrolyte of Fig. 3."""
    found = []
    for thickness, voltage, width in ((14e-9, PEAK, MS), (7e-9, 9.5, 10 * NS)):
        pulse = _bench([(width / 100, voltage), (width, voltage)], [(1.01 * width, 0.0)])
        (result,) = bench.run([(pulse, {"t_el": thickness, "w_ch": 0.5e-6, "l_ch": 0.5e-6})])
        found.append(voltage / float(result["gate_current"][-1]))
    return Outcome(
        simulated={"resistance": measured(found[0], "ohm")},
        note=f"0.5 um gate; with 7 nm of electrolyte at 9.5 V it is {found[1]:.2g} ohm, the programming current itself",
    )


# ------------------------------------------------------------------------------------------- Figs. 3 and 4: STDP forms


def divider(bench: Workbench) -> Outcome:
    """EIS-07: error of the divider of Fig. 3a against (Vpre+Vpost)/2."""
    gate = [divided(CANONICAL, -CANONICAL, 30 * MS)]
    ideal = changes(bench, gate)[0][0]
    found = [changes(bench, gate, resistance=r / 2)[0][0] / ideal - 1 for r in (1e6, 1e9)]
    return Outcome(
        simulated={
            "error_1_megohm": measured(100 * abs(found[0]), "%"),
            "error_1_gigohm": measured(100 * abs(found[1]), "%"),
        }
    )


def canonical(bench: Workbench) -> Outcome:
    """EIS-08: antisymmetric STDP of Fig. 3d."""
    delays, change = form(bench, "a")
    late, early = change[delays > 0], change[delays < 0][::-1]
    peak = change.max()
    single = alone(bench, CANONICAL, -CANONICAL)
    return Outcome(
        simulated={
            "least_ltp": measured(1e9 * late.min(), "nS"),
            "least_ltd": measured(1e9 * early.max(), "nS"),
            "ltp_falls": flag(bool(np.all(np.diff(late[1:]) < 0))),
            "ltd_falls": flag(bool(np.all(np.diff(early[1:]) > 0))),
            "alone": measured(100 * single / peak, "%"),
        },
        curves={"dG": (delays, 1e9 * change)},
        note=f"{1e9 * peak:.1f} nS and {1e9 * change.min():.1f} nS at the peaks",
    )


def potentiation_only(bench: Workbench) -> Outcome:
    """EIS-09: Fig. 4b."""
    delays, change = form(bench, "b")
    return Outcome(
        simulated={
            "least": measured(100 * change.min() / change.max(), "%"),
            "peak_delay": measured(float(delays[np.argmax(change)]), "ms"),
        },
        curves={"dG": (delays, 1e9 * change)},
    )


def symmetric(bench: Workbench) -> Outcome:
    """EIS-10: Fig. 4c."""
    delays, change = form(bench, "c")
    centre = change[delays == 0][0]
    return Outcome(
        simulated={
            "at_zero": measured(1e9 * centre, "nS"),
            "deepest": measured(100 * change.min() / centre, "%"),
            "asymmetry": measured(100 * np.abs(change - change[::-1]).max() / centre, "%"),
        },
        curves={"dG": (delays, 1e9 * change)},
    )


def dead_zone(bench: Workbench) -> Outcome:
    """EIS-11: Fig. 4d."""
    delays, change = form(bench, "d")
    inside = np.abs(change[np.abs(delays) <= 60]).max()
    return Outcome(
        simulated={
            "inside": measured(100 * inside / change.max(), "%"),
            "ltp": measured(1e9 * change[delays == 90][0], "nS"),
            "ltd": measured(1e9 * change[delays == -90][0], "nS"),
        },
        curves={"dG": (delays, 1e9 * change)},
    )


def common_factor(bench: Workbench, name: str) -> Outcome:
    """EIS-12: peak-to-peak change over that of Eq. 1, the integral of the rates of Fig. 2c."""
    pre, post, _ = FORMS[name]
    delays, change = form(bench, name)
    rate = rates(bench)
    voltages = np.array(sorted({0.0, *rate}))
    small = 1e-12
    stretched = np.arcsinh(np.array([rate.get(v, 0.0) for v in voltages]) / small)
    expected = []
    for delay in delays:
        gate = divided(pre, post, MS * delay)
        time = np.unique(np.concatenate([np.linspace(a, b, 400) for a, b in zip(gate.time, gate.time[1:], strict=False)]))
        expected.append(np.trapezoid(small * np.sinh(np.interp(gate(time), voltages, stretched)), time))
    eq1 = np.array(expected)
    factor = np.ptp([*change, 0.0]) / np.ptp([*eq1, 0.0])
    return Outcome(
        simulated={"factor": measured(factor)},
        curves={"device": (delays, 1e9 * change), "Eq. 1, scaled": (delays, 1e9 * factor * eq1)},
        note=f"least-squares factor {change @ eq1 / (eq1 @ eq1):.3f}",
    )


# --------------------------------------------------------------------------------- Figs. 5 and 6: several spikes, synapses


def _scaled_post(bench: Workbench, factor: float) -> tuple[np.ndarray, np.ndarray]:
    delays = np.array([-60.0, -40, -30, -20, 0, 20, 30, 40, 60])
    gates = [divided(CANONICAL, -CANONICAL, MS * dt, (1.0, factor)) for dt in delays]
    return delays, 1e9 * changes(bench, gates)[0]


def _is_odd(delays: np.ndarray, change: np.ndarray) -> bool:
    return bool(np.all(change[delays < 0] < 0) and np.all(change[delays > 0] > 0))


def heterogeneous(bench: Workbench) -> Outcome:
    """EIS-13: Fig. 5b, one first neuron and two second ones with spikes of opposite sign."""
    (delays, a), (_, b) = _scaled_post(bench, 1.0), _scaled_post(bench, -1.0)
    return Outcome(
        simulated={
            "a_antisymmetric": flag(_is_odd(delays, a)),
            "b_asymmetry": measured(100 * np.abs(b - b[::-1]).max() / np.abs(b).max(), "%"),
        },
        curves={"synapse A": (delays, a), "synapse B": (delays, b)},
    )


def dopamine(bench: Workbench) -> Outcome:
    """EIS-14: Fig. 5d, the second neuron's spike multiplied by a factor from 1 to -1."""
    curves = {f"{factor:+g}": _scaled_post(bench, factor) for factor in (1, 0.6, 0.2, -0.2, -0.6, -1)}
    (delays, first), (_, last) = curves["+1"], curves["-1"]
    return Outcome(
        simulated={
            "antisymmetric_at_1": flag(_is_odd(delays, first)),
            "asymmetry_at_-1": measured(100 * np.abs(last - last[::-1]).max() / np.abs(last).max(), "%"),
            "at_zero_delay_at_-1": measured(float(last[delays == 0][0]), "nS"),
        },
        curves=curves,
    )


def cumulative(bench: Workbench) -> Outcome:
    """EIS-15: Fig. 6, 30 events of +20 ms and 30 of -20 ms, 8 V, ten times."""
    spike, period, events, cycles = CANONICAL.scaled(voltage=8 / 6.5), 0.4, 30, 10
    gate: list[tuple[float, float]] = [(14 * MS, 0.0)]
    for delay in [20 * MS] * events + [-20 * MS] * events:
        shape = divided(spike, -spike, delay)
        length = shape.time[-1] - shape.time[0]
        gate += [*zip(np.diff(shape.time).tolist(), shape.value[1:], strict=True), (period - length, 0.0)]
    cycle = gate[1:]
    results: list[Result] = []
    state: dict[str, float] = {}
    for _ in range(cycles):
        duration = sum(t for t, _ in cycle)
        (result,) = bench.run([(_bench(cycle, [(MS, 0.0), (duration - MS, 0.0)]), state)])
        results.append(result)
        state = bench.end_states(result)
    marks = period * np.arange(1, 2 * events + 1)
    levels = [result.at("conductance", marks) for result in results]
    ratio = np.array([g.max() / g.min() for g in levels])
    return Outcome(
        simulated={
            "least_ratio": measured(ratio.min()),
            "drift_of_ratio": measured(100 * abs(ratio[-1] / ratio[1] - 1), "%"),
        },
        curves={"conductance": (np.arange(1, 2 * events * cycles + 1), 1e9 * np.concatenate(levels))},
    )


# ------------------------------------------------------------------------------------ Fig. 7, Table 1: regimes, energy


def regime(bench: Workbench, unit: float, voltage: float, thickness: float) -> Outcome:
    """EIS-16: the canonical spikes scaled to a regime of Fig. 7."""
    spike = CANONICAL.scaled(time=unit / MS, voltage=voltage / PEAK)
    delays = np.array([-100.0, -60, -30, 30, 60, 100])
    values = {"t_el": thickness}
    gates = [divided(spike, -spike, unit * dt) for dt in delays]
    change = 1e9 * changes(bench, gates, unit=unit, values=values)[0]
    return Outcome(
        simulated={"ltp": measured(change.max(), "nS"), "ltd": measured(change.min(), "nS")},
        curves={"dG": (delays, change)},
        note=f"a spike alone: {1e9 * alone(bench, spike, -spike, unit, values):.2f} nS",
    )


def cycle_to_cycle(bench: Workbench) -> Outcome:
    """EIS-17: mean difference from the smooth curve, each event with rates of its own (the card's spread)."""
    delays = np.repeat(np.linspace(15, 150, 12), 3)
    gates = [divided(CANONICAL, -CANONICAL, MS * dt) for dt in delays]
    drawn = sample(bench.card, len(gates), seed=17, kind="cycle")
    change = changes(bench, gates, values=drawn)[0]
    smooth = changes(bench, gates)[0]
    return Outcome(
        simulated={"mean_deviation": measured(100 * np.mean(np.abs(change / smooth - 1)), "%")},
        curves={"event": (delays, 1e9 * change), "smooth": (delays, 1e9 * smooth)},
    )


def device_to_device(bench: Workbench) -> Outcome:
    """EIS-18: spread of the potentiation of 60 devices at 50 nS."""
    gate = divided(CANONICAL, -CANONICAL, 30 * MS)
    start = at_conductance(bench, 50e-9)
    drawn = [{**start, **v} for v in sample(bench.card, 60, seed=18, kind="device")]
    change = changes(bench, [gate] * len(drawn), values=drawn)[0]
    return Outcome(simulated={"spread": measured(100 * change.std(ddof=1) / change.mean(), "%")})


def _fast_event(bench: Workbench, delay: float) -> tuple[float, float, float]:
    """Return energy of both sources [J], charge through the gate [C] and change [S] of a 50 nm device behind 200 Mohm."""
    spike = CANONICAL.scaled(time=NS / MS, voltage=FAST_PEAK / PEAK)
    resistance = 200e6
    values = {"t_el": 7e-9, "w_ch": 50e-9, "l_ch": 50e-9}
    gate = divided(spike, -spike, delay)
    change, (result,) = changes(bench, [gate], unit=NS, values=values, resistance=resistance / 2, settle=1e-6)
    time = result.time - 14 * NS + gate.time[0]
    pre, post = spike(time), (-spike).delayed(delay)(time)
    power = pre * (pre - result["voltage"]) / resistance + post * (post - result["voltage"]) / resistance
    charge = float(np.trapezoid(np.abs(result["gate_current"]), time))
    return float(np.trapezoid(power, time)), charge, float(change[0])


def event_energy(bench: Workbench) -> Outcome:
    """EIS-19: energy that both neurons give in an event of the 100 ns regime."""
    found = [_fast_event(bench, delay) for delay in (-30 * NS, 30 * NS)]
    return Outcome(
        simulated={
            "least": measured(1e15 * min(e for e, _, _ in found), "fJ"),
            "most": measured(1e15 * max(e for e, _, _ in found), "fJ"),
        },
        note=f"the events then change the conductance by {1e9 * found[0][2]:+.1f} and {1e9 * found[1][2]:+.1f} nS",
    )


def insertion_energy(bench: Workbench) -> Outcome:
    """EIS-20: charge through a gate of (130 nm)^2 times 10 V."""
    charge = max(_fast_event(bench, delay)[1] for delay in (-30 * NS, 30 * NS))
    return Outcome(simulated={"energy": measured(1e15 * FAST_PEAK * charge * (130 / 50) ** 2, "fJ")})


def initial_conductance(bench: Workbench) -> Outcome:
    """EIS-21: read of the device as the card sets it."""
    (result,) = bench.run([(_bench([(14 * MS, 0.0)], [(MS, 0.0), *_read(MS), (MS, 0.0)]), {})])
    return Outcome(simulated={"conductance": measured(1e9 * _conductance(result, 12 * MS), "nS")})


def tunability(bench: Workbench) -> Outcome:
    """EIS-22: reads of the empty and of the full channel."""
    read = _bench([(14 * MS, 0.0)], [(MS, 0.0), *_read(MS), (MS, 0.0)])
    results = bench.run([(read, {"x_init": x, "v_i_init": v}) for x, v in ((0.0, -1.0), (1.0, 1.0))])
    low, high = (_conductance(r, 12 * MS) for r in results)
    return Outcome(simulated={"decades": measured(np.log10(high / low))})


def at_rest(bench: Workbench) -> Outcome:
    """EIS-23: drift over 20 s at 0 V, and the part of the change that is there 0.2 s after the event."""
    gate = divided(CANONICAL, -CANONICAL, 30 * MS)
    (early,), _ = changes(bench, [gate], wait=0.4)
    (late, drift), _ = changes(bench, [gate, SILENT])
    return Outcome(
        simulated={
            "drift": measured(100 * abs(drift) / late, "%"),
            "early_over_late": measured(early / late),
        }
    )


PROTOCOLS: dict[str, Protocol] = {
    "EIS-01": partial(_speed_up, voltage=4.0),
    "EIS-02": partial(_speed_up, voltage=6.0),
    "EIS-03": linearity,
    "EIS-04": rate_law,
    "EIS-12a": partial(common_factor, name="a"),
    "EIS-12b": partial(common_factor, name="b"),
    "EIS-12c": partial(common_factor, name="c"),
    "EIS-12d": partial(common_factor, name="d"),
    "EIS-08": canonical,
    "EIS-09": potentiation_only,
    "EIS-10": symmetric,
    "EIS-11": dead_zone,
    "EIS-05": open_circuit,
    "EIS-06": gate_resistance,
    "EIS-07": divider,
    "EIS-13": heterogeneous,
    "EIS-14": dopamine,
    "EIS-15": cumulative,
    "EIS-16a": partial(regime, unit=MS, voltage=PEAK, thickness=14e-9),
    "EIS-16b": partial(regime, unit=US, voltage=FAST_PEAK, thickness=14e-9),
    "EIS-16c": partial(regime, unit=NS, voltage=FAST_PEAK, thickness=7e-9),
    "EIS-17": cycle_to_cycle,
    "EIS-18": device_to_device,
    "EIS-19": event_energy,
    "EIS-20": insertion_energy,
    "EIS-21": initial_conductance,
    "EIS-22": tunability,
    "EIS-23": at_rest,
}
"""The experiment of every row."""

GROUPS = (
    ("EIS-01", "EIS-02", "EIS-03", "EIS-04", "EIS-12a", "EIS-12b", "EIS-12c", "EIS-12d", "EIS-08", "EIS-09", "EIS-10", "EIS-11"),
    ("EIS-13", "EIS-14"),
    ("EIS-19", "EIS-20"),
)
"""Rows that share runs and go to one process."""


_SPEED_UPS = (
    Target(row="EIS-01", quantity="positive", value=60.0, tolerance=0.3),
    Target(row="EIS-01", quantity="negative", value=60.0, tolerance=0.3),
    Target(row="EIS-02", quantity="positive", value=1000.0, tolerance=0.35),
    Target(row="EIS-02", quantity="negative", value=1000.0, tolerance=0.35),
)
_FACTORS = tuple(
    Target(row=f"EIS-12{name}", quantity="factor", value=value, tolerance=0.1, scale="linear")
    for name, value in (("a", 0.7), ("c", 0.65), ("d", 0.7))
)


def _at_rest_values(bench: Workbench) -> dict[str, float]:
    return {"v_i_init": at_conductance(bench, 1e-6)["v_i_init"]}


RECIPES = {
    "huang_ysz": Recipe(
        stages=(
            Stage(start={"l_hop": 1.4e-9, "j_ct": 0.02}, targets=_SPEED_UPS),
            Stage(start={"k_y": 0.3}, targets=_FACTORS),
            Stage(start={"l_hop": 1.4e-9, "j_ct": 0.02, "k_y": 0.3}, targets=(*_SPEED_UPS, *_FACTORS)),
        ),
        derived=_at_rest_values,
    )
}
"""How the cards are extracted."""

PANELS = ()
