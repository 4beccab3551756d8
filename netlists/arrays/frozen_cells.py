"""Cells whose states are held: each is its current at its voltage, every number that no voltage changes folded into one.

A held device needs no nodes for its states, and no parameter arithmetic of the simulator's: it costs ngspice a twentieth of the
subcircuit, and the current is the same to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from ...compact.constants import CONSTANT_VALUES
from ...compact.errors import ParameterError
from ...compact.model import TEMPERATURE, Model
from ...compact.python_code import PythonPrinter
from ..printer import PRINTERS
from .crossbar import Layer
from .kernels import FloatArray


@dataclass(frozen=True)
class FoldedCurrents:
    """The currents of a model over its voltages and folded constants.

    Attributes
    ----------
    branches : tuple of (plus, minus, text)
        The text of a behavioural current with a ``{place}`` for each terminal and each constant.
    constants : tuple of sympy.Expr
        Over states, parameters and the temperature; the place of the k-th is ``{c<k>}``.
    helpers : tuple of str
        ``.func`` lines that the texts need.
    """

    branches: tuple[tuple[str, str, str], ...]
    constants: tuple[sp.Expr, ...]
    helpers: tuple[str, ...]


@lru_cache(maxsize=32)
def fold_currents(model: Model) -> FoldedCurrents:
    """Return the currents of a model as text, with what no voltage changes taken out."""
    voltages = {v.symbol for v in model.voltages}
    constants: dict[sp.Expr, sp.Symbol] = {}

    def constant(e: sp.Expr) -> sp.Expr:
        if e.is_Number:
            return e
        return constants.setdefault(e, sp.Symbol(f"c{len(constants)}", real=True, positive=e.is_positive))

    def fold(e: sp.Expr) -> sp.Expr:
        if not e.free_symbols & voltages:
            return constant(e)
        if isinstance(e, sp.Add | sp.Mul):
            still = [a for a in e.args if not a.free_symbols & voltages]
            moving = [fold(a) for a in e.args if a.free_symbols & voltages]
            return e.func(*moving, *([constant(e.func(*still))] if still else []))
        return e.func(*(fold(a) for a in e.args)) if e.args else e

    folded = [(b.plus, b.minus, fold(sp.sympify(b.expression).xreplace(model.expanded))) for b in model.currents]
    places = {v.name: f"V({{{v.plus}}},{{{v.minus}}})" for v in model.voltages}
    printer = PRINTERS["ngspice"](places | {s.name: f"({{{s.name}}})" for s in constants.values()})
    branches = tuple((plus, minus, printer.print(e)) for plus, minus, e in folded)
    helpers = tuple(
        f".func {name}({','.join(arguments)}) {{{text}}}"
        for name, (arguments, text) in printer.helper_definitions().items()
    )
    return FoldedCurrents(branches, tuple(constants), helpers)


@lru_cache(maxsize=32)
def _constants(model: Model) -> Any:
    """Return a function of states, parameters (each (n, ...)) and temperature [K] that gives every folded constant."""
    printer = PythonPrinter({n: repr(v) for n, v in CONSTANT_VALUES.items()} | {TEMPERATURE.name: "temperature"})
    texts = [printer.print(e) for e in fold_currents(model).constants]
    lines = ["import numpy as np"]
    lines += [f"def {n}({', '.join(a)}):\n    return {t}" for n, (a, t) in printer.helper_definitions().items()]
    lines += ["def constants(states, parameters, temperature):"]
    lines += [f"    {s.name} = states[{k}]" for k, s in enumerate(model.states)]
    lines += [f"    {p.name} = parameters[{k}]" for k, p in enumerate(model.parameters)]
    lines += [f"    return ({', '.join(texts)},)" if texts else "    return ()"]
    namespace: dict[str, Any] = {}
    exec(compile("\n".join(lines), f"<held {model.name}>", "exec"), namespace)  # noqa: S102 - our own emitted text
    return namespace["constants"]


def held_values(layer: Layer, shape: tuple[int, int], temperature: float) -> FloatArray:
    """Return the folded constants of every device of a layer at its initial states, (rows, cols, n_constants).

    Raises
    ------
    ParameterError
        One of them is not finite.
    """
    model = layer.model
    states, parameters = (np.moveaxis(t, 2, 0) for t in (layer.initial_states(shape), layer.parameters(shape)))
    with np.errstate(all="ignore"):
        found = _constants(model)(states, parameters, temperature)
    table = np.stack([np.broadcast_to(np.asarray(c, float), shape) for c in found], axis=2)
    bad = np.argwhere(~np.isfinite(table))
    if bad.size:
        row, col, k = bad[0].tolist()
        what = fold_currents(model).constants[k]
        raise ParameterError(
            f"held cells of '{model.name}'", [f"cell ({row}, {col}): {what} is not finite at its state and parameters"]
        )
    return table


def held_lines(name: str, model: Model, nodes: tuple[str, ...], values: FloatArray) -> Iterator[str]:
    """Yield the behavioural sources of one device; ``values`` (n_constants,) are its folded constants."""
    at = dict(zip(model.terminals, nodes, strict=True))
    numbers = {f"c{k}": repr(v) for k, v in enumerate(values.tolist())}
    for k, (plus, minus, text) in enumerate(fold_currents(model).branches):
        yield f"B{name}_{k} {at[plus]} {at[minus]} I = {text.format(**at, **numbers)}"
