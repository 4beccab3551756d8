"""``synspice run`` for circuits."""

import json
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


def test_json_goes_to_stdout(synspice: Call) -> None:
    answer = synspice("run", "crossbar-write", "--engine", "array", "--set", "pulses=1", "--format", "json")
    assert json.loads(answer.out)["circuit"] == "crossbar-write"


def test_the_cost_is_said_beforehand(synspice: Call) -> None:
    answer = synspice("run", "crossbar-write", "--set", "rows=64", "--set", "cols=64", "--engine", "ngspice")
    assert answer.code == 1
    assert "about 1.2e+03 s in ngspice; --engine array about" in answer.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("crossbar-raed",), "crossbar-read"),
        (("crossbar-read", "--set", "scheme=V/4"), "must be one of V/2, V/3, float, grounded"),
        (("crossbar-read", "--set", "rows=2.5"), "must be a whole number"),
        (("crossbar-read", "--set", "rows=many"), "is not a number"),
        (("crossbar-read", "--card", "taxo"), "taox"),
        (("crossbar-read", "--option", "reltol=1e-4"), "neither a waveform nor solver options"),
        (("crossbar-read", "--engine", "vaxcask"), "vacask"),
        (("iv-loop",), "needs a card"),
        (("iv-loop", "--card", "taox", "--partner", "siox_ny_ag"), "second device"),
    ],
)
def test_mistakes(synspice: Call, arguments: tuple[str, ...], message: str) -> None:
    answer = synspice("run", *arguments)
    assert answer.code == 2
    assert message in answer.err
