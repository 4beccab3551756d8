"""Raw files: what ngspice writes, and what is left when it fails."""

from pathlib import Path

import numpy as np
import pytest

from synspice.compact.errors import DataError, UnknownNameError
from synspice.netlists.ngspice import read_raw, run_deck

THREE_ANALYSES = """three analyses
{options}
V1 in 0 dc 1 ac 1
R1 in out 1k
C1 out 0 1u
.op
.ac dec 5 1 1e5
.dc V1 0 1 0.1
.end
"""


@pytest.fixture
def raw_file(tmp_path: Path) -> Path:
    run = run_deck(THREE_ANALYSES.format(options=""), keep=tmp_path)
    assert run.folder is not None
    return run.folder / "out.raw"


@pytest.mark.every_ngspice
def test_ascii_equals_binary(tmp_path: Path) -> None:
    binary = run_deck(THREE_ANALYSES.format(options=""), keep=tmp_path)
    ascii_ = run_deck(THREE_ANALYSES.format(options=".options filetype=ascii"), keep=tmp_path)
    assert binary.folder and b"Binary:" in (binary.folder / "out.raw").read_bytes()
    assert ascii_.folder and b"Values:" in (ascii_.folder / "out.raw").read_bytes()
    assert [plot.kind for plot in binary.plots] == [plot.kind for plot in ascii_.plots] == ["ac", "dc", "op"]
    for one, other in zip(binary.plots, ascii_.plots, strict=True):
        assert one.variables == other.variables
        np.testing.assert_allclose(one.scale, other.scale, rtol=1e-15)  # 16 digits as text
        np.testing.assert_allclose(one.data[1:], other.data[1:], rtol=1e-15)


@pytest.mark.every_ngspice
def test_a_plot_describes_itself(raw_file: Path) -> None:
    ac, dc, op = read_raw(raw_file)
    assert (ac.title, ac.plotname, ac.points) == ("three analyses", "AC Analysis", 26)
    assert ac.variables[2] == ("v(out)", "voltage")
    assert ac.data.dtype == np.complex128 and ac.scale.dtype == np.float64
    assert dc.names == ("v(v-sweep)", "v(in)", "v(out)", "i(v1)")
    np.testing.assert_allclose(dc["V(OUT)"], np.linspace(0, 1, 11), atol=1e-12)
    assert op.data.shape == (3, 1) and "i(V1)" in op and "i(v2)" not in op
    assert op.data.flags.owndata and op.data.flags.c_contiguous


def test_an_unknown_vector_offers_the_nearest(raw_file: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'v\(out\)'"):
        read_raw(raw_file)[2]["v(uot)"]


@pytest.mark.parametrize("ending", [b"Binary:\n", b"Values:\n"])
def test_no_points(tmp_path: Path, ending: bytes) -> None:
    path = tmp_path / "empty.raw"
    path.write_bytes(
        b"Title: t\nDate: d\nPlotname: Operating Point\nFlags: real\nNo. Variables: 1\nNo. Points: 0       \n"
        b"Variables:\n\t0\tv(a)\tvoltage\n" + ending
    )
    (plot,) = read_raw(path)
    assert plot.points == 0 and plot.names == ("v(a)",)


def test_every_truncation_of_the_last_plot_is_noticed(raw_file: Path, tmp_path: Path) -> None:
    whole = raw_file.read_bytes()
    cut = tmp_path / "cut.raw"
    for length in range(whole.rindex(b"Title:") + 1, len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(DataError, match="truncated|follow"):
            read_raw(cut)


@pytest.mark.every_ngspice
def test_a_truncated_ascii_file(tmp_path: Path) -> None:
    run = run_deck(THREE_ANALYSES.format(options=".options filetype=ascii"), keep=tmp_path)
    assert run.folder
    path = run.folder / "out.raw"
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError, match="truncated"):
        read_raw(path)


def test_points_behind_a_header_that_says_none(raw_file: Path) -> None:
    whole = raw_file.read_bytes()
    raw_file.write_bytes(whole.replace(b"No. Points: 11", b"No. Points: 0 "))
    with pytest.raises(DataError, match="the run was aborted"):
        read_raw(raw_file)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"time,current\n0,1\n", b"Title: only\nBinary:\n", b"\x00\x01"])
def test_a_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "not.raw"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"not\.raw.*(empty|not a raw file|truncated)"):
        read_raw(path)
