"""The Python emitter: a readable module of plain functions, for numpy arrays and for numba.

The emitted functions are the value that every other target is tested against. Each takes the branch voltages
[V], the states, the parameter values (each in the model's order) and the ambient temperature [K], as sequences of floats
or of arrays that broadcast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import sympy as sp

from .constants import CONSTANT_VALUES
from .model import TEMPERATURE, Model, Quantity, State, Voltage
from .parameters import Parameter
from .printing import Printer
from .version import __version__


class PythonPrinter(Printer):
    """Prints numpy expressions (which numba compiles too)."""

    target: ClassVar[str] = "Python"
    functions: ClassVar[dict[str, str]] = {
        "exp": "np.exp",
        "log": "np.log",
        "sqrt": "np.sqrt",
        "sinh": "np.sinh",
        "cosh": "np.cosh",
        "tanh": "np.tanh",
        "atan": "np.arctan",
        "asinh": "np.arcsinh",
        "minimum": "np.minimum",
        "maximum": "np.maximum",
    }


FUNCTIONS = ("currents", "charges", "rates", "observables", "currents_jacobian", "charges_jacobian", "rates_jacobian")
"""Names of the emitted functions."""


@dataclass(frozen=True)
class PythonFunctions:
    """The emitted functions of a model, compiled.

    Each returns a tuple with one entry a branch, state or observable, in the model's order. A Jacobian returns one tuple a
    row; its columns are the branch voltages and then the states.
    """

    currents: Callable[..., tuple[Any, ...]]
    charges: Callable[..., tuple[Any, ...]]
    rates: Callable[..., tuple[Any, ...]]
    observables: Callable[..., tuple[Any, ...]]
    currents_jacobian: Callable[..., tuple[Any, ...]]
    charges_jacobian: Callable[..., tuple[Any, ...]]
    rates_jacobian: Callable[..., tuple[Any, ...]]


def format_python(model: Model) -> str:
    """Return the text of a Python module with the model's equations.

    Parameters
    ----------
    model : Model

    Returns
    -------
    str
        Needs numpy only.
    """
    constants = {name: repr(value) for name, value in CONSTANT_VALUES.items()}
    printer = PythonPrinter({**constants, TEMPERATURE.name: "temperature"})
    rows = {
        "currents": [b.expression for b in model.currents],
        "charges": [b.expression for b in model.charges],
        "rates": list(model.rates),
        "observables": [o.expression for o in model.observables],
    }
    blocks = [_function(model, printer, name, expressions) for name, expressions in rows.items()]
    variables = [*(v.symbol for v in model.voltages), *(s.symbol for s in model.states)]
    for name in ("currents", "charges", "rates"):
        jacobian = [[total_derivative(model, e, x) for x in variables] for e in rows[name]]
        blocks.append(_function(model, printer, f"{name}_jacobian", jacobian))
    helpers = [
        f"def {name}({', '.join(arguments)}):\n    return {body}\n"
        for name, (arguments, body) in printer.helper_definitions().items()
    ]
    head = (
        f'"""{model.title}.\n\nEmitted by synspice {__version__} from the definition of {model.name} ({model.definition_hash}).\n'
        f"voltages: branch voltages [V]: {', '.join(f'{v.name} = V({v.plus},{v.minus})' for v in model.voltages)}\n"
        f"states: {', '.join(f'{s.name} [{s.unit}]' for s in model.states) or 'none'}\n"
        f"parameters: {', '.join(f'{q.name} [{q.unit}]' for q in model.parameters)}\n"
        f'temperature: ambient temperature [K]\n"""\n\nimport numpy as np\n'
    )
    return "\n\n".join([head, *helpers, *blocks])


def total_derivative(model: Model, expression: sp.Expr, variable: sp.Symbol) -> sp.Expr:
    """Return the derivative by a voltage or state, with the named quantities expanded."""
    return sp.sympify(expression).xreplace(model.expanded).diff(variable)


def _function(model: Model, printer: PythonPrinter, name: str, rows: Sequence[Any]) -> str:
    flat = [e for row in rows for e in (row if isinstance(row, list) else [row])]
    used, needed = _used(model, flat)
    lines = [f"def {name}(voltages, states, parameters, temperature):"]
    sources: dict[str, tuple[Voltage | State | Parameter, ...]] = {
        "voltages": model.voltages,
        "states": model.states,
        "parameters": model.parameters,
    }
    for source, records in sources.items():
        lines += [f"    {r.name} = {source}[{i}]" for i, r in enumerate(records) if r.symbol in used]
    for quantity in needed:
        comment = f"  # {quantity.description} [{quantity.unit}]"
        lines.append(f"    {quantity.name} = {printer.print(quantity.expression)}{comment}")
    common, reduced = (
        sp.cse(flat, symbols=sp.numbered_symbols("common_"), order="none") if name.endswith("jacobian") else ([], flat)
    )
    lines += [f"    {symbol} = {printer.print(e)}" for symbol, e in common]
    texts = iter([printer.print(e) for e in reduced])
    entries = []
    for row in rows:
        entries.append(_tuple([next(texts) for _ in row]) if isinstance(row, list) else next(texts))
    lines.append(f"    return {_tuple(entries)}")
    return "\n".join(lines) + "\n"


def _tuple(entries: list[str]) -> str:
    return f"({', '.join(entries)}{',' if len(entries) == 1 else ''})"


def _used(model: Model, expressions: list[sp.Expr]) -> tuple[set[sp.Symbol], list[Quantity]]:
    """Return every symbol needed, and the quantities among them in their order."""
    used: set[sp.Symbol] = set()
    for expression in expressions:
        used |= expression.free_symbols
    needed: list[Quantity] = []
    for quantity in reversed(model.quantities):
        if quantity.symbol in used:
            used |= quantity.expression.free_symbols
            needed.insert(0, quantity)
    return used, needed


@lru_cache(maxsize=64)
def compile_python(model: Model) -> PythonFunctions:
    """Return the emitted functions, compiled for numpy."""
    namespace: dict[str, Any] = {}
    exec(compile(format_python(model), f"<{model.name}>", "exec"), namespace)  # noqa: S102 - our own emitted text
    return PythonFunctions(**{name: _quiet(namespace[name]) for name in FUNCTIONS})


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(v: Any, x: Any, p: Any, temperature: Any) -> Any:
        with np.errstate(over="ignore", under="ignore"):
            return function(v, x, p, temperature)

    return call
