"""Where a row's experiment runs: a card, an engine, and every run kept for the comparison of engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...compact.card import Card
from ...compact.errors import EngineError
from ...compact.reference import simulate
from ...compact.registry import get_card, get_device
from ...compact.result import Measured, Result
from ...compact.stimulus import Bench
from ...netlists.run import Engine, get_engine
from ...netlists.testbench import Job

Curve = tuple[np.ndarray, np.ndarray]
"""Abscissae and ordinates, for a figure."""

LONGEST = 1e6
"""Duration over shortest feature beyond which one run is split: ngspice's smallest step is tied to its largest."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a row's protocol returns.

    Attributes
    ----------
    simulated : mapping of name to Measured
        At least the quantities that the row's limits name.
    curves : mapping of label to Curve
        For the panels.
    note : str
        What else is worth knowing.
    """

    simulated: Mapping[str, Measured]
    curves: Mapping[str, Curve] = field(default_factory=dict)
    note: str = ""


class Workbench:
    """Runs benches on one engine.

    Parameters
    ----------
    card : Card or str
    engine : str or callable
        An engine's name, or an engine.
    label : str
        Name of the experiment in the results.
    """

    def __init__(self, card: Card | str, engine: str | Engine = "ngspice", label: str = "") -> None:
        self.card = card if isinstance(card, Card) else get_card(card)
        self.model = get_device(self.card.device)
        self.label = label
        self.runs: list[tuple[Job, Result]] = []
        self._engine = get_engine(engine) if isinstance(engine, str) else engine
        self._known: dict[tuple[object, ...], Result] = {}

    def value(self, name: str) -> float:
        """Return a parameter's value on the card."""
        return self.model.values(self.card.parameters)[name]

    def run(self, wanted: Sequence[tuple[Bench, Mapping[str, float]]]) -> list[Result]:
        """Run benches, each with parameter values that replace the card's; what ran before is not run again.

        Raises
        ------
        ParameterError, EngineError
        """
        keys = [(tuple(sorted(values.items())), repr(bench)) for bench, values in wanted]
        fresh: dict[tuple[object, ...], Job] = {}
        for key, (bench, values) in zip(keys, wanted, strict=True):
            if key not in self._known:
                given = {**self.card.parameters, **values}
                fresh[key] = Job(model=self.model, values=given, bench=bench, experiment=self.label)
        if fresh:
            results = self._engine(list(fresh.values()), None, {})
            self.runs += zip(fresh.values(), results, strict=True)
            self._known |= dict(zip(fresh, results, strict=True))
        return [self._known[key] for key in keys]

    def end_states(self, result: Result) -> dict[str, float]:
        """Return the states at the end of a run as initial values for the next."""
        return {s.initial_parameter.name: float(result[s.name][-1]) for s in self.model.states}


def largest_deviation(runs: Sequence[tuple[Job, Result]], *, points: int = 300) -> float:
    """Return the largest difference between runs and the reference engine, over the full scale of each signal.

    The reference engine is solved at time points of the run itself, breakpoints of the stimulus left out: there a
    displacement current jumps, and it has two values. Behind a source impedance it is the slope of a voltage that is solved
    for: the voltage is compared, and not the current. Full scale is a signal's largest magnitude, or for a state its
    natural scale if that is larger.

    Raises
    ------
    EngineError
    """
    worst = 0.0
    for job, result in runs:
        inside = np.flatnonzero(~np.isin(result.time, job.bench.breakpoints))
        marks = job.bench.breakpoints
        nearest_mark = np.abs(result.time[inside, None] - marks[None, :]).min(axis=1) if marks.size < 2000 else np.inf
        inside = inside[nearest_mark > 1e-9 * job.bench.duration] if marks.size < 2000 else inside
        chosen = inside[np.unique(np.linspace(0, len(inside) - 1, points).astype(int))]
        times = result.time[chosen]
        try:
            reference = simulate(job.model, job.values, job.bench, times=times)
        except EngineError as error:
            raise EngineError(f"the reference engine has no answer to compare with: {error}") from error
        scales = {s.name: s.scale for s in job.model.states}
        impeded = any(drive.has_impedance for drive in job.bench.drives.values())
        skipped = {"source", *(("current", "read_current") if impeded and job.model.charges else ())}
        for name, signal in reference.signals.items():
            if name in skipped:
                continue
            full = max(
                float(np.max(np.abs(signal))), float(np.max(np.abs(result[name][chosen]))), scales.get(name, 0.0)
            )
            if full > 0:
                worst = max(worst, float(np.max(np.abs(signal - result[name][chosen]))) / full)
    return worst


def measured(value: float, unit: str = "1") -> Measured:
    """Return one number as a measured quantity."""
    return Measured(float(value), unit)


def flag(truth: bool) -> Measured:
    """Return a statement as 1 or 0."""
    return Measured(1.0 if truth else 0.0, "1")


Protocol = Callable[[Workbench], Outcome]
"""A row's experiment."""

__all__ = ["LONGEST", "Curve", "Outcome", "Protocol", "Workbench", "flag", "largest_deviation", "measured"]
