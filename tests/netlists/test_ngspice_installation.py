"""Finding ngspice, and asking it what it can do."""

import subprocess
from pathlib import Path

import pytest

from synspice.compact.errors import EngineError, EngineMissingError
from synspice.netlists.ngspice import find_executable, has_klu, has_osdi, run_deck, run_many, version


def fake(folder: Path, script: str) -> Path:
    """Write an executable that stands for a build of ngspice which is not installed here."""
    path = folder / "ngspice-fake"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_missing_from_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SYNSPICE_NGSPICE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (find_executable, version, has_osdi, lambda: run_deck("t\n.end"), lambda: run_many(["t\n.end"])):
        with pytest.raises(EngineMissingError, match="apt-get install ngspice") as caught:
            call()
        assert "brew install ngspice" in str(caught.value) and "conda" in str(caught.value)


def test_one_that_is_too_old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = fake(tmp_path, 'echo "** ngspice-35.2 : Circuit level simulation program"')
    monkeypatch.setenv("SYNSPICE_NGSPICE", str(path))
    for call in (find_executable, version, has_klu, lambda: run_deck("t\n.end"), lambda: run_many(["t\n.end"])):
        with pytest.raises(
            EngineMissingError, match=r"is ngspice 35\.2, and the oldest that can be used is 36"
        ) as caught:
            call()
        assert str(path) in str(caught.value) and "apt-get install ngspice" in str(caught.value)


@pytest.mark.parametrize("said", ["36", "100+"])
def test_one_that_is_old_or_new_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str) -> None:
    path = fake(tmp_path, f'echo "** ngspice-{said} : Circuit level simulation program"')
    monkeypatch.setenv("SYNSPICE_NGSPICE", str(path))
    assert find_executable() == path and version() == said


def test_a_variable_that_points_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNSPICE_NGSPICE", "/nowhere/ngspice")
    with pytest.raises(EngineMissingError, match="SYNSPICE_NGSPICE is '/nowhere/ngspice'"):
        find_executable()


def test_the_variable_goes_before_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = fake(tmp_path, 'echo "** ngspice-47+ : Circuit level simulation program"')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNSPICE_NGSPICE", "./ngspice-fake")
    assert find_executable() == path
    assert version() == "47+"


@pytest.mark.every_ngspice
def test_the_version_is_what_ngspice_says_and_names_the_test(request: pytest.FixtureRequest) -> None:
    answer = subprocess.run([find_executable(), "-v"], capture_output=True, text=True).stdout
    assert f"ngspice-{version()} " in answer
    assert f"ngspice-{version()}" in request.node.name


def test_something_else_called_ngspice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYNSPICE_NGSPICE", str(fake(tmp_path, "echo hello")))
    with pytest.raises(EngineError, match="does not say"):
        version()


@pytest.mark.every_ngspice
def test_probes_agree_with_what_this_ngspice_does(tmp_path: Path) -> None:
    """Debian's 39 has neither; a build that has them must run a deck that needs them."""
    if version() == "39":
        assert not has_osdi() and not has_klu()
    deck = "t\n.options klu\nV1 a 0 1\nR1 a 0 1\n.op\n.end"
    folder = run_deck(deck, keep=tmp_path).folder
    assert folder is not None
    assert ("Using KLU" in (folder / "ngspice.out").read_text()) is has_klu()


def test_a_build_with_osdi_and_klu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = (
        'echo "Error opening osdi lib \\"probe.osdi\\": no such file" >&2\necho "Using KLU as Direct Linear Solver"'
    )
    monkeypatch.setenv("SYNSPICE_NGSPICE", str(fake(tmp_path, script)))
    assert has_osdi() and has_klu()


def test_probes_ask_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYNSPICE_NGSPICE", str(fake(tmp_path, f"echo x >> {tmp_path}/asked; echo ngspice-40")))
    for _ in range(3):
        version(), has_osdi(), has_klu()
    assert (tmp_path / "asked").read_text().count("x") == 3
