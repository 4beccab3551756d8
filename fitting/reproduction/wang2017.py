"""Row protocols of Wang et al. 2017: diffusive memristors, and the synapse of one in series with a drift memristor.

Waveforms that the paper's text leaves out (ramps, counts, spikes) were chosen in a study made before the rows were run; the
catalogue says of each which part is assumed. The particle model's rows are in `wang2017_particles`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ...compact.constants import BOLTZMANN_EV, CONSTANT_VALUES
from ...compact.network import Network, series
from ...compact.registry import get_card, get_device
from ...compact.result import Result
from ...compact.stimulus import Bench, Drive, Waveform
from ...netlists.experiments.base import crossing
from . import wang2017_compact, wang2017_particles
from .panels import Panel, Plot
from .stages import Recipe, Stage, Target
from .workbench import Outcome, Protocol, Workbench, flag, measured

MS, US, NS = 1e-3, 1e-6, 1e-9

RAMP, COMPLIANCE, PEAK, COMPARED = 10.0, 1e-4, 1.0, 0.25
"""Loop of Fig. 1b: ramp [V/s], compliance [A], turning point [V], voltage of the on/off ratio [V]; none is in the text."""

TEMPERATURES = (300.0, 333.0, 360.0, 400.0, 450.0)
"""Temperatures [K] of Fig. 3b: the relative range of the simulations, which the text calls the same."""

RESTS = 120
"""Points in the relaxation after the pulse of Fig. 3a, spread evenly on a logarithmic scale."""

INTERVALS = (1 * MS, 10 * MS, 40 * MS, 80 * MS, 160 * MS)
"""Gaps between the pulses of Fig. 5b [s]; the text has the ends."""

BLOCK = 50
"""Pulses of one run: a longer train goes on from the states at the end of the last."""

HELD = 0.05
"""Time at 20 V [s]: the card of the vertical device is on long before, and the paper's 5 s would add nothing."""

GAPS = (20 * US, 50 * US, 100 * US, 200 * US, 500 * US, 1 * MS, 10 * MS)
"""Gaps between the pulses of Fig. 6b [s]; not in the text."""

DELAYS = (10 * US, 20 * US, 30 * US, 50 * US, 100 * US, 1 * MS)
"""From the end of one spike to the next in Fig. 6d [s]; not in the text."""

HIGH, HIGH_WIDTH, LOW, LOW_WIDTH = 2.5, 10 * US, 1.3, 500 * US
"""The spike of Fig. 6c: a short high part and a long low one [V, s]; not in the text."""

READ_OUT = 0.3
"""From the last spike or pulse to the read of the drift memristor [s]: the bridge has dissolved."""

HIGH_RESISTANCE, MIDDLE = 0.02, 0.66
"""Initial filament of the drift memristor for Fig. 6b (high-resistance state, as the text says) and Fig. 6d."""

FLOOR = 0.1
"""Change of conductance [%] below which its sign does not count."""


def stimulus(segments: Sequence[tuple[float, float]], edge: float) -> tuple[Waveform, np.ndarray]:
    """Return the waveform of (voltage [V], duration [s]) segments, each with its edge at its start, and the segments' ends."""
    steps = []
    for voltage, duration in segments:
        rise = min(edge, duration / 10)
        steps += [(rise, voltage), (duration - rise, voltage)]
    return Waveform.from_steps(0.0, steps), np.cumsum([duration for _, duration in segments])


def _bench(waveform: Waveform, temperature: float = 300.0, compliance: float | None = None) -> Bench:
    return Bench(drives={"p": Drive(waveform=waveform, compliance=compliance)}, temperature=temperature)


def conductances(
    bench: Workbench, trains: Sequence[Sequence[tuple[float, float]]], edge: float, temperature: float = 300.0
) -> list[np.ndarray]:
    """Return the conductance [S] at the end of each segment, for several stimuli."""
    waves = [stimulus(train, edge) for train in trains]
    results = bench.run([(_bench(wave, temperature), {}) for wave, _ in waves])
    return [result.at("conductance", ends) for result, (_, ends) in zip(results, waves, strict=True)]


# ------------------------------------------------------------------------------------------------ Fig. 1: switching


def loop(bench: Workbench, sign: float = 1.0) -> Result:
    """Run the loop of Fig. 1b in one polarity, then 0.2 s at 0 V."""
    ramp = PEAK / RAMP
    wave = Waveform.from_steps(0.0, [(ramp, sign * PEAK), (ramp, 0.0), (0.2, 0.0)])
    return bench.run([(_bench(wave, compliance=COMPLIANCE), {})])[0]


def _loop_curve(result: Result) -> tuple[np.ndarray, np.ndarray]:
    within = result.time <= 2 * PEAK / RAMP
    return result["source"][within], np.abs(result["current"][within])


def on_off(bench: Workbench) -> Outcome:
    """W1, W2: ratio of the conductances of the two branches at the same voltage."""
    result = loop(bench)
    before, after = result.at("conductance", np.array([COMPARED, 2 * PEAK - COMPARED]) / RAMP)
    return Outcome(
        simulated={"decades": measured(np.log10(after / before))}, curves={bench.card.title: _loop_curve(result)}
    )


def turn_on_slope(bench: Workbench) -> Outcome:
    """W3: voltage for each decade of current, over the three decades below half the compliance."""
    result = loop(bench)
    rising = result.time <= PEAK / RAMP
    low, high = (
        crossing(result["source"][rising], result["current"][rising], share * COMPLIANCE) for share in (5e-4, 0.5)
    )
    assert low is not None and high is not None
    return Outcome(
        simulated={"slope": measured(1e3 * (high - low) / 3, "mV")},
        curves={bench.card.title: _loop_curve(result)},
        note=f"threshold {high:.3f} V",
    )


def volatile(bench: Workbench) -> Outcome:
    """W4: conductance after the loop over that without a bridge."""
    end = float(loop(bench)["conductance"][-1])
    return Outcome(simulated={"left": measured(end / bench.value("g_off"))})


def symmetric(bench: Workbench) -> Outcome:
    """W4b: the loop of the other polarity."""
    one, other = loop(bench), loop(bench, -1.0)
    time = np.linspace(0, 2 * PEAK / RAMP, 2001)
    difference = np.abs(one.at("current", time) + other.at("current", time)).max() / COMPLIANCE
    return Outcome(
        simulated={"difference": measured(100 * difference, "%")},
        curves={"positive": _loop_curve(one), "negative": _loop_curve(other)},
    )


def hot(bench: Workbench) -> Outcome:
    """W5: on within 500 ns and off within 5 us at 600 K."""
    (g,) = conductances(bench, [[(1.5, 500 * NS), (0.0, 5 * US), (0.2, 500 * NS)]], 10 * NS, 600.0)
    return Outcome(
        simulated={
            "on": measured(g[0] / bench.value("g_on")),
            "off": measured(g[1] / bench.value("g_off")),
        }
    )


def _cycles(bench: Workbench) -> tuple[Result, np.ndarray]:
    """Run twenty of the cycles of Fig. 1d and return the ends of their parts: program, read, both again inverted."""
    cycle = [(1.4, 200 * US), (0.14, 200 * US), (-1.4, 200 * US), (-0.14, 200 * US)]
    wave, ends = stimulus(cycle * 20, US)
    return bench.run([(_bench(wave), {})])[0], ends


def endurance(bench: Workbench) -> Outcome:
    """W6: current of the reads between pulses of both polarities."""
    result, ends = _cycles(bench)
    g = result.at("conductance", ends)
    middle = result.at("conductance", ends[1::2] - 100 * US)
    return Outcome(
        simulated={
            "read": measured(1e9 * 0.14 * g[1::2].max(), "nA"),
            "programmed": measured(1e6 * 1.4 * g[0::2].min(), "uA"),
        },
        note=f"at the end of the read, whose instant is not in the text; in its middle {1e9 * 0.14 * middle.max():.0f} nA",
    )


def repeatable(bench: Workbench) -> Outcome:
    """W6b: programmed conductances from the second cycle on: spread over the cycles, difference between polarities."""
    result, ends = _cycles(bench)
    positive, negative = result.at("conductance", ends)[4:].reshape(-1, 4)[:, (0, 2)].T
    spread = max(np.ptp(g) / g.mean() for g in (positive, negative))
    return Outcome(
        simulated={
            "spread": measured(100 * spread, "%"),
            "asymmetry": measured(100 * abs(positive.mean() / negative.mean() - 1), "%"),
        }
    )


def selector(bench: Workbench) -> Outcome:
    """W19: current of the loop just below the compliance over that at half the voltage, on the way up."""
    result = loop(bench)
    rising = result.time <= PEAK / RAMP
    threshold = crossing(result["source"][rising], result["current"][rising], 0.5 * COMPLIANCE)
    assert threshold is not None
    full, half = result.at("current", np.array([threshold, threshold / 2]) / RAMP)
    return Outcome(simulated={"decades": measured(np.log10(full / half))})


# --------------------------------------------------------------------------------------- Fig. 3: delay and relaxation


def relaxation(bench: Workbench, temperatures: Sequence[float] = (300.0,)) -> tuple[np.ndarray, list[Result]]:
    """Return the times [s] in which the conductance falls to a tenth after 0.75 V for 5 ms, and the runs."""
    rests = np.diff(np.geomspace(10 * US, 200 * MS, RESTS))
    wave, _ = stimulus([(0.75, 5 * MS), (0.0, 10 * US)], US)
    wave = Waveform((*wave.time, *(wave.duration + np.cumsum(rests)).tolist()), (*wave.value, *[0.0] * len(rests)))
    results = bench.run([(_bench(wave, t), {}) for t in temperatures])
    return np.array([_fall_time(result, 5 * MS) for result in results]), results


def _fall_time(result: Result, end: float, share: float = 0.1) -> float:
    """Return the time [s] from ``end`` until the conductance has fallen to a share, interpolated on its logarithm."""
    late = result.time >= end
    g = np.log(result["conductance"][late] / result.at("conductance", np.array([end]))[0])
    found = crossing(result.time[late], g, float(np.log(share)), rising=False)
    return np.inf if found is None else found - end


def _delay(result: Result, end: float) -> float:
    on = float(result.at("conductance", np.array([end]))[0])
    found = crossing(result.time, result["conductance"], 0.1 * on)
    return np.inf if found is None else found


def with_reads(bench: Workbench) -> tuple[float, float, Result]:
    """Return delay and relaxation [s] under the pulse and the reads of Fig. 3a, and the run."""
    train = [(0.75, 5 * MS)] + [(0.0, 490 * US), (0.05, 10 * US)] * 200
    wave, ends = stimulus(train, 100 * NS)
    (result,) = bench.run([(_bench(wave), {})])
    reads = result.at("conductance", ends[2::2])
    low = np.flatnonzero(reads < 0.1 * result.at("conductance", ends[:1])[0])
    relaxed = float(ends[2::2][low[0]] - 5 * MS) if low.size else np.inf
    return _delay(result, 5 * MS), relaxed, result


def timing(bench: Workbench) -> Outcome:
    """W7: delay and relaxation."""
    delay, relaxed, result = with_reads(bench)
    return Outcome(
        simulated={"delay": measured(1e3 * delay, "ms"), "relaxation": measured(1e3 * relaxed, "ms")},
        curves={"conductance": (result.time, result["conductance"])},
    )


def reads_do_not_hold(bench: Workbench) -> Outcome:
    """W7b: relaxation with the reads over relaxation without."""
    (alone,), _ = relaxation(bench)
    return Outcome(simulated={"ratio": measured(with_reads(bench)[1] / alone)})


def of_the_pulse(bench: Workbench) -> Outcome:
    """W7c: delay at a tenth more voltage, and relaxation after a pulse twice as long, over those of W7."""

    def times(voltage: float, width: float) -> tuple[float, float]:
        wave, _ = stimulus([(voltage, width), (0.0, 200 * MS)], US)
        (result,) = bench.run([(_bench(wave), {})])
        return _delay(result, width), _fall_time(result, width)

    delay, relaxed = times(0.75, 5 * MS)
    return Outcome(
        simulated={
            "delay": measured(times(0.825, 5 * MS)[0] / delay),
            "relaxation": measured(times(0.75, 10 * MS)[1] / relaxed),
        }
    )


def arrhenius(bench: Workbench) -> Outcome:
    """W8: slope of the logarithm of the relaxation time against 1/kT."""
    times, results = relaxation(bench, TEMPERATURES)
    inverse = 1 / (CONSTANT_VALUES[BOLTZMANN_EV.name] * np.array(TEMPERATURES))
    energy = float(np.polyfit(inverse, np.log(times), 1)[0])
    curves = {"Arrhenius": (inverse, times)}
    curves |= {f"{t:g} K": (r.time, r["conductance"]) for t, r in zip(TEMPERATURES, results, strict=True)}
    return Outcome(simulated={"energy": measured(energy, "eV")}, curves=curves)


def planar(bench: Workbench) -> Outcome:
    """W9: delay to the compliance and relaxation of the planar device."""
    wave, _ = stimulus([(20.0, HELD), (0.0, 0.2)], 0.1 * MS)
    (result,) = bench.run([(_bench(wave, compliance=1e-7), {})])
    delay = crossing(result.time, result["current"], 5 * NS)
    return Outcome(
        simulated={
            "delay": measured(np.inf if delay is None else delay, "s"),
            "relaxation": measured(1e3 * _fall_time(result, HELD), "ms"),
        },
        curves={"current": (result.time, result["current"])},
    )


# --------------------------------------------------------------------------------------- Fig. 5: short-term plasticity


def interval_changes(bench: Workbench) -> dict[float, np.ndarray]:
    """Return the conductances [S] at the end of ten pulses of 3 V, 1 ms, for each gap [s]."""
    trains = [[(3.0, 1 * MS), (0.0, gap)] * 10 for gap in INTERVALS]
    return {gap: g[0::2] for gap, g in zip(INTERVALS, conductances(bench, trains, US), strict=True)}


def facilitation_to_depression(bench: Workbench) -> Outcome:
    """W10: change of conductance from the first to the tenth pulse."""
    trains = interval_changes(bench)
    change = {gap: 100 * (g[-1] / g[0] - 1) for gap, g in trains.items()}
    grid = [change[gap] for gap in (1 * MS, 10 * MS, 40 * MS, 160 * MS)]
    curves = {f"{1e3 * gap:g} ms": (np.arange(1.0, 11.0), 100 * (g / g[0] - 1)) for gap, g in trains.items()}
    return Outcome(
        simulated={
            "at_1_ms": measured(grid[0], "%"),
            "at_160_ms": measured(grid[-1], "%"),
            "falls": flag(bool(np.all(np.diff(grid) < 0))),
        },
        curves=curves,
    )


def late_depression(bench: Workbench) -> Outcome:
    """W10b: change at 160 ms less that at 80 ms."""
    trains = interval_changes(bench)
    early, late = (100 * (trains[gap][-1] / trains[gap][0] - 1) for gap in (80 * MS, 160 * MS))
    return Outcome(simulated={"difference": measured(late - early, "%")}, note=f"{early:.2f} % and {late:.2f} %")


def frequency_train(bench: Workbench, counts: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Return the conductance [S] at the end of the pulses of the three parts of Fig. 5c."""
    periods = np.repeat([1 / 196, 200 * US, 1 / 196], counts)
    found, states = [], dict[str, float]()
    for block in np.array_split(periods, np.ceil(len(periods) / BLOCK)):
        train = [s for period in block for s in ((2.8, 100 * US), (0.0, period - 100 * US))]
        wave, ends = stimulus(train, US)
        (result,) = bench.run([(_bench(wave), states)])
        found.append(result.at("conductance", ends[0::2]))
        states = bench.end_states(result)
    parts = np.split(np.concatenate(found), np.cumsum(counts)[:-1])
    return dict(zip(("first", "fast", "last"), parts, strict=True))


def frequencies(bench: Workbench, counts: Sequence[tuple[int, int, int]]) -> Outcome:
    """W11: depression, facilitation, depression, return; the worst of several counts of pulses."""
    found: dict[str, list[float]] = {name: [] for name in ("first", "rise", "fall", "last", "return")}
    curves = {}
    for count in counts:
        parts = frequency_train(bench, count)
        first, fast, last = parts["first"], parts["fast"], parts["last"]
        found["first"].append(first[-1] / first[0] - 1)
        found["rise"].append(fast.max() / first[-1] - 1)
        found["fall"].append(fast[-1] / fast.max() - 1)
        found["last"].append(last[-1] / last[0] - 1)
        found["return"].append(last[-1] / first[0] - 1)
        whole = np.concatenate(list(parts.values()))
        curves["/".join(map(str, count))] = (np.arange(1.0, whole.size + 1), 1e6 * whole)
    worst = {name: min(v) if name == "rise" else max(v) for name, v in found.items()}
    worst["return"] = max(found["return"], key=abs)
    return Outcome(simulated={name: measured(100 * v, "%") for name, v in worst.items()}, curves=curves)


# ------------------------------------------------------------------------------------- Fig. 6: the synapse of two devices


def synapse(bench: Workbench, pre: Waveform, post: Waveform | None, filament: float) -> Network:
    """Return the diffusive memristor in series with the row's drift memristor, between two neurons."""
    diffusive = get_card("siox_ny_ag")
    return series(
        get_device(diffusive.device),
        diffusive.parameters,
        bench.model,
        {**bench.card.parameters, "x_init": filament},
        pre=pre,
        post=post,
    )


def rate_dependence(bench: Workbench) -> Outcome:
    """W12: change of the drift memristor by fifteen pulses of 2.5 V, 40 us, from the high-resistance state."""
    waves = [stimulus([(2.5, 40 * US), (0.0, gap)] * 15 + [(0.0, READ_OUT)], 0.2 * US)[0] for gap in GAPS]
    results = bench.run_networks([synapse(bench, wave, None, HIGH_RESISTANCE) for wave in waves])
    change = np.array([1e6 * (r["b.conductance"][-1] - r["b.conductance"][0]) for r in results])
    return Outcome(
        simulated={
            "falls": flag(bool(np.all(np.diff(change) < 0))),
            "at_20_us": measured(change[0], "uS"),
            "last_over_first": measured(100 * change[-1] / change[0], "%"),
        },
        curves={"change": (np.array(GAPS), change)},
    )


def _spike(lead: float, tail: float) -> Waveform:
    """Return a neuron's spike after ``lead`` [s]; negative, so that the second neuron's sets the drift memristor."""
    before = [(0.0, lead)] if lead > 0 else []
    return stimulus([*before, (-HIGH, HIGH_WIDTH), (-LOW, LOW_WIDTH), (0.0, tail)], 0.2 * US)[0]


def spike_pairs(bench: Workbench) -> dict[float, Result]:
    """Return the runs for each delay [s]: positive where the first neuron fires first."""
    width = HIGH_WIDTH + LOW_WIDTH
    networks, delays = [], [sign * d for sign in (1, -1) for d in DELAYS]
    for delay in delays:
        first, second = _spike(0.0, abs(delay) + width + READ_OUT), _spike(width + abs(delay), READ_OUT)
        pre, post = (first, second) if delay > 0 else (second, first)
        networks.append(synapse(bench, pre, post, MIDDLE))
    return dict(zip(delays, bench.run_networks(networks), strict=True))


def timing_dependence(bench: Workbench) -> Outcome:
    """W13: change of the drift memristor against the delay between the spikes."""
    change = {d: 100 * (r["b.conductance"][-1] / r["b.conductance"][0] - 1) for d, r in spike_pairs(bench).items()}
    late, early = (np.array([change[sign * d] for d in DELAYS]) for sign in (1, -1))
    signs = bool(np.all(late[np.abs(late) > FLOOR] > 0) and np.all(early[np.abs(early) > FLOOR] < 0))
    falls = bool(np.all(np.diff(np.abs(late)) < FLOOR) and np.all(np.diff(np.abs(early)) < FLOOR))
    delays = 1e6 * np.array([*(-d for d in DELAYS[::-1]), *DELAYS])
    return Outcome(
        simulated={
            "potentiation": measured(late[0], "%"),
            "depression": measured(early[0], "%"),
            "signs": flag(signs),
            "falls": flag(falls),
        },
        curves={"change": (delays, np.array([*early[::-1], *late]))},
        note=f"{late[-1]:+.3f} % and {early[-1]:+.3f} % at {1e3 * DELAYS[-1]:g} ms",
    )


def resistances(bench: Workbench) -> Outcome:
    """W14: resistances of the two devices in the circuit, after the short and at the end of the long part of a spike."""
    result = spike_pairs(bench)[DELAYS[0]]
    ends = np.array([HIGH_WIDTH, HIGH_WIDTH + LOW_WIDTH])
    ratio = result.at("b.conductance", ends) / result.at("a.conductance", ends)
    return Outcome(simulated={"off": measured(ratio[0]), "on": measured(1 / ratio[1])})


def first_spike(bench: Workbench) -> Outcome:
    """W14b: change of the drift memristor by the first spike, over that by the pair."""
    result = spike_pairs(bench)[DELAYS[0]]
    g = result["b.conductance"]
    after_first = float(result.at("b.conductance", np.array([HIGH_WIDTH + LOW_WIDTH]))[0])
    return Outcome(simulated={"share": measured(100 * abs(after_first - g[0]) / abs(g[-1] - g[0]), "%")})


PROTOCOLS: dict[str, Protocol] = {
    "W1": on_off,
    "W2": on_off,
    "W3a": turn_on_slope,
    "W3b": turn_on_slope,
    "W3c": turn_on_slope,
    "W4": volatile,
    "W4b": symmetric,
    "W5": hot,
    "W6": endurance,
    "W6b": repeatable,
    "W7": timing,
    "W7b": reads_do_not_hold,
    "W7c": of_the_pulse,
    "W8": arrhenius,
    "W9": planar,
    "W10": facilitation_to_depression,
    "W10b": late_depression,
    "W11": partial(frequencies, counts=((30, 200, 100),)),
    "W11b": partial(frequencies, counts=((20, 100, 50), (60, 400, 300))),
    "W12": rate_dependence,
    "W13": timing_dependence,
    "W13b": timing_dependence,
    "W14": resistances,
    "W14b": first_spike,
    "W19": selector,
    **wang2017_particles.PROTOCOLS,
    **wang2017_compact.PROTOCOLS,
}
"""The experiment of every row."""

GROUPS = (
    ("W13", "W14", "W14b"),
    ("W15", "W15b"),
    ("W7", "W7b", "W8"),
    ("W10", "W10b"),
    ("W1", "W3a", "W4", "W4b", "W19"),
    ("W6", "W6b"),
    ("W2", "W3c"),
)
"""Rows that share runs and go to one process."""

RECIPES = {
    "siox_ny_ag": Recipe(
        stages=(
            Stage(
                start={"e_relax": 0.27},
                targets=(Target(row="W8", quantity="energy", value=0.27, tolerance=0.03, scale="linear"),),
            ),
            Stage(
                start={"g_off": 1e-8},
                targets=(Target(row="W1", quantity="decades", value=5.0, tolerance=0.5, scale="linear"),),
            ),
        ),
    ),
    "hfox_ag": Recipe(),
    "wang_particles": Recipe(fit=wang2017_compact.fit),
    "mgox_ag": Recipe(),
    "taox": Recipe(),
    "hfox_tin": Recipe(),
}
"""How the cards are extracted: the numbers of the text that determine a parameter; the other rows are bounds and signs."""

PANELS = (
    Panel(
        name="wang2017_fig1",
        title="Wang 2017, Fig. 1: threshold switching",
        plots=(
            Plot(row="W4b", title="SiOxNy:Ag, both polarities", x="voltage (V)", y="|current| (A)", log="y"),
            Plot(row="W3b", title="MgOx:Ag", x="voltage (V)", y="|current| (A)", log="y"),
            Plot(row="W2", title="HfOx:Ag", x="voltage (V)", y="|current| (A)", log="y"),
        ),
    ),
    Panel(
        name="wang2017_fig3",
        title="Wang 2017, Fig. 3: delay, relaxation, activation energy",
        plots=(
            Plot(row="W7", title="0.75 V, 5 ms, then reads", x="time (s)", y="conductance (S)", log="y"),
            Plot(
                row="W8",
                title="relaxation",
                x="time (s)",
                y="conductance (S)",
                log="xy",
                only=tuple(f"{t:g} K" for t in TEMPERATURES),
            ),
            Plot(row="W8", title="Arrhenius", x="1/kT (1/eV)", y="relaxation time (s)", log="y", only=("Arrhenius",)),
        ),
    ),
    Panel(
        name="wang2017_fig4",
        title="Wang 2017, Fig. 4: the particle model",
        plots=(
            Plot(
                row="W15",
                title="train of pulses",
                x="pulse",
                y="conductance (largest = 1)",
                lines={"25 %": 0.25, "75 %": 0.75},
            ),
            Plot(row="W15c", title="the compact model on it", x="pulse", y="conductance (largest = 1)"),
            Plot(row="W15d", title="a train that was not fitted", x="pulse", y="conductance (largest = 1)"),
            Plot(row="W16", title="relaxation time", x="w_p/kT", y="kappa tau", log="y"),
            Plot(row="W17", title="constant voltage", x="voltage (V_th)", y="conductance", lines={"10 %": 0.1}),
        ),
    ),
    Panel(
        name="wang2017_fig5",
        title="Wang 2017, Fig. 5: facilitation and depression",
        plots=(
            Plot(row="W10", title="3 V, 1 ms", x="pulse", y="change (%)"),
            Plot(row="W11", title="196 Hz, 5 kHz, 196 Hz", x="pulse", y="conductance (uS)"),
            Plot(row="W11b", title="other counts", x="pulse", y="conductance (uS)"),
        ),
    ),
    Panel(
        name="wang2017_fig6",
        title="Wang 2017, Fig. 6: the synapse of a diffusive and a drift memristor",
        plots=(
            Plot(row="W12", title="dependence on rate", x="gap (s)", y="change (uS)", log="x"),
            Plot(row="W13", title="dependence on timing, TaOx", x="delay (us)", y="change (%)", log="x", linear=10.0),
            Plot(row="W13b", title="dependence on timing, HfOx", x="delay (us)", y="change (%)", log="x", linear=10.0),
        ),
    ),
)
"""The paper's figures."""
