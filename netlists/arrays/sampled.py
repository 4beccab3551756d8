"""Waveforms of a simulator's array, at the sample times, as the array solver returns them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...compact.model import State
from .crossbar import Crossbar
from .dynamic_write import WriteResult
from .kernels import FloatArray
from .wiring import SIDES, bit_node, layer_names, word_node

Delivered = Callable[[str, int], FloatArray | None]
"""From a side and a line to the current that the end's source delivers [A], (n,); None where the end is open."""


def end_currents(shape: tuple[int, int], points: int, delivered: Delivered) -> dict[str, FloatArray]:
    """Return the currents of each side's ends [A], (lines, points): into word lines, out of bit lines; 0 where open."""
    found = {}
    for side in SIDES:
        sign, lines = (1.0, shape[0]) if side in ("left", "right") else (-1.0, shape[1])
        flows = [delivered(side, k) for k in range(lines)]
        found[side] = np.stack([np.zeros(points) if i is None else sign * i for i in flows])
    return found


def write_result(
    crossbar: Crossbar,
    samples: FloatArray,
    time: FloatArray,
    *,
    voltage: Callable[[str], FloatArray],
    state: Callable[[str, State, float], FloatArray],
    delivered: Delivered,
) -> WriteResult:
    """Return the record of a simulated array.

    Parameters
    ----------
    crossbar : Crossbar
    samples : (n_samples,) array
        [s].
    time : (n,) array
        Time points of the waveforms [s].
    voltage : callable (node)
        Its voltage [V].
    state : callable (device, state, its initial value)
        The state's waveform.
    delivered : Delivered
    """
    rows, cols = crossbar.shape

    def at(waveform: FloatArray) -> FloatArray:
        return np.asarray(np.interp(samples, time, waveform))

    starts = crossbar.initial_states()
    states = np.empty((samples.size, *starts.shape))
    volts = np.empty((samples.size, rows, cols))
    columns = [
        (label, item)
        for label, layer in zip(layer_names(crossbar), crossbar.layers, strict=True)
        for item in layer.model.states
    ]
    for r in range(rows):
        for c in range(cols):
            word, bit = word_node(crossbar.wires, r, c), bit_node(crossbar.wires, r, c)
            volts[:, r, c] = at(voltage(word) - voltage(bit))
            for k, (label, item) in enumerate(columns):
                states[:, r, c, k] = at(state(f"{label}{r}_{c}", item, starts[r, c, k]))
    flows = end_currents(crossbar.shape, time.size, delivered)
    ends = {side: np.stack([at(flow) for flow in flows[side]], axis=1) for side in SIDES}
    return WriteResult(
        times=samples,
        states=states,
        cell_voltages=volts,
        left_currents=ends["left"],
        right_currents=ends["right"],
        top_currents=ends["top"],
        bottom_currents=ends["bottom"],
        steps=time.size,
        rejected=0,
        solves=0,
        iterations=0,
    )
