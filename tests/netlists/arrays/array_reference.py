"""Independent direct solve of an array: every node an unknown, scipy's sparse LU. Used by tests and the bench only."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu


def direct(cells, wires, side):
    """Node voltages by sparse LU with iterative refinement; `side` maps left/right/top/bottom to voltages (NaN open).

    Nodes of ideal lines are merged; nodes held by ideal sources are known.
    """
    rows, cols = cells.shape
    wl = np.arange(rows * cols).reshape(rows, cols)
    bl = wl + rows * cols
    if wires.word_segment == 0:
        wl = np.repeat(wl[:, :1], cols, axis=1)
    if wires.bit_segment == 0:
        bl = np.repeat(bl[:1], rows, axis=0)
    i, j, g = [wl.ravel()], [bl.ravel()], [cells.ravel()]
    if wires.word_segment > 0:
        (
            i.append(wl[:, :-1].ravel()),
            j.append(wl[:, 1:].ravel()),
            g.append(np.full(rows * (cols - 1), 1 / wires.word_segment)),
        )
    if wires.bit_segment > 0:
        i.append(bl[:-1].ravel()), j.append(bl[1:].ravel()), g.append(np.full((rows - 1) * cols, 1 / wires.bit_segment))
    n = 2 * rows * cols
    src = {
        "left": (wl[:, 0], wires.word_segment + wires.left),
        "right": (wl[:, -1], wires.word_segment + wires.right),
        "top": (bl[0], wires.bit_segment + wires.top),
        "bottom": (bl[-1], wires.bit_segment + wires.bottom),
    }
    diag, rhs, known = np.zeros(n), np.zeros(n), np.full(n, np.nan)
    for name, (nodes, r) in src.items():
        v = np.asarray(side.get(name, np.full(nodes.size, np.nan)), float)
        ok = ~np.isnan(v)
        if r == 0:
            known[nodes[ok]] = v[ok]
        else:
            np.add.at(diag, nodes[ok], 1 / r)
            np.add.at(rhs, nodes[ok], v[ok] / r)
    i, j, g = map(np.concatenate, (i, j, g))
    np.add.at(diag, i, g)
    np.add.at(diag, j, g)
    a = (coo_array((np.r_[-g, -g, diag], (np.r_[i, j, np.arange(n)], np.r_[j, i, np.arange(n)])), shape=(n, n))).tocsc()
    used = np.zeros(n, bool)
    used[wl] = used[bl] = True
    free = np.flatnonzero(used & np.isnan(known))
    fixed = np.flatnonzero(used & ~np.isnan(known))
    v = known.copy()
    if free.size:
        aff = a[free][:, free]
        b = rhs[free] - a[free][:, fixed] @ known[fixed]
        lu = splu(aff.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        x = lu.solve(b)
        for _ in range(2):
            x += lu.solve((b.astype(np.longdouble) - aff.astype(np.longdouble) @ x.astype(np.longdouble)).astype(float))
        v[free] = x
    u, w = v[wl], v[bl]
    return u, w, cells * (u - w)


def transient(
    cell,
    parameters,
    states,
    times,
    sides,
    wires,
    t_eval,
    temperature=300.0,
    rtol=1e-8,
    atol=1e-9,
    method="Radau",
    newton=1e-10,
):
    """States at t_eval by scipy's solve_ivp with a dense Newton solve of every node in each call (small arrays, wires > 0)."""
    from scipy.integrate import solve_ivp

    rows, cols, n = states.shape
    size = rows * cols
    wl = np.arange(size).reshape(rows, cols)
    bl = wl + size
    lap = np.zeros((2 * size, 2 * size))

    def join(a, b, g):
        np.add.at(lap, (a, a), g), np.add.at(lap, (b, b), g)
        np.add.at(lap, (a, b), -g), np.add.at(lap, (b, a), -g)

    join(wl[:, :-1].ravel(), wl[:, 1:].ravel(), 1 / wires.word_segment)
    join(bl[:-1].ravel(), bl[1:].ravel(), 1 / wires.bit_segment)
    ends = {
        "left": (wl[:, 0], wires.word_segment + wires.left),
        "right": (wl[:, -1], wires.word_segment + wires.right),
        "top": (bl[0], wires.bit_segment + wires.top),
        "bottom": (bl[-1], wires.bit_segment + wires.bottom),
    }
    open_lap = lap.copy()
    for name, (nodes, r) in ends.items():
        if name in sides:
            ok = ~np.isnan(sides[name][0])
            open_lap[nodes[ok], nodes[ok]] += 1 / r
    a, b = wl.ravel(), bl.ravel()
    full = np.broadcast_to(parameters, (rows, cols, parameters.shape[-1])).reshape(size, -1)
    last = np.zeros(2 * size)

    def network(t, x):
        nonlocal last
        src = np.zeros(2 * size)
        for name, (nodes, r) in ends.items():
            if name in sides:
                v = np.array([np.interp(t, times, sides[name][:, k]) for k in range(nodes.size)])
                ok = ~np.isnan(v)
                src[nodes[ok]] += v[ok] / r
        y = last.copy()
        jac = np.zeros((1 + n, 1 + n))
        for _ in range(100):
            v = y[a] - y[b]
            i = np.array([cell.current(v[k], x[k], full[k], temperature) for k in range(size)])
            g = np.empty(size)
            for k in range(size):
                cell.jacobian(v[k], x[k], full[k], temperature, jac)
                g[k] = jac[0, 0]
            f = src - open_lap @ y
            f[a] -= i
            f[b] += i
            m = open_lap.copy()
            m[a, a] += g
            m[b, b] += g
            m[a, b] -= g
            m[b, a] -= g
            d = np.linalg.solve(m, f)
            y += d * min(1.0, 0.3 / max(np.abs(d).max(), 1e-300))
            if np.abs(d).max() < newton:
                break
        else:
            raise RuntimeError("reference network did not converge")
        last = y
        return y[a] - y[b], y

    def rhs(t, flat):
        x = flat.reshape(size, n)
        v, _ = network(t, x)
        out = np.empty((size, n))
        for k in range(size):
            cell.rates(v[k], x[k], full[k], temperature, out[k])
        return out.ravel()

    x = states.ravel().copy()
    t_eval = np.asarray(t_eval)
    got = {}
    for t0, t1 in pairwise(times):
        if t1 <= t0:
            continue
        wanted = np.unique(np.r_[t_eval[(t_eval >= t0) & (t_eval <= t1)], t1])
        s = solve_ivp(rhs, (t0, t1), x, method=method, rtol=rtol, atol=atol, t_eval=wanted, first_step=(t1 - t0) * 1e-3)
        assert s.success, s.message
        for k, t in enumerate(wanted):
            got[t] = s.y[:, k].reshape(states.shape)
        x = s.y[:, -1]
    return np.stack([got[t] for t in t_eval])
