"""Transient of a wired crossbar of dynamic cells under piecewise-linear line voltages.

The states and the network form a differential-algebraic system of index 1. Each step is one of ROS34PW2 [1]_, a linearly implicit
method of order 3 with an embedded order 2, L-stable and stiffly accurate, whose order survives an inexact Jacobian of the rates. In
every stage the states of a cell are eliminated locally (a Jacobian of its own states only), which leaves a *linear array* with an
effective conductance for each cell; :class:`.network.Network` solves it. So stiff cells cost no more than slow ones, no stage needs
a Newton iteration, and all four stages share one factorisation. At the start of each segment of the drive, and for every sample,
Newton's method settles the network exactly.

References
----------
.. [1] J. Rang and L. Angermann, "New Rosenbrock W-methods of order 3 for partial differential algebraic equations of index 1",
   BIT Numerical Mathematics 45, 761-787 (2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...compact.errors import ParameterError, SimulationError
from . import stages
from .cells import CellModel, array_kernels
from .kernels import FloatArray
from .linear_read import add_sources, end_currents
from .network import Drive, Network, Sides, Wires, check_short, read_sides, require_converged

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 6.0
_FIRST_MOVE = 0.5
_NEWTON_LIMIT, _LEAST_PART = 60, 1e-9
_SMALLEST_STEP = 1e-13


@dataclass(frozen=True, slots=True)
class WriteResult:
    """States and currents of a dynamic array at the sample times; at a jump of the drive, the values before it.

    Attributes
    ----------
    times : (n_samples,) array
        [s].
    states : (n_samples, rows, cols, n_states) array
        Each state in its unit.
    cell_voltages : (n_samples, rows, cols) array
        Word line minus bit line [V].
    left_currents, right_currents : (n_samples, rows) array
        Into the word lines [A].
    top_currents, bottom_currents : (n_samples, cols) array
        Out of the bit lines [A].
    steps, rejected, solves, iterations : int
        Accepted and rejected steps, linear network solves, and conjugate-gradient iterations in all of them.
    """

    times: FloatArray
    states: FloatArray
    cell_voltages: FloatArray
    left_currents: FloatArray
    right_currents: FloatArray
    top_currents: FloatArray
    bottom_currents: FloatArray
    steps: int
    rejected: int
    solves: int
    iterations: int


def write_array(
    cell: CellModel,
    parameters: ArrayLike,
    initial_states: ArrayLike,
    times: ArrayLike,
    drive: Drive,
    wires: Wires,
    *,
    temperature: float,
    tolerance: float = 5e-5,
    sample_times: ArrayLike | None = None,
    max_steps: int = 1_000_000,
) -> WriteResult:
    """Integrate an array of dynamic cells.

    Parameters
    ----------
    cell : CellModel
        The cell, from word line to bit line.
    parameters : (n_params,) or (rows, cols, n_params) array
        Cell parameters.
    initial_states : (rows, cols, n_states) array
        States at ``times[0]``; the shape sets the size of the array.
    times : (n_times,) array
        Corners of the drive [s], not decreasing; a time that occurs twice is a jump.
    drive : Drive
        Each side (lines,) for a constant, or (n_times, lines) [V]; NaN or None is open.
    wires : Wires
        Resistances [ohm].
    temperature : float
        [K].
    tolerance : float
        Error of one step as a part of each state's scale (or of the state, where that is greater).
    sample_times : (n_samples,) array, optional
        When to record [s]; the corners by default. Between steps states are interpolated (cubic) and the network solved anew.
    max_steps : int
        Limit of attempted steps.

    Returns
    -------
    WriteResult

    Raises
    ------
    ParameterError
        Shapes, values, or a line that nothing holds.
    SimulationError
        Step too small, too many steps, or a network that does not settle.
    """
    run = _check(cell, parameters, initial_states, times, drive, wires, temperature, tolerance, sample_times)
    return _Integrator(run).integrate(max_steps)


class _Run(NamedTuple):
    """A checked problem."""

    cell: CellModel
    parameters: FloatArray
    states: FloatArray
    times: FloatArray
    samples: FloatArray
    sides: Sides
    wires: Wires
    temperature: float
    tolerance: float


def _check(
    cell: CellModel,
    parameters: ArrayLike,
    initial_states: ArrayLike,
    times: ArrayLike,
    drive: Drive,
    wires: Wires,
    temperature: float,
    tolerance: float,
    sample_times: ArrayLike | None,
) -> _Run:
    where = f"write of an array of '{cell.name}' cells"
    states = np.array(initial_states, dtype=np.float64, order="C")
    if states.ndim != 3 or states.shape[2] != cell.n_states or states.size == 0:
        raise ParameterError(where, [f"initial_states have shape {states.shape}; needed (rows, cols, {cell.n_states})"])
    rows, cols, _ = states.shape
    corners = np.asarray(times, dtype=np.float64)
    if corners.ndim != 1 or corners.size < 2 or not np.isfinite(corners).all() or (np.diff(corners) < 0.0).any():
        raise ParameterError(
            where, [f"times of shape {corners.shape}: needed are at least two finite times that do not decrease"]
        )
    if not corners[-1] > corners[0]:
        raise ParameterError(where, [f"times end where they start, at {corners[0]:.6g} s; nothing to integrate"])
    samples = np.unique(corners) if sample_times is None else np.asarray(sample_times, dtype=np.float64)
    given = np.asarray(parameters, dtype=np.float64)
    faults: list[str] = []
    if given.shape not in ((cell.n_params,), (rows, cols, cell.n_params)):
        faults.append(
            f"parameters have shape {given.shape}; needed ({cell.n_params},) or ({rows}, {cols}, {cell.n_params})"
        )
        given = np.zeros(cell.n_params)
    for name, array in (("parameters", given), ("initial_states", states)):
        if not np.isfinite(array).all():
            faults.append(f"{name}: a value is not finite")
    if samples.ndim != 1 or samples.size == 0 or not np.isfinite(samples).all() or (np.diff(samples) < 0.0).any():
        faults.append(f"sample_times of shape {samples.shape}: needed are finite times that do not decrease")
    elif samples[0] < corners[0] or samples[-1] > corners[-1]:
        faults.append(
            f"sample_times run from {samples[0]:.6g} to {samples[-1]:.6g} s, the drive from {corners[0]:.6g} to {corners[-1]:.6g} s"
        )
    if not (math.isfinite(temperature) and temperature > 0.0):
        faults.append(f"temperature = {temperature!r} K; it is positive")
    if not 1e-12 <= tolerance <= 0.1:
        faults.append(f"tolerance = {tolerance!r}; allowed are 1e-12 to 0.1")
    if faults:
        raise ParameterError(where, faults)
    sides = read_sides(drive, rows, cols, leading=corners.size)
    check_short(wires, sides)
    full = np.array(np.broadcast_to(given, (rows, cols, cell.n_params)), order="C")
    return _Run(cell, full, states, corners, samples, sides, wires, float(temperature), float(tolerance))


class _Sources(NamedTuple):
    """What the drive is at one time."""

    word: FloatArray
    """(rows,) references of the word lines [V]."""
    bit: FloatArray
    """(cols,) references of the bit lines [V]."""
    word_ends: FloatArray
    """(2, rows) currents of the sources into word lines at their reference [A]."""
    bit_ends: FloatArray
    """(2, cols) currents of the sources into bit lines at their reference [A]."""


class _Integrator:
    """The state of one integration: buffers, counters, present voltages as deviations from the line references."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        rows, cols, n = run.states.shape
        self.network = Network(rows, cols, run.wires, run.sides.open_ends)
        self.drive = self.corners()
        self.floating_words, self.floating_bits = ~self.network.word.driven, ~self.network.bit.driven
        self.floats = bool(self.floating_words.any() or self.floating_bits.any())
        self.word_offset, self.bit_offset = np.zeros(rows), np.zeros(cols)
        self.evaluate, self.linearise = array_kernels(run.cell)
        self.scales = np.array(run.cell.scales)
        self.words = np.zeros((rows, cols))
        self.bits = np.zeros((rows, cols))
        self.current = np.empty((rows, cols))
        self.rates = np.empty((rows, cols, n))
        self.voltage = np.zeros((rows, cols))
        self.jacobian = np.empty((rows, cols, 1 + n, 1 + n))
        self.inverse = np.empty((rows, cols, n, n))
        self.gain = np.empty((rows, cols, n))
        self.pull = np.empty((rows, cols, n))
        self.effective = np.empty((rows, cols))
        self.state_stages = np.empty((4, rows, cols, n))
        self.word_stages = np.empty((4, rows, cols))
        self.bit_stages = np.empty((4, rows, cols))
        self.stage_states = np.empty((rows, cols, n))
        self.stage_words = np.empty((rows, cols))
        self.stage_bits = np.empty((rows, cols))
        self.right = np.empty((rows, cols, n))
        largest = max(
            (float(np.nanmax(np.abs(v))) for v in run.sides.values.values() if not np.isnan(v).all()), default=0.0
        )
        self.volts = largest if largest > 0.0 else 1.0
        self.linearise(self.voltage, run.states, run.parameters, run.temperature, self.jacobian)
        self.network.check_held(np.maximum(self.jacobian[:, :, 0, 0], 0.0))
        self.linear_tolerance = min(1e-4, 1e-2 * run.tolerance)
        self.settle_tolerance = 1e-3 * run.tolerance * self.volts
        self.steps = self.rejected = self.solves = self.iterations = 0

    # ------------------------------------------------------------------ sources

    def corners(self) -> _Sources:
        """Return the drive at all its corners; everything in it is linear in the voltages, so also in time between them."""
        side, network = self.run.sides.values, self.network
        word = network.word.reference(side["left"], side["right"])
        bit = network.bit.reference(side["top"], side["bottom"])
        word_ends = network.end_sources(network.word, word, side["left"], side["right"])
        bit_ends = network.end_sources(network.bit, bit, side["top"], side["bottom"])
        return _Sources(word, bit, word_ends.swapaxes(0, 1), bit_ends.swapaxes(0, 1))

    def sources(self, segment: int, time: float) -> _Sources:
        """Return the drive at a time inside (or beyond: the line goes on) one segment."""
        times = self.run.times
        part = (time - times[segment]) / (times[segment + 1] - times[segment])
        word, bit, word_ends, bit_ends = (
            (1.0 - part) * side[segment] + part * side[segment + 1] for side in self.drive
        )
        return _Sources(word + self.word_offset, bit + self.bit_offset, word_ends, bit_ends)

    def keep(self, words: FloatArray, bits: FloatArray) -> None:
        """Take node voltages over, moving the potential of a floating line into its reference.

        What is left are drops along the wire: the rounding of a wire's current then stays far below the current of a cell.
        """
        if self.floats:
            word_move, bit_move = (
                np.where(self.floating_words, words[:, 0], 0.0),
                np.where(self.floating_bits, bits[0], 0.0),
            )
            self.word_offset, self.bit_offset = self.word_offset + word_move, self.bit_offset + bit_move
            words, bits = words - word_move[:, None], bits - bit_move
        self.words, self.bits = words, bits

    def unbalance(
        self, source: _Sources, words: FloatArray, bits: FloatArray, current: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        into_words, into_bits = self.network.unbalance(words, bits, current)
        add_sources(into_words, into_bits, source.word_ends, source.bit_ends)
        return into_words, into_bits

    def solve(self, into_words: FloatArray, into_bits: FloatArray) -> tuple[FloatArray, FloatArray]:
        least = float(self.effective.sum()) * (1e-3 * self.volts) ** 2
        words, bits, iterations, reached = self.network.solve(
            into_words, into_bits, tolerance=self.linear_tolerance, least=least
        )
        self.solves += 1
        self.iterations += iterations
        require_converged(
            reached, self.linear_tolerance, iterations, f"write of an array of '{self.run.cell.name}' cells"
        )
        return words, bits

    # ------------------------------------------------------------------ Newton

    def settle(self, segment: int, time: float, states: FloatArray) -> _Sources:
        """Solve the network at fixed states by damped Newton; leaves voltages, cell currents and rates, returns the drive."""
        run = self.run

        def residual(words: FloatArray, bits: FloatArray) -> tuple[FloatArray, FloatArray]:
            stages.cell_voltages(source.word, source.bit, words, bits, self.voltage)
            self.evaluate(self.voltage, states, run.parameters, run.temperature, self.current, self.rates)
            return self.unbalance(source, words, bits, self.current)

        source = self.sources(segment, time)
        into_words, into_bits = residual(self.words, self.bits)
        for _ in range(_NEWTON_LIMIT):
            self.linearise(self.voltage, states, run.parameters, run.temperature, self.jacobian)
            np.maximum(self.jacobian[:, :, 0, 0], 0.0, out=self.effective)
            self.network.factorise(self.effective)
            d_words, d_bits = self.solve(into_words, into_bits)
            power = _along(d_words, into_words, d_bits, into_bits)
            change = max(float(np.abs(d_words).max()), float(np.abs(d_bits).max()))
            part = 1.0
            while True:
                into_words, into_bits = residual(self.words + part * d_words, self.bits + part * d_bits)
                after = _along(d_words, into_words, d_bits, into_bits)
                # The network minimises a convex content: along the step its slope must fall, and not overshoot. (NaN fails.)
                if abs(after) <= 0.9 * abs(power) or (change <= self.settle_tolerance and math.isfinite(after)):
                    break
                part *= 0.5
                if part < _LEAST_PART:
                    raise SimulationError(
                        "convergence",
                        f"network of '{run.cell.name}' cells at {time:.6g} s: Newton's method finds no descent; "
                        "check that the current of a cell is finite and rises with its voltage",
                    )
            self.keep(self.words + part * d_words, self.bits + part * d_bits)
            if self.floats:
                source = self.sources(segment, time)
                into_words, into_bits = residual(self.words, self.bits)
            if part == 1.0 and change <= self.settle_tolerance:
                return source
        raise SimulationError(
            "convergence",
            f"network of '{run.cell.name}' cells at {time:.6g} s: Newton's method did not settle to "
            f"{self.settle_tolerance:.3g} V in {_NEWTON_LIMIT} steps",
        )

    # ------------------------------------------------------------------ one step

    def attempt(
        self, segment: int, time: float, step: float, states: FloatArray
    ) -> tuple[float, FloatArray, FloatArray, FloatArray]:
        """Try one step: error as a part of the tolerance, and the new states and voltages."""
        run = self.run
        start = self.sources(segment, time)
        end = self.sources(segment, time + step)
        slope_word, slope_bit = (end.word - start.word) / step, (end.bit - start.bit) / step
        stages.cell_voltages(start.word, start.bit, self.words, self.bits, self.voltage)
        self.linearise(self.voltage, states, run.parameters, run.temperature, self.jacobian)
        stages.eliminate(self.jacobian, 1.0 / (stages.GAMMA * step), self.inverse, self.gain, self.pull, self.effective)
        if not self.network.factorise(self.effective):
            return math.inf, states, self.words, self.bits
        for k in range(4):
            if k == 0:
                at = start
                words, bits, stage = self.words, self.bits, states
            else:
                at = end if stages.STAGE_TIME[k] == 1.0 else self.sources(segment, time + stages.STAGE_TIME[k] * step)
                words, bits, stage = self.stage_words, self.stage_bits, self.stage_states
                stages.combine(self.words, self.word_stages, stages.A[k], k, words)
                stages.combine(self.bits, self.bit_stages, stages.A[k], k, bits)
                stages.combine(states, self.state_stages, stages.A[k], k, stage)
                stages.cell_voltages(at.word, at.bit, words, bits, self.voltage)
            self.evaluate(self.voltage, stage, run.parameters, run.temperature, self.current, self.rates)
            # Sources move linearly, so their own derivative term is a shift in time.
            ahead = self.sources(segment, time + (stages.STAGE_TIME[k] + stages.STAGE_GAMMA[k]) * step)
            into_words, into_bits = self.unbalance(ahead, words, bits, self.current)
            shift = stages.STAGE_GAMMA[k] * step
            stages.stage_right(
                self.jacobian, self.pull, self.rates, self.state_stages, stages.C[k] / step, k,
                shift * slope_word, shift * slope_bit, self.right, into_words, into_bits,
            )  # fmt: skip
            if not math.isfinite(float(into_words.sum())):
                return math.inf, states, self.words, self.bits
            self.word_stages[k], self.bit_stages[k] = self.solve(into_words, into_bits)
            stages.back_substitute(
                self.inverse, self.gain, self.right, self.word_stages[k], self.bit_stages[k], self.state_stages[k]
            )
        new_states = np.empty_like(states)
        error = stages.finish(states, self.state_stages, stages.M, stages.E, self.scales, run.tolerance, new_states)
        new_words, new_bits = np.empty_like(self.words), np.empty_like(self.bits)
        stages.combine(self.words, self.word_stages, stages.M, 4, new_words)
        stages.combine(self.bits, self.bit_stages, stages.M, 4, new_bits)
        return float(error), new_states, new_words, new_bits

    # ------------------------------------------------------------------ the run

    def integrate(self, max_steps: int) -> WriteResult:
        """Go through the segments of the drive, and record."""
        run = self.run
        recorder = _Recorder(self)
        states = run.states
        before = -math.inf
        for segment in np.flatnonzero(np.diff(run.times) > 0.0).tolist():
            start = float(run.times[segment])
            if before < start or run.times[segment - 1] == start:
                # At the start and after a jump; elsewhere the method itself keeps the network balanced.
                self.settle(segment, start, states)
            if math.isinf(before):
                recorder.until(segment, start, states)
            states = self.cross(segment, states, recorder, max_steps)
            before = float(run.times[segment + 1])
        return recorder.result()

    def cross(self, segment: int, states: FloatArray, recorder: _Recorder, max_steps: int) -> FloatArray:
        """Integrate one segment of the drive; returns the states at its end."""
        run = self.run
        time, stop = float(run.times[segment]), float(run.times[segment + 1])
        smallest = _SMALLEST_STEP * float(run.times[-1] - run.times[0])
        step = self.first_step(segment, states)
        while time < stop:
            left = stop - time
            if step >= 0.99 * left:
                step = left
            elif 2.0 * step > left:
                step = 0.5 * left
            if self.steps + self.rejected >= max_steps:
                raise SimulationError(
                    "time-out",
                    f"{max_steps} steps reached at {time:.6g} s of {run.times[-1]:.6g} s; loosen tolerance or raise max_steps",
                )
            error, new_states, new_words, new_bits = self.attempt(segment, time, step, states)
            factor = min(_GROW, max(_SHRINK, _SAFETY * error ** (-1.0 / 3.0))) if error > 0.0 else _GROW
            if not error <= 1.0:
                self.rejected += 1
                step *= min(factor, 0.5) if math.isfinite(error) else _SHRINK
                if step < smallest:
                    raise SimulationError(
                        "time step too small",
                        f"step of {step:.3g} s at {time:.6g} s; a '{run.cell.name}' cell moves faster than that or is not smooth",
                    )
                continue
            self.steps += 1
            after = stop if step == left else time + step
            if recorder.due(after):
                slope = self.slopes(segment, time, states)
                self.keep(new_words, new_bits)
                recorder.between(
                    segment, (time, after), (states, new_states), (slope, self.slopes(segment, after, new_states))
                )
            else:
                self.keep(new_words, new_bits)
            states, time = new_states, after
            step *= factor
        recorder.until(segment, stop, states)
        return states

    def slopes(self, segment: int, time: float, states: FloatArray) -> FloatArray:
        """Return the rates at the present voltages."""
        source = self.sources(segment, time)
        stages.cell_voltages(source.word, source.bit, self.words, self.bits, self.voltage)
        self.evaluate(self.voltage, states, self.run.parameters, self.run.temperature, self.current, self.rates)
        return self.rates.copy()

    def first_step(self, segment: int, states: FloatArray) -> float:
        """Return a first step of a settled segment, in which no state moves by more than the method can follow.

        The rates at its end, at the same states and line drops, count as well: on an edge they are what is to come.
        """
        run = self.run
        start, stop = float(run.times[segment]), float(run.times[segment + 1])
        size = np.maximum(self.scales, np.abs(states))
        fastest = 0.0
        for time in (start, stop):
            fastest = max(fastest, float((np.abs(self.slopes(segment, time, states)) / size).max()))
        reach = _FIRST_MOVE * run.tolerance ** (1.0 / 3.0)
        return stop - start if fastest * (stop - start) <= reach else reach / fastest


class _Recorder:
    """Collects the samples of a run."""

    def __init__(self, integrator: _Integrator) -> None:
        self.integrator = integrator
        run = integrator.run
        count = run.samples.size
        rows, cols, n = run.states.shape
        self.count = 0
        self.states = np.empty((count, rows, cols, n))
        self.voltages = np.empty((count, rows, cols))
        self.ends = {"left": np.empty((count, rows)), "right": np.empty((count, rows))}
        self.ends |= {"top": np.empty((count, cols)), "bottom": np.empty((count, cols))}

    def due(self, time: float) -> bool:
        """Whether a sample lies before a time."""
        samples = self.integrator.run.samples
        return bool(self.count < samples.size and samples[self.count] < time)

    def until(self, segment: int, time: float, states: FloatArray) -> None:
        """Record the samples that lie at a time, or before it."""
        samples = self.integrator.run.samples
        if self.count < samples.size and samples[self.count] <= time:
            source = self.integrator.settle(segment, time, states)
            while self.count < samples.size and samples[self.count] <= time:
                self.add(source, states)

    def between(
        self,
        segment: int,
        times: tuple[float, float],
        states: tuple[FloatArray, FloatArray],
        slopes: tuple[FloatArray, FloatArray],
    ) -> None:
        """Record the samples inside a step; the voltages are afterwards those of its end again."""
        it = self.integrator
        step = times[1] - times[0]
        held = it.words, it.bits, it.word_offset, it.bit_offset
        while self.due(times[1]):
            moment = float(it.run.samples[self.count])
            inside = _hermite((moment - times[0]) / step, step, states[0], slopes[0], states[1], slopes[1])
            self.add(it.settle(segment, moment, inside), inside)
        it.words, it.bits, it.word_offset, it.bit_offset = held

    def add(self, source: _Sources, states: FloatArray) -> None:
        """Record settled states."""
        it, k = self.integrator, self.count
        self.states[k] = states
        self.voltages[k] = it.voltage
        total = it.current.sum(axis=1)
        self.ends["left"][k], self.ends["right"][k] = end_currents(
            it.network.word, source.word_ends, it.words[:, 0], it.words[:, -1], total
        )
        top, bottom = end_currents(it.network.bit, source.bit_ends, it.bits[0], it.bits[-1], -it.current.sum(axis=0))
        self.ends["top"][k], self.ends["bottom"][k] = -top, -bottom
        self.count += 1

    def result(self) -> WriteResult:
        it, ends = self.integrator, self.ends
        return WriteResult(
            times=it.run.samples.copy(),
            states=self.states,
            cell_voltages=self.voltages,
            left_currents=ends["left"],
            right_currents=ends["right"],
            top_currents=ends["top"],
            bottom_currents=ends["bottom"],
            steps=it.steps,
            rejected=it.rejected,
            solves=it.solves,
            iterations=it.iterations,
        )


def _along(d_words: FloatArray, into_words: FloatArray, d_bits: FloatArray, into_bits: FloatArray) -> float:
    return float(np.einsum("ij,ij->", d_words, into_words) + np.einsum("ij,ij->", d_bits, into_bits))


def _hermite(
    part: float, step: float, start: FloatArray, slope: FloatArray, end: FloatArray, end_slope: FloatArray
) -> FloatArray:
    """Return the cubic through both ends with their rates."""
    rest = 1.0 - part
    linear = rest * start + part * end
    bend = (1.0 - 2.0 * part) * (end - start) + step * ((part - 1.0) * slope + part * end_slope)
    return np.ascontiguousarray(linear - part * rest * bend)
