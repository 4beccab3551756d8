"""Run an experiment: the same one on every engine, with the same record back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..compact.card import Card
from ..compact.errors import UnknownNameError
from ..compact.model import Model
from ..compact.reference import simulate
from ..compact.registry import get_device
from ..compact.result import Result
from .experiments import Experiment
from .testbench import Job, run_ngspice

Progress = Callable[[int, int], None]
Engine = Callable[[Sequence[Job], Progress | None], list[Result]]


def _reference(jobs: Sequence[Job], progress: Progress | None) -> list[Result]:
    results = []
    for k, job in enumerate(jobs):
        results.append(simulate(job.model, job.values, job.bench, experiment=job.experiment))
        if progress is not None:
            progress(k + 1, len(jobs))
    return results


def _ngspice(jobs: Sequence[Job], progress: Progress | None) -> list[Result]:
    return run_ngspice(jobs, progress=progress)


ENGINES: dict[str, Engine] = {"reference": _reference, "ngspice": _ngspice}
"""Every engine by the name that the command line uses."""


def get_engine(name: str) -> Engine:
    """Return an engine.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    if name not in ENGINES:
        raise UnknownNameError("engine", name, ENGINES)
    return ENGINES[name]


def run(
    experiment: Experiment,
    device: Card | Model,
    engine: str = "ngspice",
    *,
    values: Mapping[str, float] | None = None,
) -> Result:
    """Run an experiment on a device and measure it.

    Parameters
    ----------
    experiment : Experiment
    device : Card or Model
        A card, or a model with its default values.
    engine : str
        ``reference`` or ``ngspice``.
    values : mapping of name to float, optional
        Parameter values that replace the card's, such as an initial state.

    Returns
    -------
    Result
        With the experiment's quantities.

    Raises
    ------
    UnknownNameError, ParameterError, EngineError
    """
    return run_many([(experiment, device, values or {})], engine)[0]


def run_many(
    runs: Sequence[tuple[Experiment, Card | Model, Mapping[str, float]]],
    engine: str = "ngspice",
    *,
    progress: Progress | None = None,
) -> list[Result]:
    """Run several experiments, in parallel where the engine can; see :func:`run`."""
    solve = get_engine(engine)
    jobs = []
    for experiment, device, values in runs:
        model = get_device(device.device) if isinstance(device, Card) else device
        given = device.parameters if isinstance(device, Card) else {}
        jobs.append(
            Job(model=model, values={**given, **values}, bench=experiment.bench(model), experiment=experiment.name)
        )
    results = solve(jobs, progress)
    return [
        replace(result, quantities=experiment.measure(job.model, result))
        for (experiment, _, _), job, result in zip(runs, jobs, results, strict=True)
    ]
