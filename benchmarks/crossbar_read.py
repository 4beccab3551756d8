"""Linear read of wired arrays: the array solver against badcrossbar, VACASK and ngspice in the same run.

Run: python benchmarks/crossbar_read.py [--large]. badcrossbar is optional (``pip install badcrossbar``).
"""

from __future__ import annotations

import importlib.util
import logging
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from synspice.netlists.arrays.linear_read import bias, read_array, solve_array
from synspice.netlists.arrays.network import Drive, Wires

SEGMENT = 2.0
"""Resistance of a segment [ohm]."""


def clock(function: Callable[[], Any], repeats: int) -> tuple[float, float, Any]:
    """Return the best and the median time [s] and the last answer."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = function()
        times.append(time.perf_counter() - start)
    return min(times), float(np.median(times)), answer


def against_badcrossbar(generator: np.random.Generator) -> None:
    """Print the ratio to badcrossbar and the worst relative error of the column currents."""
    print("## against badcrossbar, 10 kohm to 1 Mohm")
    if importlib.util.find_spec("badcrossbar") is None:
        print("badcrossbar is not installed")
        return
    import badcrossbar

    logging.getLogger("badcrossbar").setLevel(logging.WARNING)
    for n in (64, 128, 256):
        g, v = generator.uniform(1e-6, 1e-4, (n, n)), generator.uniform(0, 1, n)
        best, median, ours = clock(
            lambda g=g, v=v: read_array(g, v, word_resistance=SEGMENT, bit_resistance=SEGMENT), 9
        )
        theirs, theirs_median, other = clock(
            lambda g=g, v=v: badcrossbar.compute(
                v[:, None], 1 / g, r_i=SEGMENT, node_voltages=False, all_currents=False
            ),
            3,
        )
        error = np.abs(ours.column_currents / other.currents.output[0] - 1).max()
        print(
            f"{n} x {n}: {1e3 * best:.1f} ms (median {1e3 * median:.1f}), badcrossbar {1e3 * theirs:.0f} ms, "
            f"ratio {theirs / best:.0f} (medians {theirs_median / median:.0f}), error {error:.1e}",
            flush=True,
        )


def against_simulators(generator: np.random.Generator) -> None:
    """Print times and errors of ngspice and VACASK on the netlist twin, 1 kohm to 1 Gohm mixed."""
    from synspice.netlists.circuits.array_engines import read_ends  # not in the process whose memory is measured

    print("## against simulators, 1 kohm to 1 Gohm mixed")
    for engine, n in (("ngspice", 16), ("ngspice", 32), ("vacask", 32), ("vacask", 64)):
        g, wires = 10 ** generator.uniform(-9, -3, (n, n)), Wires(word_segment=SEGMENT, bit_segment=SEGMENT)
        drive = Drive(left=generator.uniform(0, 1, n), bottom=np.zeros(n))
        best, _, ours = clock(lambda g=g, d=drive, w=wires: solve_array(g, d, w), 5)
        start = time.perf_counter()
        ends, _ = read_ends(engine, g, drive, wires, 300.15)
        taken = time.perf_counter() - start
        error = np.abs(ends["bottom"] / ours.column_currents - 1).max()
        print(
            f"{engine} {n} x {n}: {taken:.2f} s, ours {1e3 * best:.2f} ms, ratio {taken / best:.0f}, error {error:.1e}",
            flush=True,
        )


def large(generator: np.random.Generator) -> None:
    """Print times and memory of 1024 x 1024 arrays."""
    n = 1024
    for label, g, segment in (
        ("10 kohm to 1 Mohm, 2 ohm", generator.uniform(1e-6, 1e-4, (n, n)), 2.0),
        ("1 kohm to 1 Gohm, 2 ohm", 10 ** generator.uniform(-9, -3, (n, n)), 2.0),
        ("1 kohm to 1 Gohm, 100 ohm", 10 ** generator.uniform(-9, -3, (n, n)), 100.0),
    ):
        v = generator.uniform(0, 1, n)
        best, median, ours = clock(lambda g=g, v=v, r=segment: read_array(g, v, word_resistance=r, bit_resistance=r), 3)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"1024 x 1024, {label}: {best:.2f} s (median {median:.2f}), {ours.iterations} iterations, "
            f"residual {ours.residual:.0e}, process {peak:.0f} MB",
            flush=True,
        )
    g = generator.uniform(1e-6, 1e-4, (n, n))
    lines = bias("float", (n, n), row=5, col=7, voltage=1.0)
    best, median, _ = clock(lambda: solve_array(g, lines, Wires(word_segment=2.0, bit_segment=2.0)), 2)
    print(f"1024 x 1024, one cell selected, the rest floating: {best:.2f} s (median {median:.2f})", flush=True)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    read_array(np.ones((3, 3)), np.ones(3), word_resistance=1.0, bit_resistance=1.0)
    if "--large" in sys.argv:
        large(rng)
    else:
        against_badcrossbar(rng)
        against_simulators(rng)
        subprocess.run([sys.executable, __file__, "--large"], check=True)
