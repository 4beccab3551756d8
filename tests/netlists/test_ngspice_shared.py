"""PySpice's library: the same answers as in batch, and none of its silent failures."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from synspice.compact.errors import EngineMissingError, SimulationError
from synspice.netlists.ngspice import has_osdi, run_deck, run_shared
from synspice.netlists.ngspice.installation import VARIABLE
from synspice.veriloga.compiler import compile_module

RC = """rc with an error in its title
V1 in 0 PULSE(0 1 0 1n 1n 1 2)
R1 in 2 1k
C1 2 0 1u
.tran 5u 5m 0 5u
.end
"""
SEVERAL = """several analyses
V1 in 0 dc 1 ac 1
R1 in out 1k
R2 out 0 1k
C1 out 0 1u
.op
.ac dec 5 1 1e5
.dc V1 0 1 0.1
.noise v(out) V1 dec 2 1 1k
.end
"""


CONDUCTANCE = """`include "disciplines.vams"
module conductance(p, n);
  inout p, n;
  electrical p, n;
  parameter real g = 1m;
  analog I(p, n) <+ g * V(p, n);
endmodule
"""


@pytest.fixture(autouse=True)
def the_program_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is the system's, and so is the program with which it is compared."""
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.mark.parametrize("deck", [RC, SEVERAL], ids=["transient", "several"])
def test_shared_equals_batch(deck: str) -> None:
    batch, shared = run_deck(deck), run_shared(deck)
    assert [plot.kind for plot in batch.plots] == [plot.kind for plot in shared.plots]
    for one, other in zip(batch.plots, shared.plots, strict=True):
        assert (one.title, one.plotname, one.variables) == (other.title, other.plotname, other.variables)
        np.testing.assert_array_equal(one.scale, other.scale)
        np.testing.assert_allclose(one.data[1:], other.data[1:], rtol=1e-12)


def test_a_pyspice_circuit() -> None:
    from PySpice.Spice.Netlist import Circuit

    circuit = Circuit("divider")
    circuit.V("in", "in", circuit.gnd, 3)
    circuit.R(1, "in", "out", 2000)
    circuit.R(2, "out", circuit.gnd, 1000)
    assert run_shared(circuit, analyses=[".op"]).plot("op")["v(out)"][0] == pytest.approx(1.0)


def test_arrays_outlive_the_next_run() -> None:
    first = run_shared(RC).plot("tran")
    before = first.data.copy()
    run_shared(RC.replace("1k", "5k"))
    np.testing.assert_array_equal(first.data, before)


@pytest.mark.parametrize(
    ("reason", "text", "deck"),
    [
        ("parse", r"foo \(of X1\)", "t\nV1 in 0 1\nX1 in 0 foo\n.op\n.end"),
        ("parse", r"foo \(of X2\)", "t\n.subckt s a\nX2 a foo\n.ends\nV1 in 0 1\nX1 in s\n.op\n.end"),
        ("parse", "unknown subckt", "t\n.subckt s a\nX2 a s\n.ends\nV1 in 0 1\nX1 in s\n.op\n.end"),
        ("parse", r"nofile\.inc", "t\n.include nofile.inc\nV1 in 0 1\n.op\n.end"),
        ("parse", "dmod", "t\nV1 in 0 1\nD1 in 0 dmod\n.op\n.end"),
        ("parse", "interp", "t\nV1 in 0 1\n.options interp\n.tran 1u 1m\n.end"),
        ("convergence", "singular matrix", "t\nV1 in 0 1\nV2 in 0 2\n.op\n.end"),
        (
            "time step too small",
            "cosh|time = 0.7",
            "t\nV1 in 0 PWL(0 0 1 1000)\nB1 in 0 I=cosh(v(in))\n.tran 1m 1\n.end",
        ),
        ("not finite", r"v\(x\)", "t\nV1 in 0 1e200\nE1 x 0 in 0 1e200\nR1 x 0 1\n.op\n.end"),
        ("no data", "no plot", "t\nV1 in 0 1\nR1 in 0 1\n.end"),
    ],
)
def test_failures_leave_the_next_run_unharmed(reason: str, text: str, deck: str) -> None:
    run_shared(RC)
    with pytest.raises(SimulationError, match=text) as caught:
        run_shared(deck)
    assert caught.value.reason == reason
    tran = run_shared(RC).plot("tran")
    np.testing.assert_allclose(tran["v(2)"], 1 - np.exp(-tran.scale / 1e-3), atol=1e-3)


def test_notes_of_ngspice_are_no_failure() -> None:
    """PySpice raises "Command 'run' failed" here: stepping gmin is a note on stderr."""
    run = run_shared("t\nV1 in 0 PULSE(0 1 0 1n 1n 1 2)\nC1 in m 1n\nC2 m 0 1n\n.tran 1u 10u\n.end")
    assert run.plot("tran")["v(m)"][-1] == pytest.approx(0.5, abs=1e-3)
    assert any("singular matrix" in text for text in run.warnings)


def test_a_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared

    monkeypatch.setattr(NgSpiceShared, "_instances", {})
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    with pytest.raises(EngineMissingError, match="apt-get install libngspice0"):
        run_shared(RC)


def in_new_process(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "rc.cir").write_text(RC)
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_an_unknown_parameter_is_told_and_batch_still_works(tmp_path: Path) -> None:
    answer = in_new_process(
        """
        from pathlib import Path
        from synspice.compact.errors import EngineError, SimulationError
        from synspice.netlists.ngspice import run_deck, run_shared
        rc = Path("rc.cir").read_text()
        run_shared(rc)
        for deck in ("t\\nV1 in 0 1\\nR1 in 0 {xyz}\\n.op\\n.end", rc):
            try:
                run_shared(deck)
            except SimulationError as error:
                print("simulation", error.reason, "xyz" in str(error), "use run_deck" in str(error))
            except EngineError as error:
                print("engine", "use run_deck" in str(error))
        print(run_deck(rc).plot("tran").points > 100)
        """,
        tmp_path,
    )
    assert answer.stdout.split("\n")[:3] == ["simulation parse True True", "engine True", "True"], answer.stderr


def test_a_compiled_module_in_the_library(tmp_path: Path) -> None:
    """It runs where the ngspice of this system has OSDI, and the error says who has where it does not."""
    library = compile_module(CONDUCTANCE)
    answer = in_new_process(
        f"""
        from pathlib import Path
        from synspice.compact.errors import EngineError
        from synspice.netlists.ngspice import load_osdi, run_shared
        deck = "t\\nV1 in 0 2\\nN1 in 0 two\\n.model two conductance g=2m\\n.op\\n.end"
        for library in {str(library)!r}, "rc.cir":
            try:
                load_osdi(Path(library))
                print(run_shared(deck).plot("op")["i(v1)"][0])
            except EngineError as error:
                print(type(error).__name__, error)
        """,
        tmp_path,
    )
    good, bad = answer.stdout.splitlines()[:2]
    if has_osdi():
        assert float(good) == pytest.approx(-4e-3)
        assert "EngineError ngspice cannot load rc.cir" in bad
    else:
        assert "EngineMissingError" in good and "Debian 13" in good


def test_quiet_and_flat_in_memory(tmp_path: Path) -> None:
    """Nothing on stderr (PySpice: "Unsupported Ngspice version"), and no growth with the runs."""
    answer = in_new_process(
        """
        from pathlib import Path
        from synspice.netlists.ngspice import run_shared
        rc = Path("rc.cir").read_text()
        def resident():
            return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
        for _ in range(20):
            run_shared(rc)
        before = resident()
        for _ in range(200):
            run_shared(rc)
        print(resident() - before)
        """,
        tmp_path,
    )
    assert answer.stderr == ""
    assert float(answer.stdout) < 5
