"""Run an experiment: the same one on every engine, with the same record back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..compact.card import Card
from ..compact.errors import UnknownNameError
from ..compact.model import Model
from ..compact.reference import ReferenceOptions, simulate
from ..compact.registry import get_device
from ..compact.result import Result
from .engines import Engine, Progress, ngspice_engine, osdi_engine, reference_engine, vacask_engine
from .experiments import Experiment
from .testbench import Job, run_ngspice


def _reference(job: Job, options: ReferenceOptions) -> Result:
    return simulate(job.model, job.values, job.bench, options=options, experiment=job.experiment)


ENGINES: dict[str, Engine[Job]] = {
    "reference": reference_engine(_reference),
    "ngspice": ngspice_engine(run_ngspice),
    "ngspice-osdi": osdi_engine("osdi", "run_ngspice_osdi"),
    "vacask": vacask_engine("network", "run_vacask"),
}
"""Every engine by the name that the command line uses."""


def get_engine(name: str) -> Engine[Job]:
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
    options: Mapping[str, Any] | None = None,
) -> Result:
    """Run an experiment on a device and measure it.

    Parameters
    ----------
    experiment : Experiment
    device : Card or Model
        A card, or a model with its default values.
    engine : str
        ``reference``, ``ngspice``, ``ngspice-osdi`` or ``vacask``.
    values : mapping of name to float, optional
        Parameter values that replace the card's, such as an initial state.
    options : mapping of name to value, optional
        Solver options that replace the engine's own: fields of `SolverOptions` for ngspice and ngspice-osdi, of `ReferenceOptions` for
        the reference, of `VacaskOptions` for VACASK.

    Returns
    -------
    Result
        With the experiment's quantities.

    Raises
    ------
    UnknownNameError, ParameterError, EngineError
    """
    return run_many([(experiment, device, values or {})], engine, options=options)[0]


def run_many(
    runs: Sequence[tuple[Experiment, Card | Model, Mapping[str, float]]],
    engine: str = "ngspice",
    *,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
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
    results = solve(jobs, progress, options or {})
    return [
        replace(result, quantities=experiment.measure(job.model, result))
        for (experiment, _, _), job, result in zip(runs, jobs, results, strict=True)
    ]
