"""The errors of the package: one base, each subclass also the builtin that a caller would expect.

Every message says what was wrong, where, which limit applies and the usual fix.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class SynspiceError(Exception):
    """Base of every error that the package raises on purpose."""


class DefinitionError(SynspiceError, ValueError):
    """A device definition is not well posed. ``faults`` lists every fault found."""

    def __init__(self, device: str, faults: Iterable[str]) -> None:
        self.device = device
        self.faults = tuple(faults)
        lines = "\n  - ".join(self.faults)
        super().__init__(f"device '{device}' is not well posed:\n  - {lines}")


class UnitError(SynspiceError, ValueError):
    """A unit is unknown, or a value carries a unit that does not fit."""


class ParameterError(SynspiceError, ValueError):
    """Parameter values are unknown, not finite, out of range or of the wrong unit."""

    def __init__(self, where: str, faults: Iterable[str]) -> None:
        self.where = where
        self.faults = tuple(faults)
        lines = "\n  - ".join(self.faults)
        super().__init__(f"{where}:\n  - {lines}" if len(self.faults) > 1 else f"{where}: {self.faults[0]}")


class CardError(SynspiceError, ValueError):
    """A card file cannot be read or does not follow the card format."""


class UnknownNameError(SynspiceError, KeyError):
    """A device, card, experiment or engine is not known; the nearest names are offered."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(f"unknown {kind} '{name}'{nearest(name, self.known)}")

    def __str__(self) -> str:
        return str(self.args[0])


class DataError(SynspiceError, ValueError):
    """Measured data are unusable. ``path`` and ``row`` (1-based file line) say where."""

    def __init__(self, path: str | Path, message: str, *, row: int | None = None) -> None:
        self.path = str(path)
        self.row = row
        place = f"{path}, line {row}" if row is not None else f"{path}"
        super().__init__(f"{place}: {message}")


class EmissionError(SynspiceError, ValueError):
    """A target cannot express a construct; nothing is degraded silently."""


class EngineError(SynspiceError, RuntimeError):
    """An engine could not produce a trustworthy result."""


class EngineMissingError(EngineError, FileNotFoundError):
    """A simulator or library that an engine needs is not installed."""

    def __str__(self) -> str:
        return str(self.args[0])


class SimulationError(EngineError):
    """A simulation failed.

    Attributes
    ----------
    reason : str
        One of ``parse``, ``convergence``, ``time step too small``, ``time-out``, ``no data``, ``not finite``, ``crash``.
    folder : Path or None
        The run folder, kept for inspection.
    log : str
        The tail of the simulator's log.
    """

    def __init__(self, reason: str, message: str, *, folder: Path | None = None, log: str = "") -> None:
        self.reason = reason
        self.folder = folder
        self.log = log
        text = f"simulation failed ({reason}): {message}"
        if folder is not None:
            text += f"\nrun folder kept: {folder}"
        if log:
            text += "\nlog ends:\n" + "\n".join("  " + line for line in log.strip().splitlines()[-15:])
        super().__init__(text)


class FitError(SynspiceError, RuntimeError):
    """A fit cannot be carried out on these data with this device."""


class OutputError(SynspiceError, OSError):
    """An output file or folder cannot be written."""

    def __str__(self) -> str:
        return str(self.args[0])


def nearest(name: str, known: Iterable[str], *, limit: int = 3) -> str:
    """Return ``"; did you mean ...?"``, or the known names when nothing is near."""
    known = sorted(known)
    lower = {k.lower(): k for k in known}
    close = [lower[m] for m in difflib.get_close_matches(name.lower(), lower, n=limit, cutoff=0.5)]
    if close:
        return "; did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
    if known:
        shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        return f"; known: {shown}"
    return ""
