"""The README's snippets run, in its order, in a folder that holds the examples."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from synspice.cli.app import app, main
from synspice.compact.card import write_card
from synspice.compact.registry import DEVICES, card_paths, default_card, get_device
from synspice.netlists.circuits import CIRCUITS
from synspice.netlists.experiments import EXPERIMENTS
from synspice.netlists.ngspice import SolverOptions

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    text = "".join(blocks("console")).replace("\\\n", "")
    return [line.removeprefix("$ ").split("#")[0].strip() for line in text.splitlines() if line.startswith("$ ")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.ngspice
@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python_snippet(folder: Path, number: int) -> None:
    code = blocks("python")[number]
    exec(compile(code, f"README.md, Python block {number + 1}", "exec"), {"__name__": "__main__"})


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a command in this process, which saves the start of an interpreter for each."""
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code, command


LONG = ("synspice fit", "synspice reproduce", "synspice extract")
"""Commands that take minutes; tests of their own run them."""


@pytest.mark.ngspice
def test_quick_commands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_card(default_card(get_device("drift_memristor")), folder / "fitted.toml")
    for command in commands():
        if command.startswith("synspice ") and not command.startswith(LONG):
            run(command, monkeypatch)


@pytest.mark.slow
@pytest.mark.ngspice
def test_fit_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fit,) = [command for command in commands() if command.startswith("synspice fit")]
    run(fit, monkeypatch)
    assert (folder / "fitted.toml").is_file()
    assert (folder / "report" / "report.html").is_file()


def test_every_command_is_a_make_target_or_ours() -> None:
    known = {c.name for c in app.registered_commands}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in commands():
        program, word = command.split()[:2]
        assert word in {"make": targets, "synspice": known}[program]


def test_the_tables_name_what_there_is() -> None:
    for name in (*DEVICES, *EXPERIMENTS):
        assert f"| `{name}` |" in README
    for name in (*CIRCUITS, *card_paths()):
        assert f"`{name}`" in README
    for name in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / name).exists(), name


def test_the_solver_options_are_the_defaults() -> None:
    defaults = SolverOptions()
    for name, value in re.findall(r"^\| `(\w+)` \| (1e-\d+|1\.0|trap) \|", README, re.MULTILINE):
        assert str(getattr(defaults, name)) == str(type(getattr(defaults, name))(value))
