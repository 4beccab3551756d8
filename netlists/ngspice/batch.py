"""Run decks through ngspice in batch mode, each in a process and a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, overload

from ...compact.errors import DataError, EngineError, ParameterError, SimulationError
from .diagnosis import Fault, diagnose_data, diagnose_log, informative, warnings_in
from .installation import environment, find_executable
from .rawfile import RawData, read_raw

_DECK, _RAW, _OUTPUT, _ERRORS = "deck.cir", "out.raw", "ngspice.out", "ngspice.err"
_LOG_END = 2**20


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
    outcome = _run(_Job(find_executable(), deck, timeout, keep, files or {}), _Processes())
    if isinstance(outcome, RawData):
        return outcome
    raise outcome.error()


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
    jobs = [_Job(executable, deck, timeout, keep, files or {}) for deck in decks]
    count = workers if workers is not None else min(_processors(), max(len(jobs), 1))
    if count < 1:
        raise ParameterError("run_many", [f"workers = {workers} must be at least 1"])
    if on_error not in ("raise", "return"):
        raise ParameterError("run_many", [f"on_error = {on_error!r} must be 'raise' or 'return'"])
    processes = _Processes()
    with ThreadPoolExecutor(count, thread_name_prefix="ngspice") as pool:
        futures: list[Future[RawData | _Failure]] = []
        try:
            futures += (pool.submit(_run, job, processes) for job in jobs)
            places = {future: place for place, future in enumerate(futures)}
            for finished, future in enumerate(as_completed(futures), start=1):
                outcome = future.result()
                if isinstance(outcome, _Failure) and on_error == "raise":
                    _stop(pool, processes)
                    raise ManyRunsError(outcome, places[future], _finished(futures))
                if progress is not None:
                    progress(finished, len(jobs))
        except KeyboardInterrupt as interrupt:
            _stop(pool, processes)
            raise RunsInterrupted(_finished(futures)) from interrupt
        except BaseException:
            _stop(pool, processes)
            raise
    return [_result(future) for future in futures]


class ManyRunsError(SimulationError):
    """One of many runs failed, and the others were stopped.

    Attributes
    ----------
    index : int
        The place of the deck that failed, counted from 0.
    results : list of RawData, SimulationError or None
        What had finished, in the order of the decks; None for a deck that had not.
    """

    def __init__(self, failure: _Failure, index: int, results: list[RawData | SimulationError | None]) -> None:
        self.index = index
        self.results = results
        done = sum(isinstance(result, RawData) for result in results)
        message = (
            f"deck {index} of {len(results)}, counted from 0: {failure.message} (`results` holds {done} good runs)"
        )
        super().__init__(failure.reason, message, folder=failure.folder, log=failure.log)


class RunsInterrupted(KeyboardInterrupt):
    """Ctrl-C during `run_many`. ``results`` holds what had finished, in the order of the decks, and None elsewhere."""

    def __init__(self, results: list[RawData | SimulationError | None]) -> None:
        self.results = results
        done = sum(result is not None for result in results)
        super().__init__(f"interrupted after {done} of {len(results)} runs; the finished ones are in `results`")


@dataclass(frozen=True)
class _Job:
    executable: Path
    deck: str
    timeout: float
    keep: bool | Path
    files: Mapping[str, str | Path]


@dataclass(frozen=True)
class _Failure:
    reason: str
    message: str
    folder: Path
    log: str

    def error(self) -> SimulationError:
        return SimulationError(self.reason, self.message, folder=self.folder, log=self.log)


class _Stopped(Exception):
    """The runs of which this is one are being stopped."""


@dataclass
class _Processes:
    """The ngspice processes that are running, so that another thread can end them."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """Kill every process, and have those that are just being started killed too."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                _kill(process)

    @contextmanager
    def watch(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Hold a process among the running ones; on any way out it has ended."""
        with self.lock:
            self.running.add(process)
            if self.stopped:
                _kill(process)
        try:
            yield
        finally:
            if process.poll() is None:
                _kill(process)
                process.wait()
            with self.lock:
                self.running.discard(process)


def _run(job: _Job, processes: _Processes) -> RawData | _Failure:
    """Run one job. The folder survives a failure; an interruption removes it."""
    if not 0.0 < job.timeout < threading.TIMEOUT_MAX:
        raise ParameterError("run_deck", [f"timeout = {job.timeout!r} s must be positive and finite"])
    parent = None if isinstance(job.keep, bool) else job.keep
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="synspice-ngspice-", dir=parent)).absolute()
    try:
        _write_inputs(folder, job)
        code, timed_out = _execute(folder, job, processes)
        outcome = _judge(folder, job, code, timed_out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if isinstance(outcome, RawData) and not job.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _write_inputs(folder: Path, job: _Job) -> None:
    (folder / _DECK).write_text(job.deck.rstrip("\n") + "\n", encoding="utf-8")
    for name, content in job.files.items():
        target = folder / name
        if not target.resolve().is_relative_to(folder.resolve()) or target.exists():
            raise ParameterError("files", [f"'{name}' must be a new relative path in the run folder, not {_DECK}"])
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            target.write_text(content, encoding="utf-8")


def _execute(folder: Path, job: _Job, processes: _Processes) -> tuple[int, bool]:
    """Run ngspice in the folder; return its exit status and whether it had to be killed for its time."""
    timed_out = threading.Event()
    # A session of its own makes it the leader of a process group, which can be killed as a whole. Output goes to
    # files: a pipe would block ngspice or fill the memory.
    with open(folder / _OUTPUT, "wb") as output, open(folder / _ERRORS, "wb") as errors:
        try:
            process = subprocess.Popen(
                [job.executable, "-n", "-b", "-r", _RAW, _DECK],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(f"{job.executable} cannot be started: {error}") from error
        with processes.watch(process):

            def expire() -> None:
                timed_out.set()
                _kill(process)

            # `wait(timeout)` polls, up to 50 ms late; a timer leaves the wait to the kernel.
            timer = threading.Timer(job.timeout, expire)
            timer.daemon = True
            timer.start()
            try:
                code = process.wait()
            finally:
                timer.cancel()
    if processes.stopped and code != 0:
        raise _Stopped
    return code, timed_out.is_set()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all that it started."""
    if process.returncode is not None:
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except AttributeError:  # Windows has no process groups
        process.kill()
    except ProcessLookupError:
        pass


def _judge(folder: Path, job: _Job, code: int, timed_out: bool) -> RawData | _Failure:
    """Decide whether a finished run can be trusted."""

    def failed(reason: str, message: str) -> _Failure:
        return _Failure(reason, message, folder, informative([*_lines(folder / _OUTPUT), *_lines(folder / _ERRORS)]))

    if timed_out:
        return failed("time-out", f"ngspice was killed after {job.timeout:g} s")
    if code < 0:
        return failed("crash", f"ngspice died of {signal.Signals(-code).name}")
    log = [*_lines(folder / _ERRORS), *_lines(folder / _OUTPUT)]
    fault = diagnose_log(log)
    if fault is not None:
        return failed(*fault)
    read = _read(folder / _RAW)
    if isinstance(read, Fault):
        return failed(*read)
    if code != 0:
        return failed("crash", f"ngspice exited with {code} without saying why")
    fault = diagnose_data(read.plots, job.deck)
    if fault is not None:
        return failed(*fault)
    return RawData(plots=read.plots, warnings=warnings_in(log), folder=folder if job.keep else None)


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


def _lines(path: Path) -> list[str]:
    """Return a log's lines; of a runaway log (one line a Newton iteration can make gigabytes) only both ends."""
    with open(path, "rb") as file:
        content = file.read(_LOG_END)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(len(content), size - _LOG_END))
        content += file.read()
    return content.decode("utf-8", errors="replace").splitlines()


def _stop(pool: ThreadPoolExecutor, processes: _Processes) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
    processes.stop()
    pool.shutdown(wait=True)


def _finished(futures: Iterable[Future[RawData | _Failure]]) -> list[RawData | SimulationError | None]:
    return [
        _result(future) if future.done() and not future.cancelled() and future.exception() is None else None
        for future in futures
    ]


def _result(future: Future[RawData | _Failure]) -> RawData | SimulationError:
    outcome = future.result()
    return outcome if isinstance(outcome, RawData) else outcome.error()


def _processors() -> int:
    """Return how many processors this process may use; containers often grant fewer than the computer has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
