"""Readers on measured files that are not shipped; skipped where they are absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synspice.compact.errors import DataError
from synspice.fitting import readers

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LOCAL = SHARED / "local"
pytestmark = pytest.mark.skipif(not LOCAL.is_dir(), reason="the measured files that may not be shipped are absent")


def only(folder: str, pattern: str) -> Path:
    return next(iter(sorted((LOCAL / folder).glob(pattern))))


@pytest.mark.parametrize(("name", "direction", "first"), [("set", "set", 113), ("reset", "reset", 117)])
def test_clarius_workbook(name: str, direction: str, first: int) -> None:
    data = readers.read(only("rram_keithley_4200a", f"* {name}.xlsx"))
    assert [s.label for s in data.sweeps] == [f"Run{k}" for k in range(first, first + 10)]
    assert [s.cycle for s in data.sweeps] == list(range(1, 11))
    assert {s.direction for s in data.sweeps} == {direction}
    for sweep in data.sweeps:
        assert len(sweep.voltage) == 502 and sweep.time is not None and np.all(np.diff(sweep.time) > 0)
        assert abs(np.abs(sweep.voltage).max() - 2.5) < 1e-3
    # the Settings sheet of these workbooks names the runs and states nothing else
    assert any("states nothing" in note for note in data.notes)
    found = {(s.compliance, s.compliance_source) for s in data.sweeps}
    assert found == ({(5e-4, "inferred")} if direction == "set" else {(None, "unknown")})


def test_clarius_summary_workbook_is_refused() -> None:
    with pytest.raises(DataError, match="no sheet holds a voltage and a current column"):
        readers.read(only("rram_keithley_4200a", "*ratio.xlsx"))


def test_kite_workbook() -> None:
    curves = readers.read(only("keithley_4200_kite_xls", "*.xls")).transistor_curves
    assert len(curves) == 35
    assert all(len(c.drain_voltage) == 31 and np.ptp(c.gate_voltage) == 0 for c in curves)


@pytest.mark.parametrize("path", sorted((LOCAL / "nb_sto_interface_memristor").glob("*.csv")), ids=lambda p: p.name[:3])
def test_indexed_smu(path: Path) -> None:
    (sweep,) = readers.read(path).sweeps
    assert sweep.time is not None and len(sweep.time) > 600
    assert sweep.direction is None and sweep.compliance is None
    assert dict(sweep.provenance.columns)["voltage"] == "Smu1.V[1][1]"


def test_headerless_relaxation() -> None:
    (sweep,) = readers.read(only("ag_nanowire_relaxation", "*.txt")).sweeps
    assert sweep.time is not None and sweep.time[-1] > 350
    assert sweep.voltage[0] == pytest.approx(2, abs=1e-3) and sweep.voltage[-1] == pytest.approx(0.01, abs=1e-3)


def test_oscilloscope() -> None:
    path = only("knowm_sdc_oscilloscope", "*.csv")
    (sweep,) = readers.read(path, series_resistance=1e5).sweeps
    assert len(sweep.voltage) == 16000 and 0.1 < sweep.voltage.max() < 0.2
    with pytest.raises(DataError, match="give series_resistance"):
        readers.read(path)


def test_easyexpert() -> None:
    (sweep,) = readers.read(only("b1500a_easyexpert", "*.csv")).sweeps
    assert len(sweep.voltage) == 201 and sweep.compliance == 1e-5 and sweep.compliance_source == "stated"


def test_open_files() -> None:
    (diode,) = readers.read(next((SHARED / "open" / "ferroelectric_diode_iv").glob("*.csv"))).sweeps
    assert diode.sign_convention == "inverted" and diode.time is None
    (curve,) = readers.read(next((SHARED / "open" / "oect_bistable").glob("*.csv"))).transistor_curves
    assert np.all(curve.drain_voltage == -0.2) and curve.gate_current is not None
