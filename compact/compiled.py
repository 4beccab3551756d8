"""Python text compiled by numba, kept on disk so that a later process need not compile it again."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numba


def load_compiled(
    name: str, text: str, entries: Collection[str], given: Mapping[str, Any] | None = None, *, key: str | None = ""
) -> ModuleType:
    """Return a module of compiled functions.

    Parameters
    ----------
    name : str
        The first part of the module's name.
    text : str
        Source of the module; every function in it is compiled when it is first called.
    entries : collection of str
        Functions that are called from Python: what they are compiled to is kept on disk, with what they call.
    given : mapping of name to object, optional
        Globals that the text uses: numbers, and compiled functions.
    key : str or None
        Says what the given globals are: modules of one text with different keys are kept apart. None keeps nothing on disk.
    """
    stem = f"{name}_{hashlib.sha256(f'{key}|{text}'.encode()).hexdigest()[:16]}"
    path = cache_folder() / f"{stem}.py"
    kept = key is not None and _keep(path, text)
    module = ModuleType(stem)
    module.__file__ = str(path)
    namespace: dict[str, Any] = vars(module)
    namespace.update(given or {})
    if kept:
        sys.modules[stem] = module  # numba's cache finds its functions by their module's name
    exec(compile(text, str(path) if kept else f"<{stem}>", "exec"), namespace)  # noqa: S102 - our own emitted text
    for label, item in list(namespace.items()):
        if isinstance(item, FunctionType):
            namespace[label] = numba.njit(item, error_model="numpy", nogil=True, cache=kept and label in entries)
    return module


def cache_folder() -> Path:
    """Return where compiled text is kept: SYNSPICE_CACHE, or the user's cache folder."""
    given = os.environ.get("SYNSPICE_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "synspice"


def _keep(path: Path, text: str) -> bool:
    """Write the source for numba's cache unless it is there; return whether it is."""
    try:
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = path.with_suffix(f".{os.getpid()}")
            scratch.write_text(text, encoding="utf-8")
            scratch.replace(path)
    except OSError:
        return False
    return True
