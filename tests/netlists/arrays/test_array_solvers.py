"""Tests of the wired-array solvers: direct solves, badcrossbar, solve_ivp, exact arithmetic, errors."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from array_reference import direct, transient
from badcrossbar_currents import RESISTANCES, SHAPES, case, key, stored
from example_cells import diffusive_cell, drift_cell, selector_memory_cell

from synspice.compact.errors import ParameterError, SimulationError, UnknownNameError
from synspice.netlists.arrays import stages
from synspice.netlists.arrays.dynamic_write import write_array
from synspice.netlists.arrays.linear_read import bias, read_array, solve_array
from synspice.netlists.arrays.network import Drive, Wires

DRIFT = np.array([1e-6, 1e-4, 4.0, 0.1])
SELECTOR = np.array([1e-9, 1e-3, 0.25, 1e7, 0.4, 0.02, 5e-6])
BOTH = np.r_[SELECTOR, DRIFT]


def cells(kind: str, rows: int, cols: int) -> np.ndarray:
    rng = np.random.default_rng(rows + 100 * cols)
    if kind == "mixed":
        return 10 ** rng.uniform(-9, -3, (rows, cols))
    if kind == "two-level":
        return np.where(rng.random((rows, cols)) < 0.5, 1e-3, 1e-9)
    if kind == "1 kohm":
        return np.full((rows, cols), 1e-3)
    return rng.uniform(1e-6, 1e-4, (rows, cols))


WIRES = [
    Wires(),
    Wires(word_segment=2, bit_segment=2),
    Wires(word_segment=1e-3, bit_segment=1e-3),
    Wires(word_segment=100, bit_segment=100),
    Wires(bit_segment=3, left=50),
    Wires(word_segment=2, left=100, bottom=1000),
    Wires(left=1000, bottom=1000),
]


class TestLinear:
    @pytest.mark.parametrize("wires", WIRES)
    @pytest.mark.parametrize("kind", ["mixed", "two-level", "1 kohm", "uniform"])
    @pytest.mark.parametrize("scheme", ["read", "float", "V/2", "V/3", "grounded"])
    def test_against_sparse_direct(self, wires, kind, scheme):
        rows, cols = 23, 41
        g = cells(kind, rows, cols)
        if scheme == "read":
            drive = Drive(left=np.linspace(0.1, 1, rows), bottom=np.zeros(cols))
        else:
            drive = bias(scheme, (rows, cols), row=rows - 1, col=7, voltage=1.0)
        s = solve_array(g, drive, wires)
        u, w, i = direct(g, wires, {"left": drive.left, "bottom": drive.bottom})
        driven = ~np.isnan(drive.bottom)
        # A direct solve loses digits to segment / cell conductance where lines float; see test_exact for who is right.
        rough = 1e-7 if scheme == "float" and wires.word_segment == 1e-3 else 1e-8
        np.testing.assert_allclose(
            s.column_currents[driven], i.sum(axis=0)[driven], rtol=rough, atol=1e-11 * np.abs(i).max()
        )
        np.testing.assert_allclose(s.word_voltages, u, atol=rough)
        np.testing.assert_allclose(s.bit_voltages, w, atol=rough)
        assert s.residual < 1e-9

    @pytest.mark.parametrize(
        "wires", [*WIRES[1:4], Wires(word_segment=2, right=30, top=20), Wires(left=5, right=7, top=11, bottom=13)]
    )
    def test_every_side_driven(self, wires):
        rng = np.random.default_rng(4)
        rows, cols = 17, 12
        g = cells("mixed", rows, cols)
        if wires.bit_segment == 0 and wires.bottom == 0:
            wires = Wires(word_segment=wires.word_segment, right=wires.right, top=wires.top, bottom=9)
        side = {k: rng.uniform(-1, 1, n) for k, n in (("left", rows), ("right", rows), ("top", cols), ("bottom", cols))}
        side["left"][3] = side["right"][5] = side["top"][2] = np.nan
        side["right"][3] = np.nan  # word line 3 floats
        s = solve_array(g, Drive(**side), wires)
        u, w, i = direct(g, wires, side)
        np.testing.assert_allclose(s.word_voltages, u, atol=1e-8)
        np.testing.assert_allclose(s.bit_voltages, w, atol=1e-8)
        np.testing.assert_allclose(s.left_currents + s.right_currents, i.sum(axis=1), rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(s.top_currents + s.bottom_currents, i.sum(axis=0), rtol=1e-7, atol=1e-12)
        r = wires.word_segment + wires.right
        ends = np.where(np.isnan(side["right"]), 0.0, (np.nan_to_num(side["right"]) - u[:, -1]) / r)
        np.testing.assert_allclose(s.right_currents, ends, rtol=1e-7, atol=1e-9)

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("resistance", RESISTANCES)
    def test_badcrossbar(self, shape, resistance):
        g, v = case(shape)
        ours = read_array(g, v, word_resistance=resistance[0], bit_resistance=resistance[1])
        np.testing.assert_allclose(ours.column_currents, stored()[key(shape, resistance)], rtol=1e-8)

    @pytest.mark.parametrize("segment", [Fraction(1, 1000), Fraction(2), Fraction(100)])
    def test_exact(self, segment):
        """Floating 1 Gohm / 1 kohm array on rational arithmetic: the solver keeps 13 digits."""
        n = 3
        g = [[Fraction(1, 1000) if a == b else Fraction(1, 10**9) for b in range(n)] for a in range(n)]
        size = 2 * n * n
        m = [[Fraction(0)] * (size + 1) for _ in range(size)]

        def join(a, b, c):
            m[a][a] += c
            m[b][b] += c
            m[a][b] -= c
            m[b][a] -= c

        for a in range(n):
            for b in range(n):
                join(a * n + b, n * n + a * n + b, g[a][b])
                if b:
                    join(a * n + b, a * n + b - 1, 1 / segment)
                if a:
                    join(n * n + a * n + b, n * n + a * n + b - n, 1 / segment)
        m[(n - 1) * n][(n - 1) * n] += 1 / segment
        m[(n - 1) * n][size] += 1 / segment
        bottom = n * n + (n - 1) * n
        m[bottom][bottom] += 1 / segment
        for k in range(size):
            for r in range(k + 1, size):
                if m[r][k]:
                    f = m[r][k] / m[k][k]
                    m[r] = [x - f * y for x, y in zip(m[r], m[k], strict=True)]
        x = [Fraction(0)] * size
        for k in reversed(range(size)):
            x[k] = (m[k][size] - sum(m[k][c] * x[c] for c in range(k + 1, size))) / m[k][k]
        s = solve_array(
            np.array(g, dtype=float), bias("float", (n, n), row=n - 1, col=0, voltage=1.0),
            Wires(word_segment=float(segment), bit_segment=float(segment)),
        )  # fmt: skip
        assert s.column_currents[0] == pytest.approx(float(x[bottom] / segment), rel=1e-13)

    def test_batch_equals_singles(self):
        g = cells("uniform", 9, 11)
        v = np.random.default_rng(1).uniform(0, 1, (4, 9))
        many = read_array(g, v, word_resistance=2, bit_resistance=2)
        for k in range(4):
            np.testing.assert_array_equal(
                many.column_currents[k], read_array(g, v[k], word_resistance=2, bit_resistance=2).column_currents
            )

    def test_errors(self):
        g = cells("uniform", 3, 4)
        with pytest.raises(ParameterError, match=r"voltages have shape \(2,\)"):
            read_array(g, [1, 2])
        bad = g.copy()
        bad[1, 2] = -1
        with pytest.raises(ParameterError, match=r"cell \(1, 2\)"):
            read_array(bad, np.ones(3))
        with pytest.raises(ParameterError, match="word_segment = -1"):
            read_array(g, np.ones(3), word_resistance=-1)
        with pytest.raises(ParameterError, match="floating"):
            solve_array(g, Drive(), Wires(word_segment=1))
        hole = g.copy()
        hole[1] = 0
        with pytest.raises(ParameterError, match="word line 1: floating"):
            solve_array(hole, Drive(left=[1, np.nan, 1], bottom=np.zeros(4)), Wires(word_segment=1))
        with pytest.raises(ParameterError, match="ideal sources differ"):
            solve_array(g, Drive(left=np.ones(3), right=np.zeros(3), bottom=np.zeros(4)), Wires())
        with pytest.raises(SimulationError, match="convergence"):
            read_array(np.full((64, 64), 1e-3), np.ones(64), word_resistance=100, bit_resistance=100, max_iterations=3)
        with pytest.raises(UnknownNameError, match="V/2"):
            bias("V/4", (3, 3), row=0, col=0, voltage=1)
        with pytest.raises(ParameterError, match="row 3"):
            bias("V/2", (3, 3), row=3, col=0, voltage=1)


def pulse(n: int, amplitude: float, scheme: str):
    times = np.array([0, 1e-6, 2e-6, 12e-6, 13e-6, 40e-6])
    shape = np.array([0, 0, 1, 1, 0, 0.0])
    d = bias(scheme, (n, n), row=1, col=1, voltage=amplitude)
    return times, Drive(left=shape[:, None] * d.left, bottom=shape[:, None] * d.bottom)


class TestDynamic:
    def test_tableau(self):
        g, c = np.zeros((4, 4)), stages.STAGE_TIME
        inverse = np.diag(np.full(4, 1 / stages.GAMMA)) - stages.C
        g = np.linalg.inv(inverse)
        alpha = stages.A @ g
        b = stages.M @ g
        one = np.ones(4)
        expected = [(b @ one, 1), (b @ c, 1 / 2), (b @ c**2, 1 / 3), (b @ alpha @ c, 1 / 6)]
        expected += [(b @ g @ one, 0), (b @ alpha @ g @ one, 0), (b @ g @ alpha @ one, 0), (b @ g @ g @ one, 0)]
        expected += [(b @ np.linalg.inv(alpha + g) @ c**2, 1), (1 - b @ np.linalg.inv(alpha + g) @ one, 0)]
        for value, wanted in expected:
            assert value == pytest.approx(wanted, abs=1e-14)

    @pytest.mark.parametrize("make", [drift_cell, diffusive_cell, selector_memory_cell])
    def test_jacobians(self, make):
        cell = make()
        p = {"drift": DRIFT, "diffusive": SELECTOR, "1S1R": BOTH}[cell.name]
        n, h = cell.n_states, 1e-6
        rng = np.random.default_rng(0)

        def both(v, x):
            out = np.empty(n)
            cell.rates(v, x, p, 300.0, out)
            return np.r_[cell.current(v, x, p, 300.0), out]

        for _ in range(50):
            v, x, jac = rng.uniform(-1.2, 1.2), rng.uniform(0.02, 0.98, n), np.empty((1 + n, 1 + n))
            cell.jacobian(v, x, p, 300.0, jac)
            columns = [(both(v + h, x) - both(v - h, x)) / (2 * h)]
            columns += [(both(v, x + h * e) - both(v, x - h * e)) / (2 * h) for e in np.eye(n)]
            numeric = np.array(columns).T
            np.testing.assert_allclose(
                jac / np.abs(numeric).max(axis=1)[:, None], numeric / np.abs(numeric).max(axis=1)[:, None], atol=1e-6
            )

    def test_series_node(self):
        cell, drift, selector = selector_memory_cell(), drift_cell(), diffusive_cell()
        for v in (-1.3, -1e-3, 1e-9, 0.2, 1.3):
            for x in ([1e-6, 0.1], [0.5, 0.5], [1.0, 0.9]):
                i = cell.current(v, np.array(x), BOTH, 300.0)
                across = i / (DRIFT[0] + (DRIFT[1] - DRIFT[0]) * x[1])
                assert selector.current(v - across, np.array(x[:1]), SELECTOR, 300.0) == pytest.approx(i, rel=1e-6)
                assert math.copysign(1, i) == math.copysign(1, v)
        assert cell.current(0.0, np.array([0.5, 0.5]), BOTH, 300.0) == 0.0
        assert drift.current(0.0, np.array([0.5]), DRIFT, 300.0) == 0.0

    @pytest.mark.parametrize("scheme", ["V/2", "grounded", "float"])
    @pytest.mark.parametrize("kind", ["drift", pytest.param("1S1R", marks=pytest.mark.slow)])
    def test_against_solve_ivp(self, kind, scheme):
        n = 3
        rng = np.random.default_rng(3)
        cell, p = (drift_cell(), DRIFT) if kind == "drift" else (selector_memory_cell(), BOTH)
        x = np.full((n, n, cell.n_states), 1e-3)
        x[..., -1] = rng.uniform(0.1, 0.9, (n, n))
        times, drive = pulse(n, 1.2 if kind == "drift" else 1.5, scheme)
        wires = Wires(word_segment=50, bit_segment=20, left=1000, bottom=100)
        samples = np.array([3e-6, 8e-6, 12e-6, 12.7e-6, 20e-6, 40e-6])
        sides = {"left": drive.left, "bottom": drive.bottom}
        expected = transient(cell, p, x, times, sides, wires, samples, rtol=1e-7, newton=3e-8)
        got = write_array(cell, p, x, times, drive, wires, temperature=300.0, tolerance=1e-5, sample_times=samples)
        assert np.abs(expected - x).max() > 0.1
        np.testing.assert_allclose(got.states, expected, atol=4e-5)

    @pytest.mark.parametrize(
        "wires", [Wires(), Wires(word_segment=2), Wires(bit_segment=2), Wires(left=100, bottom=100)]
    )
    def test_ideal_wires(self, wires):
        """Zero ohm is the limit of small resistances."""
        x = np.random.default_rng(0).uniform(0.1, 0.9, (4, 5, 1))
        times = np.array([0, 1e-6, 1e-6, 11e-6])
        shape = np.array([0.0, 0.0, 1.0, 1.0])
        drive = Drive(left=shape[:, None] * np.array([0.9, 0.8, np.nan, 0.7]), bottom=np.zeros(5))
        small = Wires(
            **{k: max(getattr(wires, k), 1e-4) for k in ("word_segment", "bit_segment")},
            left=wires.left,
            bottom=wires.bottom,
        )
        a = write_array(drift_cell(), DRIFT, x, times, drive, wires, temperature=300.0)
        b = write_array(drift_cell(), DRIFT, x, times, drive, small, temperature=300.0)
        np.testing.assert_allclose(a.states, b.states, atol=1e-6)
        np.testing.assert_allclose(a.bottom_currents, b.bottom_currents, atol=1e-9, rtol=1e-5)
        assert np.abs(a.states[-1] - x).max() > 0.1
        # At the jump the record holds the values before it.
        np.testing.assert_array_equal(a.cell_voltages[1], 0.0)

    def test_currents_are_those_of_a_read(self):
        x = np.random.default_rng(0).uniform(0.1, 0.9, (6, 7, 1))
        times, wires = np.array([0.0, 1e-9]), Wires(word_segment=2, bit_segment=2)
        got = write_array(
            drift_cell(), DRIFT, x, times, Drive(left=np.full(6, 0.1), bottom=np.zeros(7)), wires, temperature=300.0
        )
        read = read_array(
            DRIFT[0] + (DRIFT[1] - DRIFT[0]) * x[..., 0], np.full(6, 0.1), word_resistance=2, bit_resistance=2
        )
        np.testing.assert_allclose(got.bottom_currents[0], read.column_currents, rtol=1e-8)
        np.testing.assert_allclose(got.left_currents[0], read.left_currents, rtol=1e-8)

    def test_error_follows_tolerance(self):
        x = np.random.default_rng(0).uniform(0.1, 0.9, (8, 8, 1))
        times, drive = pulse(8, 0.9, "V/2")
        wires = Wires(word_segment=2, bit_segment=2)
        run = [
            write_array(drift_cell(), DRIFT, x, times, drive, wires, temperature=300.0, tolerance=t).states
            for t in (1e-9, 1e-6, 1e-4)
        ]
        assert np.abs(run[1] - run[0]).max() < 2e-6
        assert np.abs(run[2] - run[0]).max() < 2e-4

    def test_errors(self):
        cell, x = drift_cell(), np.full((2, 3, 1), 0.5)
        good = {
            "times": [0, 1e-6],
            "drive": Drive(left=np.ones(2), bottom=np.zeros(3)),
            "wires": Wires(word_segment=1, bit_segment=1),
            "temperature": 300.0,
        }
        for change, text in (
            ({"times": [0, 0]}, "nothing to integrate"),
            ({"times": [0, -1]}, "do not decrease"),
            ({"drive": Drive(left=np.ones(3))}, "left: voltages have shape"),
            ({"drive": Drive(left=np.array([[0, np.nan], [0, 1]]))}, "at some times only"),
            ({"drive": Drive()}, "floating"),
        ):
            with pytest.raises(ParameterError, match=text):
                write_array(cell, DRIFT, x, **(good | change))
        with pytest.raises(ParameterError, match="parameters have shape"):
            write_array(cell, DRIFT[:2], x, **good)
        with pytest.raises(ParameterError, match="sample_times run"):
            write_array(cell, DRIFT, x, **good, sample_times=[2.0])
        with pytest.raises(SimulationError, match="time-out"):
            write_array(cell, DRIFT, x, **good, max_steps=0)
