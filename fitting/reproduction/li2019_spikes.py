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
    -0.3136,
    -0.3175,
    -0.323,
    -0.3299,
    -0.3382,
    -0.348,
    -0.3595,
    -0.3732,
    -0.3898,
    -0.41,
    -0.4354,
    -0.4682,
    -0.512,
    -0.5739,
    1.0,
)
"""Levels [V] of the first neuron's antisymmetric spike; the last one is the firing."""

POST = (
    -0.3317,
    -0.3328,
    -0.3358,
    -0.3402,
    -0.3457,
    -0.3522,
    -0.3597,
    -0.3684,
    -0.3784,
    -0.3901,
    -0.4038,
    -0.4199,
    -0.4389,
    -0.4617,
    1.0,
)
"""Levels [V] of the second neuron's antisymmetric spike."""

SYMMETRIC_PRE = (1.0, -1.0)
"""Levels [V] of the first neuron's symmetric spike; the first one is the firing."""

SYMMETRIC_POST = (
    -0.0,
    0.4557,
    0.4393,
    0.4373,
    0.435,
    0.43,
    0.4164,
    0.3828,
    -0.3714,
    -0.4095,
    -0.4368,
    -0.4458,
    -0.4323,
    -0.4006,
    -0.3584,
    -0.267,
    -0.0,
    0.4026,
    0.4242,
    0.4346,
    0.4367,
    0.4365,
    0.4358,
    0.4353,
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
