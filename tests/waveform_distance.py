"""How far two engines' waveforms lie apart."""

from __future__ import annotations

import numpy as np

from synspice.compact.result import Result


def difference(wanted: Result, found: Result, signal: str, *, shift: float = 0.0) -> float:
    """Return the largest distance between two waveforms, relative to the largest value of the wanted one.

    Parameters
    ----------
    shift : float
        Time by which either may lead, relative to the duration: a jump is compared with what the other has around it.
    """
    window = shift * wanted.time[-1]
    size = np.max(np.abs(wanted[signal])) or 1.0
    return max(_outside(wanted, found, signal, window), _outside(found, wanted, signal, window)) / float(size)


def _outside(one: Result, other: Result, signal: str, window: float) -> float:
    """Return how far one waveform leaves the band that the other covers within a window [s] of each point."""
    offsets = np.linspace(-window, window, 9 if window else 1)
    near = np.array([other.at(signal, one.time + o) for o in offsets])
    low, high = near.min(axis=0), near.max(axis=0)
    first, last = (np.searchsorted(other.time, one.time + o) for o in (-window, window))
    for k in np.flatnonzero(last > first):
        between = other[signal][first[k] : last[k]]
        low[k], high[k] = min(low[k], between.min()), max(high[k], between.max())
    return float(np.max(np.maximum(low - one[signal], one[signal] - high), initial=0.0))
