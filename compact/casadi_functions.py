"""The model as CasADi expressions: exact derivatives for the reference engine and the fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import casadi as ca
import sympy as sp

from .constants import CONSTANT_VALUES
from .errors import EmissionError
from .model import TEMPERATURE, Model
from .primitives import Primitive, maximum, minimum

_FUNCTIONS: dict[type[sp.Function], Callable[..., Any]] = {
    sp.exp: ca.exp,
    sp.log: ca.log,
    sp.sinh: ca.sinh,
    sp.cosh: ca.cosh,
    sp.tanh: ca.tanh,
    sp.atan: ca.atan,
    sp.asinh: ca.asinh,
    minimum: ca.fmin,
    maximum: ca.fmax,
}


@dataclass(frozen=True)
class CasadiExpressions:
    """A model's right-hand sides over given CasADi symbols, one entry a branch, state or observable."""

    currents: list[Any]
    charges: list[Any]
    rates: list[Any]
    observables: list[Any]


def expressions(
    model: Model, v: Sequence[Any], x: Sequence[Any], p: Mapping[str, Any], temperature: Any
) -> CasadiExpressions:
    """Return the model's equations over CasADi symbols.

    Parameters
    ----------
    model : Model
    v, x : sequences
        Branch voltages [V] and states, in the model's order.
    p : mapping of name to expression or float
        Every parameter that the equations use.
    temperature : expression or float
        Ambient temperature [K].
    """
    values: dict[str, Any] = {**CONSTANT_VALUES, TEMPERATURE.name: temperature, **p}
    values.update({w.name: s for w, s in zip(model.voltages, v, strict=True)})
    values.update({w.name: s for w, s in zip(model.states, x, strict=True)})
    walk = _Walk(values)
    for quantity in model.quantities:
        values[quantity.name] = walk(quantity.expression)
    return CasadiExpressions(
        currents=[walk(b.expression) for b in model.currents],
        charges=[walk(b.expression) for b in model.charges],
        rates=[walk(r) for r in model.rates],
        observables=[walk(o.expression) for o in model.observables],
    )


class _Walk:
    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __call__(self, node: sp.Expr) -> Any:
        if isinstance(node, sp.Symbol):
            return self._values[node.name]
        if node.is_Number or isinstance(node, sp.NumberSymbol):
            return float(node)
        if isinstance(node, sp.Add):
            return reduce(lambda a, b: a + b, (self(a) for a in node.args))
        if isinstance(node, sp.Mul):
            return reduce(lambda a, b: a * b, (self(a) for a in node.args))
        if isinstance(node, sp.Pow):
            return self._power(node.base, node.exp)
        if isinstance(node, Primitive):
            arguments = [self(a) for a in node.args]
            symbols = [sp.Dummy(f"a{i}", real=True) for i in range(len(arguments))]
            return _Walk({s.name: a for s, a in zip(symbols, arguments, strict=True)})(type(node).body(*symbols))
        function = _FUNCTIONS.get(type(node))
        if function is None:
            raise EmissionError(f"CasADi cannot express '{node}' ({type(node).__name__})")
        return function(*(self(a) for a in node.args))

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> Any:
        value = self(base)
        if exponent.is_Integer:
            product = reduce(lambda a, b: a * b, [value] * abs(int(exponent)))
            return product if exponent > 0 else 1 / product
        if abs(exponent) == sp.Rational(1, 2):
            return ca.sqrt(value) if exponent > 0 else 1 / ca.sqrt(value)
        return ca.exp(self(exponent) * ca.log(value))
