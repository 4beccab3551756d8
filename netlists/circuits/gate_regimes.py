"""The same spikes in milliseconds, microseconds and nanoseconds (Huang 2025, Fig. 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...compact.result import Measured
from ..settings import setting
from .array_engines import engine_version
from .base import CircuitResult, Device, Solver, Table, labelled
from .drawing import curve
from .gate import GateExperiment, GateSTDP

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Regime:
    """Unit of the spikes' times [s], their peak [V], the resistors [ohm], and parameters of the device where it has them."""

    unit: float
    peak: float
    resistance: float
    values: dict[str, float]


REGIMES: dict[str, Regime] = {
    "100ms": Regime(1e-3, 6.5, 1e8, {}),
    "100us": Regime(1e-6, 10.0, 1e8, {}),
    "100ns": Regime(1e-9, 10.0, 2e8, {"t_el": 7e-9, "w_ch": 5e-8, "l_ch": 5e-8}),
}
"""Peaks and electrolytes are the paper's; the resistors are ours, below their limits, and so is the gate of 50 nm."""

SHOWN = ("largest_change", "smallest_change", "alone_over_peak", "event_energy", "resistance_limit")


@dataclass(frozen=True, kw_only=True)
class GateRegimes(GateExperiment):
    """One form of plasticity on three time scales; ``unit``, ``peak`` and ``resistance`` are those of :data:`REGIMES`.

    Quantities, for each regime: the largest and the smallest change, that by one neuron's spike alone over the peak, the
    energy of the event with the shortest positive delay, and the largest resistance of the divider (see `gate-stdp`).
    """

    name: ClassVar[str] = "gate-regimes"
    title: ClassVar[str] = "timing-dependent plasticity on three time scales"

    delays: int = setting(9, "1", "delays of both signs", at_least=3)

    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        found: dict[str, Measured] = {}
        tables: dict[str, Table] = {}
        decks: tuple[str, ...] = ()
        for k, (label, regime) in enumerate(REGIMES.items()):
            own = {n: v for n, v in regime.values.items() if n in {p.name for p in synapse.model.parameters}}
            device = replace(synapse, values={**synapse.values, **own})
            result = self._single(regime).simulate(device, partner, replace(solver, progress=None))
            tables[f"delay_{label}"] = result.tables["delay"]
            tables[f"change_{label}"] = result.tables["change"]
            found |= {f"{name}_{label}": result.quantities[name] for name in SHOWN}
            decks += result.decks
            solver.told(k + 1, len(REGIMES))
        return CircuitResult(
            circuit=self.name,
            engine=solver.engine,
            engine_version=engine_version(solver.engine),
            devices=labelled((synapse,)),
            tables=tables,
            quantities=found,
            options=self.record(),
            decks=decks,
        )

    def _single(self, regime: Regime) -> GateSTDP:
        return GateSTDP(
            form=self.form,
            unit=regime.unit,
            peak=regime.peak,
            resistance=regime.resistance,
            wait=self.wait,
            loss=self.loss,
            temperature=self.temperature,
            delays=self.delays,
        )

    def draw(self, result: CircuitResult, figure: Figure) -> None:
        for axes, (label, regime) in zip(figure.subplots(1, len(REGIMES)), REGIMES.items(), strict=True):
            delay = np.asarray(result[f"delay_{label}"]) / regime.unit
            curve(axes, delay, 1e9 * result[f"change_{label}"], f"delay in {label[3:]}", "change of weight in nS")
            axes.set_title(label, fontsize="small")
