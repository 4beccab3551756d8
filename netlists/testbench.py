"""One device on a bench: a circuit of one instance, run as every circuit is, with the record of a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..compact.model import FROZEN, Model
from ..compact.network import RESERVED, Instance, Network
from ..compact.reference import record
from ..compact.result import Result
from ..compact.stimulus import Bench, Drive, Waveform, check_duration
from .deck import circuit_of, format_network
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
    nodes = {t: node_of(t) for t in model.terminals}
    return Network(
        instances=(Instance(name=DEVICE, model=model, values=complete, nodes=tuple(nodes.values())),),
        sources={node: bench.drives.get(t, held) for t, node in nodes.items()},
        temperature=bench.temperature,
        frozen=bench.frozen,
    )


def node_of(terminal: str) -> str:
    """Return the node of a device's terminal: of its name, unless that word is a simulator's."""
    return f"at_{terminal}" if terminal in RESERVED else terminal


def bench_circuit(model: Model, values: Mapping[str, float], bench: Bench) -> Circuit:
    """Return a bench as a PySpice circuit, without an analysis; see :func:`synspice.netlists.deck.circuit_of`."""
    return circuit_of(bench_network(model, values, bench))


def format_bench(job: Job, options: SolverOptions | None = None) -> str:
    """Return the complete deck of a job: circuit, solver options, saved vectors, transient analysis."""
    return format_network(bench_network(job.model, job.values, job.bench), options)


def on_benches(run: Callable[..., list[Result]]) -> Callable[..., list[Result]]:
    """Return the function that runs jobs of one device, from the one that runs networks; it takes the same options."""

    def run_benches(jobs: Sequence[Job], **given: Any) -> list[Result]:
        networks = [
            NetworkJob(network=bench_network(job.model, job.values, job.bench), experiment=job.experiment)
            for job in jobs
        ]
        return [_record(job, found) for job, found in zip(jobs, run(networks, **given), strict=True)]

    return run_benches


run_ngspice = on_benches(run_networks_ngspice)
"""Run jobs in batch ngspice, each in its own process and folder; see :func:`synspice.netlists.network.run_networks_ngspice`."""


def _record(job: Job, found: Result) -> Result:
    """Return the record of a device from that of its circuit."""
    model = job.model
    rows = {f"v_{t}": found[f"v({node_of(t)})"] for t in model.terminals}
    rows |= {f"i_{t}": found[f"i({node_of(t)})"] for t in model.terminals}
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
