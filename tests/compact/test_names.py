"""The one rule for names, and the words that ngspice keeps for itself: each is probed, and no other is found in its executable."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import device_points
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synspice.compact import names
from synspice.compact.registry import card_paths
from synspice.netlists.dialects import DIALECTS, LTSPICE, NGSPICE, XYCE
from synspice.netlists.ngspice import find_executable, version

ROLES = ("parameter", "function", "node")


@pytest.mark.parametrize("name", ["synapse", "a", "g_on", "x2", "a" * names.LONGEST])
def test_a_legal_name(name: str) -> None:
    assert names.fault(name, "subcircuit") is None
    assert names.legal(name) == name


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("my synapse", "my_synapse"),
        ("Synapse", "synapse"),
        ("TaOx-5nm", "taox_5nm"),
        ("2nd", "x_2nd"),
        ("", "x_"),
        ("é", "x__"),
        ("a\n", "a_"),
        ("time", "time_0"),
        ("current3", "current3_0"),
        ("a" * 100, "a" * 64),
    ],
)
def test_an_illegal_name_is_told_the_rule_and_a_legal_one(name: str, legal: str) -> None:
    assert names.legal(name) == legal
    said = names.fault(name, "subcircuit")
    assert said is not None and f"'{legal}'" in said
    assert "reserved" in said or names.RULE in said


@given(st.text(max_size=80))
def test_what_legal_makes_is_legal(text: str) -> None:
    assert names.fault(names.legal(text), "subcircuit") is None


def test_reserved_words_are_lower_case() -> None:
    assert all(word == word.lower() for word in names.RESERVED)


@pytest.mark.parametrize("name", device_points.NAMES)
def test_shipped_devices_keep_the_rule_and_their_functions_can_be_renamed(name: str) -> None:
    model = device_points.model_of(name)
    used = [r.name for group in (model.parameters, model.states, model.quantities, model.observables) for r in group]
    assert [names.fault(n, "name") for n in (*used, *model.terminals, model.name) if names.fault(n, "name")] == []
    for dialect in DIALECTS.values():
        renamed = {q.name: dialect.rename(q.name, used) for q in model.quantities}
        assert len(set(renamed.values())) == len(renamed)
        assert not set(renamed.values()) & dialect.reserved


def test_card_names_are_legal() -> None:
    assert [names.fault(name, "card") for name in card_paths() if names.fault(name, "card")] == []


@given(st.text("abdimnprsvwyz_19", min_size=1, max_size=3), st.sets(st.text("vpz_", max_size=4), max_size=5))
def test_renamed_functions_clash_with_nothing(name: str, taken: set[str]) -> None:
    for dialect in DIALECTS.values():
        new = dialect.rename(name, taken)
        assert new not in dialect.reserved
        assert new == name or (new not in taken and new.rstrip("_") == name.rstrip("_"))
        assert (new == name) == (name not in dialect.reserved)


@pytest.mark.parametrize("probe", ["v", "vp", "vdb", "i", "ib", "i1", "n", "s", "y", "zr", "p", "dno"])
def test_probes_of_xyce_are_no_functions_there(probe: str) -> None:
    assert XYCE.rename(probe) == f"{probe}_"
    assert XYCE.rename(probe, {f"{probe}_"}) == f"{probe}__"
    assert NGSPICE.rename(probe) == probe
    assert LTSPICE.rename("vp") == "vp"


def subcircuits(words: list[str], role: str) -> str:
    """Return one subcircuit and instance a word, each with 3 V at its output when the word is read as it should."""
    lines = []
    for k, word in enumerate(words):
        head = f" {word}=7" if role == "parameter" else ""
        given = f" {word}=2" if role == "parameter" else ""
        body = {
            "parameter": f"Bo o 0 V = {word}*V(p)+1\nRo o 0 {{1000*{word}}}",
            "function": f".func {word}(y1) {{3*y1*y1}}\nBo o 0 V = {word}(V(p))",
            "node": f"B{word} {word} 0 V = 2*V(p)\nR{word} {word} 0 1k\nC{word} {word} 0 {{1n}}\nBo o 0 V = V({word})+V(p,0)",
        }[role]
        lines += [f".subckt s{k} p o{head}", body, ".ends", f"X{k} a o{k} s{k}{given}"]
    return "\n".join(lines)


def misread(words: list[str], role: str) -> set[str]:
    """Return the words that ngspice misreads in a role; a deck that fails is halved."""
    prints = "\n".join(f"print v(o{k})" for k in range(len(words)))
    text = f"t\nV1 a 0 1\n{subcircuits(words, role)}\n.control\nop\n{prints}\n.endc\n.end\n"
    command = [find_executable(), "-n", "-b"]
    answer = subprocess.run(command, input=text, text=True, capture_output=True, timeout=60, check=False).stdout
    volts = dict(re.findall(r"^v\(o(\d+)\) = (\S+)", answer, re.MULTILINE))
    if len(volts) == len(words):
        return {word for k, word in enumerate(words) if float(volts[str(k)]) != pytest.approx(3.0)}
    if len(words) == 1:
        return set(words)
    half = len(words) // 2
    return misread(words[:half], role) | misread(words[half:], role)


@pytest.mark.ngspice
def test_each_of_ngspices_words_is_misread() -> None:
    only_newer = {"var", "vec"} if int(version().split(".")[0]) < 47 else set()
    words = sorted(names.NGSPICE - only_newer)
    found = misread(words, "parameter") | misread(words, "function")
    assert misread(["temper"], "node") == {"temper"}
    assert found == set(words)


@pytest.mark.ngspice
@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_no_other_word_of_ngspices_executable_is_misread(role: str) -> None:
    """Whatever ngspice compares a name with stands in its executable, or is the end of a word that does."""
    strings = set(re.findall(rb"(?<=\0)[a-z][a-z0-9_]{0,15}(?=\0)", program().read_bytes()))
    words = {word[k:].decode() for word in strings for k in range(len(word))}
    legal = sorted(w for w in words if names.fault(w, "name") is None and w not in ("o", "p", "y1"))
    assert len(legal) > 5000
    found: set[str] = set()
    for k in range(0, len(legal), 100):
        found |= misread(legal[k : k + 100], role)
    assert found == set()


def program() -> Path:
    """Return ngspice's own file; ``find_executable`` may be a script that sets up its libraries."""
    path = find_executable()
    if path.read_bytes()[:4] == b"\x7fELF":
        return path
    beside = [p for p in path.parent.rglob("bin/ngspice") if p.read_bytes()[:4] == b"\x7fELF"]
    if beside:
        return beside[0]
    system = shutil.which("ngspice")
    assert system is not None
    return Path(system)
