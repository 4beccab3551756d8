"""How far two forms of a model are apart: waveforms, and compiled equations against the Python emitter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..compact.model import DTEMP, FROZEN, Branch, Model
from ..compact.parameters import Parameter
from ..compact.python_code import compile_python
from ..compact.result import Result
from ..compact.stimulus import Bench
from .evaluation import CompiledModule, Evaluation

NEGLIGIBLE = 1e-8
"""An entry below this part of the largest in its row is held against that part: it is what cancellation left over."""

SMALLEST = 1e-3
"""Least full scale of a voltage, in the source's, and of a state without a range, in its scale."""

SMALLEST_SHARE = 1e-6
"""Least full scale of a current, in that of the port."""

SMALLEST_CURRENT = 1e-15
"""Least full scale of any current [A]."""


def waveform_error(model: Model, bench: Bench, found: Result, reference: Result) -> float:
    """Return the largest of :func:`signal_errors`."""
    return max(signal_errors(model, bench, found, reference).values())


def signal_errors(model: Model, bench: Bench, found: Result, reference: Result) -> dict[str, float]:
    """Return the largest distance between two runs' curves of each signal, in full scales.

    The distance of a point from the reference's curve is the smallest d with which the curve has a point at most d of
    the signal's full scale above or below, and at most d of the stimulus' segment earlier or later. A device that
    switches abruptly is thereby held to the time and to the height of its step, where the difference at equal times
    would be the whole step for any shift in time. Where nothing is abrupt it is the difference at equal times. The
    current of a charge jumps at the stimulus' corners, where either value is right: those instants are left out.

    Parameters
    ----------
    model : Model
    bench : Bench
    found, reference : Result
        The reference is to have the times of `found`, for interpolation is an error too.

    Returns
    -------
    dict
        The currents, the port voltage, the states and the observables by name. A state's full scale is its range, any other
        signal's the reference's largest magnitude, unless that is far below the rest of the bench.
    """
    marks = bench.breakpoints
    segment = np.clip(np.searchsorted(marks, found.time, side="left") - 1, 0, len(marks) - 2)
    lengths = np.diff(marks)[segment]
    names = [n for n in ("current", "voltage", "read_current") if n in found.signals]
    names += [s.name for s in model.states] + [o.name for o in model.observables]
    inside = between_corners(bench, found.time)
    errors = {}
    for name in names:
        distance = _distances(found, reference, name, lengths, _full_scale(model, bench, name, reference))
        jumps = bool(model.charges) and name.endswith("current")
        errors[name] = float(np.max(distance[inside] if jumps else distance))
    return errors


def between_corners(bench: Bench, time: np.ndarray) -> np.ndarray:
    """Return which instants are at no corner of the stimulus, where the current of a charge jumps; boolean, shape (n,)."""
    return np.asarray(np.min(np.abs(time[:, None] - bench.breakpoints), axis=1) > 1e-9 * bench.duration)


def _full_scale(model: Model, bench: Bench, name: str, reference: Result) -> float:
    """Return what a signal's error is measured against: its range, or its largest magnitude where it has none.

    What is far below the rest of its bench is measured against that: the voltage of a shorted port against a thousandth of
    the source's, a state without a range that barely moves against a thousandth of its scale.
    """
    largest = max(float(np.max(np.abs(reference[name]))), 1e-30)
    state = next((s for s in model.states if s.name == name), None)
    if state is not None:
        span = state.upper - state.lower
        return span if np.isfinite(span) else max(largest, SMALLEST * state.scale)
    unit = next((o.unit for o in model.observables if o.name == name), "V" if name == "voltage" else "A")
    if unit == "V":
        return max(largest, SMALLEST * max(float(np.max(np.abs(d.waveform.value))) for d in bench.drives.values()))
    if unit == "A":
        return max(largest, SMALLEST_SHARE * float(np.max(np.abs(reference["current"]))), SMALLEST_CURRENT)
    return largest


def _distances(found: Result, reference: Result, name: str, lengths: np.ndarray, scale: float) -> np.ndarray:
    """Return each point's distance from the reference's curve of a signal, shape of ``found.time``."""
    time, value = found.time, found[name]
    times, curve = reference.time, reference[name]
    distance = np.asarray(np.abs(value - np.interp(time, times, curve)) / scale)
    for k in np.flatnonzero(distance > 1e-5):
        reach = distance[k] * lengths[k]
        first, last = np.searchsorted(times, (time[k] - reach, time[k] + reach))
        near = slice(max(first - 1, 0), last + 1)
        across, up = (times[near] - time[k]) / lengths[k], (curve[near] - value[k]) / scale
        distance[k] = min(distance[k], _from_polyline(across, up))
    return distance


def _from_polyline(x: np.ndarray, y: np.ndarray) -> float:
    """Return the least max(abs(x), abs(y)) on the line through points, each of shape (n,).

    On a segment it is reached at an end, or where x, y, x - y or x + y is 0.
    """
    best = float(np.min(np.maximum(np.abs(x), np.abs(y))))
    dx, dy = np.diff(x), np.diff(y)
    for start, step in ((x[:-1], dx), (y[:-1], dy), (x[:-1] - y[:-1], dx - dy), (x[:-1] + y[:-1], dx + dy)):
        moves = step != 0
        part = np.clip(-start[moves] / step[moves], 0.0, 1.0)
        sizes = np.maximum(np.abs(x[:-1][moves] + part * dx[moves]), np.abs(y[:-1][moves] + part * dy[moves]))
        best = min(best, float(np.min(sizes, initial=np.inf)))
    return best


def python_evaluation(
    model: Model,
    values: Mapping[str, float],
    temperature: float,
    potentials: Sequence[float],
    deviations: Sequence[float],
) -> Evaluation:
    """Return what the Python emitter computes at a point, in the terms of a compiled module (see `Evaluation`)."""
    functions = compile_python(model.apart)
    complete = model.values(values)
    p = [complete[q.name] for q in model.parameters]
    scales = np.array([s.scale for s in model.states])
    moves = np.diag(scales)
    for k, leader in enumerate(model.leaders):
        if leader is not None:
            moves[k, model.states.index(leader)] = leader.scale
    x = (np.array(model.initial_states(complete)) + moves @ np.asarray(deviations, float)).tolist()
    place = {t: k for k, t in enumerate(model.terminals)}
    v = [potentials[place[w.plus]] - potentials[place[w.minus]] for w in model.voltages]
    point = (v, x, p, temperature)
    incidence = np.array([[float(t == w.plus) - float(t == w.minus) for t in model.terminals] for w in model.voltages])
    inputs = np.block(
        [
            [incidence, np.zeros((len(model.voltages), len(model.states)))],
            [np.zeros((len(model.states), len(model.terminals))), moves],
        ]
    )

    def at_terminals(branches: Sequence[Branch], rows: np.ndarray) -> np.ndarray:
        signs = [[float(t == b.plus) - float(t == b.minus) for b in branches] for t in model.terminals]
        return np.asarray(np.array(signs).reshape(len(model.terminals), len(branches)) @ rows)

    columns = len(model.voltages) + len(model.states)

    def slopes(rows: object) -> np.ndarray:
        return np.asarray(np.array(rows, dtype=float).reshape(-1, columns) @ inputs)

    return Evaluation(
        currents=at_terminals(model.currents, np.array(functions.currents(*point), float)),
        charges=at_terminals(model.charges, np.array(functions.charges(*point), float)),
        rates=np.array(functions.rates(*point), float) / scales,
        current_slopes=at_terminals(model.currents, slopes(functions.currents_jacobian(*point))),
        charge_slopes=at_terminals(model.charges, slopes(functions.charges_jacobian(*point))),
        rate_slopes=slopes(functions.rates_jacobian(*point)) / scales[:, None],
    )


def compiled_errors(
    module: CompiledModule,
    samples: int,
    *,
    values: Mapping[str, float] | None = None,
    voltage: float = 1.0,
    seed: int = 0,
) -> dict[str, float]:
    """Return the largest relative errors of a compiled module at random voltages, states, temperatures and parameters.

    Parameters
    ----------
    module : CompiledModule
    samples : int
        Points, each with parameters of its own.
    values : mapping of name to float, optional
        About which the parameters are drawn; the defaults by default.
    voltage : float
        Largest potential of a terminal [V].
    seed : int

    Returns
    -------
    dict
        ``residual``, ``charge``, ``rate`` and ``jacobian``.
    """
    model = module.model
    generator = np.random.default_rng(seed)
    worst = dict.fromkeys(("residual", "charge", "rate", "jacobian"), 0.0)
    for _ in range(samples):
        drawn = random_values(model, values or {}, generator)
        temperature = float(generator.uniform(250.0, 400.0))
        potentials = generator.uniform(-voltage, voltage, len(model.terminals)).tolist()
        starts = model.initial_states(model.values(drawn))
        deviations = [
            (float(_state(s.lower, s.upper, s.scale, generator)) - start) / s.scale
            for s, start in zip(model.states, starts, strict=True)
        ]
        found = module.at(drawn, temperature).evaluate(potentials, deviations)
        expected = python_evaluation(model, drawn, temperature, potentials, deviations)
        pairs = {
            "residual": [(found.currents, expected.currents)],
            "charge": [(found.charges, expected.charges)],
            "rate": [(found.rates[k : k + 1], expected.rates[k : k + 1]) for k in range(len(model.states))],
            "jacobian": [
                (row, wanted)
                for name in ("current_slopes", "charge_slopes", "rate_slopes")
                for row, wanted in zip(getattr(found, name), getattr(expected, name), strict=True)
            ],
        }
        for name, rows in pairs.items():
            worst[name] = max([worst[name], *(relative_error(a, b) for a, b in rows)])
    return worst


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest relative error of a row's entries; one below `NEGLIGIBLE` of the largest against that part."""
    if expected.size == 0:
        return 0.0
    floor = max(NEGLIGIBLE * float(np.max(np.abs(expected))), 1e-250)
    return float(np.max(np.abs(found - expected) / np.maximum(np.abs(expected), floor)))


def random_values(
    model: Model, about: Mapping[str, float], generator: np.random.Generator, spread: float = 10.0
) -> dict[str, float]:
    """Return random values of every parameter but ``frozen`` and ``dtemp``, within its bounds.

    Parameters
    ----------
    model : Model
    about : mapping of name to float
        About which the material's are drawn; the defaults stand for missing ones.
    generator : numpy.random.Generator
    spread : float
        Factor by which a value without both bounds may differ from the one it is drawn about.
    """
    complete = model.values(about)
    chosen = [p for p in model.parameters if p.name not in (FROZEN.name, DTEMP.name)]
    return {p.name: _draw(p, complete[p.name], generator, spread) for p in chosen}


def _draw(p: Parameter, about: float, generator: np.random.Generator, spread: float) -> float:
    factor = float(spread ** generator.uniform(-1.0, 1.0))
    if np.isfinite(p.lower) and np.isfinite(p.upper):
        margin = 1e-6 * (p.upper - p.lower)
        low, high = p.lower + margin * p.lower_open, p.upper - margin * p.upper_open
        return float(generator.uniform(low, high))
    if about == 0.0:
        value = float(10.0 ** generator.uniform(-12.0, 3.0))
        return value if p.fault(value) is None else about
    value = about * factor
    return value if p.fault(value) is None else about


def _state(lower: float, upper: float, scale: float, generator: np.random.Generator) -> float:
    """Draw a state, up to a tenth of its range past either bound."""
    low = lower if np.isfinite(lower) else -10.0 * scale
    high = upper if np.isfinite(upper) else 10.0 * scale
    return float(generator.uniform(low - 0.1 * (high - low), high + 0.1 * (high - low)))
