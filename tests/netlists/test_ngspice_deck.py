"""What is told from a deck's text."""

from pathlib import Path

import pytest

from synspice.netlists.ngspice import run_deck, run_shared
from synspice.netlists.ngspice.deck import (
    LONGEST_TITLE,
    analyses,
    interpolates,
    logical_lines,
    parse_number,
    section_of,
    shorten_titles,
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


def test_a_section_of_a_library() -> None:
    library = ".lib slow\nR1 a b 1\n.endl\n.LIB 'Fast'\nR1 a b 2\n.ENDL fast\n"
    assert section_of(library, "fast").split() == ["R1", "a", "b", "2"]
    assert section_of(library, "typical") == ""
    assert section_of(library, "") == library


@pytest.mark.parametrize("title", ["short", "x" * LONGEST_TITLE, "x" * 300, "word " * 5000, "\u00e9" * 300, ""])
def test_titles_are_cut(title: str) -> None:
    deck = f"{title}\n.title {title}\nR1 a 0 1\n* {title}"
    first, second, *rest = shorten_titles(deck).split("\n")
    assert len(first.encode()) <= LONGEST_TITLE and len(second.encode()) <= LONGEST_TITLE
    assert rest == deck.split("\n")[2:]
    assert first == title or (first.endswith("...") and title.startswith(first[:-3]))


@pytest.mark.ngspice
@pytest.mark.parametrize("length", [512, 100_000])
def test_ngspice_takes_long_titles_comments_and_names(length: int) -> None:
    """Every ngspice aborts at 505 bytes of title; comments and names may have any length."""
    long = "x" * length
    deck = f"{long}\n* {long}\nV1 a 0 1\nR1 a {long} 1k\nR2 {long} 0 1k\n.title {long}\n.op\n.end"
    for run in (run_deck, run_shared):
        assert run(deck).plot("op")[f"v({long})"][0].real == pytest.approx(0.5)
