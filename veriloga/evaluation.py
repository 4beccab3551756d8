"""Evaluate a compiled module without a simulator, through the OSDI interface itself.

This is how the machine code that openvaf-r made is held against the Python emitter: currents, charges, rates and their
derivatives at any voltages and states, whether or not a circuit would ever settle there.

References
----------
OSDI specification, version 0.4: the descriptor's layout and the flags.
"""

from __future__ import annotations

import ctypes as ct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..compact.constants import ROOM_TEMPERATURE
from ..compact.errors import EngineError
from ..compact.model import Model
from .module import state_node

_CALC_EVERYTHING = 1 | 2 | 4 | 8
_CALC_OPERATING_POINT = 32
_ANALYSIS_TRANSIENT = 8192
_SET, _INSTANCE = 1, 4
_RESISTIVE, _REACTIVE = 4, 8
_FATAL = 2


class _NodePair(ct.Structure):
    _fields_ = [("first", ct.c_uint32), ("second", ct.c_uint32)]


class _JacobianEntry(ct.Structure):
    _fields_ = [("nodes", _NodePair), ("reactive_offset", ct.c_uint32), ("flags", ct.c_uint32)]


class _Node(ct.Structure):
    _fields_ = [
        ("name", ct.c_char_p),
        ("units", ct.c_char_p),
        ("residual_units", ct.c_char_p),
        ("offsets", ct.c_uint32 * 4),
        ("is_flow", ct.c_bool),
    ]


class _Parameter(ct.Structure):
    _fields_ = [
        ("names", ct.POINTER(ct.c_char_p)),
        ("aliases", ct.c_uint32),
        ("description", ct.c_char_p),
        ("units", ct.c_char_p),
        ("flags", ct.c_uint32),
        ("length", ct.c_uint32),
    ]


class _NoiseSource(ct.Structure):
    _fields_ = [("name", ct.c_char_p), ("nodes", _NodePair)]


class _SimulatorParameters(ct.Structure):
    _fields_ = [
        ("names", ct.POINTER(ct.c_char_p)),
        ("values", ct.POINTER(ct.c_double)),
        ("text_names", ct.POINTER(ct.c_char_p)),
        ("text_values", ct.POINTER(ct.c_char_p)),
    ]


class _SimulationInfo(ct.Structure):
    _fields_ = [
        ("parameters", _SimulatorParameters),
        ("time", ct.c_double),
        ("solution", ct.POINTER(ct.c_double)),
        ("previous_state", ct.POINTER(ct.c_double)),
        ("next_state", ct.POINTER(ct.c_double)),
        ("flags", ct.c_uint32),
    ]


class _InitInfo(ct.Structure):
    _fields_ = [("flags", ct.c_uint32), ("errors", ct.c_uint32), ("list", ct.c_void_p)]


_POINTER = ct.c_void_p
_LOAD = ct.CFUNCTYPE(None, _POINTER, _POINTER, ct.POINTER(ct.c_double))
_LOG = ct.CFUNCTYPE(None, _POINTER, ct.c_char_p, ct.c_uint32)


class _Descriptor(ct.Structure):
    _fields_ = [
        ("name", ct.c_char_p),
        ("num_nodes", ct.c_uint32),
        ("num_terminals", ct.c_uint32),
        ("nodes", ct.POINTER(_Node)),
        ("num_jacobian_entries", ct.c_uint32),
        ("jacobian_entries", ct.POINTER(_JacobianEntry)),
        ("num_collapsible", ct.c_uint32),
        ("collapsible", ct.POINTER(_NodePair)),
        ("collapsed_offset", ct.c_uint32),
        ("noise_sources", ct.POINTER(_NoiseSource)),
        ("num_noise_sources", ct.c_uint32),
        ("num_parameters", ct.c_uint32),
        ("num_instance_parameters", ct.c_uint32),
        ("num_opvars", ct.c_uint32),
        ("parameters", ct.POINTER(_Parameter)),
        ("node_mapping_offset", ct.c_uint32),
        ("jacobian_pointers_offset", ct.c_uint32),
        ("num_states", ct.c_uint32),
        ("state_index_offset", ct.c_uint32),
        ("bound_step_offset", ct.c_uint32),
        ("instance_size", ct.c_uint32),
        ("model_size", ct.c_uint32),
        ("access", ct.CFUNCTYPE(_POINTER, _POINTER, _POINTER, ct.c_uint32, ct.c_uint32)),
        (
            "setup_model",
            ct.CFUNCTYPE(None, _POINTER, _POINTER, ct.POINTER(_SimulatorParameters), ct.POINTER(_InitInfo)),
        ),
        (
            "setup_instance",
            ct.CFUNCTYPE(
                None,
                _POINTER,
                _POINTER,
                _POINTER,
                ct.c_double,
                ct.c_uint32,
                ct.POINTER(_SimulatorParameters),
                ct.POINTER(_InitInfo),
            ),
        ),
        ("eval", ct.CFUNCTYPE(ct.c_uint32, _POINTER, _POINTER, _POINTER, ct.POINTER(_SimulationInfo))),
        ("load_noise", _POINTER),
        ("load_residual_resist", _LOAD),
        ("load_residual_react", _LOAD),
        ("load_limit_rhs_resist", _POINTER),
        ("load_limit_rhs_react", _POINTER),
        ("load_spice_rhs_dc", _POINTER),
        ("load_spice_rhs_tran", _POINTER),
        ("load_jacobian_resist", _POINTER),
        ("load_jacobian_react", _POINTER),
        ("load_jacobian_tran", _POINTER),
        ("given_flag_model", _POINTER),
        ("given_flag_instance", _POINTER),
        ("num_resistive_entries", ct.c_uint32),
        ("num_reactive_entries", ct.c_uint32),
        ("write_jacobian_array_resist", _LOAD),
        ("write_jacobian_array_react", _LOAD),
    ]


@dataclass(frozen=True)
class Evaluation:
    """What a compiled module computes at one point.

    Attributes
    ----------
    currents, charges : ndarray, shape (n_terminals,)
        Into the device at each terminal [A, C].
    rates : ndarray, shape (n_states,)
        Of the states' deviations, in their natural scale [1/s].
    current_slopes, charge_slopes : ndarray, shape (n_terminals, n_terminals + n_states)
        Derivatives by the terminals' potentials [V] and the states' deviations in their natural scale.
    rate_slopes : ndarray, shape (n_states, n_terminals + n_states)
    """

    currents: np.ndarray
    charges: np.ndarray
    rates: np.ndarray
    current_slopes: np.ndarray
    charge_slopes: np.ndarray
    rate_slopes: np.ndarray


class CompiledModule:
    """An OSDI library with one module, loaded into this process.

    Parameters
    ----------
    path : Path
        As :func:`synspice.veriloga.compiler.compile_module` returns it.
    model : Model
        The model from which the module was emitted.

    Raises
    ------
    EngineError
        The library is of another interface version or of another module.
    """

    def __init__(self, path: Path, model: Model) -> None:
        self.model = model
        try:
            self._library = ct.CDLL(str(path))
            version = tuple(
                ct.c_uint32.in_dll(self._library, f"OSDI_VERSION_{part}").value for part in ("MAJOR", "MINOR")
            )
            self._descriptor = _Descriptor.in_dll(self._library, "OSDI_DESCRIPTORS")
        except (OSError, ValueError) as error:
            raise EngineError(f"{path} is no OSDI library that can be loaded: {error}") from error
        if version < (0, 4):
            raise EngineError(f"{path} has OSDI {version[0]}.{version[1]}; 0.4 or later is needed (openvaf-r)")
        if self._descriptor.name.decode() != model.name:
            raise EngineError(f"{path} holds the module '{self._descriptor.name.decode()}', not '{model.name}'")
        self._log = _LOG(lambda *_: None)
        if hasattr(self._library, "osdi_log"):
            ct.c_void_p.in_dll(self._library, "osdi_log").value = ct.cast(self._log, ct.c_void_p).value
        d = self._descriptor
        self._names = [d.nodes[k].name.decode() for k in range(d.num_nodes)]
        self._parameters = {d.parameters[k].names[0].decode(): k for k in range(d.num_parameters + d.num_opvars)}
        names, values = (ct.c_char_p * 2)(b"gmin", None), (ct.c_double * 2)(1e-12, 0.0)
        none = (ct.c_char_p * 1)(None)
        self._settings = _SimulatorParameters(names, values, none, none)
        self._kept = (names, values, none)

    def at(self, values: Mapping[str, float], temperature: float = ROOM_TEMPERATURE) -> CompiledInstance:
        """Return an instance with parameter values at an ambient temperature [K]."""
        return CompiledInstance(self, self.model.values(values), temperature)


class CompiledInstance:
    """A compiled module with its parameters set; see :meth:`CompiledModule.at`."""

    def __init__(self, module: CompiledModule, values: Mapping[str, float], temperature: float) -> None:
        self._module = module
        d = module._descriptor
        self._model_data = _aligned(d.model_size)
        self._data = _aligned(d.instance_size)
        self._set(values)
        found = _InitInfo()
        settings = ct.byref(module._settings)
        handle = ct.c_char_p(b"synspice")
        d.setup_model(handle, self._model_data, settings, ct.byref(found))
        if found.errors == 0:
            d.setup_instance(
                handle, self._data, self._model_data, temperature, d.num_terminals, settings, ct.byref(found)
            )
        if found.errors:
            raise EngineError(
                f"the compiled module '{module.model.name}' refuses its parameters ({found.errors} faults)"
            )
        mapping = (ct.c_uint32 * d.num_nodes).from_address(self._data.value + d.node_mapping_offset)
        mapping[:] = range(d.num_nodes)
        self._states = (ct.c_double * max(d.num_states, 1))()
        names = module._names
        self._columns = [names.index(state_node(module.model, s.name)) for s in module.model.states]

    def _set(self, values: Mapping[str, float]) -> None:
        module = self._module
        d = module._descriptor
        for parameter in module.model.parameters:
            place = module._parameters[parameter.name]
            flags = _SET | (_INSTANCE if parameter.instance else 0)
            address = d.access(self._data if parameter.instance else None, self._model_data, place, flags)
            value = values[parameter.name]
            if d.parameters[place].flags & 3 == 1:
                ct.c_int32.from_address(address).value = int(value >= 0.5)
            else:
                ct.c_double.from_address(address).value = value

    def _evaluate(self, solution: np.ndarray, flags: int) -> None:
        d = self._module._descriptor
        unknowns = (ct.c_double * len(solution))(*solution.tolist())
        info = _SimulationInfo(
            parameters=self._module._settings,
            time=1.0,
            solution=unknowns,
            previous_state=self._states,
            next_state=self._states,
            flags=flags | _ANALYSIS_TRANSIENT,
        )
        if d.eval(ct.c_char_p(b"synspice"), self._data, self._model_data, ct.byref(info)) & _FATAL:
            raise EngineError(f"the compiled module '{self._module.model.name}' stopped with a fatal error")

    def _matrices(self, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate, and return the derivatives of the resistive and the reactive residual."""
        d = self._module._descriptor
        self._evaluate(solution, _CALC_EVERYTHING)
        matrices = []
        for flag, count, write in (
            (_RESISTIVE, d.num_resistive_entries, d.write_jacobian_array_resist),
            (_REACTIVE, d.num_reactive_entries, d.write_jacobian_array_react),
        ):
            entries = (ct.c_double * max(count, 1))()
            write(self._data, self._model_data, entries)
            matrix = np.zeros((d.num_nodes, d.num_nodes))
            left = iter(entries)
            for k in range(d.num_jacobian_entries):
                entry = d.jacobian_entries[k]
                if entry.flags & flag:
                    matrix[entry.nodes.first, entry.nodes.second] += next(left)
            matrices.append(matrix)
        return matrices[0], matrices[1]

    def evaluate(self, potentials: Sequence[float], deviations: Sequence[float] = ()) -> Evaluation:
        """Evaluate at the terminals' potentials [V] and the states' deviations, in their natural scale.

        Raises
        ------
        EngineError
            If the module stops with a fatal error.
        """
        d = self._module._descriptor
        n = len(self._module.model.terminals)
        solution = np.zeros(d.num_nodes)
        solution[:n] = potentials
        solution[self._columns] = deviations
        resistive, reactive = self._matrices(solution)
        current, charge = self._residual(d.load_residual_resist), self._residual(d.load_residual_react)
        picked = [*range(n), *self._columns]
        return Evaluation(
            currents=current[:n],
            charges=charge[:n],
            rates=-current[self._columns],
            current_slopes=resistive[:n][:, picked],
            charge_slopes=reactive[:n][:, picked],
            rate_slopes=-resistive[self._columns][:, picked],
        )

    def operating_point(self, potentials: Sequence[float], deviations: Sequence[float] = ()) -> dict[str, float]:
        """Return the operating-point variables at the same kind of point as :meth:`evaluate`."""
        d = self._module._descriptor
        n = len(self._module.model.terminals)
        solution = np.zeros(d.num_nodes)
        solution[:n] = potentials
        solution[self._columns] = deviations
        self._evaluate(solution, _CALC_OPERATING_POINT)
        found = {}
        for name, place in self._module._parameters.items():
            if place >= d.num_parameters:
                found[name] = float(
                    ct.c_double.from_address(d.access(self._data, self._model_data, place, _INSTANCE)).value
                )
        return found

    def _residual(self, load: Any) -> np.ndarray:
        into = (ct.c_double * self._module._descriptor.num_nodes)()
        load(self._data, self._model_data, into)
        return np.array(into)


def _aligned(size: int) -> ct.c_void_p:
    """Return zeroed memory, aligned as malloc's is, that lives as long as the pointer."""
    block = (ct.c_char * (size + 64))()
    pointer = ct.c_void_p(-(-ct.addressof(block) // 64) * 64)
    pointer.block = block  # type: ignore[attr-defined]
    return pointer
