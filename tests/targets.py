"""The same expressions evaluated by each target, for comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import casadi as ca
import numpy as np
import sympy as sp

from synspice.compact import casadi_functions
from synspice.compact.model import Model, Quantity, Voltage
from synspice.compact.python_code import compile_python
from synspice.netlists.lowering import lower
from synspice.netlists.ngspice import SolverOptions, run_deck
from synspice.netlists.printer import SpicePrinter


def bare_model(expressions: Sequence[sp.Expr], variables: Sequence[str]) -> Model:
    """Return a model record, unchecked, whose observables are the expressions and whose voltages are the variables."""
    return Model(
        name="bare",
        title="Bare expressions",
        description="",
        terminals=("p", "n"),
        write=("p", "n"),
        read=("p", "n"),
        parameters=(),
        states=(),
        voltages=tuple(Voltage(name=name, plus="p", minus="n") for name in variables),
        quantities=(),
        currents=(),
        charges=(),
        rates=(),
        along=(),
        observables=tuple(
            Quantity(name=f"e_{k}", unit="1", description="expression", expression=e) for k, e in enumerate(expressions)
        ),
        noise=(),
        references=(),
    )


def numpy_values(expressions: Sequence[sp.Expr], points: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the values that the emitted Python gives, shape (n_expressions, n_points)."""
    shape = next(iter(points.values())).shape
    rows = compile_python(bare_model(expressions, list(points))).observables(list(points.values()), [], [], 300.0)
    return np.array([np.broadcast_to(row, shape) for row in rows])


def casadi_values(expressions: Sequence[sp.Expr], points: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the values that CasADi gives, shape (n_expressions, n_points)."""
    v = ca.SX.sym("v", len(points))
    right = casadi_functions.expressions(bare_model(expressions, list(points)), ca.vertsplit(v), [], {}, 300.0)
    function = ca.Function("f", [v], [ca.vertcat(*[ca.SX(e) for e in right.observables])])
    return np.asarray(function(np.array(list(points.values()))))


def casadi_slopes(expressions: Sequence[sp.Expr], points: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return CasADi's derivative of each expression by the first variable, shape (n_expressions, n_points)."""
    v = ca.SX.sym("v", len(points))
    right = casadi_functions.expressions(bare_model(expressions, list(points)), ca.vertsplit(v), [], {}, 300.0)
    slopes = ca.jacobian(ca.vertcat(*[ca.SX(e) for e in right.observables]), v[0])
    return np.asarray(ca.Function("f", [v], [ca.densify(slopes)])(np.array(list(points.values()))))


def ngspice_values(expressions: Sequence[sp.Expr], points: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the values of behavioural sources in one operating point, shape (n_expressions, n_points)."""
    shape = next(iter(points.values())).shape
    lowered = lower(bare_model(expressions, list(points)), {})
    printer = SpicePrinter()
    texts = {name: printer.print(expression) for name, expression in lowered.observables.items()}
    helpers = {h.name: ([a.name for a in h.arguments], printer.print(h.body)) for h in lowered.helpers.values()}
    helpers |= printer.helper_definitions()
    lines = ["expressions"]
    lines += [f".param {name}={{{printer.print(expression)}}}" for name, expression in lowered.constants.items()]
    lines += [f".func {n}({','.join(a)}) {{{body}}}" for n, (a, body) in helpers.items()]
    lines += [f".func {name}({','.join(points)}) {{{text}}}" for name, text in texts.items()]
    for name, values in points.items():
        lines += [f"V{name}_{j} {name}_{j} 0 {value!r}" for j, value in enumerate(values.tolist())]
    for k in range(len(expressions)):
        for j in range(shape[0]):
            lines.append(f"B{k}_{j} o{k}_{j} 0 V = e_{k}({','.join(f'V({name}_{j})' for name in points)})")
    lines += [*SolverOptions().lines(), ".op", ".end"]
    plot = run_deck("\n".join(lines) + "\n").plot("op")
    return np.array([[float(plot[f"v(o{k}_{j})"][0]) for j in range(shape[0])] for k in range(len(expressions))])
