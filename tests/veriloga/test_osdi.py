"""ngspice with compiled Verilog-A: every run is a real one, on each ngspice that has OSDI; the others have to say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import toys

from synspice import emit
from synspice.compact.constants import BOLTZMANN, CONSTANTS, ELEMENTARY_CHARGE, ROOM_TEMPERATURE
from synspice.compact.errors import EngineMissingError, ParameterError
from synspice.compact.model import Model
from synspice.compact.network import Instance, Network, Resistor
from synspice.compact.probes import probes
from synspice.compact.reference import simulate
from synspice.compact.registry import get_card, get_device
from synspice.compact.stimulus import Bench, Drive, Waveform
from synspice.netlists import bias_points, ngspice
from synspice.netlists.deck import format_network
from synspice.netlists.network import NetworkJob, run_networks
from synspice.netlists.ngspice import Plot, SolverOptions, run_deck
from synspice.netlists.run import get_engine
from synspice.netlists.testbench import Job, bench_network
from synspice.veriloga.comparison import python_evaluation, waveform_error
from synspice.veriloga.compiler import compile_module
from synspice.veriloga.osdi import (
    Compiled,
    card_lines,
    compiled_form,
    instance_lines,
    libraries,
    load_lines,
    require_osdi,
    run_networks_ngspice_osdi,
    run_ngspice_osdi,
)
from synspice.veriloga.verify import WAVEFORM_TOLERANCE

pytestmark = pytest.mark.every_ngspice

K, Q = CONSTANTS[BOLTZMANN][0], CONSTANTS[ELEMENTARY_CHARGE][0]

BENCH = Bench(
    drives={
        "g": Drive(waveform=Waveform((0.0, 1e-3, 3e-3), (0.0, 1.0, -1.0)), series_resistance=1e3),
        "d": Drive(waveform=Waveform.constant(0.1)),
    },
    temperature=320.0,
)


def needs_osdi() -> None:
    if not ngspice.has_osdi():
        pytest.skip(f"ngspice {ngspice.version()} has no OSDI")


def test_an_ngspice_without_osdi_is_named_with_what_to_do() -> None:
    if ngspice.has_osdi():
        require_osdi()
        return
    with pytest.raises(EngineMissingError) as failed:
        get_engine("ngspice-osdi")([Job(model=toys.transistor(), values={}, bench=BENCH)], None, {})
    for word in (f"ngspice {ngspice.version()}", str(ngspice.find_executable()), "44.2", "SYNSPICE_NGSPICE", "vacask"):
        assert word in str(failed.value)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_bench_is_as_the_reference_has_it(frozen: bool) -> None:
    needs_osdi()
    model = toys.transistor()
    bench = Bench(drives=BENCH.drives, temperature=BENCH.temperature, frozen=frozen)
    steps: list[tuple[int, int]] = []
    job = Job(model=model, values={"w_init": 0.4}, bench=bench, experiment="write")
    (found,) = run_ngspice_osdi([job], progress=lambda done, total: steps.append((done, total)))
    reference = simulate(model, job.values, bench, times=np.unique(found.time))
    assert waveform_error(model, bench, found, reference) < WAVEFORM_TOLERANCE
    np.testing.assert_allclose(found["w"], reference["w"], atol=1e-4)
    assert bool(np.ptp(found["w"]) == 0.0) is frozen
    assert (found.engine, found.engine_version) == ("ngspice-osdi", f"ngspice {ngspice.version()} with OSDI")
    assert steps == [(1, 1)] and found.deck == format_network(bench_network(model, job.values, bench), form=Compiled())


def test_a_source_in_compliance_and_models_of_two_kinds_in_one_call() -> None:
    needs_osdi()
    limited = Drive(waveform=Waveform((0.0, 1e-3, 2e-3), (0.0, 1.0, 0.0)), series_resistance=100.0, compliance=2e-5)
    jobs = [
        Job(model=get_device(name), values={}, bench=Bench(drives={"p": limited}))
        for name in ("drift_memristor", "diffusive_memristor")
    ]
    for job, found in zip(jobs, run_ngspice_osdi(jobs), strict=True):
        reference = simulate(job.model, job.values, job.bench, times=np.unique(found.time))
        assert waveform_error(job.model, job.bench, found, reference) < WAVEFORM_TOLERANCE


def test_a_value_out_of_range_never_reaches_ngspice() -> None:
    """ngspice 47 crashes at an instance parameter that is out of its range."""
    needs_osdi()
    with pytest.raises(ParameterError, match="w_init = 1.5 is outside its range"):
        run_ngspice_osdi([Job(model=toys.transistor(), values={"w_init": 1.5}, bench=BENCH)])


def test_a_network_is_as_in_the_netlist() -> None:
    needs_osdi()
    model = get_device("drift_memristor")
    network = Network(
        instances=(
            Instance(name="top", model=model, values={"x_init": 0.8}, nodes=("a", "b")),
            Instance(name="bottom", model=model, values={"k_set": 3.0}, nodes=("b", "0")),
        ),
        resistors=(Resistor("r1", "b", "0", 1e5),),
        sources={"a": Drive(waveform=Waveform((0.0, 1e-3, 2e-3), (0.0, 1.5, 0.0)), series_resistance=10.0)},
    )
    (found,) = run_networks_ngspice_osdi([NetworkJob(network=network)])
    (wanted,) = run_networks([network], "reference")
    assert set(found.signals) == set(wanted.signals)
    for name, row in found.signals.items():
        curve = np.interp(found.time, wanted.time, wanted[name])
        assert np.max(np.abs(row - curve)) <= 1e-3 * np.max(np.abs(wanted[name])), name


def bias_at(model: Model, scale: float) -> list[dict[str, float]]:
    return [{model.write[0]: scale * v} for v in (-1.0, 0.0, 0.4)]


@pytest.mark.parametrize("name", ["drift_memristor", "ionic_synapse", "oxide_tunnel_junction"])
@pytest.mark.parametrize("frozen", [0.0, 1.0])
def test_direct_and_alternating_currents_find_the_states_held(name: str, frozen: float) -> None:
    """Not frozen, too: a state that is the integral of its rate would follow the signal in ngspice's AC analysis."""
    needs_osdi()
    model = get_device(name)
    values = {"c_0": 1e-12} if "c_0" in {p.name for p in model.parameters} else {}
    form = compiled_form(model, values)
    head = [line.replace("frozen=1", f"frozen={frozen:g}") for line in form.head]
    free = bias_points.Form(
        head=head,
        instance=lambda n, nodes: form.instance(n, nodes).replace("frozen=1", f"frozen={frozen:g}"),
        files=form.files,
    )
    biases = bias_at(model, 0.7)
    currents = bias_points.terminal_currents(model, free, biases)
    response = bias_points.admittances(model, free, biases, 1e3)
    for k, bias in enumerate(biases):
        potentials = [bias.get(t, 0.0) for t in model.terminals]
        wanted = python_evaluation(model, values, ROOM_TEMPERATURE, potentials, [0.0] * len(model.states))
        np.testing.assert_allclose(currents[k], wanted.currents, rtol=1e-9, atol=1e-24)
        slopes = wanted.current_slopes + 2e3j * np.pi * wanted.charge_slopes
        wanted_response = slopes[:, : len(model.terminals)]
        np.testing.assert_allclose(response[k], wanted_response, rtol=1e-9, atol=1e-9 * np.max(np.abs(wanted_response)))


def test_noise_keeps_nyquist_and_becomes_shot_noise() -> None:
    needs_osdi()
    model = get_device("oxide_tunnel_junction")
    values = {"w_init": 0.7}
    form = compiled_form(model, values)
    biases = [{"p": v} for v in (0.0, 0.05, -0.8)]
    density = bias_points.noise_densities(model, form, biases, 1e3)
    evaluations = [python_evaluation(model, values, ROOM_TEMPERATURE, [b["p"], 0.0], [0.0, 0.0]) for b in biases]
    conductance = evaluations[0].current_slopes[0, 0]
    assert density[0] == pytest.approx(4 * K * ROOM_TEMPERATURE * conductance, rel=1e-6)
    for k in (1, 2):
        thermal = np.tanh(Q * biases[k]["p"] / (2 * K * ROOM_TEMPERATURE))
        assert density[k] == pytest.approx(2 * Q * evaluations[k].currents[0] / thermal, rel=1e-6)


def test_noise_of_a_gate_at_rest() -> None:
    needs_osdi()
    model = get_device("ionic_synapse")
    start = model.values({})["v_i_init"]
    density = bias_points.noise_densities(model, compiled_form(model, {}), [{"gate": start}], 1e3, terminal="gate")
    slopes = python_evaluation(model, {}, ROOM_TEMPERATURE, [start, 0.0, 0.0], [0.0] * 3).current_slopes
    assert density[0] == pytest.approx(4 * K * ROOM_TEMPERATURE * slopes[0, 0], rel=1e-6)


def run_many_in_parallel(m: int) -> Plot:
    model = get_device("drift_memristor")
    values = model.values({"c_0": 1e-9})
    device = instance_lines("dut", "p 0", "card", model, values)
    lines = [
        "* a device with a multiplicity",
        *load_lines([model]),
        "V1 p 0 PWL(0 0 1m 1 2m 0)",
        *card_lines("card", model, values),
        *device,
        f"+ m={m}",
        *SolverOptions().lines(),
        ".save i(v1) @ndut[x] @ndut[i_p]",
        ".tran 0.5u 2m 0 0.5u",  # at 2u the trapezoidal rule is 1e-5 off by itself
        ".end",
    ]
    return run_deck("\n".join(lines), files=libraries([model])).plot("tran")


def test_a_multiplicity_multiplies_currents_and_charges_and_leaves_the_state() -> None:
    needs_osdi()
    one, three = run_many_in_parallel(1), run_many_in_parallel(3)
    at = np.linspace(0, 2e-3, 50)
    state, states = (np.interp(at, p.scale, p["v(@ndut[x])"].real) for p in (one, three))
    np.testing.assert_allclose(states, state, atol=1e-5)
    current, currents = (np.interp(at[1:-1], p.scale, p["i(v1)"].real) for p in (one, three))
    np.testing.assert_allclose(currents, 3 * current, rtol=2e-3, atol=1e-9)


def test_an_inclusive_bound_is_accepted_as_ngspice_reads_it() -> None:
    """ngspice's reader gives 0.95 one unit in the last place too much."""
    needs_osdi()
    model = get_device("drift_memristor")
    (found,) = run_ngspice_osdi(
        [Job(model=model, values={"focus_set": 0.95, "focus_reset": -0.9, "p_set": 0.2}, bench=ramp())]
    )
    assert found.time[-1] == pytest.approx(1e-3)


def ramp() -> Bench:
    return Bench(drives={"p": Drive(waveform=Waveform((0.0, 1e-3), (0.0, 0.5)))})


def test_the_reference_temperature_may_be_given_in_degrees_celsius() -> None:
    needs_osdi()
    model = get_device("drift_memristor")
    values = model.values({})
    peaks = []
    for given in ("t_ref=310.0", f"tref={310.0 - 273.15!r}"):
        card = [line.replace(f"t_ref={values['t_ref']!r}", given) for line in card_lines("card", model, values)]
        lines = ["* t_ref", *load_lines([model]), "V1 p 0 1", *card]
        lines += [*instance_lines("dut", "p 0", "card", model, values), ".save @ndut[x] i(v1)", ".tran 1m 1", ".end"]
        assert any(given in line for line in card)
        peaks.append(run_deck("\n".join(lines), files=libraries([model])).plot("tran")["v(@ndut[x])"].real[-1])
    assert peaks[0] == pytest.approx(peaks[1], rel=1e-9) and peaks[0] > 0.15


def test_the_header_names_what_can_be_probed() -> None:
    needs_osdi()
    model = get_device("ionic_synapse")
    values = model.values({})
    names = [p.name for p in probes(model)]
    lines = ["* probes", *load_lines([model]), "V1 g 0 1", "V2 d 0 0.1", *card_lines("card", model, values)]
    lines += instance_lines("dut", "g 0 d", "card", model, values)
    lines += [f".save {' '.join(f'@ndut[{n}]' for n in names)}", ".op", ".end"]
    plot = run_deck("\n".join(lines), files=libraries([model])).plot("op")
    found = {n: next(plot[k][0] for k in plot.names if f"@ndut[{n}]" in k) for n in names}
    wanted = python_evaluation(model, values, ROOM_TEMPERATURE, [1.0, 0.0, 0.1], [0.0] * 3).currents
    assert found["i_gate"] == pytest.approx(wanted[0], rel=1e-9)
    assert found["i_drain"] == pytest.approx(wanted[2], rel=1e-9)
    assert [found[s.name] for s in model.states] == pytest.approx(list(model.initial_states(values)))


def test_one_thread_is_asked_for_before_the_modules_are_loaded() -> None:
    lines = load_lines([get_device("drift_memristor")])
    assert lines[:2] == [".control", "set num_threads=1"]


def test_the_example_of_a_compiled_device_runs() -> None:
    needs_osdi()
    deck = (Path(__file__).parents[2] / "examples" / "bench_osdi.cir").read_text(encoding="utf-8")
    plot = run_deck(deck, files={"taox.osdi": compile_module(emit("taox", "veriloga"))}).plot("tran")
    card = get_card("taox")
    drive = Drive(waveform=Waveform((0.0, 1e-3, 2e-3, 3e-3, 4e-3), (0.0, 2.5, 0.0, -2.5, 0.0)), series_resistance=1e3)
    bench = Bench(drives={"p": drive})
    values = {**card.parameters, "x_init": 0.2}
    reference = simulate(get_device(card.device), values, bench, times=np.unique(plot.scale))
    np.testing.assert_allclose(plot["v(@ndut[x])"].real, reference["x"], atol=1e-2)
    assert np.ptp(reference["x"]) > 0.3
    np.testing.assert_allclose(plot["i(@ndut[i_p])"].real, -plot["i(vdrive)"].real, atol=1e-9)
