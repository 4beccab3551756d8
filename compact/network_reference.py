"""The reference engine: SUNDIALS CVODES and IDAS through CasADi, with exact forward sensitivities.

Every other engine is tested against it, and the fits use its Jacobian. A device on a bench
(:mod:`~synspice.compact.reference`) is a network of one instance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar

import casadi as ca
import numpy as np

from .errors import SimulationError
from .network import Network
from .network_dae import WARP, NetworkDae
from .operating_point import operating_point
from .result import Result
from .segment_integrator import SegmentIntegrator
from .stimulus import Bench, check_duration

ENGINE_VERSION = f"CasADi {ca.CasadiMeta.version()} (CVODES/IDAS)"

LARGEST_STEP = 0.02
"""Step between output points that refinement leaves, relative to the signal's largest value."""

SOLUTIONS = 6
"""Solutions with ever finer output times, at most."""

MOST_POINTS = 40_000
"""Output points beyond which refinement stops."""


@dataclass(frozen=True, kw_only=True)
class ReferenceOptions:
    """Tolerances of the integrator.

    Attributes
    ----------
    reltol, abstol : float
        For the states in their natural scale, and voltages [V].
    max_steps : int
        Between two output times.
    points : int
        Output times a segment of the stimulus, before refinement.
    """

    reltol: float = 1e-8
    abstol: float = 1e-10
    max_steps: int = 10_000
    points: int = 16

    def record(self) -> dict[str, Any]:
        """Return what a result says of them."""
        return {"reltol": self.reltol, "abstol": self.abstol, "max_steps": self.max_steps}

    def settings(self) -> dict[str, float]:
        """Return the integrator's own names and values."""
        return {"reltol": self.reltol, "abstol": self.abstol, "max_num_steps": self.max_steps}


class NetworkProblem:
    """A network and output times, ready to be solved for many parameter values.

    Parameters
    ----------
    network : Network
    times : ndarray, shape (n,)
        Output times [s], rising, from 0.
    free : sequence of str
        Parameters that :meth:`solve` and :meth:`jacobian` vary, each ``<instance>.<parameter>``; the others are constants.
    options : ReferenceOptions
    """

    def __init__(
        self,
        network: Network,
        times: np.ndarray,
        free: Sequence[str] = (),
        options: ReferenceOptions | None = None,
    ) -> None:
        check_duration(network.duration)
        self.network = network
        self.free = tuple(free)
        self.options = options or ReferenceOptions()
        self._solvers: dict[tuple[str, ...], tuple[SegmentIntegrator, ca.Function]] = {}
        self._set_times(times)

    def at(self, times: np.ndarray) -> Self:
        """Return the same problem with other output times [s]; the equations are not derived again."""
        other = copy(self)
        other._set_times(times)
        return other

    @cached_property
    def signal_names(self) -> tuple[str, ...]:
        """Names of the rows that :meth:`solve` returns."""
        return tuple(self._rows)

    def solve(self, parameters: Sequence[float] = ()) -> np.ndarray:
        """Return the signals at the output times, shape (n_signals, n).

        Raises
        ------
        SimulationError
            If the integrator gives up.
        """
        answer = self._call(("signals",), parameters)
        if not np.isfinite(answer).all():
            raise SimulationError("not finite", "the reference engine's answer is not finite")
        return answer

    def jacobian(self, parameters: Sequence[float], signal: str) -> tuple[np.ndarray, np.ndarray]:
        """Return one signal, shape (n,), and its derivatives by the free parameters, shape (n, n_free).

        The sensitivity equations are integrated along with the network's own, by the same integrator.
        """
        answer = self._call(("sensitivities", signal), parameters)
        return answer[0], answer[1:].T

    def _set_times(self, times: np.ndarray) -> None:
        """Share the output times out to the stimulus' segments, each of which the integrator takes from 0 to 1."""
        self.times = np.asarray(times, float)
        marks = self.network.breakpoints
        if self.times.size and self.times[-1] > marks[-1]:
            marks = np.append(marks, self.times[-1])
        lengths = np.diff(marks)
        segment = np.clip(np.searchsorted(marks, self.times, side="left") - 1, 0, len(lengths) - 1)
        power = WARP if self.network.free_nodes else 1
        self._scaled = ((self.times - marks[segment]) / lengths[segment]) ** (1 / power)
        self._segment = segment
        within = np.split(self._scaled, np.searchsorted(segment, np.arange(1, len(lengths))))
        self._grids = [np.unique(np.append(s[s > 0], 1.0)) for s in within]
        ends = np.cumsum([0, *(grid.size for grid in self._grids)])
        places = [
            end + np.searchsorted(grid, s) + (s > 0) for end, grid, s in zip(ends, self._grids, within, strict=False)
        ]
        self._pick = np.concatenate(places).astype(int)
        values = np.array([d.waveform(marks) for d in self.network.sources.values()])
        self._controls = np.vstack([values[:, :-1], np.diff(values, axis=1), lengths])

    @cached_property
    def _dae(self) -> NetworkDae:
        owners = (name.partition(".") for name in self.free)
        return NetworkDae(self.network, [(instance, parameter) for instance, _, parameter in owners])

    @cached_property
    def _rows(self) -> dict[str, Any]:
        """The signals' expressions by name."""
        dae = self._dae
        rows = dict(dae.signals)
        for instance in self.network.instances:
            for v, i, (plus, minus) in instance.port_signals():
                rows[v] = _against(rows, instance.node(plus)) - _against(rows, instance.node(minus))
                rows[i] = dae.terminal_currents[instance.name, plus]
        return {name: rows[name] for name in self.network.signals}

    def _call(self, what: tuple[str, ...], parameters: Sequence[float]) -> np.ndarray:
        """Return the signals, or one signal and its slopes, at the output times."""
        if what not in self._solvers:
            problem, outputs = self._dae.problem, self._dae.outputs(list(self._rows.values()))
            if what[0] == "sensitivities":
                problem, outputs = self._dae.with_sensitivities(self._rows[what[1]])
            self._solvers[what] = SegmentIntegrator(problem, (), self.options.settings()), outputs
        integrate, outputs = self._solvers[what]
        trajectory, _ = self._integrated(integrate, parameters, slopes=what[0] == "sensitivities")
        count = self.times.size
        answer = outputs.map(count)(
            trajectory,
            np.tile(np.array(parameters, float).reshape(-1, 1), count),
            self._controls[:, self._segment],
            self._scaled[None, :],
        )
        return np.asarray(answer)

    def _integrated(
        self, integrate: SegmentIntegrator, parameters: Sequence[float], *, slopes: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the unknowns (x and z) and the integrals since the start, one column an output time."""
        x, z = self._initial(parameters, slopes=slopes)
        xs, zs, passed = integrate(x, z, parameters, self._controls, self._grids)
        unknowns = np.hstack([np.append(x, z)[:, None], np.vstack([xs, zs])])
        return unknowns[:, self._pick], np.pad(passed, ((0, 0), (1, 0)))[:, self._pick]

    def _initial(self, parameters: Sequence[float], *, slopes: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return x and z at time zero: the states at their initial values, the nodes at their operating point.

        With their slopes by the free parameters behind them where asked for, in the scale of
        :meth:`NetworkDae.with_sensitivities`.
        """
        dae = self._dae
        p, u = list(parameters), self._controls[:, 0]
        unknowns = np.zeros(len(self.network.free_nodes))
        if unknowns.size:

            def static(point: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
                current, by_point, _ = dae.static(point, p, fraction * u)
                return np.asarray(current).ravel(), np.asarray(by_point)

            unknowns = operating_point(static, unknowns.size)
        moved = np.zeros((unknowns.size, len(p)))
        if slopes and unknowns.size and p:
            _, by_point, by_parameters = (np.asarray(w) for w in dae.static(unknowns, p, u))
            moved = -np.linalg.solve(by_point, by_parameters)
        x, x_by_point, x_by_parameters, z, z_by_point, z_by_parameters = (
            np.asarray(w) for w in dae.start(unknowns, p, u)
        )
        if not slopes:
            return x.ravel(), z.ravel()
        s_x = (x_by_point @ moved + x_by_parameters) * dae.sizes
        s_z = (z_by_point @ moved + z_by_parameters) * dae.sizes
        return np.append(x.ravel(), s_x.ravel(order="F")), np.append(z.ravel(), s_z.ravel(order="F"))


_Problem = TypeVar("_Problem", bound=NetworkProblem)


def simulate_network(
    network: Network,
    *,
    times: np.ndarray | None = None,
    options: ReferenceOptions | None = None,
    experiment: str = "",
) -> Result:
    """Run a network.

    Parameters
    ----------
    network : Network
    times : ndarray, optional
        Output times [s]. By default they are refined until no step of a voltage, current or state is above 2 % of its
        largest value.
    options : ReferenceOptions, optional
    experiment : str
        Name for the record.

    Returns
    -------
    Result
        With the signals of :attr:`Network.signals`.

    Raises
    ------
    SimulationError, EngineError
    """
    options = options or ReferenceOptions()
    observed = {f"{m.name}.{o.name}" for m in network.instances for o in m.model.observables}
    watched = [name for name in network.signals if name not in observed]
    grid = output_times(network, options.points) if times is None else np.asarray(times, float)
    problem = NetworkProblem(network, grid, (), options)
    problem, rows = refined_solution(problem, watched, 1 if times is not None else SOLUTIONS)
    return network_record(
        network,
        experiment=experiment,
        engine="reference",
        engine_version=ENGINE_VERSION,
        time=problem.times,
        rows=dict(zip(problem.signal_names, rows, strict=True)),
        options=options.record(),
        deck="",
    )


def network_record(
    network: Network,
    *,
    experiment: str,
    engine: str,
    engine_version: str,
    time: np.ndarray,
    rows: Mapping[str, np.ndarray],
    options: Mapping[str, Any],
    deck: str,
) -> Result:
    """Return the common record; ``rows`` has every signal of :attr:`Network.signals`, each of shape (n,)."""
    units = network.signals
    return Result(
        experiment=experiment,
        engine=engine,
        engine_version=engine_version,
        time=time,
        signals={name: rows[name] for name in units},
        units=units,
        options={**options, "temperature_K": network.temperature, "frozen": network.frozen},
        deck=deck,
    )


def output_times(driven: Network | Bench, points: int) -> np.ndarray:
    """Return times that resolve every segment of the stimulus, both evenly and near its start, rising [s]."""
    marks = driven.breakpoints
    even = np.linspace(0, 1, points + 1)[1:]
    early = np.geomspace(1e-3, even[0], 4)[:-1]
    within = np.concatenate([early, even])
    return np.unique(np.concatenate([[0.0], (marks[:-1, None] + np.diff(marks)[:, None] * within).ravel()]))


def refined_solution(
    problem: _Problem, watched: Sequence[str], solutions: int = SOLUTIONS
) -> tuple[_Problem, np.ndarray]:
    """Solve with ever finer output times, until no watched signal steps by more than 2 % of its largest value.

    Returns
    -------
    problem
        With the last times.
    rows : ndarray, shape (n_signals, n)
    """
    select = [problem.signal_names.index(name) for name in watched]
    for last in range(solutions - 1, -1, -1):
        rows = problem.solve()
        times, seen = problem.times, rows[select]
        largest = np.max(np.abs(seen), axis=1, keepdims=True, initial=1e-300)
        coarse = (np.abs(np.diff(seen)) > LARGEST_STEP * largest).any(axis=0)
        if not last or not coarse.any() or times.size > MOST_POINTS:
            break
        within = times[:-1][coarse, None] + np.diff(times)[coarse, None] * (np.arange(1, 6) / 6)
        problem = problem.at(np.unique(np.concatenate([times, within.ravel()])))
    return problem, rows


def _against(rows: Mapping[str, Any], node: str) -> Any:
    return rows.get(f"v({node})", 0.0)
