"""``synspice run`` for circuits."""

import json
import re
from pathlib import Path

import pytest
from command_line import Call


@pytest.mark.ngspice
def test_a_circuit_from_end_to_end(synspice: Call, tmp_path: Path) -> None:
    record, plot, deck = (tmp_path / name for name in ("read.json", "read.png", "read.cir"))
    answer = synspice(
        "run", "crossbar-read", "--set", "rows=3", "--set", "scheme=float", "-o", record, "--plot", plot, "--deck", deck
    )
    assert answer.code == 0
    assert "read_margin" in answer.out
    found = json.loads(record.read_text())
    assert found["options"]["scheme"] == "float"
    assert len(found["tables"]["conductance"]["value"]) == 3
    assert plot.stat().st_size > 1000
    assert "Rw2_6 w2_6 w2_7" in deck.read_text()


@pytest.mark.ngspice
def test_solver_options_reach_the_engine_and_the_record(synspice: Call) -> None:
    settings = ("--set", "delays=4", "--set", "shortest=1e-5", "--set", "longest=1e-4")
    answer = synspice("run", "series-stdp", *settings, "--option", "reltol=1e-6", "--format", "json")
    found = json.loads(answer.out)
    assert (found["options"]["reltol"], found["options"]["vntol"], found["options"]["delays"]) == (1e-6, 1e-6, 4)


def test_json_goes_to_stdout(synspice: Call) -> None:
    answer = synspice("run", "crossbar-write", "--engine", "array", "--set", "pulses=1", "--format", "json")
    assert json.loads(answer.out)["circuit"] == "crossbar-write"


def test_cells_of_their_own(synspice: Call, tmp_path: Path) -> None:
    cells = tmp_path / "cells.csv"
    cells.write_text("row, column, card, conductance\n0, 1, hfox_tin, 1e-5\n2, 0, , 2e-5\n")
    arguments = ("run", "crossbar-read", "--engine", "array", "--set", "rows=3", "--set", "cols=2", "--format", "json")
    table = json.loads(synspice(*arguments, "--cells", cells).out)["tables"]["conductance"]["value"]
    assert (table[0][1], table[2][0]) == (pytest.approx(1e-5), pytest.approx(2e-5))
    cells.write_text("row,column,card\n0,1,siox_ny_ag\n")
    refused = synspice(*arguments, "--cells", cells)
    assert refused.code == 2 and "all cells of an array are of one device" in refused.err
    for other in (("gate-stdp",), ("iv-loop", "--card", "taox")):
        refused = synspice("run", *other, "--cells", cells)
        assert refused.code == 2 and "crossbar" in refused.err


def test_the_cost_is_said_beforehand(synspice: Call) -> None:
    answer = synspice("run", "crossbar-write", "--set", "rows=64", "--set", "cols=64", "--engine", "ngspice")
    assert answer.code == 1
    assert re.search(r"about \d\S*e\+0[2-4] s in ngspice; --engine array about \d\S* s", answer.err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("crossbar-raed",), "crossbar-read"),
        (("crossbar-read", "--set", "scheme=V/4"), "must be one of V/2, V/3, float, grounded"),
        (("crossbar-read", "--set", "rows=2.5"), "must be a whole number"),
        (("crossbar-read", "--set", "rows=many"), "is not a number"),
        (("crossbar-read", "--card", "taxo"), "taox"),
        (("crossbar-read", "--option", "retol=1e-4"), "no option 'retol'; did you mean 'reltol'"),
        (("gate-cumulative", "--engine", "equations", "--option", "abtol=1e-9"), "did you mean 'abstol'"),
        (("gate-stdp", "--waveform", "w.csv"), "a circuit takes no waveform"),
        (("crossbar-read", "--engine", "vaxcask"), "vacask"),
        (("iv-loop",), "needs a card"),
        (("iv-loop", "--card", "taox", "--partner", "siox_ny_ag"), "second device"),
    ],
)
def test_mistakes(synspice: Call, arguments: tuple[str, ...], message: str) -> None:
    answer = synspice("run", *arguments)
    assert answer.code == 2
    assert message in answer.err
