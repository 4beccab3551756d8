"""Run a simulator's input files, each in a process and a folder of its own, several at a time.

What a run must leave behind to be trusted is the simulator's own matter: each brings its judgement.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, TypeVar, overload

from ..compact.errors import EngineError, ParameterError, SimulationError

T = TypeVar("T")

_LOG_END = 2**20

_PATIENCE = "take a shorter stimulus or larger steps, or give it a longer timeout"


class Fault(NamedTuple):
    """Why a run cannot be trusted: a reason that `SimulationError` knows, and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True)
class Finished:
    """A process that ended by itself, for the judgement.

    Attributes
    ----------
    folder : Path
        Where it ran.
    code : int
        Its exit status, not negative.
    output, errors : list of str
        Lines of its two streams; of a runaway log only both ends.
    """

    folder: Path
    code: int
    output: list[str]
    errors: list[str]


@dataclass(frozen=True, kw_only=True)
class Run(Generic[T]):
    """One run of a simulator.

    Attributes
    ----------
    program : str
        The simulator's name, for messages and the folder's name.
    command : sequence of str or Path
        What is started in the run folder.
    files : mapping of str to str or Path
        Files of the run folder by their relative names: their text, or the path of a file to copy.
    judge : callable
        Returns the result of a finished process, or a Fault.
    informative : callable
        Picks the lines of a log that say something, as one text.
    explain : callable
        Returns what the log of a process that a signal killed says went wrong before, or None.
    environment : mapping of str to str
    timeout : float
        Seconds after which the process is killed.
    keep : bool or Path
        Keep the folder of a good run too: True in the system's folder for temporary files, a path in that folder. The
        folder of a failed run is always kept, in the same place.
    """

    program: str
    command: Sequence[str | Path]
    files: Mapping[str, str | Path]
    judge: Callable[[Finished], T | Fault]
    informative: Callable[[Iterable[str]], str]
    environment: Mapping[str, str]
    explain: Callable[[Iterable[str]], Fault | None] = lambda lines: None
    timeout: float = 60.0
    keep: bool | Path = False


def run_one(run: Run[T]) -> T:
    """Carry out one run in this thread.

    Raises
    ------
    SimulationError
        With `reason`, the kept `folder` and the end of the `log`.
    """
    outcome = _carry_out(run, _Processes())
    if isinstance(outcome, Failure):
        raise outcome.error()
    return outcome


@overload
def run_all(
    runs: Sequence[Run[T]],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_error: Literal["raise"] = "raise",
) -> list[T]: ...


@overload
def run_all(
    runs: Sequence[Run[T]],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_error: Literal["raise", "return"],
) -> list[T | SimulationError]: ...


def run_all(
    runs: Sequence[Run[T]],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_error: Literal["raise", "return"] = "raise",
) -> list[T] | list[T | SimulationError]:
    """Carry out many runs, several at a time.

    Parameters
    ----------
    runs : sequence of Run
    workers : int, optional
        How many at a time; by default as many as this process may use processors.
    progress : callable, optional
        Called as ``progress(finished, total)`` after each run, in the calling thread.
    on_error : {"raise", "return"}
        At the first failure, stop the others and raise; or put the error in that run's place and go on.

    Returns
    -------
    list
        In the order of the runs.

    Raises
    ------
    ManyRunsError
        A run failed and `on_error` is "raise". Its `results` hold what had finished.
    RunsInterrupted
        Ctrl-C: the running simulations are killed. Its `results` hold what had finished.
    """
    count = workers if workers is not None else min(processors(), max(len(runs), 1))
    if count < 1:
        raise ParameterError("run_many", [f"workers = {workers} must be at least 1"])
    if on_error not in ("raise", "return"):
        raise ParameterError("run_many", [f"on_error = {on_error!r} must be 'raise' or 'return'"])
    running = _Processes()
    with ThreadPoolExecutor(count, thread_name_prefix="simulator") as pool:
        futures: list[Future[T | Failure]] = []
        try:
            futures += (pool.submit(_carry_out, run, running) for run in runs)
            places = {future: place for place, future in enumerate(futures)}
            for finished, future in enumerate(as_completed(futures), start=1):
                outcome = future.result()
                if isinstance(outcome, Failure) and on_error == "raise":
                    _stop(pool, running)
                    raise ManyRunsError(outcome, places[future], _finished(futures))
                if progress is not None:
                    progress(finished, len(runs))
        except KeyboardInterrupt as interrupt:
            _stop(pool, running)
            raise RunsInterrupted(_finished(futures)) from interrupt
        except BaseException:
            _stop(pool, running)
            raise
    return [_result(future) for future in futures]


@dataclass(frozen=True)
class Failure:
    """What a failed run leaves: the makings of a `SimulationError`."""

    reason: str
    message: str
    folder: Path
    log: str

    def error(self) -> SimulationError:
        return SimulationError(self.reason, self.message, folder=self.folder, log=self.log)


class ManyRunsError(SimulationError):
    """One of many runs failed, and the others were stopped.

    Attributes
    ----------
    index : int
        The place of the deck that failed, counted from 0.
    results : list
        What had finished, in the order of the decks: a result, a SimulationError, or None for a deck that had not.
    """

    def __init__(self, failure: Failure, index: int, results: Sequence[Any]) -> None:
        self.index = index
        self.results = list(results)
        done = sum(result is not None and not isinstance(result, SimulationError) for result in results)
        place = f"deck {index} of {len(results)}, counted from 0: " if len(results) > 1 else ""
        held = f" (`results` holds {done} good runs)" if len(results) > 1 else ""
        super().__init__(failure.reason, f"{place}{failure.message}{held}", folder=failure.folder, log=failure.log)


class RunsInterrupted(KeyboardInterrupt):
    """Ctrl-C during many runs. ``results`` holds what had finished, in the order of the decks, and None elsewhere."""

    def __init__(self, results: Sequence[Any]) -> None:
        self.results = list(results)
        done = sum(result is not None for result in results)
        super().__init__(f"interrupted after {done} of {len(results)} runs; the finished ones are in `results`")


class _Stopped(Exception):
    """The runs of which this is one are being stopped."""


@dataclass
class _Processes:
    """The processes that are running, so that another thread can end them."""

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


def _carry_out(run: Run[T], running: _Processes) -> T | Failure:
    """Carry out one run. The folder survives a failure; an interruption removes it."""
    if not 0.0 < run.timeout < threading.TIMEOUT_MAX:
        raise ParameterError(f"run of {run.program}", [f"timeout = {run.timeout!r} s must be positive and finite"])
    parent = None if isinstance(run.keep, bool) else run.keep
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"synspice-{run.program}-", dir=parent)).absolute()
    try:
        _write_inputs(folder, run.files)
        outcome = _execute(folder, run, running)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if not run.keep and not isinstance(outcome, Failure):
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _write_inputs(folder: Path, files: Mapping[str, str | Path]) -> None:
    for name, content in files.items():
        target = folder / name
        if not target.resolve().is_relative_to(folder.resolve()) or target.exists():
            raise ParameterError("files", [f"'{name}' must be a new relative path in the run folder"])
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            target.write_text(content, encoding="utf-8")


def _execute(folder: Path, run: Run[T], running: _Processes) -> T | Failure:
    """Run the program in the folder and have what it left judged."""
    timed_out = threading.Event()
    logs = folder / f"{run.program}.out", folder / f"{run.program}.err"
    # A session of its own makes it the leader of a process group, which can be killed as a whole. Output goes to
    # files: a pipe would block the simulator or fill the memory.
    with logs[0].open("wb") as output, logs[1].open("wb") as errors:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command
                list(run.command),
                cwd=folder,
                env=dict(run.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(f"{run.command[0]} cannot be started: {error.strerror}") from error
        with running.watch(process):

            def expire() -> None:
                timed_out.set()
                _kill(process)

            # `wait(timeout)` polls, up to 50 ms late; a timer leaves the wait to the kernel.
            timer = threading.Timer(run.timeout, expire)
            timer.daemon = True
            timer.start()
            try:
                code = process.wait()
            finally:
                timer.cancel()
    if running.stopped and code != 0:
        raise _Stopped
    finished = Finished(folder, code, *(_lines(path) for path in logs))
    if timed_out.is_set():
        verdict: T | Fault = Fault("time-out", f"{run.program} was killed after {run.timeout:g} s: {_PATIENCE}")
    elif code < 0:
        died = f"{run.program} died of {signal.Signals(-code).name}"
        cause = run.explain([*finished.errors, *finished.output])
        verdict = Fault("crash", died) if cause is None else Fault(cause.reason, f"{cause.message}; then {died}")
    else:
        verdict = run.judge(finished)
    if isinstance(verdict, Fault):
        return Failure(*verdict, folder, run.informative([*finished.output, *finished.errors]))
    return verdict


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


def _lines(path: Path) -> list[str]:
    """Return a log's lines; of a runaway log (one line a Newton iteration can make gigabytes) only both ends."""
    with path.open("rb") as file:
        content = file.read(_LOG_END)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(len(content), size - _LOG_END))
        content += file.read()
    return content.decode("utf-8", errors="replace").splitlines()


def _stop(pool: ThreadPoolExecutor, running: _Processes) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
    running.stop()
    pool.shutdown(wait=True)


def _finished(futures: Iterable[Future[T | Failure]]) -> list[T | SimulationError | None]:
    return [
        _result(future) if future.done() and not future.cancelled() and future.exception() is None else None
        for future in futures
    ]


def _result(future: Future[T | Failure]) -> Any:
    outcome = future.result()
    return outcome.error() if isinstance(outcome, Failure) else outcome


def processors() -> int:
    """Return how many processors this process may use; containers often grant fewer than the computer has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
