"""Wang 2017: the rows that are fast, the synapse of two devices, and the particle model's rows."""

from __future__ import annotations

import numpy as np
import pytest

from synspice.fitting.characteristics.catalogue import catalogue, select
from synspice.fitting.reproduction import wang2017
from synspice.fitting.reproduction.runner import AGREEMENT, run_rows
from synspice.fitting.reproduction.wang2017 import stimulus
from synspice.fitting.reproduction.workbench import Workbench

FAST = ["W1", "W2", "W3a", "W3b", "W3c", "W4", "W4b", "W5", "W6", "W6b", "W7", "W7b", "W7c", "W8"]
FAST += ["W10", "W10b", "W15c", "W15d", "W18", "W19"]
PARTICLES = ["W15", "W15b", "W16", "W17"]
UNMET = ["W9"]


@pytest.fixture(scope="module")
def reproduced():
    return {item.row.id: item for item in run_rows(select(FAST), "reference")}


@pytest.mark.parametrize("name", FAST)
def test_row_is_met_on_the_reference_engine(reproduced, name):
    item = reproduced[name]
    assert item.met, f"{item.simulated} {item.note}"


@pytest.mark.parametrize("name", UNMET)
def test_what_is_unmet_says_why(name):
    (item,) = run_rows(select([name]), "reference")
    assert item.met is False
    assert not item.fails
    assert item.row.reason in item.note


@pytest.mark.ngspice
@pytest.mark.parametrize("name", ["W1", "W5", "W7"])
def test_ngspice_agrees_with_the_reference_engine(name):
    (item,) = run_rows(select([name]), "ngspice", compare=True)
    assert item.met
    assert item.deviation <= AGREEMENT


def test_every_row_has_a_protocol_and_a_third_is_held_out():
    rows = catalogue("wang2017").rows
    assert [row.id for row in rows] == list(wang2017.PROTOCOLS)
    assert sum(row.held_out for row in rows) >= len(rows) / 3


def test_one_set_of_parameters_for_all_rows_of_a_material():
    used = {"siox_ny_ag", "mgox_ag", "hfox_ag", "wang_particles", "taox", "hfox_tin"}
    assert {row.card for row in catalogue("wang2017").rows} == used


def test_segments_end_where_they_say():
    wave, ends = stimulus([(1.0, 1e-3), (0.0, 2e-3), (-0.5, 1e-3)], 1e-6)
    np.testing.assert_allclose(ends, [1e-3, 3e-3, 4e-3])
    np.testing.assert_allclose(wave(ends), [1.0, 0.0, -0.5])
    np.testing.assert_allclose(wave(ends - 0.9e-3), [1.0, 0.0, -0.5])


def test_a_long_train_goes_on_where_its_block_ended(monkeypatch):
    bench = Workbench("siox_ny_ag", "reference")
    whole = wang2017.frequency_train(bench, (2, 3, 2))
    monkeypatch.setattr(wang2017, "BLOCK", 3)
    parts = wang2017.frequency_train(Workbench("siox_ny_ag", "reference"), (2, 3, 2))
    for name, values in whole.items():
        np.testing.assert_allclose(parts[name], values, rtol=1e-4)


def test_the_order_of_the_spikes_decides_the_sign(monkeypatch):
    monkeypatch.setattr(wang2017, "DELAYS", (10e-6,))
    changes = {
        delay: result["b.conductance"][-1] / result["b.conductance"][0] - 1
        for delay, result in wang2017.spike_pairs(Workbench("taox", "reference")).items()
    }
    assert changes[10e-6] > 0.01
    assert changes[-10e-6] < -0.01


@pytest.mark.ngspice
def test_the_synapse_in_ngspice_agrees_with_the_reference_engine(monkeypatch):
    monkeypatch.setattr(wang2017, "DELAYS", (20e-6,))
    found, wanted = (
        [r["b.x"][-1] - r["b.x"][0] for r in wang2017.spike_pairs(Workbench("taox", e)).values()]
        for e in ("ngspice", "reference")
    )
    np.testing.assert_allclose(found, wanted, atol=AGREEMENT * np.abs(wanted).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", [*PARTICLES, "W11", "W11b", "W12", "W13", "W13b", "W14", "W14b"])
def test_long_row_is_met(name):
    (item,) = run_rows(select([name]), "reference")
    assert item.met, f"{item.simulated} {item.note}"
