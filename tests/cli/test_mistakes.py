"""A user's mistake ends with a message that helps and the right exit code, never with a traceback."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from command_line import OWN_DEVICE, Call

from synspice.cli import common
from synspice.compact import errors
from synspice.netlists.ngspice.installation import VARIABLE

FIT = ("--device", "drift_memristor")
RUN = ("run", "iv-loop", "--card", "drift_memristor")


def table(folder: Path, text: str) -> Path:
    path = folder / "data.csv"
    path.write_text(text)
    return path


def sweep(rows: list[tuple[object, object, object]]) -> str:
    return "time (s),voltage (V),current (A)\n" + "\n".join(f"{t},{v},{i}" for t, v, i in rows) + "\n"


GOOD = [(k * 0.1, k * 0.01, k * 1e-7) for k in range(20)]


def test_a_missing_column(synspice: Call, tmp_path: Path) -> None:
    path = table(tmp_path, "time (s),voltage (V)\n" + "\n".join(f"{k},{k}" for k in range(9)))
    answer = synspice("fit", path, *FIT)
    assert answer.code == 2
    assert str(path) in answer.err
    assert "current" in answer.err


def test_rows_that_are_no_numbers(synspice: Call, tmp_path: Path) -> None:
    path = table(tmp_path, sweep([*GOOD[:4], (0.4, "nan", 4e-7), *GOOD[5:]]))
    answer = synspice("fit", path, *FIT)
    assert answer.code == 2
    assert "line 6" in answer.err


def test_a_time_that_does_not_rise(synspice: Call, tmp_path: Path) -> None:
    answer = synspice("fit", table(tmp_path, sweep([*GOOD[:6], (0.3, 0.06, 6e-7), *GOOD[7:]])), *FIT)
    assert answer.code == 2
    assert "time does not rise" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("emit", "drift_memristor", "--set", "p_set=50"),
        (*RUN, "--param", "p_set=50"),
    ],
)
def test_a_parameter_out_of_range(synspice: Call, arguments: tuple[str, ...]) -> None:
    answer = synspice(*arguments)
    assert answer.code == 2
    assert "p_set = 50 is outside its range [0.2, 6]" in answer.err


def test_a_fixed_value_out_of_range(synspice: Call, ramps: Path) -> None:
    answer = synspice("fit", ramps, *FIT, "--fix", "p_set=50")
    assert answer.code == 2
    assert "[0.2, 6]" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "drift_memristr"),
        ("emit", "drift_memristr"),
        ("cite", "drift_memristr"),
        ("run", "iv-loop", "--card", "drift_memristr"),
    ],
)
def test_an_unknown_device_gets_the_nearest_name(synspice: Call, arguments: tuple[str, ...]) -> None:
    answer = synspice(*arguments)
    assert answer.code == 2
    assert "did you mean 'drift_memristor'" in answer.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("run", "iv-lop", "--card", "drift_memristor"),
            "unknown experiment or circuit 'iv-lop'; did you mean 'iv-loop'",
        ),
        ((*RUN, "--engine", "ngspyce"), "unknown engine 'ngspyce'; did you mean 'ngspice'"),
        (("emit", "drift_memristor", "--to", "ngspise"), "unknown target 'ngspise'; did you mean 'ngspice'"),
        ((*RUN, "--set", "ramp_rat=2"), "did you mean 'ramp_rate'"),
        ((*RUN, "--set", "ramp_rate=-2"), "ramp_rate = -2 V/s must be above 0"),
        ((*RUN, "--param", "g_onn=2"), "did you mean 'g_on'"),
        ((*RUN, "--option", "reltool=1e-5"), "did you mean 'reltol'"),
        ((*RUN, "--option", "reltol=tight"), "reltol = 'tight' must be a number above 0"),
        ((*RUN, "--option", "method=1"), "is not like its default 'trap'"),
        ((*RUN, "--option", "maxord=2.5"), "is not like its default 2"),
        ((*RUN, "--engine", "reference", "--option", "abstol=-1"), "abstol = -1 must be a number above 0"),
    ],
)
def test_other_unknown_names_and_values(synspice: Call, arguments: tuple[str, ...], message: str) -> None:
    answer = synspice(*arguments)
    assert answer.code == 2
    assert message in answer.err


def test_an_unknown_device_layout_or_setting_of_a_fit(synspice: Call, ramps: Path) -> None:
    for extra, near in (
        (("--device", "drift_memristr"), "drift_memristor"),
        ((*FIT, "--layout", "colums"), "columns"),
        ((*FIT, "--read-setting", "complianse=1e-3"), "compliance"),
    ):
        answer = synspice("fit", ramps, *extra)
        assert answer.code == 2
        assert f"did you mean '{near}'" in answer.err


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("width=abc", "the setting width = 'abc' is not a number"),
        ("minimum_points=2.5", "the setting minimum_points = 2.5 is not a whole number"),
        ("amplitude=true", "the setting amplitude = True is not a number"),
    ],
)
def test_a_setting_of_a_reader_of_the_wrong_kind(synspice: Call, ramps: Path, setting: str, message: str) -> None:
    answer = synspice("fit", ramps, *FIT, "--layout", "ramps", "--read-setting", setting)
    assert answer.code == 2
    assert message in answer.err


def test_a_card_with_a_wrong_unit(synspice: Call, tmp_path: Path) -> None:
    card = tmp_path / "card.toml"
    card.write_text('name = "c"\ndevice = "drift_memristor"\n[parameters.g_on]\nvalue = 1.0\nunit = "V"\n')
    answer = synspice("show", card)
    assert answer.code == 2
    assert "[parameters.g_on]" in answer.err
    assert "'V' does not fit 'S'" in answer.err


def test_ngspice_that_is_not_installed(
    synspice: Call, monkeypatch: pytest.MonkeyPatch, ramps: Path, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    for arguments in (RUN, ("fit", ramps, *FIT, "--report", tmp_path / "report"), ("reproduce", "OTJ-01")):
        answer = synspice(*arguments)
        assert answer.code == 2
        assert "apt-get install ngspice" in answer.err


@pytest.mark.parametrize(
    ("option", "command"),
    [
        ("-o", ("fit", "DATA", *FIT)),
        ("--report", ("fit", "DATA", *FIT)),
        ("-o", ("emit", "drift_memristor")),
        ("-o", RUN),
        ("--plot", RUN),
        ("--deck", RUN),
    ],
)
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    synspice: Call, ramps: Path, tmp_path: Path, option: str, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synspice.netlists.run.run_many", None)  # the work is not begun
    (tmp_path / "file").write_text("a file where a folder should be")
    answer = synspice(*(ramps if a == "DATA" else a for a in command), option, tmp_path / "file" / "out.png")
    assert answer.code == 2
    assert "cannot" in answer.err
    assert str(tmp_path / "file") in answer.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(synspice: Call, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    answer = synspice("emit", "drift_memristor", "-o", folder / "out.cir")
    assert answer.code == 2
    assert "not writable" in answer.err


@pytest.mark.parametrize("check", [common.check_writable_file, common.make_writable_folder])
def test_a_refused_permission_is_told(check: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(errors.OutputError, match="not writable"):
        check(tmp_path / "new", "the card")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fit",), "Missing argument"),
        (("fit", "no_such_file.csv", *FIT), "there is no such file"),
        (("frobnicate",), "No such command"),
        ((*RUN, "--set", "ramp_rate"), "is not name=value"),
        ((*RUN, "--set", "ramp_rate=1u"), "is not a number"),
        ((*RUN, "--set", "cycles=1", "--set", "cycles=2"), "given twice"),
        ((*RUN, "--waveform", "wave.csv"), "has its own stimulus"),
        (("run", "waveform", "--card", "drift_memristor"), "--waveform"),
        ((*RUN, "--engine", "reference", "--deck", "deck.cir"), "has no deck"),
        (("show", "no_such_card.toml"), "there is no such card file"),
        (("verify", "drift_memristor", "--seed", "-1"), "--seed"),
        (("list", "--device-file", "no_such_device.py"), "not a Python file that can be read"),
    ],
)
def test_wrong_use(synspice: Call, arguments: tuple[str, ...], message: str) -> None:
    answer = synspice(*arguments)
    assert answer.code == 2
    assert message in answer.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time (s),current (A)\n0,0\n1,1\n", "no column of voltage"),
        ("time (s),voltage (V)\n0,0\n1,1\n1,0\n", "time does not rise"),
        ("time (s),voltage (V)\n0,0\n1,x\n2,0\n", "finite number"),
        ("time (s),voltage (V)\n0,1\n1,0\n", "must start at 0 V"),
    ],
)
def test_a_waveform_file_that_is_no_waveform(synspice: Call, tmp_path: Path, text: str, message: str) -> None:
    answer = synspice("run", "waveform", "--card", "drift_memristor", "--waveform", table(tmp_path, text))
    assert answer.code == 2
    assert message in answer.err


def test_a_device_file_that_is_not_well_posed(synspice: Call, tmp_path: Path) -> None:
    path = tmp_path / "device.py"
    path.write_text(OWN_DEVICE.read_text().replace("d.current(p, n, g * v)", "d.current(p, n, g)"))
    answer = synspice("list", "--device-file", path)
    assert answer.code == 2
    assert "current (p, n)" in answer.err


def simulator(folder: Path, script: str) -> str:
    path = folder / "ngspice"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "message"),
    [("exit 0", "ngspice wrote no waveforms"), ("kill -SEGV $$", "ngspice died of SIGSEGV")],
)
def test_a_simulator_that_does_not_work(
    synspice: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, message: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv(VARIABLE, simulator(tmp_path, script))
    answer = synspice(*RUN)
    assert answer.code == 1
    assert message in answer.err and "run folder kept" in answer.err
    assert "deck 0" not in answer.err


def test_ctrl_c_stops_a_simulator_that_hangs(tmp_path: Path) -> None:
    started = tmp_path / "started"
    script = f'[ "$1" = -v ] && echo ngspice-44 && exit\necho $$ > {started}\nexec sleep 600'
    program = simulator(tmp_path, script)
    environment = {**os.environ, VARIABLE: program, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", "from synspice.cli import main; main()", *RUN]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(300):
            if started.exists() and started.read_text().strip():
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.strip() == "synspice: interrupted"
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    assert not list(tmp_path.glob("synspice-ngspice-*"))


def test_a_simulation_that_fails_is_an_answer(synspice: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise errors.SimulationError("convergence", "no operating point")

    monkeypatch.setattr("synspice.netlists.run.run_many", fail)
    answer = synspice(*RUN)
    assert answer.code == 1
    assert "simulation failed (convergence)" in answer.err


def test_a_fault_of_the_package_has_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("synspice.netlists.run.run_many", fail)
    monkeypatch.setattr("sys.argv", ["synspice", *RUN])
    from synspice.cli import main

    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 3
    assert "please report" in capsys.readouterr().err
