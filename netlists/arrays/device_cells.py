"""Any two-terminal device as a cell of an array: the emitted Python functions, compiled, behind one voltage and one current."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from ...compact.compiled import load_compiled
from ...compact.equations import Equations
from ...compact.errors import EngineError
from ...compact.model import FROZEN, Model
from ...compact.python_code import format_python
from .cells import CellModel
from .kernels import FloatArray

FULL_DRIVE = 0.1
"""Voltage [V] at which a device is asked whether it has a capacitance."""


@lru_cache(maxsize=32)
def device_cell(model: Model) -> CellModel:
    """Return a device as a cell, its first write terminal towards the word line.

    The cell's parameters are all of the model's, in its order (:func:`cell_parameters`); ``frozen`` holds the states.

    Raises
    ------
    EngineError
        For a device with more than two terminals, or without a state.
    """
    if len(model.terminals) != 2:
        raise EngineError(f"a cell of an array has two terminals, and '{model.name}' has {len(model.terminals)}")
    if not model.states:
        raise EngineError(f"a dynamic cell of an array has a state, and '{model.name}' has none")
    text = "\n\n".join([format_python(model), _port_functions(model)])
    module = load_compiled(f"cell_{model.name}", text, ())
    return CellModel(
        name=model.name,
        n_params=len(model.parameters),
        scales=tuple(s.scale for s in model.states),
        current=module.port_current,
        rates=module.port_rates,
        jacobian=module.port_jacobian,
        key=f"{model.name}-{model.definition_hash}-{_hash_of(text)}",
    )


def _hash_of(text: str) -> str:
    """Return twelve hex digits that change with a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def cell_parameters(model: Model, values: Mapping[str, float]) -> FloatArray:
    """Return a cell's parameters (n_params,) from a device's values, which are checked.

    Raises
    ------
    ParameterError
        A value is unknown or out of range.
    EngineError
        The values give the device a capacitance, which the array solvers leave out.
    """
    complete = model.values(values)
    parameters = np.array([complete[p.name] for p in model.parameters])
    if Equations(model, parameters, 300.0).stores_charge(model.initial_states(complete)):
        raise EngineError(
            f"the array solvers take cells without a capacitance, and '{model.name}' has one with these values; "
            "set it to 0, or use the engine ngspice"
        )
    return parameters


def _port_functions(model: Model) -> str:
    """Return functions of the port's voltage around the emitted ones, in the signature of a cell's."""
    plus = model.write[0]
    signs = [1.0 if v.plus == plus else -1.0 for v in model.voltages]
    ways = [1.0 if b.plus == plus else -1.0 for b in model.currents]
    volts = f"({', '.join(f'{s!r} * v' for s in signs)},)"
    width, states = len(signs), range(len(model.states))
    frozen = [p.name for p in model.parameters].index(FROZEN.name)
    pull = " + ".join(f"{w!r} * r[{k}]" for k, w in enumerate(ways))
    slope = " + ".join(f"{w * s!r} * r[{k}][{j}]" for k, w in enumerate(ways) for j, s in enumerate(signs))
    lines = [
        "def port_current(v, x, p, T):",
        f"    r = currents({volts}, x, p, T)",
        f"    return {pull}",
        "",
        "",
        "def port_rates(v, x, p, T, out):",
        f"    r = rates({volts}, x, p, T)",
        f"    live = 1.0 if p[{frozen}] < 0.5 else 0.0",
        *(f"    out[{k}] = live * r[{k}]" for k in states),
        "",
        "",
        "def port_jacobian(v, x, p, T, jac):",
        f"    r = currents_jacobian({volts}, x, p, T)",
        f"    jac[0, 0] = {slope}",
    ]
    for j in states:
        by_state = " + ".join(f"{w!r} * r[{k}][{width + j}]" for k, w in enumerate(ways))
        lines.append(f"    jac[0, {j + 1}] = {by_state}")
    lines += [f"    s = rates_jacobian({volts}, x, p, T)", f"    live = 1.0 if p[{frozen}] < 0.5 else 0.0"]
    for k in states:
        by_voltage = " + ".join(f"{sign!r} * s[{k}][{j}]" for j, sign in enumerate(signs))
        lines.append(f"    jac[{k + 1}, 0] = live * ({by_voltage})")
        lines += [f"    jac[{k + 1}, {j + 1}] = live * s[{k}][{width + j}]" for j in states]
    return "\n".join(lines) + "\n"
