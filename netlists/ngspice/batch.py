"""Run decks through ngspice in batch mode, each in a process and a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, overload

from ...compact.errors import DataError, ParameterError, SimulationError
from ..process import Fault, Finished, ManyRunsError, Run, RunsInterrupted, run_all, run_one
from .diagnosis import diagnose_data, diagnose_log, informative, warnings_in
from .installation import environment, find_executable
from .rawfile import RawData, read_raw

__all__ = ["ManyRunsError", "RunsInterrupted", "run_deck", "run_many"]

_DECK, _RAW = "deck.cir", "out.raw"


def run_deck(
    deck: str,
    *,
    timeout: float = 60.0,
    keep: bool | Path = False,
    files: Mapping[str, str | Path] | None = None,
) -> RawData:
    """Run one deck and return its waveforms, or raise: a result that is returned can be trusted.

    ngspice runs as ``ngspice -n -b -r out.raw deck.cir`` in a new folder, without the user's ``.spiceinit``. A run is
    good when it exits with 0, its log holds no error, every analysis left points, all are finite, and a transient
    reached its stop time.

    Parameters
    ----------
    deck : str
        The netlist with its analyses as dot lines. As always in SPICE the first line is the title.
    timeout : float, optional
        Seconds after which ngspice is killed.
    keep : bool or Path, optional
        Keep the run folder of a good run too: True in the system's folder for temporary files, a path in that folder.
        The folder of a failed run is always kept, in the same place.
    files : mapping of str to str or Path, optional
        Files that the deck includes, by the relative name that it uses: their text, or the path of a file to copy.

    Returns
    -------
    RawData

    Raises
    ------
    SimulationError
        With `reason`, the kept `folder` and the end of the `log`.
    EngineMissingError
        ngspice is not installed.
    """
    return run_one(_run(find_executable(), deck, timeout, keep, files or {}))


@overload
def run_many(
    decks: Iterable[str],
    *,
    workers: int | None = None,
    timeout: float = 60.0,
    keep: bool | Path = False,
    files: Mapping[str, str | Path] | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_error: Literal["raise"] = "raise",
) -> list[RawData]: ...


@overload
def run_many(
    decks: Iterable[str],
    *,
    workers: int | None = None,
    timeout: float = 60.0,
    keep: bool | Path = False,
    files: Mapping[str, str | Path] | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_error: Literal["return"],
) -> list[RawData | SimulationError]: ...


def run_many(
    decks: Iterable[str],
    *,
    workers: int | None = None,
    timeout: float = 60.0,
    keep: bool | Path = False,
    files: Mapping[str, str | Path] | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_error: Literal["raise", "return"] = "raise",
) -> list[RawData] | list[RawData | SimulationError]:
    """Run many decks, several at a time.

    Parameters
    ----------
    decks : iterable of str
        The netlists.
    workers : int, optional
        How many run at a time; by default as many as this process may use processors.
    timeout, keep, files
        As in `run_deck`, for every deck.
    progress : callable, optional
        Called as ``progress(finished, total)`` after each run, in the calling thread.
    on_error : {"raise", "return"}
        At the first failure, stop the others and raise; or put the error in that deck's place and go on.

    Returns
    -------
    list of RawData or SimulationError
        In the order of the decks.

    Raises
    ------
    ManyRunsError
        A run failed and `on_error` is "raise". Its `results` hold what had finished.
    RunsInterrupted
        Ctrl-C: the running simulations are killed. Its `results` hold what had finished.
    """
    executable = find_executable()
    runs = [_run(executable, deck, timeout, keep, files or {}) for deck in decks]
    return run_all(runs, workers=workers, progress=progress, on_error=on_error)


def _run(
    executable: Path, deck: str, timeout: float, keep: bool | Path, files: Mapping[str, str | Path]
) -> Run[RawData]:
    if _DECK in files:
        raise ParameterError("files", [f"'{_DECK}' must be a new relative path in the run folder, not {_DECK}"])
    return Run(
        program="ngspice",
        command=[executable, "-n", "-b", "-r", _RAW, _DECK],
        files={_DECK: deck.rstrip("\n") + "\n", **files},
        judge=lambda finished: _judge(finished, deck, bool(keep)),
        informative=informative,
        explain=diagnose_log,
        environment=environment(),
        timeout=timeout,
        keep=keep,
    )


def _judge(finished: Finished, deck: str, kept: bool) -> RawData | Fault:
    """Decide whether a finished run can be trusted."""
    log = [*finished.errors, *finished.output]
    fault = diagnose_log(log)
    if fault is not None:
        return fault
    read = _read(finished.folder / _RAW)
    if isinstance(read, Fault):
        return read
    if finished.code != 0:
        return Fault("crash", f"ngspice exited with {finished.code} without saying why")
    fault = diagnose_data(read.plots, deck)
    if fault is not None:
        return fault
    return RawData(plots=read.plots, warnings=warnings_in(log), folder=finished.folder if kept else None)


def _read(path: Path) -> RawData | Fault:
    try:
        return RawData(plots=read_raw(path))
    except FileNotFoundError:
        return Fault(
            "no data",
            "ngspice wrote no waveforms; the deck needs an analysis (.op, .dc, .ac, .tran) outside a .control block",
        )
    except DataError as error:
        return Fault("no data", str(error))
