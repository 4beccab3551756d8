"""Networks of several devices: the circuit and the deck for ngspice, and the run on every engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compact.constants import ZERO_CELSIUS
from ..compact.errors import UnknownNameError
from ..compact.model import FROZEN, Model
from ..compact.network import GROUND, Instance, Network
from ..compact.network_reference import ReferenceOptions, network_record, simulate_network
from ..compact.result import Result
from . import ngspice
from .engines import Engine, Progress, ngspice_engine, osdi_engine, reference_engine, vacask_engine
from .ngspice import Plot, SolverOptions
from .steps import STEPS, largest_step
from .subcircuit import format_subcircuit
from .testbench import device_rows, impedance_lines, piecewise_linear, run_decks, waveform_of

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Circuit

SAVED_PER_LINE = 20
"""Vectors on one ``.save`` line."""


@dataclass(frozen=True, kw_only=True)
class NetworkJob:
    """A network for one run.

    Attributes
    ----------
    network : Network
    experiment : str
        Name for the record.
    steps : int
        Time steps that a simulator takes at least; breakpoints and the truncation error add the others.
    """

    network: Network
    experiment: str = ""
    steps: int = STEPS

    @property
    def largest_step(self) -> float:
        """Largest time step that a simulator may take [s]."""
        return largest_step(self.network, self.steps)


def network_circuit(network: Network) -> Circuit:
    """Return the network as a PySpice circuit, without an analysis.

    Nodes, resistors and capacitors have their own names. Instance ``a`` is ``xa``; a source of 0 V, ``va.<terminal>``, between
    node and terminal reads the current of each port. The source at node ``n`` is ``vn``, behind an impedance from node
    ``n.source``. Each model and set of values is one subcircuit; initial states and ``frozen`` are given per instance.
    """
    logging.getLogger("PySpice").setLevel(logging.ERROR)
    from PySpice.Spice.Netlist import Circuit

    # Not their names: a title of more than 512 characters ends ngspice 39.
    circuit = Circuit(f"network of {len(network.instances)} instances")
    names = _subcircuit_names(network.instances)
    lines = [format_subcircuit(model, dict(values), name=name) for (model, values), name in names.items()]
    for node, drive in network.sources.items():
        behind = f"{node}.source" if drive.has_impedance else node
        circuit.V(node, behind, circuit.gnd, piecewise_linear(drive.waveform))
        if drive.has_impedance:
            lines += impedance_lines(node, drive, behind)
    for resistor in network.resistors:
        circuit.R(resistor.name, resistor.a, resistor.b, float(resistor.ohm))
    for capacitor in network.capacitors:
        circuit.C(capacitor.name, capacitor.a, capacitor.b, float(capacitor.farad))
    for instance in network.instances:
        metered = {plus for plus, _ in instance.ports}
        nodes = []
        for terminal, node in zip(instance.model.terminals, instance.nodes, strict=True):
            nodes.append(_meter(instance, terminal) if terminal in metered else node)
            if terminal in metered:
                circuit.V(_meter(instance, terminal), node, nodes[-1], 0)
        given = {p.name: instance.values[p.name] for p in instance.model.parameters if p.instance}
        if network.frozen and FROZEN.name in given:
            given[FROZEN.name] = 1.0
        circuit.X(instance.name, names[_subcircuit(instance)], *nodes, **given)
    circuit.raw_spice = "\n".join(lines)
    return circuit


def format_network(network: Network, options: SolverOptions | None = None, steps: int = STEPS) -> str:
    """Return the complete deck of a network: circuit, solver options, saved vectors, transient analysis of ``steps`` at least."""
    options = replace(options or SolverOptions(), temperature_c=network.temperature - ZERO_CELSIUS)
    saved = [f"v({n})" for n in network.nodes] + [f"i(v{n})" for n in network.sources]
    for instance in network.instances:
        saved += [f"i(v{_meter(instance, plus)})" for plus in dict(instance.ports)]
        saved += [f"v(x{instance.name}.{s.name})" for s in instance.model.states]
    lines = [
        str(network_circuit(network)).rstrip(),
        *options.lines(),
        *(f".save {' '.join(saved[k : k + SAVED_PER_LINE])}" for k in range(0, len(saved), SAVED_PER_LINE)),
        options.transient(network.duration, largest_step(network, steps)),
        ".end",
    ]
    return "\n".join(lines) + "\n"


def run_networks_ngspice(
    jobs: Sequence[NetworkJob],
    *,
    options: SolverOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Progress | None = None,
) -> list[Result]:
    """Run networks in batch ngspice, each in its own process and folder, in parallel.

    Parameters
    ----------
    jobs : sequence of NetworkJob
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
    return run_decks(
        jobs,
        lambda job, solver: format_network(job.network, solver, job.steps),
        _result,
        options=options,
        workers=workers,
        timeout=timeout,
        progress=progress,
    )


def _reference(job: NetworkJob, options: ReferenceOptions) -> Result:
    return simulate_network(job.network, options=options, experiment=job.experiment)


NETWORK_ENGINES: dict[str, Engine[NetworkJob]] = {
    "reference": reference_engine(_reference),
    "ngspice": ngspice_engine(run_networks_ngspice),
    "ngspice-osdi": osdi_engine("osdi_network", "run_networks_ngspice_osdi"),
    "vacask": vacask_engine("network", "run_networks_vacask"),
}
"""Every engine that runs networks, by the name that the command line uses."""


def run_networks(
    jobs: Sequence[NetworkJob | Network],
    engine: str = "ngspice",
    *,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Result]:
    """Run networks, in parallel where the engine can.

    Parameters
    ----------
    jobs : sequence of NetworkJob or Network
    engine : str
        One of :data:`NETWORK_ENGINES`.
    progress : callable (done, total), optional
    options : mapping of name to value, optional
        Solver options that replace the engine's own: fields of `SolverOptions` for ngspice and ngspice-osdi, of `ReferenceOptions` for
        the reference, of `VacaskOptions` for VACASK.

    Returns
    -------
    list of Result
        In the order of the jobs, each with the signals of :attr:`Network.signals`.

    Raises
    ------
    UnknownNameError, ParameterError, EngineError
    """
    if engine not in NETWORK_ENGINES:
        raise UnknownNameError("engine for networks", engine, NETWORK_ENGINES)
    named = [NetworkJob(network=job) if isinstance(job, Network) else job for job in jobs]
    return NETWORK_ENGINES[engine](named, progress, options or {})


_Subcircuit = tuple[Model, tuple[tuple[str, float], ...]]


def _subcircuit(instance: Instance) -> _Subcircuit:
    """Return what instances of one subcircuit share: the model and the values that belong to the material."""
    model = instance.model
    return model, tuple((p.name, instance.values[p.name]) for p in model.model_parameters)


def _subcircuit_names(instances: Sequence[Instance]) -> dict[_Subcircuit, str]:
    """Return a name for each subcircuit: the model's, numbered from the second set of values on."""
    kinds = dict.fromkeys(_subcircuit(i) for i in instances)
    reserved = {model.name for model, _ in kinds}
    names: dict[_Subcircuit, str] = {}
    for kind in kinds:
        name, number = kind[0].name, 1
        while name in names.values() or (number > 1 and name in reserved):
            number += 1
            name = f"{kind[0].name}_{number}"
        names[kind] = name
    return names


def _meter(instance: Instance, terminal: str) -> str:
    """Return the name of the node between the current meter and the device; no name of a user's has a full stop."""
    return f"{instance.name}.{terminal}"


def _result(job: NetworkJob, plot: Plot, deck: str, options: SolverOptions) -> Result:
    network = job.network
    time = np.asarray(plot.scale, float)
    rows = {f"v({n})": waveform_of(plot, f"v({n})") for n in network.nodes}
    rows |= {f"i({n})": -waveform_of(plot, f"i(v{n})") for n in network.sources}
    for instance in network.instances:
        at = {
            t: rows[f"v({n})"] if n != GROUND else np.zeros_like(time)
            for t, n in zip(instance.model.terminals, instance.nodes, strict=True)
        }
        for v, i, (plus, minus) in instance.port_signals():
            rows[v] = at[plus] - at[minus]
            rows[i] = waveform_of(plot, f"i(v{_meter(instance, plus)})")
        own = device_rows(plot, instance.name, instance.model, instance.values, at, network.temperature)
        rows |= {f"{instance.name}.{name}": row for name, row in own.items()}
    return network_record(
        network,
        experiment=job.experiment,
        engine="ngspice",
        engine_version=f"ngspice {ngspice.version()}",
        time=time,
        rows=rows,
        options=options.record(job.largest_step),
        deck=deck,
    )
