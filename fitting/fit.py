"""A staged fit of a device to measured data: starting values, what the data can determine, then everything together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..compact.card import Card, Value
from ..compact.errors import FitError as FitFailure
from ..compact.errors import ParameterError, SimulationError, nearest
from ..compact.model import Model
from ..compact.parameters import Parameter
from .cycles import own_values
from .least_squares import Assembly, Coordinate, Solution, determined, solve
from .observation import HoldOut, Observation, initial_state, observations
from .readers import Dataset
from .result import FitError, FitResult, FittedParameter
from .starting import CONDUCTION, STARTING_VALUES, stages_of

EXPECTED_NOISE = {"linear": 0.005, "log": 0.1}
"""Root mean square residual of a good fit, for the choice of what can be determined."""

POOR = {"linear": 0.1, "log": 0.5}
"""In-sample error from which a note says that the device does not follow the data: of the conductance window, in decades."""

CORRELATED = 3.0
"""Factor on standard errors where a decision hangs on them: neighbouring residuals of a curve err together."""


@dataclass(frozen=True)
class Fit:
    """A fit with all that a report draws.

    Attributes
    ----------
    model : Model
    result : FitResult
    observed : tuple of Observation
        All of them, fitted and held out.
    fitted : tuple of Observation
        The curves that the fit saw: means over the ramps, single sweeps.
    values : tuple of dict
        Parameter values for each of ``observed``, its initial state included.
    currents : tuple of ndarray
        The reference engine's current at the times of each of ``observed`` [A]; NaN where the device cannot be simulated.
    """

    model: Model
    result: FitResult
    observed: tuple[Observation, ...]
    fitted: tuple[Observation, ...]
    values: tuple[dict[str, float], ...]
    currents: tuple[np.ndarray, ...]


def fit_dataset(
    dataset: Dataset,
    model: Model,
    *,
    start: Mapping[str, float] | None = None,
    fixed: Mapping[str, float] | None = None,
    hold_out: HoldOut = "even",
    progress: Callable[[str], None] | None = None,
    name: str | None = None,
) -> Fit:
    """Fit a device to a data set.

    Parameters
    ----------
    dataset : Dataset
    model : Model
    start : mapping of name to value, optional
        Starting values; closed-form estimates and the defaults stand for the rest.
    fixed : mapping of name to value, optional
        Parameters that are held.
    hold_out : {"even", "odd", "none"}
        Which records of each group the fit must not see.
    progress : callable of text, optional
        Told what is going on.
    name : str, optional
        Name of the card.

    Returns
    -------
    Fit

    Raises
    ------
    FitError
        If these data cannot be fitted with this device.
    ParameterError
        If a start or fixed value is unknown or out of range.
    """
    start, fixed = dict(start or {}), dict(fixed or {})
    _check_names(model, start, fixed)
    if not model.states:
        raise FitFailure(f"device '{model.name}' has no state: pulse and sweep fits are for devices with memory")
    observed, notes = observations(dataset, model, hold_out)
    fitted = _curves_to_fit(observed)
    guess = STARTING_VALUES[model.name](fitted) if model.name in STARTING_VALUES else {}
    values = model.values({**guess, **start, **fixed}, "starting values")
    say = progress or (lambda _: None)
    end = _staged(model, fitted, values, fixed, say)
    return _conclude(model, dataset, observed, fitted, end, notes, name, say)


def _check_names(model: Model, start: Mapping[str, float], fixed: Mapping[str, float]) -> None:
    known = {p.name for p in model.parameters}
    faults = [f"no parameter '{n}'{nearest(n, known)}" for n in {**start, **fixed} if n not in known]
    faults += [f"'{n}' is given as a start and as fixed" for n in start if n in fixed]
    if faults:
        raise ParameterError(f"fit of '{model.name}'", faults)


def _curves_to_fit(observed: Sequence[Observation]) -> list[Observation]:
    """Return the mean of the ramps of each group that are not held out, and every sweep that is not."""
    curves = []
    for group in dict.fromkeys(o.group for o in observed):
        members = [o for o in observed if o.group == group and not o.held_out]
        curves += [_mean(members)] if members[0].scale == "linear" else members
    return curves


def _mean(ramps: Sequence[Observation]) -> Observation:
    shortest = min(ramps, key=lambda r: r.times.size)
    same = all(np.allclose(r.times[: shortest.times.size], shortest.times) for r in ramps)
    if not same or len(ramps) == 1:
        return shortest
    current = np.mean([r.current[: shortest.times.size] for r in ramps], axis=0)
    read = shortest.first_read[0]
    return replace(
        shortest,
        label=f"mean of {len(ramps)} {shortest.group}s",
        current=current,
        size=float(np.ptp(current)),
        first_read=(read, float(current[0])),
    )


@dataclass
class _State:
    """Where a staged fit stands."""

    values: dict[str, float]
    point: dict[str, float]
    chosen: list[Coordinate]
    solution: Solution | None = None
    evaluations: int = 0


def _staged(
    model: Model,
    fitted: list[Observation],
    values: dict[str, float],
    fixed: Mapping[str, float],
    say: Callable[[str], None],
) -> _State:
    """Fit stage by stage: add what the data can determine, solve, drop what turned out undetermined, until good enough."""
    state_parameter = model.states[0].initial_parameter
    parameters = {p.name: p for p in model.parameters}
    only_ramps = all(o.scale == "linear" for o in fitted)
    hidden = set(fixed) | (set(CONDUCTION.get(model.name, ())) if only_ramps else set())
    noise = EXPECTED_NOISE[fitted[0].scale]
    now = _State(values=values, point={}, chosen=[])
    if state_parameter.name not in fixed:
        now.chosen = [Coordinate(f"{state_parameter.name}@{k}", state_parameter, k) for k in range(len(fitted))]
        now.point = {
            c.key: initial_state(model, values, o.first_read, o.bench.temperature)
            for c, o in zip(now.chosen, fitted, strict=True)
        }
    for number, stage in enumerate(stages_of(model, fitted[0].scale), start=1):
        if now.solution is not None and np.sqrt(now.solution.cost / len(fitted)) < 2 * noise:
            break
        offered = [Coordinate(n, parameters[n]) for n in stage if n not in hidden]
        now.point |= {c.key: now.values[c.key] for c in offered}
        say(f"stage {number}: finding what the data can determine")
        assembly = Assembly(model, now.values, fitted, [*now.chosen, *offered])
        try:
            able = set(determined(assembly, now.point, noise))
        except SimulationError as error:
            raise FitFailure(f"the device cannot be simulated at the starting values: {error}") from error
        now.evaluations += assembly.evaluations
        now.chosen = [*now.chosen, *(c for c in offered if c.key in able)]
        _solve_and_prune(model, fitted, now, values, say, f"stage {number}")
    if now.solution is None or all(c.observation is not None for c in now.chosen):
        raise FitFailure("the data determine none of the device's parameters; check units, polarity and the stimulus")
    return now


def _solve_and_prune(
    model: Model,
    fitted: list[Observation],
    now: _State,
    start: Mapping[str, float],
    say: Callable[[str], None],
    label: str,
) -> None:
    """Solve; drop the least determined parameter, back to its start, and solve again, until all are determined."""
    while now.chosen:
        assembly = Assembly(model, now.values, fitted, now.chosen)
        now.solution = solve(assembly, now.point, progress=say, label=label)
        now.evaluations += assembly.evaluations
        now.point |= now.solution.point
        now.values = now.values | {c.key: now.solution.point[c.key] for c in now.chosen if c.observation is None}
        doubtful = [c for c in now.chosen if c.observation is None and _is_undetermined(c, now.solution)]
        if not now.solution.converged or not doubtful:
            return
        worst = max(doubtful, key=lambda c: (now.solution.inner_stderr[c.key] or np.inf) / c.natural_step)  # type: ignore[union-attr]
        now.chosen = [c for c in now.chosen if c is not worst]
        now.values = now.values | {worst.key: start[worst.key]}


def _conclude(
    model: Model,
    dataset: Dataset,
    observed: Sequence[Observation],
    fitted: Sequence[Observation],
    end: _State,
    notes: list[str],
    name: str | None,
    say: Callable[[str], None],
) -> Fit:
    solution, values = end.solution, end.values
    assert solution is not None
    own = {c.key for c in end.chosen if c.observation is None}
    per_curve = _values_per_curve(model, observed, fitted, solution, values)
    currents = _currents(model, observed, per_curve)
    errors = _errors(observed, fitted, currents)
    limit = POOR["linear" if fitted[0].scale == "linear" else "log"]
    poor = [e for e in errors if e.in_sample is not None and not e.in_sample <= limit]
    if poor:
        where = ", ".join(f"{e.data} ({e.in_sample:.2g} {e.metric})" for e in poor)
        notes.append(
            f"the device does not follow these data: {where}; look at the figures of the report, and try other starting values "
            "or another device"
        )
    own_cycles = own_values(model, observed, per_curve, say) if solution.converged else {}
    if own_cycles:
        per_curve = tuple(own_cycles[k][1] if k in own_cycles else v for k, v in enumerate(per_curve))
        currents = _currents(model, observed, per_curve)
        names = " or ".join(sorted({n for n, _ in own_cycles.values()}))
        errors += _errors(observed, fitted, currents, f"each with its own {names}")
        notes.append(
            "cycle-to-cycle variation: each sweep, held-out ones too, was also given its own initial state and its own "
            f"{names}, the rest of the card as it is; the figures show these"
        )
    held = tuple(n for stage in stages_of(model, fitted[0].scale) for n in stage if n not in own)
    if held:
        notes.append("held at their starting values, since these data do not determine them: " + ", ".join(held))
    parameters = {
        p.name: FittedParameter(
            value=values[p.name],
            unit=p.unit,
            stderr=solution.stderr.get(p.name) if p.name in own else None,
            at_bound=p.name in solution.at_bound,
            fitted=p.name in own,
        )
        for p in model.model_parameters
    }
    rms = float(np.sqrt(solution.cost / len(fitted)))
    message = f"{solution.message} Root mean square residual {rms:.4g}."
    spreads = _spreads(observed, own_cycles)
    card = _card(model, dataset, parameters, name or f"{model.name}_fit", per_curve[0], spreads)
    result = FitResult(
        status="converged" if solution.converged else "failed",
        message=message,
        device=model.name,
        card=card,
        parameters=parameters,
        undetermined=held,
        correlations={k: v for k, v in solution.correlations.items() if set(k) <= own},
        errors=errors,
        evaluations=end.evaluations,
        notes=tuple(notes),
    )
    return Fit(model, result, tuple(observed), tuple(fitted), per_curve, currents)


def _is_undetermined(coordinate: Coordinate, solution: Solution) -> bool:
    """Whether a third of a natural step (an e-fold, a tenth of the range) is within the standard error."""
    if coordinate.key in solution.at_bound:
        return False
    sigma = solution.inner_stderr[coordinate.key]
    return sigma is None or CORRELATED * sigma > coordinate.natural_step / 3


def _values_per_curve(
    model: Model,
    observed: Sequence[Observation],
    fitted: Sequence[Observation],
    solution: Solution,
    values: dict[str, float],
) -> tuple[dict[str, float], ...]:
    """Return each observation's parameter values. A ramp starts where its group's mean does; a sweep, at its own first read."""
    state = model.states[0].initial_parameter.name
    answer = []
    for o in observed:
        mine = {**values}
        k = next((k for k, f in enumerate(fitted) if f is o or (o.scale == "linear" and f.group == o.group)), None)
        if k is not None and f"{state}@{k}" in solution.point:
            mine[state] = solution.point[f"{state}@{k}"]
        elif k is None:
            mine[state] = initial_state(model, values, o.first_read, o.bench.temperature)
        answer.append(mine)
    return tuple(answer)


def _currents(
    model: Model, observed: Sequence[Observation], per_curve: Sequence[dict[str, float]]
) -> tuple[np.ndarray, ...]:
    """Return the model's current at the times of every observation; the ramps of a group are one run of the longest."""
    longest: dict[str, int] = {}
    for k, o in enumerate(observed):
        if o.scale == "linear" and o.times.size > observed[longest.get(o.group, k)].times.size - 1:
            longest[o.group] = k
    done: dict[int, np.ndarray] = {}
    answer = []
    for k, o in enumerate(observed):
        source = longest[o.group] if o.scale == "linear" and _is_prefix(o, observed[longest[o.group]]) else k
        if source not in done:
            try:
                done[source] = Assembly(model, per_curve[source], [observed[source]], []).currents({})[0]
            except SimulationError:
                done[source] = np.full(observed[source].times.size, np.nan)
        answer.append(done[source][: o.times.size])
    return tuple(answer)


def _is_prefix(short: Observation, long: Observation) -> bool:
    return short.times.size <= long.times.size and np.allclose(short.times, long.times[: short.times.size], rtol=1e-9)


def _errors(
    observed: Sequence[Observation], fitted: Sequence[Observation], currents: Sequence[np.ndarray], condition: str = ""
) -> tuple[FitError, ...]:
    found = []
    for group in dict.fromkeys(o.group for o in observed):
        members = [(o, i) for o, i in zip(observed, currents, strict=True) if o.group == group]
        held = [pair for pair in members if pair[0].held_out]
        if members[0][0].scale == "linear":
            longest = max((i for _, i in members), key=len)
            seen = [(f, longest[: f.times.size]) for f in fitted if f.group == group]
        else:
            seen = [pair for pair in members if not pair[0].held_out]
        found.append(
            FitError(
                data=f"{group}, {condition}" if condition else group,
                metric=members[0][0].metric,
                in_sample=_rms(seen),
                held_out=_rms(held),
            )
        )
    return tuple(found)


def _rms(curves: Sequence[tuple[Observation, np.ndarray]]) -> float | None:
    """Return the root mean square residual over all points of some curves; None for none, or where the model fails."""
    if not curves:
        return None
    rms = float(np.sqrt(np.mean(np.concatenate([o.residual(current) ** 2 for o, current in curves]))))
    return rms if np.isfinite(rms) else None


def _spreads(observed: Sequence[Observation], own: Mapping[int, tuple[str, Mapping[str, float]]]) -> dict[str, float]:
    """Return the standard deviation of the logarithm of each cycle parameter over the fitted sweeps."""
    logs: dict[str, list[float]] = {}
    for k, (name, values) in own.items():
        if not observed[k].held_out:
            logs.setdefault(name, []).append(float(np.log(values[name])))
    return {name: float(np.std(v, ddof=1)) for name, v in logs.items() if len(v) > 2}


def _card(
    model: Model,
    dataset: Dataset,
    parameters: Mapping[str, FittedParameter],
    name: str,
    first: Mapping[str, float],
    spreads: Mapping[str, float],
) -> Card:
    credit = (
        dataset.title or dataset.credit or ", ".join(dict.fromkeys(r.provenance.path.name for r in dataset.records))
    )
    values = {}
    for p in model.model_parameters:
        q = parameters[p.name]
        values[p.name] = Value(
            value=q.value,
            unit=q.unit,
            method="fitted" if q.fitted else "assumed",
            source=f"fit to {credit}" if q.fitted else "held: not determined by the data",
            stderr=q.stderr,
            spread_cycle=spreads.get(p.name),
        )
    for parameter in model.parameters:
        if _is_initial(model, parameter):
            values[parameter.name] = Value(
                value=first[parameter.name],
                unit=parameter.unit,
                method="fitted" if parameter.name == model.states[0].initial_parameter.name else "assumed",
                source="start of the first record",
            )
    return Card(
        name=name,
        device=model.name,
        title=f"{model.title} fitted to {credit}",
        source=dataset.credit or credit,
        values=values,
    )


def _is_initial(model: Model, parameter: Parameter) -> bool:
    return parameter.name in {s.initial_parameter.name for s in model.states}
