"""The voltage-divider gate: two neurons reach the gate of an ionic synapse through a resistor each (Huang 2025, Fig. 3a)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...compact.constants import ROOM_TEMPERATURE
from ...compact.errors import ParameterError
from ...compact.network import GROUND, Instance, Network, Resistor, divider
from ...compact.result import Measured, Result
from ...compact.stimulus import Drive
from ..engines import engine_options
from ..network import NetworkJob, run_networks
from ..settings import choice, setting
from .array_engines import engine_version
from .base import CircuitExperiment, CircuitResult, Device, Solver, Table, labelled
from .drawing import curve
from .engine_options import EquationOptions
from .gate_limits import conduction, divider_limits, integral
from .gate_rates import follow, rate_law, rest, weights
from .spikes import FORMS, PEAK, SILENT, Spike, divided

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NGSPICE = {"reltol": 1e-5, "trtol": 3.0}
OPTIONS: Mapping[str, Mapping[str, Any]] = {"ngspice": _NGSPICE, "ngspice-osdi": _NGSPICE}
"""Solver options of a spike event."""

EQUATIONS = "emitted Python equations, SciPy LSODA"

STEPS_A_PAIR = 100
"""Time steps of a pair of spikes in a train at least."""

LEAD, TAIL = 2.0, 20.0
"""Time before the first spike and after the last, in units."""


@dataclass(frozen=True, kw_only=True)
class GateExperiment(CircuitExperiment):
    """A synapse with a gate between two neurons.

    Spikes are those of :data:`.spikes.FORMS`, their times in multiples of ``unit`` and their voltages scaled to ``peak``. After
    the event the synapse rests at 0 V for ``wait``, integrated from its equations whatever the engine; the weight is read then.
    """

    engines: ClassVar[tuple[str, ...]] = ("ngspice", "vacask", "reference", "ngspice-osdi")
    card: ClassVar[str] = "huang_ysz"
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = OPTIONS

    form: str = choice("antisymmetric", tuple(FORMS), "of plasticity")
    unit: float = setting(1e-3, "s", "unit of the spikes' times", above=0)
    peak: float = setting(PEAK, "V", "largest voltage of a spike", above=0)
    resistance: float = setting(1e6, "ohm", "from each neuron to the gate", above=0)
    wait: float = setting(20.0, "s", "rest at 0 V before the weight is read", above=0)
    loss: float = setting(0.05, "1", "part of the divided voltage that may be missing at the gate", above=0)
    temperature: float = setting(ROOM_TEMPERATURE, "K", "ambient temperature", above=0)

    def spikes(self) -> tuple[Spike, Spike, float]:
        """Return both neurons' spikes and the longest delay [s]."""
        pre, post, longest = FORMS[self.form]
        factor = self.peak / PEAK
        return pre.scaled(self.unit, factor), post.scaled(self.unit, factor), longest * self.unit

    def check(self, synapse: Device) -> None:
        """Raise unless the synapse has a gate of its own, and a part may be lost at it."""
        faults = []
        if synapse.model.read == synapse.model.write:
            faults.append(f"{synapse.model.name} has no gate apart from its channel")
        if not self.loss < 1:
            faults.append(f"loss = {self.loss:g} must be below 1")
        if faults:
            raise ParameterError(f"circuit '{self.name}'", faults)

    def event(self, synapse: Device, pre: Spike, post: Spike, delay: float) -> Network:
        """Return the divider with both spikes, the second neuron firing later by ``delay`` [s]."""
        firing = self.unit * LEAD - min(pre.time[0], post.time[0] + delay)
        end = firing + max(pre.time[-1], post.time[-1] + delay) + self.unit * TAIL
        return divider(
            synapse.model,
            synapse.values,
            pre=pre.waveform(firing, end),
            post=post.waveform(firing + delay, end),
            r_pre=self.resistance,
            r_post=self.resistance,
            temperature=self.temperature,
        )

    def run_events(self, networks: list[Network], solver: Solver) -> list[Result]:
        """Run networks on an engine."""
        jobs = [NetworkJob(network=n, experiment=self.name) for n in networks]
        return run_networks(jobs, solver.engine, progress=solver.progress, options=solver.options)

    def final_weights(self, synapse: Device, results: list[Result], instance: str = "dut") -> np.ndarray:
        """Return the weights [S] after the rest that follows each run."""
        states = np.array([[r[f"{instance}.{s.name}"][-1] for r in results] for s in synapse.model.states])
        return weights(synapse, rest(synapse, states, self.wait, self.temperature), self.temperature)

    def rest_weight(self, synapse: Device) -> float:
        """Return the weight [S] of a synapse that has rested as long without a spike."""
        start = np.array(synapse.model.initial_states(synapse.model.values(synapse.values)))[:, None]
        rested = rest(synapse, start, self.wait, self.temperature)
        return float(weights(synapse, rested, self.temperature)[0])


@dataclass(frozen=True, kw_only=True)
class GateSTDP(GateExperiment):
    """Change of weight against the delay between two spikes, beside the sum of rates (the paper's eq. 1).

    Quantities: the largest and the smallest change, the change by each neuron's spike alone, the common factor between
    simulation and eq. 1; of the event with the shortest positive delay the energy (from the sources; and of it in the
    resistors without a gate current, through the gate's capacitance, into the electrochemistry) and the gate's resistance
    at its largest current; and how large the resistors may be (``resistance_limit``, the lesser of two): the gate's current
    may take a part ``loss`` of the divided voltage, and its capacitance may leave that part missing at the end of the
    spikes' shortest pulse.
    """

    name: ClassVar[str] = "gate-stdp"
    title: ClassVar[str] = "timing-dependent plasticity by a voltage divider"

    delays: int = setting(21, "1", "delays of both signs", at_least=3)
    dopamine: float = setting(1.0, "1", "factor on the second neuron's spike, from 1 to -1")
    rate_change: float = setting(2e-8, "S", "change of weight over which the rates of eq. 1 are taken", above=0)

    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        self.check(synapse)
        pre, post, longest = self.spikes()
        post = post.scaled(1.0, self.dopamine)
        delays = np.linspace(-longest, longest, self.delays)
        silent = SILENT.scaled(self.unit, 1.0)
        networks = [self.event(synapse, pre, post, float(d)) for d in delays]
        networks += [self.event(synapse, pre, silent, 0.0), self.event(synapse, silent, post, 0.0)]
        results = self.run_events(networks, solver)
        before = self.rest_weight(synapse)
        change = self.final_weights(synapse, results) - before
        curve_, alone = change[:-2], change[-2:]
        law = rate_law(synapse, self.peak, self.rate_change, self.temperature)
        summed = np.array([law.sum(divided(pre, post, float(d))) for d in delays])
        factor = float(curve_ @ summed / (summed @ summed)) if np.any(summed) else float("nan")
        shown = int(np.argmin(np.where(delays > 0, delays, np.inf)))
        event = results[shown]
        size = float(np.max(np.abs(curve_)))
        return CircuitResult(
            circuit=self.name,
            engine=solver.engine,
            engine_version=engine_version(solver.engine),
            devices=labelled((synapse,)),
            tables={
                "delay": Table(delays, "s", ("delay",)),
                "change": Table(curve_, "S", ("delay",)),
                "summed_rates": Table(summed, "S", ("delay",)),
                "event_time": Table(event.time, "s", ("event_time",)),
                "event_pre": Table(event["v(pre)"], "V", ("event_time",)),
                "event_post": Table(event["v(post)"], "V", ("event_time",)),
                "event_gate": Table(event["dut.v"], "V", ("event_time",)),
            },
            quantities={
                "weight": Measured(before, "S"),
                "largest_change": Measured(float(np.max(curve_)), "S"),
                "smallest_change": Measured(float(np.min(curve_)), "S"),
                "pre_alone": Measured(float(alone[0]), "S"),
                "post_alone": Measured(float(alone[1]), "S"),
                "alone_over_peak": Measured(float(np.max(np.abs(alone))) / size, "1"),
                "factor_to_rates": Measured(factor, "1"),
                **self._energies(synapse, event),
                **self._limits(synapse, pre, post, event),
            },
            options=self.record(),
            decks=tuple(r.deck for r in results if r.deck),
        )

    def _energies(self, synapse: Device, event: Result) -> dict[str, Measured]:
        time, pre, post = event.time, event["v(pre)"], event["v(post)"]
        total = integral(time, pre, event["i(pre)"]) + integral(time, post, event["i(post)"])
        static = integral(time, pre - post, (pre - post) / (2 * self.resistance))
        inside = integral(time, event["dut.v"], conduction(synapse, event, self.temperature))
        # What the sources give beyond that is (V_pre + V_post)/2 times the gate's current.
        gate = integral(time, (pre + post) / 2, event["dut.i"])
        return {
            "event_energy": Measured(total, "J"),
            "resistor_energy": Measured(static, "J"),
            "electrochemical_energy": Measured(inside, "J"),
            "capacitance_energy": Measured(gate - inside, "J"),
        }

    def _limits(self, synapse: Device, pre: Spike, post: Spike, event: Result) -> dict[str, Measured]:
        limits = divider_limits(synapse, pre, post, event, self.temperature)
        found = {"gate": limits.by_gate(self.loss), "capacitance": limits.by_capacitance(self.loss)}
        return {
            "gate_resistance": Measured(limits.gate_resistance, "ohm"),
            "gate_capacitance": Measured(limits.gate_capacitance, "F"),
            "time_constant": Measured(self.resistance / 2 * limits.gate_capacitance, "s"),
            "shortest_pulse": Measured(limits.pulse, "s"),
            **{f"resistance_limit_by_{by}": Measured(value, "ohm") for by, value in found.items()},
            "resistance_limit": Measured(min(found.values()), "ohm"),
        }

    def draw(self, result: CircuitResult, figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        delay = 1e3 * result["delay"]
        curve(left, delay, 1e9 * result["change"], "delay in ms", "change of weight in nS", label="simulated")
        factor = result.quantities["factor_to_rates"].value
        assert isinstance(factor, float)
        left.plot(delay, 1e9 * factor * result["summed_rates"], "--", label=f"sum of rates x {factor:.2f}")
        left.legend(fontsize="small")
        time = 1e3 * result["event_time"]
        for name in ("pre", "post", "gate"):
            right.plot(time, result[f"event_{name}"], label=name)
        right.set_xlabel("time in ms")
        right.set_ylabel("voltage in V")
        right.legend(fontsize="small")


@dataclass(frozen=True, kw_only=True)
class GateHeterogeneous(GateExperiment):
    """One neuron in front of two synapses, whose second neurons fire together with spikes of opposite polarity.

    Quantities: the changes of both synapses at the delay of a tenth of the longest, of either sign.
    """

    name: ClassVar[str] = "gate-heterogeneous"
    title: ClassVar[str] = "two forms of plasticity from one neuron"

    delays: int = setting(11, "1", "delays of both signs", at_least=3)

    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        self.check(synapse)
        pre, post, longest = self.spikes()
        delays = np.linspace(-longest, longest, self.delays)
        results = self.run_events([self._pair(synapse, pre, post, float(d)) for d in delays], solver)
        before = self.rest_weight(synapse)
        changes = {k: self.final_weights(synapse, results, k) - before for k in ("first", "second")}
        found = {}
        for key, change in changes.items():
            found[f"{key}_largest"] = Measured(float(np.max(change)), "S")
            found[f"{key}_smallest"] = Measured(float(np.min(change)), "S")
            odd, even = change - change[::-1], change + change[::-1]
            found[f"{key}_odd_part"] = Measured(
                float(np.linalg.norm(odd) / (np.linalg.norm(odd) + np.linalg.norm(even))), "1"
            )
        return CircuitResult(
            circuit=self.name,
            engine=solver.engine,
            engine_version=engine_version(solver.engine),
            devices=labelled((synapse,)),
            tables={
                "delay": Table(delays, "s", ("delay",)),
                **{f"{k}_change": Table(v, "S", ("delay",)) for k, v in changes.items()},
            },
            quantities=found,
            options=self.record(),
            decks=tuple(r.deck for r in results if r.deck),
        )

    def _pair(self, synapse: Device, pre: Spike, post: Spike, delay: float) -> Network:
        single = self.event(synapse, pre, post, delay)
        model = synapse.model
        gate = model.write[0]
        instances, resistors = [], []
        for label, node in (("first", "post"), ("second", "other")):
            nodes = tuple(f"gate_{label}" if t == gate else GROUND for t in model.terminals)
            instances.append(Instance(name=label, model=model, values=synapse.values, nodes=nodes))
            resistors.append(Resistor(f"r_pre_{label}", "pre", f"gate_{label}", self.resistance))
            resistors.append(Resistor(f"r_post_{label}", node, f"gate_{label}", self.resistance))
        opposite = single.sources["post"].waveform.scaled(-1.0)
        return Network(
            instances=tuple(instances),
            resistors=tuple(resistors),
            sources={**single.sources, "other": Drive(waveform=opposite)},
            temperature=self.temperature,
        )

    def draw(self, result: CircuitResult, figure: Figure) -> None:
        for axes, key in zip(figure.subplots(1, 2), ("first", "second"), strict=True):
            curve(axes, 1e3 * result["delay"], 1e9 * result[f"{key}_change"], "delay in ms", "change of weight in nS")
            axes.set_title(f"{key} synapse", fontsize="small")


@dataclass(frozen=True, kw_only=True)
class GateCumulative(GateExperiment):
    """Cycles of potentiation and depression by trains of spike pairs of one delay, then of its opposite.

    A train is simulated from the state that the last one left. ``equations`` integrates the synapse alone, the gate at the
    divider's own voltage.

    Quantities: the ratio of largest to smallest weight in each cycle, and the smallest of these.
    """

    name: ClassVar[str] = "gate-cumulative"
    title: ClassVar[str] = "cycles of cumulative potentiation and depression"
    engines: ClassVar[tuple[str, ...]] = ("ngspice", "vacask", "reference", "ngspice-osdi", "equations")

    peak: float = setting(8.0, "V", "largest voltage of a spike", above=0)
    cycles: int = setting(10, "1", "of potentiation and depression", at_least=1)
    pairs: int = setting(30, "1", "spike pairs of each sign in a cycle", at_least=1)
    delay: float = setting(20.0, "1", "between the spikes of a pair, in units", above=0)
    period: float = setting(400.0, "1", "from a pair to the next, in units", above=0)

    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        self.check(synapse)
        train = partial(self._equations if solver.engine == "equations" else self._simulated, solver)
        states = np.array(synapse.model.initial_states(synapse.model.values(synapse.values)))
        passed = [states[:, None]]
        for cycle in range(self.cycles):
            for sign in (1, -1):
                passed.append(train(synapse, passed[-1][:, -1], sign))
            solver.told(cycle + 1, self.cycles)
        found = weights(synapse, np.concatenate(passed, axis=1), self.temperature)
        each = [found[2 * self.pairs * k : 2 * self.pairs * (k + 1) + 1] for k in range(self.cycles)]
        ratios = [float(np.max(w) / np.min(w)) for w in each]
        return CircuitResult(
            circuit=self.name,
            engine=solver.engine,
            engine_version=EQUATIONS if solver.engine == "equations" else engine_version(solver.engine),
            devices=labelled((synapse,)),
            tables={"weight": Table(found, "S", ("pair",))},
            quantities={"ratio": Measured(ratios, "1"), "smallest_ratio": Measured(min(ratios), "1")},
            options=self.record(),
        )

    def _equations(self, solver: Solver, synapse: Device, states: np.ndarray, sign: int) -> np.ndarray:
        """Return the states after each pair of a train, (n_states, pairs)."""
        pre, post, _ = self.spikes()
        gate, found = divided(pre, post, sign * self.delay * self.unit), []
        options = engine_options(EquationOptions, solver.options, solver.engine)
        for _ in range(self.pairs):
            states = follow(synapse, states, gate, self.period * self.unit, self.temperature, options)
            found.append(states)
        return np.stack(found, axis=1)

    def _simulated(self, solver: Solver, synapse: Device, states: np.ndarray, sign: int) -> np.ndarray:
        """Return the states after each pair of a train that is simulated in the divider, (n_states, pairs)."""
        model = synapse.model
        starts = {s.initial_parameter.name: float(v) for s, v in zip(model.states, states, strict=True)}
        pre, post, _ = self.spikes()
        delay, period = sign * self.delay * self.unit, self.period * self.unit
        firing = self.unit * LEAD - min(pre.time[0], post.time[0] + delay) + period * np.arange(self.pairs)
        end = self.pairs * period
        network = divider(
            model,
            {**synapse.values, **starts},
            pre=pre.train(firing, end),
            post=post.train(firing + delay, end),
            r_pre=self.resistance,
            r_post=self.resistance,
            temperature=self.temperature,
        )
        job = NetworkJob(network=network, experiment=self.name, steps=STEPS_A_PAIR * self.pairs)
        (result,) = run_networks([job], solver.engine, options=solver.options)
        return np.stack([result.at(f"dut.{s.name}", period * np.arange(1, self.pairs + 1)) for s in model.states])

    def draw(self, result: CircuitResult, figure: Figure) -> None:
        axes = figure.subplots()
        axes.semilogy(1e9 * result["weight"], ".-", markersize=2, linewidth=0.7)
        axes.set_xlabel("spike pairs")
        axes.set_ylabel("weight in nS")
        axes.grid(alpha=0.3)
