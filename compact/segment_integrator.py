"""CVODES and IDAS over one segment of a stimulus: from corner to corner nothing jumps, and each has a time of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import casadi as ca
import numpy as np

from .errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = ((5, 1.0), (3, 1.0), (2, 1.0), (5, 1e-2), (3, 1e-2))
"""Highest order and factor on the tolerances, tried in turn when the integrator gives up on a segment: high-order BDF can fail its
error test beside a jump, and a loose tolerance can step into a region where Newton fails. None is looser than asked for."""

HALVINGS = 12
"""Of a segment on which every attempt fails. A start afresh forgets the history that misled it: with a channel so full that its free
part is lost in rounding, the noise of the currents is above the tolerance, and no order led past it."""

LINEAR_SOLVER = "csparse"
"""Of Newton's iterations. CasADi's own "qr" squares slopes: one of 1e-160, as a filament 1e-15 thick has, underflows there, the
factors are then wrong and the integrator creeps."""

POLISHING = 4
"""Newton steps on the algebraic unknowns at a segment's start and at every output. The integrator leaves them within its tolerance of
the equations; its first step, which no length of step makes smaller, would count that as its error."""

NEWTON = 0.01
"""Of the tolerance, what Newton's iterations may leave in IDAS. The error test sees it as an error that no shorter step removes:
with SUNDIALS' own 0.33 a switch behind a resistor took twice the steps, or crept."""

Solution = tuple[np.ndarray, np.ndarray, np.ndarray]


class SegmentIntegrator:
    """An integrator of a CasADi problem over segments of the same kind, from 0 to 1 in its time.

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
        self.integrals = len(integrals)
        self._integrators: dict[tuple[float, bytes, int, float], ca.Function] = {}
        if "z" in problem:
            point = [problem[name] for name in ("x", "z", "p", "u", "t")]
            slopes = ca.densify(ca.jacobian(problem["alg"], problem["z"]))
            self._algebraic = ca.Function("algebraic", point, [problem["alg"], slopes])

    def __call__(self, x: np.ndarray, z: np.ndarray, p: Sequence[float], u: np.ndarray, grid: np.ndarray) -> Solution:
        """Return x, z and the integrals at the times of a grid that ends with 1, each of shape (rows, n).

        Parameters
        ----------
        x, z : ndarray
            At the segment's start; z need be consistent with x there to the integrator's tolerance only.
        p, u : sequences of float

        Raises
        ------
        SimulationError
            If the integrator gives up.
        """
        p = list(p)
        z = self._consistent(x[:, None], z[:, None], p, u, np.zeros(1))
        start = np.append(x, np.zeros(self.integrals))[:, None]
        grown, zs = self._piece(start, z, p, u, 0.0, grid, HALVINGS)
        xs, integrals = np.split(grown, [x.size])
        return xs, self._consistent(xs, zs, p, u, grid), integrals

    def _piece(
        self, x: np.ndarray, z: np.ndarray, p: Sequence[float], u: np.ndarray, start: float, grid: np.ndarray, left: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return x, integrals included, and z at a grid's times; one that fails is solved as two halves, each afresh."""
        for order, factor in ATTEMPTS:
            try:
                with _quiet():
                    answer = self._integrator(start, grid, order, factor)(x0=x, z0=z, p=p, u=u)
            except RuntimeError as error:
                failure = error
                continue
            return np.asarray(answer["xf"]), np.asarray(answer["zf"])
        if not left:
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
        if not rows:
            return z
        equations = self._algebraic.map(count)
        point = [np.tile(np.reshape(w, (-1, 1)), count) for w in (p, u)]
        for _ in range(POLISHING):
            residual, slopes = equations(x, z, *point, times[None, :])
            blocks = np.asarray(slopes).reshape(rows, count, rows).swapaxes(0, 1)
            z = z - np.linalg.solve(blocks, np.asarray(residual).T[:, :, None])[:, :, 0].T
        return z

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
