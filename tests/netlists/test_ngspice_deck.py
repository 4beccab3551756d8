"""What is told from a deck's text."""

from pathlib import Path

import pytest

from synspice.netlists.ngspice.deck import (
    analyses,
    interpolates,
    logical_lines,
    parse_number,
    transient_stop,
    undefined_subcircuits,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10.0),
        ("1e-3", 1e-3),
        (".5u", 0.5e-6),
        ("5ms", 5e-3),
        ("1M", 1e-3),
        ("2MEG", 2e6),
        ("1mil", 25.4e-6),
        ("3e2k", 3e5),
        ("1s", 1.0),
        ("{tstop}", None),
        ("stop", None),
    ],
)
def test_numbers(text: str, value: float | None) -> None:
    assert parse_number(text) == (pytest.approx(value) if value is not None else None)


def test_lines_are_joined_and_stripped() -> None:
    deck = "title\n* comment\nR1 a b\n+ 1k $ a comment\n.control\nop\n.endc\nR2 a 0 2k ; more\n.end\nR3 a 0 1\n"
    assert logical_lines(deck) == ["R1 a b 1k", "R2 a 0 2k"]


def test_analyses_and_stop() -> None:
    deck = ".op is only a title\nV1 a 0 1\n.TRAN 1u\n+ 10ms 0 1u uic\n.options reltol=1e-3\n.end"
    assert analyses(deck) == {"tran"}
    assert transient_stop(deck) == pytest.approx(10e-3)
    assert transient_stop("t\n.tran 1u {stop}\n.end") is None
    assert transient_stop("t\n.op\n.end") is None


@pytest.mark.parametrize(
    ("line", "found"), [(".options interp", True), (".OPTION reltol=1e-3 INTERP", True), (".options klu", False)]
)
def test_interpolation(line: str, found: bool) -> None:
    assert interpolates(f"t\n{line}\n.end") is found


@pytest.mark.parametrize(
    "line",
    ["X1 a b Cell", "x1 a b cell r=1k", "X1 a b cell r = 1k c = 2", "X1 a b cell params: r=1", "X1 a b\n+ cell"],
)
def test_subcircuits_are_found(line: str) -> None:
    defined = ".subckt cell p n params: r=1 c=1\nR1 p n 1\n.ends"
    assert undefined_subcircuits(f"t\n{line}\n{defined}\n.end", Path()) == {}
    assert set(undefined_subcircuits(f"t\n{line}\n.end", Path()).values()) <= {"cell", "Cell"} != set()
    assert undefined_subcircuits(f"t\n{line}\n.end", Path())


def test_subcircuits_of_included_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "outer.inc").write_text('.include "deep/inner.lib"\n')
    (tmp_path / "deep" / "inner.lib").write_text(".lib typical\n.subckt cell p n\nR1 p n 1\n.ends\n.endl\n")
    assert undefined_subcircuits("t\n.include outer.inc\nX1 a b cell\n.end", tmp_path) == {}
    assert undefined_subcircuits("t\n.lib 'deep/inner.lib' typical\nX1 a b cell\n.end", tmp_path) == {}
    assert undefined_subcircuits("t\n.include outer.inc\nX1 a b other\n.end", tmp_path) == {"X1": "other"}
    assert undefined_subcircuits("t\n.include nowhere.inc\nX1 a b other\n.end", tmp_path) == {}
