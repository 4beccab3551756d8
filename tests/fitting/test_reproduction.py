"""The rows of the papers on the reference engine and in ngspice, and how they are judged."""

from __future__ import annotations

import json
import math

import pytest

from synspice.compact.result import Measured
from synspice.fitting.characteristics.catalogue import catalogue, select
from synspice.fitting.reproduction import counts, reproduce
from synspice.fitting.reproduction import runner as runner_module
from synspice.fitting.reproduction.report import write_report
from synspice.fitting.reproduction.runner import AGREEMENT, run_rows
from synspice.fitting.reproduction.workbench import Outcome

FAST = ["EIS-05", "EIS-06", "EIS-08", "EIS-09", "EIS-13", "EIS-16c", "EIS-21", "EIS-22", "EIS-23"]
FAST += ["OTJ-01", "OTJ-02", "OTJ-05", "OTJ-06", "OTJ-07", "OTJ-08", "OTJ-18", "OTJ-20", "OTJ-21", "OTJ-22"]
EVERY = [row.id for row in select()]


def judged(name, engine, compare=False):
    (item,) = run_rows(select([name]), engine, compare)
    return item


def check(item):
    assert not item.fails, f"{item.row.id}: {item.simulated} {item.note} {item.deviation}"
    if item.row.expected == "unmet":
        assert item.met is False
    if item.row.expected == "undetermined":
        assert item.met is None


@pytest.mark.parametrize("name", FAST)
def test_row_on_the_reference_engine(name):
    check(judged(name, "reference"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EVERY if name not in FAST])
def test_slow_row_on_the_reference_engine(name):
    check(judged(name, "reference"))


@pytest.mark.ngspice
@pytest.mark.parametrize(
    "name",
    [
        "EIS-06",
        "EIS-21",
        "OTJ-01",
        "OTJ-08",
    ],
)
def test_row_in_ngspice_agrees_with_the_reference_engine(name):
    item = judged(name, "ngspice", compare=True)
    check(item)
    assert item.deviation <= AGREEMENT


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.parametrize("name", EVERY)
def test_every_row_in_ngspice_agrees_with_the_reference_engine(name):
    item = judged(name, "ngspice", compare=True)
    check(item)
    assert item.deviation is None or item.deviation <= AGREEMENT  # None: the row runs on no engine of circuits


@pytest.fixture
def protocol(monkeypatch):
    """Replace the protocol of EIS-21, whose conductance is accepted from 990 to 1010 nS."""

    def replace(outcome):
        class Module:
            PROTOCOLS = {"EIS-21": outcome}  # noqa: RUF012
            GROUPS = ()
            PANELS = ()

        monkeypatch.setattr(runner_module, "protocol_module", lambda paper: Module)

    return replace


@pytest.mark.parametrize(
    ("value", "met"), [(1000.0, True), (990.0, True), (989.9, False), (math.nan, False), (None, False)]
)
def test_a_row_is_met_within_its_limits(protocol, value, met):
    protocol(lambda bench: Outcome(simulated={"conductance": Measured(value, "nS")}))
    item = judged("EIS-21", "reference")
    assert item.met is met
    assert item.fails is not met


def test_a_failed_simulation_is_a_row_that_is_not_met(protocol):
    from synspice.compact.errors import SimulationError

    def fail(bench):
        raise SimulationError("convergence", "no")

    protocol(fail)
    item = judged("EIS-21", "reference")
    assert item.fails
    assert "failed: " in item.note


def test_records_have_the_keys_of_the_command_line(tmp_path):
    items = reproduce(["EIS-21", "EIS-22"], "reference", workers=1)
    keys = ["id", "source", "kind", "documented", "unit", "simulated", "tolerance", "met", "held_out", "engine", "note"]
    assert [list(item.record()) for item in items] == [keys, keys]
    assert json.loads(json.dumps(items[0].record()))["simulated"]["conductance"] == pytest.approx(1000, rel=1e-3)
    assert counts(items) == {"quantitative": (2, 0, 0)}


def test_progress_counts_rows():
    seen = []
    reproduce(["EIS-21", "EIS-22"], "reference", workers=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_two_processes_give_what_one_gives():
    one, two = (reproduce(["EIS-21", "OTJ-22"], "reference", workers=n) for n in (1, 2))
    assert [i.record() for i in one] == [i.record() for i in two]


def test_report_shows_the_panels_whose_rows_were_run(tmp_path):
    items = reproduce(["OTJ-20", "EIS-05", "EIS-21"], "reference", workers=1)
    page = write_report(items, tmp_path / "report").read_text()
    assert sorted(p.name for p in (tmp_path / "report").iterdir()) == [
        "huang2025_fig2.png",
        "li2019_fig4.png",
        "report.html",
    ]
    for item in items:
        assert item.row.id in page
    assert catalogue("li2019").doi in page
