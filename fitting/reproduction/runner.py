"""Runs the rows' experiments, several at a time, and judges what comes out."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from ...compact.errors import SynspiceError
from ...compact.result import Measured
from ..characteristics.catalogue import Row, select
from .workbench import Curve, Outcome, Workbench, largest_deviation

AGREEMENT = 0.005
"""Largest difference between an engine and the reference engine, over full scale, that counts as agreement."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Reproduced:
    """A row and what its experiment gave.

    Attributes
    ----------
    row : Row
    engine : str
    simulated : mapping of name to Measured
        Empty when the experiment failed.
    met : bool or None
        None for a row that the paper leaves undetermined.
    note : str
    deviation : float or None
        Largest difference from the reference engine over full scale, where it was asked for.
    curves : mapping of label to Curve
    """

    row: Row
    engine: str
    simulated: Mapping[str, Measured]
    met: bool | None
    note: str
    deviation: float | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)

    @property
    def fails(self) -> bool:
        """Whether a row that is marked as met is not, or an engine disagrees with the reference."""
        disagrees = self.deviation is not None and not self.deviation <= AGREEMENT
        return disagrees or (self.row.expected == "met" and self.met is not True)

    def record(self) -> dict[str, Any]:
        """Return the row as it is printed in JSON."""
        row = self.row
        return {
            "id": row.id,
            "source": f"{row.paper}: {row.source}",
            "kind": row.kind,
            "documented": list(row.values) if row.values else row.documented,
            "unit": row.unit,
            "simulated": {name: value.value for name, value in self.simulated.items()},
            "tolerance": row.tolerance,
            "met": self.met,
            "held_out": row.held_out,
            "engine": self.engine,
            "note": self.note,
            **({} if self.deviation is None else {"deviation": self.deviation}),
        }


def protocol_module(paper: str) -> ModuleType:
    """Return the module with a paper's protocols: ``PROTOCOLS``, ``GROUPS`` and ``PANELS``."""
    return import_module(f".{paper}", __package__)


def reproduce(
    selection: Sequence[str] = (),
    engine: str = "ngspice",
    *,
    compare: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Reproduced]:
    """Run the experiments of rows and judge them.

    Parameters
    ----------
    selection : sequence of str
        Papers, cards and row ids; everything when empty.
    engine : str
    compare : bool
        Also solve every run with the reference engine and report the largest difference.
    workers : int, optional
        Processes; the processors that this one may use by default.
    progress : callable (done, total), optional
        Counts rows.

    Returns
    -------
    list of Reproduced
        In the catalogue's order.

    Raises
    ------
    UnknownNameError, EngineMissingError
    """
    rows = select(selection)
    tasks = _tasks(rows)
    count = min(workers or len(os.sched_getaffinity(0)), len(tasks)) or 1
    found: dict[str, Reproduced] = {}

    def take(done: list[Reproduced]) -> None:
        found.update({item.row.id: item for item in done})
        if progress is not None:
            progress(len(found), len(rows))

    if count == 1:
        for task in tasks:
            take(run_rows(task, engine, compare))
    else:
        with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
            futures = [pool.submit(run_rows, task, engine, compare) for task in tasks]
            for future in as_completed(futures):
                take(future.result())
    return [found[row.id] for row in rows]


def _tasks(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows by process: those that share runs together, the groups first as they take longest."""
    tasks: list[list[Row]] = []
    left = list(rows)
    for paper in dict.fromkeys(row.paper for row in rows):
        for group in protocol_module(paper).GROUPS:
            shared = [row for row in left if row.paper == paper and row.id in group]
            if shared:
                tasks.append(shared)
                left = [row for row in left if row not in shared]
    return tasks + [[row] for row in left]


def run_rows(rows: Sequence[Row], engine: str, compare: bool = False) -> list[Reproduced]:
    """Run rows one after the other; rows of a card share their runs."""
    benches: dict[str, Workbench] = {}
    done = []
    for row in rows:
        bench = benches.setdefault(row.card, Workbench(row.card, engine))
        bench.label, before, others = row.id, len(bench.runs), len(bench.network_runs)
        try:
            outcome: Outcome = protocol_module(row.paper).PROTOCOLS[row.id](bench)
            deviation = largest_deviation(bench.runs[before:], bench.network_runs[others:]) if compare else None
            done.append(_judge(row, engine, outcome, deviation))
        except SynspiceError as error:
            done.append(Reproduced(row=row, engine=engine, simulated={}, met=False, note=f"failed: {error}"))
    return done


def _judge(row: Row, engine: str, outcome: Outcome, deviation: float | None) -> Reproduced:
    within = []
    for limits in row.accept:
        value = outcome.simulated[limits.name].value
        assert not isinstance(value, list)
        within.append(limits.accepts(value))
    met = None if row.expected == "undetermined" else all(within)
    notes = [row.reason if row.expected != "met" else "", outcome.note]
    if row.expected == "unmet" and met:
        notes.append("met after all: correct the catalogue")
    return Reproduced(
        row=row,
        engine=engine,
        simulated=outcome.simulated,
        met=met,
        note="; ".join(note for note in notes if note),
        deviation=deviation,
        curves=outcome.curves,
    )


def counts(results: Sequence[Reproduced]) -> dict[str, tuple[int, int, int]]:
    """Return (met, unmet, undetermined) rows of each kind."""
    table = {}
    for kind in dict.fromkeys(item.row.kind for item in results):
        mets = [item.met for item in results if item.row.kind == kind]
        table[kind] = (mets.count(True), mets.count(False), mets.count(None))
    return table
