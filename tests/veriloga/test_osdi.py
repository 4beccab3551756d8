"""ngspice with OSDI. No ngspice here has it, so the deck is held to golden text and the way round it is tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toys

from synspice.compact.errors import EngineMissingError
from synspice.compact.stimulus import Bench, Drive, Waveform
from synspice.netlists import ngspice
from synspice.netlists.ngspice import Plot, RawData, SolverOptions, Variable
from synspice.netlists.testbench import Job
from synspice.veriloga import osdi
from synspice.veriloga.osdi import format_osdi_bench, require_osdi, run_ngspice_osdi

JOB = Job(
    model=toys.transistor(),
    values={"w_init": 0.4},
    bench=Bench(
        drives={
            "g": Drive(waveform=Waveform((0.0, 1e-3), (0.0, 1.0)), series_resistance=1e3),
            "d": Drive(waveform=Waveform.constant(0.1)),
        },
        frozen=True,
    ),
    experiment="write",
)


def test_the_deck() -> None:
    options = "\n".join(SolverOptions().lines())
    assert (
        format_osdi_bench(JOB)
        == f"""\
* toy_transistor on a bench, compiled
.control
pre_osdi device.osdi
.endc
Vg g_source 0 PWL(0.0 0.0 0.001 1.0)
Rg_source g_source g 1000.0
Vs s 0 DC 0.0
Vd d 0 DC 0.1
.model dut_card toy_transistor g_ch=1e-06 g_leak=1e-09 c_g=1e-09
+ k=1000.0
Ndut g s d dut_card w_init=0.4
+ frozen=1
{options}
.save v(g) v(s) v(d) i(vg) i(vs) i(vd) @ndut[w] @ndut[conductance]
{SolverOptions().transient(1e-3, 1e-6)}
.end
"""
    )


def test_without_osdi_the_error_says_which_build_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngspice, "has_osdi", lambda: False)
    monkeypatch.setattr(ngspice, "version", lambda: "39")
    with pytest.raises(EngineMissingError) as failed:
        run_ngspice_osdi([JOB])
    for word in (
        "ngspice 39 cannot",
        "ngspice 44 or later",
        "--enable-osdi",
        "openvaf-r",
        "SYNSPICE_NGSPICE",
        "vacask",
    ):
        assert word in str(failed.value)


@pytest.mark.ngspice
def test_the_installed_ngspice_is_asked() -> None:
    if ngspice.has_osdi():
        require_osdi()
    else:
        with pytest.raises(EngineMissingError):
            require_osdi()


def test_with_osdi_the_record_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    time = np.linspace(0, 1e-3, 5)
    rows = {"time": time, "v(g)": time, "v(s)": 0 * time, "v(d)": 0.1 + 0 * time, "i(vg)": -1e-6 * time}
    rows |= {"i(vs)": 0 * time, "i(vd)": 0 * time, "@ndut[w]": 0.4 + 0 * time, "@ndut[conductance]": 1e-6 + 0 * time}
    seen: dict[str, Any] = {}

    def run_many(decks: list[str], **kwargs: Any) -> list[RawData]:
        seen["decks"], seen["files"] = decks, kwargs["files"]
        if kwargs["progress"] is not None:
            kwargs["progress"](1, 1)
        plot = Plot(
            title="",
            plotname="Transient Analysis",
            variables=tuple(Variable(name, "voltage") for name in rows),
            data=np.array(list(rows.values())),
        )
        return [RawData(plots=(plot,)) for _ in decks]

    monkeypatch.setattr(ngspice, "has_osdi", lambda: True)
    monkeypatch.setattr(ngspice, "version", lambda: "46")
    monkeypatch.setattr(osdi.ngspice, "run_many", run_many)
    steps: list[tuple[int, int]] = []
    (result,) = run_ngspice_osdi([JOB], progress=lambda done, total: steps.append((done, total)))
    assert seen["decks"] == [format_osdi_bench(JOB)]
    assert isinstance(seen["files"]["device.osdi"], Path)
    assert (result.engine, result.engine_version) == ("ngspice-osdi", "ngspice 46 with OSDI")
    np.testing.assert_array_equal(result["current"], 1e-6 * time)
    np.testing.assert_array_equal(result["w"], 0.4)
    assert steps == [(1, 1)]
