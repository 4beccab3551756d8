"""Spikes of the junction's STDP: staircases of 1 us steps (Li et al., Sec. 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...compact.stimulus import Waveform

PERIOD = 1e-6
"""Length of a step [s]: 'a series of progressively increasing negative pulses and a large positive pulse' of 1 us."""

EDGE = 1e-8
"""Rise and fall time of a step [s]."""

SETTLED = 60
"""Steps at 0 V after the last one."""

PRE = (
    -0.426,
    -0.4282,
    -0.4315,
    -0.4358,
    -0.4414,
    -0.4483,
    -0.4569,
    -0.4676,
    -0.4809,
    -0.4977,
    -0.5194,
    -0.5478,
    -0.5862,
    -0.6407,
    1.0,
)
"""Levels [V] of the first neuron's antisymmetric spike; the last one is the firing."""

POST = (
    -0.3942,
    -0.3944,
    -0.396,
    -0.3986,
    -0.4022,
    -0.4067,
    -0.4123,
    -0.4191,
    -0.4272,
    -0.437,
    -0.4486,
    -0.4626,
    -0.4792,
    -0.4992,
    1.0,
)
"""Levels [V] of the second neuron's antisymmetric spike."""

SYMMETRIC_PRE = (1.0, -1.0)
"""Levels [V] of the first neuron's symmetric spike; the first one is the firing."""

SYMMETRIC_POST = (
    -0.0,
    0.5326,
    0.5199,
    0.5172,
    0.5147,
    0.5103,
    0.4987,
    0.471,
    -0.4227,
    -0.4539,
    -0.4771,
    -0.4845,
    -0.4726,
    -0.445,
    -0.4102,
    -0.3659,
    -0.0,
    0.4873,
    0.5068,
    0.515,
    0.5164,
    0.5158,
    0.5151,
    0.5147,
)
"""Levels [V] of the second neuron's symmetric spike; it fires with the twelfth one."""


def staircase(pre: Sequence[float], post: Sequence[float], spike: tuple[int, int], delay: int) -> Waveform:
    """Return the voltage between two neurons, the first one's less the second one's.

    Parameters
    ----------
    pre, post : sequence of float
        Levels [V] of the steps.
    spike : (int, int)
        Index of the step with which each neuron fires.
    delay : int
        Steps from the firing of the first neuron to that of the second.
    """
    start = (-spike[0], delay - spike[1])
    first = min(start)
    level = np.zeros(max(start[0] + len(pre), start[1] + len(post)) - first)
    level[start[0] - first : start[0] - first + len(pre)] += pre
    level[start[1] - first : start[1] - first + len(post)] -= post
    steps = [step for v in level for step in ((EDGE, float(v)), (PERIOD - EDGE, float(v)))]
    return Waveform.from_steps(0.0, [*steps, (EDGE, 0.0), (SETTLED * PERIOD, 0.0)])
