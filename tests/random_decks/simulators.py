"""Runs of a deck in a simulator's own batch mode, and what they leave: states, points, processor time or the reason of a failure."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synspice.compact.errors import SynspiceError
from synspice.netlists.ngspice.rawfile import Plot, read_raw
from synspice.veriloga import vacask

from .decks import ANALYSIS, Deck, Kind

PROCESSOR_TIME = 30
"""Seconds of processor time after which a run has failed."""

WALL_TIME = 300.0
"""Seconds after which it has failed on a busy machine."""


@dataclass(frozen=True)
class Simulator:
    """A simulator and the form of the device that it takes.

    Attributes
    ----------
    label : str
        What the table calls it.
    kind : {"netlist", "osdi", "vacask"}
    program : str
    """

    label: str
    kind: Kind
    program: str

    @classmethod
    def from_word(cls, word: str) -> Simulator:
        """Return the simulator of ``label=program``; the module is compiled where the label begins with ``osdi``.

        Raises
        ------
        FileNotFoundError
            There is no such program.
        """
        label, _, program = word.partition("=")
        found = shutil.which(program or "ngspice")
        if found is None:
            raise FileNotFoundError(
                f"--simulator {word}: no program '{program or 'ngspice'}'; give its path, or install it"
            )
        return cls(label, "osdi" if label.startswith("osdi") else "netlist", str(Path(found).absolute()))

    @classmethod
    def vacask(cls) -> Simulator:
        """Return the installed VACASK."""
        return cls("vacask", "vacask", str(vacask.find_executable()))

    @property
    def command(self) -> list[str]:
        """The command that runs the file ``deck``."""
        if self.kind == "vacask":
            return [self.program, "-qp", "-n", "1", "--tomlfile", "settings.toml", "deck"]
        return [self.program, "-n", "-b", "-r", f"{ANALYSIS}.raw", "deck"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run left.

    Attributes
    ----------
    failure : str
        Empty where the simulator reached the end with finite states.
    time : ndarray, shape (n,)
    states : ndarray, shape (n_states, n)
    processor_time : float
        In user mode [s].
    """

    failure: str
    time: np.ndarray
    states: np.ndarray
    processor_time: float


def run_deck(simulator: Simulator, deck: Deck) -> Outcome:
    """Run a deck in a folder of its own, which is removed."""
    with tempfile.TemporaryDirectory(prefix="random-deck-") as name:
        folder = Path(name)
        for file, content in deck.files.items():
            if isinstance(content, Path):
                shutil.copyfile(content, folder / file)
            else:
                (folder / file).write_text(content, encoding="utf-8")
        (folder / "settings.toml").touch()
        code, used = _execute(simulator.command, folder)
        log = (folder / "log").read_text(encoding="utf-8", errors="replace")[-20_000:]
        return _judge(folder / f"{ANALYSIS}.raw", deck, code, used, log)


def _execute(command: list[str], folder: Path) -> tuple[int, float]:
    """Return the exit code, negative for a signal, and the user time [s]."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SIM_")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=kept | {"LC_ALL": "C", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_TIME, PROCESSOR_TIME + 1)),
            start_new_session=True,
        )
        timer = threading.Timer(WALL_TIME, lambda: os.killpg(process.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime


def _judge(raw: Path, deck: Deck, code: int, used: float, log: str) -> Outcome:
    time, states = np.zeros(0), np.zeros((len(deck.states), 0))
    failure = ""
    if code < 0:
        failure = f"killed by {signal.Signals(-code).name}"
    else:
        try:
            (plot,) = read_raw(raw)
            time = np.asarray(plot.scale, float)
            states = np.array([offset + factor * _vector(plot, name) for name, factor, offset in deck.states])
        except (OSError, ValueError, SynspiceError) as error:
            failure = f"no data ({_reason(log) or error})"
        else:
            if time.size < 2 or time[-1] < deck.stop * (1 - 1e-6):
                failure = f"ended at {time[-1] / deck.stop if time.size else 0:.3g} of the run: {_reason(log)}"
            elif not np.isfinite(states).all():
                failure = "not finite"
    return Outcome(failure=failure, time=time, states=states, processor_time=used)


def _vector(plot: Plot, name: str) -> np.ndarray:
    """Return a saved vector; ngspice puts op-variables of compiled modules into ``v()``."""
    return np.asarray(plot[name if name in plot else f"v({name})"].real, float)


_TELLING = ("too small", "out of range", "singular", "error", "abort", "fail", "not found")


def _reason(log: str) -> str:
    """Return the log's lines that say why a run failed, the first three, shortened."""
    lines = dict.fromkeys(line.strip()[:160] for line in log.splitlines())
    return " | ".join([line for line in lines if any(word in line.lower() for word in _TELLING)][:3])
