"""Where a row's experiment runs: a card, an engine, and every run kept for the comparison of engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from ...compact.card import Card
from ...compact.errors import EngineError
from ...compact.network import Network
from ...compact.network_reference import simulate_network
from ...compact.reference import simulate
from ...compact.registry import get_card, get_device
from ...compact.result import Measured, Result
from ...compact.stimulus import Bench
from ...netlists.engines import Engine
from ...netlists.network import NetworkJob, run_networks
from ...netlists.run import get_engine
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


RELTOL = {"diffusive_memristor": 1e-7}
"""ngspice's relative tolerance by device; 3e-7 for the others, which do not jump within a step of a loop. A row takes half the
time that it takes at the engine's own 3e-8, and the worst (a loop of HfOx:Ag) is 0.35 % of full scale from the reference engine
(``synspice reproduce --compare``)."""


def _options(engine: str, device: str) -> dict[str, float]:
    return {"reltol": RELTOL.get(device, 3e-7)} if engine == "ngspice" else {}


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

    def __init__(self, card: Card | str, engine: str | Engine[Job] = "ngspice", label: str = "") -> None:
        self.card = card if isinstance(card, Card) else get_card(card)
        self.model = get_device(self.card.device)
        self.label = label
        self.runs: list[tuple[Job, Result]] = []
        self.network_runs: list[tuple[NetworkJob, Result]] = []
        self.engine = engine if isinstance(engine, str) else "ngspice"
        self._engine = get_engine(engine) if isinstance(engine, str) else engine
        self._options = _options(self.engine, self.card.device) if isinstance(engine, str) else {}
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
            results = self._engine(list(fresh.values()), None, self._options)
            self.runs += zip(fresh.values(), results, strict=True)
            self._known |= dict(zip(fresh, results, strict=True))
        return [self._known[key] for key in keys]

    def run_networks(self, networks: Sequence[Network]) -> list[Result]:
        """Run networks of several devices; what ran before is not run again.

        Raises
        ------
        ParameterError, EngineError
        """
        keys = [(repr(network),) for network in networks]
        fresh = {k: NetworkJob(network=n, experiment=self.label) for k, n in zip(keys, networks, strict=True)}
        fresh = {key: job for key, job in fresh.items() if key not in self._known}
        if fresh:
            results = run_networks(list(fresh.values()), self.engine, options=self._options)
            self.network_runs += zip(fresh.values(), results, strict=True)
            self._known |= dict(zip(fresh, results, strict=True))
        return [self._known[key] for key in keys]

    def end_states(self, result: Result) -> dict[str, float]:
        """Return the states at the end of a run as initial values for the next."""
        return {s.initial_parameter.name: float(result[s.name][-1]) for s in self.model.states}


def largest_deviation(
    runs: Sequence[tuple[Job, Result]],
    network_runs: Sequence[tuple[NetworkJob, Result]] = (),
    *,
    points: int = 300,
) -> float | None:
    """Return the largest difference between runs and the reference engine, over the full scale of each signal.

    The reference engine is solved at time points of the run itself, breakpoints of the stimulus left out: there a
    displacement current jumps, and it has two values. Behind a source impedance, and between the devices of a network, it
    is the slope of a voltage that is solved for: the voltage is compared, and not the current. Full scale is a signal's
    largest magnitude, or for a state its natural scale if that is larger. None when there was no run.

    Raises
    ------
    EngineError
    """
    found = []
    for job, result in runs:
        chosen = _compared(result, job.bench.breakpoints, job.bench.duration, points)
        with _no_answer():
            reference = simulate(job.model, job.values, job.bench, times=result.time[chosen])
        behind = any(d.has_impedance for d in job.bench.drives.values()) and bool(job.model.charges)
        skipped = {"source", *(("current", "read_current") if behind else ())}
        scales = {s.name: s.scale for s in job.model.states}
        found.append(_difference(result, reference, chosen, scales, skipped))
    for network_job, result in network_runs:
        network = network_job.network
        chosen = _compared(result, network.breakpoints, network.duration, points)
        with _no_answer():
            reference = simulate_network(network, times=result.time[chosen])
        currents = {name for name, unit in network.signals.items() if unit == "A"}
        scales = {f"{i.name}.{s.name}": s.scale for i in network.instances for s in i.model.states}
        found.append(_difference(result, reference, chosen, scales, currents))
    return max(found, default=None)


def _compared(result: Result, marks: np.ndarray, duration: float, points: int) -> np.ndarray:
    """Return the indices of time points to compare at, none on a breakpoint."""
    place = np.searchsorted(marks, result.time).clip(1, len(marks) - 1)
    nearest = np.minimum(np.abs(result.time - marks[place - 1]), np.abs(result.time - marks[place]))
    inside = np.flatnonzero(nearest > 1e-9 * duration)
    return np.asarray(inside[np.unique(np.linspace(0, len(inside) - 1, points).astype(int))])


@contextmanager
def _no_answer() -> Iterator[None]:
    try:
        yield
    except EngineError as error:
        raise EngineError(f"the reference engine has no answer to compare with: {error}") from error


def _difference(
    result: Result, reference: Result, chosen: np.ndarray, scales: Mapping[str, float], skipped: set[str]
) -> float:
    worst = 0.0
    for name, signal in reference.signals.items():
        if name in skipped:
            continue
        other = result[name][chosen]
        full = max(float(np.max(np.abs(signal))), float(np.max(np.abs(other))), scales.get(name, 0.0))
        if full > 0:
            worst = max(worst, float(np.max(np.abs(signal - other))) / full)
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
