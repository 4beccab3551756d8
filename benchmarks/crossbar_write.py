"""Ten write pulses on wired arrays of a shipped card: the array solver against VACASK and ngspice in the same run.

Run: python benchmarks/crossbar_write.py [--large]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from synspice.compact.registry import resolve
from synspice.netlists.arrays.crossbar import Crossbar, Layer
from synspice.netlists.arrays.linear_read import bias
from synspice.netlists.arrays.network import Drive, Wires
from synspice.netlists.circuits.array_engines import ARRAY_ENGINES
from synspice.netlists.circuits.crossbar_base import pulse_corners

CARD, AMPLITUDE, PULSES = "taox", 2.2, 10


def problem(n: int) -> tuple[Crossbar, np.ndarray, Drive]:
    """Return an array with random states, and pulses of alternating sign on one cell (V/2)."""
    card, model = resolve(CARD)
    states = np.random.default_rng(n).uniform(0.1, 0.9, (n, n))
    crossbar = Crossbar(
        rows=n,
        cols=n,
        memory=Layer(model=model, values=card.parameters, maps={"x_init": states}),
        wires=Wires(word_segment=2.0, bit_segment=2.0, left=100.0, bottom=100.0),
    )
    times, shape = pulse_corners(1e-5, 2e-7, 1e-5, np.resize([1.0, -1.0], PULSES))
    lines = bias("V/2", (n, n), row=n // 2, col=n // 2, voltage=AMPLITUDE)
    return (
        crossbar,
        times,
        Drive(left=shape[:, None] * np.asarray(lines.left), bottom=shape[:, None] * np.asarray(lines.bottom)),
    )


def solve(engine: str, n: int) -> tuple[float, np.ndarray]:
    """Return the time [s] and the states (samples, rows, cols, 1) of an engine, before and after the pulses and half-way."""
    crossbar, times, drive = problem(n)
    start = time.perf_counter()
    result, _ = ARRAY_ENGINES[engine](crossbar, times, drive, times[[0, times.size // 2, -1]])
    return time.perf_counter() - start, result.states


if __name__ == "__main__":
    solve("array", 4)
    pairs = [("ngspice", 8), ("ngspice", 16), ("vacask", 16), ("vacask", 64)]
    for engine, n in pairs:
        ours = [solve("array", n) for _ in range(3)]
        best, states = min(t for t, _ in ours), ours[0][1]
        taken, other = solve(engine, n)
        print(
            f"{engine} {n} x {n}: {taken:.2f} s, array solver {best:.3f} s, ratio {taken / best:.0f}, "
            f"largest difference of a state {np.abs(states - other).max():.1e} "
            f"(largest change {np.abs(states - states[0]).max():.2f})",
            flush=True,
        )
    if "--large" in sys.argv:
        start = time.process_time()
        taken, _ = solve("array", 256)
        print(f"array solver 256 x 256: {taken:.1f} s, of the processor {time.process_time() - start:.1f} s")
