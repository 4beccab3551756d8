"""ngspice with the compiled Verilog-A in the place of the subcircuit, where the installed ngspice can load it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..compact.constants import ZERO_CELSIUS
from ..compact.errors import EngineMissingError
from ..compact.model import FROZEN, Model
from ..compact.reference import record
from ..compact.result import Result
from ..compact.stimulus import Drive, Waveform
from ..netlists import ngspice
from ..netlists.bias_points import Form, held_values
from ..netlists.ngspice import Plot, SolverOptions
from ..netlists.steps import largest_step
from ..netlists.testbench import DEVICE, Job, impedance_lines, piecewise_linear
from .compiler import compile_module
from .module import format_module
from .vacask import parameters_text

ENGINE = "ngspice-osdi"


def require_osdi() -> None:
    """Ask the installed ngspice whether it loads compiled Verilog-A.

    Raises
    ------
    EngineMissingError
        It does not, or there is none; the message says which build does.
    """
    if not ngspice.has_osdi():
        raise EngineMissingError(
            f"ngspice {ngspice.version()} ({ngspice.find_executable()}) cannot load compiled Verilog-A: it is built without "
            "OSDI, as Debian 12's ngspice 39 is. It takes ngspice 44 or later, built with --enable-osdi, for the files that "
            "openvaf-r makes; Debian 13's ngspice 44.2 is such a build. "
            f"Set {ngspice.installation.VARIABLE} to the path of one, or use the engine 'vacask' or 'ngspice'"
        )


def engine_version() -> str:
    """Return what a result says of the simulator."""
    return f"ngspice {ngspice.version()} with OSDI"


def library_name(model: Model) -> str:
    """Return the name by which a deck loads a compiled model."""
    return f"{model.name}_{model.definition_hash}.osdi"


def libraries(models: Iterable[Model]) -> dict[str, Path]:
    """Compile models, and return the files by their names in a deck."""
    return {library_name(model): compile_module(format_module(model)) for model in dict.fromkeys(models)}


def load_lines(models: Iterable[Model]) -> list[str]:
    """Return the lines that load compiled models.

    ngspice evaluates compiled devices in ``num_threads`` threads, two by default, which it starts anew at every evaluation:
    80 to 100 us a time point. One thread needs no start: 6 us in ngspice 44.2, 2.4 us in 47.
    """
    loaded = [f"pre_osdi {library_name(model)}" for model in dict.fromkeys(models)]
    return [".control", "set num_threads=1", *loaded, ".endc"]


def card_lines(card: str, model: Model, values: Mapping[str, float]) -> list[str]:
    """Return the model card of a complete set of values."""
    return _wrapped(f".model {card} {model.name} {parameters_text(model, values, instance=False)}")


def instance_lines(name: str, nodes: str, card: str, model: Model, values: Mapping[str, float]) -> list[str]:
    """Return the instance ``n<name>`` with a complete set of values.

    The values have to be checked: ngspice 47 crashes at an instance parameter that is out of its range.
    """
    return _wrapped(f"N{name} {nodes} {card} {parameters_text(model, values, instance=True)}")


def saved_names(name: str, model: Model) -> list[str]:
    """Return what a deck saves of an instance for :func:`device_rows`."""
    return [f"@n{name}[{item}]" for item in _reported(model)]


def device_rows(plot: Plot, name: str, model: Model) -> dict[str, np.ndarray]:
    """Return the states and the observables of an instance, each of shape (n,)."""
    saved = saved_names(name, model)
    return {item: real(plot, _vector(plot, vector)) for item, vector in zip(_reported(model), saved, strict=True)}


def _reported(model: Model) -> list[str]:
    return [s.name for s in model.states] + [o.name for o in model.observables]


def _vector(plot: Plot, saved: str) -> str:
    """Return a saved variable's name in the raw file: bare, or as a voltage or a current, by what its unit is."""
    names = (saved.lower(), f"v({saved.lower()})", f"i({saved.lower()})")
    return next((name for name in names if name in plot.names), saved)


def real(plot: Plot, name: str) -> np.ndarray:
    """Return a saved vector, shape (n,)."""
    return np.asarray(plot[name].real, float)


def compiled_form(model: Model, values: Mapping[str, float]) -> Form:
    """Return a device as its compiled module, for :mod:`synspice.netlists.bias_points`."""
    require_osdi()
    held = held_values(model, values)
    return Form(
        head=[*load_lines([model]), *card_lines("card", model, held)],
        instance=lambda name, nodes: "\n".join(instance_lines(name, nodes, "card", model, held)),
        files=libraries([model]),
    )


def format_osdi_bench(job: Job, options: SolverOptions | None = None) -> str:
    """Return the ngspice deck of a job with the compiled module in the place of the subcircuit.

    Nodes and sources have the names of :func:`synspice.netlists.testbench.bench_circuit`; the device is ``ndut``.
    """
    model, bench = job.model, job.bench
    options = replace(options or SolverOptions(), temperature_c=bench.temperature - ZERO_CELSIUS)
    values = model.values(job.values)
    if bench.frozen and model.states:
        values[FROZEN.name] = 1.0
    lines = [f"* {model.name} on a bench, compiled", *load_lines([model])]
    for terminal in model.terminals:
        drive = bench.drives.get(terminal, Drive(waveform=Waveform.constant(0.0)))
        node = f"{terminal}_source" if drive.has_impedance else terminal
        lines.append(f"V{terminal} {node} 0 {piecewise_linear(drive.waveform)}")
        if drive.has_impedance:
            lines += impedance_lines(terminal, drive, node)
    lines += card_lines("card", model, values)
    lines += instance_lines(DEVICE, " ".join(model.terminals), "card", model, values)
    saved = [f"v({t})" for t in model.terminals] + [f"i(v{t})" for t in model.terminals]
    lines += [
        *options.lines(),
        f".save {' '.join([*saved, *saved_names(DEVICE, model)])}",
        options.transient(bench.duration, largest_step(bench)),
        ".end",
    ]
    return "\n".join(lines) + "\n"


def _wrapped(line: str, words: int = 6) -> list[str]:
    parts = line.split()
    return [("+ " if k else "") + " ".join(parts[k : k + words]) for k in range(0, len(parts), words)]


def run_ngspice_osdi(
    jobs: Sequence[Job],
    *,
    options: SolverOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Run jobs in ngspice with the compiled Verilog-A; see :func:`synspice.netlists.testbench.run_ngspice`.

    Raises
    ------
    EngineMissingError
        The installed ngspice has no OSDI, or openvaf-r is not installed.
    SimulationError, EngineError
    """
    require_osdi()
    options = options or SolverOptions()
    decks = [format_osdi_bench(job, options) for job in jobs]
    raws = ngspice.run_many(
        decks, workers=workers, timeout=timeout, files=libraries(job.model for job in jobs), progress=progress
    )
    return [_result(job, raw.plot("tran"), deck, options) for job, raw, deck in zip(jobs, raws, decks, strict=True)]


def _result(job: Job, plot: Plot, deck: str, options: SolverOptions) -> Result:
    model, bench = job.model, job.bench
    rows = {f"v_{t}": real(plot, f"v({t})") for t in model.terminals}
    rows |= {f"i_{t}": -real(plot, f"i(v{t})") for t in model.terminals}
    return record(
        model,
        job.values,
        bench,
        experiment=job.experiment,
        engine=ENGINE,
        engine_version=engine_version(),
        time=np.asarray(plot.scale, float),
        rows=rows | device_rows(plot, DEVICE, model),
        options=options.record(largest_step(bench)),
        deck=deck,
    )
