"""ngspice with the compiled Verilog-A, where the installed ngspice can load it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..compact.constants import ZERO_CELSIUS
from ..compact.errors import EngineMissingError
from ..compact.model import FROZEN
from ..compact.reference import record
from ..compact.result import Result
from ..compact.stimulus import Drive, Waveform
from ..netlists import ngspice
from ..netlists.ngspice import RawData, SolverOptions
from ..netlists.testbench import DEVICE, Job, impedance_lines, largest_step, piecewise_linear
from .compiler import compile_module
from .module import format_module, reported
from .vacask import parameters_text

_LIBRARY = "device.osdi"


def require_osdi() -> None:
    """Ask the installed ngspice whether it loads compiled Verilog-A.

    Raises
    ------
    EngineMissingError
        It does not, or there is none; the message says which build does.
    """
    if not ngspice.has_osdi():
        raise EngineMissingError(
            f"ngspice {ngspice.version()} cannot load compiled Verilog-A. It takes ngspice 44 or later, built with "
            "--enable-osdi, for the files that openvaf-r makes (OSDI 0.4 or later); Debian's ngspice 39 is built "
            f"without. Set {ngspice.installation.VARIABLE} to such an ngspice, or use the engine 'vacask'"
        )


def format_osdi_bench(job: Job, options: SolverOptions | None = None) -> str:
    """Return the ngspice deck of a job with the compiled module ``device.osdi`` in the place of the subcircuit.

    Nodes and sources have the names of :func:`synspice.netlists.testbench.bench_circuit`; the device is ``ndut``.
    """
    model, bench = job.model, job.bench
    options = replace(options or SolverOptions(), temperature_c=bench.temperature - ZERO_CELSIUS)
    values = model.values(job.values)
    if bench.frozen and model.states:
        values[FROZEN.name] = 1.0
    lines = [f"* {model.name} on a bench, compiled", ".control", f"pre_osdi {_LIBRARY}", ".endc"]
    for terminal in model.terminals:
        drive = bench.drives.get(terminal, Drive(waveform=Waveform.constant(0.0)))
        node = f"{terminal}_source" if drive.has_impedance else terminal
        lines.append(f"V{terminal} {node} 0 {piecewise_linear(drive.waveform)}")
        if drive.has_impedance:
            lines += impedance_lines(terminal, drive, node)
    card = f"{DEVICE}_card"
    instance = parameters_text(model, values, instance=True)
    lines += _wrapped(f".model {card} {model.name} {parameters_text(model, values, instance=False)}")
    lines += _wrapped(f"N{DEVICE} {' '.join(model.terminals)} {card} {instance}")
    saved = [f"v({t})" for t in model.terminals] + [f"i(v{t})" for t in model.terminals]
    saved += [_variable(name) for name, _, _ in reported(model)]
    lines += [
        *options.lines(),
        f".save {' '.join(saved)}",
        options.transient(bench.duration, largest_step(bench)),
        ".end",
    ]
    return "\n".join(lines) + "\n"


def _variable(name: str) -> str:
    return f"@n{DEVICE}[{name}]"


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
    libraries = [compile_module(format_module(job.model)) for job in jobs]
    found: dict[int, RawData] = {}
    for library in dict.fromkeys(libraries):
        places = [k for k, each in enumerate(libraries) if each == library]
        raws = ngspice.run_many(
            [decks[k] for k in places],
            workers=workers,
            timeout=timeout,
            files={_LIBRARY: library},
            progress=None if progress is None else _shifted(progress, len(found), len(jobs)),
        )
        found.update(zip(places, raws, strict=True))
    return [_result(job, found[k], decks[k], options) for k, job in enumerate(jobs)]


def _shifted(progress: Callable[[int, int], None], before: int, total: int) -> Callable[[int, int], None]:
    return lambda done, _: progress(before + done, total)


def _result(job: Job, raw: RawData, deck: str, options: SolverOptions) -> Result:
    model, bench = job.model, job.bench
    plot = raw.plot("tran")

    def real(name: str) -> np.ndarray:
        return np.asarray(plot[name].real, float)

    rows = {f"v_{t}": real(f"v({t})") for t in model.terminals}
    rows |= {f"i_{t}": -real(f"i(v{t})") for t in model.terminals}
    rows |= {name: real(_variable(name)) for name, _, _ in reported(model)}
    return record(
        model,
        job.values,
        bench,
        experiment=job.experiment,
        engine="ngspice-osdi",
        engine_version=f"ngspice {ngspice.version()} with OSDI",
        time=np.asarray(plot.scale, float),
        rows=rows,
        options=options.record(largest_step(bench)),
        deck=deck,
    )
