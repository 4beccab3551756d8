"""Row protocols of Huang et al. 2025: the electrochemical ionic synapse."""

from __future__ import annotations

from functools import partial

import numpy as np

from ...compact.result import Result
from ..variability import sample
from .huang2025_bench import (
    CANONICAL,
    FAST_PEAK,
    FORMS,
    MS,
    NS,
    PEAK,
    SILENT,
    US,
    alone,
    at_conductance,
    changes,
    form,
    pulse_changes,
    rates,
    read,
    read_conductance,
    rest_voltage,
    terminals,
    widths_and_changes,
)
from .panels import Panel, Plot
from .spikes import divided
from .stages import Recipe, Stage, Target
from .workbench import Curve, Outcome, Protocol, Workbench, flag, measured


def _speed_up(bench: Workbench, voltage: float) -> Outcome:
    rate = rates(bench, (2.0, voltage))
    found = {"positive": rate[voltage] / rate[2.0], "negative": rate[-voltage] / rate[-2.0]}
    return Outcome(simulated={name: measured(value) for name, value in found.items()})


def linearity(bench: Workbench) -> Outcome:
    """EIS-03: slopes between neighbouring pulse widths in the log-log plot of Fig. 2a, b."""
    table = widths_and_changes(bench)
    slopes = [np.diff(np.log(g)) / np.diff(np.log(w)) for v, (w, g) in table.items() if abs(v) in (2.0, 4.0, 6.0)]
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
    sweep = terminals([(0.1, -0.5), (2.0, 0.3)], [(2.1, 0.0)])
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
        pulse = terminals([(width / 100, voltage), (width, voltage)], [(1.01 * width, 0.0)])
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
        time = np.unique(
            np.concatenate([np.linspace(a, b, 400) for a, b in zip(gate.time, gate.time[1:], strict=False)])
        )
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
        (result,) = bench.run([(terminals(cycle, [(MS, 0.0), (duration - MS, 0.0)]), state)])
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
    return Outcome(
        simulated={"spread": measured(100 * change.std(ddof=1) / change.mean(), "%")},
        curves={"devices": (np.arange(1, len(change) + 1), 1e9 * change)},
    )


def _fast_event(bench: Workbench, delay: float) -> tuple[Curve, float, float]:
    """Return the energy that both sources have given against time [J], the charge through the gate [C] and the change [S].

    The device is one of 50 nm behind 200 Mohm.
    """
    spike = CANONICAL.scaled(time=NS / MS, voltage=FAST_PEAK / PEAK)
    resistance = 200e6
    values = {"t_el": 7e-9, "w_ch": 50e-9, "l_ch": 50e-9}
    gate = divided(spike, -spike, delay)
    change, (result,) = changes(bench, [gate], unit=NS, values=values, resistance=resistance / 2, settle=1e-6)
    time = result.time - 14 * NS + gate.time[0]
    pre, post = spike(time), (-spike).delayed(delay)(time)
    power = pre * (pre - result["voltage"]) / resistance + post * (post - result["voltage"]) / resistance
    charge = float(np.trapezoid(np.abs(result["gate_current"]), time))
    energy = np.concatenate([[0.0], np.cumsum(np.diff(time) * (power[1:] + power[:-1]) / 2)])
    return (time, energy), charge, float(change[0])


def event_energy(bench: Workbench) -> Outcome:
    """EIS-19: energy that both neurons give in an event of the 100 ns regime."""
    delays = (-30 * NS, 30 * NS)
    found = [_fast_event(bench, delay) for delay in delays]
    totals = [1e15 * float(energy[-1]) for (_, energy), _, _ in found]
    early = [time < 300 * NS for (time, _), _, _ in found]
    return Outcome(
        simulated={"least": measured(min(totals), "fJ"), "most": measured(max(totals), "fJ")},
        curves={
            f"{1e9 * delay:+g} ns": (1e9 * time[inside], 1e15 * energy[inside])
            for delay, inside, ((time, energy), _, _) in zip(delays, early, found, strict=True)
        },
        note=f"the events then change the conductance by {1e9 * found[0][2]:+.1f} and {1e9 * found[1][2]:+.1f} nS",
    )


def insertion_energy(bench: Workbench) -> Outcome:
    """EIS-20: charge through a gate of (130 nm)^2 times 10 V."""
    charge = max(_fast_event(bench, delay)[1] for delay in (-30 * NS, 30 * NS))
    return Outcome(simulated={"energy": measured(1e15 * FAST_PEAK * charge * (130 / 50) ** 2, "fJ")})


def initial_conductance(bench: Workbench) -> Outcome:
    """EIS-21: read of the device as the card sets it."""
    (result,) = bench.run([(terminals([(14 * MS, 0.0)], [(MS, 0.0), *read(MS), (MS, 0.0)]), {})])
    return Outcome(simulated={"conductance": measured(1e9 * read_conductance(result, 12 * MS), "nS")})


def tunability(bench: Workbench) -> Outcome:
    """EIS-22: reads of the empty and of the full channel."""
    once = terminals([(14 * MS, 0.0)], [(MS, 0.0), *read(MS), (MS, 0.0)])
    results = bench.run([(once, {"x_init": x, "v_i_init": v}) for x, v in ((0.0, -1.0), (1.0, 1.0))])
    low, high = (read_conductance(r, 12 * MS) for r in results)
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
    (
        "EIS-01",
        "EIS-02",
        "EIS-03",
        "EIS-04",
        "EIS-12a",
        "EIS-12b",
        "EIS-12c",
        "EIS-12d",
        "EIS-08",
        "EIS-09",
        "EIS-10",
        "EIS-11",
    ),
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

_DELAY, _CHANGE = "delay (ms)", "change (nS)"
PANELS = (
    Panel(
        name="huang2025_fig2",
        title="Huang 2025, Fig. 2: change by single pulses",
        plots=(
            Plot(row="EIS-03", title="change against width", x="pulse width (s)", y="|change| (S)", log="xy"),
            Plot(row="EIS-04", title="rate against voltage", x="voltage (V)", y="|rate| (S/s)", log="y"),
            Plot(row="EIS-05", title="open-circuit voltage", x="conductance (S)", y="voltage (V)", log="x"),
        ),
    ),
    Panel(
        name="huang2025_fig4",
        title="Huang 2025, Figs. 3d and 4: four forms of STDP, and Eq. 1 times one factor",
        plots=tuple(
            Plot(row=f"EIS-12{name}", title=title, x=_DELAY, y=_CHANGE)
            for name, title in (("a", "canonical"), ("b", "potentiation only"), ("c", "symmetric"), ("d", "dead zone"))
        ),
    ),
    Panel(
        name="huang2025_fig5",
        title="Huang 2025, Fig. 5: heterogeneous STDP and dopamine",
        plots=(
            Plot(row="EIS-13", title="two synapses of one neuron", x=_DELAY, y=_CHANGE),
            Plot(row="EIS-14", title="second neuron's spike times", x=_DELAY, y=_CHANGE),
        ),
    ),
    Panel(
        name="huang2025_fig6",
        title="Huang 2025, Fig. 6: cumulative modulation",
        plots=(Plot(row="EIS-15", title="ten cycles", x="spike event", y="conductance (nS)", log="y"),),
    ),
    Panel(
        name="huang2025_fig7",
        title="Huang 2025, Fig. 7: regimes, variability, energy",
        plots=(
            Plot(row="EIS-16a", title="100 ms, 6.5 V, 14 nm", x=_DELAY, y=_CHANGE),
            Plot(row="EIS-16b", title="100 us, 10 V, 14 nm", x="delay (us)", y=_CHANGE),
            Plot(row="EIS-16c", title="100 ns, 10 V, 7 nm", x="delay (ns)", y=_CHANGE),
            Plot(row="EIS-17", title="event to event", x=_DELAY, y=_CHANGE),
            Plot(row="EIS-18", title="60 devices at 50 nS", x="device", y=_CHANGE),
            Plot(row="EIS-19", title="energy of an event", x="time (ns)", y="energy (fJ)"),
        ),
    ),
)
"""The paper's figures."""
