"""The linearly implicit method of a dynamic array: its coefficients, and the compiled loops over the cells of one stage.

ROS34PW2 of Rang and Angermann (2005, see :mod:`.dynamic_write`). The tests check the conditions of order 3 of these numbers,
also those for an inexact Jacobian and for algebraic equations.
"""

from __future__ import annotations

import numpy as np

from .kernels import FloatArray, jit

GAMMA = 4.3586652150845900e-01
_ALPHA = np.array(
    [
        [0.0, 0.0, 0.0, 0.0],
        [8.7173304301691801e-01, 0.0, 0.0, 0.0],
        [8.4457060015369423e-01, -1.1299064236484185e-01, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0],
    ]
)
_GAMMAS = np.array(
    [
        [GAMMA, 0.0, 0.0, 0.0],
        [-8.7173304301691801e-01, GAMMA, 0.0, 0.0],
        [-9.0338057013044082e-01, 5.4180672388095326e-02, GAMMA, 0.0],
        [2.4212380706095346e-01, -1.2232505839045147e00, 5.4526025533510214e-01, GAMMA],
    ]
)
_WEIGHTS = np.array([2.4212380706095346e-01, -1.2232505839045147e00, 1.5452602553351020e00, GAMMA])
_EMBEDDED = np.array([3.7810903145819369e-01, -9.6042292212423178e-02, 0.5, 2.1793326075422950e-01])
# The transformed form, free of products with the Jacobian (Hairer and Wanner, Solving ODEs II, section IV.7).
_INVERSE = np.linalg.inv(_GAMMAS)
A = _ALPHA @ _INVERSE
C = np.diag(np.full(4, 1.0 / GAMMA)) - _INVERSE
M = _WEIGHTS @ _INVERSE
E = M - _EMBEDDED @ _INVERSE
STAGE_TIME = _ALPHA.sum(axis=1)
STAGE_GAMMA = _GAMMAS.sum(axis=1)

# A cell whose states feed back against its current may seem to lose its conductance over a long step; this much of it is kept.
_LEAST_CONDUCTANCE = 0.1


@jit
def cell_voltages(word: FloatArray, bit: FloatArray, words: FloatArray, bits: FloatArray, out: FloatArray) -> None:
    """Cell voltages from line references and deviations [V]."""
    rows, cols = words.shape
    for i in range(rows):
        for j in range(cols):
            out[i, j] = (word[i] - bit[j]) + (words[i, j] - bits[i, j])


@jit
def combine(base: FloatArray, stages: FloatArray, weights: FloatArray, count: int, out: FloatArray) -> None:
    """Fill base plus weighted stages, for arrays of any shape."""
    flat, target = base.reshape(-1), out.reshape(-1)
    rows = stages.reshape(stages.shape[0], -1)
    for k in range(flat.shape[0]):
        total = flat[k]
        for s in range(count):
            total += weights[s] * rows[s, k]
        target[k] = total


@jit
def eliminate(
    jacobian: FloatArray, shift: float, inverse: FloatArray, gain: FloatArray, pull: FloatArray, effective: FloatArray
) -> None:
    """Eliminate the states of every cell for steps of 1 / (gamma shift).

    Parameters
    ----------
    jacobian : (rows, cols, 1 + n, 1 + n) array
        Of (current, rates) by (voltage, states).
    shift : float
        1 / (gamma step) [1/s].
    inverse : (rows, cols, n, n) array
        Output: inverse of ``shift - d rates / d states``.
    gain : (rows, cols, n) array
        Output: change of the states a volt.
    pull : (rows, cols, n) array
        Output: change of the current with the right-hand side of the states.
    effective : (rows, cols) array
        Output: effective conductance [S].
    """
    rows, cols, n, _ = inverse.shape
    matrix = np.empty((n, n))
    for i in range(rows):
        for j in range(cols):
            jac = jacobian[i, j]
            inv = inverse[i, j]
            if n == 1:
                only = shift - jac[1, 1]
                inv[0, 0] = 1.0 / only if only != 0.0 else 1.0 / shift
            else:
                for a in range(n):
                    for b in range(n):
                        matrix[a, b] = (shift if a == b else 0.0) - jac[1 + a, 1 + b]
                        inv[a, b] = 1.0 if a == b else 0.0
                for a in range(n):
                    best = a
                    for b in range(a + 1, n):
                        if abs(matrix[b, a]) > abs(matrix[best, a]):
                            best = b
                    if best != a:
                        for b in range(n):
                            matrix[a, b], matrix[best, b] = matrix[best, b], matrix[a, b]
                            inv[a, b], inv[best, b] = inv[best, b], inv[a, b]
                    pivot = matrix[a, a]
                    scale = 1.0 / pivot if pivot != 0.0 else 1.0 / shift
                    for b in range(n):
                        matrix[a, b] *= scale
                        inv[a, b] *= scale
                    for c in range(n):
                        if c != a:
                            part = matrix[c, a]
                            for b in range(n):
                                matrix[c, b] -= part * matrix[a, b]
                                inv[c, b] -= part * inv[a, b]
            feedback = 0.0
            for a in range(n):
                total = 0.0
                other = 0.0
                for b in range(n):
                    total += inv[a, b] * jac[1 + b, 0]
                    other += jac[0, 1 + b] * inv[b, a]
                gain[i, j, a] = total
                pull[i, j, a] = other
                feedback += jac[0, 1 + a] * total
            own = max(jac[0, 0], 0.0)
            if own + feedback < _LEAST_CONDUCTANCE * own:
                # Scales d rates / d voltage of this cell: allowed in a W-method, and the network stays positive definite.
                part = (1.0 - _LEAST_CONDUCTANCE) * own / -feedback
                for a in range(n):
                    gain[i, j, a] *= part
                feedback *= part
            effective[i, j] = own + feedback


@jit
def stage_right(
    jacobian: FloatArray,
    pull: FloatArray,
    rates: FloatArray,
    stages: FloatArray,
    weights: FloatArray,
    count: int,
    word_shift: FloatArray,
    bit_shift: FloatArray,
    right: FloatArray,
    into_words: FloatArray,
    into_bits: FloatArray,
) -> None:
    """Right-hand side of one stage: of the states (kept in ``right``), and the node currents it leaves after elimination."""
    rows, cols, n = rates.shape
    for i in range(rows):
        for j in range(cols):
            volts = word_shift[i] - bit_shift[j]
            current = jacobian[i, j, 0, 0] * volts
            for a in range(n):
                total = rates[i, j, a] + jacobian[i, j, 1 + a, 0] * volts
                for s in range(count):
                    total += weights[s] * stages[s, i, j, a]
                right[i, j, a] = total
                current += pull[i, j, a] * total
            into_words[i, j] -= current
            into_bits[i, j] += current


@jit
def back_substitute(
    inverse: FloatArray, gain: FloatArray, right: FloatArray, words: FloatArray, bits: FloatArray, out: FloatArray
) -> None:
    """States of one stage from its voltages."""
    rows, cols, n = right.shape
    for i in range(rows):
        for j in range(cols):
            volts = words[i, j] - bits[i, j]
            for a in range(n):
                total = gain[i, j, a] * volts
                for b in range(n):
                    total += inverse[i, j, a, b] * right[i, j, b]
                out[i, j, a] = total


@jit
def finish(
    states: FloatArray,
    stages: FloatArray,
    weights: FloatArray,
    errors: FloatArray,
    scales: FloatArray,
    tolerance: float,
    out: FloatArray,
) -> float:
    """Fill the new states, and return the greatest error of any state of any cell as a part of the tolerance."""
    rows, cols, n = states.shape
    worst = 0.0
    for i in range(rows):
        for j in range(cols):
            for a in range(n):
                new = states[i, j, a]
                wrong = 0.0
                for s in range(4):
                    new += weights[s] * stages[s, i, j, a]
                    wrong += errors[s] * stages[s, i, j, a]
                out[i, j, a] = new
                ratio = abs(wrong) / (tolerance * max(scales[a], abs(new)))
                if not ratio <= worst:
                    worst = ratio
    return worst
