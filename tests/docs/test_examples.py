"""The examples run as a reader would run them."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from synspice.compact import registry

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_run_here() -> None:
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tests


@pytest.mark.ngspice
def test_own_device(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_user_devices", {})
    module = example("own_device")
    module.main()
    printed = capsys.readouterr().out
    assert ".subckt soft_bound_synapse p n" in printed
    lines = {
        line.split(maxsplit=1)[0].rstrip(":"): line
        for line in printed.splitlines()
        if line.startswith(("k_", "ref", "ngs"))
    }
    assert float(lines["k_up"].split()[2]) == pytest.approx(300, rel=0.02)
    assert float(lines["k_down"].split()[2]) == pytest.approx(150, rel=0.02)
    assert float(lines["reference"].split()[-2]) == pytest.approx(float(lines["ngspice"].split()[-2]), rel=0.005)


@pytest.mark.ngspice
def test_pyspice_circuit() -> None:
    currents = example("pyspice_circuit").main()
    assert currents["both"] == pytest.approx(currents["1"] + currents["2"], rel=1e-3)
    assert currents["2"] > currents["1"] > 0


@pytest.mark.slow
@pytest.mark.ngspice
def test_ltp_ltd_fit(tmp_path: Path) -> None:
    card = example("ltp_ltd_fit").main(tmp_path)
    assert card.values["k_set"].method == "fitted"
    assert (tmp_path / "report" / "report.html").is_file()
    assert ".subckt" in (tmp_path / "synapse.cir").read_text()


def test_digits_crossbar() -> None:
    pytest.importorskip("sklearn")
    found = example("digits_crossbar").main()
    assert found["crossbar, ideal wires"] == pytest.approx(found["software"], abs=0.01)
    assert found["wires of 100 ohm a segment"] < found["wires of 20 ohm a segment"] <= found["crossbar, ideal wires"]
    assert found["device spread of 30%"] < found["device spread of 10%"]
    assert found["the same with selectors"] > 0.7
