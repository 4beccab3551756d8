"""Cards: the values of a material, each with its unit, standard error and source.

A card is a TOML file::

    name = "tao_x"
    device = "drift_memristor"
    title = "Pt/TaOx/Ta/Pt drift memristor"
    source = "Z. Wang et al., Nature Materials 16, 101 (2017)"

    [parameters.g_on]
    value = 5e-5
    unit = "S"
    method = "fitted"            # documented, digitised, fitted or assumed
    source = "to the LTP/LTD ramps of ..."
    stderr = 1e-7                # optional
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path
from typing import Any, Literal

from . import units
from .errors import CardError, OutputError, SynspiceError, UnitError, nearest
from .model import Model
from .parameters import Parameter

Method = Literal["documented", "digitised", "fitted", "assumed"]
METHODS = ("documented", "digitised", "fitted", "assumed")
"""How a value was come by."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """One parameter's value in the model's unit.

    Attributes
    ----------
    value : float
    unit : str
    method : {"documented", "digitised", "fitted", "assumed"}
    source : str
        Paper with figure or section, the data of a fit, or the reason of an assumption.
    stderr : float or None
        Standard error; None where it is not known.
    spread_device, spread_cycle : float or None
        Standard deviation from device to device and from cycle to cycle: of the natural logarithm for a parameter with a log
        scale, of the value otherwise.
    """

    value: float
    unit: str
    method: Method
    source: str
    stderr: float | None = None
    spread_device: float | None = None
    spread_cycle: float | None = None


@dataclass(frozen=True, kw_only=True)
class Card:
    """The values of a material for a device.

    Attributes
    ----------
    name, device, title, source : str
    values : mapping of parameter name to Value
        The device's defaults stand for the parameters left out.
    notes : str
        Validity range, and what the source does not cover.
    """

    name: str
    device: str
    title: str
    source: str
    values: Mapping[str, Value]
    notes: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, float]:
        """Name and value of every parameter that the card sets."""
        return {name: v.value for name, v in self.values.items()}

    def with_values(self, values: Mapping[str, float], model: Model, source: str) -> Card:
        """Return the card with some values replaced by assumed ones.

        Parameters
        ----------
        values : mapping of name to float
            In the model's units.
        model : Model
            The card's device.
        source : str
            Who says so.

        Raises
        ------
        ParameterError
            For unknown names and values out of range.
        """
        model.values({**self.parameters, **values}, f"card '{self.name}'")
        new = {
            name: Value(value=float(value), unit=model.parameter(name).unit, method="assumed", source=source)
            for name, value in values.items()
        }
        return replace(self, values={**self.values, **new})


def read_card(path: Path, model_of: Any) -> Card:
    """Read a card file and check it against its device.

    Parameters
    ----------
    path : Path
    model_of : callable
        Returns the Model of a device name.

    Raises
    ------
    CardError
        With every fault found: syntax, missing keys, unknown parameters, units that do not fit, values out of range.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CardError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise CardError(f"{path}: is not text; a card is a TOML file") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CardError(f"{path}: is not TOML: {error}") from error
    return parse_card(table, str(path), model_of)


_KEYS = ("name", "device", "title", "source", "notes", "parameters", "extra")
_VALUE_KEYS = ("value", "unit", "method", "source", "stderr", "spread_device", "spread_cycle")


def parse_card(table: Mapping[str, Any], where: str, model_of: Any) -> Card:
    """Return the card that a parsed TOML table holds (see :func:`read_card`)."""
    faults = [f"'{k}' is not a key of a card{nearest(k, _KEYS)}" for k in table if k not in _KEYS]
    faults += [f"'{k}' is missing (a text)" for k in ("name", "device") if not isinstance(table.get(k), str)]
    texts = ("title", "source", "notes")
    faults += [f"'{k}' = {table[k]!r} is not a text" for k in texts if not isinstance(table.get(k, ""), str)]
    if not isinstance(table.get("extra", {}), Mapping):
        faults.append("'extra' is not a table: write [extra]")
    if faults:
        raise CardError(_message(where, faults))
    model: Model = model_of(table["device"])
    known = {p.name: p for p in model.parameters}
    values: dict[str, Value] = {}
    entries = table.get("parameters", {})
    if not isinstance(entries, Mapping):
        raise CardError(_message(where, ["'parameters' is not a table: write [parameters.<name>]"]))
    for name, entry in entries.items():
        if name not in known:
            faults.append(f"[parameters.{name}]: device '{model.name}' has no such parameter{nearest(name, known)}")
        elif not isinstance(entry, Mapping):
            faults.append(f"[parameters.{name}]: must be a table with value, unit, method and source")
        else:
            try:
                values[name] = _value(entry, known[name])
            except SynspiceError as error:
                faults.append(f"[parameters.{name}]: {error}")
                continue
            if (fault := known[name].fault(values[name].value)) is not None:
                faults.append(f"[parameters.{name}]: {fault}")
    if faults:
        raise CardError(_message(where, faults))
    return Card(
        name=table["name"],
        device=table["device"],
        title=table.get("title", table["name"]),
        source=table.get("source", ""),
        notes=table.get("notes", ""),
        values=values,
        extra=table.get("extra", {}),
    )


def _value(entry: Mapping[str, Any], parameter: Parameter) -> Value:
    unit = parameter.unit
    for key in entry:
        if key not in _VALUE_KEYS:
            raise CardError(f"'{key}' is not a key{nearest(key, _VALUE_KEYS)}")
    for key in ("value", "unit"):
        if key not in entry:
            raise CardError(f"'{key}' is missing")
    method = entry.get("method", "assumed")
    if method not in METHODS:
        raise CardError(f"method '{method}' is not one of {', '.join(METHODS)}")
    numbers: dict[str, float | None] = {}
    for key in ("value", "stderr", "spread_device", "spread_cycle"):
        number = entry.get(key)
        if number is not None and (
            isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= sys.float_info.max
        ):
            raise CardError(f"{key} = {number!r} is not a finite number")
        if number is not None and key != "value" and number < 0:
            raise CardError(f"{key} = {number!r} must not be negative")
        numbers[key] = None if number is None else float(number)
    try:
        factor = units.convert(1.0, str(entry["unit"]), unit)
    except UnitError as error:
        raise CardError(f"{error}; the parameter is in '{unit}'") from error
    value = numbers["value"]
    assert value is not None
    return Value(
        value=value if factor == 1 else value * factor,
        unit=unit,
        method=method,
        source=str(entry.get("source", "")),
        stderr=_scaled(numbers["stderr"], factor),
        spread_device=_scaled(numbers["spread_device"], 1.0 if parameter.scale == "log" else factor),
        spread_cycle=_scaled(numbers["spread_cycle"], 1.0 if parameter.scale == "log" else factor),
    )


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _message(where: str, faults: list[str]) -> str:
    return f"{where}: " + faults[0] if len(faults) == 1 else f"{where}:\n  - " + "\n  - ".join(faults)


def format_card(card: Card) -> str:
    """Return a card as TOML text; reading it gives the same card."""
    lines = [f"{key} = {_quote(getattr(card, key))}" for key in ("name", "device", "title", "source")]
    if card.notes:
        lines.append(f"notes = {_quote(card.notes)}")
    for name, v in card.values.items():
        lines += ["", f"[parameters.{name}]", f"value = {float(v.value)!r}", f"unit = {_quote(v.unit)}"]
        for key in ("stderr", "spread_device", "spread_cycle"):
            number = getattr(v, key)
            if number is not None:
                lines.append(f"{key} = {float(number)!r}")
        lines += [f"method = {_quote(v.method)}", f"source = {_quote(v.source)}"]
    if card.extra:
        lines += ["", "[extra]", *(f"{_key(k)} = {_plain(v)}" for k, v in card.extra.items())]
    return "\n".join(lines) + "\n"


def write_card(card: Card, path: Path) -> None:
    """Write a card file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    try:
        path.write_text(format_card(card), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write the card to {path}: {error.strerror}") from error


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04X}" for c in escaped)
    return f'"{escaped}"'


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quote(name)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, date | time):
        return value.isoformat()
    return _quote(value) if isinstance(value, str) else repr(value)
