"""Find the neurons' spikes that give a wanted form of plasticity through the voltage-divider gate.

The search runs on the sum of rates (the paper's eq. 1), which a few thousand candidates take seconds for; the circuit's own
simulation then says what the found spikes do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import Bounds, differential_evolution

from ...compact.errors import ParameterError
from .base import Device
from .gate_rates import RateLaw, rate_law
from .spikes import Spike

SAMPLES = 300
"""Points of time along an event."""

EDGE = 0.01
"""Length of an edge as a part of a spike's length."""


@dataclass(frozen=True)
class Design:
    """Spikes that were found, and what eq. 1 says of them.

    Attributes
    ----------
    pre, post : Spike
    delays : ndarray, shape (n,)
        [s].
    wanted : ndarray, shape (n,)
        The wanted form, scaled to the found one.
    found : ndarray, shape (n,)
        Change of weight [S].
    correlation : float
        Between the two, 1 for the same shape.
    alone : float
        Largest change by one neuron's spike alone over the largest change.
    """

    pre: Spike
    post: Spike
    delays: np.ndarray
    wanted: np.ndarray
    found: np.ndarray
    correlation: float
    alone: float


def design_spikes(
    device: Device,
    delays: ArrayLike,
    wanted: ArrayLike,
    *,
    temperature: float,
    peak: float = 6.5,
    length: float = 0.2,
    alone: float = 0.03,
    rate_change: float = 2e-8,
    seed: int = 1,
    generations: int = 60,
) -> Design:
    """Find piecewise-linear spikes whose changes of weight have a wanted form.

    A spike has a flat part, a peak at the neuron's firing and a falling tail; its five numbers are free for each neuron.

    Parameters
    ----------
    device : Device
        A synapse with a gate.
    delays : (n,) array
        [s], positive where the first neuron fires first.
    wanted : (n,) array
        The form; only its shape counts.
    temperature : float
        [K].
    peak : float
        Largest voltage of a spike [V].
    length : float
        Longest part of a spike before and after the firing [s].
    alone : float
        Largest change by one neuron's spike alone, as a part of the largest change.
    rate_change : float
        Change of weight [S] over which a rate is taken.
    seed, generations : int
        Of the search (differential evolution).

    Raises
    ------
    ParameterError
    """
    times, form = np.asarray(delays, float), np.asarray(wanted, float)
    faults = []
    if times.shape != form.shape or times.ndim != 1 or times.size < 3:
        faults.append(f"{times.size} delays for {form.size} wanted changes; they must be as many, and three at least")
    elif not np.any(form):
        faults.append("the wanted form is zero throughout")
    if not (peak > 0 and length > 0 and 0 < alone < 1):
        faults.append("peak and length must be above 0, and alone between 0 and 1")
    if faults:
        raise ParameterError("design of spikes", faults)
    law = rate_law(device, peak, rate_change, temperature)
    search = _Search(law, times, form / np.linalg.norm(form), peak, length, alone)
    bounds = Bounds(np.tile([-1.0, 0.02, -1.0, -1.0, 0.05], 2), np.ones(10))
    answer = differential_evolution(
        search.cost, bounds, seed=seed, maxiter=generations, popsize=8, tol=1e-6, polish=False
    )
    pre, post = search.spikes(answer.x)
    change, single = search.changes(pre, post)
    size = float(np.max(np.abs(change)))
    correlation = search.correlation(change)
    scaled = search.form * float(change @ search.form)
    return Design(pre, post, times, scaled, change, correlation, float(np.max(np.abs(single))) / size)


@dataclass(frozen=True)
class _Search:
    law: RateLaw
    delays: np.ndarray
    form: np.ndarray
    peak: float
    length: float
    alone: float

    def spikes(self, numbers: np.ndarray) -> tuple[Spike, Spike]:
        """Return both spikes: level and length of the flat part, peak, start of the tail, length of the tail."""
        return self._spike(numbers[:5]), self._spike(numbers[5:])

    def _spike(self, numbers: np.ndarray) -> Spike:
        level, before, top, tail, after = numbers.tolist()
        edge, before, after = EDGE * self.length, before * self.length, after * self.length
        start = -before - 2 * edge
        corners = [(start - edge, 0.0), (start, level), (-edge, level), (0.0, top), (edge, tail), (edge + after, 0.0)]
        return Spike.of([(t, self.peak * v) for t, v in corners])

    def changes(self, pre: Spike, post: Spike) -> tuple[np.ndarray, np.ndarray]:
        """Return the changes of weight [S] at the delays, and by each spike alone."""
        reach = 1.0 + 4 * EDGE
        first = min(-self.length * reach, float(np.min(self.delays)) - self.length * reach)
        last = max(self.length * reach, float(np.max(self.delays)) + self.length * reach)
        time = np.linspace(first, last, SAMPLES)
        one, other = pre(time), post(time[None, :] - self.delays[:, None])
        both = np.trapezoid(self.law((one + other) / 2), time, axis=1)
        single = [np.trapezoid(self.law(s(time) / 2), time) for s in (pre, post)]
        return np.asarray(both), np.array(single)

    def correlation(self, change: np.ndarray) -> float:
        """Return the cosine between a change and the wanted form."""
        size = float(np.linalg.norm(change))
        return float(change @ self.form) / size if size > 0 else -1.0

    def cost(self, numbers: np.ndarray) -> float:
        """Return what the search makes small."""
        change, single = self.changes(*self.spikes(numbers))
        size = float(np.max(np.abs(change)))
        if not size > 0:
            return 3.0
        excess = max(0.0, float(np.max(np.abs(single))) / size - self.alone)
        weak = max(0.0, np.log10(1e-9 / size)) if size < 1e-9 else 0.0
        return 1.0 - self.correlation(change) + 5.0 * excess + 0.2 * weak
