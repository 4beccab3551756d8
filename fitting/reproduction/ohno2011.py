"""Row protocols of Ohno et al. 2011: the silver sulfide inorganic synapse.

Pulses of 80 mV, 0.5 s; the interval T is taken from start to start. The reference resistor of 10 kohm is in the circuit
during pulses too. Populations of devices are drawn from the card's spreads and run in the compiled batch engine; the first
few of each are run in the row's own engine as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

import numpy as np

from ...compact.batch import BatchOptions, simulate_batch
from ...compact.card import Card
from ...compact.registry import get_card, get_device
from ...compact.result import Result
from ...compact.stimulus import Bench, Drive, Waveform
from ..variability import sample
from .panels import Panel, Plot
from .stages import Recipe, Stage, Target
from .workbench import Outcome, Protocol, Workbench, flag, measured

VOLTAGE, WIDTH, READ, SERIES = 0.08, 0.5, 0.01, 1e4
"""Pulses [V, s], read voltage [V] and reference resistance [ohm]: text on Fig. 1, Methods."""

QUANTUM = 77.5e-6
"""Conductance of a single atomic contact [S], Fig. 1."""

EDGE = 1e-3
"""Rise and fall of the pulses [s]; not in the text."""

PULSES, LAST_REST = 12, 20.0
"""Number of pulses, and the time after the last [s] at which long-term potentiation is defined (text on Fig. 2)."""

DEVICES = 3000
"""Size of a population; the paper's count is not in the text."""

CHECKED = 4
"""Devices of a population that the row's own engine runs too, over their first pulse."""

SEEDS = {2.0: 2026, 20.0: 2027}
"""Seeds of the populations at each interval [s]."""

ARRAY = ((2.0, 9, 5), (20.0, 11, 6))
"""Interval [s], pixels and seed of the images '1' and '2' of Fig. 4; the pixels are not in the text."""

ARRAYS = 100
"""Arrays that are drawn: the pixels of a single one are too few for a median that does not hang on the seed."""

TOLERANCES = BatchOptions(reltol=1e-4, abstol=1e-6)
"""Of the populations: far below the spread that they sample, and checked against the row's own engine."""


def pulse_steps(rest: float, voltage: float = VOLTAGE, width: float = WIDTH) -> list[tuple[float, float]]:
    """Return the steps of one pulse and a rest [s] after it."""
    return [(EDGE, voltage), (width - EDGE, voltage), (EDGE, 0.0), (rest - EDGE, 0.0)]


def _bench(steps: Sequence[tuple[float, float]]) -> Bench:
    return Bench(drives={"p": Drive(waveform=Waveform.from_steps(0.0, steps), series_resistance=SERIES)})


def train(bench: Workbench, period: float, count: int = PULSES) -> Result:
    """Run pulses at an interval [s], with 20 s after the last."""
    steps = pulse_steps(period - WIDTH) * (count - 1) + pulse_steps(LAST_REST)
    return bench.run([(_bench(steps), {})])[0]


def at_pulse_ends(result: Result, period: float, count: int = PULSES) -> np.ndarray:
    """Return the conductance [S] at the end of each pulse."""
    return result.at("conductance", WIDTH + period * np.arange(count))


def before_next(result: Result, period: float, count: int = PULSES) -> np.ndarray:
    """Return the conductance [S] before each pulse but the first."""
    return result.at("conductance", period * np.arange(1, count))


def _in_microsiemens(values: np.ndarray) -> str:
    return " ".join(f"{1e6 * v:.1f}" for v in values)


# ------------------------------------------------------------------------- Fig. 1: short-term plasticity, potentiation


def initial(bench: Workbench) -> Outcome:
    """O1: the read of a fresh device through the reference resistance."""
    (result,) = bench.run([(_bench([(EDGE, READ), (0.1, READ)]), {})])
    return Outcome(simulated={"conductance": measured(1e6 * result["current"][-1] / result["voltage"][-1], "uS")})


def short_term(bench: Workbench) -> Outcome:
    """O2: conductance directly after the tenth to twelfth pulse at T = 20 s."""
    result = train(bench, 20.0)
    ends = at_pulse_ends(result, 20.0)
    return Outcome(
        simulated={
            "least": measured(1e6 * ends[9:].min(), "uS"),
            "most": measured(1e6 * ends[9:].max(), "uS"),
            "mean": measured(1e6 * ends[9:].mean(), "uS"),
        },
        curves={"T = 20 s": (result.time, 1e6 * result["conductance"])},
        note=f"after each pulse: {_in_microsiemens(ends)} uS",
    )


def back_to_initial(bench: Workbench) -> Outcome:
    """O3: largest conductance before the next pulse at T = 20 s."""
    return Outcome(simulated={"before_next": measured(1e6 * before_next(train(bench, 20.0), 20.0).max(), "uS")})


def long_term(bench: Workbench) -> Outcome:
    """O4a: conductance 20 s after the last pulse at T = 2 s."""
    result = train(bench, 2.0)
    return Outcome(
        simulated={"after_20_s": measured(1e6 * result["conductance"][-1], "uS")},
        curves={"T = 2 s": (result.time, 1e6 * result["conductance"])},
        note=f"before each pulse: {_in_microsiemens(before_next(result, 2.0))} uS",
    )


def permanent(bench: Workbench) -> Outcome:
    """O4b: the same, 1000 s later, by a read of 1 s."""
    potentiated = bench.end_states(train(bench, 2.0))
    (result,) = bench.run([(_bench([(1000.0, 0.0), (0.01, READ), (1.0, READ)]), potentiated)])
    return Outcome(simulated={"after_1020_s": measured(1e6 * result["conductance"][-1], "uS")})


def first_response(bench: Workbench) -> Outcome:
    """O9: conductance after the first pulse."""
    first = at_pulse_ends(train(bench, 20.0), 20.0)[0]
    return Outcome(simulated={"first": measured(1e6 * first, "uS")})


def undisturbed(bench: Workbench) -> Outcome:
    """O11: 100 s of the read voltage on a fresh device."""
    (result,) = bench.run([(_bench([(EDGE, READ), (100.0, READ)]), {})])
    g = result["conductance"]
    return Outcome(simulated={"change": measured(100 * (g[-1] / g[0] - 1), "%")})


def erasure(bench: Workbench) -> Outcome:
    """O12: a weak and a strong signal of the other polarity on the potentiated device."""
    potentiated = bench.end_states(train(bench, 2.0))
    signals = [[(EDGE, -READ), (1.0, -READ), (EDGE, 0.0)], [(EDGE, -VOLTAGE), (5.0, -VOLTAGE), (EDGE, 0.0)]]
    results = bench.run([(_bench(steps), potentiated) for steps in signals])
    weak, strong = (float(r["conductance"][-1]) for r in results)
    return Outcome(simulated={"weak": measured(1e6 * weak, "uS"), "strong": measured(1e6 * strong, "uS")})


# ------------------------------------------------------------------------------------- Figs. 2c, 3c: decay, forgetting


def decays(bench: Workbench, period: float, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return times after each pulse [s] and conductances [S] until the next."""
    result = train(bench, period, count)
    time = np.arange(0.0, period - WIDTH, 0.05)
    return [(time, result.at("conductance", k * period + WIDTH + time)) for k in range(count)]


def decay_times(bench: Workbench, period: float, count: int) -> Outcome:
    """O7: time constants of exponential fits over 3 s, from the second pulse on."""
    times, fits = [], []
    for time, g in decays(bench, period, count):
        used = (g > 0.2 * g[0]) & (time <= 3.0)
        used[:3] = True
        times.append(-1 / np.polyfit(time[used], np.log(g[used]), 1)[0])
        fits.append(np.corrcoef(time[used], np.log(g[used]))[0, 1] ** 2)
    later = np.array(times[1:])
    return Outcome(
        simulated={
            "shortest": measured(min(times), "s"),
            "longest": measured(max(times), "s"),
            "rises": flag(bool(np.all(np.diff(later) > 0))),
        },
        curves={f"T = {period:g} s": (np.arange(1.0, count + 1), np.array(times))},
        note=f"R^2 of the fits at least {min(fits[1:]):.4f}; {times[0]:.2f} s after the first pulse, which ends at the floor",
    )


def forgetting(bench: Workbench) -> Outcome:
    """O8: power and retention of the forgetting curves at T = 4 s, from the second rehearsal on."""
    powers, kept, curves = [], [], {}
    for k, (time, g) in enumerate(decays(bench, 4.0, 8)):
        used = time >= 0.2
        powers.append(-np.polyfit(np.log(time[used]), np.log(g[used] / QUANTUM), 1)[0])
        kept.append(g[-1] / QUANTUM)
        curves[f"n = {k + 1}"] = (time[used], g[used] / QUANTUM)
    return Outcome(
        simulated={
            "power_falls": flag(bool(np.all(np.diff(powers[1:]) < 0))),
            "retention_rises": flag(bool(np.all(np.diff(kept) > 0))),
        },
        curves=curves,
        note="m = " + " ".join(f"{m:.2f}" for m in powers),
    )


# ------------------------------------------------------------------------------------------------- Figs. 2a, 4: samples


def population(
    card: Card, period: float, count: int, seed: int, pulses: int = PULSES
) -> tuple[np.ndarray, np.ndarray, list[dict[str, float]]]:
    """Return conductances [S] at the end of each pulse and before the next, and the devices' values during the first pulse.

    Devices differ by the card's spread from device to device, and each of their pulses by the spread from cycle to cycle.

    Parameters
    ----------
    card : Card
    period : float
        Interval of the pulses [s]; 20 s follow the last.
    count : int
        Devices.
    seed : int
    pulses : int

    Returns
    -------
    ends, nexts : ndarray, shape (count, pulses)
    first : list of mapping of name to float
    """
    model = get_device(card.device)
    devices = sample(card, count, seed)
    cycles = sample(card, count * pulses, seed + 1_000_000, kind="cycle")
    state: dict[str, np.ndarray] = {}
    ends, nexts = np.empty((count, pulses)), np.empty((count, pulses))
    first: list[dict[str, float]] = []
    for k in range(pulses):
        rest = period - WIDTH if k < pulses - 1 else LAST_REST
        drawn = []
        for device, cycle in zip(devices, cycles[k * count : (k + 1) * count], strict=True):
            moved = {n: device.get(n, card.values[n].value) * v / card.values[n].value for n, v in cycle.items()}
            drawn.append({**device, **moved})
        first = first or drawn
        values = {n: np.array([d[n] for d in drawn]) for n in drawn[0]}
        batch = simulate_batch(
            model, {**card.parameters, **values, **state}, _bench(pulse_steps(rest)), [WIDTH, WIDTH + rest], TOLERANCES
        )
        ends[:, k], nexts[:, k] = batch["conductance"].T
        state = {s.initial_parameter.name: np.clip(batch[s.name][:, -1], s.lower, s.upper) for s in model.states}
    return ends, nexts, first


@cache
def _sampled(period: float) -> tuple[str, np.ndarray, np.ndarray, list[dict[str, float]]]:
    card = get_card("ag2s")
    return (card.name, *population(card, period, DEVICES, SEEDS[period]))


def populations(bench: Workbench) -> tuple[dict[float, np.ndarray], dict[float, np.ndarray], str]:
    """Return the conductances [S] of both populations by interval [s], and how the row's engine agrees on some of them."""
    ends, nexts, worst = {}, {}, 0.0
    for period in SEEDS:
        _, ends[period], nexts[period], first = _sampled(period)
        results = bench.run([(_bench(pulse_steps(period - WIDTH)), values) for values in first[:CHECKED]])
        for k, result in enumerate(results):
            found, wanted = at_pulse_ends(result, period, 1)[0], ends[period][k, 0]
            worst = max(worst, abs(found / wanted - 1))
    note = f"{DEVICES} devices each in the batch engine; {2 * CHECKED} of them in {bench.engine}: {100 * worst:.1g} % apart"
    return ends, nexts, note


def unstable_potentiation(bench: Workbench) -> Outcome:
    """O5: devices above one quantum after any pulse."""
    ends, _, note = populations(bench)
    share = {period: 100 * (g > QUANTUM).any(axis=1).mean() for period, g in ends.items()}
    return Outcome(simulated={"at_2_s": measured(share[2.0], "%"), "at_20_s": measured(share[20.0], "%")}, note=note)


def potentiation(bench: Workbench) -> Outcome:
    """O6: devices above one quantum 20 s after the last pulse."""
    _, nexts, note = populations(bench)
    share = {period: 100 * (g[:, -1] > QUANTUM).mean() for period, g in nexts.items()}
    curves = {f"T = {period:g} s": (np.arange(100.0), 1e6 * g[:100, -1]) for period, g in nexts.items()}
    return Outcome(
        simulated={"at_2_s": measured(share[2.0], "%"), "at_20_s": measured(share[20.0], "%")}, curves=curves, note=note
    )


def array(bench: Workbench) -> Outcome:
    """O10: medians of the two images' pixels soon after the tenth input and 20 s later, over many arrays."""
    found = {}
    for name, (period, pixels, seed) in zip(("one", "two"), ARRAY, strict=True):
        ends, nexts, _ = population(bench.card, period, ARRAYS * pixels, seed, 10)
        found[f"{name}_soon"] = measured(1e6 * float(np.median(ends[:, -1])), "uS")
        found[f"{name}_later"] = measured(1e6 * float(np.median(nexts[:, -1])), "uS")
        found[f"{name}_kept"] = measured(100 * float(np.mean(nexts[:, -1] > QUANTUM)), "%")
    return Outcome(simulated=found, note=f"pixels of {ARRAYS} arrays, in the batch engine")


def sudden(bench: Workbench) -> Outcome:
    """O13: step at the transition of the devices that potentiate at T = 20 s, against the largest late step of the others."""
    ends, nexts, note = populations(bench)
    g, kept = ends[20.0], nexts[20.0][:, -1] > QUANTUM
    steps = []
    for row, before in zip(g[kept], nexts[20.0][kept], strict=True):
        k = int(np.argmax(before > QUANTUM))
        steps.append(row[k] / (row[:k].max() if k else bench.value("g_0")))
    grown = np.maximum.accumulate(g[~kept], axis=1)
    others = (g[~kept, 4:] / grown[:, 3:-1]).max(axis=1)
    return Outcome(
        simulated={
            "jumping": measured(100 * float(np.mean(np.array(steps) > 1.5)), "%"),
            "step_over_others": measured(float(np.median(steps) / np.median(others))),
        },
        note=f"median step x{np.median(steps):.3g} against x{np.median(others):.3g}; {note}",
    )


PROTOCOLS: dict[str, Protocol] = {
    "O1": initial,
    "O2": short_term,
    "O3": back_to_initial,
    "O4a": long_term,
    "O4b": permanent,
    "O5": unstable_potentiation,
    "O6": potentiation,
    "O7a": partial(decay_times, period=20.0, count=12),
    "O7b": partial(decay_times, period=4.0, count=8),
    "O8": forgetting,
    "O9": first_response,
    "O10": array,
    "O11": undisturbed,
    "O12": erasure,
    "O13": sudden,
}
"""The experiment of every row."""

GROUPS = (("O5", "O6", "O13"), ("O2", "O3", "O7a", "O9"), ("O4a", "O4b", "O12"), ("O7b", "O8"))
"""Rows that share runs and go to one process."""

RECIPES = {
    "ag2s": Recipe(
        stages=(
            Stage(
                start={"k_grow": 20.0},
                targets=(Target(row="O2", quantity="mean", value=77.5, tolerance=0.2),),
            ),
        ),
    )
}
"""How the card is extracted: the one number of the text that determines a parameter; the other rows are bounds and trends."""

PANELS = (
    Panel(
        name="ohno2011_fig1",
        title="Ohno 2011, Fig. 1: short-term plasticity and long-term potentiation",
        plots=(
            Plot(row="O2", title="T = 20 s", x="time (s)", y="conductance (uS)", lines={"77.5 uS": 77.5}),
            Plot(row="O4a", title="T = 2 s", x="time (s)", y="conductance (uS)", lines={"77.5 uS": 77.5}),
        ),
    ),
    Panel(
        name="ohno2011_fig2",
        title="Ohno 2011, Fig. 2: devices after twelve pulses, decay of the short-term state",
        plots=(
            Plot(
                row="O6",
                title="100 devices, 20 s later",
                x="device",
                y="conductance (uS)",
                log="y",
                lines={"77.5 uS": 77.5},
            ),
            Plot(row="O7a", title="decay time", x="pulse", y="time constant (s)"),
            Plot(row="O7b", title="decay time", x="pulse", y="time constant (s)"),
        ),
    ),
    Panel(
        name="ohno2011_fig3",
        title="Ohno 2011, Fig. 3c: forgetting curves",
        plots=(Plot(row="O8", title="T = 4 s", x="time (s)", y="G / 77.5 uS", log="xy"),),
    ),
)
"""The paper's figures."""
