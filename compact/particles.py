"""The particle model of a diffusive memristor (Wang et al., Nature Materials 16, 101 (2017), Methods, eqs. 3-5).

Silver particles in a potential with two wells (the clusters at the terminals) and many pinning sites, pushed by the field
and by thermal noise; tunnelling from particle to particle; Joule heating against cooling. A physics reference that the
compact model is held against, in Python only.

Units: the half length L, the heat transfer rate kappa, the pinning amplitude w_p and the Boltzmann constant are 1; voltage
is in threshold voltages, time in 1/kappa, temperature as k_B T/w_p, conductance in 1/R_min with
R_min = N R_i exp(2L/(N lambda)), so that 1 is the largest conductance::

    eta dx/dt = -U'(x) + alpha V + sqrt(2 eta T) xi
    U = -w_i [exp(-((x + x_c)/r_well)^2) + exp(-((x - x_c)/r_well)^2)] + sin(2 pi x/r_pin)/2
    dT/dt = heating V^2 R_i/R - (T - T_0)
    R = R_i sum exp((x_(i+1) - x_i)/lambda)        over the sorted particles, with the terminals at -1 and +1

Readings of the text: "x_c = 85L" is 0.85 L; the R_1 of "lambda/2 = R_1 = 2R_p/3 = L/10" is the width of the wells, for which
the formula of U_i has R_i, also the tunnelling resistance; alpha V_th R_p/w_i = 0.3 gives alpha V_th = 9 w_p/L, and not the
estimate alpha = eta kappa L^2/V_th at the end of the Methods, which disagrees with it ninefold. Heating follows the estimate
C_T = kappa w_p R_i/(V_th^2 k_B), with the tunnelling resistance R_i: a pulse then warms the device by hundredths of w_p, and
relaxation is "governed by diffusion rather than the temperature relaxation". Not in the text: the value of eta, which it
gives by order of magnitude (w_p/kappa L^2), walls that reflect, and equal clusters at the start.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import ArrayLike

from .errors import ParameterError
from .stimulus import Waveform

TABLE = 8001
"""Points of the table of forces between the terminals: interpolation errs by 3e-4 of forces of about 20."""


@dataclass(frozen=True, kw_only=True)
class ParticleParameters:
    """What the particle model needs, in its units.

    Attributes
    ----------
    particles : int
        Stated (caption of Fig. 4).
    w_interface : float
        Depth of the wells, w_i/w_p; stated (Methods).
    push : float
        Force at the threshold voltage, alpha V_th L/w_p; from alpha V_th R_p/w_i = 0.3 (Methods).
    tunnelling : float
        Tunnelling length lambda/L; stated (caption of Fig. 4).
    r_well, r_pin : float
        Width of the wells and period of the pinning; stated (caption of Fig. 4).
    x_well : float
        Position of the wells; stated (caption of Fig. 4, misprinted).
    friction : float
        eta; assumed, of the order that the Methods give.
    heating : float
        C_T in units of kappa w_p R_i/(V_th^2 k_B); 1 is the estimate of the Methods.
    temperature : float
        k_B T_0/w_p, 0.3 to 0.45 in the paper.
    left_share : float
        Part of the particles that starts at the left terminal; assumed, "two large clusters ... near each terminal".
    step : float
        Time step; the paper takes 2e-6.
    """

    particles: int = 40
    w_interface: float = 4.5
    push: float = 9.0
    tunnelling: float = 0.2
    r_well: float = 0.1
    r_pin: float = 0.15
    x_well: float = 0.85
    friction: float = 2.0
    heating: float = 1.0
    temperature: float = 0.45
    left_share: float = 0.5
    step: float = 1e-4

    def __post_init__(self) -> None:
        positive = ("w_interface", "push", "tunnelling", "r_well", "r_pin", "x_well", "friction", "temperature", "step")
        faults = [
            f"{name} = {getattr(self, name)!r} must be finite and above 0"
            for name in positive
            if not 0 < getattr(self, name) < np.inf
        ]
        if self.particles < 1:
            faults.append(f"particles = {self.particles} must be 1 or more")
        if not 0 <= self.heating < np.inf:
            faults.append(f"heating = {self.heating!r} must be finite and not negative")
        if not 0 <= self.left_share <= 1:
            faults.append(f"left_share = {self.left_share!r} must be between 0 and 1")
        if faults:
            raise ParameterError("particle model", faults)

    def force(self, x: ArrayLike) -> np.ndarray:
        """Return the force -U'(x) on a particle without voltage."""
        position = np.asarray(x, float)
        left, right = (position + self.x_well) / self.r_well, (position - self.x_well) / self.r_well
        wells = 2 * self.w_interface / self.r_well * (left * np.exp(-(left**2)) + right * np.exp(-(right**2)))
        return np.asarray(-wells - np.pi / self.r_pin * np.cos(2 * np.pi * position / self.r_pin))


@dataclass(frozen=True, kw_only=True)
class ParticleResult:
    """What the particles did, at the sampled times.

    Attributes
    ----------
    time : ndarray, shape (m,)
    conductance, temperature : ndarray, shape (n, m)
        Of each realisation.
    positions : ndarray, shape (n, m, particles)
        Sorted.
    """

    time: np.ndarray
    conductance: np.ndarray
    temperature: np.ndarray
    positions: np.ndarray


def simulate_particles(
    waveform: Waveform,
    times: ArrayLike,
    *,
    realisations: int = 30,
    seed: int = 0,
    parameters: ParticleParameters | None = None,
    workers: int | None = None,
) -> ParticleResult:
    """Run realisations of the particle model.

    Parameters
    ----------
    waveform : Waveform
        Voltage in threshold voltages over time in 1/kappa.
    times : ndarray, shape (m,)
        When to sample, rising.
    realisations : int
    seed : int
        Each realisation has a stream of random numbers of its own, which neither their number nor the threads change.
    parameters : ParticleParameters, optional
    workers : int, optional
        Threads; the machine's processors by default.

    Raises
    ------
    ParameterError
    """
    settings = parameters or ParticleParameters()
    grid = np.asarray(times, float)
    if grid.ndim != 1 or grid.size < 1 or grid[0] < 0 or np.any(np.diff(grid) <= 0):
        raise ParameterError("particle model", ["the sampled times must rise from 0 or later"])
    shape = (realisations, grid.size)
    conductance, temperature = np.empty(shape), np.empty(shape)
    positions = np.empty((*shape, settings.particles))
    table = settings.force(np.linspace(-1, 1, TABLE))
    warmth = settings.heating / (settings.particles * np.exp(2 / (settings.particles * settings.tunnelling)))
    at, volts = np.append(waveform.time, np.inf), np.append(waveform.value, waveform.value[-1])
    streams = np.random.SeedSequence(seed).spawn(realisations)

    def run(k: int) -> None:
        generator = np.random.default_rng(streams[k])
        start = _start(settings, generator)
        _run(
            at,
            volts,
            grid,
            generator,
            start,
            table,
            settings.push,
            settings.tunnelling,
            settings.friction,
            warmth,
            settings.temperature,
            settings.step,
            conductance[k],
            temperature[k],
            positions[k],
        )

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        list(pool.map(run, range(realisations)))
    return ParticleResult(time=grid, conductance=conductance, temperature=temperature, positions=positions)


def pulses(amplitude: float, width: float, gap: float, count: int, edge: float = 2e-4) -> tuple[Waveform, np.ndarray]:
    """Return a train of pulses and the time at the end of each pulse's plateau, shape (count,)."""
    steps: Sequence[tuple[float, float]] = [
        (edge, amplitude),
        (width - edge, amplitude),
        (edge, 0.0),
        (gap - edge, 0.0),
    ]
    return Waveform.from_steps(0.0, [*steps] * count), width + (width + gap) * np.arange(count)


def _start(settings: ParticleParameters, generator: np.random.Generator) -> np.ndarray:
    left = round(settings.left_share * settings.particles)
    wells = np.where(np.arange(settings.particles) < left, -settings.x_well, settings.x_well)
    spread = 0.3 * settings.r_well * generator.standard_normal(settings.particles)
    return np.asarray(np.sort(np.clip(wells + spread, -1, 1)))


@numba.njit(error_model="numpy", nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _conductance(x: np.ndarray, tunnelling: float) -> float:
    """Return the conductance in units of the largest; sorts the particles, which are nearly sorted."""
    n = x.size
    for a in range(1, n):
        y, b = x[a], a - 1
        while b >= 0 and x[b] > y:
            x[b + 1] = x[b]
            b -= 1
        x[b + 1] = y
    total = np.exp((x[0] + 1.0) / tunnelling) + np.exp((1.0 - x[n - 1]) / tunnelling)
    for i in range(n - 1):
        total += np.exp((x[i + 1] - x[i]) / tunnelling)
    return float(n * np.exp(2.0 / (n * tunnelling)) / total)


@numba.njit(error_model="numpy", nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _run(
    at: np.ndarray,
    volts: np.ndarray,
    grid: np.ndarray,
    generator: np.random.Generator,
    x: np.ndarray,
    table: np.ndarray,
    push: float,
    tunnelling: float,
    friction: float,
    warmth: float,
    ambient: float,
    step: float,
    conductance: np.ndarray,
    temperature: np.ndarray,
    positions: np.ndarray,
) -> None:
    """Integrate one realisation by the Euler-Maruyama method; the conductance is only needed where it heats or is sampled."""
    cells = (table.size - 1) / 2.0
    last = table.size - 2
    t_now, sampled, segment, count = ambient, 0, 0, 0
    while True:
        t = count * step
        while t >= at[segment + 1]:
            segment += 1
        v = volts[segment]
        if at[segment + 1] < np.inf:
            v += (volts[segment + 1] - v) * (t - at[segment]) / (at[segment + 1] - at[segment])
        g = _conductance(x, tunnelling) if v != 0.0 or grid[sampled] <= t + 0.5 * step else 0.0
        while sampled < grid.size and grid[sampled] <= t + 0.5 * step:
            conductance[sampled], temperature[sampled] = g, t_now
            positions[sampled] = x
            sampled += 1
        if sampled == grid.size:
            return
        noise = np.sqrt(2.0 * t_now * step / friction)
        for i in range(x.size):
            place = (x[i] + 1.0) * cells
            k = min(int(place), last)
            force = table[k] + (place - k) * (table[k + 1] - table[k]) + push * v
            y = x[i] + force * step / friction + noise * generator.standard_normal()
            if y < -1.0:
                y = -2.0 - y
            elif y > 1.0:
                y = 2.0 - y
            x[i] = min(max(y, -1.0), 1.0)
        t_now += step * (warmth * v * v * g - (t_now - ambient))
        count += 1
