"""Networks of several devices in ngspice with compiled Verilog-A; jobs and results are those of :mod:`synspice.netlists.network`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..compact.constants import ZERO_CELSIUS
from ..compact.model import FROZEN
from ..compact.network import Network
from ..compact.network_reference import network_record
from ..compact.result import Result
from ..netlists import ngspice
from ..netlists.network import SAVED_PER_LINE, NetworkJob
from ..netlists.ngspice import Plot, SolverOptions
from ..netlists.steps import STEPS, largest_step
from ..netlists.testbench import impedance_lines, piecewise_linear
from .osdi import (
    ENGINE,
    card_lines,
    device_rows,
    engine_version,
    instance_lines,
    libraries,
    load_lines,
    real,
    require_osdi,
    saved_names,
)


def format_network(network: Network, options: SolverOptions | None = None, steps: int = STEPS) -> str:
    """Return the ngspice deck of a network of compiled devices: elements, sources, options, transient analysis.

    Nodes, resistors and capacitors have their own names. Instance ``a`` is ``na``; a source of 0 V, ``va.<terminal>``,
    between node and terminal reads the current of each port. The source at node ``n`` is ``vn``, behind an impedance from
    node ``n.source``.
    """
    options = replace(options or SolverOptions(), temperature_c=network.temperature - ZERO_CELSIUS)
    lines = ["* network of compiled devices", *load_lines(i.model for i in network.instances)]
    for node, drive in network.sources.items():
        behind = f"{node}.source" if drive.has_impedance else node
        lines.append(f"V{node} {behind} 0 {piecewise_linear(drive.waveform)}")
        if drive.has_impedance:
            lines += impedance_lines(node, drive, behind)
    lines += [f"R{r.name} {r.a} {r.b} {float(r.ohm)!r}" for r in network.resistors]
    lines += [f"C{c.name} {c.a} {c.b} {float(c.farad)!r}" for c in network.capacitors]
    saved = [f"v({n})" for n in network.nodes] + [f"i(v{n})" for n in network.sources]
    for instance in network.instances:
        values = dict(instance.values)
        if network.frozen and instance.model.states:
            values[FROZEN.name] = 1.0
        metered = {plus for plus, _ in instance.ports}
        nodes = []
        for terminal, node in zip(instance.model.terminals, instance.nodes, strict=True):
            inside = f"{instance.name}.{terminal}"
            nodes.append(inside if terminal in metered else node)
            if terminal in metered:
                lines.append(f"V{inside} {node} {inside} 0")
        card = f"{instance.name}_card"
        lines += card_lines(card, instance.model, values)
        lines += instance_lines(instance.name, " ".join(nodes), card, instance.model, values)
        saved += [f"i(v{instance.name}.{plus})" for plus in dict(instance.ports)]
        saved += saved_names(instance.name, instance.model)
    lines += [
        *options.lines(),
        *(f".save {' '.join(saved[k : k + SAVED_PER_LINE])}" for k in range(0, len(saved), SAVED_PER_LINE)),
        options.transient(network.duration, largest_step(network, steps)),
        ".end",
    ]
    return "\n".join(lines) + "\n"


def run_networks_ngspice_osdi(
    jobs: Sequence[NetworkJob],
    *,
    options: SolverOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Run networks in ngspice with compiled Verilog-A; see :func:`synspice.netlists.network.run_networks_ngspice`.

    Raises
    ------
    EngineMissingError
        The installed ngspice has no OSDI, or openvaf-r is not installed.
    SimulationError, EngineError
    """
    require_osdi()
    options = options or SolverOptions()
    decks = [format_network(job.network, options, job.steps) for job in jobs]
    compiled = libraries(i.model for job in jobs for i in job.network.instances)
    raws = ngspice.run_many(decks, workers=workers, timeout=timeout, files=compiled, progress=progress)
    return [_result(job, raw.plot("tran"), deck, options) for job, raw, deck in zip(jobs, raws, decks, strict=True)]


def _result(job: NetworkJob, plot: Plot, deck: str, options: SolverOptions) -> Result:
    network = job.network
    time = np.asarray(plot.scale, float)
    rows = {f"v({n})": real(plot, f"v({n})") for n in network.nodes}
    rows |= {f"i({n})": -real(plot, f"i(v{n})") for n in network.sources}
    for instance in network.instances:
        for v, i, (plus, minus) in instance.port_signals():
            first, second = (rows.get(f"v({instance.node(t)})", np.zeros_like(time)) for t in (plus, minus))
            rows |= {v: first - second, i: real(plot, f"i(v{instance.name}.{plus})")}
        own = device_rows(plot, instance.name, instance.model)
        rows |= {f"{instance.name}.{name}": row for name, row in own.items()}
    return network_record(
        network,
        experiment=job.experiment,
        engine=ENGINE,
        engine_version=engine_version(),
        time=time,
        rows=rows,
        options=options.record(job.largest_step),
        deck=deck,
    )
