"""Find ngspice on this computer, and ask it what it can do."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ...compact.errors import EngineError, EngineMissingError

#: Names the executable, where it is not ``ngspice`` on the PATH.
VARIABLE = "SYNSPICE_NGSPICE"

_HOW_TO_INSTALL = (
    "install it with one of\n"
    "  apt-get install ngspice            (Debian, Ubuntu)\n"
    "  brew install ngspice               (macOS)\n"
    "  conda install -c conda-forge ngspice\n"
    f"or set {VARIABLE} to the path of the executable"
)

#: The oldest version that is taken; decks and logs of older ones were never tried.
OLDEST = 36

#: Variables that change what ngspice writes or which files it includes, so that the deck alone would not decide.
_MEDDLING = frozenset({"SPICE_ASCIIRAWFILE", "NGSPICE_MEAS_PRECISION", "NGSPICE_INPUT_DIR"})


def find_executable() -> Path:
    """Return the ngspice executable: ``SYNSPICE_NGSPICE`` where it is set, else the first on the PATH.

    Raises
    ------
    EngineMissingError
        There is none, or it is older than version 36; the message says what to install.
    EngineError
        It cannot be started.
    """
    chosen = os.environ.get(VARIABLE)
    found = shutil.which(chosen or "ngspice")
    if found is None:
        where = f"{VARIABLE} is '{chosen}', which is no executable" if chosen else "ngspice is not on the PATH"
        raise EngineMissingError(f"{where}; {_HOW_TO_INSTALL}")
    executable = Path(found).absolute()  # a run has a folder of its own
    its_version = _version(executable)
    if its_version is not None and int(re.split(r"\D", its_version)[0]) < OLDEST:
        raise EngineMissingError(
            f"{executable} is ngspice {its_version}, and the oldest that can be used is {OLDEST}; "
            f"for a newer one, {_HOW_TO_INSTALL}"
        )
    return executable


def environment() -> dict[str, str]:
    """Return the environment in which ngspice runs: the caller's, with the C locale and nothing that meddles."""
    kept = {name: value for name, value in os.environ.items() if name not in _MEDDLING}
    return kept | {"LC_ALL": "C"}


def version() -> str:
    """Return ngspice's version, such as ``"39"``; asked once an executable."""
    executable = find_executable()
    said = _version(executable)
    if said is None:
        answer = _introduction(executable)
        raise EngineError(f"'{executable} -v' does not say which ngspice it is: {answer[:200]!r}")
    return said


def has_osdi() -> bool:
    """Tell whether this ngspice loads compiled Verilog-A (OSDI); Debian 12's does not, Debian 13's does. Asked once an executable."""
    return _has_osdi(find_executable())


def has_klu() -> bool:
    """Tell whether this ngspice has the KLU sparse solver (``.options klu``). Asked once an executable."""
    return _has_klu(find_executable())


@functools.cache
def _introduction(executable: Path) -> str:
    return _ask(executable, "-v")


def _version(executable: Path) -> str | None:
    match = re.search(r"ngspice-(\d\S*)", _introduction(executable))
    return None if match is None else match[1]


@functools.cache
def _has_osdi(executable: Path) -> bool:
    # A library that is not there: a build with the loader complains about the file, one without about the command.
    answer = _run_probe(executable, ".control\npre_osdi probe.osdi\n.endc").lower()
    return "osdi" in answer and "no such command" not in answer


@functools.cache
def _has_klu(executable: Path) -> bool:
    return "Using KLU" in _run_probe(executable, ".options klu")


def _run_probe(executable: Path, lines: str) -> str:
    with tempfile.TemporaryDirectory(prefix="synspice-probe-") as folder:
        deck = Path(folder, "probe.cir")
        deck.write_text(f"probe\n{lines}\nI1 0 a 1\nR1 a 0 1\n.op\n.end\n", encoding="utf-8")
        return _ask(executable, "-n", "-b", deck.name, folder=folder)


def _ask(executable: Path, *arguments: str, folder: str | None = None) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - the simulator the user has installed, no shell
            [executable, *arguments],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{executable} cannot be asked what it is: {error}") from error
    return answer.stdout + answer.stderr
