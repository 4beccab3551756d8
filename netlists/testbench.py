"""One device on a bench, in ngspice: the circuit, the deck, the run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..compact.constants import ZERO_CELSIUS
from ..compact.model import Model
from ..compact.python_code import compile_python
from ..compact.reference import record
from ..compact.result import Result
from ..compact.stimulus import LIMITER_SHARPNESS, Bench, Drive, Waveform, check_duration
from . import ngspice
from .ngspice import Plot, SolverOptions
from .ngspice.cost import announce
from .steps import largest_step
from .subcircuit import format_subcircuit

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Circuit

AnyJob = TypeVar("AnyJob")

DEVICE = "dut"
"""Name of the device's instance in a bench."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A device, its parameter values and a bench, for one run.

    Attributes
    ----------
    model : Model
    values : mapping of name to float
        The defaults stand for missing ones.
    bench : Bench
    experiment : str
        Name for the record.

    Raises
    ------
    ParameterError
        The bench has a source at no terminal of the device, or a constant stimulus.
    """

    model: Model
    values: Mapping[str, float]
    bench: Bench
    experiment: str = ""

    def __post_init__(self) -> None:
        self.bench.check_terminals(self.model.name, self.model.terminals)
        check_duration(self.bench.duration)


def bench_circuit(model: Model, values: Mapping[str, float], bench: Bench) -> Circuit:
    """Return the bench as a PySpice circuit, without an analysis.

    The device is ``xdut``; each terminal is a node of its own name, each source ``v<terminal>`` (the grounded terminals have
    one of 0 V, to read the current), behind an impedance from node ``<terminal>_source``.
    """
    logging.getLogger("PySpice").setLevel(logging.ERROR)
    from PySpice.Spice.Netlist import Circuit

    bench.check_terminals(model.name, model.terminals)
    complete = {**model.values(values)}
    if bench.frozen:
        complete["frozen"] = 1.0
    circuit = Circuit(f"{model.name} on a bench")
    lines = [format_subcircuit(model, complete)]
    for terminal in model.terminals:
        drive = bench.drives.get(terminal, Drive(waveform=Waveform.constant(0.0)))
        node = f"{terminal}_source" if drive.has_impedance else terminal
        circuit.V(terminal, node, circuit.gnd, piecewise_linear(drive.waveform))
        if drive.has_impedance:
            lines += impedance_lines(terminal, drive, node)
    circuit.X(DEVICE, model.name, *model.terminals)
    circuit.raw_spice = "\n".join(lines)
    return circuit


def piecewise_linear(waveform: Waveform) -> str:
    """Return a waveform as SPICE source text: ``PWL(t v ...)``, or ``DC v`` for a constant."""
    if len(waveform.time) == 1:
        return f"DC {waveform.value[0]!r}"
    pairs = [f"{t!r} {v!r}" for t, v in zip(waveform.time, waveform.value, strict=True)]
    rows = [" ".join(pairs[i : i + 8]) for i in range(0, len(pairs), 8)]
    return "PWL(" + "\n+ ".join(rows) + ")"


def impedance_lines(terminal: str, drive: Drive, source: str) -> list[str]:
    """Return the elements between a source node and a terminal: a resistor, or the compliance limiter."""
    if drive.compliance is None:
        return [f"R{source} {source} {terminal} {drive.resistance!r}"]
    linear = f"V({source},{terminal})/{drive.resistance!r}"
    ratio = f"min(abs(V({source},{terminal}))/{drive.resistance * drive.compliance!r},1e9)"
    grown = f"exp({2 * LIMITER_SHARPNESS}*ln(1e-30+{ratio}))"
    return [
        f"* source of {drive.resistance:g} ohm with a compliance of {drive.compliance:g} A",
        f"B{source} {source} {terminal} I = {linear}*exp(-{1 / (2 * LIMITER_SHARPNESS)!r}*ln(1+{grown}))",
        f"C{source} {source} {terminal} {_limiter_time(drive.waveform) * drive.compliance!r}",
    ]


def _limiter_time(waveform: Waveform) -> float:
    """Return the time [s] in which a source in compliance charges the capacitor across it by 1 V.

    Without that capacitor ngspice's time step can shrink to nothing where the current is flat. It is long enough for the
    smallest time step (1e-14 of the run), and at an edge of 1 V it carries 1e-4 of the compliance at most.
    """
    if len(waveform.time) == 1:
        return 0.0
    return min(1e-10 * waveform.duration, 1e-4 * waveform.shortest_feature)


def format_bench(job: Job, options: SolverOptions | None = None) -> str:
    """Return the complete deck of a job: circuit, solver options, saved vectors, transient analysis."""
    model, bench = job.model, job.bench
    options = replace(options or SolverOptions(), temperature_c=bench.temperature - ZERO_CELSIUS)
    saved = [f"v({t})" for t in model.terminals] + [f"i(v{t})" for t in model.terminals]
    saved += [f"v(x{DEVICE}.{s.name})" for s in model.states]
    lines = [
        str(bench_circuit(model, job.values, bench)).rstrip(),
        *options.lines(),
        f".save {' '.join(saved)}",
        options.transient(bench.duration, largest_step(bench)),
        ".end",
    ]
    return "\n".join(lines) + "\n"


def run_ngspice(
    jobs: Sequence[Job],
    *,
    options: SolverOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Run jobs in batch ngspice, each in its own process and folder, in parallel.

    Parameters
    ----------
    jobs : sequence of Job
    options : SolverOptions, optional
    workers : int, optional
        Processes at a time; the machine's processors by default.
    timeout : float
        Seconds a run may take.
    progress : callable (done, total), optional

    Returns
    -------
    list of Result
        In the order of the jobs.

    Raises
    ------
    SimulationError, EngineMissingError
    """
    return run_decks(jobs, format_bench, _result, options=options, workers=workers, timeout=timeout, progress=progress)


def run_decks(
    jobs: Sequence[AnyJob],
    format_deck: Callable[[AnyJob, SolverOptions], str],
    result: Callable[[AnyJob, Plot, str, SolverOptions], Result],
    *,
    options: SolverOptions | None,
    workers: int | None,
    timeout: float,
    progress: Callable[[int, int], None] | None,
) -> list[Result]:
    """Run the decks of jobs of any kind, and return what is made of each transient."""
    options = options or SolverOptions()
    decks = [format_deck(job, options) for job in jobs]
    announce(decks)
    raws = ngspice.run_many(decks, workers=workers, timeout=timeout, progress=progress)
    return [result(job, raw.plot("tran"), deck, options) for job, raw, deck in zip(jobs, raws, decks, strict=True)]


def _result(job: Job, plot: Plot, deck: str, options: SolverOptions) -> Result:
    model, bench = job.model, job.bench
    at = {t: waveform_of(plot, f"v({t})") for t in model.terminals}
    rows = {f"v_{t}": v for t, v in at.items()}
    rows |= {f"i_{t}": -waveform_of(plot, f"i(v{t})") for t in model.terminals}
    rows |= device_rows(plot, DEVICE, model, model.values(job.values), at, bench.temperature)
    return record(
        model,
        job.values,
        bench,
        experiment=job.experiment,
        engine="ngspice",
        engine_version=f"ngspice {ngspice.version()}",
        time=np.asarray(plot.scale, float),
        rows=rows,
        options=options.record(largest_step(bench)),
        deck=deck,
    )


def device_rows(
    plot: Plot,
    instance: str,
    model: Model,
    values: Mapping[str, float],
    at: Mapping[str, np.ndarray],
    temperature: float,
) -> dict[str, np.ndarray]:
    """Return the states and the observables of an instance, each of shape (n,).

    Parameters
    ----------
    values : mapping of name to float
        A complete set.
    at : mapping of terminal to ndarray, shape (n,)
        Voltage against ground [V].
    temperature : float
        Ambient temperature [K].
    """
    rows = {state.name: waveform_of(plot, f"v(x{instance}.{state.name})") for state in model.states}
    v = [at[w.plus] - at[w.minus] for w in model.voltages]
    p = [values[q.name] for q in model.parameters]
    observed = compile_python(model).observables(v, [rows[s.name] for s in model.states], p, temperature)
    for item, value in zip(model.observables, observed, strict=True):
        rows[item.name] = np.broadcast_to(value, plot.scale.shape)
    return rows


def waveform_of(plot: Plot, name: str) -> np.ndarray:
    """Return a saved vector as real numbers, shape (n,)."""
    return np.asarray(plot[name], float)
