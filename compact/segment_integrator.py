"""CVODES and IDAS over the segments of a stimulus: from corner to corner nothing jumps, and each has a time of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import casadi as ca
import numpy as np

from .errors import SimulationError
from .operating_point import operating_point

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = ((5, 1.0), (3, 1.0), (2, 1.0), (5, 1e-2), (3, 1e-2))
"""Highest order and factor on the tolerances, tried in turn when the integrator gives up on a segment: high-order BDF can fail its
error test beside a jump, and a loose tolerance can step into a region where Newton fails. None is looser than asked for."""

HALVINGS = 12
"""Of a segment on which every attempt fails. A start afresh forgets the history that misled it: with a channel so full that its free
part is lost in rounding, the noise of the currents is above the tolerance, and no order led past it."""

PIECES = 64
"""Of a segment, at most, so that an integrator that creeps through noise ends and says so."""

LINEAR_SOLVER = "csparse"
"""Of Newton's iterations. CasADi's own "qr" squares slopes: one of 1e-160, as a filament 1e-15 thick has, underflows there, the
factors are then wrong and the integrator creeps."""

POLISHING = 4
"""Newton steps on the algebraic unknowns at a segment's start and at every output. The integrator leaves them within its tolerance of
the equations; its first step, which no length of step makes smaller, would count that as its error."""

POLISHED = 1e-15
"""Relative size of a step after which no further one is made."""

LOST = 1e-6
"""Relative size of the last of them above which they led nowhere, and the unknowns are solved for from zero: where a limiter's current
changes its sign within a step, what IDAS interpolates between the step's ends is far from the equations."""

NEWTON = 0.01
"""Of the tolerance, what Newton's iterations may leave in IDAS. The error test sees it as an error that no shorter step removes:
with SUNDIALS' own 0.33 a switch behind a resistor took twice the steps, or crept."""

CHAINED = 32
"""Segments, at most, that one call to CasADi takes in turn; a call from Python a segment took three to five times as long. Where one
of them fails, all of the call are taken one by one."""

Solution = tuple[np.ndarray, np.ndarray, np.ndarray]


class SegmentIntegrator:
    """An integrator of a CasADi problem over a stimulus' segments, each from 0 to 1 in its time.

    CasADi's integrators take the outputs' times when they are built (1 to 2 ms each), so one is kept for every pattern.

    Parameters
    ----------
    problem : dict
        For ``casadi.integrator``; with z and alg it is solved by IDAS, else by CVODES.
    integrals : sequence of expression
        Rates that are integrated along, within the error control.
    settings : mapping
        ``reltol``, ``abstol`` and ``max_num_steps``.
    """

    def __init__(self, problem: Mapping[str, Any], integrals: Sequence[Any], settings: Mapping[str, float]) -> None:
        self._problem = dict(problem)
        if integrals:  # as unknowns: IDAS's own quadratures crept where nothing moves
            self._problem["x"] = ca.vertcat(problem["x"], ca.SX.sym("integrals", len(integrals)))
            self._problem["ode"] = ca.vertcat(problem["ode"], *integrals)
        self._settings = settings
        self._integrals = len(integrals)
        self._pieces = 0
        states = np.arange(self._rows("x")) < problem["x"].numel()
        self._states = states.astype(float)[:, None]  # ones, and zeros for the integrals
        self._integrators: dict[tuple[float, bytes, int, float], ca.Function] = {}
        self._steps: dict[bytes, ca.Function] = {}
        self._chains: dict[tuple[bytes, ...], ca.Function] = {}
        self._maps: dict[int, ca.Function] = {}
        if "z" in problem:
            point = [self._problem[name] for name in ("x", "z", "p", "u", "t")]
            slopes = ca.jacobian(problem["alg"], problem["z"])
            self._algebraic = ca.Function("algebraic", point, [problem["alg"], slopes])

    def __call__(
        self, x: np.ndarray, z: np.ndarray, p: Sequence[float], controls: np.ndarray, grids: Sequence[np.ndarray]
    ) -> Solution:
        """Return x, z and the integrals since the start at the times of every segment's grid, each of shape (rows, n).

        Parameters
        ----------
        x, z : ndarray
            At the first segment's start; z need be consistent with x there to the integrator's tolerance only.
        p : sequence of float
        controls : ndarray, shape (n_u, n_segments)
        grids : sequence of ndarray
            Each ends with 1.

        Raises
        ------
        SimulationError
            If the integrator gives up.
        """
        p = list(p)
        found = [(np.zeros((x.size + self._integrals, 0)), np.zeros((z.size, 0)))]
        x, z = np.append(x, np.zeros(self._integrals))[:, None], z[:, None]
        with _quiet():
            for k in range(0, len(grids), CHAINED):
                u, some = controls[:, k : k + CHAINED], grids[k : k + CHAINED]
                xs, zs = self._chained(x, z, p, u, some) or self._in_turn(x, z, p, u, some)
                found.append((xs, zs))
                x, z = xs[:, -1:], zs[:, -1:]
        xs, zs = (np.hstack(w) for w in zip(*found, strict=True))
        sizes = [grid.size for grid in grids]
        zs = self._consistent(xs, zs, p, np.repeat(controls, sizes, axis=1), np.concatenate(grids))
        xs, added = np.split(xs, [xs.shape[0] - self._integrals])
        before = np.cumsum(np.pad(added[:, np.cumsum(sizes) - 1], ((0, 0), (1, 0)))[:, :-1], axis=1)
        return xs, zs, added + np.repeat(before, sizes, axis=1)

    def _in_turn(
        self, x: np.ndarray, z: np.ndarray, p: Sequence[float], controls: np.ndarray, grids: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return x, integrals since each segment's start included, and z at the times of the grids; each is tried in several ways."""
        found = []
        for grid, u in zip(grids, controls.T, strict=True):
            z = self._consistent(x, z, p, u[:, None], np.zeros(1))
            self._pieces = 0
            xs, zs = self._piece(x * self._states, z, p, u, 0.0, grid, HALVINGS)
            found.append((xs, zs))
            x, z = xs[:, -1:], zs[:, -1:]
        xs, zs = (np.hstack(w) for w in zip(*found, strict=True))
        return xs, zs

    def _chained(
        self, x: np.ndarray, z: np.ndarray, p: Sequence[float], controls: np.ndarray, grids: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the same from one call, or None where that fails."""
        try:
            xs, zs, lost = self._chain(grids)(x, z, p, controls)
        except RuntimeError:
            return None
        return (np.asarray(xs), np.asarray(zs)) if float(lost) <= LOST else None

    def _chain(self, grids: Sequence[np.ndarray]) -> ca.Function:
        """Return the function from the start, p and the segments' controls to x, z and the largest last step on z at a start."""
        key = tuple(grid.tobytes() for grid in grids)
        if key not in self._chains:
            x, z, p, u = self._symbols()
            controls = ca.MX.sym("controls", u.numel(), len(grids))
            start, found = [x, z], []
            for grid, now in zip(grids, ca.horzsplit(controls), strict=True):
                found.append(self._step(grid).call([*start, p, now]))
                start = found[-1][3:]
            xs, zs, lost, *_ = zip(*found, strict=True)
            answer = [ca.horzcat(*xs), ca.horzcat(*zs), ca.mmax(ca.vertcat(*lost))]
            self._chains[key] = ca.Function("chain", [x, z, p, controls], answer)
        return self._chains[key]

    def _step(self, grid: np.ndarray) -> ca.Function:
        """Return the function over one segment: x and z on its grid, the last step on z at its start, and x and z at its end."""
        key = grid.tobytes()
        if key not in self._steps:
            x, z, p, u = self._symbols()
            start, moved = self._polish.call([x, z, p, u])
            answer = self._integrator(0.0, grid, *ATTEMPTS[0])(x0=x * self._states, z0=start, p=p, u=u)
            xs, zs = answer["xf"], answer["zf"]
            self._steps[key] = ca.Function("step", [x, z, p, u], [xs, zs, moved, xs[:, -1], zs[:, -1]])
        return self._steps[key]

    @cached_property
    def _polish(self) -> ca.Function:
        """The function from a segment's start to the z that is consistent there, and the relative size of the last step to it."""
        x, z, p, u = self._symbols()
        start, moved = z, ca.MX(0.0)
        for _ in range(POLISHING if z.numel() else 0):
            residual, slopes = self._algebraic.call([x, start, p, u, ca.MX(0.0)])
            step = ca.solve(slopes, residual, LINEAR_SOLVER)
            start -= step
            moved = ca.norm_inf(step) / (1 + ca.norm_inf(start))
        return ca.Function("polish", [x, z, p, u], [start, moved])

    def _symbols(self) -> tuple[ca.MX, ca.MX, ca.MX, ca.MX]:
        x, z, p, u = (ca.MX.sym(name, self._rows(name)) for name in ("x", "z", "p", "u"))
        return x, z, p, u

    def _rows(self, name: str) -> int:
        return int(self._problem[name].numel()) if name in self._problem else 0

    def _piece(
        self, x: np.ndarray, z: np.ndarray, p: Sequence[float], u: np.ndarray, start: float, grid: np.ndarray, left: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return x, integrals included, and z at a grid's times; one that fails is solved as two halves, each afresh."""
        self._pieces += 1
        for order, factor in ATTEMPTS:
            try:
                answer = self._integrator(start, grid, order, factor)(x0=x, z0=z, p=p, u=u)
            except RuntimeError as error:
                failure = error
                continue
            return np.asarray(answer["xf"]), np.asarray(answer["zf"])
        if not left or self._pieces >= PIECES:
            raise _failed(failure) from failure
        middle = (start + grid[-1]) / 2
        kept = int(np.count_nonzero(grid <= middle))
        xs, zs = self._piece(x, z, p, u, start, np.unique(np.append(grid[:kept], middle)), left - 1)
        later = self._piece(xs[:, -1:], zs[:, -1:], p, u, middle, grid[kept:], left - 1)
        return np.hstack([xs[:, :kept], later[0]]), np.hstack([zs[:, :kept], later[1]])

    def _consistent(
        self, x: np.ndarray, z: np.ndarray, p: Sequence[float], u: np.ndarray, times: np.ndarray
    ) -> np.ndarray:
        """Return the algebraic unknowns that fulfil their equations, of the shape of ``z``, one column a time."""
        rows, count = z.shape
        if not rows or not count:
            return z
        equations = self._mapped(count)
        parameters = np.tile(np.reshape(p, (-1, 1)), count)
        for _ in range(POLISHING):
            residual, slopes = equations(x, z, parameters, u, times[None, :])
            blocks = np.asarray(slopes).reshape(rows, count, rows).swapaxes(0, 1)
            step = np.linalg.solve(blocks, np.asarray(residual).T[:, :, None])[:, :, 0].T
            z = z - step
            if np.max(np.abs(step)) <= POLISHED * (1 + np.max(np.abs(z))):
                break
        lost = ~(np.max(np.abs(step), axis=0) <= LOST * (1 + np.max(np.abs(z), axis=0)))
        for k in np.flatnonzero(lost):

            def static(point: np.ndarray, fraction: float, k: int = int(k)) -> tuple[np.ndarray, np.ndarray]:
                left, by_point = self._algebraic(x[:, k], point, p, fraction * u[:, k], times[k])
                return np.asarray(left).ravel(), np.asarray(by_point)

            z[:, k] = operating_point(static, rows)
        return z

    def _mapped(self, count: int) -> ca.Function:
        if count not in self._maps:
            self._maps[count] = self._algebraic.map(count)
        return self._maps[count]

    def _integrator(self, start: float, grid: np.ndarray, order: int, factor: float) -> ca.Function:
        key = start, grid.tobytes(), order, factor
        if key not in self._integrators:
            settings: dict[str, Any] = {
                **self._settings,
                "reltol": factor * self._settings["reltol"],
                "abstol": factor * self._settings["abstol"],
                "max_multistep_order": order,
                "show_eval_warnings": False,
                "linear_solver": LINEAR_SOLVER,
            }
            if "z" in self._problem:
                settings["calc_ic"] = False  # the start is consistent, and its slopes are zero
                settings["nonlin_conv_coeff"] = NEWTON
                settings["suppress_algebraic"] = True  # they follow from the others, and are solved for at every output
            solver = "idas" if "z" in self._problem else "cvodes"
            self._integrators[key] = ca.integrator("segment", solver, self._problem, start, grid.tolist(), settings)
        return self._integrators[key]


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
