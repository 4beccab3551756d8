"""Compact models of synaptic devices: one definition, emitted, run in SPICE and fitted to data.

The verbs are here; each imports what it needs when it is first used::

    import synspice

    card = synspice.get_card("drift_memristor")
    netlist = synspice.emit(card, to="ngspice")
    result = synspice.run("iv-loop", card, engine="ngspice", settings={"v_first": 1.2})
    fitted = synspice.fit(["set.csv", "reset.csv"], "drift_memristor")

The nouns live in the sub-packages: `synspice.compact` (definitions, cards, the reference solver), `synspice.netlists`
(experiments, circuits, ngspice), `synspice.veriloga` and `synspice.fitting` (readers, fits, reports).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import fit, read, run
    from .compact.card import Card, write_card
    from .compact.definition import Definition
    from .compact.errors import SynspiceError
    from .compact.model import Model
    from .compact.registry import add_device, card_paths, device_names, get_card, get_device, load_device
    from .compact.result import Result
    from .compact.version import __version__
    from .emitters import emit
    from .netlists.experiments import get_experiment
    from .netlists.network import run_networks
    from .netlists.run import run_many

_HOMES = {
    "Card": "compact.card",
    "Definition": "compact.definition",
    "Model": "compact.model",
    "Result": "compact.result",
    "SynspiceError": "compact.errors",
    "__version__": "compact.version",
    "add_device": "compact.registry",
    "card_paths": "compact.registry",
    "device_names": "compact.registry",
    "emit": "emitters",
    "fit": "api",
    "get_card": "compact.registry",
    "get_device": "compact.registry",
    "get_experiment": "netlists.experiments",
    "load_device": "compact.registry",
    "read": "api",
    "run": "api",
    "run_many": "netlists.run",
    "run_networks": "netlists.network",
    "write_card": "compact.card",
}
"""The module of each name."""

__all__ = [
    "Card",
    "Definition",
    "Model",
    "Result",
    "SynspiceError",
    "__version__",
    "add_device",
    "card_paths",
    "device_names",
    "emit",
    "fit",
    "get_card",
    "get_device",
    "get_experiment",
    "load_device",
    "read",
    "run",
    "run_many",
    "run_networks",
    "write_card",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'synspice' has no attribute '{name}'")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
