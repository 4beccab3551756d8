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
    -0.4539,
    -0.4562,
    -0.4594,
    -0.4637,
    -0.469,
    -0.4757,
    -0.4839,
    -0.494,
    -0.5066,
    -0.5227,
    -0.5433,
    -0.5704,
    -0.607,
    -0.659,
    1.0,
)
"""Levels [V] of the first neuron's antisymmetric spike; the last one is the firing."""

POST = (
    -0.3796,
    -0.3796,
    -0.381,
    -0.3834,
    -0.3869,
    -0.3913,
    -0.3967,
    -0.4033,
    -0.4113,
    -0.421,
    -0.4326,
    -0.4465,
    -0.4632,
    -0.4834,
    1.0,
)
"""Levels [V] of the second neuron's antisymmetric spike."""

SYMMETRIC_PRE = (1.0, -1.0)
"""Levels [V] of the first neuron's symmetric spike; the first one is the firing."""

SYMMETRIC_POST = (
    -0.0,
    0.555,
    0.5433,
    0.5405,
    0.538,
    0.5337,
    0.5227,
    0.4965,
    -0.4074,
    -0.4382,
    -0.4616,
    -0.4692,
    -0.4572,
    -0.4294,
    -0.3945,
    -0.3509,
    -0.0,
    0.5117,
    0.5305,
    0.5381,
    0.5394,
    0.5389,
    0.5383,
    0.5378,
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
