"""The series synapse: a diffusive memristor between two neurons times what a drift memristor in series learns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from ...compact.constants import ROOM_TEMPERATURE
from ...compact.errors import ParameterError
from ...compact.network import Network, series
from ...compact.result import Measured, Result
from ...compact.stimulus import Waveform
from ..arrays.crossbar import Crossbar, Layer
from ..arrays.dynamic_write import WriteResult
from ..arrays.network import Drive, Wires
from ..network import NetworkJob, run_networks
from ..settings import setting
from .array_engines import engine_version, run_array
from .base import CircuitExperiment, CircuitResult, Device, Solver, Table, labelled
from .drawing import curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pair = tuple[Waveform, Waveform | None]
"""What the first and the second neuron do; None is ground."""

_NGSPICE = {"reltol": 1e-4, "trtol": 3.0, "abstol": 1e-12, "vntol": 1e-6, "chgtol": 1e-14}
OPTIONS: Mapping[str, Mapping[str, Any]] = {"ngspice": _NGSPICE, "ngspice-osdi": _NGSPICE}
"""Solver options: a change of weight is then within 0.4 % of the largest one of the reference engine's."""

STEPS = 100
"""Time steps of a run at least: with the options 0.1-0.5 s of ngspice a run, against 0.5-1.5 s with 1000 and a tenth of reltol."""

INSIDE_POINTS = 600
"""Points of the inside view."""


@dataclass(frozen=True, kw_only=True)
class SeriesSynapse(CircuitExperiment):
    """A diffusive memristor (the partner) and a drift memristor (the synapse) in series between two neurons.

    The weight is the drift memristor's conductance at ``v_read``, by itself, before and after. ``array`` is the compiled solver
    that arrays use: all delays in one run, the cell's middle node without ``capacitance``.
    """

    engines: ClassVar[tuple[str, ...]] = ("ngspice", "array", "vacask", "reference", "ngspice-osdi")
    card: ClassVar[str] = "taox"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = OPTIONS
    partner: ClassVar[str | None] = "siox_ny_ag"

    edge: float = setting(2e-7, "s", "rise and fall time", above=0)
    rest: float = setting(1e-3, "s", "wait before the weight is read after the last spike", above=0)
    v_read: float = setting(0.05, "V", "read voltage of the weight", above=0)
    capacitance: float = setting(1e-14, "F", "of the node between the devices", at_least=0)
    temperature: float = setting(ROOM_TEMPERATURE, "K", "ambient temperature", above=0)

    @abstractmethod
    def abscissae(self) -> np.ndarray:
        """Return what the runs differ in [s]."""

    @abstractmethod
    def pairs(self) -> list[Pair]:
        """Return the neurons' waveforms of each run."""

    @abstractmethod
    def start(self) -> float:
        """Return the drift memristor's state before."""

    @abstractmethod
    def measure(self, change: np.ndarray) -> dict[str, Measured]:
        """Return the quantities from the relative changes of weight."""

    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        partner = cast(Device, partner)
        for device in (synapse, partner):
            if len(device.model.terminals) != 2 or not device.model.states:
                raise ParameterError(
                    f"circuit '{self.name}'", [f"{device.model.name}: two terminals and a state are needed"]
                )
        pairs = self.pairs()
        inside = int(np.argmin(np.abs(self.abscissae() - self.shown())))
        name = synapse.model.states[0].initial_parameter.name
        learner = Device(synapse.model, {**synapse.values, name: self.start()}, synapse.label)
        decks: tuple[str, ...] = ()
        if solver.engine == "array":
            ends, view = self._in_one_array(learner, partner, pairs, inside, solver)
        else:
            jobs = [
                NetworkJob(network=self.network(learner, partner, p), experiment=self.name, steps=STEPS) for p in pairs
            ]
            results = run_networks(jobs, solver.engine, progress=solver.progress, options=solver.options)
            names = [s.name for s in synapse.model.states]
            ends = np.array([[r[f"b.{n}"][-1] for n in names] for r in results])
            view, decks = _network_view(results[inside], partner), tuple(r.deck for r in results if r.deck)
        before = self._weights(learner, None)
        after = self._weights(learner, ends)
        change = after / before - 1
        return CircuitResult(
            circuit=self.name,
            engine=solver.engine,
            engine_version=engine_version(solver.engine),
            devices=labelled((learner, partner)),
            tables={
                "delay": Table(self.abscissae(), "s", ("delay",)),
                "weight_before": Table(np.atleast_1d(before), "S", ("one",)),
                "weight_after": Table(after, "S", ("delay",)),
                "change": Table(change, "1", ("delay",)),
                **view,
            },
            quantities=self.measure(change),
            options=self.record(),
            decks=decks,
        )

    def shown(self) -> float:
        """Return the abscissa of the run that the inside view shows [s]."""
        return float(np.median(self.abscissae()))

    def network(self, synapse: Device, partner: Device, pair: Pair) -> Network:
        """Return the circuit of one run: ``a`` the diffusive, ``b`` the drift memristor, the neurons at ``pre`` and ``post``."""
        return series(
            partner.model,
            partner.values,
            synapse.model,
            synapse.values,
            pre=pair[0],
            post=pair[1],
            capacitance=self.capacitance,
            temperature=self.temperature,
        )

    def _weights(self, synapse: Device, states: np.ndarray | None) -> np.ndarray:
        """Return the drift memristor's conductance [S] at the read voltage, at states (n, n_states) or its initial ones."""
        count = 1 if states is None else len(states)
        layer = Layer(model=synapse.model, values=synapse.values)
        if states is not None:
            layer = layer.with_states(states[:, None, :])
        return layer.conductances(self.v_read, (count, 1), self.temperature)[:, 0]

    def _in_one_array(
        self, synapse: Device, partner: Device, pairs: list[Pair], inside: int, solver: Solver
    ) -> tuple[np.ndarray, dict[str, Table]]:
        """Run every pair as a row of an array with one column and ideal wires."""
        waves = [(pre, post) for pre, post in pairs]
        corners = np.unique(np.concatenate([np.concatenate([a.time, b.time if b else ()]) for a, b in waves]))
        corners = corners[np.concatenate([[True], np.diff(corners) > 1e-12 * corners[-1]])]
        volts = np.stack([a(corners) - (b(corners) if b else 0.0) for a, b in waves], axis=1)
        crossbar = Crossbar(
            rows=len(pairs),
            cols=1,
            memory=Layer(model=synapse.model, values=synapse.values),
            selector=Layer(model=partner.model, values=partner.values),
            wires=Wires(),
            temperature=self.temperature,
        )
        last = max(w.time[-2] for w in pairs[inside] if w is not None and len(w.time) > 1)
        samples = np.union1d(np.linspace(0, min(1.5 * last, corners[-1]), INSIDE_POINTS), corners[-1:])
        result, _ = run_array(
            "array", crossbar, corners, Drive(left=volts, bottom=np.zeros(1)), samples, solver.options
        )
        states = crossbar.memory_states(result.states)[-1, :, 0, :]
        return states, self._array_view(result, crossbar, inside)

    def _array_view(self, result: WriteResult, crossbar: Crossbar, row: int) -> dict[str, Table]:
        count = len(cast(Layer, crossbar.selector).model.states)
        shape = (len(result.times), 1)
        states = result.states[:, row, :, :]
        conductance = [
            layer.with_states(part).conductances(self.v_read, shape, self.temperature)[:, 0]
            for layer, part in zip(crossbar.layers, (states[..., :count], states[..., count:]), strict=True)
        ]
        whole = result.cell_voltages[:, row, 0]
        shown = slice(0, -1)  # the last sample is the end of the rest
        return _view(result.times[shown], whole[shown], conductance[0][shown], conductance[1][shown])

    def draw(self, result: CircuitResult, figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        self.draw_change(left, result)
        time = 1e6 * result["inside_time"]
        right.plot(time, result["inside_voltage"], color="0.5", label="across both, V")
        right.set_xlabel("time in us")
        right.set_ylabel("voltage in V")
        other = right.twinx()
        other.semilogy(time, result["inside_diffusive"], color="tab:red", label="diffusive")
        other.semilogy(time, result["inside_drift"], color="tab:blue", label="drift")
        other.set_ylabel("conductance in S")
        other.legend(fontsize="x-small", loc="upper right")
        right.set_title("inside one run", fontsize="small")

    @abstractmethod
    def draw_change(self, axes: Any, result: CircuitResult) -> None:
        """Draw the change of weight."""


def _view(time: np.ndarray, voltage: np.ndarray, diffusive: np.ndarray, drift: np.ndarray) -> dict[str, Table]:
    return {
        "inside_time": Table(time, "s", ("inside_time",)),
        "inside_voltage": Table(voltage, "V", ("inside_time",)),
        "inside_diffusive": Table(diffusive, "S", ("inside_time",)),
        "inside_drift": Table(drift, "S", ("inside_time",)),
    }


def _network_view(result: Result, partner: Device) -> dict[str, Table]:
    shown = result.time <= 1.5 * _last_activity(result)
    conductance = {
        k: np.divide(
            result[f"{k}.i"],
            result[f"{k}.v"],
            out=np.full(result.time.size, np.nan),
            where=np.abs(result[f"{k}.v"]) > 1e-6,
        )
        for k in "ab"
    }
    for k in "ab":
        if f"{k}.conductance" in result.signals:
            conductance[k] = result[f"{k}.conductance"]
    whole = result["a.v"] + result["b.v"]
    return _view(result.time[shown], whole[shown], conductance["a"][shown], conductance["b"][shown])


def _last_activity(result: Result) -> float:
    moving = np.flatnonzero(np.abs(result["a.v"] + result["b.v"]) > 1e-9)
    return float(result.time[moving[-1]]) if moving.size else float(result.time[-1])


@dataclass(frozen=True, kw_only=True)
class SeriesSRDP(SeriesSynapse):
    """Spike-rate-dependent plasticity: the change by a train of pulses against the time between them.

    Quantities: the change at the shortest and the longest time, and whether it falls throughout.
    """

    name: ClassVar[str] = "series-srdp"
    title: ClassVar[str] = "rate-dependent plasticity of a series synapse"

    amplitude: float = setting(2.5, "V", "of a pulse")
    width: float = setting(40e-6, "s", "of a pulse at full voltage", above=0)
    pulses: int = setting(15, "1", "pulses", at_least=1)
    shortest: float = setting(20e-6, "s", "shortest time between pulses (t_zero)", above=0)
    longest: float = setting(10e-3, "s", "longest time between pulses", above=0)
    delays: int = setting(15, "1", "times between pulses", at_least=2)
    start_state: float = setting(0.02, "1", "state of the drift memristor before")

    def abscissae(self) -> np.ndarray:
        return np.geomspace(self.shortest, self.longest, self.delays)

    def pairs(self) -> list[Pair]:
        return [(self._train(gap), None) for gap in self.abscissae()]

    def _train(self, gap: float) -> Waveform:
        pulse = [(self.edge, self.amplitude), (self.width, self.amplitude), (self.edge, 0.0)]
        steps = ([*pulse, (gap, 0.0)] * self.pulses)[:-1]
        return Waveform.from_steps(0.0, [*steps, (self.rest, 0.0)])

    def start(self) -> float:
        return self.start_state

    def shown(self) -> float:
        return self.shortest

    def measure(self, change: np.ndarray) -> dict[str, Measured]:
        return {
            "shortest_change": Measured(float(change[0]), "1"),
            "longest_change": Measured(float(change[-1]), "1"),
            "falls": Measured(float(np.all(np.diff(change) < 1e-4 * change[0])), "1"),
        }

    def draw_change(self, axes: Any, result: CircuitResult) -> None:
        curve(axes, result["delay"], 100 * result["change"], "time between pulses in s", "change of weight in %")
        axes.set_xscale("log")


@dataclass(frozen=True, kw_only=True)
class SeriesSTDP(SeriesSynapse):
    """Spike-timing-dependent plasticity with spikes that do not overlap.

    A spike has a short high and a long low part; the first neuron's and the second's are of one shape and polarity, so that the
    synapse sees the second's inverted. A positive delay is the first neuron firing first; delays count from the end of one
    spike to the start of the next.

    Quantities: the changes at the shortest delays, whether the signs are right and the change falls with the delay where it is
    above ``floor`` of the peak, the change at the longest delays as a part of the peak, and the decades of delay over which it
    falls.
    """

    name: ClassVar[str] = "series-stdp"
    title: ClassVar[str] = "timing-dependent plasticity of a series synapse"

    high: float = setting(2.5, "V", "of the short part")
    high_width: float = setting(10e-6, "s", "of the short part", above=0)
    low: float = setting(1.3, "V", "of the long part")
    low_width: float = setting(500e-6, "s", "of the long part", above=0)
    shortest: float = setting(3e-7, "s", "shortest delay", above=0)
    longest: float = setting(10e-3, "s", "longest delay", above=0)
    delays: int = setting(41, "1", "delays of both signs; an odd number leaves out none", at_least=4)
    floor: float = setting(0.01, "1", "part of the peak below which a change counts as none", above=0)
    start_state: float = setting(0.66, "1", "state of the drift memristor before")

    def abscissae(self) -> np.ndarray:
        late = np.geomspace(self.shortest, self.longest, self.delays - self.delays // 2)
        early = np.geomspace(self.shortest, self.longest, self.delays // 2)
        return np.concatenate([-early[::-1], late])

    def pairs(self) -> list[Pair]:
        found: list[Pair] = []
        length = self.high_width + self.low_width + 3 * self.edge
        for delay in self.abscissae():
            first = self._spike(0.0, abs(float(delay)) + length + self.rest)
            second = self._spike(abs(float(delay)) + length, self.rest)
            found.append((first, second) if delay > 0 else (second, first))
        return found

    def _spike(self, lead: float, tail: float) -> Waveform:
        spike = [
            (self.edge, -self.high),
            (self.high_width, -self.high),
            (self.edge, -self.low),
            (self.low_width, -self.low),
        ]
        before = [(lead, 0.0)] if lead > 0 else []
        return Waveform.from_steps(0.0, [*before, *spike, (self.edge, 0.0), (tail, 0.0)])

    def start(self) -> float:
        return self.start_state

    def shown(self) -> float:
        return 2 * self.shortest

    def measure(self, change: np.ndarray) -> dict[str, Measured]:
        delay = self.abscissae()
        peak = float(np.max(np.abs(change)))
        late, early = change[delay > 0], change[delay < 0][::-1]
        positive = delay[delay > 0]
        told = late > self.floor * peak
        steps = np.flatnonzero(~told)
        end = positive[steps[0]] if steps.size else positive[-1]
        return {
            "potentiation": Measured(float(late[0]), "1"),
            "depression": Measured(float(early[0]), "1"),
            "signs": Measured(
                float(np.all(late[told] > 0) and np.all(early[early < -self.floor * peak] < 0) and early[0] < 0), "1"
            ),
            "falls": Measured(float(_falls(late, self.floor * peak) and _falls(early, self.floor * peak)), "1"),
            "decades": Measured(float(np.log10(end / positive[0])), "1"),
            "at_longest": Measured(float(max(abs(late[-1]), abs(early[-1])) / peak), "1"),
        }

    def draw_change(self, axes: Any, result: CircuitResult) -> None:
        curve(axes, 1e3 * result["delay"], 100 * result["change"], "delay in ms", "change of weight in %")
        axes.set_xscale("symlog", linthresh=1e3 * self.shortest)
        axes.tick_params(axis="x", labelsize="x-small", rotation=60)


def _falls(change: np.ndarray, floor: float) -> bool:
    """Whether the size of a change falls with the delay, within a tenth of the floor, until it is below the floor."""
    size = np.abs(change)
    below = np.flatnonzero(size < floor)
    size = size[: below[0] + 1] if below.size else size
    return bool(np.all(np.diff(size) < 0.1 * floor))
