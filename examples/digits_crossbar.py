"""The 8 x 8 digits of scikit-learn, classified by a one-layer crossbar that is read in the simulator.

A linear classifier is fitted, its weights are written as pairs of conductances of a shipped card (one column of a pair counts
positive, the other negative), and the test images are read as voltages: ideally, with wires, with device spread, and with a
selector in each cell. Needs scikit-learn: pip install 'synspice[examples]'.
"""

import numpy as np

from synspice.compact.registry import resolve
from synspice.netlists.arrays.crossbar import Crossbar, Layer
from synspice.netlists.arrays.linear_read import read_array
from synspice.netlists.arrays.network import Drive, Wires
from synspice.netlists.circuits.array_engines import run_array

CARD, SELECTOR = "taox", "siox_ny_ag"
V_READ, V_SELECT, READ_WIDTH = 0.1, 0.9, 2e-3
TRAINING = 1200


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return the images (n, 65) as 0 to 1 with a constant input beside them, and the labels (n,)."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return np.column_stack([images / 16, np.ones(len(images))]), labels


def fitted_weights(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the weights (65, 10) of a ridge regression on the labels."""
    wanted = 2.0 * (labels[:, None] == np.arange(10)) - 1.0
    return np.linalg.solve(images.T @ images + 1.0 * np.eye(images.shape[1]), images.T @ wanted)


def memory(weights: np.ndarray, spread: float = 0.0) -> Layer:
    """Return the devices (65, 20) whose conductances are the weights: positive parts in even columns, negative in odd."""
    card, model = resolve(CARD)
    pairs = np.stack([np.maximum(weights, 0), np.maximum(-weights, 0)], axis=2).reshape(len(weights), -1)
    values = model.values(card.parameters)
    g_off, g_on = values["g_off"], values["g_on"]
    state = np.log1p(pairs / pairs.max() * (g_on / g_off - 1)) / np.log(g_on / g_off)
    layer = Layer(model=model, values=card.parameters, maps={"x_init": state})
    return layer.spread(spread, "S", state.shape, np.random.default_rng(0)) if spread else layer


def with_selectors(layer: Layer, shape: tuple[int, int]) -> np.ndarray:
    """Return the conductances (rows, cols) [S] of cells whose selectors a read pulse has opened."""
    card, model = resolve(SELECTOR)
    crossbar = Crossbar(
        rows=shape[0], cols=shape[1], memory=layer, selector=Layer(model=model, values=card.parameters), wires=Wires()
    )
    times = np.array([0.0, READ_WIDTH / 100, READ_WIDTH])
    drive = Drive(left=np.array([0.0, 1.0, 1.0])[:, None] * np.full(shape[0], V_SELECT), bottom=np.zeros(shape[1]))
    result, _ = run_array("array", crossbar, times, drive, times[-1:])
    table, cell = crossbar.parameters(), crossbar.cell
    return np.array(
        [
            [
                cell.current(V_SELECT, result.states[-1, r, c].copy(), table[r, c].copy(), 300.0) / V_SELECT
                for c in range(shape[1])
            ]
            for r in range(shape[0])
        ]
    )


def accuracy(g: np.ndarray, images: np.ndarray, labels: np.ndarray, resistance: float = 0.0) -> float:
    """Return the part of the images (n, 65) that is classified rightly; every image is one read of the array."""
    currents = read_array(
        g, V_READ * images, word_resistance=resistance, bit_resistance=resistance, driver_resistance=resistance
    ).column_currents
    return float(np.mean(np.argmax(currents[:, ::2] - currents[:, 1::2], axis=1) == labels))


def main() -> dict[str, float]:
    """Print and return the accuracies."""
    images, labels = digits()
    weights = fitted_weights(images[:TRAINING], labels[:TRAINING])
    test, wanted = images[TRAINING:], labels[TRAINING:]
    black_and_white = (test > 0.5).astype(float)
    shape = (weights.shape[0], 2 * weights.shape[1])

    def conductances(spread: float = 0.0) -> np.ndarray:
        return memory(weights, spread).conductances(V_READ, shape, 300.0)

    found = {"software": float(np.mean(np.argmax(test @ weights, axis=1) == wanted))}
    found["crossbar, ideal wires"] = accuracy(conductances(), test, wanted)
    for resistance in (2.0, 20.0, 100.0):
        found[f"wires of {resistance:g} ohm a segment"] = accuracy(conductances(), test, wanted, resistance)
    for spread in (0.1, 0.3):
        found[f"device spread of {spread:.0%}"] = accuracy(conductances(spread), test, wanted)
    found["black-and-white images, 2 ohm"] = accuracy(conductances(), black_and_white, wanted, 2.0)
    found["the same with selectors"] = accuracy(with_selectors(memory(weights), shape), black_and_white, wanted, 2.0)
    for name, part in found.items():
        print(f"{name:36s} {part:.1%}")
    return found


if __name__ == "__main__":
    main()
