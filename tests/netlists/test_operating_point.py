"""The device as programmed: operating point, AC, frozen transients, and states that do not leak."""

from __future__ import annotations

import device_points
import numpy as np
import pytest
import toys

from synspice.compact.model import Branch, Model
from synspice.compact.python_code import compile_python
from synspice.compact.reference import simulate
from synspice.compact.registry import DEVICES
from synspice.compact.stimulus import Bench, Drive, Waveform
from synspice.netlists.ngspice import SolverOptions, run_deck
from synspice.netlists.subcircuit import format_subcircuit
from synspice.netlists.testbench import Job, run_ngspice

pytestmark = pytest.mark.every_ngspice

NAMES = (*DEVICES, "toy:relaxing", "toy:varactor", "toy:heated")

REACH = {"ionic_synapse": 5.0}
"""Voltage [V] of a sweep where half a volt drives next to nothing."""


def programmed(model: Model) -> dict[str, float]:
    """Return instance parameters that put every state well inside its range, away from its default."""
    values = {}
    for s in model.states:
        upper = s.upper if np.isfinite(s.upper) else s.initial + 2 * s.scale
        values[s.initial_parameter.name] = s.initial + 0.4 * (upper - s.initial)
    return values


def python_point(model: Model, values: dict[str, float], voltage: float) -> tuple[float, float, float]:
    """Return current, conductance and capacitance of the written terminal at the programmed states, the others at 0 V."""
    functions = compile_python(model)
    complete = model.values(values)
    terminal = model.write[0]
    signs = [(w.plus == terminal) - (w.minus == terminal) for w in model.voltages]
    arguments = (
        [voltage * s for s in signs],
        list(model.initial_states(complete)),
        [complete[p.name] for p in model.parameters],
        300.15,
    )

    def into(branches: tuple[Branch, ...], amounts: list[float]) -> float:
        ends = [(b.plus == terminal) - (b.minus == terminal) for b in branches]
        return float(sum(e * a for e, a in zip(ends, amounts, strict=True)))

    def slopes(rows: tuple[tuple[float, ...], ...]) -> list[float]:
        return [sum(s * float(d) for s, d in zip(signs, row, strict=False)) for row in rows]

    return (
        into(model.currents, list(functions.currents(*arguments))),
        into(model.currents, slopes(functions.currents_jacobian(*arguments))),
        into(model.charges, slopes(functions.charges_jacobian(*arguments))),
    )


TIGHT = SolverOptions(reltol=3e-8)
"""For currents to seven digits: Newton's iterations end where a current changes by less than that."""


def instance(model: Model) -> str:
    """Return the line of an instance whose written terminal is node p, the others grounded."""
    return f"X1 {' '.join('p' if t == model.write[0] else '0' for t in model.terminals)} {model.name}"


@pytest.mark.parametrize("voltage", [-0.4, 0.05, 0.6])
@pytest.mark.parametrize("name", NAMES)
def test_operating_point_and_ac_see_the_device_as_programmed(name: str, voltage: float) -> None:
    """At any frequency: no state follows the signal."""
    model = device_points.model_of(name)
    values = programmed(model)
    if any(p.name == "c_0" for p in model.parameters):
        values["c_0"] = 1e-12
    frequencies = [1e-3, 1.0, 1e6]
    deck = ["bias", format_subcircuit(model, values), f"V1 p 0 DC {voltage!r} AC 1", instance(model)]
    deck += [*SolverOptions().lines(), ".save i(v1)", ".op"]
    current, conductance, capacitance = python_point(model, values, voltage)
    raw = run_deck("\n".join([*deck, ".end"]))
    assert -raw.plot("op")["i(v1)"][0] == pytest.approx(current, rel=1e-8)
    for f in frequencies:
        raw = run_deck("\n".join([*deck, f".ac lin 1 {f!r} {f!r}", ".end"]))
        admittance = -raw.plot("ac")["i(v1)"][0]
        assert admittance.real == pytest.approx(conductance, rel=1e-6)
        assert admittance.imag == pytest.approx(2 * np.pi * f * capacitance, rel=1e-6, abs=1e-12 * abs(admittance.real))


@pytest.mark.parametrize("name", NAMES)
def test_frozen_holds_in_a_transient(name: str) -> None:
    model = device_points.model_of(name)
    values = programmed(model)
    wave = Waveform((0.0, 1e-3, 2e-3, 3e-3), (0.0, 1.0, -1.0, 0.0))
    bench = Bench(drives={model.write[0]: Drive(waveform=wave)}, frozen=True)
    (result,) = run_ngspice([Job(model=model, values=values, bench=bench)], options=TIGHT)
    for state in model.states:
        assert np.max(np.abs(result[state.name] - values[state.initial_parameter.name])) <= 1e-12 * state.scale
    if python_point(model, values, 0.5)[2] == 0:  # no displacement current
        wanted = [python_point(model, values, float(v))[0] for v in result["voltage"]]
        solver = 2e-15  # of ngspice's abstol of 1e-15 A
        np.testing.assert_allclose(result["current"], wanted, rtol=1e-7, atol=1e-9 * np.max(np.abs(wanted)) + solver)
    free = Bench(drives={model.write[0]: Drive(waveform=wave)})
    moved = simulate(model, values, free)
    assert any(np.ptp(moved[s.name]) > 1e-9 * s.scale for s in model.states), "free, the states move"


@pytest.mark.parametrize("name", NAMES)
def test_a_dc_sweep_reads_a_frozen_instance(name: str) -> None:
    """A .dc sweep sets the time to the swept value, so that a device that is not frozen would move."""
    model = device_points.model_of(name)
    values = programmed(model)
    reach = REACH.get(name, 0.5)
    deck = ["sweep", format_subcircuit(model, values), "V1 p 0 DC 0", f"{instance(model)} frozen=1"]
    deck += [*TIGHT.lines(), ".save v(p) i(v1)", f".dc V1 {-reach} {reach} {reach / 10}", ".end"]
    plot = run_deck("\n".join(deck)).plot("dc")
    wanted = np.array([python_point(model, values, float(v))[0] for v in plot["v(p)"]])
    largest = np.max(np.abs(wanted))
    assert largest > 1e-12, "well above ngspice's abstol of 1e-15 A"
    np.testing.assert_allclose(-plot["i(v1)"], wanted, rtol=1e-7, atol=1e-10 * largest + 2e-15)


@pytest.mark.parametrize("name", ["drift_memristor", "toy:transistor"])
def test_a_state_does_not_leak_in_three_hours(name: str) -> None:
    """At 0 V these rates are exactly zero: what is left is ngspice's own leak."""
    model = device_points.model_of(name)
    (state,) = model.states
    start = {state.initial_parameter.name: 0.625}
    wave = Waveform((0.0, 1e4), (0.0, 0.0))
    (result,) = run_ngspice(
        [Job(model=model, values=start, bench=Bench(drives={model.write[0]: Drive(waveform=wave)}))]
    )
    assert result.time[-1] == pytest.approx(1e4)
    assert np.max(np.abs(result[state.name] - 0.625)) < 1e-9


def test_a_written_state_does_not_leak_either() -> None:
    """Away from its initial value a state is a voltage on a capacitor: write it in 1 ms, then wait ten seconds."""
    wave = Waveform((0.0, 1e-4, 1e-3, 1.1e-3, 10.0), (0.0, 1.0, 1.0, 0.0, 0.0))
    bench = Bench(drives={"g": Drive(waveform=wave)})
    (result,) = run_ngspice([Job(model=toys.transistor(), values={}, bench=bench)])
    written = result.at("w", np.array([2e-3]))[0]
    assert written > 0.5
    assert result["w"][-1] == pytest.approx(written, abs=1e-6)


def test_relaxation_over_many_time_constants_ends_where_it_should() -> None:
    wave = Waveform((0.0, 1e-2), (0.0, 0.0))
    bench = Bench(drives={"p": Drive(waveform=wave)})
    (result,) = run_ngspice([Job(model=toys.relaxing(), values={"x_init": 0.9}, bench=bench)])
    np.testing.assert_allclose(result["x"], 0.9 * np.exp(-result.time / 1e-3), atol=1e-5)


def test_the_bench_s_temperature_reaches_ngspice() -> None:
    wave = Waveform((0.0, 1e-3, 2e-3), (0.0, 0.5, 0.0))
    jobs = [
        Job(model=toys.heated(), values={}, bench=Bench(drives={"p": Drive(waveform=wave)}, temperature=t, frozen=True))
        for t in (300.0, 350.0)
    ]
    cold, hot = run_ngspice(jobs)
    ratio = np.max(hot["current"]) / np.max(cold["current"])
    boost = np.exp(0.1 / 8.617333262e-5 * (1 / 305 - 1 / 355))
    assert ratio == pytest.approx(boost, rel=1e-4)
