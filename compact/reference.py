"""One device on a :class:`~synspice.compact.stimulus.Bench`, on the reference engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .accumulation import accumulated
from .model import Model
from .network import GROUND, Instance, Network
from .network_dae import source_current
from .network_reference import ENGINE_VERSION, NetworkProblem, ReferenceOptions, output_times, refined_solution
from .result import Result
from .segment_integrator import SegmentIntegrator
from .stimulus import Bench

__all__ = ["Problem", "ReferenceOptions", "bench_network", "output_times", "record", "simulate", "source_current"]

DEVICE = "dut"
"""Name of the device's instance in a bench's network."""

FEWEST_TIMES = 1000
"""Output times of a whole stimulus at least, where none are asked for: quantities are read off between them, linearly."""

SOLUTIONS = 4
"""Solutions with ever finer output times, at most."""


def bench_network(model: Model, values: Mapping[str, float], bench: Bench) -> Network:
    """Return a bench as a network of one instance: each driven terminal a node of its own name, the others grounded."""
    bench.check_terminals(model.name, model.terminals)
    return Network(
        instances=(
            Instance(
                name=DEVICE,
                model=model,
                values=values,
                nodes=tuple(t if t in bench.drives else GROUND for t in model.terminals),
            ),
        ),
        sources=bench.drives,
        temperature=bench.temperature,
        frozen=bench.frozen,
    )


class Problem(NetworkProblem):
    """A device, a bench and output times, ready to be solved for many parameter values.

    Parameters
    ----------
    model : Model
    values : mapping of name to float
        Parameter values; the defaults stand for missing ones.
    bench : Bench
    times : ndarray, shape (n,)
        Output times [s], rising, from 0.
    free : sequence of str
        Parameters that :meth:`solve` and :meth:`jacobian` vary; the others are constants.
    options : ReferenceOptions
    """

    def __init__(
        self,
        model: Model,
        values: Mapping[str, float],
        bench: Bench,
        times: np.ndarray,
        free: Sequence[str] = (),
        options: ReferenceOptions | None = None,
    ) -> None:
        self.model = model
        network = bench_network(model, values, bench)
        super().__init__(network, times, [f"{DEVICE}.{name}" for name in free], options)

    @cached_property
    def _rows(self) -> dict[str, Any]:
        """Each terminal's voltage and current into the device, the states and the observables."""
        dae, terminals = self._dae, self.model.terminals
        rows = {f"v_{t}": dae.signals.get(f"v({t})", 0.0) for t in terminals}
        rows |= {f"i_{t}": dae.terminal_currents[DEVICE, t] for t in terminals}
        return rows | {i.name: dae.signals[f"{DEVICE}.{i.name}"] for i in self.network.instances[0].reported}

    def accumulated(self, sizes: Mapping[str, float], parameters: Sequence[float] = ()) -> dict[str, np.ndarray]:
        """Return the ``charge`` through the write port [C] and the ``energy`` from its source [J] since the start, each of shape (n,).

        They are integrated along with the device's own equations, within the error control.

        Parameters
        ----------
        sizes : mapping
            The largest of either: the tolerances are relative to it, and to the value itself.

        Raises
        ------
        SimulationError
            If the integrator gives up.
        """
        dae, plus = self._dae, self.model.write[0]
        into = dae.pace * dae.terminal_currents[DEVICE, plus]
        rates = {"charge": into, "energy": into * dae.sources.get(plus, 0.0)}
        scaled = [rate / (sizes[name] or 1.0) for name, rate in rates.items()]
        integrator = SegmentIntegrator(dae.problem, scaled, self.options.settings())
        _, passed = self._integrated(integrator, parameters)
        return {name: (sizes[name] or 1.0) * row for name, row in zip(rates, passed, strict=True)}


def simulate(
    model: Model,
    values: Mapping[str, float],
    bench: Bench,
    *,
    times: np.ndarray | None = None,
    options: ReferenceOptions | None = None,
    experiment: str = "",
) -> Result:
    """Run a device on a bench.

    Parameters
    ----------
    model : Model
    values : mapping of name to float
        Parameter values; the defaults stand for missing ones.
    bench : Bench
    times : ndarray, optional
        Output times [s]. By default they are refined until no step of the current is above 2 % of its largest value.
    options : ReferenceOptions, optional
    experiment : str
        Name for the record.

    Returns
    -------
    Result

    Raises
    ------
    ParameterError, SimulationError
    """
    options = options or ReferenceOptions()
    complete = model.values(values)
    points = max(options.points, FEWEST_TIMES // max(len(bench.breakpoints) - 1, 1))
    grid = output_times(bench, points) if times is None else np.asarray(times, float)
    problem = Problem(model, complete, bench, grid, (), options)
    problem, found = refined_solution(problem, [f"i_{model.write[0]}"], 1 if times is not None else SOLUTIONS)
    rows = dict(zip(problem.signal_names, found, strict=True))
    rows |= problem.accumulated(_sizes(model, bench, problem.times, rows))
    return record(
        model,
        complete,
        bench,
        experiment=experiment,
        engine="reference",
        engine_version=ENGINE_VERSION,
        time=problem.times,
        rows=rows,
        options=options.record(),
        deck="",
    )


def record(
    model: Model,
    values: Mapping[str, float],
    bench: Bench,
    *,
    experiment: str,
    engine: str,
    engine_version: str,
    time: np.ndarray,
    rows: Mapping[str, np.ndarray],
    options: Mapping[str, Any],
    deck: str,
) -> Result:
    """Return the common record: port voltages and currents, charge and energy, states, observables.

    Parameters
    ----------
    values : mapping of name to float
        Parameter values; the defaults stand for missing ones.
    rows : mapping
        ``v_<terminal>``, ``i_<terminal>`` (into the device), every state and observable, each of shape (n,); ``charge`` and
        ``energy`` where the engine integrates them, else they are summed over its points (:mod:`.accumulation`).
    """
    if "charge" not in rows:
        rows = {**rows, **accumulated(model, values, bench, time, rows)}
    plus, minus = model.write
    signals = {
        "source": bench.drives[plus].waveform(time) if plus in bench.drives else np.zeros_like(time),
        "voltage": rows[f"v_{plus}"] - rows[f"v_{minus}"],
        "current": rows[f"i_{plus}"],
        "charge": rows["charge"],
        "energy": rows["energy"],
    }
    units = {"source": "V", "voltage": "V", "current": "A", "charge": "C", "energy": "J"}
    if model.read != model.write:
        signals["read_voltage"] = rows[f"v_{model.read[0]}"] - rows[f"v_{model.read[1]}"]
        signals["read_current"] = rows[f"i_{model.read[0]}"]
        units |= {"read_voltage": "V", "read_current": "A"}
    for name, unit in [(s.name, s.unit) for s in model.states] + [(o.name, o.unit) for o in model.observables]:
        signals[name] = rows[name]
        units[name] = unit
    return Result(
        experiment=experiment,
        engine=engine,
        engine_version=engine_version,
        time=time,
        signals=signals,
        units=units,
        options={**options, "temperature_K": bench.temperature, "frozen": bench.frozen},
        deck=deck,
    )


def _sizes(model: Model, bench: Bench, time: np.ndarray, rows: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the largest charge [C] and energy [J] of a run by the trapezoidal rule; a charging current's jumps count for little."""
    plus = model.write[0]
    current = rows[f"i_{plus}"]
    source = bench.drives[plus].waveform(time) if plus in bench.drives else np.zeros_like(time)
    flows = {"charge": current, "energy": current * source}
    sums = {name: np.cumsum((flow[1:] + flow[:-1]) / 2 * np.diff(time)) for name, flow in flows.items()}
    return {name: float(np.max(np.abs(row), initial=0.0)) for name, row in sums.items()}
