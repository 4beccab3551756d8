"""Extraction: shipped cards regenerated from the catalogue rows that determine them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.optimize import least_squares

from ..compact.card import Card
from ..compact.errors import FitError, UnknownNameError
from ..compact.model import Model
from ..compact.network_reference import ENGINE_VERSION, ReferenceOptions, output_times
from ..compact.reference import Problem, record
from ..compact.registry import get_card, get_device
from ..compact.result import Result
from ..netlists.testbench import Job
from .characteristics.catalogue import paper_names
from .reproduction.runner import protocol_module
from .reproduction.stages import Fitted, Recipe, Stage, Target
from .reproduction.workbench import Workbench

POINTS = 4
"""Output times a segment of the stimulus: the protocols read at the ends of segments."""

STEP = 1e-3
"""Relative step of the derivatives, far above the noise of the integrator (reltol 1e-7)."""

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """A regenerated card, and what is behind it.

    Attributes
    ----------
    card : Card
    determined : mapping of parameter name to row ids
        The fitted parameters with the rows of the stage that determines them.
    derived : tuple of str
        Parameters that follow from the others.
    given : mapping of parameter name to method
        Those that were documented or assumed.
    reached : mapping of (row id, quantity) to (target, value)
    """

    card: Card
    determined: Mapping[str, tuple[str, ...]]
    derived: tuple[str, ...]
    given: Mapping[str, str]
    reached: Mapping[tuple[str, str], tuple[float, float]]


class FreeReference:
    """The reference engine for many runs of the same benches: a bench's equations are built once, its parameters stay free."""

    def __init__(self, model: Model, free: Sequence[str]) -> None:
        self.free = tuple(dict.fromkeys([*free, *(s.initial_parameter.name for s in model.states)]))
        self._problems: dict[tuple[object, ...], Problem] = {}

    def __call__(self, jobs: Sequence[Job], progress: object, given: Mapping[str, object]) -> list[Result]:
        """Run jobs; see :data:`synspice.netlists.run.Engine`."""
        return [self._run(job) for job in jobs]

    def _run(self, job: Job) -> Result:
        values = job.model.values(job.values)
        fixed = tuple(sorted((n, v) for n, v in values.items() if n not in self.free))
        key = (repr(job.bench), fixed)
        if key not in self._problems:
            times, options = output_times(job.bench, POINTS), ReferenceOptions(reltol=1e-7, abstol=1e-9)
            self._problems[key] = Problem(job.model, values, job.bench, times, self.free, options)
        problem = self._problems[key]
        rows = problem.solve([values[name] for name in self.free])
        return record(
            job.model,
            values,
            job.bench,
            experiment=job.experiment,
            engine="reference",
            engine_version=ENGINE_VERSION,
            time=problem.times,
            rows=dict(zip(problem.signal_names, rows, strict=True)),
            options={},
            deck="",
        )


def extractable() -> tuple[str, ...]:
    """Return the names of the cards that can be extracted."""
    return tuple(name for paper in paper_names() for name in protocol_module(paper).RECIPES)


def extract(card_name: str, *, progress: Progress | None = None) -> Card:
    """Return a shipped card regenerated from its catalogue rows; see :func:`extract_in_detail`."""
    return extract_in_detail(card_name, progress=progress).card


def extract_in_detail(card_name: str, *, progress: Progress | None = None) -> Extracted:
    """Regenerate a shipped card by staged least squares on the rows that determine it.

    Documented and assumed values are the card's; the fitted ones start from the recipe's own values, not from the card's.
    The standard errors are those that the targets' tolerances imply.

    Parameters
    ----------
    card_name : str
    progress : callable, optional
        Called with a line about each stage.

    Raises
    ------
    UnknownNameError
        If there is no recipe for the card.
    FitError
        If a stage does not converge.
    """
    paper = next((p for p in paper_names() if card_name in protocol_module(p).RECIPES), None)
    if paper is None:
        raise UnknownNameError("card with a recipe", card_name, extractable())
    module = protocol_module(paper)
    recipe: Recipe = module.RECIPES[card_name]
    shipped = get_card(card_name)
    if recipe.fit is not None:
        return _of_a_fit(recipe.fit, shipped, progress)
    model = get_device(shipped.device)
    fitted = tuple(dict.fromkeys(name for stage in recipe.stages for name in stage.start))
    start = {name: stage.start[name] for stage in reversed(recipe.stages) for name in stage.start}
    engine = FreeReference(model, fitted)
    values = dict(start)
    errors: dict[str, float] = {}
    determined: dict[str, tuple[str, ...]] = {}
    reached: dict[tuple[str, str], tuple[float, float]] = {}

    def bench(trial: Mapping[str, float]) -> Workbench:
        card = _with(shipped, trial)
        derived = recipe.derived(Workbench(card, engine, card_name))
        return Workbench(_with(card, derived), engine, card_name)

    def among(others: Mapping[str, float], trial: Mapping[str, float]) -> Workbench:
        return bench({**others, **trial})

    for k, stage in enumerate(recipe.stages):
        if progress is not None:
            progress(f"stage {k + 1} of {len(recipe.stages)}: {', '.join(stage.start)}")
        found, spread = _fit(stage, model, {n: values[n] for n in stage.start}, partial(among, dict(values)), module)
        values |= found
        errors |= spread
        rows = tuple(dict.fromkeys(t.row for t in stage.targets))
        for name in stage.start:
            determined[name] = determined[name] if len(determined.get(name, rows)) < len(rows) else rows
        reached |= {
            (t.row, t.quantity): (t.value, v)
            for t, v in zip(stage.targets, _simulated(stage.targets, bench(values), module), strict=True)
        }
    final = bench(values).card
    derived_names = tuple(recipe.derived(Workbench(final, engine, card_name)))
    card = replace(
        final, values={n: replace(v, stderr=errors[n]) if n in errors else v for n, v in final.values.items()}
    )
    given = {n: v.method for n, v in card.values.items() if n not in fitted and n not in derived_names}
    return Extracted(card=card, determined=determined, derived=derived_names, given=given, reached=reached)


def _of_a_fit(fit: Callable[[Card], Fitted], shipped: Card, progress: Progress | None) -> Extracted:
    if progress is not None:
        progress("whole curves")
    fitted = fit(shipped)
    card = _with(shipped, fitted.values)
    return Extracted(
        card=replace(
            card,
            values={
                n: replace(v, stderr=fitted.stderr[n]) if n in fitted.stderr else v for n, v in card.values.items()
            },
        ),
        determined=dict.fromkeys(fitted.values, fitted.rows),
        derived=(),
        given={n: v.method for n, v in card.values.items() if n not in fitted.values},
        reached={(row, "root mean square of the differences"): (0.0, fitted.error) for row in fitted.rows},
    )


def _with(card: Card, values: Mapping[str, float]) -> Card:
    return replace(card, values={n: replace(v, value=float(values.get(n, v.value))) for n, v in card.values.items()})


def _simulated(targets: Sequence[Target], bench: Workbench, module: object) -> list[float]:
    outcomes = {row: module.PROTOCOLS[row](bench) for row in dict.fromkeys(t.row for t in targets)}  # type: ignore[attr-defined]
    return [float(outcomes[t.row].simulated[t.quantity].value) for t in targets]


def _fit(
    stage: Stage,
    model: Model,
    start: Mapping[str, float],
    bench: Callable[[Mapping[str, float]], Workbench],
    module: object,
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the values and standard errors of a stage's parameters.

    The variables are the parameters' (logarithmic) distances from the start, plus 1: scipy's steps are relative to them.
    """
    names = list(start)
    logarithmic = np.array([model.parameter(n).scale == "log" for n in names])
    first = np.array([start[n] for n in names])
    size = np.where(logarithmic, 1.0, np.abs(first))

    def values(z: np.ndarray) -> dict[str, float]:
        moved = np.where(logarithmic, first * np.exp(np.where(logarithmic, z - 1, 0.0)), first + size * (z - 1))
        return dict(zip(names, moved.tolist(), strict=True))

    def residuals(z: np.ndarray) -> np.ndarray:
        simulated = _simulated(stage.targets, bench(values(z)), module)
        return np.array([_residual(t, v) for t, v in zip(stage.targets, simulated, strict=True)])

    answer = least_squares(
        residuals, np.ones(len(names)), diff_step=[STEP], x_scale=0.1, xtol=1e-5, ftol=1e-6, max_nfev=40
    )
    if answer.status <= 0:
        raise FitError(f"the stage of {', '.join(names)} did not converge: {answer.message}")
    jacobian = np.asarray(answer.jac, float)
    covariance = np.linalg.pinv(jacobian.T @ jacobian)
    found = values(answer.x)
    scale = np.where(logarithmic, np.abs([found[n] for n in names]), size)
    return found, dict(zip(names, (scale * np.sqrt(np.diag(covariance))).tolist(), strict=True))


def _residual(target: Target, value: float) -> float:
    if target.scale == "linear":
        return (value - target.value) / target.tolerance
    return float(np.log(max(value / target.value, 1e-12))) / target.tolerance
