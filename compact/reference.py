"""The reference engine: SUNDIALS CVODES and IDAS through CasADi, with exact forward sensitivities.

One device on a :class:`~synspice.compact.stimulus.Bench`. Every other engine is tested against it, and the fits use its
Jacobian. Source impedance makes the terminal's voltage an unknown: an algebraic one (IDAS), or a differential one where
the device has a charge there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import casadi as ca
import numpy as np
from scipy.optimize import brentq

from .casadi_functions import expressions
from .errors import EngineError, SimulationError
from .model import Model
from .python_code import compile_python
from .result import Result
from .stimulus import LIMITER_SHARPNESS, Bench, Drive

ATTEMPTS = ((5, 1.0), (3, 1.0), (2, 1.0), (5, 1e3), (5, 1e4))
"""Highest order of the integrator and multiple of its absolute tolerance, and what is tried when it gives up: high-order BDF
can fail its error test at a corner, and no order meets 1e-10 V behind a resistor whose time constant is 1e-4 of an edge."""

ENGINE_VERSION = f"CasADi {ca.__version__} (CVODES/IDAS)"


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


class Problem:
    """A device, a bench and output times, ready to be solved for many parameter values.

    Parameters
    ----------
    model : Model
    values : mapping of name to float
        A complete set of parameter values.
    bench : Bench
    times : ndarray, shape (n,)
        Output times [s], rising, from 0.
    free : sequence of str
        Parameters that :meth:`solve` and :meth:`jacobian` vary; the others are constants.
    options : ReferenceOptions
    """

    def __init__(
        self,
        model: Model,
        values: Mapping[str, float],
        bench: Bench,
        times: np.ndarray,
        free: Sequence[str] = (),
        options: ReferenceOptions | None = None,
    ) -> None:
        self.model = model
        self.values = dict(values)
        self.bench = bench
        self.free = tuple(free)
        self.options = options or ReferenceOptions()
        self.times = np.asarray(times, float)
        self._functions: dict[tuple[str | float, ...], ca.Function] = {}
        self._grid = np.unique(np.concatenate([bench.breakpoints, self.times, [0.0]]))
        self._grid = self._grid[self._grid <= max(bench.duration, self.times[-1])]
        self._pick = np.searchsorted(self._grid, self.times)
        if len(impeded(bench)) > 1:
            raise EngineError("the reference engine takes one source with an impedance; use ngspice for the others")

    @cached_property
    def signal_names(self) -> tuple[str, ...]:
        """Names of the rows that :meth:`solve` returns."""
        terminals = [f"v_{t}" for t in self.model.terminals] + [f"i_{t}" for t in self.model.terminals]
        states = [s.name for s in self.model.states]
        return (*terminals, *states, *(o.name for o in self.model.observables))

    def solve(self, parameters: Sequence[float] = ()) -> np.ndarray:
        """Return the signals at the output times, shape (n_signals, n).

        Raises
        ------
        SimulationError
            If the integrator gives up.
        """
        (answer,) = self._call(("signals",), parameters)
        if not np.isfinite(answer).all():
            raise SimulationError("not finite", f"the reference engine's answer for '{self.model.name}' is not finite")
        return answer

    def jacobian(self, parameters: Sequence[float], signal: str) -> tuple[np.ndarray, np.ndarray]:
        """Return one signal, shape (n,), and its derivatives by the free parameters, shape (n, n_free).

        The sensitivity equations are integrated along with the device's own, by the same integrator.
        """
        (answer,) = self._call(("sensitivities", signal), parameters)
        return answer[0], answer[1:].T

    def _call(self, what: tuple[str, ...], parameters: Sequence[float]) -> list[np.ndarray]:
        """Evaluate a function; a lower order of the integrator is tried where the higher one gives up."""
        for order, loosening in ATTEMPTS:
            key = (*what, order, loosening)
            if key not in self._functions:
                self._functions[key] = self._build(what, order, loosening)
            try:
                with _quiet():
                    answer = self._functions[key].call([ca.DM(list(parameters))])
                return [np.asarray(a) for a in answer]
            except RuntimeError as error:
                failure = error
        raise _failed(failure) from failure

    def _build(self, what: tuple[str, ...], order: int, loosening: float) -> ca.Function:
        """Return the function from free parameters to signals, or to one signal and its slopes, at the output times."""
        dae = self._dae
        if what[0] == "signals":
            problem, outputs = dae.problem, dae.outputs
        else:
            problem, outputs = dae.with_sensitivities(self.signal_names.index(what[1]))
        p = ca.MX.sym("p", len(self.free))
        controls = ca.DM(self._controls)
        sources = self._controls[: len(self.bench.drives), 0]
        z0 = self._first_voltage(sources)
        if what[0] != "signals" and np.any(sources) and impeded(self.bench):
            raise EngineError("sensitivities behind a source impedance need a stimulus that starts at 0 V")
        initial = ca.DM.zeros(problem["x"].numel(), 1)
        if dae.differential:
            initial[len(self.model.states)] = z0
        settings: dict[str, Any] = {
            "reltol": self.options.reltol,
            "abstol": self.options.abstol * loosening,
            "max_num_steps": self.options.max_steps,
            "max_multistep_order": order,
            "show_eval_warnings": False,
        }
        scaled = (self._grid[1:] / dae.time_unit).tolist()
        if not problem["x"].numel():
            raise EngineError("the reference engine needs a device with a state, or with a charge behind the source")
        integrator = ca.integrator("integrator", "idas" if dae.algebraic else "cvodes", problem, 0.0, scaled, settings)
        guess = ca.DM.zeros(problem["z"].numel(), 1) if dae.algebraic else ca.DM(0, 1)
        if dae.algebraic:
            guess[0] = z0
        answer = integrator(x0=initial, p=p, u=controls, z0=guess)
        later = ca.vertcat(answer["xf"], answer["zf"]) if dae.algebraic else answer["xf"]
        trajectory = ca.horzcat(ca.MX(ca.vertcat(initial, guess)), later)
        at = self._pick
        before = np.clip(at - 1, 0, len(self._grid) - 2)
        signals = outputs.map(len(at))(
            trajectory[:, at.tolist()],
            ca.repmat(p, 1, len(at)),
            controls[:, before.tolist()],
            ca.DM(self.times / dae.time_unit).T,
        )
        return ca.Function(what[0], [p], [signals])

    @cached_property
    def _controls(self) -> np.ndarray:
        """Start voltages, slopes and start time of the stimulus' segment of each interval: the integrator restarts where
        they change, and only there.
        """
        marks = np.append(self.bench.breakpoints, np.inf)
        segment = np.searchsorted(marks, self._grid[:-1], side="right") - 1
        start = marks[segment]
        end = np.minimum(marks[segment + 1], start + 1.0)
        first = np.array([d.waveform(start) for d in self.bench.drives.values()])
        last = np.array([d.waveform(end) for d in self.bench.drives.values()])
        return np.vstack([first, (last - first) / (end - start), start])

    @cached_property
    def _dae(self) -> _Dae:
        return _Dae(self.model, self.values, self.bench, self.free)

    def _first_voltage(self, sources: np.ndarray) -> float:
        """Solve for the voltage behind the source impedance at time zero, states at their initial values."""
        names = impeded(self.bench)
        if not names:
            return 0.0
        terminal = names[0]
        position = list(self.bench.drives).index(terminal)
        drive, source = self.bench.drives[terminal], float(sources[position])
        if source == 0.0 and not np.any(sources):
            return 0.0
        functions = compile_python(self.model)
        x = self.model.initial_states(self.values)
        p = [self.values[q.name] for q in self.model.parameters]
        fixed = dict(zip(self.bench.drives, sources.tolist(), strict=True))

        def surplus(z: float) -> float:
            potentials = {**fixed, terminal: z}
            v = [potentials.get(w.plus, 0.0) - potentials.get(w.minus, 0.0) for w in self.model.voltages]
            currents = functions.currents(v, x, p, self.bench.temperature)
            inflow = sum(
                (b.plus == terminal) * c - (b.minus == terminal) * c
                for b, c in zip(self.model.currents, currents, strict=True)
            )
            return float(inflow) - float(source_current(drive, source - z))

        reach = max(abs(u) for u in fixed.values()) + 1.0
        return float(brentq(surplus, -reach, reach, xtol=1e-15))


class _Dae:
    """The CasADi problem of a model on a bench, in units of the stimulus' shortest feature (CVODES fails on bare nanoseconds)."""

    def __init__(self, model: Model, values: Mapping[str, float], bench: Bench, free: Sequence[str]) -> None:
        drives = list(bench.drives)
        impedance = impeded(bench)
        self.unknowns = len(impedance)
        self.time_unit = min(d.waveform.shortest_feature for d in bench.drives.values())
        if not np.isfinite(self.time_unit):
            raise EngineError("the stimulus is constant: give it a duration with a second point")
        p = ca.SX.sym("p", len(free))
        tau = ca.SX.sym("tau")
        t = self.time_unit * tau
        u = ca.SX.sym("u", 2 * len(drives) + 1)
        deviations = ca.SX.sym("x", len(model.states))
        z = ca.SX.sym("z", self.unknowns)
        parameters: dict[str, Any] = dict(values)
        parameters.update({name: p[i] for i, name in enumerate(free)})

        source = {d: u[i] + u[len(drives) + i] * (t - u[2 * len(drives)]) for i, d in enumerate(drives)}
        potential: dict[str, Any] = {terminal: source.get(terminal, 0.0) for terminal in model.terminals}
        for terminal in impedance:
            potential[terminal] = z[0]
        v = [potential[w.plus] - potential[w.minus] for w in model.voltages]
        states = [parameters[s.initial_parameter.name] + s.scale * deviations[i] for i, s in enumerate(model.states)]
        rhs = expressions(model, v, states, parameters, bench.temperature)
        hold = bench.frozen or values.get("frozen", 0.0) >= 0.5
        rates = ca.vertcat(*[0.0 if hold else r / s.scale for r, s in zip(rhs.rates, model.states, strict=True)])

        inflow: dict[str, Any] = dict.fromkeys(model.terminals, 0.0)
        stored: dict[str, Any] = dict.fromkeys(model.terminals, 0.0)
        for branch, current in zip(model.currents, rhs.currents, strict=True):
            inflow[branch.plus] += current
            inflow[branch.minus] -= current
        for branch, charge in zip(model.charges, rhs.charges, strict=True):
            stored[branch.plus] += charge
            stored[branch.minus] -= charge

        def displacement(terminal: str, z_rate: Any) -> Any:
            charge = ca.SX(stored[terminal])
            moving = ca.jtimes(charge, deviations, rates) if model.states else 0.0
            moving += ca.jtimes(charge, tau, ca.SX(1.0)) / self.time_unit
            if impedance:
                moving += ca.jtimes(charge, z, z_rate)
            return moving

        self.algebraic = self.differential = False
        z_rate: Any = ca.SX.zeros(self.unknowns)
        problem: dict[str, Any] = {"p": p, "u": u, "t": tau}
        if impedance:
            terminal = impedance[0]
            from_source = source_current(bench.drives[terminal], source[terminal] - z[0])
            capacitance = ca.jacobian(ca.SX(stored[terminal]), z)
            balance = from_source - inflow[terminal] - displacement(terminal, ca.SX.zeros(1))
            if capacitance.nnz():
                self.differential = True
                z_rate = balance / capacitance
                problem |= {"x": ca.vertcat(deviations, z), "ode": self.time_unit * ca.vertcat(rates, z_rate)}
            else:
                self.algebraic = True
                problem |= {"x": deviations, "ode": self.time_unit * rates, "z": z, "alg": balance}
        else:
            problem |= {"x": deviations, "ode": self.time_unit * rates}
        self.problem = problem
        total = [inflow[k] + displacement(k, z_rate) for k in model.terminals]
        rows = [ca.SX(potential[k]) for k in model.terminals] + total + states + rhs.observables
        self._rows = ca.vertcat(*rows)
        unknowns = ca.vertcat(problem["x"], problem.get("z", ca.SX(0, 1)))
        self.outputs = ca.Function("outputs", [unknowns, p, u, tau], [self._rows])

    def with_sensitivities(self, row: int) -> tuple[dict[str, Any], ca.Function]:
        """Return the problem with its sensitivity equations, and the map to one output row and its slopes."""
        problem = self.problem
        x, p = problem["x"], problem["p"]
        z = problem.get("z", ca.SX(0, 1))
        n = p.numel()
        s_x = ca.SX.sym("s_x", x.numel(), n)
        s_z = ca.SX.sym("s_z", z.numel(), n)

        def slopes(expression: Any) -> Any:
            by_x, by_z, by_p = (ca.jacobian(expression, w) for w in (x, z, p))
            return ca.mtimes(by_x, s_x) + ca.mtimes(by_z, s_z) + by_p

        grown = dict(problem)
        grown["x"] = ca.vertcat(x, ca.vec(s_x))
        grown["ode"] = ca.vertcat(problem["ode"], ca.vec(slopes(problem["ode"])))
        if self.algebraic:
            grown["z"] = ca.vertcat(z, ca.vec(s_z))
            grown["alg"] = ca.vertcat(problem["alg"], ca.vec(slopes(problem["alg"])))
        output = self._rows[row]
        unknowns = ca.vertcat(grown["x"], grown.get("z", ca.SX(0, 1)))
        values = ca.vertcat(output, slopes(output).T)
        return grown, ca.Function("outputs", [unknowns, p, problem["u"], problem["t"]], [values])


def source_current(drive: Drive, drop: Any) -> Any:
    """Return the current [A] of a source whose voltage drop (source less terminal) is ``drop`` [V].

    Works on floats, arrays and CasADi expressions. See :attr:`~synspice.compact.stimulus.Drive.resistance`.
    """
    linear = drop / drive.resistance
    if drive.compliance is None:
        return linear
    ratio = linear / drive.compliance
    squared = ratio * ratio
    grown = 1.0
    for _ in range(LIMITER_SHARPNESS):
        grown = grown * squared
    return linear / (1 + grown) ** (1 / (2 * LIMITER_SHARPNESS))


def impeded(bench: Bench) -> list[str]:
    """Return the driven terminals whose source has an impedance."""
    return [terminal for terminal, drive in bench.drives.items() if drive.has_impedance]


def output_times(bench: Bench, points: int) -> np.ndarray:
    """Return times that resolve every segment of the stimulus, both evenly and near its start, rising [s]."""
    marks = bench.breakpoints
    even = np.linspace(0, 1, points + 1)[1:]
    early = np.geomspace(1e-3, even[0], 4)[:-1]
    within = np.concatenate([early, even])
    return np.unique(np.concatenate([[0.0], (marks[:-1, None] + np.diff(marks)[:, None] * within).ravel()]))


def simulate(
    model: Model,
    values: Mapping[str, float],
    bench: Bench,
    *,
    times: np.ndarray | None = None,
    options: ReferenceOptions | None = None,
    experiment: str = "",
) -> Result:
    """Run a device on a bench.

    Parameters
    ----------
    model : Model
    values : mapping of name to float
        Parameter values; the defaults stand for missing ones.
    bench : Bench
    times : ndarray, optional
        Output times [s]. By default they are refined until no step of the current is above 2 % of its largest value.
    options : ReferenceOptions, optional
    experiment : str
        Name for the record.

    Returns
    -------
    Result

    Raises
    ------
    ParameterError, SimulationError
    """
    options = options or ReferenceOptions()
    complete = model.values(values)
    grid = output_times(bench, options.points) if times is None else np.asarray(times, float)
    for _ in range(4):
        problem = Problem(model, complete, bench, grid, (), options)
        rows = problem.solve()
        current = rows[problem.signal_names.index(f"i_{model.write[0]}")]
        coarse = np.abs(np.diff(current)) > 0.02 * np.max(np.abs(current), initial=1e-300)
        if times is not None or not coarse.any() or grid.size > 40_000:
            break
        fractions = np.arange(1, 6) / 6
        grid = np.unique(
            np.concatenate([grid, (grid[:-1][coarse, None] + np.diff(grid)[coarse, None] * fractions).ravel()])
        )
    return record(
        model,
        bench,
        experiment=experiment,
        engine="reference",
        engine_version=ENGINE_VERSION,
        time=problem.times,
        rows=dict(zip(problem.signal_names, rows, strict=True)),
        options={"reltol": options.reltol, "abstol": options.abstol, "max_steps": options.max_steps},
        deck="",
    )


def record(
    model: Model,
    bench: Bench,
    *,
    experiment: str,
    engine: str,
    engine_version: str,
    time: np.ndarray,
    rows: Mapping[str, np.ndarray],
    options: Mapping[str, Any],
    deck: str,
) -> Result:
    """Return the common record: port voltages and currents, states, observables.

    Parameters
    ----------
    rows : mapping
        ``v_<terminal>``, ``i_<terminal>`` (into the device), every state and observable, each of shape (n,).
    """
    plus, minus = model.write
    signals = {
        "source": bench.drives[plus].waveform(time) if plus in bench.drives else np.zeros_like(time),
        "voltage": rows[f"v_{plus}"] - rows[f"v_{minus}"],
        "current": rows[f"i_{plus}"],
    }
    units = {"source": "V", "voltage": "V", "current": "A"}
    if model.read != model.write:
        signals["read_voltage"] = rows[f"v_{model.read[0]}"] - rows[f"v_{model.read[1]}"]
        signals["read_current"] = rows[f"i_{model.read[0]}"]
        units |= {"read_voltage": "V", "read_current": "A"}
    for item in (*model.states, *model.observables):
        signals[item.name] = rows[item.name]
        units[item.name] = item.unit
    return Result(
        experiment=experiment,
        engine=engine,
        engine_version=engine_version,
        time=time,
        signals=signals,
        units=units,
        options={**options, "temperature_K": bench.temperature, "frozen": bench.frozen},
        deck=deck,
    )


class _quiet:
    """Keeps the integrator's own diagnostics off the terminal; the exception carries them."""

    def __enter__(self) -> None:
        import os
        import sys

        sys.stderr.flush()
        self._saved = os.dup(2)
        self._null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(self._null, 2)

    def __exit__(self, *_: object) -> None:
        import os

        os.dup2(self._saved, 2)
        os.close(self._saved)
        os.close(self._null)


def _failed(error: RuntimeError) -> SimulationError:
    lines = [line for line in str(error).splitlines() if line.strip()]
    reason = "time step too small" if "TOO_MUCH_WORK" in str(error) or "TOO_CLOSE" in str(error) else "convergence"
    return SimulationError(reason, "the reference engine's integrator gave up", log="\n".join(lines[-4:]))
