"""Many instances of an emitted subcircuit in one deck: terminal currents, rates, conductances and capacitances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from device_points import Point

from synspice.compact.model import Model
from synspice.compact.python_code import compile_python
from synspice.netlists.ngspice import SolverOptions, run_deck
from synspice.netlists.subcircuit import STATE_CAPACITANCE, format_subcircuit

OMEGA = 1e3
"""Angular frequency [rad/s] of the small-signal analysis."""

INSTANT = 1e-21
"""Length [s] of the transient at whose first step, 1e-4 of it, the rates are read: no state has moved, none is held."""


@dataclass(frozen=True)
class Answers:
    """What was found at every point.

    Attributes
    ----------
    currents : ndarray, shape (n, n_terminals)
        Into the terminals [A].
    rates : ndarray, shape (n, n_states)
    conductances, capacitances : ndarray, shape (n, n_terminals, n_terminals)
        Change of the current (charge) into the second index's terminal by the first one's potential [S, F].
    """

    currents: np.ndarray
    rates: np.ndarray
    conductances: np.ndarray
    capacitances: np.ndarray


def in_ngspice(model: Model, points: Sequence[Point], temperature_c: float = 27.0) -> Answers:
    """Return what the emitted subcircuit does, with every parameter set at the instance; states may be out of their range."""
    model = without_state_bounds(model)
    lines = ["instances", format_subcircuit(model)]
    saved = []
    count = len(model.terminals)
    for k, point in enumerate(points):
        values = {
            **point.values,
            **{s.initial_parameter.name: x for s, x in zip(model.states, point.states, strict=True)},
        }
        given = " ".join(f"{name}={value!r}" for name, value in values.items())
        for copy in range(count):  # each with its own excited terminal
            nodes = [f"{t}_{k}_{copy}" for t in model.terminals]
            for i, (terminal, node) in enumerate(zip(model.terminals, nodes, strict=True)):
                lines.append(f"V{node} {node} 0 DC {point.potentials[terminal]!r} AC {int(i == copy)}")
                saved.append(f"i(v{node})")
            lines.append(f"X{k}_{copy} {' '.join(nodes)} {model.name}\n+ {given}")
        saved += [f"@b.x{k}_0.b{s.name}_dev[i]" for s in model.states]
    frequency = OMEGA / (2 * np.pi)
    options = SolverOptions(temperature_c=temperature_c).lines()
    lines += [*options, f".save {' '.join(saved)}", ".op", f".ac lin 1 {frequency!r} {frequency!r}"]
    raw = run_deck("\n".join([*lines, f".tran {INSTANT} {INSTANT}", ".end"]) + "\n")
    op, ac, tran = raw.plot("op"), raw.plot("ac"), raw.plot("tran")
    shape = (len(points), count, count)
    names = [[[f"i(v{t}_{k}_{c})" for t in model.terminals] for c in range(count)] for k in range(len(points))]
    admittance = np.array([-ac[n][0] for n in np.ravel(names)]).reshape(shape)
    rates = [
        [float(tran[f"i(@b.x{k}_0.b{s.name}_dev[i])"][1]) * s.scale / STATE_CAPACITANCE for s in model.states]
        for k in range(len(points))
    ]
    return Answers(
        currents=np.array([-float(op[n][0]) for n in np.ravel(names)]).reshape(shape)[:, 0, :],
        rates=np.array(rates).reshape(len(points), len(model.states)),
        conductances=admittance.real,
        capacitances=admittance.imag / OMEGA,
    )


def without_state_bounds(model: Model) -> Model:
    """Return a model that takes any initial state: the equations are the same, and hold wherever a solver's guess goes."""
    free = {"lower": -np.inf, "upper": np.inf}
    starts = {s.initial_parameter.name for s in model.states}
    return replace(
        model,
        states=tuple(replace(s, **free) for s in model.states),
        parameters=tuple(replace(p, **free) if p.name in starts else p for p in model.parameters),
    )


def in_python(model: Model, points: Sequence[Point], temperature_c: float = 27.0) -> Answers:
    """Return what the emitted Python says, rates without those of the states that a state moves along with."""
    functions = compile_python(model.apart)
    count = len(model.terminals)
    currents = np.zeros((len(points), count))
    rates = np.zeros((len(points), len(model.states)))
    slopes = {"currents": np.zeros((len(points), count, count)), "charges": np.zeros((len(points), count, count))}
    place = {t: i for i, t in enumerate(model.terminals)}
    for k, point in enumerate(points):
        p = [point.values[q.name] for q in model.parameters]
        arguments = (point.voltages(model), list(point.states), p, temperature_c + 273.15)
        for branch, current in zip(model.currents, functions.currents(*arguments), strict=True):
            currents[k, place[branch.plus]] += current
            currents[k, place[branch.minus]] -= current
        rates[k] = functions.rates(*arguments)
        for kind, branches in (("currents", model.currents), ("charges", model.charges)):
            rows = getattr(functions, f"{kind}_jacobian")(*arguments)
            for branch, row in zip(branches, rows, strict=True):
                for voltage, slope in zip(model.voltages, row, strict=False):
                    for end, sign in ((voltage.plus, 1), (voltage.minus, -1)):
                        slopes[kind][k, place[end], place[branch.plus]] += sign * slope
                        slopes[kind][k, place[end], place[branch.minus]] -= sign * slope
    return Answers(currents=currents, rates=rates, conductances=slopes["currents"], capacitances=slopes["charges"])
