"""The result record that every engine returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Measured:
    """A measured quantity: one value or a list, with its unit; None where the waveform does not show it."""

    value: float | list[float] | None
    unit: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """Waveforms and measured quantities of one run, in SI units.

    Attributes
    ----------
    experiment : str
    engine, engine_version : str
    time : ndarray, shape (n,)
        Seconds.
    signals : mapping of name to ndarray, shape (n,)
    units : mapping of signal name to unit
    quantities : mapping of name to Measured
    options : mapping
        What the engine was told.
    deck : str
        The simulator's input; empty for the engines without one.
    """

    experiment: str
    engine: str
    engine_version: str
    time: np.ndarray
    signals: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    quantities: Mapping[str, Measured] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    deck: str = ""

    def __getitem__(self, name: str) -> np.ndarray:
        return self.signals[name]

    def at(self, name: str, time: np.ndarray) -> np.ndarray:
        """Return a signal interpolated linearly at times [s]."""
        return np.asarray(np.interp(time, self.time, self.signals[name]))

    def to_json(self) -> str:
        """Return the record as JSON text (the deck left out; values that are not finite become null)."""
        record = {
            "experiment": self.experiment,
            "engine": self.engine,
            "engine_version": self.engine_version,
            "signals": {
                name: {"unit": self.units[name], "time": _plain(self.time), "value": _plain(values)}
                for name, values in self.signals.items()
            },
            "quantities": {n: {"value": _plain(q.value), "unit": q.unit} for n, q in self.quantities.items()},
            "options": {k: _plain(v) for k, v in self.options.items()},
        }
        return json.dumps(record, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(v) for v in (value.tolist() if isinstance(value, np.ndarray) else value)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
