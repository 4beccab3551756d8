"""The batch engine: many devices or stimuli at once, compiled.

The emitted Python equations, compiled by numba, under an adaptive L-stable Rosenbrock method (RODAS3 of Sandu et al.,
Atmos. Environ. 31, 3459 (1997): four stages, order 3 with an embedded order 2) with the emitted Jacobian. The voltage
behind a source's impedance is solved for inside each evaluation. Tested against the reference engine; for Monte Carlo
samples and whole plasticity curves, where one run at a time would take hours.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from . import batch_integrator
from .compiled import load_compiled
from .equations import Equations
from .errors import EngineError, ParameterError, SimulationError
from .model import Model
from .parameters import complete
from .python_code import format_python
from .stimulus import Bench

Compiled = Callable[..., int]


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """Tolerances of the integrator.

    Attributes
    ----------
    reltol, abstol : float
        Of the states in their natural scale, a step.
    max_steps : int
        For one device.
    workers : int or None
        Threads; the machine's processors by default.
    """

    reltol: float = 1e-6
    abstol: float = 1e-9
    max_steps: int = 2_000_000
    workers: int | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Waveforms of many runs.

    Attributes
    ----------
    time : ndarray, shape (m,)
        Seconds.
    signals : mapping of name to ndarray, shape (n, m)
        ``voltage`` and ``current`` of the write port, every state and observable.
    """

    time: np.ndarray
    signals: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.signals[name]


def simulate_batch(
    model: Model,
    values: Mapping[str, ArrayLike],
    benches: Bench | Sequence[Bench],
    times: ArrayLike,
    options: BatchOptions | None = None,
) -> Batch:
    """Run many devices, many stimuli, or many of both pairwise.

    Parameters
    ----------
    model : Model
        With two terminals and without a capacitance.
    values : mapping of name to float or ndarray of shape (n,)
        Parameter values, a device's own where it is an array; the defaults stand for missing ones.
    benches : Bench or sequence of n Bench
        Only the terminals of the write port are driven; one at most has an impedance.
    times : ndarray, shape (m,)
        Output times [s], rising from 0, the same for every run.
    options : BatchOptions, optional

    Returns
    -------
    Batch

    Raises
    ------
    ParameterError, EngineError, SimulationError
    """
    options = options or BatchOptions()
    listed = [benches] if isinstance(benches, Bench) else list(benches)
    many = not isinstance(benches, Bench)
    count = _count(values, len(listed) if many else None)
    parameters = _parameters(model, values, count)
    grid = np.asarray(times, float)
    if grid.ndim != 1 or grid.size < 1 or grid[0] < 0 or np.any(np.diff(grid) <= 0):
        raise ParameterError("batch", ["the output times must rise from 0 or later"])
    stimuli = [_Stimulus.of(model, bench) for bench in listed]
    _refuse_charges(model, parameters[0])
    solve = _compiled(model)
    names = [s.name for s in model.states]
    scales = np.array([s.scale for s in model.states])
    states = np.empty((count, grid.size, len(names)))
    volts = np.empty((count, grid.size))
    status = np.zeros(count, np.int64)
    positions = [model.parameters.index(s.initial_parameter) for s in model.states]

    def run(indices: np.ndarray) -> None:
        for i in indices:
            stimulus = stimuli[i if many else 0]
            status[i] = solve(
                stimulus.time,
                stimulus.voltage,
                stimulus.impedance,
                stimulus.temperature,
                parameters[i],
                parameters[i, positions],
                scales,
                stimulus.hold or parameters[i, -1] >= 0.5,
                grid,
                options.reltol,
                options.abstol,
                options.max_steps,
                states[i],
                volts[i],
            )

    workers = options.workers or os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, np.array_split(np.arange(count), workers)))
    if status.any():
        worst = int(np.argmax(status != 0))
        raise SimulationError(
            "time step too small", f"the batch engine gave up on run {worst} of {count} of '{model.name}'"
        )
    return _batch(model, parameters, stimuli if many else stimuli * count, grid, states, volts)


@dataclass(frozen=True)
class _Stimulus:
    """The voltage between the write port's terminals, and what is between source and device.

    ``impedance`` holds the series resistance [ohm] (0 for none) and the compliance [A] (0 for none).
    """

    time: np.ndarray
    voltage: np.ndarray
    impedance: np.ndarray
    temperature: float
    hold: bool

    @classmethod
    def of(cls, model: Model, bench: Bench) -> _Stimulus:
        plus, minus = model.write
        if len(model.terminals) != 2:
            raise EngineError(f"the batch engine takes devices with two terminals, and '{model.name}' has more")
        bench.check_terminals(model.name, model.terminals)
        impeded = [d for d in bench.drives.values() if d.has_impedance]
        if len(impeded) > 1:
            raise EngineError("the batch engine takes one source with an impedance; use ngspice for the others")
        time = bench.breakpoints
        voltage = sum(
            (sign * bench.drives[t].waveform(time) for t, sign in ((plus, 1.0), (minus, -1.0)) if t in bench.drives),
            np.zeros_like(time),
        )
        source = [impeded[0].resistance, impeded[0].compliance or 0.0] if impeded else [0.0, 0.0]
        return cls(time, voltage, np.array(source), bench.temperature, bench.frozen)


def _count(values: Mapping[str, ArrayLike], benches: int | None) -> int:
    lengths = {name: np.size(v) for name, v in values.items() if np.ndim(v) > 0}
    if benches is not None:
        lengths["benches"] = benches
    if len(set(lengths.values())) > 1:
        raise ParameterError("batch", [f"'{name}' has {n} entries" for name, n in lengths.items()])
    return next(iter(lengths.values()), 1)


def _parameters(model: Model, values: Mapping[str, ArrayLike], count: int) -> np.ndarray:
    """Return every run's parameter values in the model's order, checked, shape (n, n_parameters)."""
    single = complete(model.parameters, {k: float(np.ravel(v)[0]) for k, v in values.items()}, f"device '{model.name}'")
    table = np.tile([single[p.name] for p in model.parameters], (count, 1))
    for k, parameter in enumerate(model.parameters):
        given = values.get(parameter.name)
        if given is None or np.ndim(given) == 0:
            continue
        table[:, k] = given
        for extreme in (np.min(table[:, k]), np.max(table[:, k])):
            if (fault := parameter.fault(float(extreme))) is not None:
                raise ParameterError(f"device '{model.name}'", [fault])
    return table


def _refuse_charges(model: Model, parameters: np.ndarray) -> None:
    if Equations(model, parameters, 300.0).stores_charge([s.initial for s in model.states]):
        raise EngineError("the batch engine takes devices without a capacitance; use the reference engine or ngspice")


def _batch(
    model: Model,
    parameters: np.ndarray,
    stimuli: Sequence[_Stimulus],
    time: np.ndarray,
    states: np.ndarray,
    volts: np.ndarray,
) -> Batch:
    x = [states[:, :, k] for k in range(states.shape[2])]
    p = [parameters[:, k, None] for k in range(parameters.shape[1])]
    equations = Equations(model, p, np.array([s.temperature for s in stimuli])[:, None])
    plus = model.write[0]
    signals = {"voltage": volts, "current": equations.current(plus, {plus: volts}, x)}
    signals |= {s.name: x[k] for k, s in enumerate(model.states)}
    observed = equations.observables({plus: volts}, x)
    signals |= {name: np.broadcast_to(y, volts.shape) for name, y in observed.items()}
    return Batch(time=time, signals=signals)


def _wrappers(model: Model) -> str:
    """Return functions of scalars and arrays around the emitted ones: port current and rates, each with its slopes."""
    plus = model.write[0]
    signs = [1.0 if (w.plus, w.minus) == model.write else -1.0 for w in model.voltages]
    ways = [1.0 if b.plus == plus else -1.0 for b in model.currents]
    volts = ", ".join(f"{s!r} * v" for s in signs)
    states = range(len(model.states))
    pull = " + ".join(f"{w!r} * r[{k}]" for k, w in enumerate(ways))
    slope = " + ".join(f"{w * s!r} * r[{k}][{j}]" for k, w in enumerate(ways) for j, s in enumerate(signs))
    width = len(signs)
    lines = [
        "def port_current(v, x, p, temperature):",
        f"    r = currents(({volts},), x, p, temperature)",
        f"    return {pull}",
        "",
        "def port_slopes(v, x, p, temperature, by_x):",
        f"    r = currents_jacobian(({volts},), x, p, temperature)",
    ]
    for i in states:
        by_state = " + ".join(f"{w!r} * r[{k}][{width + i}]" for k, w in enumerate(ways))
        lines.append(f"    by_x[{i}] = {by_state}")
    lines += [
        f"    return {slope}",
        "",
        "def state_rates(v, x, p, temperature, out):",
        f"    r = rates(({volts},), x, p, temperature)",
        *(f"    out[{i}] = r[{i}]" for i in states),
        "",
        "def state_slopes(v, x, p, temperature, by_v, by_x):",
        f"    r = rates_jacobian(({volts},), x, p, temperature)",
    ]
    for i in states:
        lines.append(f"    by_v[{i}] = " + " + ".join(f"{s!r} * r[{i}][{j}]" for j, s in enumerate(signs)))
        lines += [f"    by_x[{i}, {k}] = r[{i}][{width + k}]" for k in states]
    return "\n".join(lines) + "\n"


def _source(model: Model) -> str:
    """Return the text of the module that numba compiles: equations, wrappers, integrator."""
    constants = "\n".join(f"{name} = {getattr(batch_integrator, name)!r}" for name in batch_integrator.CONSTANTS)
    functions = "\n\n".join(inspect.getsource(part) for part in batch_integrator.PARTS)
    return "\n\n".join([format_python(model), constants, _wrappers(model), functions])


@lru_cache(maxsize=16)
def _compiled(model: Model) -> Compiled:
    """Return the integrator with a model's equations inside."""
    if not model.states:
        raise EngineError(f"the batch engine needs a device with a state, and '{model.name}' has none")
    entry = batch_integrator.PARTS[-1].__name__
    compiled: Compiled = getattr(load_compiled(model.name, _source(model), [entry]), entry)
    return compiled
