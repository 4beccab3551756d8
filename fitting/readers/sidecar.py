"""``dataset.toml`` beside data files: what the files do not say (title, licence, credit, circuit, read voltage).

::

    title = "Analogue resistive memory"
    licence = "BSD-3-Clause"
    credit = "who measured it"
    notes = ["..."]

    [settings]              # for every file of the folder
    read_voltage = 0.1

    [files."set.csv"]       # for one file; a name it has settings for is not a layout
    polarity = "set"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...compact.errors import DataError, nearest

NAME = "dataset.toml"
_KEYS = ("title", "licence", "credit", "notes", "settings", "files")


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """What a ``dataset.toml`` says about one data file."""

    title: str = ""
    licence: str = ""
    credit: str = ""
    notes: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


def read_sidecar(path: Path) -> Sidecar:
    """Read the ``dataset.toml`` beside a data file; an empty record when there is none.

    Raises
    ------
    DataError
        For invalid TOML, an unknown key or a value of the wrong kind.
    """
    place = path.parent / NAME
    if not place.is_file():
        return Sidecar()
    try:
        content = tomllib.loads(place.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(place, f"not valid TOML: {error}") from error
    unknown = [f"unknown key '{key}'{nearest(key, _KEYS)}" for key in content if key not in _KEYS]
    for key in ("title", "licence", "credit"):
        if not isinstance(content.get(key, ""), str):
            unknown.append(f"'{key}' must be text")
    if not isinstance(content.get("notes", []), list):
        unknown.append("'notes' must be a list of texts")
    files = content.get("files", {})
    for key, part in (("settings", content.get("settings", {})), ("files", files), (f"files.{path.name}", files)):
        if not isinstance(part, dict):
            unknown.append(f"'{key}' must be a table")
    if unknown:
        raise DataError(place, "; ".join(unknown))
    return Sidecar(
        title=content.get("title", ""),
        licence=content.get("licence", ""),
        credit=content.get("credit", ""),
        notes=tuple(str(note) for note in content.get("notes", [])),
        settings={**content.get("settings", {}), **files.get(path.name, {})},
    )
