"""Networks of several devices in VACASK: the deck and the run; jobs and results are those of :mod:`synspice.netlists.network`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..compact.model import Model
from ..compact.network import GROUND, Network
from ..compact.network_reference import network_record
from ..compact.result import Result
from ..netlists.deck import title
from ..netlists.network import NetworkJob
from ..netlists.ngspice import Plot
from ..netlists.steps import STEPS, largest_step
from ..netlists.testbench import Job, as_networks, as_records
from .bench_sources import format_sources
from .compiler import compile_module
from .module import format_module
from .vacask import (
    ANALYSIS,
    HEAD,
    SOURCE_LIBRARY,
    Deck,
    VacaskOptions,
    device_lines,
    device_rows,
    drive_lines,
    node_of,
    number_text,
    observed,
    real,
    run_jobs,
    version,
)

__all__ = ["VacaskOptions", "format_network", "run_networks_vacask", "run_vacask"]


def format_network(network: Network, options: VacaskOptions | None = None, steps: int = STEPS) -> str:
    """Return the VACASK text of a network: elements, sources with their impedance, options, transient analysis.

    An element ``a`` is ``x_a``, a node ``n`` is ``node_n`` and its source ``v_n``. A source of 0 V, ``i<k>_<terminal>``, between
    node and terminal reads the current of each port of the k-th instance.
    """
    modules = _modules(network)
    lines = [title(network), *HEAD]
    lines += [f'load "{module}.osdi"' for module in modules.values()]
    if any(drive.has_impedance for drive in network.sources.values()):
        lines.append(f'load "{SOURCE_LIBRARY}"')
    for kind, elements in (("resistor", network.resistors), ("capacitor", network.capacitors)):
        lines += [f'load "{kind}.osdi"', f"model {kind} {kind}"] if elements else []
    for node, drive in network.sources.items():
        lines += drive_lines(node, drive)
    for r in network.resistors:
        lines.append(f"x_{r.name} ({_node(r.a)} {_node(r.b)}) resistor r={number_text(r.ohm)}")
    for c in network.capacitors:
        lines.append(f"x_{c.name} ({_node(c.a)} {_node(c.b)}) capacitor c={number_text(c.farad)}")
    saved: list[str] = []
    for k, instance in enumerate(network.instances):
        name, model, nodes = f"x_{instance.name}", instance.model, []
        metered = {plus for plus, _ in instance.ports}
        for terminal, node in zip(model.terminals, instance.nodes, strict=True):
            nodes.append(f"inside{k}_{terminal}" if terminal in metered else _node(node))
            if terminal in metered:
                lines.append(f"i{k}_{terminal} ({_node(node)} {nodes[-1]}) vsource dc=0.0")
        lines += device_lines(name, modules[model], model, instance.values, nodes, frozen=network.frozen)
        saved += observed(name, model)
    control = (options or VacaskOptions()).control(
        network.temperature, largest_step(network, steps), network.duration, saved
    )
    return "\n".join([*lines, *control])


def run_networks_vacask(
    jobs: Sequence[NetworkJob],
    *,
    options: VacaskOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Run networks in VACASK; see :func:`synspice.netlists.network.run_networks_ngspice`.

    Raises
    ------
    SimulationError, EngineMissingError, EngineError
    """
    return run_jobs(jobs, _deck, _result, options=options, workers=workers, timeout=timeout, progress=progress)


def run_vacask(
    jobs: Sequence[Job],
    *,
    options: VacaskOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Run jobs in VACASK; see :func:`synspice.netlists.testbench.run_ngspice`.

    Raises
    ------
    ParameterError, SimulationError, EngineMissingError, EngineError
    """
    found = run_networks_vacask(as_networks(jobs), options=options, workers=workers, timeout=timeout, progress=progress)
    return as_records(jobs, found)


def _deck(job: NetworkJob, options: VacaskOptions) -> Deck:
    network = job.network
    libraries = {
        f"{module}.osdi": compile_module(format_module(model, name=module))
        for model, module in _modules(network).items()
    }
    if any(drive.has_impedance for drive in network.sources.values()):
        libraries[SOURCE_LIBRARY] = compile_module(format_sources())
    return Deck(
        text=format_network(network, options, job.steps), libraries=libraries, stops={ANALYSIS: network.duration}
    )


def _modules(network: Network) -> dict[Model, str]:
    """Return the module of each model: of the model's name, unless another model has it."""
    modules: dict[Model, str] = {}
    for k, model in enumerate(dict.fromkeys(i.model for i in network.instances)):
        modules[model] = f"{model.name}_{k}" if model.name in modules.values() else model.name
    return modules


def _node(name: str) -> str:
    return GROUND if name == GROUND else node_of(name)


def _result(job: NetworkJob, plot: Plot, deck: str, options: VacaskOptions) -> Result:
    network = job.network
    time = real(plot, "time")
    rows = {f"v({n})": real(plot, node_of(n)) for n in network.nodes}
    rows |= {f"i({n})": -real(plot, f"v_{n}:flow(br)") for n in network.sources}
    for k, instance in enumerate(network.instances):
        for v, i, (plus, minus) in instance.port_signals():
            first, second = (rows.get(f"v({instance.node(t)})", np.zeros_like(time)) for t in (plus, minus))
            rows |= {v: first - second, i: real(plot, f"i{k}_{plus}:flow(br)")}
        own = device_rows(plot, f"x_{instance.name}", instance.model, instance.values)
        rows |= {f"{instance.name}.{name}": row for name, row in own.items()}
    return network_record(
        network,
        experiment=job.experiment,
        engine="vacask",
        engine_version=version(),
        time=time,
        rows=rows,
        options=options.record(job.largest_step),
        deck=deck,
    )
