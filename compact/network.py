"""Small circuits of several devices: instances, resistors, capacitors and sources between named nodes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from . import names
from .constants import ROOM_TEMPERATURE
from .errors import ParameterError, nearest
from .model import Model, Quantity, State
from .stimulus import Drive, Waveform

GROUND = "0"
"""The node against which every source drives."""

RESERVED = ("gnd", "ground", "time", "temper", "frequency")
"""Words with which simulators mean something else, even where a name is expected; ngspice 39 crashes on some."""

MIDDLE_CAPACITANCE = 1e-12
"""Capacitance [F] at the node between two devices in series: of 40 random stiff pairs (ENGINES notes, section 4) 90-98 % came
out right in ngspice without it and 100 % with it."""

PORT_SIGNALS = ("v", "i", "read_v", "read_i")
"""What an instance's signals are called beside its states and observables."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A device in a network.

    Attributes
    ----------
    name : str
        Lower-case name, the first part of its signals' names.
    model : Model
    values : mapping of name to float
        Parameter values; the defaults stand for missing ones. In a network they are complete.
    nodes : tuple of str
        In the order of the model's terminals.
    """

    name: str
    model: Model
    values: Mapping[str, float]
    nodes: tuple[str, ...]

    def node(self, terminal: str) -> str:
        """Return the node that a terminal is connected to."""
        return self.nodes[self.model.terminals.index(terminal)]

    @property
    def ports(self) -> tuple[tuple[str, str], ...]:
        """The write port, and the read port where it is another."""
        model = self.model
        return (model.write,) if model.read == model.write else (model.write, model.read)

    @property
    def reported(self) -> tuple[State | Quantity, ...]:
        """The states and the observables."""
        return (*self.model.states, *self.model.observables)

    def port_signals(self) -> Iterator[tuple[str, str, tuple[str, str]]]:
        """Yield the names of the voltage and the current signal of each port, and the port's two terminals."""
        for port, (v, i) in zip(self.ports, (PORT_SIGNALS[:2], PORT_SIGNALS[2:]), strict=False):
            yield f"{self.name}.{v}", f"{self.name}.{i}", port


@dataclass(frozen=True)
class Resistor:
    """A resistor of ``ohm`` [ohm] between nodes ``a`` and ``b``."""

    name: str
    a: str
    b: str
    ohm: float


@dataclass(frozen=True)
class Capacitor:
    """A capacitor of ``farad`` [F] between nodes ``a`` and ``b``."""

    name: str
    a: str
    b: str
    farad: float


@dataclass(frozen=True, kw_only=True)
class Network:
    """Devices, resistors and capacitors between nodes, and sources against ground ``"0"``.

    Attributes
    ----------
    instances : tuple of Instance
    resistors : tuple of Resistor
    capacitors : tuple of Capacitor
    sources : mapping of node to Drive
        Each drives its node, through its own series resistance and compliance.
    temperature : float
        Ambient temperature [K].
    frozen : bool
        Hold the states of every instance at their initial values.

    Raises
    ------
    ParameterError
        With every fault found: names, values out of range, nodes that hang on one terminal, nodes without a path for
        direct current to ground.
    """

    instances: tuple[Instance, ...]
    resistors: tuple[Resistor, ...] = ()
    capacitors: tuple[Capacitor, ...] = ()
    sources: Mapping[str, Drive]
    temperature: float = ROOM_TEMPERATURE
    frozen: bool = False

    def __post_init__(self) -> None:
        for field in ("instances", "resistors", "capacitors"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        object.__setattr__(self, "sources", dict(self.sources))
        faults = [*self._name_faults(), *self._value_faults(), *self._instance_faults()]
        hanging = self._hanging()
        faults += [
            f"node '{node}' hangs on a single terminal{nearest(node, self._meeting(hanging))}" for node in hanging
        ]
        floating = [n for n in self._without_ground() if n not in hanging]
        if floating:
            shown = ", ".join(f"'{n}'" for n in floating)
            faults.append(
                f"no direct current can reach ground from {shown}: add a source, a resistor or a device that conducts"
            )
        if faults:
            raise ParameterError("network", faults)
        complete = tuple(replace(m, values=m.model.values(m.values), nodes=tuple(m.nodes)) for m in self.instances)
        object.__setattr__(self, "instances", complete)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node but ground, in the order of their first appearance."""
        return tuple(dict.fromkeys(n for n in [*self.sources, *self._touched()] if n != GROUND))

    @property
    def free_nodes(self) -> tuple[str, ...]:
        """The nodes whose voltage no source fixes."""
        return tuple(n for n in self.nodes if n not in self.sources or self.sources[n].has_impedance)

    @property
    def signals(self) -> dict[str, str]:
        """Names and units of the signals that every engine returns.

        ``v(node)``; ``i(node)``, the current that the source at a node delivers; for each instance the voltage and the
        current into the first terminal of its write port, ``<instance>.v`` and ``.i`` (``.read_v`` and ``.read_i`` of a
        separate read port), and its states and observables.
        """
        units = {f"v({n})": "V" for n in self.nodes} | {f"i({n})": "A" for n in self.sources}
        for instance in self.instances:
            for v, i, _ in instance.port_signals():
                units |= {v: "V", i: "A"}
            for item in instance.reported:
                units[f"{instance.name}.{item.name}"] = item.unit
        return units

    @property
    def breakpoints(self) -> np.ndarray:
        """All sources' breakpoints [s], sorted, without repeats."""
        return np.unique(np.concatenate([np.asarray(d.waveform.time) for d in self.sources.values()]))

    @property
    def duration(self) -> float:
        """Time of the last breakpoint [s]."""
        return float(self.breakpoints[-1])

    @property
    def shortest_feature(self) -> float:
        """The shortest segment of any source [s]; infinite when all are constant."""
        return min(d.waveform.shortest_feature for d in self.sources.values())

    def _touched(self) -> Iterator[str]:
        """Yield the node of every terminal of every element, sources aside."""
        for instance in self.instances:
            yield from instance.nodes
        for a, b in [(r.a, r.b) for r in self.resistors] + [(c.a, c.b) for c in self.capacitors]:
            yield from (a, b)

    def _name_faults(self) -> Iterator[str]:
        given = [("instance", e.name) for e in self.instances] + [("resistor", e.name) for e in self.resistors]
        given += [("capacitor", e.name) for e in self.capacitors] + [("node", n) for n in self.nodes]
        for what, name in given:
            if not names.PATTERN.fullmatch(name):
                yield f"{what} '{name}': a name is lower-case letters, digits and '_', and starts with a letter"
            elif name in RESERVED:
                yield f"{what} '{name}': the word means something else to simulators (ground is '{GROUND}' here)"
        elements = [name for what, name in given if what != "node"]
        for name in sorted({n for n in elements if elements.count(n) > 1}):
            yield f"the name '{name}' is used for more than one element"
        if not self.sources:
            yield "there is no source: give a node a Drive"
        if GROUND in self.sources:
            yield f"a source at node '{GROUND}' drives ground; name another node"

    def _value_faults(self) -> Iterator[str]:
        for what, unit, elements in (
            ("resistor", "ohm", [(e, e.ohm) for e in self.resistors]),
            ("capacitor", "F", [(e, e.farad) for e in self.capacitors]),
        ):
            for element, value in elements:
                if not (math.isfinite(value) and value > 0):
                    yield f"{what} '{element.name}': {value:g} {unit} must be finite and above 0"
                if element.a == element.b:
                    yield f"{what} '{element.name}': both ends are at node '{element.a}'"
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            yield f"temperature {self.temperature:g} K must be finite and above 0"

    def _instance_faults(self) -> Iterator[str]:
        for instance in self.instances:
            model = instance.model
            if len(instance.nodes) != len(model.terminals):
                terminals = ", ".join(model.terminals)
                yield (
                    f"instance '{instance.name}': {len(instance.nodes)} nodes for the {len(model.terminals)} terminals "
                    f"of {model.name} ({terminals})"
                )
            try:
                model.values(instance.values)
            except ParameterError as error:
                yield from (f"instance '{instance.name}': {fault}" for fault in error.faults)

    def _meeting(self, hanging: list[str]) -> list[str]:
        return [n for n in (*self.nodes, GROUND) if n not in hanging]

    def _hanging(self) -> list[str]:
        """Return the nodes at which fewer than two things meet: misspelt, most often."""
        meeting = [*self.sources, *self._touched()]
        return [n for n in self.nodes if meeting.count(n) < 2]

    def _without_ground(self) -> list[str]:
        """Return the nodes from which no chain of conducting elements leads to ground."""
        pairs = [(n, GROUND) for n in self.sources] + [(r.a, r.b) for r in self.resistors]
        for instance in self.instances:
            at = dict(zip(instance.model.terminals, instance.nodes, strict=False))
            pairs += [(at.get(b.plus, GROUND), at.get(b.minus, GROUND)) for b in instance.model.currents]
        grounded, grown = set[str](), {GROUND}
        while grown != grounded:
            grounded = grown
            grown = grounded | {n for pair in pairs if grounded & {*pair} for n in pair}
        return [n for n in self.nodes if n not in grounded]


def series(
    model_a: Model,
    values_a: Mapping[str, float],
    model_b: Model,
    values_b: Mapping[str, float],
    *,
    pre: Drive | Waveform,
    post: Drive | Waveform | None = None,
    capacitance: float = MIDDLE_CAPACITANCE,
    temperature: float = ROOM_TEMPERATURE,
    frozen: bool = False,
) -> Network:
    """Return two devices in series between two neurons.

    Instance ``a`` lies between nodes ``pre`` and ``middle``, ``b`` between ``middle`` and ``post``, each with the first
    terminal of its write port towards ``pre``.

    Parameters
    ----------
    model_a, model_b : Model
        Two-terminal devices.
    values_a, values_b : mapping of name to float
        The defaults stand for missing values.
    pre : Drive or Waveform
        Source at node ``pre``.
    post : Drive or Waveform, optional
        Source at node ``post``; grounded without one.
    capacitance : float
        From the middle node to ground [F]; 0 leaves it out. The node lags by capacitance over conductance (1 us for 1 pF
        at 1 uS): a volatile switch that closes faster overshoots meanwhile, in the circuit as in a measurement with that
        parasitic capacitance. Give a smaller one where that is not meant.
    temperature : float
        Ambient temperature [K].
    frozen : bool
        Hold the states at their initial values.

    Raises
    ------
    ParameterError
    """
    end = GROUND if post is None else "post"
    return Network(
        instances=(
            _two_terminal("a", model_a, values_a, "pre", "middle"),
            _two_terminal("b", model_b, values_b, "middle", end),
        ),
        capacitors=(Capacitor("c_middle", "middle", GROUND, capacitance),) if capacitance else (),
        sources={"pre": _drive(pre)} | ({} if post is None else {end: _drive(post)}),
        temperature=temperature,
        frozen=frozen,
    )


def divider(
    model: Model,
    values: Mapping[str, float],
    *,
    pre: Drive | Waveform,
    post: Drive | Waveform,
    r_pre: float,
    r_post: float,
    others: Mapping[str, Drive | Waveform] | None = None,
    temperature: float = ROOM_TEMPERATURE,
    frozen: bool = False,
) -> Network:
    """Return a device whose written terminal (the gate) hangs on two neurons through a resistor each.

    The device is instance ``dut``; its terminals are nodes of their own names, those without a source grounded.

    Parameters
    ----------
    model : Model
    values : mapping of name to float
        The defaults stand for missing values.
    pre, post : Drive or Waveform
        Sources at nodes ``pre`` and ``post``.
    r_pre, r_post : float
        From ``pre`` and ``post`` to the written terminal [ohm].
    others : mapping of terminal to Drive or Waveform
        Sources at other terminals, such as the drain's.
    temperature : float
        Ambient temperature [K].
    frozen : bool
        Hold the states at their initial values.

    Raises
    ------
    ParameterError
    """
    others = others or {}
    gate = model.write[0]
    faults = [f"no terminal '{t}'{nearest(t, model.terminals)}" for t in others if t not in model.terminals]
    if gate in others:
        faults.append(f"terminal '{gate}' is the one that the divider drives; a source there would short it")
    if faults:
        raise ParameterError("divider", faults)
    return Network(
        instances=(
            Instance(
                name="dut",
                model=model,
                values=values,
                nodes=tuple(t if t == gate or t in others else GROUND for t in model.terminals),
            ),
        ),
        resistors=(Resistor("r_pre", "pre", gate, r_pre), Resistor("r_post", "post", gate, r_post)),
        sources={"pre": _drive(pre), "post": _drive(post), **{t: _drive(d) for t, d in others.items()}},
        temperature=temperature,
        frozen=frozen,
    )


def _drive(source: Drive | Waveform) -> Drive:
    return source if isinstance(source, Drive) else Drive(waveform=source)


def _two_terminal(name: str, model: Model, values: Mapping[str, float], first: str, second: str) -> Instance:
    at = {model.write[0]: first, model.write[1]: second}
    if len(model.terminals) != 2:
        raise ParameterError("series", [f"{model.name} has {len(model.terminals)} terminals; two are needed"])
    return Instance(name=name, model=model, values=values, nodes=tuple(at[t] for t in model.terminals))
