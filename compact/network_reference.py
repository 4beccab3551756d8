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

from .errors import EngineError, SimulationError
from .network import Network
from .network_dae import NetworkDae
from .operating_point import operating_point
from .result import Result
from .stimulus import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = ((5, 1.0), (3, 1.0), (2, 1.0), (5, 1e-2), (3, 1e-2), (5, 1e2), (5, 1e3))
"""Highest order and factor on the tolerances, tried in turn when the integrator gives up.

High-order BDF can fail its error test at a corner, and a loose tolerance can step into a region where Newton fails. The
looser ones are for a node whose time constant is 1e-4 of an edge: there the error test sees rounding at any order.
"""

LINEAR_SOLVER = "csparse"
"""Of Newton's iterations. CasADi's own "qr" squares slopes: one of 1e-160, as a filament 1e-15 thick has, underflows there, the
factors are then wrong and the integrator creeps."""

FIRST_STEP = 1e-9
"""IDAS's first step after a corner, relative to the shortest feature: the slopes of algebraic voltages are unknown there, and
longer first steps fail its error test."""

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
        return tuple(self._rows)

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
        breakpoints = self.network.breakpoints
        self._grid = np.unique(np.concatenate([breakpoints, self.times, [0.0]]))
        self._pick = np.searchsorted(self._grid, self.times)
        # Of each interval the stimulus' segment: start voltages, slopes and start time. The integrator restarts where
        # they change, and only there.
        marks = np.append(breakpoints, np.inf)
        segment = np.searchsorted(marks, self._grid[:-1], side="right") - 1
        start = marks[segment]
        end = np.minimum(marks[segment + 1], start + 1.0)
        waveforms = [d.waveform for d in self.network.sources.values()]
        first = np.array([w(start) for w in waveforms])
        last = np.array([w(end) for w in waveforms])
        self._controls = np.vstack([first, (last - first) / (end - start), start])

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

    def _call(self, what: tuple[str, ...], parameters: Sequence[float]) -> list[np.ndarray]:
        """Evaluate a function with the first of the integrator's settings that does not give up."""
        if what[0] != "signals" and self.network.free_nodes and np.any(self._first_sources):
            raise EngineError("sensitivities behind a source impedance need a stimulus that starts at 0 V")
        x, z = self._initial(parameters)
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
        x = ca.MX.sym("x", dae.problem["x"].numel())
        z = ca.MX.sym("z", dae.problem["z"].numel() if dae.algebraic else 0)
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
            settings["step0"] = FIRST_STEP
        scaled = (self._grid[1:] / dae.time_unit).tolist()
        integrator = ca.integrator("integrator", "idas" if dae.algebraic else "cvodes", problem, 0.0, scaled, settings)
        initial = ca.vertcat(x, ca.DM.zeros(problem["x"].numel() - x.numel(), 1))
        guess = ca.vertcat(z, ca.DM.zeros(problem["z"].numel() - z.numel(), 1)) if dae.algebraic else z
        answer = integrator(x0=initial, p=p, u=controls, z0=guess)
        later = ca.vertcat(answer["xf"], answer["zf"]) if dae.algebraic else answer["xf"]
        trajectory = ca.horzcat(ca.vertcat(initial, guess), later)
        at = self._pick
        before = np.clip(at - 1, 0, len(self._grid) - 2)
        signals = outputs.map(len(at))(
            trajectory[:, at.tolist()],
            ca.repmat(p, 1, len(at)),
            controls[:, before.tolist()],
            ca.DM(self.times / dae.time_unit).T,
        )
        return ca.Function(what[0], [p, x, z], [signals])

    @property
    def _first_sources(self) -> np.ndarray:
        return self._controls[: len(self.network.sources), 0]

    def _initial(self, parameters: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Return x and z at time zero: the states at their initial values, the nodes at their operating point."""
        dae = self._dae
        free = len(self.network.free_nodes)
        if not (free and np.any(self._first_sources)):
            return dae.initial(np.zeros(free))
        u = self._controls[:, 0]

        def static(voltages: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
            current, jacobian = dae.static(voltages, list(parameters), fraction * u)
            return np.asarray(current).ravel(), np.asarray(jacobian)

        return dae.initial(operating_point(static, free))


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
