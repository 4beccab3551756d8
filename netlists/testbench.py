"""One device on a bench: a circuit of one instance, run as every circuit is, with the record of a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..compact.model import FROZEN, Model
from ..compact.network import Instance, Network
from ..compact.reference import record
from ..compact.result import Result
from ..compact.stimulus import Bench, Drive, Waveform, check_duration
from .deck import circuit_of, format_network
from .engines import Progress
from .network import NetworkJob, run_networks_ngspice
from .ngspice import SolverOptions

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Circuit

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


def bench_network(model: Model, values: Mapping[str, float], bench: Bench) -> Network:
    """Return a bench as a circuit: instance ``dut``, each terminal at a node of its own name with a source.

    The grounded terminals have one of 0 V, to read the current.
    """
    bench.check_terminals(model.name, model.terminals)
    complete = model.values(values)
    held = Drive(waveform=Waveform.constant(0.0))
    return Network(
        instances=(Instance(name=DEVICE, model=model, values=complete, nodes=model.terminals),),
        sources={t: bench.drives.get(t, held) for t in model.terminals},
        temperature=bench.temperature,
        frozen=bench.frozen,
    )


def bench_circuit(model: Model, values: Mapping[str, float], bench: Bench) -> Circuit:
    """Return a bench as a PySpice circuit, without an analysis; see :func:`synspice.netlists.deck.circuit_of`."""
    return circuit_of(bench_network(model, values, bench))


def format_bench(job: Job, options: SolverOptions | None = None) -> str:
    """Return the complete deck of a job: circuit, solver options, saved vectors, transient analysis."""
    return format_network(bench_network(job.model, job.values, job.bench), options)


def run_ngspice(
    jobs: Sequence[Job],
    *,
    options: SolverOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Progress | None = None,
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
    ParameterError, SimulationError, EngineMissingError
    """
    found = run_networks_ngspice(
        as_networks(jobs), options=options, workers=workers, timeout=timeout, progress=progress
    )
    return as_records(jobs, found)


def as_networks(jobs: Sequence[Job]) -> list[NetworkJob]:
    """Return jobs of one device as jobs of a network."""
    return [
        NetworkJob(network=bench_network(job.model, job.values, job.bench), experiment=job.experiment) for job in jobs
    ]


def as_records(jobs: Sequence[Job], found: Sequence[Result]) -> list[Result]:
    """Return the records of devices from those of their networks, in the same order."""
    return [_record(job, result) for job, result in zip(jobs, found, strict=True)]


def _record(job: Job, found: Result) -> Result:
    """Return the record of a device from that of its circuit."""
    model = job.model
    rows = {f"v_{t}": found[f"v({t})"] for t in model.terminals}
    rows |= {f"i_{t}": found[f"i({t})"] for t in model.terminals}
    reported = [s.name for s in model.states] + [o.name for o in model.observables]
    rows |= {name: found[f"{DEVICE}.{name}"] for name in reported}
    options = {k: v for k, v in found.options.items() if k not in ("temperature_K", FROZEN.name)}
    return record(
        model,
        job.values,
        job.bench,
        experiment=job.experiment,
        engine=found.engine,
        engine_version=found.engine_version,
        time=found.time,
        rows=rows,
        options=options,
        deck=found.deck,
    )
