"""What is compiled for a cell is kept on disk: a later process, with other cells beside it, has to get the same answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CELLS = """
import sys
import numpy as np
from synspice.compact.registry import get_device
from synspice.netlists.arrays.cells import array_kernels
from synspice.netlists.arrays.device_cells import device_cell

for name in sys.argv[1:]:
    model = get_device(name)
    cell = device_cell(model)
    evaluate, _ = array_kernels(cell)
    v, x = np.full((1, 1), 0.3), np.full((1, 1, len(model.states)), 0.4)
    p = np.array(list(model.values({}).values())).reshape(1, 1, -1)
    current, rates, own = np.empty((1, 1)), np.empty_like(x), np.empty(len(model.states))
    evaluate(v, x, p, 300.15, current, rates)
    cell.rates(0.3, x[0, 0], p[0, 0], 300.15, own)
    assert current[0, 0] == cell.current(0.3, x[0, 0], p[0, 0], 300.15), name
    assert (rates[0, 0] == own).all(), name
"""
"""Compares the loops of cells, which are kept, with the cells' own functions, which are not."""


def test_cells_that_two_processes_compiled_stay_apart_in_a_third(tmp_path: Path) -> None:
    names = ["drift_memristor", "oxide_tunnel_junction", "silver_sulfide_switch"]
    for given in (*([name] for name in names), names):
        done = subprocess.run(
            [sys.executable, "-c", CELLS, *given],
            env={**os.environ, "SYNSPICE_CACHE": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
