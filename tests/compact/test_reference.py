"""The reference engine against scipy's integrators, which share nothing with it but the device's right-hand side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import pytest
import toys
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from synspice.compact.errors import ParameterError
from synspice.compact.model import Model
from synspice.compact.python_code import compile_python
from synspice.compact.reference import Problem, ReferenceOptions, output_times, simulate
from synspice.compact.registry import get_card, get_device
from synspice.compact.stimulus import Bench, Drive, Waveform

LOOP = Waveform((0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 1.2, 0.0, -1.2, 0.0))
FAST_LOOP = Waveform(tuple(2e-3 * t for t in LOOP.time), LOOP.value)
TRAIN = Waveform.from_steps(
    0.0, [s for v in (0.9, 0.9, 0.9, -0.9, -0.9, 0.1) for s in ((1e-5, v), (3e-4, v), (1e-5, 0.0), (5e-4, 0.0))]
)
DRIFT = {"k_set": 20.0, "k_reset": 30.0, "r_th": 1e6, "c_0": 1e-12}


def device(name: str) -> Model:
    return toys.TOYS[name]() if name in toys.TOYS else get_device(name)


def limited(drop: float, resistance: float, compliance: float | None) -> float:
    """Return the current of a source, from the formula in the documentation of ``Drive.resistance``."""
    linear = drop / resistance
    return linear if compliance is None else linear / (1 + (linear / compliance) ** 16) ** (1 / 16)


def by_scipy(model: Model, values: Mapping[str, float], bench: Bench, times: np.ndarray) -> dict[str, np.ndarray]:
    """Solve a two-terminal device on its bench: nested brentq for the terminal, LSODA for the states, segment by segment."""
    functions = compile_python(model)
    complete = model.values(values)
    p = [complete[q.name] for q in model.parameters]
    drive = bench.drives["p"]
    behind = drive.series_resistance > 0 or drive.compliance is not None
    resistance = drive.series_resistance
    if drive.compliance is not None:
        resistance = max(resistance, 1e-3 / drive.compliance)
    scales = np.array([s.scale for s in model.states])

    def terminal(t: float, x: np.ndarray) -> float:
        source = float(drive.waveform(t))
        if not behind or source == 0.0:
            return source

        def surplus(z: float) -> float:
            into = float(functions.currents([z], list(x), p, bench.temperature)[0])
            return into - limited(source - z, resistance, drive.compliance)

        return float(brentq(surplus, min(source, 0.0), max(source, 0.0), xtol=1e-15, rtol=1e-14))

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        x = y * scales
        return np.array(functions.rates([terminal(t, x)], list(x), p, bench.temperature), float) / scales

    y = np.array(model.initial_states(complete)) / scales
    marks = np.asarray(drive.waveform.time)
    found = {name: np.zeros(times.size) for name in ("voltage", "current", *(s.name for s in model.states))}
    for start, end in pairwise(marks):
        inside = np.flatnonzero((times >= start) & (times <= end))
        solution = solve_ivp(
            slope, (start, end), y, method="LSODA", rtol=1e-10, atol=1e-12, t_eval=np.append(times[inside], end)
        )
        assert solution.success
        for k, column in zip(inside, solution.y.T[:-1], strict=True):
            x = column * scales
            z = terminal(times[k], x)
            found["voltage"][k] = z
            found["current"][k] = functions.currents([z], list(x), p, bench.temperature)[0]
            for s, value in zip(model.states, x, strict=True):
                found[s.name][k] = value
        y = solution.y[:, -1]
    return found


def times_of(waveform: Waveform, count: int = 25) -> np.ndarray:
    """Return times within every segment, off the breakpoints where a capacitor's current jumps."""
    marks = np.asarray(waveform.time)
    return (marks[:-1, None] + np.diff(marks)[:, None] * np.linspace(0.02, 0.98, count)).ravel()


CASES: dict[str, tuple[str, dict[str, float], Drive]] = {
    "relaxing, loop": ("relaxing", {}, Drive(waveform=FAST_LOOP)),
    "relaxing, pulses": ("relaxing", {"tau": 2e-4}, Drive(waveform=TRAIN)),
    "relaxing, behind a resistor": ("relaxing", {}, Drive(waveform=FAST_LOOP, series_resistance=2e4)),
    "relaxing, compliance": ("relaxing", {}, Drive(waveform=FAST_LOOP, compliance=2e-5)),
    "two scaled states": ("heated", {}, Drive(waveform=FAST_LOOP)),
    "drift, loop": ("drift_memristor", {**DRIFT, "c_0": 0.0}, Drive(waveform=LOOP)),
    "drift, pulses": ("drift_memristor", {**DRIFT, "c_0": 0.0, "k_set": 2e3, "k_reset": 3e3}, Drive(waveform=TRAIN)),
    "drift, behind a resistor": (
        "drift_memristor",
        {**DRIFT, "c_0": 0.0},
        Drive(waveform=LOOP, series_resistance=5e3),
    ),
    "drift, resistor and compliance": (
        "drift_memristor",
        {**DRIFT, "c_0": 0.0},
        Drive(waveform=LOOP, series_resistance=1e3, compliance=3e-5),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_against_scipy(case: str) -> None:
    name, values, drive = CASES[case]
    model = device(name)
    bench = Bench(drives={"p": drive})
    times = times_of(drive.waveform)
    ours = simulate(model, values, bench, times=times)
    theirs = by_scipy(model, values, bench, times)
    for signal, exact in theirs.items():
        reach = np.ptp(exact)
        assert reach > 0, "the stimulus must move every signal"
        np.testing.assert_allclose(ours[signal], exact, rtol=0, atol=2e-6 * reach, err_msg=signal)


def test_a_nonlinear_charge_behind_a_resistor() -> None:
    """Kirchhoff's law at the terminal solved by hand: C(v, x) v' = (u - v)/R - i(v, x) - q_x x'."""
    model = toys.varactor()
    values = model.values({})
    g, c, v_c, tau, v_0 = (values[n] for n in ("g_0", "c_0", "v_c", "tau", "v_0"))
    resistance = 3e3

    def parts(z: float, x: float) -> tuple[float, float, float, float]:
        root = np.sqrt(z**2 + v_c**2)
        return (
            g * (1 + x**2) * z,
            c * v_c**3 * (1 + x) / root**3,
            c * v_c * z / root,
            (z**2 / (z**2 + v_0**2) - x) / tau,
        )

    def slope(t: float, y: np.ndarray) -> list[float]:
        x, z = y
        current, capacitance, charge_by_x, rate = parts(z, x)
        return [rate, ((float(FAST_LOOP(t)) - z) / resistance - current - charge_by_x * rate) / capacitance]

    times = times_of(FAST_LOOP)
    marks = FAST_LOOP.time
    y, columns = np.zeros(2), []
    for start, end in pairwise(marks):
        inside = times[(times > start) & (times < end)]
        solution = solve_ivp(slope, (start, end), y, "Radau", np.append(inside, end), rtol=1e-10, atol=1e-12)
        columns.append(solution.y[:, :-1])
        y = solution.y[:, -1]
    x, z = np.concatenate(columns, axis=1)
    assert x.max() < 1.0 and x.min() >= 0.0, "inside the range in which the bounded memory is the memory"
    bench = Bench(drives={"p": Drive(waveform=FAST_LOOP, series_resistance=resistance)})
    ours = simulate(model, {}, bench, times=times)
    np.testing.assert_allclose(ours["x"], x, atol=1e-6)
    np.testing.assert_allclose(ours["voltage"], z, atol=1e-6)
    np.testing.assert_allclose(ours["current"], (FAST_LOOP(times) - z) / resistance, atol=1e-9)


def test_displacement_current_of_a_charge_without_a_resistor() -> None:
    """Resistive current plus C dv/dt of a linear capacitor on a ramp."""
    model = get_device("drift_memristor")
    times = times_of(LOOP)
    with_charge = simulate(model, {"c_0": 1e-6}, Bench(drives={"p": Drive(waveform=LOOP)}), times=times)
    without = simulate(model, {}, Bench(drives={"p": Drive(waveform=LOOP)}), times=times)
    slope = 1.2 * np.repeat([1, -1, -1, 1], times.size // 4)
    difference = with_charge["current"] - without["current"]
    np.testing.assert_allclose(difference, 1e-6 * slope, rtol=1e-5, atol=1e-7 * np.max(np.abs(without["current"])))


def test_relaxation_has_its_closed_form() -> None:
    wave = Waveform((0.0, 5e-3), (0.0, 0.0))
    times = np.linspace(0, 5e-3, 40)
    result = simulate(toys.relaxing(), {"x_init": 0.8}, Bench(drives={"p": Drive(waveform=wave)}), times=times)
    np.testing.assert_allclose(result["x"], 0.8 * np.exp(-times / 1e-3), rtol=0, atol=1e-7)
    assert np.all(result["current"] == 0)


SENSITIVE: dict[str, tuple[str, dict[str, float], tuple[str, ...], Drive, str]] = {
    "state of the relaxing device": ("relaxing", {}, ("tau", "v_0", "x_init"), Drive(waveform=FAST_LOOP), "x"),
    "current of the relaxing device": ("relaxing", {}, ("g_0", "tau"), Drive(waveform=FAST_LOOP), "i_p"),
    "behind a resistor": (
        "relaxing",
        {},
        ("g_0", "tau", "v_0"),
        Drive(waveform=FAST_LOOP, series_resistance=2e4),
        "i_p",
    ),
    "charge behind a resistor": (
        "varactor",
        {},
        ("c_0", "v_c", "g_0", "tau"),
        Drive(waveform=FAST_LOOP, series_resistance=3e3),
        "i_p",
    ),
    "two scaled states": ("heated", {}, ("sigma", "e_a", "c_th", "rise_init"), Drive(waveform=FAST_LOOP), "i_p"),
    "drift with compliance": (
        "drift_memristor",
        {**DRIFT, "c_0": 0.0},
        ("g_on", "g_off", "k_set", "v_set", "v_reset", "r_th"),
        Drive(waveform=LOOP, series_resistance=1e3, compliance=3e-5),
        "i_p",
    ),
}


@pytest.mark.parametrize("case", SENSITIVE)
def test_sensitivities_against_finite_differences(case: str) -> None:
    name, values, free, drive, signal = SENSITIVE[case]
    model = device(name)
    complete = model.values(values)
    times = times_of(drive.waveform, 12)
    tight = ReferenceOptions(reltol=1e-11, abstol=1e-13)
    problem = Problem(model, complete, Bench(drives={"p": drive}), times, free, tight)
    centre = [complete[n] for n in free]
    value, slopes = problem.jacobian(centre, signal)
    row = problem.signal_names.index(signal)
    np.testing.assert_allclose(value, problem.solve(centre)[row], rtol=1e-6, atol=1e-9 * np.max(np.abs(value)))
    assert slopes.shape == (times.size, len(free))
    for k, start in enumerate(centre):
        step = 1e-4 * (start or 1.0)

        def moved(factor: float, k: int = k, step: float = step) -> np.ndarray:
            return problem.solve([c + (factor * step if j == k else 0.0) for j, c in enumerate(centre)])[row]

        difference = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * step)
        size, noise = np.max(np.abs(difference)), 3e-10 * np.max(np.abs(value)) / step
        assert size > 100 * noise, "the signal must depend on the parameter"
        np.testing.assert_allclose(slopes[:, k], difference, rtol=1e-4, atol=1e-4 * size + noise, err_msg=free[k])


def test_frozen_holds_the_states() -> None:
    drive = Drive(waveform=FAST_LOOP)
    for values, bench in (({"frozen": 1.0}, Bench(drives={"p": drive})), ({}, Bench(drives={"p": drive}, frozen=True))):
        result = simulate(toys.relaxing(), {"x_init": 0.3, **values}, bench)
        assert np.all(result["x"] == 0.3)
        np.testing.assert_allclose(result["current"], 1e-5 * 4 * result["voltage"], rtol=1e-9, atol=1e-18)


def test_the_temperature_of_the_bench_is_the_device_s() -> None:
    wave = Waveform((0.0, 1e-5), (0.0, 0.1))
    at = {}
    for temperature in (300.0, 330.0):
        bench = Bench(drives={"p": Drive(waveform=wave)}, temperature=temperature)
        at[temperature] = simulate(toys.heated(), {"rise_init": 0.0}, bench, times=np.array([0.0, 1e-9]))["current"][1]
    boost = np.exp(0.1 / 8.617333262e-5 * (1 / 300 - 1 / 330))
    assert at[330.0] / at[300.0] == pytest.approx(boost, rel=1e-3)


def test_compliance_limits_either_sign() -> None:
    drive = Drive(waveform=FAST_LOOP, compliance=1e-5)
    result = simulate(toys.relaxing(), {}, Bench(drives={"p": drive}))
    assert np.max(np.abs(result["current"])) <= 1e-5 * (1 + 1e-7)
    assert np.max(result["current"]) > 0.9e-5 and np.min(result["current"]) < -0.9e-5
    assert np.all(np.abs(result["voltage"]) <= np.abs(result["source"]) + 1e-9)


def test_three_terminals() -> None:
    """Gate and channel carry their own currents; what enters leaves at the source."""
    model = toys.transistor()
    gate = Waveform((0.0, 1e-4, 1e-3, 1.1e-3), (0.0, 1.0, 1.0, 0.0))
    read = Waveform((0.0, 1e-4, 1.1e-3), (0.0, 0.1, 0.1))
    times = np.linspace(1.5e-4, 9.5e-4, 20)
    bench = Bench(drives={"g": Drive(waveform=gate), "d": Drive(waveform=read)})
    problem = Problem(model, model.values({}), bench, times)
    rows = dict(zip(problem.signal_names, problem.solve(), strict=True))
    np.testing.assert_allclose(rows["i_g"] + rows["i_s"] + rows["i_d"], 0, atol=1e-15)
    np.testing.assert_allclose(rows["i_g"], 1e-9, rtol=1e-6)
    np.testing.assert_allclose(rows["i_d"], 1e-6 * (0.1 + rows["w"]) * 0.1, rtol=1e-6)
    drive = 1.0**3 / (1.0**2 + 1e-6)
    rise = np.diff(np.log(1 - rows["w"])) / np.diff(times)
    np.testing.assert_allclose(rise, -1e3 * drive, rtol=1e-4)
    result = simulate(model, {}, bench, times=times)
    np.testing.assert_allclose(result["read_current"], rows["i_d"])
    np.testing.assert_allclose(result["read_voltage"], 0.1, rtol=1e-12)


def test_sources_with_impedances_at_two_terminals() -> None:
    """Each follows its own divider: the gate's current does not pass the channel."""
    drives = {t: Drive(waveform=FAST_LOOP, series_resistance=r) for t, r in (("g", 1e3), ("d", 1e6))}
    result = simulate(toys.transistor(), {}, Bench(drives=drives))
    source = FAST_LOOP(result.time)
    np.testing.assert_allclose(result["voltage"], source - 1e3 * result["current"], atol=1e-9)
    np.testing.assert_allclose(result["read_voltage"], source - 1e6 * result["read_current"], atol=1e-9)
    np.testing.assert_allclose(
        result["read_current"], 1e-6 * (0.1 + result["w"]) * result["read_voltage"], rtol=1e-4, atol=1e-12
    )


def test_a_device_without_memory() -> None:
    drive = Drive(waveform=FAST_LOOP, series_resistance=500.0)
    result = simulate(toys.resistor(), {}, Bench(drives={"p": drive}))
    np.testing.assert_allclose(result["current"], FAST_LOOP(result.time) / 1000.0, atol=1e-12)


Failing = Callable[[], object]
FAILURES: dict[str, tuple[Failing, type[Exception], str]] = {
    "a constant": (
        lambda: simulate(toys.relaxing(), {}, Bench(drives={"p": Drive(waveform=Waveform.constant(1.0))})),
        ParameterError,
        "it is constant, so the run has no duration",
    ),
    "a parameter out of range": (
        lambda: simulate(toys.relaxing(), {"tau": -1}, Bench(drives={"p": Drive(waveform=FAST_LOOP)})),
        ParameterError,
        "tau = -1 s is outside its range",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_what_cannot_be_run_says_so(case: str) -> None:
    run, kind, message = FAILURES[case]
    with pytest.raises(kind, match=message):
        run()


def test_an_answer_does_not_depend_on_the_times_asked_for() -> None:
    bench = Bench(drives={"p": Drive(waveform=FAST_LOOP, series_resistance=2e4)})
    dense = simulate(toys.relaxing(), {}, bench, times=np.linspace(0, FAST_LOOP.duration, 801))
    sparse = simulate(toys.relaxing(), {}, bench, times=np.linspace(0, FAST_LOOP.duration, 9))
    np.testing.assert_allclose(sparse["current"], dense["current"][::100], atol=1e-6 * np.max(dense["current"]))


def test_the_default_times_resolve_the_current() -> None:
    result = simulate(get_device("drift_memristor"), DRIFT, Bench(drives={"p": Drive(waveform=LOOP)}))
    current = result["current"]
    assert np.max(np.abs(np.diff(current))) <= 0.025 * np.max(np.abs(current))
    assert set(LOOP.time) <= set(result.time)
    assert np.all(np.diff(result.time) > 0)


def test_output_times_hold_every_breakpoint() -> None:
    times = output_times(Bench(drives={"p": Drive(waveform=TRAIN)}), 4)
    assert set(np.asarray(TRAIN.time)) <= set(times)
    assert np.all(np.diff(times) > 0) and times[0] == 0


def test_slopes_that_underflow_when_squared_do_not_stop_the_integrator() -> None:
    """A filament 1e-15 thick has slopes of 1e-160 by its thickness."""
    card = get_card("wang_particles")
    rest = Bench(drives={"p": Drive(waveform=Waveform((0.0, 2e-7, 3e-5), (0.0, 0.0, 0.0)))}, temperature=300.0)
    states = {"bridge_init": 0.2318, "thickness_init": 1e-15, "depletion_init": 3.2e-4}
    model = get_device(card.device)
    result = simulate(model, {**card.parameters, **states}, rest)
    functions, p = compile_python(model), list(model.values(card.parameters).values())
    answer = solve_ivp(
        lambda t, x: functions.rates([0.0], list(x), p, 300.0),
        (0.0, 3e-5),
        list(states.values()),
        "BDF",
        rtol=1e-9,
        atol=1e-12,
    )
    assert result["bridge"][-1] == pytest.approx(answer.y[0, -1], rel=1e-6)
