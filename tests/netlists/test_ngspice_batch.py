"""Batch runs: right answers, every kind of failure provoked in a real ngspice, and no run that harms the next."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from synspice.compact.errors import EngineError, ParameterError, SimulationError, UnknownNameError
from synspice.netlists.ngspice import ManyRunsError, RawData, RunsInterrupted, SolverOptions, run_deck, run_many
from synspice.netlists.ngspice.diagnosis import diagnose_data, diagnose_log

RC = """rc
V1 in 0 PULSE(0 1 0 1n 1n 1 2)
R1 in out {r}
C1 out 0 1u
.options reltol=1e-6
.tran 5u 5m 0 5u
.end
"""
DIVIDER = "divider\nV1 in 0 3\nR1 in out 2k\nR2 out 0 1k\n.op\n.end\n"
ENDLESS = "endless\nV1 in 0 SIN(0 1 1meg)\nR1 in o 1\nC1 o 0 1n\n.tran 1n 1000 0 1n\n.end\n"
BAD = "bad\nV1 in 0 1\nX1 in 0 foo\n.op\n.end\n"

FAILURES = {
    "unknown subcircuit": ("parse", "unknown subckt: x1 in 0 foo", BAD),
    "unknown parameter": ("parse", r"line no\. 3.*xyz", "t\nV1 in 0 1\nR1 in 0 {xyz}\n.op\n.end"),
    "syntax of an expression": ("parse", "syntax error", "t\nV1 in 0 1\nB1 in 0 I=1+*v(in)\n.op\n.end"),
    "unknown function": ("parse", "no such function 'frob'", "t\nV1 in 0 1\nB1 in 0 I=frob(v(in))\n.op\n.end"),
    "unknown model": ("parse", "can't find model 'dmod'", "t\nV1 in 0 1\nD1 in 0 dmod\n.op\n.end"),
    "unknown element parameter": ("parse", "foo", "t\nV1 in 0 1\nR1 in 0 1k foo=3\n.op\n.end"),
    "missing include": ("parse", r"nofile\.inc", "t\n.include nofile.inc\nV1 in 0 1\n.op\n.end"),
    "numpy's repr": ("parse", "np.float64", "t\nV1 in 0 1\nR1 in 0 np.float64(0.1)\n.op\n.end"),
    "a node too few": ("parse", "too few nodes|'r1 in' is not a valid", "t\nV1 in 0 1\nR1 in\n.op\n.end"),
    "a source's node too few": ("parse", "too few nodes|v2 in", "t\nV1 in 0 1\nV2 in\n.op\n.end"),
    "two nodes too few": ("parse", "not enough parameters.*e1 x 0", "t\nV1 in 0 1\nE1 x 0\n.op\n.end"),
    "a vector to save that is not there": ("parse", "not found", "t\nV1 in 0 1\n.save v(no)\n.op\n.end"),
    "a bad analysis": ("parse", "TSTOP", "t\nV1 in 0 1\nR1 in 0 1\n.tran 1m\n.end"),
    "a bad command": ("parse", "frobnicate", "t\nV1 in 0 1\nR1 in 0 1\n.op\n.control\nfrobnicate\n.endc\n.end"),
    "no operating point": (
        "convergence",
        'node "x"',
        "t\nV1 in 0 5\nR1 in x 1\nB1 x 0 I=1e3*tanh(1e6*(sin(1e6*v(x))))*v(x)\n.op\n.end",
    ),
    "a loop of sources": ("convergence", "singular matrix", "t\nV1 in 0 1\nV2 in 0 2\n.op\n.end"),
    "out of a function's domain": (
        "convergence",
        "out of range for sqrt",
        "t\nV1 in 0 1\nB1 x 0 V=sqrt(v(in)-2)\nR1 in 0 1\n.op\n.end",
    ),
    "an overflow on the way": (
        "time step too small",
        "time = 0.70",
        "t\nV1 in 0 PWL(0 0 1 1000)\nB1 in 0 I=cosh(v(in))\n.tran 1m 1\n.end",
    ),
    "time": ("time-out", "killed after 0.3 s", ENDLESS),
    "no analysis": ("no data", "needs an analysis", "t\nV1 in 0 1\nR1 in 0 1\n.end"),
    "an analysis in a control block": ("no data", "needs an analysis", "t\nV1 1 0 1\n.control\nop\n.endc\n.end"),
    "miscounted points": (
        "no data",
        "interp",
        "t\nV1 in 0 SIN(0 1 1k)\nR1 in 0 1\n.options interp\n.tran 3u 10u\n.end",
    ),
    "infinity": ("not finite", r"v\(x\)", "t\nV1 in 0 1e200\nE1 x 0 in 0 1e200\nR1 x 0 1\n.op\n.end"),
    "a recursive function": (
        "crash",
        "SIGSEGV",
        "t\n.func f(x) {f(x)}\nV1 in 0 1\nB1 x 0 V=f(v(in))\nR1 x 0 1\n.op\n.end",
    ),
}


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let run folders appear where a test can count them."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.mark.every_ngspice
def test_rc_follows_the_exact_exponential() -> None:
    tran = run_deck(RC.format(r="1k")).plot("tran")
    time_, volts = tran.scale, tran["v(out)"]
    assert time_[-1] == pytest.approx(5e-3)
    np.testing.assert_allclose(volts, 1 - np.exp(-time_ / 1e-3), atol=2e-5)


@pytest.mark.every_ngspice
def test_divider() -> None:
    op = run_deck(DIVIDER).plot("op")
    assert op["v(out)"][0] == pytest.approx(1.0, rel=1e-12)
    assert op["i(v1)"][0] == pytest.approx(-1e-3, rel=1e-12)


@pytest.mark.every_ngspice
def test_ac_follows_the_exact_transfer_function() -> None:
    deck = "low pass\nV1 in 0 dc 0 ac 1\nR1 in out 1k\nC1 out 0 1u\n.ac dec 10 1 1e6\n.end"
    ac = run_deck(deck).plot("ac")
    np.testing.assert_allclose(ac["v(out)"], 1 / (1 + 2j * np.pi * ac.scale * 1e-3), rtol=1e-9)


@pytest.mark.every_ngspice
def test_dc_sweep_and_noise_leave_their_plots() -> None:
    deck = "t\nV1 in 0 dc 1 ac 1\nR1 in out 1k\nR2 out 0 1k\n.dc V1 0 1 0.25\n.noise v(out) V1 dec 2 1 1k\n.end"
    run = run_deck(deck)
    np.testing.assert_allclose(run.plot("dc")["v(out)"], [0, 0.125, 0.25, 0.375, 0.5])
    thermal = np.sqrt(4 * 1.380649e-23 * 300.15 * 500)
    np.testing.assert_allclose(run.plot("noise")["onoise_spectrum"], thermal, rtol=1e-4)
    with pytest.raises(UnknownNameError, match="'tran'"):
        run.plot("tran")


def test_a_good_run_leaves_nothing_behind(temporary_folder: Path) -> None:
    assert run_deck(DIVIDER).folder is None
    assert not list(temporary_folder.iterdir())


def test_a_kept_run(tmp_path: Path, temporary_folder: Path) -> None:
    run = run_deck(DIVIDER, keep=True)
    assert run.folder is not None and run.folder.parent == temporary_folder
    assert (run.folder / "deck.cir").read_text() == DIVIDER
    elsewhere = run_deck(DIVIDER, keep=tmp_path / "new" / "place").folder
    assert elsewhere is not None and elsewhere.parent == tmp_path / "new" / "place"


@pytest.mark.every_ngspice
@pytest.mark.parametrize("case", FAILURES)
def test_failures(case: str, temporary_folder: Path) -> None:
    reason, text, deck = FAILURES[case]
    with pytest.raises(SimulationError, match=text) as caught:
        run_deck(deck, timeout=0.3 if reason == "time-out" else 30)
    assert caught.value.reason == reason
    folder = caught.value.folder
    assert folder is not None and str(folder) in str(caught.value)
    assert {"deck.cir", "ngspice.out", "ngspice.err"} <= {path.name for path in folder.iterdir()}
    assert list(temporary_folder.iterdir()) == [folder]
    assert "Total DRAM" not in caught.value.log
    # The next run is none the worse.
    assert run_deck(DIVIDER).plot("op")["v(out)"][0] == pytest.approx(1.0)


@pytest.mark.every_ngspice
def test_a_transient_that_ends_early_is_no_result() -> None:
    plots = run_deck(RC.format(r="1k")).plots
    assert diagnose_data(plots, RC) is None
    fault = diagnose_data(plots, RC.replace("5m", "6m"))
    assert fault == ("no data", "the transient ended at 0.005 s, before its stop time of 0.006 s")


@pytest.mark.every_ngspice
def test_recovered_trouble_and_suspicious_names_are_no_failures() -> None:
    named = "Error: singular, aborted\nV1 error 0 1\nR1 error singular 1k\nR2 singular 0 1k\n.tran 1m 10m\n.end"
    assert run_deck(named).plot("tran")["v(singular)"][-1] == pytest.approx(0.5)
    # No direct current reaches node m: ngspice steps gmin, then sources, then finds the point by a transient.
    floating = "t\nV1 in 0 PULSE(0 1 0 1n 1n 1 2)\nC1 in m 1n\nC2 m 0 1n\n.tran 1u 10u\n.end"
    run = run_deck(floating)
    assert run.plot("tran")["v(m)"][-1] == pytest.approx(0.5, abs=1e-3)
    assert any("singular matrix" in text for text in run.warnings)


def test_files_are_text_or_copied(tmp_path: Path) -> None:
    (tmp_path / "load.sub").write_text(".subckt load a b\nR1 a b 1k\n.ends\n")
    deck = "t\n.include sub/Load.sub\n.include v.inc\nX1 in 0 load\n.op\n.end"
    run = run_deck(deck, files={"sub/Load.sub": tmp_path / "load.sub", "v.inc": "V1 in 0 1\n"})
    assert run.plot("op")["i(v1)"][0] == pytest.approx(-1e-3)


@pytest.mark.parametrize("name", ["../out.inc", "/etc/x.inc", "deck.cir"])
def test_files_stay_in_the_run_folder(name: str, temporary_folder: Path) -> None:
    with pytest.raises(ParameterError, match="relative path"):
        run_deck(DIVIDER, files={name: "x"})
    assert not list(temporary_folder.iterdir())


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan"), float("inf")])
def test_a_timeout_is_positive_and_finite(timeout: float) -> None:
    with pytest.raises(ParameterError, match="timeout"):
        run_deck(DIVIDER, timeout=timeout)


@pytest.mark.every_ngspice
def test_a_users_settings_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deck = "t\nB1 x 0 V=exp(20)\nR1 x 0 1\n.op\n.end"  # a straight line above 14 in PSpice's mode
    before = run_deck(deck).plot("op")["v(x)"][0]
    (tmp_path / ".spiceinit").write_text("set ngbehavior=ps\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("SPICE_ASCIIRAWFILE", "1")
    monkeypatch.chdir(tmp_path)
    run = run_deck(deck, keep=True)
    assert run.plot("op")["v(x)"][0] == before == pytest.approx(np.exp(20))
    assert run.folder and b"Binary:" in (run.folder / "out.raw").read_bytes()


def test_something_that_is_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "ngspice"
    fake.write_bytes(b"\x7fnonsense")
    fake.chmod(0o755)
    monkeypatch.setenv("SYNSPICE_NGSPICE", str(fake))
    with pytest.raises(EngineError, match="cannot be asked what it is"):
        run_deck(DIVIDER)


@pytest.mark.every_ngspice
def test_the_options_take_effect() -> None:
    options = SolverOptions(temperature_c=77.0, reltol=1e-6)
    deck = "\n".join(
        ["t", "V1 in 0 SIN(0 1 1k)", "R1 in 0 1k tc1=0.01", *options.lines(), options.transient(2e-3, 1e-5), ".end"]
    )
    tran = run_deck(deck).plot("tran")
    assert np.diff(tran.scale).max() <= 1e-5 * (1 + 1e-9)
    np.testing.assert_allclose(tran["i(v1)"], -tran["v(in)"] / 1500, rtol=1e-9)


def children() -> str:
    """Return the process ids of this process's children."""
    return " ".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).strip()


def test_many_in_order_with_progress() -> None:
    seen: list[tuple[int, int]] = []
    resistors = [1000.0 * (k + 1) for k in range(7)]
    runs = run_many(
        [RC.format(r=r) for r in resistors], workers=3, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(k + 1, 7) for k in range(7)]
    for resistor, run in zip(resistors, runs, strict=True):
        assert isinstance(run, RawData)
        assert run.plot("tran")["v(out)"][-1] == pytest.approx(1 - np.exp(-5e-3 / (resistor * 1e-6)), abs=2e-5)


def test_many_of_none() -> None:
    assert run_many([]) == []


@pytest.mark.every_ngspice
def test_many_with_failures_returned() -> None:
    runs = run_many([DIVIDER, BAD, ENDLESS, DIVIDER], workers=2, timeout=0.5, on_error="return")
    assert [getattr(run, "reason", "good") for run in runs] == ["good", "parse", "time-out", "good"]


@pytest.mark.every_ngspice
def test_many_stops_at_a_failure_and_keeps_what_had_finished(temporary_folder: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ManyRunsError, match="deck 1 of 5.*unknown subckt") as caught:
        run_many([DIVIDER, BAD, ENDLESS, ENDLESS, DIVIDER], workers=1)
    assert time.monotonic() - started < 10
    assert caught.value.index == 1 and caught.value.reason == "parse"
    assert isinstance(caught.value.results[0], RawData)
    assert caught.value.results[2:4] == [None, None]
    assert children() == ""
    assert list(temporary_folder.iterdir()) == [caught.value.folder]


def test_ctrl_c_kills_what_runs_and_keeps_what_had_finished(temporary_folder: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 2:
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(RunsInterrupted) as caught:
        run_many([DIVIDER, DIVIDER, ENDLESS, ENDLESS, DIVIDER], workers=2, progress=interrupt)
    results = caught.value.results
    assert isinstance(results[0], RawData) and isinstance(results[1], RawData) and results[2:] == [None] * 3
    assert children() == ""
    assert not list(temporary_folder.iterdir())


def test_ctrl_c_during_one_run(temporary_folder: Path) -> None:
    threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run_deck(ENDLESS)
    assert children() == ""
    assert not list(temporary_folder.iterdir())


def test_a_failing_callback_stops_the_runs() -> None:
    def fail(done: int, total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_many([DIVIDER, ENDLESS], workers=2, progress=fail)
    assert children() == ""


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_are_at_least_one(workers: int) -> None:
    with pytest.raises(ParameterError, match="workers"):
        run_many([DIVIDER], workers=workers)


def test_errors_are_raised_or_returned() -> None:
    with pytest.raises(ParameterError, match="on_error"):
        run_many([DIVIDER], on_error="ignore")  # type: ignore[call-overload]


@pytest.mark.slow
def test_300_runs_cost_little_memory_and_time(tmp_path: Path) -> None:
    """A fresh process, so that the test runner's own memory does not count; one run in 30 fails."""
    script = textwrap.dedent("""
        import subprocess, sys, tempfile, time
        from pathlib import Path
        from synspice.compact.errors import SimulationError
        from synspice.netlists.ngspice import find_executable, run_deck
        from synspice.netlists.ngspice.installation import environment

        good, bad = Path("good.cir").read_text(), Path("bad.cir").read_text()
        command = [find_executable(), "-n", "-b", "-r", "bare.raw", "good.cir"]

        def resident():
            return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

        def bare():
            start = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
            return time.perf_counter() - start

        def ours(deck):
            start = time.perf_counter()
            try:
                run_deck(deck)
            except SimulationError:
                pass
            return time.perf_counter() - start

        for _ in range(10):
            ours(good), bare()
        before, overheads = resident(), []
        for k in range(300):
            if k % 30 == 29:
                ours(bad)
            overheads.append(ours(good) - bare())
        print(resident() - before, 1e3 * sorted(overheads)[150])
    """)
    (tmp_path / "good.cir").write_text(RC.format(r="1k"))
    (tmp_path / "bad.cir").write_text(BAD)
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    growth_mb, overhead_ms = map(float, answer.stdout.split())
    print(f"RSS growth over 300 runs: {growth_mb:.2f} MB; overhead a run: {overhead_ms:.2f} ms")
    assert growth_mb < 20
    assert overhead_ms < 30


def test_no_file_stays_open() -> None:
    run_deck(DIVIDER)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        run_deck(DIVIDER)
        with pytest.raises(SimulationError):
            run_deck(BAD)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_step_that_is_too_small_says_what_may_help() -> None:
    fault = diagnose_log(['doAnalyses: TRAN:  Timestep too small; time = 50, timestep = 8e-13: trouble with node "p"'])
    assert fault is not None
    assert fault.reason == "time step too small" and "a smaller max_step or a shorter run" in fault.message
