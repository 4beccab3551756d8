"""The column currents of badcrossbar, kept for machines where it does not install (it needs cairo's headers).

``python tests/netlists/arrays/badcrossbar_currents.py`` writes them anew, where badcrossbar is installed.
"""

from __future__ import annotations

import itertools
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_suffix(".json")
SHAPES = ((1, 5), (6, 1), (2, 2), (33, 20))
RESISTANCES = ((2.0, 2.0), (0.0, 3.0), (3.0, 0.0), (0.0, 0.0), (100.0, 40.0))
"""Of a word and of a bit line's segment [ohm]."""


def case(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return conductances [S] from 1 kohm to 1 Gohm, and two rows of word-line voltages [V]."""
    g = 10 ** np.random.default_rng(shape[0] + 100 * shape[1]).uniform(-9, -3, shape)
    return g, np.random.default_rng(0).uniform(0, 1, (2, shape[0]))


def key(shape: tuple[int, int], resistance: tuple[float, float]) -> str:
    return f"{shape[0]} x {shape[1]}, {resistance[0]:g} and {resistance[1]:g} ohm"


def stored() -> dict[str, np.ndarray]:
    """Return the currents [A] of each case, shape (2, columns)."""
    return {name: np.array(value) for name, value in json.loads(FILE.read_text())["currents"].items()}


def main() -> None:
    import badcrossbar

    currents = {}
    for shape, resistance in itertools.product(SHAPES, RESISTANCES):
        g, v = case(shape)
        found = badcrossbar.compute(v.T, 1 / g, r_i_word_line=resistance[0], r_i_bit_line=resistance[1])
        currents[key(shape, resistance)] = found.currents.output.tolist()
    FILE.write_text(json.dumps({"badcrossbar": version("badcrossbar"), "currents": currents}, indent=1) + "\n")


if __name__ == "__main__":
    main()
