"""Two plain cells for tests and benchmarks: a drift memristor and a threshold-switching diffusive selector."""

from __future__ import annotations

import math

from synspice.netlists.arrays.cells import CellModel, as_cell, series
from synspice.netlists.arrays.kernels import FloatArray

# Beyond this argument sinh goes on as a straight line, so that a Newton guess cannot overflow.
_SINH_LIMIT = 40.0
# Width of the change between the set and the reset window [V].
_WINDOW = 0.01


def _drift_current(v: float, x: FloatArray, p: FloatArray, T: float) -> float:
    """G v with G = gmin + (gmax - gmin) x; p = (gmin, gmax [S], k [1/s], v0 [V])."""
    return float((p[0] + (p[1] - p[0]) * x[0]) * v)


def _drift_rates(v: float, x: FloatArray, p: FloatArray, T: float, out: FloatArray) -> None:
    """dx/dt = k sinh(v / v0) window, (1 - x) for setting and x for resetting."""
    z = v / p[3]
    if abs(z) > _SINH_LIMIT:
        s = math.copysign(math.sinh(_SINH_LIMIT) + math.cosh(_SINH_LIMIT) * (abs(z) - _SINH_LIMIT), z)
    else:
        s = math.sinh(z)
    to_set = 0.5 * (1.0 + math.tanh(v / _WINDOW))
    out[0] = p[2] * s * (to_set * (1.0 - x[0]) + (1.0 - to_set) * x[0])


def _drift_jacobian(v: float, x: FloatArray, p: FloatArray, T: float, jac: FloatArray) -> None:
    z = v / p[3]
    if abs(z) > _SINH_LIMIT:
        s = math.copysign(math.sinh(_SINH_LIMIT) + math.cosh(_SINH_LIMIT) * (abs(z) - _SINH_LIMIT), z)
        slope = math.cosh(_SINH_LIMIT)
    else:
        s, slope = math.sinh(z), math.cosh(z)
    t = math.tanh(v / _WINDOW)
    to_set = 0.5 * (1.0 + t)
    window = to_set * (1.0 - x[0]) + (1.0 - to_set) * x[0]
    jac[0, 0] = p[0] + (p[1] - p[0]) * x[0]
    jac[0, 1] = (p[1] - p[0]) * v
    jac[1, 0] = p[2] * (slope / p[3] * window + s * (1.0 - 2.0 * x[0]) * 0.5 * (1.0 - t * t) / _WINDOW)
    jac[1, 1] = p[2] * s * (1.0 - 2.0 * to_set)


def _diffusive_current(v: float, x: FloatArray, p: FloatArray, T: float) -> float:
    """G vt sinh(v / vt), G = goff (gon / goff)^x; p = (goff, gon [S], vt [V], rmax [1/s], vth, vs [V], tau [s])."""
    c = min(max(x[0], 0.0), 1.0)
    z = v / p[2]
    if abs(z) > _SINH_LIMIT:
        s = math.copysign(math.sinh(_SINH_LIMIT) + math.cosh(_SINH_LIMIT) * (abs(z) - _SINH_LIMIT), z)
    else:
        s = math.sinh(z)
    return float(p[0] * math.exp(math.log(p[1] / p[0]) * c) * p[2] * s)


def _diffusive_rates(v: float, x: FloatArray, p: FloatArray, T: float, out: FloatArray) -> None:
    """dx/dt = rmax (1 - x) / (1 + exp(-(|v| - vth (1 - x/2)) / vs)) - x / tau: grows above a threshold that falls, decays below."""
    c = min(max(x[0], 0.0), 1.0)
    size = math.sqrt(v * v + 1e-6) - 1e-3
    u = (size - p[4] * (1.0 - 0.5 * c)) / p[5]
    out[0] = p[3] * 0.5 * (1.0 + math.tanh(0.5 * u)) * (1.0 - x[0]) - x[0] / p[6]


def _diffusive_jacobian(v: float, x: FloatArray, p: FloatArray, T: float, jac: FloatArray) -> None:
    inside = 1.0 if 0.0 <= x[0] <= 1.0 else 0.0
    c = min(max(x[0], 0.0), 1.0)
    z = v / p[2]
    if abs(z) > _SINH_LIMIT:
        s = math.copysign(math.sinh(_SINH_LIMIT) + math.cosh(_SINH_LIMIT) * (abs(z) - _SINH_LIMIT), z)
        slope = math.cosh(_SINH_LIMIT)
    else:
        s, slope = math.sinh(z), math.cosh(z)
    decades = math.log(p[1] / p[0])
    g = p[0] * math.exp(decades * c)
    smooth = math.sqrt(v * v + 1e-6)
    t = math.tanh(0.5 * (smooth - 1e-3 - p[4] * (1.0 - 0.5 * c)) / p[5])
    rise = p[3] * 0.25 * (1.0 - t * t) * (1.0 - x[0])
    jac[0, 0] = g * slope
    jac[0, 1] = inside * decades * g * p[2] * s
    jac[1, 0] = rise * (v / smooth) / p[5]
    jac[1, 1] = rise * inside * 0.5 * p[4] / p[5] - p[3] * 0.5 * (1.0 + t) - 1.0 / p[6]


def drift_cell() -> CellModel:
    """Drift memristor; parameters gmin [S], gmax [S], k [1/s], v0 [V]; state x (0 to 1)."""
    return as_cell("drift", 4, (1.0,), (_drift_current, _drift_rates, _drift_jacobian))


def diffusive_cell() -> CellModel:
    """Diffusive selector; parameters goff, gon [S], vt [V], rmax [1/s], vth, vs [V], tau [s]; state filament (0 to 1)."""
    return as_cell("diffusive", 7, (1.0,), (_diffusive_current, _diffusive_rates, _diffusive_jacobian))


def selector_memory_cell() -> CellModel:
    """1S1R: the diffusive selector on the word line in series with the drift memristor."""
    return series(diffusive_cell(), drift_cell(), name="1S1R")
