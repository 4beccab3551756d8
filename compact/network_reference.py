"""The reference engine: SUNDIALS CVODES and IDAS through CasADi, with exact forward sensitivities.

Every other engine is tested against it, and the fits use its Jacobian. A device on a bench
(:mod:`~synspice.compact.reference`) is a network of one instance.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import casadi as ca
import numpy as np

from .errors import SimulationError
from .network import Network
from .network_coordinates import CURRENT_SCALE
from .network_dae import WARP, NetworkDae
from .operating_point import operating_point
from .result import Result
from .stimulus import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = ((5, 1.0), (3, 1.0), (2, 1.0), (5, 1e-2), (3, 1e-2))
"""Highest order and factor on the tolerances, tried in turn when the integrator gives up: high-order BDF can fail its error test at a
corner, and a loose tolerance can step into a region where Newton fails."""

LINEAR_SOLVER = "csparse"
"""Of Newton's iterations. CasADi's own "qr" squares slopes: one of 1e-160, as a filament 1e-15 thick has, underflows there, the
factors are then wrong and the integrator creeps."""

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
    max_steps: int = 100_000
    points: int = 16

    def record(self) -> dict[str, Any]:
        """Return what a result says of them."""
        return {"reltol": self.reltol, "abstol": self.abstol, "max_steps": self.max_steps}


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
        self.network = network
        self.free = tuple(free)
        self.options = options or ReferenceOptions()
        self._set_times(times)

    def at(self, times: np.ndarray) -> Self:
        """Return the same problem with other output times [s]; the equations are not derived again."""
        other = copy(self)
        other._set_times(times)
        return other

    @cached_property
    def signal_names(self) -> tuple[str, ...]:
        """Names of the rows that :meth:`solve` returns."""
        return (*self._rows, *self._integrals)

    def solve(self, parameters: Sequence[float] = ()) -> np.ndarray:
        """Return the signals at the output times, shape (n_signals, n).

        Raises
        ------
        SimulationError
            If the integrator gives up.
        """
        (answer,) = self._call(("signals",), parameters)
        if not np.isfinite(answer).all():
            raise SimulationError("not finite", "the reference engine's answer is not finite")
        return answer

    def jacobian(self, parameters: Sequence[float], signal: str) -> tuple[np.ndarray, np.ndarray]:
        """Return one signal, shape (n,), and its derivatives by the free parameters, shape (n, n_free).

        The sensitivity equations are integrated along with the network's own, by the same integrator.
        """
        (answer,) = self._call(("sensitivities", signal), parameters)
        return answer[0], answer[1:].T

    def _set_times(self, times: np.ndarray) -> None:
        self.times = np.asarray(times, float)
        self._functions: dict[tuple[str | float, ...], ca.Function] = {}
        marks = self.network.breakpoints
        last = max(float(self.times[-1]), marks[-1]) if self.times.size else marks[-1]
        marks = np.append(marks, last) if last > marks[-1] else marks
        # The integrator's time: segment k of the stimulus lies between k and k + 1, and it restarts there.
        power = WARP if self.network.free_nodes else 1
        segment = np.clip(np.searchsorted(marks, self.times, side="left") - 1, 0, len(marks) - 2)
        lengths = np.diff(marks)
        scaled = segment + ((self.times - marks[segment]) / lengths[segment]) ** (1 / power)
        self._grid = np.unique(np.concatenate([np.arange(len(marks), dtype=float), scaled]))
        self._pick = np.searchsorted(self._grid, scaled)
        waveforms = [d.waveform for d in self.network.sources.values()]
        values = np.array([w(marks) for w in waveforms])
        table = np.vstack([values[:, :-1], np.diff(values, axis=1), np.arange(len(lengths)), lengths])
        self._controls = table[:, np.minimum(self._grid[:-1].astype(int), len(lengths) - 1)]

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

    @cached_property
    def _integrals(self) -> dict[str, Any]:
        """What is integrated along by name: rates over the integrator's time, in units of `_integral_scale`."""
        return {}

    @property
    def _integral_scale(self) -> float:
        return CURRENT_SCALE * self.network.shortest_feature

    def _call(self, what: tuple[str, ...], parameters: Sequence[float]) -> list[np.ndarray]:
        """Evaluate a function with the first of the integrator's settings that does not give up."""
        x, z = self._initial(parameters, slopes=what[0] == "sensitivities")
        for order, factor in ATTEMPTS:
            key: tuple[str | float, ...] = (*what, order, factor)
            if key not in self._functions:
                self._functions[key] = self._build(what, order, factor)
            try:
                with _quiet():
                    answer = self._functions[key].call([ca.DM(list(parameters)), ca.DM(x), ca.DM(z)])
                return [np.asarray(a) for a in answer]
            except RuntimeError as error:
                failure = error
        raise _failed(failure) from failure

    def _build(self, what: tuple[str, ...], order: int, factor: float) -> ca.Function:
        """Return the function from free parameters and start to signals, or to one signal and its slopes, at the output times."""
        dae = self._dae
        if what[0] == "signals":
            problem, outputs = dae.problem, dae.outputs(list(self._rows.values()))
        else:
            problem, outputs = dae.with_sensitivities(self._rows[what[1]])
        p = ca.MX.sym("p", len(self.free))
        x = ca.MX.sym("x", problem["x"].numel())
        z = ca.MX.sym("z", problem["z"].numel() if dae.algebraic else 0)
        controls = ca.DM(self._controls)
        settings: dict[str, Any] = {
            "reltol": factor * self.options.reltol,
            "abstol": factor * self.options.abstol,
            "max_num_steps": self.options.max_steps,
            "max_multistep_order": order,
            "show_eval_warnings": False,
            "linear_solver": LINEAR_SOLVER,
        }
        if dae.algebraic:
            settings["calc_ic"] = False  # the start is consistent, and its slopes are zero
        integrals = list(self._integrals.values()) if what[0] == "signals" else []
        if integrals:
            problem = {**problem, "quad": ca.vertcat(*integrals)}
            settings["quad_err_con"] = True
        solver = "idas" if dae.algebraic else "cvodes"
        integrator = ca.integrator("integrator", solver, problem, 0.0, self._grid[1:].tolist(), settings)
        answer = integrator(x0=x, p=p, u=controls, z0=z)
        later = ca.vertcat(answer["xf"], answer["zf"]) if dae.algebraic else answer["xf"]
        trajectory = ca.horzcat(ca.vertcat(x, z), later)
        at = self._pick
        before = np.clip(at - 1, 0, len(self._grid) - 2)
        signals = outputs.map(len(at))(
            trajectory[:, at.tolist()],
            ca.repmat(p, 1, len(at)),
            controls[:, before.tolist()],
            ca.DM(self._grid[at]).T,
        )
        if integrals:
            scales = ca.DM([self._integral_scale] * len(integrals))
            summed = ca.horzcat(ca.DM.zeros(len(integrals), 1), answer["qf"]) * scales
            signals = ca.vertcat(signals, summed[:, at.tolist()])
        return ca.Function(what[0], [p, x, z], [signals])

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


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the integrator's own diagnostics off the terminal; the exception carries them."""
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def _failed(error: RuntimeError) -> SimulationError:
    lines = [line for line in str(error).splitlines() if line.strip()]
    reason = "time step too small" if "TOO_MUCH_WORK" in str(error) or "TOO_CLOSE" in str(error) else "convergence"
    return SimulationError(reason, "the reference engine's integrator gave up", log="\n".join(lines[-4:]))
