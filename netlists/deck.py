"""The deck of a circuit for ngspice, whose devices are subcircuits or compiled modules: one writer, one reader of what it saves."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..compact.constants import ZERO_CELSIUS
from ..compact.equations import Equations
from ..compact.model import FROZEN, Model
from ..compact.network import GROUND, Instance, Network
from ..compact.stimulus import LIMITER_SHARPNESS, Drive, Waveform
from . import ngspice
from .ngspice import Plot, SolverOptions
from .steps import STEPS, largest_step
from .subcircuit import format_subcircuit

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Circuit

SAVED_PER_LINE = 20
"""Vectors on one ``.save`` line."""


class DeviceForm(Protocol):
    """What stands for the devices in a deck."""

    engine: str
    """Name of the engine that runs it."""

    def version(self) -> str:
        """Return what a result says of the simulator."""

    def define(self, instances: Sequence[Instance]) -> tuple[list[str], dict[str, str]]:
        """Return the lines that define the devices, and the definition's name by each instance's."""

    def place(
        self, circuit: Circuit, instance: Instance, definition: str, nodes: Sequence[str], *, frozen: bool
    ) -> list[str]:
        """Put an instance into the circuit, or return the lines that do."""

    def saved(self, instance: Instance) -> list[str]:
        """Return the vectors to be saved for :meth:`rows`."""

    def rows(
        self, plot: Plot, instance: Instance, at: Mapping[str, np.ndarray], temperature: float
    ) -> dict[str, np.ndarray]:
        """Return the states and the observables of an instance, each of shape (n,), for the voltages at its terminals [V]."""

    def files(self, models: Iterable[Model]) -> dict[str, Path]:
        """Return the files that a deck of these models reads, by their names in it."""


class Subcircuits:
    """Devices as subcircuits: one for each model and set of values; initial states and ``frozen`` are given per instance."""

    engine = "ngspice"

    def version(self) -> str:
        return f"ngspice {ngspice.version()}"

    def define(self, instances: Sequence[Instance]) -> tuple[list[str], dict[str, str]]:
        names = _subcircuit_names(instances)
        lines = [format_subcircuit(model, dict(values), name=name) for (model, values), name in names.items()]
        return lines, {i.name: names[_subcircuit(i)] for i in instances}

    def place(
        self, circuit: Circuit, instance: Instance, definition: str, nodes: Sequence[str], *, frozen: bool
    ) -> list[str]:
        given = {p.name: instance.values[p.name] for p in instance.model.parameters if p.instance}
        if frozen and FROZEN.name in given:
            given[FROZEN.name] = 1.0
        circuit.X(instance.name, definition, *nodes, **given)
        return []

    def saved(self, instance: Instance) -> list[str]:
        return [f"v(x{instance.name}.{s.name})" for s in instance.model.states]

    def rows(
        self, plot: Plot, instance: Instance, at: Mapping[str, np.ndarray], temperature: float
    ) -> dict[str, np.ndarray]:
        model = instance.model
        rows = {s.name: waveform_of(plot, f"v(x{instance.name}.{s.name})") for s in model.states}
        equations = Equations.of(model, instance.values, temperature)
        observed = equations.observables(at, [rows[s.name] for s in model.states])
        return rows | {name: np.broadcast_to(value, plot.scale.shape) for name, value in observed.items()}

    def files(self, models: Iterable[Model]) -> dict[str, Path]:
        return {}


def circuit_of(network: Network, form: DeviceForm | None = None) -> Circuit:
    """Return a network as a PySpice circuit, without an analysis.

    Nodes, resistors and capacitors have their own names. Instance ``a`` is ``xa`` (``na`` of a compiled module); a source of
    0 V, ``va.<terminal>``, between node and terminal reads the current of each port. The source at node ``n`` is ``vn``, behind
    an impedance from node ``n.source``.
    """
    logging.getLogger("PySpice").setLevel(logging.ERROR)
    from PySpice.Spice.Netlist import Circuit

    form = form or Subcircuits()
    # Not their names: a title of more than 512 characters ends ngspice 39.
    circuit = Circuit(title(network))
    lines, definitions = form.define(network.instances)
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
        lines += form.place(circuit, instance, definitions[instance.name], nodes, frozen=network.frozen)
    circuit.raw_spice = "\n".join(lines)
    return circuit


def title(network: Network) -> str:
    """Return the first line of a deck."""
    count = len(network.instances)
    return f"circuit of {count} device{'s' if count > 1 else ''}"


def format_network(
    network: Network, options: SolverOptions | None = None, steps: int = STEPS, form: DeviceForm | None = None
) -> str:
    """Return the complete deck of a network: circuit, solver options, saved vectors, transient analysis of ``steps`` at least."""
    form = form or Subcircuits()
    options = replace(options or SolverOptions(), temperature_c=network.temperature - ZERO_CELSIUS)
    saved = [f"v({n})" for n in network.nodes] + [f"i(v{n})" for n in network.sources]
    for instance in network.instances:
        saved += [f"i(v{_meter(instance, plus)})" for plus in dict(instance.ports)]
        saved += form.saved(instance)
    lines = [
        str(circuit_of(network, form)).rstrip(),
        *options.lines(),
        *(f".save {' '.join(saved[k : k + SAVED_PER_LINE])}" for k in range(0, len(saved), SAVED_PER_LINE)),
        options.transient(network.duration, largest_step(network, steps)),
        ".end",
    ]
    return "\n".join(lines) + "\n"


def network_rows(network: Network, plot: Plot, form: DeviceForm) -> dict[str, np.ndarray]:
    """Return every signal of :attr:`Network.signals` from what a deck saved, each of shape (n,)."""
    rows = {f"v({n})": waveform_of(plot, f"v({n})") for n in network.nodes}
    rows |= {f"i({n})": -waveform_of(plot, f"i(v{n})") for n in network.sources}
    for instance in network.instances:
        at = {
            t: rows[f"v({n})"] if n != GROUND else np.zeros(plot.scale.shape)
            for t, n in zip(instance.model.terminals, instance.nodes, strict=True)
        }
        for v, i, (plus, minus) in instance.port_signals():
            rows[v] = at[plus] - at[minus]
            rows[i] = waveform_of(plot, f"i(v{_meter(instance, plus)})")
        own = form.rows(plot, instance, at, network.temperature)
        rows |= {f"{instance.name}.{name}": row for name, row in own.items()}
    return rows


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


def waveform_of(plot: Plot, name: str) -> np.ndarray:
    """Return a saved vector as real numbers, shape (n,)."""
    return np.asarray(plot[name], float)


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
