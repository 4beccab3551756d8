"""Engines by the name that the command line uses: jobs and options by name in, results out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from typing import Any, TypeVar, cast

from ..compact.errors import ParameterError, nearest
from ..compact.network_reference import ReferenceOptions
from ..compact.result import Result
from .ngspice import SolverOptions

Progress = Callable[[int, int], None]
Job = TypeVar("Job")
Engine = Callable[[Sequence[Job], Progress | None, Mapping[str, Any]], list[Result]]
Options = TypeVar("Options")


def reference_engine(solve: Callable[[Job, ReferenceOptions], Result]) -> Engine[Job]:
    """Return the reference engine of one kind of job: one after the other."""

    def run(jobs: Sequence[Job], progress: Progress | None, given: Mapping[str, Any]) -> list[Result]:
        options = engine_options(ReferenceOptions, given, "reference")
        results = []
        for k, job in enumerate(jobs):
            results.append(solve(job, options))
            if progress is not None:
                progress(k + 1, len(jobs))
        return results

    return run


def ngspice_engine(solve: Callable[..., list[Result]]) -> Engine[Any]:
    """Return ngspice for one kind of job."""

    def run(jobs: Sequence[Any], progress: Progress | None, given: Mapping[str, Any]) -> list[Result]:
        return solve(jobs, options=engine_options(SolverOptions, given, "ngspice"), progress=progress)

    return run


def vacask_engine(module: str, function: str) -> Engine[Any]:
    """Return VACASK for one kind of job; the folder above this one is loaded where it is asked for."""

    def run(jobs: Sequence[Any], progress: Progress | None, given: Mapping[str, Any]) -> list[Result]:
        loaded: Any = import_module(f"synspice.veriloga.{module}")
        options = engine_options(loaded.VacaskOptions, given, "vacask")
        results: list[Result] = getattr(loaded, function)(jobs, options=options, progress=progress)
        return results

    return run


def vacask_options() -> type[Any]:
    """Return VACASK's options; the folder above this one is loaded where it is asked for."""
    kind: type[Any] = import_module("synspice.veriloga.vacask").VacaskOptions
    return kind


def osdi_engine(module: str, function: str) -> Engine[Any]:
    """Return ngspice with compiled Verilog-A for one kind of job; the folder above this one is loaded where it is asked for."""

    def run(jobs: Sequence[Any], progress: Progress | None, given: Mapping[str, Any]) -> list[Result]:
        solve = getattr(import_module(f"synspice.veriloga.{module}"), function)
        results: list[Result] = solve(
            jobs, options=engine_options(SolverOptions, given, "ngspice-osdi"), progress=progress
        )
        return results

    return run


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
