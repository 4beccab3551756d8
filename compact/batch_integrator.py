"""The batch engine's integrator: a Rosenbrock method around a device behind a source impedance.

The functions of :data:`PARTS` are plain Python. The batch engine writes their source into one module with a model's
equations, which take the place of the four functions that stand for them here, and has numba compile it.
"""

from __future__ import annotations

import numpy as np

from .stimulus import LIMITER_SHARPNESS

# RODAS3: L-stable, stiffly accurate; A and C in the form that needs no product with the Jacobian
A31, A41, A43 = 2.0, 2.0, 1.0
C21, C31, C32, C41, C42, C43 = 4.0, 1.0, -1.0, 1.0, -1.0, -8.0 / 3.0
GAMMA = 0.5
DRIFT = (0.5, 1.5, 0.0, 0.0)
"""Weights of the explicit time derivative in the four stages."""

NEWTON = 60
"""Most Newton steps for the voltage behind an impedance; bisection takes over where they leave the bracket."""


def port_current(v: float, x: np.ndarray, p: np.ndarray, temperature: float) -> float:
    """Stand for the model's current into the written port [A]."""
    raise NotImplementedError


def port_slopes(v: float, x: np.ndarray, p: np.ndarray, temperature: float, by_x: np.ndarray) -> float:
    """Stand for that current's slope by the voltage [S]; ``by_x`` receives those by the states."""
    raise NotImplementedError


def state_rates(v: float, x: np.ndarray, p: np.ndarray, temperature: float, out: np.ndarray) -> None:
    """Stand for the model's rates."""
    raise NotImplementedError


def state_slopes(
    v: float, x: np.ndarray, p: np.ndarray, temperature: float, by_v: np.ndarray, by_x: np.ndarray
) -> None:
    """Stand for the rates' slopes by the voltage and by the states."""
    raise NotImplementedError


def source_flow(drop: float, resistance: float, compliance: float) -> tuple[float, float]:
    """Return the current [A] that a source delivers at a voltage drop [V] in its impedance, and its slope [S]."""
    linear = drop / resistance
    if compliance == 0.0:
        return linear, 1.0 / resistance
    power = 2 * LIMITER_SHARPNESS
    ratio = min(abs(linear) / compliance, 1e15)
    grown = ratio**power
    root = (1.0 + grown) ** (1.0 / power)
    return linear / root, 1.0 / (resistance * root * (1.0 + grown))


def factorise(a: np.ndarray, pivots: np.ndarray) -> None:
    """LU-decompose a small matrix in place, with row exchanges."""
    n = a.shape[0]
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[best, k]):
                best = i
        pivots[k] = best
        if best != k:
            for j in range(n):
                a[k, j], a[best, j] = a[best, j], a[k, j]
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]


def substitute(a: np.ndarray, pivots: np.ndarray, b: np.ndarray) -> None:
    """Solve with the factors of :func:`factorise`, in place."""
    n = a.shape[0]
    for k in range(n):
        b[k], b[pivots[k]] = b[pivots[k]], b[k]
    for k in range(n):
        for j in range(k):
            b[k] -= a[k, j] * b[j]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            b[k] -= a[k, j] * b[j]
        b[k] /= a[k, k]


def terminal_voltage(
    source: float, guess: float, x: np.ndarray, p: np.ndarray, temperature: float, z: np.ndarray, by_x: np.ndarray
) -> tuple[float, float]:
    """Return the device's voltage, and its change by the source's: Newton's method inside a bracket.

    ``by_x`` receives the change of the voltage by the states.
    """
    if z[0] == 0.0:
        by_x[:] = 0.0
        return source, 1.0
    low, high = min(source, 0.0), max(source, 0.0)
    v = min(max(guess, low), high)
    slope = 1.0
    give = 1.0
    for _ in range(NEWTON):
        delivered, give = source_flow(source - v, z[0], z[1])
        surplus = port_current(v, x, p, temperature) - delivered
        slope = port_slopes(v, x, p, temperature, by_x) + give
        if surplus > 0:
            high = v
        else:
            low = v
        step = -surplus / slope
        if abs(step) <= 1e-15 + 1e-13 * abs(v):
            v += step
            break
        v = v + step if low < v + step < high else (low + high) / 2
        if high - low <= 1e-16 * (abs(low) + abs(high)):
            break
    for k in range(by_x.size):
        by_x[k] = -by_x[k] / slope
    return v, give / slope


def integrate(
    time: np.ndarray,
    voltage: np.ndarray,
    z: np.ndarray,
    temperature: float,
    p: np.ndarray,
    start: np.ndarray,
    scale: np.ndarray,
    hold: bool,
    grid: np.ndarray,
    reltol: float,
    abstol: float,
    max_steps: int,
    states: np.ndarray,
    volts: np.ndarray,
) -> int:
    """Fill ``states`` and ``volts`` at the times of ``grid``; return 0, or 1 when it gave up."""
    n = start.size
    x, trial = start.copy(), np.empty(n)
    f0, f1, jv = np.zeros(n), np.zeros(n), np.empty(n)
    jx, lu = np.empty((n, n)), np.empty((n, n))
    dv, pivots = np.empty(n), np.empty(n, np.int64)
    k = np.empty((4, n))
    at, steps, segment, t = 0, 0, 0, 0.0
    v, share = terminal_voltage(voltage[0], 0.0, x, p, temperature, z, dv)
    step = 0.0
    last = grid[-1]
    while True:
        while at < grid.size and grid[at] <= t:  # only the first points: the others are passed inside a step
            states[at], volts[at] = x, v
            at += 1
        if at == grid.size:
            return 0
        while segment < time.size - 1 and t >= time[segment + 1]:
            segment += 1
        if segment < time.size - 1:
            end = min(time[segment + 1], last)
            ramp = (voltage[segment + 1] - voltage[segment]) / (time[segment + 1] - time[segment])
        else:
            end, ramp = last, 0.0
        begin = t
        source = np.interp(begin, time, voltage)
        step = min(end - t, max(step, 1e-4 * (end - t)))
        v, share = terminal_voltage(source, v, x, p, temperature, z, dv)
        if not hold:
            state_rates(v, x, p, temperature, f0)
        while t < end:
            steps += 1
            if steps > max_steps or step < 1e-16 * end:
                return 1
            landing = t + 1.0000001 * step >= end
            if landing:
                step = end - t
            now = source + ramp * (t - begin)
            error = 0.0
            later = now + ramp * step
            if hold:
                trial[:] = x
                v1, share = terminal_voltage(later, v, trial, p, temperature, z, dv)
            else:
                v, share = terminal_voltage(now, v, x, p, temperature, z, dv)
                state_slopes(v, x, p, temperature, jv, jx)
                for i in range(n):
                    for j in range(n):
                        lu[i, j] = -jx[i, j] - jv[i] * dv[j]
                    lu[i, i] += 1.0 / (GAMMA * step)
                factorise(lu, pivots)
                pace = ramp * share * step
                for i in range(n):
                    k[0, i] = f0[i] + DRIFT[0] * pace * jv[i]
                substitute(lu, pivots, k[0])
                for i in range(n):
                    k[1, i] = f0[i] + C21 / step * k[0, i] + DRIFT[1] * pace * jv[i]
                substitute(lu, pivots, k[1])
                for i in range(n):
                    trial[i] = x[i] + A31 * k[0, i]
                v1, _ = terminal_voltage(later, v, trial, p, temperature, z, dv)
                state_rates(v1, trial, p, temperature, f1)
                for i in range(n):
                    k[2, i] = f1[i] + (C31 * k[0, i] + C32 * k[1, i]) / step
                substitute(lu, pivots, k[2])
                for i in range(n):
                    trial[i] = x[i] + A41 * k[0, i] + A43 * k[2, i]
                v1, _ = terminal_voltage(later, v1, trial, p, temperature, z, dv)
                state_rates(v1, trial, p, temperature, f1)
                for i in range(n):
                    k[3, i] = f1[i] + (C41 * k[0, i] + C42 * k[1, i] + C43 * k[2, i]) / step
                substitute(lu, pivots, k[3])
                for i in range(n):
                    trial[i] += k[3, i]
                    allowed = abstol * scale[i] + reltol * max(abs(x[i]), abs(trial[i]))
                    error = max(error, abs(k[3, i]) / allowed)
                v1, _ = terminal_voltage(later, v1, trial, p, temperature, z, dv)
                state_rates(v1, trial, p, temperature, f1)
                if not np.isfinite(error):
                    step *= 0.1
                    continue
            if error <= 1.0:
                arrival = end if landing else t + step
                while at < grid.size and grid[at] <= arrival:
                    s = (grid[at] - t) / step
                    for i in range(n):
                        states[at, i] = (
                            x[i]
                            + (trial[i] - x[i]) * s * s * (3 - 2 * s)
                            + step * s * (1 - s) * ((1 - s) * f0[i] - s * f1[i])
                        )
                    volts[at], _ = terminal_voltage(now + ramp * (grid[at] - t), v1, states[at], p, temperature, z, dv)
                    at += 1
                t, v = arrival, v1
                for i in range(n):
                    x[i], f0[i] = trial[i], f1[i]
            grown = 0.9 * (error + 1e-12) ** (-1.0 / 3.0)
            step *= min(5.0, max(0.2, grown))


CONSTANTS = (
    "A31",
    "A41",
    "A43",
    "C21",
    "C31",
    "C32",
    "C41",
    "C42",
    "C43",
    "GAMMA",
    "DRIFT",
    "NEWTON",
    "LIMITER_SHARPNESS",
)
"""Names of the numbers that the functions use."""

PARTS = (source_flow, factorise, substitute, terminal_voltage, integrate)
"""What is compiled with a model's equations; the last is the entry."""
