"""Row protocols of Li et al. 2019, Fig. 1: the junction's states, its loop, transport, retention and uniformity."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from scipy.optimize import least_squares

from ...compact.constants import (
    BOLTZMANN_EV,
    CONSTANT_VALUES,
    ELECTRON_MASS,
    ELEMENTARY_CHARGE,
    PLANCK,
    ROOM_TEMPERATURE,
)
from ...compact.equations import Equations
from ...compact.stimulus import Bench, Drive, Waveform
from ..variability import sample
from .li2019_bench import READ, V_RESET, V_SET, WRITE, Train, at_read
from .workbench import Outcome, Protocol, Workbench, measured


def written(bench: Workbench, values: Mapping[str, float] | None = None) -> tuple[float, float]:
    """Return the resistances [ohm] after -4.3 V and after +2.2 V of 100 ms, read at 0.1 V."""
    train = Train(READ).hold(1e-3).pulse(V_SET, WRITE).hold(0.1).pulse(V_RESET, WRITE).hold(0.1)
    (result,) = bench.run([(train.bench(), dict(values or {}))])
    _, low, high = 1 / at_read(result, train.rest_ends)
    return float(high), float(low)


def _state(bench: Workbench, name: str) -> Outcome:
    high, low = written(bench)
    found = {"high": measured(high, "ohm"), "low": measured(low, "ohm"), "ratio": measured(high / low)}
    return Outcome(simulated={name: found[name]})


def loop(bench: Workbench) -> Outcome:
    """OTJ-04: pulses of 100 ms to 2.2 V and to -4.3 V in steps of 0.1 V, back in larger ones, a read after each.

    Eleven pulses are a run, which starts from the state at the end of the last: one deck of all of them takes minutes.
    """
    up, down = np.arange(1, 23) * 0.1, -np.arange(0, 44) * 0.1
    voltages = np.concatenate([up, [1.5, 1.0, 0.5], down, [-3.0, -2.0, -1.0, 0.0]])
    values: dict[str, float] = {}
    conductances: list[float] = []
    for chunk in np.array_split(voltages, range(11, len(voltages), 11)):
        train = Train(READ).hold(1e-3)
        for v in chunk:
            train.pulse(float(v), WRITE).hold(0.1)
        (result,) = bench.run([(train.bench(), values)])
        values = bench.end_states(result)
        conductances += at_read(result, train.rest_ends[1 if conductances else 0 :]).tolist()
    first, resistance = 1 / conductances[0], 1 / np.array(conductances[1:])
    bottom = int(np.argmin(voltages))
    setting, resetting = resistance[:22], resistance[21 : bottom + 1]
    at = {round(float(v), 1): r for v, r in zip(voltages[21 : bottom + 1], resetting, strict=True)}
    return Outcome(
        simulated={
            "states_of_set": measured(_distinct(setting)),
            "states_of_reset": measured(_distinct(resetting)),
            "still_falling": measured(setting[18] / setting[-1]),
            "still_rising": measured(at[-4.3] / at[-3.8]),
            "closes": measured(100 * abs(resistance[-1] / first - 1), "%"),
        },
        curves={"resistance": (np.concatenate([[0.0], voltages]), np.concatenate([[first], resistance]))},
    )


def _distinct(resistance: np.ndarray) -> int:
    """Count the states between the ends that differ by 10 % from the one before."""
    kept = [resistance[0]]
    for r in resistance[1:]:
        if abs(np.log(r / kept[-1])) > 0.1:
            kept.append(r)
    return max(len(kept) - 2, 0)


def _curve(bench: Workbench, w: float, low: float, high: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return voltage, current and emission current of a held state at 41 voltages from ``low`` to ``high`` [V]."""
    voltages = np.linspace(low, high, 41)
    wave = Waveform.from_steps(0.0, [(1.0, float(v)) for v in voltages])
    held = Bench(drives={"p": Drive(waveform=wave)}, frozen=True)
    (result,) = bench.run([(held, {"w_init": w, "s_init": 0.0})])
    times = np.arange(1.0, 42.0)
    return voltages, result.at("current", times), result.at("emission_current", times)


def high_state_transport(bench: Workbench) -> Outcome:
    """OTJ-05: exponential law fitted to the I-V curve of the high-resistance state; its barrier with A** = 120 A/cm2K2."""
    v, i, emission = _curve(bench, bench.value("w_init"), -1.0, 1.0)
    share = float(np.interp(READ, v, emission) / np.interp(READ, v, i))
    forward = v > 0.02

    def law(q: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(q[0]) * np.expm1(v[forward] / np.exp(q[1])) / i[forward] - 1)

    saturation = float(np.exp(least_squares(law, [np.log(2e-8), np.log(4.0)]).x[0]))
    area = np.pi * bench.value("r_el") ** 2
    thermal = CONSTANT_VALUES[BOLTZMANN_EV.name] * ROOM_TEMPERATURE
    barrier = thermal * np.log(area * 1.2e6 * ROOM_TEMPERATURE**2 / saturation)
    return Outcome(
        simulated={
            "barrier": measured(barrier, "eV"),
            "emission_share": measured(100 * share, "%"),
            "asymmetry": measured(np.interp(1.0, v, i) / -np.interp(-1.0, v, i)),
        },
        curves={"HRS": (v, i)},
    )


def tunnel_barriers(bench: Workbench) -> Outcome:
    """OTJ-06: Brinkman's law refitted to the I-V curve of the low-resistance state below 0.08 V."""
    v, i, _ = _curve(bench, _low_state(bench), -0.08, 0.08)
    v, i = v[np.abs(v) > 4e-3], i[np.abs(v) > 4e-3]

    def misfit(q: np.ndarray) -> np.ndarray:
        changed = {
            **bench.card.parameters,
            "phi_1": q[0],
            "phi_2": q[1],
            "v_lim": 1e3,
            "v_x": 1e3,
            "a_te": 1e-30,
            "lam": 0.0,
        }
        law = Equations.of(bench.model, changed, ROOM_TEMPERATURE).current("p", {"p": v}, [0.0, 1.0])
        return np.asarray(law / i - 1)

    first, second = least_squares(misfit, [0.3, 0.45]).x
    return Outcome(simulated={"top": measured(first, "eV"), "bottom": measured(second, "eV")}, curves={"LRS": (v, i)})


def field_emission_barrier(bench: Workbench) -> Outcome:
    """OTJ-07: slope of ln(I/V^2) against 1/V of the low-resistance state from 1 V to 2.2 V."""
    v, i, _ = _curve(bench, _low_state(bench), 1.0, V_SET)
    slope = np.polyfit(1 / v, np.log(i / v**2), 1)[0]
    mass, thickness = bench.value("m_eff"), bench.value("t_ox")
    m_0, q, planck = (CONSTANT_VALUES[c.name] for c in (ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK))
    brinkman = 8 * np.pi * thickness * np.sqrt(2 * m_0 * mass * q) / (3 * planck)
    return Outcome(simulated={"barrier": measured((-slope / brinkman) ** (2 / 3), "eV")})


def _low_state(bench: Workbench) -> float:
    train = Train().pulse(V_SET, WRITE).hold(0.1)
    (result,) = bench.run([(train.bench(), {})])
    return float(result["w"][-1])


def retention(bench: Workbench) -> Outcome:
    """OTJ-22: both states left at 0 V for 1e4 s."""
    wait = Bench(
        drives={"p": Drive(waveform=Waveform.from_steps(0.0, [(1.0, READ), (1.0, 0.0), (1e4, 0.0), (1.0, READ)]))}
    )
    results = bench.run([(wait, {"w_init": w}) for w in (bench.value("w_init"), _low_state(bench))])
    found = [100 * abs(float(r["current"][-1] / r.at("current", np.array([1.0]))[0]) - 1) for r in results]
    return Outcome(simulated={"high": measured(found[0], "%"), "low": measured(found[1], "%")})


def uniformity(bench: Workbench) -> Outcome:
    """OTJ-23: states of three loops in a row, and of 20 devices drawn from the card's spread."""
    train = Train(READ).hold(1e-3)
    for _ in range(3):
        train.pulse(V_SET, WRITE).hold(0.1).pulse(V_RESET, WRITE).hold(0.1)
    (result,) = bench.run([(train.bench(), {})])
    levels = at_read(result, train.rest_ends[1:]).reshape(3, 2)
    devices = [written(bench, v) for v in sample(bench.card, 20, seed=23, kind="device")]
    ratios = np.array([high / low for high, low in devices])
    return Outcome(
        simulated={
            "drift": measured(100 * np.abs(levels[2] / levels[1] - 1).max(), "%"),
            "least_ratio": measured(ratios.min()),
        },
        curves={
            "HRS": (np.arange(1, 21), np.array([h for h, _ in devices])),
            "LRS": (np.arange(1, 21), np.array([low for _, low in devices])),
        },
    )


PROTOCOLS: dict[str, Protocol] = {
    "OTJ-01": partial(_state, name="high"),
    "OTJ-02": partial(_state, name="low"),
    "OTJ-03": partial(_state, name="ratio"),
    "OTJ-04": loop,
    "OTJ-05": high_state_transport,
    "OTJ-06": tunnel_barriers,
    "OTJ-07": field_emission_barrier,
    "OTJ-22": retention,
    "OTJ-23": uniformity,
}
"""The experiment of every row of Fig. 1."""
