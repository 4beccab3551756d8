"""Readers: the shipped ramps, tables of many shapes, every error with its message, and a round trip."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synspice.compact.errors import DataError, UnknownNameError
from synspice.fitting import readers
from synspice.fitting.readers import Dataset, PulseRamp, Sweep, inference
from synspice.fitting.readers.columns import describe

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "examples" / "data" / "cross_sim_ltp_ltd"


def write(folder: Path, text: str, name: str = "data.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def loop(header: str = "time (s),voltage (V),current (A)", points: int = 8, separator: str = ",") -> str:
    rows = [separator.join(repr(x) for x in (0.1 * k, 0.2 * k, 1e-6 * k)) for k in range(points)]
    return "\n".join([header, *rows]) + "\n"


# the shipped ramps


@pytest.mark.parametrize(("name", "count", "polarity"), [("set", 39, "set"), ("reset", 40, "reset")])
def test_shipped_ramps(name: str, count: int, polarity: str) -> None:
    data = readers.read(SHIPPED / f"{name}.csv")
    assert data.licence == "BSD-3-Clause" and "Sandia" in data.credit and data.title
    assert len(data.ramps) == len(data.records) == count
    assert {ramp.polarity for ramp in data.ramps} == {polarity}
    assert [ramp.cycle for ramp in data.ramps] == list(range(1, count + 1))
    for ramp in data.ramps:
        assert ramp.pulse[0] == 1 and np.all(np.diff(ramp.pulse) == 1)
        assert np.all((ramp.conductance > 1.5e-3) & (ramp.conductance < 2.6e-3))
        assert ramp.amplitude is None and ramp.read_voltage == 0.1


def test_shipped_ramps_first_value_is_current_over_read_voltage() -> None:
    ramp = readers.read(SHIPPED / "set.csv").ramps[0]
    assert ramp.conductance[0] == 0.000160588 / 0.1
    assert readers.read(SHIPPED / "set.csv", read_voltage=0.2).ramps[0].conductance[0] == 0.000160588 / 0.2


def test_shipped_ramps_alternate_beginning_with_reset() -> None:
    data = Dataset.combine([readers.read(SHIPPED / "set.csv"), readers.read(SHIPPED / "reset.csv")])
    assert len(data.records) == 79 and data.licence == "BSD-3-Clause"
    up = [r for r in data.ramps if r.polarity == "set"]
    down = [r for r in data.ramps if r.polarity == "reset"]
    into_set = np.mean([abs(down[k].conductance[-1] - up[k].conductance[0]) for k in range(39)])
    into_reset = np.mean([abs(up[k].conductance[-1] - down[k + 1].conductance[0]) for k in range(39)])
    assert into_set < 1e-6 and into_reset < 1.2e-6


# ramps


def test_ramps_ragged_polarity_and_override(tmp_path: Path) -> None:
    path = write(tmp_path, "r 1,r 2\n1e-6,5e-6\n2e-6,4e-6\n3e-6,3e-6\n4e-6,\n")
    data = readers.read(path)
    assert [r.polarity for r in data.ramps] == ["set", "reset"]
    assert [len(r.pulse) for r in data.ramps] == [4, 3]
    assert "0.1 V" in data.notes[0]
    assert {r.polarity for r in readers.read(path, polarity="reset").ramps} == {"reset"}


@pytest.mark.parametrize(
    ("text", "given_settings", "message", "row"),
    [
        ("r1,r2\n1,1\n,2\n3,3\n4,4\n", {}, "column 'r1' is blank where a finite number is needed", 3),
        ("r1,r2\n1,1\n2,x\n3,3\n", {}, "column 'r2' is 'x'", 3),
        ("r1,r2\n1,1\n2,2\n", {}, "ramp 'r1' has 2 pulse(s), at least 3 are needed", None),
        ("r1,r2\n1,1\n2,2\n3,3\n", {"read_voltage": 0.0}, "read voltage must be a finite number other than 0 V", None),
        ("a,b\n1,1\n2,2\n3,3\n", {}, "not a table of ramps", None),
    ],
)
def test_ramps_errors(
    tmp_path: Path, text: str, given_settings: dict[str, float], message: str, row: int | None
) -> None:
    with pytest.raises(DataError) as caught:
        readers.read(write(tmp_path, text), layout="ramps", **given_settings)
    assert message in str(caught.value) and caught.value.row == row
    assert "data.csv" in str(caught.value)


# tables with named columns


@pytest.mark.parametrize(
    ("header", "scale"),
    [
        ("time (s),voltage (V),current (A)", 1.0),
        ("t,V,I", 1.0),
        ("time_s,voltage_v,current_a", 1.0),
        ("Time [ms],U [mV],I [mA]", 1e-3),
        ("time/ms,AV/mV,AI/mA", 1e-3),
        ("t (us),applied bias (uV),device current (µA)", 1e-6),
        ("Timestamp,DrainV,DrainI", 1.0),
        ("Smu1.Time[1][1],Smu1.V[1][1],Smu1.I[1][1]", 1.0),
        ("# a remark\n\n% another\ntime,voltage,current\nsecond,Volt,Ampere", 1.0),
        ("Title, something\nOperator, a person\ntime,voltage,current\n(ms),(mV),(mA)", 1e-3),
    ],
)
def test_headers(tmp_path: Path, header: str, scale: float) -> None:
    (sweep,) = readers.read(write(tmp_path, loop(header))).sweeps
    assert sweep.time is not None
    np.testing.assert_allclose(sweep.time, scale * 0.1 * np.arange(8), rtol=1e-12)
    np.testing.assert_allclose(sweep.voltage, scale * 0.2 * np.arange(8), rtol=1e-12)
    np.testing.assert_allclose(sweep.current, scale * 1e-6 * np.arange(8), rtol=1e-12)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, loop("time (s),voltage (V),current (µA)"), encoding=encoding)
    np.testing.assert_allclose(readers.read(path).sweeps[0].current, 1e-12 * np.arange(8))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_comma(tmp_path: Path, separator: str) -> None:
    text = loop("time (s),voltage (V),current (A)".replace(",", separator), separator=separator).replace(".", ",")
    np.testing.assert_allclose(readers.read(write(tmp_path, text)).sweeps[0].voltage, 0.2 * np.arange(8))


def test_explicit_columns_units_and_circuit(tmp_path: Path) -> None:
    path = write(tmp_path, loop("when,Smu1.V[1][1],Smu2.I[1][1]"))
    (sweep,) = readers.read(
        path,
        columns={"time": "when", "voltage": "Smu1.V[1][1]", "current": "Smu2.I[1][1]"},
        units={"current": "mA"},
        compliance=5e-9,
        series_resistance=1e6,
    ).sweeps
    np.testing.assert_allclose(sweep.current, 1e-9 * np.arange(8))
    assert (sweep.compliance, sweep.compliance_source, sweep.series_resistance) == (5e-9, "given", 1e6)
    assert sweep.in_compliance.sum() == 3 and np.isnan(sweep.device_voltage[-1])
    np.testing.assert_allclose(sweep.device_voltage[1], 0.2 - 1e6 * 1e-9)
    assert "voltage = Smu1.V[1][1]" in str(sweep.provenance)


def test_indexed_runs_and_cycles_make_records(tmp_path: Path) -> None:
    rows = "\n".join(f"{k},{0.1 * k},{1e-6 * k},{0.1 * k},{2e-6 * k}" for k in range(6))
    sweeps = readers.read(write(tmp_path, "Time,AV(1),AI(1),AV(2),AI(2)\n" + rows)).sweeps
    assert [s.cycle for s in sweeps] == [1, 2] and sweeps[1].current[-1] == pytest.approx(1e-5)
    rows = "\n".join(f"{c},{k},{0.1 * k},{c * 1e-6 * k}" for c in (3, 4) for k in range(6))
    sweeps = readers.read(write(tmp_path, "cycle,time,voltage,current\n" + rows)).sweeps
    assert [s.cycle for s in sweeps] == [3, 4] and sweeps[1].current[-1] == pytest.approx(2e-5)


def test_swept_pair_is_chosen(tmp_path: Path) -> None:
    rows = "\n".join(f"{0.1 * k},{1e-6 * k},0,{-1e-6 * k}" for k in range(6))
    (sweep,) = readers.read(write(tmp_path, "AV,AI,CV,CI\n" + rows)).sweeps
    assert sweep.current[-1] == pytest.approx(5e-6)


def test_pulse_tables(tmp_path: Path) -> None:
    path = write(tmp_path, "pulse,conductance (uS)\n1,1\n2,2\n3,3\n4,4\n5,5\n")
    (ramp,) = readers.read(path).ramps
    assert isinstance(ramp, PulseRamp) and ramp.polarity == "set" and ramp.read_voltage is None
    np.testing.assert_allclose(ramp.conductance, 1e-6 * np.arange(1, 6))
    path = write(tmp_path, "pulse number,current (uA)\n1,5\n2,4\n3,3\n4,2\n5,1\n")
    (ramp,) = readers.read(path, read_voltage=0.5).ramps
    assert ramp.polarity == "reset" and ramp.conductance[0] == pytest.approx(1e-5)
    with pytest.raises(DataError, match="give read_voltage"):
        readers.read(path)


def test_transistor_curve(tmp_path: Path) -> None:
    rows = "\n".join(f"-0.2,{-1e-4 * k},{-0.1 * k},{1e-9 * k}" for k in range(6))
    header = "Drain Voltage (V),Drain Current (A),Gate Voltage (V),Gate Current (A)\n"
    (curve,) = readers.read(write(tmp_path, header + rows)).transistor_curves
    assert curve.gate_voltage[-1] == -0.5 and curve.drain_current[-1] == -5e-4
    assert curve.gate_current is not None and curve.gate_current[-1] == 5e-9


def test_inverted_current_is_turned_and_said(tmp_path: Path) -> None:
    rows = "\n".join(f"{0.1 * k},{-1e-6 * k}" for k in range(6))
    data = readers.read(write(tmp_path, "voltage,current\n" + rows))
    (sweep,) = data.sweeps
    assert sweep.sign_convention == "inverted" and sweep.current[-1] == pytest.approx(5e-6)
    assert sweep.time is None and any("sign was turned round" in note for note in data.notes)


def test_bad_rows_are_dropped_on_request_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, loop() + "0.9,1.8,nan\n1.0,2.0,9.9e37\n1.1,2.2,1e-5\n")
    data = readers.read(path, drop_bad_rows=True)
    assert len(data.sweeps[0].current) == 9 and any("2 rows without numbers were left out" in n for n in data.notes)


@pytest.mark.parametrize(
    ("text", "message", "row"),
    [
        ("", "the file is empty", None),
        ("\n \n", "the file is empty", None),
        ("# only a remark\n", "the file holds comments only", None),
        ("time,voltage,current\n", "no data below the header (time, voltage, current)", 1),
        (loop("time,voltage,amperage"), "no column for the current; columns found: time, voltage, amperage", None),
        (loop("time,potenti,current"), "no column for the voltage; columns found: time, potenti, current", None),
        (loop("time,voltag,current"), "did you mean 'voltag'?; name it as 'voltage (V)' or give columns=", None),
        (loop("voltage 1,voltage 2,current"), "2 columns could be the voltage: voltage 1, voltage 2; say which", None),
        (
            loop() + "0.8,nan,1\n0.9,1,1\n1.0,,1\n",
            "column 'voltage (V)' is 'nan' where a finite number is needed; 2 such",
            10,
        ),
        (loop() + "0.8,,1\n0.9,1,1\n", "is blank where a finite number is needed; 1 such row(s), on line(s) 10", 10),
        (loop() + "0.8,1.6,OVERFLOW\n", "column 'current (A)' is 'OVERFLOW'", 10),
        (loop() + "0.8,1.6,9.91e37\n", "column 'current (A)' is '9.91e37'", 10),
        (
            loop() + "0.3,1.6,1e-6\n",
            "the time does not rise: 0.7 s is followed by 0.3 s; 1 such row(s), on line(s) 10",
            10,
        ),
        (loop() + "0.7,1.6,1e-6\n", "the time does not rise: 0.7 s is followed by 0.7 s", 10),
        (loop(points=3), "3 row(s) of data, at least 5 are needed", None),
        (loop() + "end of file\n" + "x,y\n", "not a CSV file with one table: 1 field(s) where the header has 3", 10),
        ("1,2,3\n" * 6, "no header line: it starts with the numbers 1, 2, 3; name the columns in the first line", 1),
        ("a,b\nc,1\n" * 4, "no column for the voltage; columns found: a, b", None),
    ],
)
def test_column_errors(tmp_path: Path, text: str, message: str, row: int | None) -> None:
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        readers.read(path, layout="columns")
    assert message in str(caught.value)
    assert caught.value.row == row and caught.value.path == str(path)


def test_column_errors_from_settings(tmp_path: Path) -> None:
    path = write(tmp_path, loop())
    with pytest.raises(DataError, match=r"no column 'voltage' for the voltage; did you mean 'voltage \(V\)'"):
        readers.read(path, columns={"voltage": "voltage"})
    with pytest.raises(DataError, match="unknown quantity 'voltge'; did you mean 'voltage'"):
        readers.read(path, columns={"voltge": "voltage (V)"})
    with pytest.raises(DataError, match="'ohm' is not a unit of the current; its SI unit is 'A'"):
        readers.read(path, units={"current": "ohm"})


@pytest.mark.parametrize(
    ("name", "quantity", "scale"),
    [
        ("V", "voltage", 1),
        ("I(mA)", "current", 1e-3),
        ("Id", "current", 1),
        ("gate (mV)", "gate_voltage", 1e-3),
        ("GateV(3)", "gate_voltage", 1),
        ("VGS", "gate_voltage", 1),
        ("experimental_current_a", "current", 1),
        ("g_uS", "conductance", 1e-6),
        ("|I| abs", None, 1),
        ("log I", None, 1),
        ("RESISTANCE", None, 1),
        ("VSET", None, 1),
        ("RATIO_SET_NEG", None, 1),
        ("Item", None, 1),
    ],
)
def test_names_tell_quantity_and_unit(name: str, quantity: str | None, scale: float) -> None:
    column = describe(0, name)
    assert column.quantity == quantity and column.scale == pytest.approx(scale)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.floats(1e-9, 1e3), st.floats(-1e2, 1e2), st.floats(-1.0, 1.0)), min_size=5, max_size=40),
    separator=st.sampled_from([",", ";", "\t"]),
    decimal_comma=st.booleans(),
    mark=st.sampled_from(["", "\ufeff"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[float, float, float]],
    separator: str,
    decimal_comma: bool,
    mark: str,
    newline: str,
) -> None:
    """What is written with any separator, decimal mark, byte-order mark and line end is read back exactly."""
    time = np.cumsum([row[0] for row in rows])
    lines = [separator.join(repr(float(x)) for x in (t, v, i)) for t, (_, v, i) in zip(time, rows, strict=True)]
    text = newline.join(lines)
    if decimal_comma and separator != ",":
        text = text.replace(".", ",")
    header = separator.join(["time (s)", "voltage (V)", "current (A)"])
    path = write(tmp_path_factory.mktemp("csv"), mark + header + newline + text + newline)
    (sweep,) = readers.read(path).sweeps
    sign = 1.0 if sweep.sign_convention == "passive" else -1.0
    assert sweep.time is not None
    assert np.array_equal(sweep.time, time)
    assert np.array_equal(sweep.voltage, [row[1] for row in rows])
    assert np.array_equal(sign * sweep.current, [row[2] for row in rows])


# instruments


def workbook(path: Path, runs: dict[str, list[list[object]]], run_settings: list[list[object]] | None = None) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheets = {**runs, "Calc": [], **({"Settings": run_settings} if run_settings is not None else {})}
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
            for cell in sheet[sheet.max_row]:
                cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type  # a rule of '=' is no formula
    book.save(path)
    return path


def run(current: float, header: tuple[str, ...] = ("Time", "AI", "AV", "VSET", "ILRS")) -> list[list[object]]:
    rows: list[list[object]] = [list(header)]
    for k in range(21):
        rows.append([0.1 * k, current * k, 0.1 * min(k, 20 - k), "#REF" if k == 0 else None, None])
    return rows


RULE = "=" * 34
SETTINGS: list[list[object]] = [
    row
    for name in ("Run2", "Run10")
    for row in (
        [RULE],
        [name],
        [RULE],
        ["Device Terminal", "Anode", "Cathode"],
        ["Operation Mode", "Voltage Linear Sweep", "Common"],
        ["Compliance", "0.0005" if name == "Run2" else "0.001", "N/A"],
    )
]


def test_workbook_runs_in_order_with_stated_compliance(tmp_path: Path) -> None:
    path = workbook(tmp_path / "any name.xlsx", {"Run10": run(2e-6), "Run2": run(1e-6)}, SETTINGS)
    sweeps = readers.read(path).sweeps
    assert [s.label for s in sweeps] == ["Run2", "Run10"] and [s.cycle for s in sweeps] == [1, 2]
    assert [s.compliance for s in sweeps] == [5e-4, 1e-3] and sweeps[0].compliance_source == "stated"
    assert sweeps[0].provenance.sheet == "Run2" and sweeps[0].direction == "set"
    assert readers.read(path, compliance=0.1).sweeps[0].compliance_source == "given"


def test_workbook_without_settings_says_so(tmp_path: Path) -> None:
    data = readers.read(workbook(tmp_path / "w.xlsx", {"Run1": run(1e-6)}))
    assert data.sweeps[0].compliance is None and data.sweeps[0].compliance_source == "unknown"
    assert any("Settings sheet is absent or states nothing" in note for note in data.notes)


def test_workbook_errors(tmp_path: Path) -> None:
    path = workbook(tmp_path / "ratio.xlsx", {"Summary": [["Cycle", "VSET"], [1, 2.0]]})
    with pytest.raises(DataError, match=r"no sheet holds a voltage and a current column.*'Summary': Cycle, VSET"):
        readers.read(path)
    broken = run(1e-6)
    broken[4][1] = "n/a"
    with pytest.raises(DataError, match="line 5: sheet 'Run1': column 'AI' is 'n/a'"):
        readers.read(workbook(tmp_path / "w.xlsx", {"Run1": broken}))
    broken[4][1] = datetime.date(2020, 1, 2)
    with pytest.raises(DataError, match="column 'AI' is '2020-01-02"):
        readers.read(workbook(tmp_path / "w.xlsx", {"Run1": broken}))
    damaged = tmp_path / "damaged.xlsx"
    damaged.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(DataError, match="the workbook cannot be opened"):
        readers.read(damaged)
    with pytest.raises(DataError, match="not an Excel workbook"):
        readers.read(write(tmp_path, loop()), layout="keithley")


EASYEXPERT = """
SetupTitle, A sweep
PrimitiveTest, I/V Sweep
TestParameter, Channel.IName, I1, I2
TestParameter, Channel.VName, V1, V2
TestParameter, Channel.Func, VAR1, CONST
TestParameter, Measurement.Port.SeriesResistor, {resistor}, NONE
TestParameter, Measurement.Primary.Compliance, 1E-05
MetaData, TestRecord.RecordTime, 01/01/2000 00:00:00
Dimension1, 6, 6
Dimension2, 2, 2
DataName, V1, I1, I2
"""


def easyexpert(resistor: str = "NONE") -> str:
    rows = [f"DataValue, {0.1 * k}, {1e-6 * (k + 1) * c}, 0" for c in (1, 2) for k in range(6)]
    return EASYEXPERT.format(resistor=resistor) + "\n".join(rows) + "\n"


def test_easyexpert(tmp_path: Path) -> None:
    sweeps = readers.read(write(tmp_path, easyexpert())).sweeps
    assert len(sweeps) == 2 and sweeps[0].label == "A sweep" and sweeps[1].cycle == 2
    assert sweeps[0].compliance == 1e-5 and sweeps[0].compliance_source == "stated"
    assert sweeps[1].current[-1] == pytest.approx(1.2e-5) and sweeps[0].series_resistance == 0
    assert readers.read(write(tmp_path, easyexpert("1MOHM"))).sweeps[0].series_resistance == 1e6
    assert len(readers.read(write(tmp_path, easyexpert() * 2)).sweeps) == 4


def test_easyexpert_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no DataName line"):
        readers.read(write(tmp_path, easyexpert().split("Dimension1")[0]))
    with pytest.raises(DataError, match="no column 'V9' for the channel; columns found: V1, I1, I2"):
        readers.read(write(tmp_path, easyexpert()), channel="V9")
    with pytest.raises(DataError, match="line 15: column 'I1' is 'x'"):
        readers.read(write(tmp_path, easyexpert().replace("0.2, 3e-06", "0.2, x")))


@pytest.mark.parametrize(
    "header", ["x-axis,1,2\nsecond,Volt,Volt", "TIME,CH1,CH2", "Model,TDS\nX,CH1,CH2,\nSecond,Volt,Volt,"]
)
def test_oscilloscope(tmp_path: Path, header: str) -> None:
    rows = "\n".join(f"{1e-3 * k},+{1e-3 * k},{0.1 * k}" + ("," if header.endswith(",") else "") for k in range(8))
    path = write(tmp_path, header + "\n" + rows)
    (sweep,) = readers.read(path, series_resistance=1e3).sweeps
    np.testing.assert_allclose(sweep.current, 1e-6 * np.arange(8))
    np.testing.assert_allclose(sweep.device_voltage, 0.099 * np.arange(8))
    with pytest.raises(DataError, match=r"give series_resistance=\.\.\., the resistor in series"):
        readers.read(path)
    with pytest.raises(DataError, match="there is no channel 4; channels found: 1, 2"):
        readers.read(path, series_resistance=1e3, resistor_channel=4)


def test_headerless(tmp_path: Path) -> None:
    text = "\n".join(f"{0.1 * k}\t{1e-3 + 1e-6 * k}\t2.0" for k in range(8))
    data = readers.read(write(tmp_path, text, "x.txt"))
    assert isinstance(data.sweeps[0], Sweep) and data.sweeps[0].voltage[0] == 2.0
    assert "taken as time, current, voltage" in data.notes[0]
    swapped = readers.read(write(tmp_path, text, "x.txt"), columns=("time", "voltage", "current"))
    assert swapped.sweeps[0].current[0] == 2.0 and not swapped.notes
    two = readers.read(write(tmp_path, "\n".join(f"{0.1 * k} {1e-6 * k}" for k in range(8)), "y.txt"))
    assert two.sweeps[0].time is None and two.sweeps[0].voltage[-1] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("text", "message", "row"),
    [
        ("1 2 3\n2 2 3\n3 2\n4 2 3\n", "two or three numbers a line are needed, found 2, 3", 3),
        ("1 2 3\n2 2 3\n3 2 abc\n4 2 3\n5 6 7\n", "column 'column 3' is 'abc'", 3),
        ("1 2 3\n2 2 3\n1 2 3\n4 2 3\n5 6 7\n", "the time does not rise: 2 s is followed by 1 s", 3),
        ("", "the file is empty", None),
    ],
)
def test_headerless_errors(tmp_path: Path, text: str, message: str, row: int | None) -> None:
    with pytest.raises(DataError) as caught:
        readers.read(write(tmp_path, text, "x.txt"), layout="headerless")
    assert message in str(caught.value) and caught.value.row == row


# recognising a layout, settings, sidecar


def test_files_that_are_no_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        readers.read(tmp_path / "missing.csv")
    with pytest.raises(DataError, match="this is a folder"):
        readers.read(tmp_path)
    with pytest.raises(DataError, match="the file is empty"):
        readers.read(write(tmp_path, ""))
    with pytest.raises(DataError, match=r"layout of this file is not known(.|\n)*ramps: pulse ramps"):
        readers.read(write(tmp_path, "hello\nworld\n"))
    binary = tmp_path / "image.csv"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR,a,b\n" * 20)
    with pytest.raises(DataError, match="this is not a text file"):
        readers.read(binary, layout="columns")


def test_unknown_names(tmp_path: Path) -> None:
    path = write(tmp_path, loop())
    with pytest.raises(UnknownNameError, match="unknown layout 'ramp'; did you mean 'ramps'"):
        readers.read(path, layout="ramp")
    with pytest.raises(UnknownNameError, match="setting of layout 'columns' 'complience'; did you mean 'compliance'"):
        readers.read(path, complience=1e-3)


def test_layouts_are_described() -> None:
    assert list(readers.layouts()) == list(readers.LAYOUTS)
    assert all(readers.layouts().values())
    assert "read_voltage" in readers.LAYOUTS["ramps"].settings


def test_sidecar_states_the_circuit(tmp_path: Path) -> None:
    path = write(tmp_path, loop("x,voltage,current"))
    write(
        tmp_path,
        'title = "T"\nlicence = "CC0"\nnotes = ["n"]\n[settings]\nseries_resistance = 50.0\nread_voltage = 0.1\n'
        '[files."data.csv"]\ncompliance = 1e-3\n[files."data.csv".columns]\ntime = "x"\n',
        "dataset.toml",
    )
    data = readers.read(path, series_resistance=60.0)
    (sweep,) = data.sweeps
    assert (data.title, data.licence, data.notes[0]) == ("T", "CC0", "n")
    assert sweep.compliance == 1e-3 and sweep.series_resistance == 60.0 and sweep.time is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = ", "not valid TOML"),
        ('license = "x"', "unknown key 'license'; did you mean 'licence'"),
        ("title = 3", "'title' must be text"),
        ('notes = "n"', "'notes' must be a list of texts"),
        ("settings = 3", "'settings' must be a table"),
        ("[settings]\ncomplience = 1e-3", "unknown setting 'complience'"),
    ],
)
def test_sidecar_errors(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text, "dataset.toml")
    with pytest.raises(DataError) as caught:
        readers.read(write(tmp_path, loop()))
    assert message in str(caught.value) and "dataset.toml" in str(caught.value)


# what a sweep tells about its circuit


def triangle(peak: float = 2.0, points: int = 201) -> np.ndarray:
    return peak * (1 - np.abs(np.linspace(-1, 1, points)))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_direction(sign: float) -> None:
    voltage = sign * triangle()
    outward = np.arange(voltage.size) < voltage.size // 2
    assert inference.sweep_direction(voltage, np.where(outward, 1e-7, 1e-4) * voltage) == "set"
    assert inference.sweep_direction(voltage, np.where(outward, 1e-4, 1e-7) * voltage) == "reset"
    assert inference.sweep_direction(voltage, 1e-6 * voltage) is None
    assert inference.sweep_direction(voltage - sign, 1e-6 * voltage) is None


def test_compliance_is_inferred_from_a_flat_top_only() -> None:
    voltage = triangle()
    limited = np.minimum(1e-3 * voltage, 5e-4)
    spike = limited.copy()
    spike[60] = 7e-4
    assert inference.compliance_from_plateau(voltage, limited) == 5e-4
    assert inference.compliance_from_plateau(voltage, spike) == 5e-4
    assert inference.compliance_from_plateau(-voltage, -limited) == 5e-4
    assert inference.compliance_from_plateau(voltage, 1e-3 * voltage) is None
    assert inference.compliance_from_plateau(voltage, 1e-3 * np.tanh(voltage)) is None
    assert inference.compliance_from_plateau(voltage, np.zeros_like(voltage)) is None


def test_records_are_frozen_and_checked(tmp_path: Path) -> None:
    sweep = readers.read(write(tmp_path, loop())).sweeps[0]
    with pytest.raises(ValueError, match="read-only"):
        sweep.current[0] = 1.0
    with pytest.raises(ValueError, match="arrays of one length"):
        Sweep(voltage=np.zeros(3), current=np.zeros(4), label="x", provenance=sweep.provenance)
