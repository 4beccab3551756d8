"""Random expressions from the closed node set, which are safe at every point of :data:`POINTS`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from synspice.compact import primitives

A, B = sp.symbols("a b", real=True)

POINTS = {
    "a": np.array([-1.7, -0.6, 0.0, 0.3, 1.1, 2.3]),
    "b": np.array([0.4, -2.1, 0.0, 1.3, -0.2, -1.9]),
}
"""Values of the two variables: both signs, zero."""

LARGEST = 100.0
"""Size of any part of an expression beyond which it is not compared: rounding would be, not the printers."""

_SAFE = ("tanh", "atan", "asinh", "limexp", "limsinh", "logistic", "softplus")


def _numbers() -> st.SearchStrategy[sp.Expr]:
    integers = st.integers(-4, 4).map(sp.Integer)
    floats = st.floats(-3, 3).filter(lambda v: v == 0 or abs(v) > 1e-3).map(sp.Float)
    rationals = st.tuples(st.integers(-9, 9), st.integers(1, 9)).map(lambda q: sp.Rational(*q))
    return integers | floats | rationals | st.just(sp.pi)


def _grow(inner: st.SearchStrategy[sp.Expr]) -> st.SearchStrategy[sp.Expr]:
    width = st.floats(0.05, 1.0).map(sp.Float)
    pair = st.tuples(inner, inner)
    functions = {**vars(sp), **primitives.PRIMITIVES}
    return st.one_of(
        pair.map(lambda p: p[0] + p[1]),
        pair.map(lambda p: p[0] - p[1]),
        pair.map(lambda p: p[0] * p[1]),
        pair.map(lambda p: -p[0] / (1 + p[1] ** 2)),
        st.tuples(inner, st.integers(2, 6)).map(lambda p: p[0] ** p[1]),
        st.tuples(inner, st.integers(1, 4)).map(lambda p: (1 + p[0] ** 2) ** -p[1]),
        st.tuples(inner, st.sampled_from([1, 3, -1, -3, 5])).map(lambda p: (1 + p[0] ** 2) ** sp.Rational(p[1], 2)),
        st.tuples(inner, st.floats(-2, 2)).map(lambda p: (1 + p[0] ** 2) ** sp.Float(p[1])),
        inner.map(lambda e: sp.log(1 + e**2)),
        inner.map(lambda e: sp.exp(sp.tanh(e))),
        inner.map(lambda e: sp.sinh(sp.atan(e)) - sp.cosh(sp.tanh(e))),
        st.tuples(st.sampled_from(_SAFE), inner).map(lambda p: functions[p[0]](p[1])),
        st.tuples(st.sampled_from(["smooth_abs", "positive_part"]), inner, width).map(
            lambda p: functions[p[0]](p[1], p[2])
        ),
        st.tuples(st.sampled_from(["signed_power", "abs_power"]), inner, st.floats(0.5, 3), width).map(
            lambda p: functions[p[0]](p[1], sp.Float(p[2]), p[3])
        ),
        st.tuples(inner, width).map(lambda p: primitives.saturate(p[0], 0, 1, p[1])),
    )


_NUMPY: dict[str, Callable[..., np.ndarray]] = {
    "exp": np.exp,
    "log": np.log,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "minimum": np.minimum,
    "maximum": np.maximum,
}


def _walk(node: sp.Expr, values: Mapping[str, Any], found: list[float]) -> Any:
    if node.is_Symbol:
        value = values[node.name]
    elif not node.args:
        return float(node)
    else:
        arguments = [_walk(a, values, found) for a in node.args]
        if node.is_Add:
            value = sum(arguments)
        elif node.is_Mul:
            value = functools.reduce(lambda a, b: a * b, arguments)
        elif node.is_Pow:
            value = arguments[0] ** arguments[1]
        elif isinstance(node, primitives.Primitive):
            symbols, body = _body(type(node))
            value = _walk(body, dict(zip(symbols, arguments, strict=True)), found)
        else:
            value = _NUMPY[type(node).__name__](*arguments)
    largest = float(np.max(np.abs(value)))
    found.append(largest if np.isfinite(largest) else np.inf)
    return value


@functools.cache
def _body(primitive: type[primitives.Primitive]) -> tuple[tuple[str, ...], sp.Expr]:
    return primitive.arguments, primitive.body(*(sp.Symbol(a, real=True) for a in primitive.arguments))


def size(expression: sp.Expr) -> float:
    """Return the largest absolute value that any part of an expression takes; infinite where one is not finite."""
    found: list[float] = [0.0]
    with np.errstate(all="ignore"):
        _walk(expression, POINTS, found)
    return max(found)


def trees() -> st.SearchStrategy[sp.Expr]:
    """Return the strategy of expressions over ``a`` and ``b`` whose parts stay moderate."""
    variable = st.sampled_from([A, B])
    # Numbers come with a variable: SymPy takes its time over functions of numbers alone.
    leaves = variable | st.tuples(_numbers(), variable, _numbers()).map(lambda p: p[0] * p[1] + p[2])
    return st.recursive(leaves, _grow, max_leaves=8).filter(
        lambda e: bool(e.free_symbols) and not e.has(sp.zoo, sp.nan, sp.oo) and size(e) < LARGEST
    )
