"""Row protocols of Li et al. 2019: the oxide tunnel junction; those of its states are in `li2019_states`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from scipy.interpolate import PchipInterpolator
from scipy.optimize import curve_fit

from ...compact.result import Result
from ...compact.stimulus import Bench, Drive, Waveform
from . import li2019_states
from .li2019_bench import (
    COMPLIANCE,
    EDGE,
    G_START,
    NS,
    READ,
    SETTLED,
    STRAY,
    US,
    V_RESET,
    V_SET,
    WRITE,
    Train,
    at_read,
    position,
    read_conductance,
)
from .li2019_spikes import PERIOD, POST, PRE, SYMMETRIC_POST, SYMMETRIC_PRE, staircase
from .panels import Curves, Panel, Plot
from .stages import Recipe, Stage, Target
from .workbench import Outcome, Protocol, Workbench, flag, measured

# ------------------------------------------------------------------------------------------ Fig. 2: short-term plasticity


def decay(bench: Workbench) -> Outcome:
    """OTJ-08: current at 0.1 V after a pulse of 50 ns and 0.2, 0.6 or 1.0 V."""
    worst_r2, taus, kept, curves = 1.0, [], [], {}
    for amplitude in (0.2, 0.6, 1.0):
        train = Train(READ).hold(SETTLED).pulse(amplitude, 50 * NS).hold(12 * US).hold(100 * US)
        (result,) = bench.run([(train.bench(), {})])
        start, stop = train.rest_ends[0], train.rest_ends[1]
        before, last = result.at("current", np.array([start, train.now]))
        time = np.linspace(0.1 * US, stop - train.pulse_ends[0] - 1 * NS, 30)
        excess = result.at("current", train.pulse_ends[0] + 1 * NS + time) - last
        fit = np.polyfit(time, np.log(np.maximum(excess, 1e-30)), 1)
        worst_r2 = min(worst_r2, float(np.corrcoef(time, np.log(np.maximum(excess, 1e-30)))[0, 1] ** 2))
        taus.append(-1e6 / fit[0])
        kept.append(100 * abs(last / before - 1))
        curves[f"{amplitude:g} V"] = (1e6 * time, 100 * excess / before)
    return Outcome(
        simulated={
            "least_r_squared": measured(worst_r2),
            "shortest_tau": measured(min(taus), "us"),
            "longest_tau": measured(max(taus), "us"),
            "retained": measured(max(kept), "%"),
        },
        curves=curves,
    )


def peaks(bench: Workbench, interval: float, pulses: int = 10) -> np.ndarray:
    """Return the currents [A] at the ends of pulses of 0.6 V and 50 ns, ``interval`` [s] apart."""
    train = Train(READ).hold(SETTLED)
    for _ in range(pulses):
        train.pulse(0.6, 50 * NS).hold(interval)
    (result,) = bench.run([(train.bench(), {})])
    return result.at("current", np.array(train.pulse_ends))


def frequency(bench: Workbench) -> Outcome:
    """OTJ-09: growth of the peak over ten pulses at 0.5 to 5 MHz."""
    rates = (0.5, 1.0, 2.0, 5.0)
    series = [peaks(bench, US / f - 50 * NS) for f in rates]
    growth = [100 * (s[-1] / s[0] - 1) for s in series]
    return Outcome(
        simulated={"least_step": measured(min(np.diff(growth)), "%"), "growth_at_5_mhz": measured(growth[-1], "%")},
        curves={f"{f:g} MHz": (np.arange(1, 11), 1e9 * s) for f, s in zip(rates, series, strict=True)},
    )


def facilitation(bench: Workbench) -> Outcome:
    """OTJ-10: PPF and PTP against the interval."""
    intervals = np.array([0.2, 0.5, 1, 2, 4, 8, 12]) * US
    series = np.array([peaks(bench, float(dt)) for dt in intervals])
    ppf, ptp = (100 * (series[:, k] / series[:, 0] - 1) for k in (1, 9))
    fit = np.polyfit(intervals, np.log(ppf), 1)
    return Outcome(
        simulated={
            "ppf_falls": flag(bool(np.all(np.diff(ppf) < 0))),
            "ptp_falls": flag(bool(np.all(np.diff(ptp) < 0))),
            "ptp_above_ppf": flag(bool(np.all(ptp > ppf))),
            "r_squared": measured(np.corrcoef(intervals, np.log(ppf))[0, 1] ** 2),
            "tau": measured(-1e6 / fit[0], "us"),
        },
        curves={"PPF": (1e6 * intervals, ppf), "PTP": (1e6 * intervals, ptp)},
    )


# ------------------------------------------------------------------------------------------- Fig. 3: long-term plasticity


def amplitudes(bench: Workbench) -> Outcome:
    """OTJ-11: current at 0.1 V, 50 us after a pulse of 100 ns behind the compliance."""
    found = []
    values = (0.9, 1.5, 1.8, 2.4, 3.0, 3.6)
    for v in values:
        train = Train(READ).hold(SETTLED).pulse(v, 100 * NS).hold(SETTLED)
        (result,) = bench.run([(train.bench(compliance=COMPLIANCE), STRAY)])
        found.append(1e9 * float(result["current"][-1]))
    return Outcome(
        simulated={
            "first": measured(found[0], "nA"),
            "last": measured(found[-1], "nA"),
            "least_step": measured(min(np.diff(found)), "nA"),
        },
        curves={"retained current": (np.array(values), np.array(found))},
    )


def widths(bench: Workbench) -> Outcome:
    """OTJ-12: conductance after, and current at the end of, pulses of 1.5 V and 50 ns to 10 us behind the compliance."""
    values = np.array([50, 100, 200, 500, 1000, 2000, 5000, 10000]) * NS
    kept, ends = [], []
    for width in values:
        train = Train(READ).hold(SETTLED).pulse(1.5, float(width)).hold(SETTLED)
        (result,) = bench.run([(train.bench(compliance=COMPLIANCE), STRAY)])
        kept.append(1e9 * at_read(result, [train.now])[0])
        ends.append(1e9 * float(result.at("current", np.array(train.pulse_ends))[0]))
    return Outcome(
        simulated={
            "least_step": measured(100 * min(np.diff(kept) / kept[:-1]), "%"),
            "potentiation": measured(kept[-1] / kept[0]),
            "last_over_fifth_current": measured(ends[-1] / ends[4]),
        },
        curves={"conductance": (1e6 * values, np.array(kept)), "current": (1e6 * values, np.array(ends))},
    )


def ramps(bench: Workbench) -> Outcome:
    """OTJ-13: 20 pulses of 2.2 V and 20 of -2.5 V, 50 ns every 20 us, repeated until a cycle repeats the last one."""
    train = Train(READ).hold(20 * US)
    for v in [2.2] * 20 + [-2.5] * 20:
        train.pulse(v, 50 * NS).hold(20 * US)
    values = position(bench, 1e-6)
    before: np.ndarray | None = None
    cycles = 0
    while cycles < 100:
        cycles += 1
        (result,) = bench.run([(train.bench(), values)])
        levels = at_read(result, train.rest_ends)
        values = bench.end_states(result)
        if before is not None and np.allclose(levels, before, rtol=2e-5):
            break
        before = levels
    steps_up, steps_down = np.diff(levels[:21]), -np.diff(levels[20:])
    return Outcome(
        simulated={
            "lowest": measured(1e6 * levels[-1], "uS"),
            "highest": measured(1e6 * levels[20], "uS"),
            "least_step": measured(1e6 * min(steps_up.min(), steps_down.min()), "uS"),
        },
        curves={"conductance": (np.arange(41), 1e6 * levels)},
        note=f"cycle {cycles} repeats the one before",
    )


def stdp(
    bench: Workbench, pre: Sequence[float], post: Sequence[float], spike: tuple[int, int], delays: np.ndarray
) -> np.ndarray:
    """Return the changes of conductance [%] by two staircases of 1 us steps, ``spike`` the index of each one's firing."""
    wanted = [
        (Bench(drives={"p": Drive(waveform=staircase(pre, post, spike, int(k)))}), position(bench, G_START))
        for k in delays
    ]
    return np.array([100 * (read_conductance(bench, float(r["w"][-1])) / G_START - 1) for r in bench.run(wanted)])


def antisymmetric(bench: Workbench, sign: int) -> Outcome:
    """OTJ-14, OTJ-15: Eq. 1 fitted to a branch of the antisymmetric form."""
    delays = sign * np.arange(1, 15)
    change = stdp(bench, PRE, POST, (len(PRE) - 1, len(POST) - 1), delays)
    start = [90.0 * sign, 4.0, 0.0]
    (a, tau, _), _ = curve_fit(lambda t, a, tau, w0: a * np.exp(-np.abs(t) / tau) + w0, delays, change, start)
    return Outcome(
        simulated={"a": measured(float(a), "%"), "tau": measured(float(tau), "us")},
        curves={"dW": (PERIOD / US * delays, change)},
    )


def symmetric(bench: Workbench) -> Outcome:
    """OTJ-16: Eq. 2 fitted to the symmetric form."""
    delays = np.arange(-11, 12)
    change = stdp(bench, SYMMETRIC_PRE, SYMMETRIC_POST, (0, 11), delays)
    (a, tau, _), _ = curve_fit(
        lambda t, a, tau, w0: a * np.exp(-((t / tau) ** 2)) + w0, delays, change, [88.0, 3.0, -20.0]
    )
    return Outcome(
        simulated={"a": measured(float(a), "%"), "tau": measured(float(tau), "us")},
        curves={"dW": (PERIOD / US * delays, change)},
    )


def retained(bench: Workbench, values: Mapping[str, float], pulses: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return the changes of conductance [%] that single (voltage [V], width [s]) pulses leave."""
    wanted = [(Train().pulse(v, width).hold(SETTLED).bench(), values) for v, width in pulses]
    start = read_conductance(bench, values["w_init"])
    return np.array([100 * (read_conductance(bench, float(r["w"][-1])) / start - 1) for r in bench.run(wanted)])


def _voltage_at(level: float, voltages: np.ndarray, change: np.ndarray) -> float:
    """Return the voltage [V] at which a change that grows with voltage reaches a level, interpolated in its logarithm."""
    grows = np.concatenate([[True], np.diff(np.maximum.accumulate(change)) > 0]) & (change > 0)
    return float(PchipInterpolator(np.log(change[grows]), voltages[grows])(np.log(level)))


def threshold(bench: Workbench) -> Outcome:
    """OTJ-17: voltage at which a pulse of 1 us changes the conductance by 20 %, both signs."""
    voltages = np.arange(1.2, 1.85, 0.1)
    values = position(bench, G_START)
    up = retained(bench, values, [(float(v), US) for v in voltages])
    down = -retained(bench, values, [(-float(v), US) for v in voltages])
    return Outcome(
        simulated={
            "positive": measured(_voltage_at(20.0, voltages, up), "V"),
            "negative": measured(-_voltage_at(20.0, voltages, down), "V"),
        },
        curves={"potentiation": (voltages, up), "depression": (-voltages, -down)},
    )


def fast_threshold(bench: Workbench) -> Outcome:
    """OTJ-18: voltage at which a pulse of 20 ns leaves 1 % in the high-resistance state."""
    voltages = np.array([1.5, 1.6, 1.65, 1.7, 1.75, 1.8, 1.85, 1.9, 1.95, 2.0, 2.2])
    values = {"w_init": bench.value("w_init"), "s_init": 0.0}
    change = retained(bench, values, [(float(v), 20 * NS) for v in voltages])
    return Outcome(
        simulated={
            "threshold": measured(_voltage_at(1.0, voltages, change), "V"),
            "at_1.6_volt": measured(np.interp(1.6, voltages, change), "%"),
            "at_2_volt": measured(np.interp(2.0, voltages, change), "%"),
        },
        curves={"retained": (voltages, change)},
    )


def energy(bench: Workbench, voltage: float) -> Outcome:
    """OTJ-19: amplitude times current at the end times width of a pulse of 20 ns on the high-resistance state."""
    voltages = np.unique([voltage, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1])
    found = []
    for v in voltages:
        train = Train().pulse(float(v), 20 * NS).hold(US)
        (result,) = bench.run([(train.bench(), {})])
        found.append(1e15 * v * 20 * NS * float(result.at("current", np.array(train.pulse_ends))[0]))
    return Outcome(
        simulated={"energy": measured(np.interp(voltage, voltages, found), "fJ")},
        curves={"energy": (voltages, np.array(found))},
    )


# ------------------------------------------------------------------------------------------------- Fig. 4: letters; Fig. 1

LETTERS = {"C": (0.9, 5e6), "H": (1.5, 5e6), "N": (1.5, 0.5e6)}
"""Amplitude [V] and frequency [Hz] of the ten pulses of 50 ns, Sec. 3."""


def _letter(bench: Workbench, letter: str) -> tuple[Train, Result]:
    amplitude, rate = LETTERS[letter]
    train = Train(READ).hold(SETTLED)
    for k in range(10):
        train.pulse(amplitude, 50 * NS).hold(1 / rate - 50 * NS if k < 9 else 25 * US)
    return train, bench.run([(train.bench(), {})])[0]


def letters(bench: Workbench) -> Outcome:
    """OTJ-20: current of a pixel at 0.1 V over that before, right after the pulses and 25 us later."""
    found, curves = {}, {}
    for letter in LETTERS:
        train, result = _letter(bench, letter)
        before = float(result.at("current", np.array(train.rest_ends[:1]))[0])
        end = train.pulse_ends[-1] + 2 * EDGE * 50 * NS
        later = end + np.concatenate([[0.0], np.geomspace(50 * NS, train.now - end, 40)])
        time = np.concatenate([train.rest_ends[:-1], later])
        curves[letter] = (1e6 * (time - train.rest_ends[0]), result.at("current", time) / before)
        found[f"{letter.lower()}_at_end"] = measured(float(result.at("current", np.array([end]))[0]) / before)
        found[f"{letter.lower()}_later"] = measured(float(result["current"][-1]) / before)
    return Outcome(simulated=found, curves=curves)


def retention_of_letter(bench: Workbench) -> Outcome:
    """OTJ-21: the pixel of the letter H held at 0.1 V for 500 s."""
    _, written_ = _letter(bench, "H")
    wait = Bench(drives={"p": Drive(waveform=Waveform.from_steps(0.0, [(1e-3, READ), (500.0, READ)]))})
    (result,) = bench.run([(wait, bench.end_states(written_))])
    first = float(result.at("current", np.array([2e-3]))[0])
    return Outcome(simulated={"change": measured(100 * abs(float(result["current"][-1]) / first - 1), "%")})


PROTOCOLS: dict[str, Protocol] = {
    **li2019_states.PROTOCOLS,
    "OTJ-08": decay,
    "OTJ-09": frequency,
    "OTJ-10": facilitation,
    "OTJ-11": amplitudes,
    "OTJ-12": widths,
    "OTJ-13": ramps,
    "OTJ-14": partial(antisymmetric, sign=1),
    "OTJ-15": partial(antisymmetric, sign=-1),
    "OTJ-16": symmetric,
    "OTJ-17": threshold,
    "OTJ-18": fast_threshold,
    "OTJ-19a": partial(energy, voltage=1.8),
    "OTJ-19b": partial(energy, voltage=0.5),
    "OTJ-20": letters,
    "OTJ-21": retention_of_letter,
}
"""The experiment of every row."""

GROUPS = (
    ("OTJ-01", "OTJ-02", "OTJ-03"),
    ("OTJ-05", "OTJ-06", "OTJ-07"),
    ("OTJ-19a", "OTJ-19b"),
    ("OTJ-20", "OTJ-21"),
)
"""Rows that share runs and go to one process."""

_STATES = (
    Target(row="OTJ-01", quantity="high", value=1.8e8, tolerance=0.1),
    Target(row="OTJ-02", quantity="low", value=2.7e4, tolerance=0.1),
    Target(row="OTJ-05", quantity="emission_share", value=88.0, tolerance=5.0, scale="linear", note="assumed"),
)
_SWITCHING = (
    Target(row="OTJ-13", quantity="lowest", value=1.0, tolerance=0.1),
    Target(row="OTJ-13", quantity="highest", value=10.5, tolerance=0.1),
    Target(row="OTJ-17", quantity="positive", value=1.5, tolerance=0.15, scale="linear"),
    Target(row="OTJ-17", quantity="negative", value=-1.5, tolerance=0.15, scale="linear"),
    Target(row="OTJ-18", quantity="threshold", value=1.8, tolerance=0.05, scale="linear"),
)
_SHORT_TERM = (Target(row="OTJ-20", quantity="c_at_end", value=1.33, tolerance=0.1, note="assumed: just visible"),)
_TRANSPORT = {"n_te": 140.0, "m_eff": 1.0, "lam": 11.0}
_KINETICS = {"v_set": 1.75, "k_res": 4e5, "v_res": 1.5}


def _pristine(bench: Workbench) -> dict[str, float]:
    """Return the pristine device's position: the one that 100 ms of -4.3 V leave."""
    train = Train().pulse(V_SET, WRITE).hold(0.1).pulse(V_RESET, WRITE).hold(0.1)
    (result,) = bench.run([(train.bench(), {})])
    return {"w_init": float(result["w"][-1])}


RECIPES = {
    "li_srtio3": Recipe(
        stages=(
            Stage(start={"k_s": 1e6}, targets=_SHORT_TERM),
            Stage(start=_TRANSPORT, targets=_STATES),
            Stage(start=_KINETICS, targets=_SWITCHING),
            Stage(start={**_TRANSPORT, **_KINETICS}, targets=(*_STATES, *_SWITCHING)),
        ),
        derived=_pristine,
    )
}
"""How the cards are extracted."""


PIXELS = {
    "C": ("01110", "10000", "10000", "10000", "01110"),
    "H": ("10001", "10001", "11111", "10001", "10001"),
    "N": ("10001", "11001", "10101", "10011", "10001"),
}
"""The letters on the array of 5 x 5 junctions of Fig. 4; the driven pixels are 1."""


def draw_letters(figure: Figure, curves: Curves) -> None:
    """Draw the array's current over that before, during the pulses, right after them and later (Fig. 4b-g)."""
    axes = figure.subplots(3, 5)
    for row, (letter, picture) in enumerate(PIXELS.items()):
        time, ratio = curves["OTJ-20"][letter]
        mask = np.array([[pixel == "1" for pixel in line] for line in picture])
        end = time[len(time) - 41]
        for column, moment in enumerate((0.0, time[5], end, end + 5.0, time[-1])):
            image = np.where(mask, np.interp(moment, time, ratio), 1.0)
            ax = axes[row, column]
            shown = ax.imshow(np.log10(image), vmin=0.0, vmax=1.0, cmap="magma")
            ax.set_xticks([])
            ax.set_yticks([])
            ax.set_title(f"{letter}, {moment:.1f} us: {image[mask][0]:.2f}", fontsize=8)
    figure.colorbar(shown, ax=axes, shrink=0.7, label="log10 of current over that before, 0.1 V")


_PEAKS = ("0.5 MHz", "1 MHz", "2 MHz", "5 MHz")
PANELS = (
    Panel(
        name="li2019_fig1",
        title="Li 2019, Fig. 1: resistance loop, uniformity",
        plots=(
            Plot(
                row="OTJ-04", title="loop, read at 0.1 V", x="write voltage (V)", y="resistance (ohm)", log="y",
                lines={"1.8e8 ohm": 1.8e8, "2.7e4 ohm": 2.7e4},
            ),
            Plot(row="OTJ-05", title="high-resistance state", x="voltage (V)", y="current (A)"),
            Plot(row="OTJ-23", title="20 devices", x="device", y="resistance (ohm)", log="y"),
        ),
    ),
    Panel(
        name="li2019_fig2",
        title="Li 2019, Fig. 2: short-term plasticity",
        plots=(
            Plot(row="OTJ-08", title="decay after 50 ns", x="time (us)", y="excess current (%)", log="y"),
            Plot(row="OTJ-09", title="peaks against frequency", x="pulse", y="current (nA)", only=_PEAKS),
            Plot(row="OTJ-10", title="PPF and PTP", x="interval (us)", y="facilitation (%)", log="y"),
        ),
    ),
    Panel(
        name="li2019_fig3",
        title="Li 2019, Fig. 3: long-term plasticity, STDP, energy",
        plots=(
            Plot(row="OTJ-11", title="amplitude of a 100 ns spike", x="amplitude (V)", y="current at 0.1 V (nA)"),
            Plot(row="OTJ-12", title="width of a 1.5 V spike", x="width (us)", y="conductance (nS), current (nA)", log="xy"),
            Plot(
                row="OTJ-13", title="20 LTP and 20 LTD states", x="pulse", y="conductance (uS)",
                lines={"1 uS": 1.0, "10.5 uS": 10.5},
            ),
            Plot(row="OTJ-14", title="antisymmetric STDP, LTP", x="delay (us)", y="change (%)"),
            Plot(row="OTJ-15", title="antisymmetric STDP, LTD", x="delay (us)", y="change (%)"),
            Plot(row="OTJ-16", title="symmetric STDP", x="delay (us)", y="change (%)"),
            Plot(row="OTJ-17", title="1 us pulses from 3 uS", x="voltage (V)", y="change (%)"),
            Plot(row="OTJ-18", title="20 ns pulses", x="voltage (V)", y="retained (%)"),
            Plot(
                row="OTJ-19a", title="energy of 20 ns", x="voltage (V)", y="energy (fJ)", log="y",
                lines={"LTM 0.46 fJ": 0.46, "STM 0.026 fJ": 0.026},
            ),
        ),
    ),
    Panel(name="li2019_fig4", title="Li 2019, Fig. 4: letters on the array, colour to 10 times", draw=draw_letters, rows=("OTJ-20",)),
)  # fmt: skip
"""The paper's figures."""
