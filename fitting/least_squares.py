"""Least squares of a device's parameters to observations: lmfit, with exact Jacobians from the reference engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import lmfit
import numpy as np

from ..compact.errors import SimulationError
from ..compact.model import Model
from ..compact.parameters import Parameter
from ..compact.reference import Problem, ReferenceOptions
from .observation import Observation

FIT_OPTIONS = ReferenceOptions(reltol=1e-6, abstol=1e-8)
"""Integrator tolerances of a fit: well below the residuals of any measurement."""

BOUND_MARGIN = 1e-3
"""Distance from a bound, as a fraction of the range (or in e-folds), below which a value counts as at the bound."""

ROBUST_FROM = 0.2
"""Residual [decades] beyond which sweeps count linearly, not squared: a jump a little early is off by decades at a few points."""

FAILED_RESIDUAL = 1e3
"""Residual that stands for a simulation that failed, so that the step is taken back."""


@dataclass(frozen=True)
class Coordinate:
    """A fitted number: a parameter of the card, or the initial state of one observation.

    Attributes
    ----------
    key : str
        Its name in the fit.
    parameter : Parameter
    observation : int or None
        The observation whose initial state it is.
    """

    key: str
    parameter: Parameter
    observation: int | None = None

    @property
    def logarithmic(self) -> bool:
        return self.parameter.scale == "log"

    def inner(self, value: float) -> float:
        """Return the coordinate on the scale of the fit."""
        return float(np.log(value)) if self.logarithmic else value

    def outer(self, coordinate: float) -> float:
        """Return the value at a coordinate."""
        return float(np.exp(coordinate)) if self.logarithmic else coordinate

    @property
    def bounds(self) -> tuple[float, float]:
        """Bounds on the scale of the fit."""
        low, high = self.parameter.lower, self.parameter.upper
        if self.logarithmic:
            return (float(np.log(low)) if low > 0 else -np.inf, float(np.log(high)))
        return low, high

    @property
    def natural_step(self) -> float:
        """A change that matters: one e-fold, or a tenth of the range, or the size of the default."""
        if self.logarithmic:
            return 1.0
        span = self.parameter.upper - self.parameter.lower
        return float(0.1 * span if np.isfinite(span) else max(abs(self.parameter.default), 1.0))


class Assembly:
    """Observations and coordinates, put together into residuals and their Jacobian."""

    def __init__(
        self,
        model: Model,
        values: Mapping[str, float],
        observed: Sequence[Observation],
        coordinates: Sequence[Coordinate],
    ) -> None:
        self.model = model
        self.values = dict(values)
        self.observed = list(observed)
        self.coordinates = list(coordinates)
        self.evaluations = 0
        self._signal = f"i_{model.read[0]}"
        self._own = [[c for c in self.coordinates if c.observation in (None, k)] for k in range(len(self.observed))]
        self._problems = [
            Problem(model, self.values, o.bench, o.times, [c.parameter.name for c in own], FIT_OPTIONS)
            for o, own in zip(self.observed, self._own, strict=True)
        ]

    def values_for(self, point: Mapping[str, float], k: int) -> dict[str, float]:
        """Return the parameter values of observation ``k`` at a point (key to value)."""
        return {**self.values, **{c.parameter.name: point[c.key] for c in self._own[k]}}

    def currents(self, point: Mapping[str, float]) -> list[np.ndarray]:
        """Return the model's current at each observation's times [A]."""
        self.evaluations += 1
        answers = []
        for problem, own in zip(self._problems, self._own, strict=True):
            rows = problem.solve([point[c.key] for c in own])
            answers.append(rows[problem.signal_names.index(self._signal)])
        return answers

    def residuals(self, point: Mapping[str, float]) -> np.ndarray:
        """Return all residuals, one after the other."""
        try:
            currents = self.currents(point)
        except SimulationError:
            return np.full(sum(o.times.size for o in self.observed), FAILED_RESIDUAL)
        return np.concatenate([self._weight(o) * o.residual(i) for o, i in zip(self.observed, currents, strict=True)])

    def jacobian(self, point: Mapping[str, float]) -> np.ndarray:
        """Return the derivatives of :meth:`residuals` by the coordinates on the fit's scale."""
        self.evaluations += 1
        blocks = []
        for o, problem, own in zip(self.observed, self._problems, self._own, strict=True):
            current, slopes = problem.jacobian([point[c.key] for c in own], self._signal)
            block = np.zeros((o.times.size, len(self.coordinates)))
            factor = self._weight(o) * o.residual_slope(current)
            for j, c in enumerate(own):
                outer = point[c.key] if c.logarithmic else 1.0
                block[:, self.coordinates.index(c)] = factor * slopes[:, j] * outer
            blocks.append(block)
        return np.vstack(blocks)

    def _weight(self, observation: Observation) -> float:
        """Every curve counts the same, whatever its number of points."""
        return float(1 / np.sqrt(observation.times.size))


@dataclass(frozen=True)
class Solution:
    """Where least squares ended.

    Attributes
    ----------
    point : dict of key to value
    stderr : dict of key to float or None
        On the value's own scale.
    inner_stderr : dict of key to float or None
        On the fit's scale (relative, for a logarithmic one).
    correlations : dict of (key, key) to float
    at_bound : set of key
    cost : float
        Sum over the curves of their mean square residual.
    converged : bool
    message : str
    """

    point: dict[str, float]
    stderr: dict[str, float | None]
    inner_stderr: dict[str, float | None]
    correlations: dict[tuple[str, str], float]
    at_bound: set[str]
    cost: float
    converged: bool
    message: str


def solve(
    assembly: Assembly,
    start: Mapping[str, float],
    *,
    limit: int = 40,
    progress: Callable[[str], None] | None = None,
    label: str = "",
) -> Solution:
    """Minimise the residuals from a starting point (lmfit's bounded trust-region reflective method)."""
    parameters = lmfit.Parameters()
    symbols = {c.key: f"c{i}" for i, c in enumerate(assembly.coordinates)}
    for c in assembly.coordinates:
        low, high = c.bounds
        inner = float(np.clip(c.inner(start[c.key]), *_inside(low, high)))
        parameters.add(symbols[c.key], value=inner, min=low, max=high)

    best: tuple[float, dict[str, float], np.ndarray] | None = None

    def point_of(current: lmfit.Parameters) -> dict[str, float]:
        return {c.key: c.outer(current[symbols[c.key]].value) for c in assembly.coordinates}

    def residuals(current: lmfit.Parameters) -> np.ndarray:
        nonlocal best
        point = point_of(current)
        answer = assembly.residuals(point)
        if best is None or answer @ answer < best[0]:
            best = (float(answer @ answer), point, answer)
        if progress is not None:
            progress(
                f"{label}: evaluation {assembly.evaluations}, rms {float(np.sqrt(np.sum(answer**2) / len(assembly.observed))):.4g}"
            )
        return answer

    loss = "soft_l1" if any(o.scale == "log" for o in assembly.observed) else "linear"
    minimizer = lmfit.Minimizer(residuals, parameters, calc_covar=False)
    try:
        outcome = minimizer.least_squares(
            jac=lambda current: assembly.jacobian(point_of(current)), x_scale="jac", xtol=1e-6, ftol=1e-6, gtol=1e-10,
            max_nfev=limit, loss=loss, f_scale=ROBUST_FROM / np.sqrt(np.mean([o.times.size for o in assembly.observed])),
        )  # fmt: skip
    except SimulationError as error:
        if best is None:
            raise
        return _describe(
            assembly, best[1], best[2], converged=False, message=f"a simulation failed on the way: {error}"
        )
    point = point_of(outcome.params)
    converged = bool(outcome.success) and float(np.max(np.abs(outcome.residual))) < FAILED_RESIDUAL / 10
    return _describe(assembly, point, outcome.residual, converged, str(outcome.message))


def _inside(low: float, high: float) -> tuple[float, float]:
    """Return bounds moved a little inwards, so that a start lies within them."""
    if np.isfinite(low) and np.isfinite(high):
        margin = 1e-3 * (high - low)
        return low + margin, high - margin
    return (low + 1e-6 if np.isfinite(low) else low), (high - 1e-6 if np.isfinite(high) else high)


def _describe(
    assembly: Assembly, point: dict[str, float], residual: np.ndarray, converged: bool, message: str
) -> Solution:
    """Return the solution with its uncertainties, from the Jacobian at the end."""
    keys = [c.key for c in assembly.coordinates]
    at_bound = {c.key for c in assembly.coordinates if _is_at_bound(c, point[c.key])}
    free = [j for j, k in enumerate(keys) if k not in at_bound]
    inner: dict[str, float | None] = dict.fromkeys(keys)
    correlations: dict[tuple[str, str], float] = {}
    if converged and free:
        jacobian = assembly.jacobian(point)[:, free]
        lengths = np.linalg.norm(jacobian, axis=0)
        seen = [j for j, n in enumerate(lengths) if n > 0]
        scaled = jacobian[:, seen] / lengths[seen]
        _, singular, right = np.linalg.svd(scaled, full_matrices=False)
        if seen and singular[-1] > 1e-10 * singular[0]:
            variance = float(residual @ residual) / max(residual.size - len(seen), 1)
            covariance = variance * (right.T / singular**2) @ right / np.outer(lengths[seen], lengths[seen])
            sigma = np.sqrt(np.diag(covariance))
            for a, ja in enumerate(seen):
                inner[keys[free[ja]]] = float(sigma[a])
                for b in range(a):
                    pair = (keys[free[seen[b]]], keys[free[ja]])
                    correlations[pair] = float(covariance[a, b] / (sigma[a] * sigma[b]))
    outer = {
        c.key: None if (s := inner[c.key]) is None else s * (abs(point[c.key]) if c.logarithmic else 1.0)
        for c in assembly.coordinates
    }
    return Solution(point, outer, inner, correlations, at_bound, float(residual @ residual), converged, message)


def _is_at_bound(coordinate: Coordinate, value: float) -> bool:
    inner = coordinate.inner(value)
    low, high = coordinate.bounds
    span = high - low
    margin = BOUND_MARGIN * (span if np.isfinite(span) else coordinate.natural_step)
    return bool(inner - low < margin or high - inner < margin)


def determined(assembly: Assembly, point: Mapping[str, float], noise: float) -> list[str]:
    """Return the keys of the coordinates that the data can tell apart, taken greedily in their order.

    A coordinate is taken when a natural step of it, beyond what the ones before can imitate, moves the residuals by more
    than the noise: the standard error to expect is then below a third of that step.

    Parameters
    ----------
    assembly : Assembly
    point : mapping of key to value
    noise : float
        Root mean square residual to expect of a good fit.
    """
    jacobian = assembly.jacobian(point)
    basis = np.zeros((jacobian.shape[0], 0))
    taken = []
    for j, c in enumerate(assembly.coordinates):
        column = jacobian[:, j] * c.natural_step
        own = column - basis @ (basis.T @ column)
        own -= basis @ (basis.T @ own)
        size = float(np.linalg.norm(own))
        if size > 3 * noise / np.sqrt(max(_points(assembly), 1)) * np.sqrt(len(assembly.observed)):
            basis = np.column_stack([basis, own / size])
            taken.append(c.key)
    return taken


def _points(assembly: Assembly) -> float:
    """Independent points to count on: neighbouring points of a curve err together, so a tenth of them."""
    return sum(o.times.size for o in assembly.observed) / 10
