"""What every circuit has: settings, the cards in it, a run on an engine, quantities, and a picture."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...compact.card import Card
from ...compact.errors import UnknownNameError
from ...compact.model import Model
from ...compact.registry import resolve
from ...compact.result import Measured
from ..engines import engine_options
from ..settings import Settings
from .engine_options import kind_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Device:
    """A device in a circuit.

    Attributes
    ----------
    model : Model
    values : mapping of name to float
        Parameter values; the defaults stand for missing ones.
    label : str
        Name of the card.
    """

    model: Model
    values: Mapping[str, float]
    label: str

    @classmethod
    def of(cls, card: Card | Model | str, values: Mapping[str, float] | None = None) -> Device:
        """Return the device of a card, a model or the name of either, some values replaced."""
        chosen, model = resolve(card)
        return cls(model, {**chosen.parameters, **(values or {})}, chosen.name)


@dataclass(frozen=True)
class Table:
    """An array of numbers in a result.

    Attributes
    ----------
    value : ndarray
    unit : str
    axes : tuple of str
        What each axis counts: ``row`` and ``column``, or the name of another table.
    """

    value: np.ndarray
    unit: str
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Solver:
    """What solves a circuit.

    Attributes
    ----------
    engine : str
    options : mapping of name to value
        Solver options that replace the engine's own: the circuit's, and the user's before these.
    progress : callable (done, total), optional
    """

    engine: str
    options: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress | None = None

    def told(self, done: int, total: int) -> None:
        """Say how many runs are done."""
        if self.progress is not None:
            self.progress(done, total)


@dataclass(frozen=True, kw_only=True)
class CircuitResult:
    """What a circuit's run gives, in SI units.

    Attributes
    ----------
    circuit : str
    engine, engine_version : str
    devices : tuple of str
        Names of the cards.
    tables : mapping of name to Table
    quantities : mapping of name to Measured
    options : mapping
        The settings, and what the engine was told.
    decks : tuple of str
        What the simulator was given; empty for engines without decks.
    """

    circuit: str
    engine: str
    engine_version: str
    devices: tuple[str, ...]
    tables: Mapping[str, Table]
    quantities: Mapping[str, Measured]
    options: Mapping[str, Any] = field(default_factory=dict)
    decks: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> np.ndarray:
        return self.tables[name].value

    def to_json(self) -> str:
        """Return the record as JSON text (decks left out; values that are not finite become null)."""
        record = {
            "circuit": self.circuit,
            "engine": self.engine,
            "engine_version": self.engine_version,
            "devices": self.devices,
            "tables": {n: {"unit": t.unit, "axes": t.axes, "value": _plain(t.value)} for n, t in self.tables.items()},
            "quantities": {n: {"value": _plain(q.value), "unit": q.unit} for n, q in self.quantities.items()},
            "options": {k: _plain(v) for k, v in self.options.items()},
        }
        return json.dumps(record, allow_nan=False)


@dataclass(frozen=True, kw_only=True)
class CircuitExperiment(Settings, ABC):
    """A circuit, its stimulus, and what is measured.

    Class attributes: ``engines`` (the first is the default), ``card`` and ``partner`` (names of the default cards; None where
    there is no second device), ``options`` (solver options by engine that replace the engine's own).
    """

    kind: ClassVar[str] = "circuit"
    engines: ClassVar[tuple[str, ...]]
    card: ClassVar[str]
    partner: ClassVar[str | None] = None
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def devices(
        self, card: Card | Model | str | None, partner: Card | Model | str | None, values: Mapping[str, float] | None
    ) -> tuple[Device, Device | None]:
        """Return the circuit's devices: the given ones, or the defaults. ``values`` replace the first one's."""
        second = partner if partner is not None else self.partner
        return Device.of(self.card if card is None else card, values), None if second is None else Device.of(second)

    def known_engine(self, engine: str | None) -> str:
        """Return an engine of this circuit's, the first where none is given.

        Raises
        ------
        UnknownNameError
            With the nearest names.
        """
        if engine is not None and engine not in self.engines:
            raise UnknownNameError(f"engine for {self.name}", engine, self.engines)
        return engine or self.engines[0]

    def run(
        self,
        card: Card | Model | str | None = None,
        engine: str | None = None,
        *,
        partner: Card | Model | str | None = None,
        values: Mapping[str, float] | None = None,
        progress: Progress | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> CircuitResult:
        """Run the circuit.

        Parameters
        ----------
        card : Card, Model or str, optional
            The synapse; the circuit's own by default.
        engine : str, optional
            One of :attr:`engines`; the first by default.
        partner : Card, Model or str, optional
            The second device: the selector of a cell, the diffusive memristor in series.
        values : mapping of name to float, optional
            Parameter values that replace the synapse's.
        progress : callable (done, total), optional
        options : mapping of name to value, optional
            Solver options that replace the circuit's own and the engine's: fields of `SolverOptions` for ngspice and ngspice-osdi, of
            `ReferenceOptions`, `VacaskOptions`, `ArrayOptions` and `EquationOptions` for the others. The result's options
            hold all of them.

        Raises
        ------
        UnknownNameError, ParameterError, EngineError
        """
        engine = self.known_engine(engine)
        chosen = {**self.options.get(engine, {}), **(options or {})}
        complete = asdict(engine_options(kind_of(engine), chosen, engine))
        complete.pop("temperature_c", None)  # the setting ``temperature`` says it
        first, second = self.devices(card, partner, values)
        result = self.simulate(first, second, Solver(engine, chosen, progress))
        return replace(result, options={**complete, **result.options})

    @abstractmethod
    def simulate(self, synapse: Device, partner: Device | None, solver: Solver) -> CircuitResult:
        """Run the circuit with these devices."""

    @abstractmethod
    def draw(self, result: CircuitResult, figure: Figure) -> None:
        """Draw a result into an empty figure."""

    def estimate(self, engine: str) -> str:
        """Return a sentence on what a run will cost, or an empty text where it is seconds."""
        return ""

    def record(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {f.name: getattr(self, f.name) for f in self.settings()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(v) for v in (value.tolist() if isinstance(value, np.ndarray) else value)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def labelled(devices: Sequence[Device | None]) -> tuple[str, ...]:
    """Return the names of the cards."""
    return tuple(d.label for d in devices if d is not None)
