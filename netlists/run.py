"""Run an experiment: the same one on every engine, with the same record back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from importlib import import_module
from typing import Any, TypeVar, cast

from ..compact.card import Card
from ..compact.errors import ParameterError, UnknownNameError, nearest
from ..compact.model import Model
from ..compact.reference import ReferenceOptions, simulate
from ..compact.registry import get_device
from ..compact.result import Result
from .experiments import Experiment
from .ngspice import SolverOptions
from .testbench import Job, run_ngspice

Progress = Callable[[int, int], None]
Engine = Callable[[Sequence[Job], Progress | None, Mapping[str, Any]], list[Result]]
Options = TypeVar("Options")


def _reference(jobs: Sequence[Job], progress: Progress | None, given: Mapping[str, Any]) -> list[Result]:
    options = engine_options(ReferenceOptions, given, "reference")
    results = []
    for k, job in enumerate(jobs):
        results.append(simulate(job.model, job.values, job.bench, options=options, experiment=job.experiment))
        if progress is not None:
            progress(k + 1, len(jobs))
    return results


def _ngspice(jobs: Sequence[Job], progress: Progress | None, given: Mapping[str, Any]) -> list[Result]:
    return run_ngspice(jobs, options=engine_options(SolverOptions, given, "ngspice"), progress=progress)


def engine_options(kind: type[Options], given: Mapping[str, Any], engine: str) -> Options:
    """Return an engine's options, some given by name; each has the type of its default."""
    known = {f.name: f.default for f in fields(cast("Any", kind)) if f.name != "temperature_c"}  # the bench says it
    faults = [f"no option '{name}'{nearest(name, known)}" for name in given if name not in known]
    chosen = {}
    for name, value in given.items():
        default = known.get(name)
        number = not isinstance(default, bool | str)
        if (
            isinstance(default, int)
            and not isinstance(default, bool)
            and isinstance(value, float)
            and value.is_integer()
        ):
            value = int(value)
        if number and (isinstance(value, bool | str) or not value > 0):
            faults.append(f"{name} = {value!r} must be a number above 0")
        elif isinstance(default, bool | int | str) and type(value) is not type(default):
            faults.append(f"{name} = {value!r} is not like its default {default!r}")
        chosen[name] = value
    if faults:
        raise ParameterError(f"options of engine '{engine}'", faults)
    return kind(**chosen)


def _vacask(jobs: Sequence[Job], progress: Progress | None, given: Mapping[str, Any]) -> list[Result]:
    vacask: Any = import_module(
        "synspice.veriloga.vacask"
    )  # a folder above this one: loaded only where it is asked for
    options = engine_options(vacask.VacaskOptions, given, "vacask")
    results: list[Result] = vacask.run_vacask(jobs, options=options, progress=progress)
    return results


ENGINES: dict[str, Engine] = {
    "reference": _reference,
    "ngspice": _ngspice,
    "vacask": _vacask,
}
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
    options: Mapping[str, Any] | None = None,
) -> Result:
    """Run an experiment on a device and measure it.

    Parameters
    ----------
    experiment : Experiment
    device : Card or Model
        A card, or a model with its default values.
    engine : str
        ``reference``, ``ngspice`` or ``vacask``.
    values : mapping of name to float, optional
        Parameter values that replace the card's, such as an initial state.
    options : mapping of name to value, optional
        Solver options that replace the engine's own: fields of `SolverOptions` for ngspice, of `ReferenceOptions` for
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
