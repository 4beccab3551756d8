"""Spikes designed for a wanted form of plasticity, and what they do in the circuit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...compact.result import Measured
from ..settings import choice, setting
from .array_engines import engine_version
from .base import CircuitResult, Device, Solver, Table, labelled
from .drawing import curve
from .gate import GateExperiment
from .spikes import SILENT
from .waveform_designer import design_spikes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WANTED = ("antisymmetric", "anti-hebbian", "ltp-only", "ltd-only", "symmetric")


@dataclass(frozen=True, kw_only=True)
class GateDesign(GateExperiment):
    """Search spikes on the sum of rates (eq. 1), then simulate them in the divider.

    Quantities: the correlation of the wanted form with eq. 1 and with the simulation, and the largest simulated change by one
    neuron's spike alone over the peak.
    """

    name: ClassVar[str] = "gate-design"
    title: ClassVar[str] = "spikes designed for a form of plasticity"

    wanted: str = choice("ltd-only", WANTED, "the form that is wanted")
    width: float = setting(40.0, "1", "decay of the wanted form with the delay, in units", above=0)
    length: float = setting(200.0, "1", "longest part of a spike before and after the firing, in units", above=0)
    delays: int = setting(17, "1", "delays of both signs", at_least=5)
    seed: int = setting(1, "1", "of the search", at_least=0)

    def form_at(self, delays: np.ndarray) -> np.ndarray:
        """Return the wanted form at delays [s], any scale."""
        x = delays / (self.width * self.unit)
        one_sided, bump = np.sign(x) * np.exp(-np.abs(x)), np.exp(-(x**2))
        forms = {"antisymmetric": one_sided, "anti-hebbian": -one_sided, "ltp-only": bump, "ltd-only": -bump}
        return forms.get(self.wanted, (1 - x**2) * np.exp(-(x**2) / 1.5))

    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        self.check(synapse)
        reach = 3 * self.width * self.unit
        delays = np.linspace(-reach, reach, self.delays)
        form = self.form_at(delays)
        design = design_spikes(
            synapse,
            delays,
            form,
            temperature=self.temperature,
            peak=self.peak,
            length=self.length * self.unit,
            seed=self.seed,
        )
        silent = SILENT.scaled(self.unit, 1.0)
        networks = [self.event(synapse, design.pre, design.post, float(d)) for d in delays]
        networks += [self.event(synapse, design.pre, silent, 0.0), self.event(synapse, silent, design.post, 0.0)]
        results = self.run_events(networks, solver)
        change = self.final_weights(synapse, results) - self.rest_weight(synapse)
        found, alone = change[:-2], change[-2:]
        correlation = float(found @ form / (np.linalg.norm(found) * np.linalg.norm(form)))
        return CircuitResult(
            circuit=self.name,
            engine=solver.engine,
            engine_version=engine_version(solver.engine),
            devices=labelled((synapse,)),
            tables={
                "delay": Table(delays, "s", ("delay",)),
                "wanted": Table(form, "1", ("delay",)),
                "summed_rates": Table(design.found, "S", ("delay",)),
                "change": Table(found, "S", ("delay",)),
                **{
                    f"{name}_{axis}": Table(np.array(values), unit, ("corner",))
                    for name, spike in (("pre", design.pre), ("post", design.post))
                    for axis, values, unit in (("time", spike.time, "s"), ("voltage", spike.value, "V"))
                },
            },
            quantities={
                "rates_correlation": Measured(design.correlation, "1"),
                "correlation": Measured(correlation, "1"),
                "alone_over_peak": Measured(float(np.max(np.abs(alone)) / np.max(np.abs(found))), "1"),
                "largest_change": Measured(float(np.max(np.abs(found))), "S"),
            },
            options=self.record(),
            decks=tuple(r.deck for r in results if r.deck),
        )

    def draw(self, result: CircuitResult, figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        delay, found = 1e3 * result["delay"], 1e9 * result["change"]
        wanted = result["wanted"]
        curve(left, delay, found, "delay in ms", "change of weight in nS", label="simulated")
        left.plot(delay, wanted * float(found @ wanted) / float(wanted @ wanted), "--", label="wanted")
        left.legend(fontsize="small")
        for name in ("pre", "post"):
            right.plot(1e3 * result[f"{name}_time"], result[f"{name}_voltage"], label=name)
        right.set_xlabel("time from the firing in ms")
        right.set_ylabel("voltage in V")
        right.legend(fontsize="small")
