"""Run decks in this process through PySpice's binding of the ngspice library, for interactive use.

The library is faster to start than a process and holds everything in memory, but it is one per process and fragile.
This module works round what PySpice 1.5 gets wrong with current versions of ngspice; some things it cannot cure:

- A syntax error in a B-source expression aborts the whole Python process (ngspice 39, SIGABRT). Run decks that you
  have not tried in batch, with `run_deck`.
- An unknown parameter in braces makes the library refuse every later deck. The error says so; start a new process,
  or go on with `run_deck`.
- `.options interp` cannot be switched off again; such decks are refused.
- There is no time-out, and Ctrl-C waits until the run has ended.

Anything repeated or parallel belongs in `run_deck` and `run_many`.
"""

from __future__ import annotations

import ctypes.util
import importlib
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from ...compact.errors import EngineError, EngineMissingError, SimulationError
from .deck import interpolates, undefined_subcircuits
from .diagnosis import diagnose_data, diagnose_log, informative, warnings_in
from .rawfile import Plot, RawData, Variable

_REFUSES = "the ngspice library refuses every further deck in this process: start a new one, or use run_deck"

#: ngspice is one per process, so calls take turns.
_turn = threading.Lock()


def run_shared(deck: object, *, analyses: Sequence[str] = ()) -> RawData:
    """Run a deck or a PySpice circuit in this process.

    The call takes the library over: circuits and plots that other code loaded there are discarded.

    Parameters
    ----------
    deck : str or PySpice Circuit
        The netlist; whatever it is, its ``str`` is used.
    analyses : sequence of str, optional
        Lines to add before ``.end``, such as ``".tran 1u 1m"``, which a PySpice circuit does not have.

    Returns
    -------
    RawData
        As from `run_deck`, with the same vector names; the arrays are copies.

    Raises
    ------
    SimulationError
        The run cannot be trusted, for the same reasons as in `run_deck`.
    EngineError
        An unknown parameter in an earlier deck made the library useless in this process.
    EngineMissingError
        The library is not installed.
    """
    text = _complete(str(deck), analyses)
    missing = undefined_subcircuits(text, Path.cwd())
    if missing:
        named = ", ".join(f"{subcircuit} (of {instance})" for instance, subcircuit in missing.items())
        raise SimulationError("parse", f"subcircuits that nothing defines: {named}")
    if interpolates(text):
        raise SimulationError("parse", "'.options interp' would stay on for every later run of this process")
    with _turn, _quiet():
        library = _library()
        _clear(library)
        try:
            return _run(library, text)
        finally:
            # Both are needed: without them each run costs 160 kB, and a failed load re-runs the circuit before it.
            _clear(library)


def _complete(text: str, analyses: Sequence[str]) -> str:
    """Add the analyses and the end, and keep blank lines from swallowing the title."""
    lines = text.rstrip().splitlines()
    if lines and lines[-1].strip().lower() == ".end":
        lines.pop()
    if lines and not lines[0].strip():
        lines[0] = "* untitled"  # PySpice drops blank lines, and the next one would become the title
    return "\n".join([*lines, *analyses, ".end", ""])


def _run(library: Any, text: str) -> RawData:
    loaded = _load(library, text)
    fault = diagnose_log(loaded.splitlines())
    if fault is not None:
        raise SimulationError(*fault, log=informative(loaded.splitlines()))
    output = loaded + "\n" + _command(library, "run")
    lines = output.splitlines()
    plots = tuple(_copy(library, name) for name in reversed(library.plot_names) if name != "const")
    fault = diagnose_log(lines) or diagnose_data(plots, text)
    if fault is not None:
        raise SimulationError(*fault, log=informative(lines))
    if not plots:
        raise SimulationError("no data", "the run left no plot; has the deck an analysis?", log=informative(lines))
    return RawData(plots=plots, warnings=warnings_in(lines))


def _load(library: Any, text: str) -> str:
    """Load a deck and return what ngspice said; PySpice raises even at the word "error" in a title."""
    with suppress(NameError):
        library.load_circuit(text)
    output = _output(library)
    if "cannot recover" in output:
        if "Undefined parameter" in output or "Cannot compute" in output:
            cause = informative(output.splitlines())
            raise SimulationError("parse", f"an unknown parameter or expression, after which {_REFUSES}", log=cause)
        if diagnose_log(line for line in output.splitlines() if "cannot recover" not in line) is None:
            raise EngineError(f"an earlier deck had an unknown parameter, after which {_REFUSES}")
    return output


def _command(library: Any, command: str) -> str:
    """Run a command and return what ngspice said; PySpice raises at any note on stderr, so that decides nothing."""
    with suppress(NameError):
        library.exec_command(command)
    return _output(library)


def _output(library: Any) -> str:
    return f"{library.stderr}\n{library.stdout}"


def _clear(library: Any) -> None:
    """Discard every plot and every circuit, so that no later command can reach an old one."""
    _command(library, "destroy all")
    while "no circuit loaded" not in _command(library, "remcirc"):
        pass


def _copy(library: Any, name: str) -> Plot:
    """Copy a plot out of the library, its vectors named and ordered as in a raw file."""
    _command(library, f"setplot {name}")
    title, plotname = (_command(library, f"echo ${variable}").strip() for variable in ("curplottitle", "curplotname"))
    vectors = list(reversed(library.plot(None, name).values()))
    types = [str(vector._type).replace("_", "-") for vector in vectors]
    variables = tuple(
        Variable(_raw_name(vector._name, kind), kind) for vector, kind in zip(vectors, types, strict=True)
    )
    data = np.array([vector._data for vector in vectors])
    return Plot(title=title, plotname=plotname, variables=variables, data=data)


def _raw_name(name: str, kind: str) -> str:
    """Return the name that a raw file gives a vector: ``out`` is ``v(out)``, ``v1#branch`` is ``i(v1)``."""
    if kind == "voltage":
        return f"v({name[2:-1]})" if name.startswith("V(") else f"v({name})"
    if kind == "current":
        return f"i({name.removesuffix('#branch')})"
    return name


def point_pyspice_to_the_library() -> bool:
    """Have PySpice load the ngspice library by the name that this system knows it by; tell whether it knows one.

    PySpice's own name for it is a link that comes with the development package only, and a try that fails cannot be
    repeated in the process: this goes before the first ``circuit.simulator()``. What ``NGSPICE_LIBRARY_PATH`` names is
    left alone. Importing PySpice takes most of a second.
    """
    if "NGSPICE_LIBRARY_PATH" in os.environ:
        return True
    found = ctypes.util.find_library("ngspice")
    if found is not None:
        _binding().LIBRARY_PATH = found
    return found is not None


def load_osdi(library: Path) -> None:
    """Load a compiled Verilog-A module into this process's ngspice, for `run_shared` and PySpice's own simulations.

    It also has ngspice evaluate such devices in one thread: a second one costs ten times the run of a small circuit.

    Parameters
    ----------
    library : Path
        An OSDI library, as `synspice.veriloga.compiler.compile_module` returns it.

    Raises
    ------
    EngineMissingError
        The ngspice library is not installed, or was built without OSDI.
    EngineError
        The module cannot be loaded.
    """
    with _turn, _quiet():
        ngspice = _library()
        answer = _command(ngspice, f"osdi {library.absolute()}")
        if "no such command" in answer:
            raise EngineMissingError(
                "this ngspice library cannot load compiled Verilog-A (OSDI); that of Debian 13 and of ngspice 44 and later "
                "can, and so does an ngspice configured with --enable-osdi"
            )
        if "error" in answer.lower():
            raise EngineError(f"ngspice cannot load {library}: {answer.strip()}")
        _command(ngspice, "set num_threads=1")


def _binding() -> Any:
    return importlib.import_module("PySpice.Spice.NgSpice.Shared").NgSpiceShared


def _library() -> Any:
    """Return PySpice's one instance of the library, made on first use."""
    binding = _binding()
    if not binding._instances and not point_pyspice_to_the_library():
        raise EngineMissingError(
            "the ngspice library is not installed; `apt-get install libngspice0` (Debian, Ubuntu), "
            "`brew install libngspice` (macOS) or `conda install -c conda-forge ngspice-lib`; "
            "or set NGSPICE_LIBRARY_PATH. run_deck needs only the ngspice program"
        )
    library = binding.new_instance()
    _command(library, "unset ngbehavior")  # a user's .spiceinit may have set it, which changes what `pow` means
    return library


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence PySpice's log: "Unsupported Ngspice version" at the start, and every note of ngspice as an error."""
    logger = logging.getLogger("PySpice.Spice.NgSpice.Shared")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
