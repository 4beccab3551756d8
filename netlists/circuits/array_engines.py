"""Arrays on their engines, and what a run will cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from ...compact.errors import EngineError
from ...compact.network_reference import ENGINE_VERSION, ReferenceOptions
from ...compact.version import __version__
from .. import ngspice
from ..arrays.crossbar import Crossbar
from ..arrays.deck import format_array, format_linear_read, read_linear, read_transient
from ..arrays.dynamic_write import WriteResult, write_array
from ..arrays.linear_read import solve_array
from ..arrays.network import Drive, Wires
from ..arrays.reference import read_linear_reference, write_array_reference
from ..arrays.wiring import SIDES
from ..engines import engine_options
from ..ngspice import SolverOptions
from ..ngspice.cost import Counts
from ..ngspice.cost import cost as deck_cost
from .engine_options import ArrayOptions, kind_of

ArrayEngine = Callable[[Crossbar, np.ndarray, Drive, np.ndarray, Any], tuple[WriteResult, str]]
"""Takes crossbar, times, drive, sample times and the engine's options; returns the waveforms at the samples, and the deck."""

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "ngspice": {"reltol": 1e-4, "abstol": 1e-12, "vntol": 1e-6, "chgtol": 1e-14, "trtol": 7.0, "method": "gear"},
    "vacask": {"reltol": 1e-4, "vntol": 1e-6, "breakpoint_fraction": 0.1},
}
"""Solver options of an array, which has thousands of states: 4e-4 of full scale is reached with these."""

LONGEST = 600.0
"""Seconds that a simulator may take."""

REFERENCE_CELLS = 32 * 32
"""Most cells that the reference engine takes: it keeps dense matrices of all nodes, 2.4 GB of them at 48 x 48."""

CELL_SYMBOLS, RESISTOR_SYMBOLS = 700, 4
"""Symbols of a drift memristor's expressions in a netlist, and of a resistor's line."""

# Seconds of a 64 x 64 array for an operating point and for a transient of 1000 points, and their powers in the number of cells.
_COST = {
    "array": (1e-3, 1.1, 0.5, 1.15),
    "vacask": (0.1, 1.4, 15.0, 1.65),
    "reference": (230.0, 2.4, 12000.0, 1.9),
}


def cost(engine: str, cells: int, *, transient: bool, cell_factor: float = 1.0) -> float:
    """Return roughly how long a run takes [s], from measured 16 x 16 to 256 x 256 arrays.

    Parameters
    ----------
    engine : str
    cells : int
    transient : bool
        Or a read of linear cells.
    cell_factor : float
        How much dearer a cell is than a drift memristor: about 5 with a selector.
    """
    if engine == "ngspice":
        symbols = cells * (CELL_SYMBOLS if transient else RESISTOR_SYMBOLS)
        counts = Counts(instances=cells, symbols=symbols, hub=0, loops=cells, points=1000 * transient, klu=False)
        return cell_factor * deck_cost(counts).seconds
    read, read_power, write, write_power = _COST[engine]
    size = cells / 4096
    return float(cell_factor * write * size**write_power if transient else read * size**read_power)


def cost_text(engine: str, cells: int, *, transient: bool, cell_factor: float = 1.0) -> str:
    """Return what a run will cost in words, with a faster engine where it is more than half a minute."""
    seconds = cost(engine, cells, transient=transient, cell_factor=cell_factor)
    if seconds < 2:
        return ""
    text = f"about {seconds:.2g} s in {engine}"
    if seconds < 30 or engine == "array":
        return text
    others = {e: cost(e, cells, transient=transient, cell_factor=cell_factor) for e in ARRAY_ENGINES if e != engine}
    faster = ", ".join(f"--engine {e} about {s:.2g} s" for e, s in others.items() if s < seconds / 2)
    return f"{text}; {faster}"


def require_affordable(engine: str, shape: tuple[int, ...], *, transient: bool, cell_factor: float = 1.0) -> None:
    """Raise where an engine would take far longer than :data:`LONGEST`, or too much memory.

    Raises
    ------
    EngineError
    """
    rows, cols = shape
    about = cost_text(engine, rows * cols, transient=transient, cell_factor=cell_factor)
    if engine == "reference" and rows * cols > REFERENCE_CELLS:
        raise EngineError(f"the reference engine takes up to {REFERENCE_CELLS} cells, not {rows} x {cols}: {about}")
    if cost(engine, rows * cols, transient=transient, cell_factor=cell_factor) > LONGEST:
        raise EngineError(f"{rows} x {cols} cells would take {about}; take a faster engine or a smaller array")


def _array(
    crossbar: Crossbar, times: np.ndarray, drive: Drive, samples: np.ndarray, options: ArrayOptions
) -> tuple[WriteResult, str]:
    result = write_array(
        crossbar.cell,
        crossbar.parameters(),
        crossbar.initial_states(),
        times,
        drive,
        crossbar.wires,
        temperature=crossbar.temperature,
        tolerance=options.reltol,
        sample_times=samples,
        max_steps=options.max_steps,
    )
    return result, ""


def _ngspice(
    crossbar: Crossbar, times: np.ndarray, drive: Drive, samples: np.ndarray, options: SolverOptions
) -> tuple[WriteResult, str]:
    deck = format_array(crossbar, drive, times, options)
    raw = ngspice.run_deck(deck, timeout=LONGEST)
    return read_transient(crossbar, raw.plot("tran"), samples), deck


def _vacask(
    crossbar: Crossbar, times: np.ndarray, drive: Drive, samples: np.ndarray, options: Any
) -> tuple[WriteResult, str]:
    module = _verilog_a()
    found: tuple[WriteResult, str] = module.write_array_vacask(
        crossbar, times, drive, samples, options, timeout=LONGEST
    )
    return found


def _reference(
    crossbar: Crossbar, times: np.ndarray, drive: Drive, samples: np.ndarray, options: ReferenceOptions
) -> tuple[WriteResult, str]:
    return write_array_reference(crossbar, times, drive, samples, options), ""


def _verilog_a() -> Any:
    return import_module("synspice.veriloga.array_deck")  # a folder above this one: loaded only where it is asked for


ARRAY_ENGINES: dict[str, ArrayEngine] = {
    "ngspice": _ngspice,
    "array": _array,
    "vacask": _vacask,
    "reference": _reference,
}
"""Engines of dynamic arrays by the name that the command line uses."""


def array_options(engine: str, given: Mapping[str, Any]) -> Any:
    """Return an engine's options for an array, some given by name."""
    return engine_options(kind_of(engine), {**OPTIONS.get(engine, {}), **given}, engine)


def read_ends(
    engine: str,
    conductances: np.ndarray,
    drive: Drive,
    wires: Wires,
    temperature: float,
    options: Mapping[str, Any] | None = None,
) -> tuple[dict[str, np.ndarray], str]:
    """Return the current of each end [A] of an array of linear cells, into word lines and out of bit lines, and the deck."""
    chosen = array_options(engine, options or {})
    require_affordable(engine, conductances.shape, transient=False)
    if engine == "ngspice":
        deck = format_linear_read(conductances, drive, wires, temperature, chosen)
        raw = ngspice.run_deck(deck, timeout=LONGEST)
        rows, cols = conductances.shape
        return read_linear(raw.plot("op"), (rows, cols)), deck
    if engine == "vacask":
        module = _verilog_a()
        return module.read_linear_vacask(conductances, drive, wires, temperature, chosen, timeout=LONGEST), ""
    if engine == "reference":
        return read_linear_reference(conductances, drive, wires, chosen), ""
    solution = solve_array(conductances, drive, wires)
    return {side: getattr(solution, f"{side}_currents") for side in SIDES}, ""


VERSIONS: dict[str, Callable[[], str]] = {
    "array": lambda: f"synspice {__version__} array solver",
    "ngspice": lambda: f"ngspice {ngspice.version()}",
    "ngspice-osdi": lambda: f"ngspice {ngspice.version()} with OSDI",
    "reference": lambda: ENGINE_VERSION,
    "vacask": lambda: str(import_module("synspice.veriloga.vacask").version()),
}


def run_array(
    engine: str,
    crossbar: Crossbar,
    times: np.ndarray,
    drive: Drive,
    samples: np.ndarray,
    options: Mapping[str, Any] | None = None,
) -> tuple[WriteResult, str]:
    """Run an array, some of the engine's options given by name; see :func:`require_affordable`."""
    chosen = array_options(engine, options or {})
    factor = 1.0 if crossbar.selector is None else 5.0
    require_affordable(engine, crossbar.shape, transient=True, cell_factor=factor)
    return ARRAY_ENGINES[engine](crossbar, times, drive, samples, chosen)


def engine_version(engine: str) -> str:
    """Return the version of an engine for a record."""
    return VERSIONS[engine]()
