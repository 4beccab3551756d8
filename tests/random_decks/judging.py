"""How many of the random cases a simulator gets wrong, and the table of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from synspice.compact.errors import SimulationError

from .cases import draw_case
from .decks import Emitter, Options, format_deck
from .simulators import Outcome, Simulator, run_deck
from .truth import Truth, find_truth

WRONG = 0.02
"""Error of a state at the end, over its range, above which a run is wrong."""

TRUSTED = 2e-3
"""Doubt about a truth, over the range, above which a case is not judged."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One case on one simulator.

    Attributes
    ----------
    seed : int
    failure : str
        Empty for a run that finished.
    error : float
        Largest error of a state at the end, over its span; infinite for a failure.
    corners : float
        The same over all corners of the stimulus.
    outside : float
        How far a state went beyond its range, over the span.
    sensitivity : float
        Of the case, see `Truth`.
    points : int
    processor_time : float
        In s.
    """

    seed: int
    failure: str
    error: float
    corners: float
    outside: float
    sensitivity: float
    points: int
    processor_time: float

    @property
    def wrong(self) -> bool:
        """Whether the run finished, and ended wrong."""
        return not self.failure and self.error > WRONG


@dataclass(frozen=True, kw_only=True)
class Row:
    """The cases of one device on one simulator at one step.

    Attributes
    ----------
    device : str
    devices : int
        In a circuit.
    simulator : str
    steps : int
    options : str
    verdicts : list of Verdict
        In the order of the seeds.
    untold : list of int
        Seeds without a truth.
    """

    device: str
    devices: int
    simulator: str
    steps: int
    options: Options
    verdicts: list[Verdict] = field(default_factory=list)
    untold: list[int] = field(default_factory=list)

    @property
    def wrong(self) -> list[Verdict]:
        """The runs that ended wrong and said nothing."""
        return [v for v in self.verdicts if v.wrong]

    @property
    def failed(self) -> list[Verdict]:
        """The runs that did not finish."""
        return [v for v in self.verdicts if v.failure]


def judge(
    device: str,
    simulator: Simulator,
    seeds: Iterable[int],
    steps: int,
    *,
    devices: int = 1,
    options: Options = "default",
    emitter: Emitter | None = None,
    workers: int = 1,
) -> Row:
    """Run a device's cases on a simulator.

    Parameters
    ----------
    device : str
    simulator : Simulator
    seeds : iterable of int
    steps : int
        The time step is a ``steps``-th of the run.
    devices : int
        In a circuit, 1 or 4.
    options : {"default", "gear", "recommended"}
    emitter : Emitter, optional
        What changes the emitted text.
    workers : int
        Runs at a time.
    """

    def one(seed: int) -> Verdict | int:
        case = draw_case(device, seed, devices)
        try:
            truth = find_truth(case)
        except SimulationError:
            return seed
        if truth.doubt > TRUSTED:
            return seed
        return _verdict(
            seed, truth, run_deck(simulator, format_deck(case, simulator.kind, steps, options, emitter)), case.limits
        )

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(one, seeds))
    return Row(
        device=device,
        devices=devices,
        simulator=simulator.label,
        steps=steps,
        options=options,
        verdicts=[v for v in found if isinstance(v, Verdict)],
        untold=[v for v in found if not isinstance(v, Verdict)],
    )


def _verdict(seed: int, truth: Truth, outcome: Outcome, limits: np.ndarray) -> Verdict:
    error = corners = float("inf")
    outside = 0.0
    if not outcome.failure:
        found = np.array([np.interp(truth.times, outcome.time, row) for row in outcome.states])
        errors = np.max(np.abs(found - truth.states) / truth.spans[:, None], axis=0)
        error, corners = float(errors[-1]), float(np.max(errors))
        beyond = np.maximum(outcome.states - limits[:, 1:], limits[:, :1] - outcome.states) / truth.spans[:, None]
        outside = max(0.0, float(np.max(beyond)))
    return Verdict(
        seed=seed,
        failure=outcome.failure,
        error=error,
        corners=corners,
        outside=outside,
        sensitivity=truth.sensitivity,
        points=len(outcome.time),
        processor_time=outcome.processor_time,
    )


HEAD = (
    f"{'device':22} {'circuit':>7} {'simulator':>9} {'options':>11} {'step':>5} {'n':>4} {'wrong':>5} {'fail':>4} "
    f"{'median':>8} {'max':>8} {'corners':>7} {'points':>7} {'CPU/s':>6}  wrong seeds (error; ! outside its range) | failed | no truth"
)


def format_row(row: Row) -> str:
    """Return a line of the table."""
    done = [v for v in row.verdicts if not v.failure]
    errors: Sequence[float] = [v.error for v in done] or [float("nan")]
    wrong = ", ".join(f"{v.seed} ({v.error:.2g}{'!' if v.outside > 0.1 else ''})" for v in row.wrong)
    failed = ", ".join(str(v.seed) for v in row.failed)
    return (
        f"{row.device:22} {row.devices:7d} {row.simulator:>9} {row.options:>11} {row.steps:5d} {len(row.verdicts):4d} "
        f"{len(row.wrong):5d} {len(row.failed):4d} {np.median(errors):8.1e} {np.max(errors):8.1e} "
        f"{sum(v.corners > WRONG for v in done):7d} {np.median([v.points for v in done] or [0]):7.0f} "
        f"{sum(v.processor_time for v in row.verdicts):6.1f}  {wrong or '-'} | {failed or '-'} | "
        f"{', '.join(map(str, row.untold)) or '-'}"
    )
