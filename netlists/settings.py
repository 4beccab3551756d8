"""Settings that a user gives by name: each with its unit, its limits and its meaning, checked together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from ..compact.errors import ParameterError, nearest


def setting(
    default: float | int | None,
    unit: str,
    description: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Any:
    """Return a dataclass field that carries its unit, its limits and its meaning."""
    limits = {"above": above, "at_least": at_least, "at_most": at_most}
    return field(default=default, metadata={"unit": unit, "description": description, **limits})


def choice(default: str, choices: Sequence[str], description: str) -> Any:
    """Return a dataclass field that is one of several words."""
    return field(default=default, metadata={"unit": "", "description": description, "choices": tuple(choices)})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of what has settings; a subclass is a frozen dataclass whose fields come from :func:`setting` and :func:`choice`."""

    name: ClassVar[str]
    title: ClassVar[str]
    kind: ClassVar[str] = "experiment"

    def __post_init__(self) -> None:
        faults = []
        for item in fields(self):
            value, limits = getattr(self, item.name), item.metadata
            if "choices" in limits and value not in limits["choices"]:
                faults.append(f"{item.name} = '{value}' must be one of {', '.join(limits['choices'])}")
            if not isinstance(value, Real):
                continue
            told = f"{item.name} = {value:g} {limits['unit'].removeprefix('1')}".rstrip()
            if not math.isfinite(value):
                faults.append(f"{item.name} = {value} is not finite")
            elif isinstance(item.default, int) and not isinstance(value, Integral):
                faults.append(f"{item.name} = {value:g} must be a whole number")
            elif limits.get("above") is not None and not value > limits["above"]:
                faults.append(f"{told} must be above {limits['above']:g}")
            elif limits.get("at_least") is not None and value < limits["at_least"]:
                faults.append(f"{told} must be at least {limits['at_least']:g}")
            elif limits.get("at_most") is not None and value > limits["at_most"]:
                faults.append(f"{told} must be at most {limits['at_most']:g}")
        if faults:
            raise ParameterError(f"{self.kind} '{self.name}'", faults)

    @classmethod
    def settings(cls) -> Iterator[Field[Any]]:
        """Yield the fields that a user may set."""
        yield from (f for f in fields(cls) if "unit" in f.metadata)

    @classmethod
    def from_settings(cls, given: Mapping[str, float | str]) -> Self:
        """Return the experiment with some settings given by name.

        Raises
        ------
        ParameterError
            Unknown names (with the nearest) and values out of range.
        """
        known = {f.name: f for f in cls.settings()}
        faults = [f"no setting '{name}'{nearest(name, known)}" for name in given if name not in known]
        faults += [
            f"{name} = '{value}' is not a number"
            for name, value in given.items()
            if name in known and isinstance(value, str) and "choices" not in known[name].metadata
        ]
        if faults:
            raise ParameterError(f"{cls.kind} '{cls.name}'", faults)
        whole = {
            n: int(v) if isinstance(known[n].default, int) and isinstance(v, float) and v.is_integer() else v
            for n, v in given.items()
        }
        return cls(**whole)
