"""Circuits that synaptic devices are for: series synapse, voltage-divider gate, crossbars."""

from __future__ import annotations

from ...compact.errors import UnknownNameError
from .base import CircuitExperiment, CircuitResult, Device, Table
from .crossbar_image import CrossbarImage
from .crossbar_read import CrossbarRead
from .crossbar_write import CrossbarWrite
from .gate import GateCumulative, GateHeterogeneous, GateSTDP
from .gate_design import GateDesign
from .gate_regimes import GateRegimes
from .series import SeriesSRDP, SeriesSTDP

_KINDS: tuple[type[CircuitExperiment], ...] = (
    CrossbarRead,
    CrossbarWrite,
    CrossbarImage,
    SeriesSRDP,
    SeriesSTDP,
    GateSTDP,
    GateHeterogeneous,
    GateCumulative,
    GateRegimes,
    GateDesign,
)

CIRCUITS: dict[str, type[CircuitExperiment]] = {cls.name: cls for cls in _KINDS}
"""Every circuit by the name that the command line uses."""


def get_circuit(name: str) -> type[CircuitExperiment]:
    """Return a circuit's class.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    if name not in CIRCUITS:
        raise UnknownNameError("circuit", name, CIRCUITS)
    return CIRCUITS[name]


__all__ = ["CIRCUITS", "CircuitExperiment", "CircuitResult", "Device", "Table", "get_circuit"]
