"""What the package says of a deck with emitted subcircuits before ngspice runs it, which would say nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import device_points
import pytest

from synspice.compact import names
from synspice.compact.errors import ParameterError
from synspice.emitters import emit
from synspice.netlists.ngspice import find_executable, run_deck, run_many, run_shared, version
from synspice.netlists.ngspice.deck_check import check_deck, deck_faults
from synspice.netlists.subcircuit import format_subcircuit

DRIFT = emit("drift_memristor")


def deck(instance: str = "", nodes: str = "a 0", files: str = ".include drift.cir") -> str:
    return f"title\n{files}\nV1 a 0 0.5\nX1 {nodes} drift_memristor {instance}\n.op\n.end\n"


def faults(instance: str = "", nodes: str = "a 0") -> list[str]:
    return deck_faults(deck(instance, nodes), {"drift.cir": DRIFT})


@pytest.mark.parametrize(
    "instance",
    [
        "",
        "x_init=0.3",
        "X_INIT = 0.3 frozen=1 m=3",
        "M=3",
        "params: k_set=2k",
        "x_init={2*start}",
        "x_init='start + 2'",
        "x_init=1",
        "x_init=0",
        "x_init=1.0000000000001",
        "v_set=1u",
    ],
)
def test_a_good_instance(instance: str) -> None:
    assert faults(instance) == []


@pytest.mark.parametrize(
    ("instance", "said"),
    [
        ("x_init=1.5", ["x_init = 1.5 is outside its range [0, 1]"]),
        ("x_init={1.5}", ["x_init = 1.5 is outside its range [0, 1]"]),
        ("x_init = -1e-3", ["x_init = -0.001 is outside its range [0, 1]"]),
        ("v_set=0", ["v_set = 0 V is outside its range (0, inf) V"]),
        ("V_SET=-2m", ["v_set = -0.002 V is outside its range (0, inf) V"]),
        ("nosuch=4", ["device 'drift_memristor' has no parameter 'nosuch', which ngspice ignores"]),
        ("x_int=0.3", ["no parameter 'x_int', which ngspice ignores; did you mean 'x_init'"]),
        ("nosuch=4 v_set=0", ["'nosuch'", "v_set = 0 V"]),
    ],
)
def test_a_bad_instance(instance: str, said: list[str]) -> None:
    found = faults(instance)
    assert len(found) == len(said)
    for fault, text in zip(found, said, strict=True):
        assert text in fault and fault.startswith("instance 'X1' of 'drift_memristor': ")


@pytest.mark.parametrize("name", device_points.NAMES)
def test_every_parameter_of_every_device_is_known_with_its_range(name: str) -> None:
    model = device_points.model_of(name)
    text = format_subcircuit(model)
    nodes = " ".join(model.terminals)
    for p in model.parameters:
        within = f"t\n{text}X1 {nodes} {model.name} {p.name}={p.default!r}\n"
        assert deck_faults(within) == []
        for bound, step in ((p.lower, -1), (p.upper, 1)):
            if abs(bound) < 1e300:
                outside = f"t\n{text}X1 {nodes} {model.name} {p.name}={bound + step * (1 + abs(bound))!r}\n"
                assert len(deck_faults(outside)) == 1, p.name


def test_instances_in_wrappers_and_in_included_files_are_seen(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "drift.cir").write_text(DRIFT)
    (tmp_path / "cells.inc").write_text(
        ".include deep/drift.cir\n.subckt pair p n\nXa p c drift_memristor nosuch=1\nXb c n drift_memristor\n.ends\n"
    )
    text = "t\n.include cells.inc\nX1 a 0 pair\n.end\n"
    assert len(deck_faults(text, folder=tmp_path)) == 1
    assert deck_faults(text) == []  # nothing is known of files that are not given
    assert len(deck_faults(text.replace("cells", str(tmp_path / "cells")))) == 1


def test_only_the_section_of_a_library_that_is_used_counts() -> None:
    other = emit("drift_memristor", values={"g_on": 2e-4}, name="drift_memristor")
    library = f".lib slow\n{DRIFT}.endl\n.lib fast\n{other}.endl\n"
    assert deck_faults("t\n.lib all.lib fast\nX1 a 0 drift_memristor\n", {"all.lib": library}) == []


def test_two_different_subcircuits_of_one_name() -> None:
    other = emit("drift_memristor", values={"g_on": 2e-4}, name="drift_memristor")
    assert deck_faults(f"t\n{DRIFT}{DRIFT}") == []
    with pytest.raises(ParameterError, match="two different subcircuits have the name 'drift_memristor'"):
        check_deck(f"t\n{DRIFT}{other}")


def test_other_subcircuits_are_left_alone() -> None:
    assert deck_faults("t\n.subckt cell p n r=1\nR1 p n {r}\n.ends\nX1 a 0 cell q=3\n") == []


def test_nodes_at_which_ngspice_crashes() -> None:
    assert "element 'r1': ngspice crashes at a node named 'temper'" in deck_faults("t\nR1 a Temper 1k\n")[0]
    assert len(deck_faults("t\n.subckt r p\nR1 p temper 1k\n.ends\n")) == 1
    assert deck_faults("t\n.temp 30\nR1 a b {1k*temper}\nB1 a b V=temper\n.param temper1=1\n") == []
    assert "ngspice 39 crashes at a node named 'limit'" in faults(nodes="limit 0")[0]


@pytest.mark.ngspice
def test_every_way_into_ngspice_checks() -> None:
    bad = deck("nosuch=4", files=DRIFT)
    for run in (run_deck, run_shared, lambda text: run_many([text])):
        with pytest.raises(ParameterError, match="no parameter 'nosuch'"):
            run(bad)
    with pytest.raises(ParameterError, match="x_init = 2"):
        run_deck(deck("x_init=2"), files={"drift.cir": DRIFT})


@pytest.mark.ngspice
def test_ngspice_does_crash_there() -> None:
    """What it reads there is not its own: most often it ends in a segmentation fault, and never well."""
    inside = "t\nV1 a 0 1\n.subckt r p\nR1 p {0} 1\nR2 {0} 0 1\nB1 b 0 V=V({0})\n.ends\nX1 a r\n.op\n.end\n"
    for node in names.CRASHING_NODES:
        assert exit_code(f"t\nV1 {node} 0 1\nR1 {node} 0 1k\n.op\n.end\n") != 0
        assert exit_code(inside.format(node)) != 0
    for node in names.CRASHING_SOURCE_NODES:
        assert run_deck(inside.format(node)).plot("op")[f"v(x1.{node})"][0].real == pytest.approx(0.5)
    if int(version().split(".")[0]) < 40:
        for node in names.CRASHING_SOURCE_NODES:
            assert exit_code(f"t\nV1 {node} 0 1\nB1 a 0 V=2*V({node},0)\nR1 a 0 1k\n.op\n.end\n") != 0


def exit_code(text: str) -> int:
    """Return what ngspice ends with on a deck that the package would refuse to run."""
    command = [find_executable(), "-n", "-b"]
    return subprocess.run(command, input=text, text=True, capture_output=True, timeout=30, check=False).returncode
