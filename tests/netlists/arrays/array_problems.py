import numpy as np

from synspice.netlists.arrays.network import Drive, Wires

DRIFT = np.array([1e-6, 1e-4, 4.0, 0.1])


def pulses(n, count=10, scheme="rows", seed=1, width=10e-6, rise=0.2e-6, wire=2.0):
    """10 write pulses on n x n drift cells: every row its own amplitude (0.6-0.9 V), or V/2 on one row and column."""
    rng = np.random.default_rng(seed)
    x0 = rng.uniform(0.05, 0.9, (n, n, 1))
    t = [0.0]
    a = [0.0]
    for k in range(count):
        s = 1e-6 + k * 2 * width
        sign = 1.0 if k % 2 == 0 else -1.0
        t += [s, s + rise, s + rise + width, s + 2 * rise + width]
        a += [0, sign, sign, 0]
    t.append(count * 2 * width)
    a.append(0.0)
    t = np.array(t)
    a = np.array(a)
    if scheme == "rows":
        d = Drive(left=a[:, None] * rng.uniform(0.6, 0.9, n), bottom=np.zeros(n))
    elif scheme == "half":
        l = np.full(n, 0.5)
        l[n // 2] = 1.0
        b = np.full(n, 0.5)
        b[n // 2] = 0.0
        d = Drive(left=a[:, None] * l * 0.9, bottom=a[:, None] * b * 0.9)
    elif scheme == "float":
        l = np.full(n, np.nan)
        l[n // 2] = 0.9
        b = np.full(n, np.nan)
        b[n // 2] = 0
        d = Drive(left=a[:, None] * l, bottom=b)
    return DRIFT, x0, t, d, Wires(word_segment=wire, bit_segment=wire)
