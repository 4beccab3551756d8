"""How far an engine's result is from the reference engine's, at the engine's own time points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synspice.compact.model import Model
from synspice.compact.reference import simulate
from synspice.compact.result import Result
from synspice.compact.stimulus import Bench


@dataclass(frozen=True)
class Agreement:
    """Largest differences of a current.

    Attributes
    ----------
    of_full_scale : float
        Over the waveform's largest current.
    relative : float
        Over the current itself, wherever it is above 1e-3 of the largest.
    """

    of_full_scale: float
    relative: float

    @property
    def good(self) -> bool:
        """Whether the project's limits are kept: 0.5 % of full scale, 2 % of the current."""
        return self.of_full_scale <= 0.005 and self.relative <= 0.02


def agreement(
    result: Result, reference: Result, signal: str = "current", *, corners: np.ndarray | None = None
) -> Agreement:
    """Compare two results at the same times, but for the corners, where the current of a charge jumps (either is right)."""
    np.testing.assert_array_equal(result.time, reference.time)
    found, wanted = result[signal], reference[signal]
    largest = np.max(np.abs(wanted))
    assert largest > 0
    error = np.abs(found - wanted)
    if corners is not None:
        nearest = np.min(np.abs(result.time[:, None] - corners), axis=1)
        error[nearest <= 1e-9 * result.time[-1]] = 0.0
    visible = np.abs(wanted) > 1e-3 * largest
    return Agreement(float(np.max(error) / largest), float(np.max(error[visible] / np.abs(wanted[visible]))))


def reference_at(result: Result, model: Model, values: Mapping[str, float], bench: Bench) -> Result:
    """Return the reference engine's answer at the times of a result."""
    return simulate(model, values, bench, times=result.time)
