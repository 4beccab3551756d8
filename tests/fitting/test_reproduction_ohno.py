"""Ohno 2011: the rows that are fast, the populations, and what they share with the engines of circuits."""

from __future__ import annotations

import numpy as np
import pytest

from synspice.compact.registry import get_card
from synspice.fitting.characteristics.catalogue import catalogue, select
from synspice.fitting.reproduction import ohno2011
from synspice.fitting.reproduction.ohno2011 import QUANTUM, WIDTH, population, pulse_steps
from synspice.fitting.reproduction.runner import AGREEMENT, run_rows
from synspice.fitting.reproduction.workbench import Workbench

FAST = ["O1", "O2", "O3", "O4a", "O4b", "O7a", "O7b", "O8", "O9", "O11", "O12"]


@pytest.fixture(scope="module")
def reproduced():
    return {item.row.id: item for item in run_rows(select(FAST), "reference")}


@pytest.mark.parametrize("name", FAST)
def test_row_is_met_on_the_reference_engine(reproduced, name):
    item = reproduced[name]
    assert item.met, f"{item.simulated} {item.note}"


@pytest.mark.ngspice
@pytest.mark.parametrize("name", ["O4a", "O7b"])
def test_ngspice_agrees_with_the_reference_engine(name):
    (item,) = run_rows(select([name]), "ngspice", compare=True)
    assert item.met
    assert item.deviation <= AGREEMENT


def test_every_row_has_a_protocol_and_a_third_is_held_out():
    rows = catalogue("ohno2011").rows
    assert [row.id for row in rows] == list(ohno2011.PROTOCOLS)
    assert sum(row.held_out for row in rows) >= len(rows) / 3


def test_populations_are_seeded():
    card = get_card("ag2s")
    (ends, nexts, first), (again, _, _), (other, _, _) = (population(card, 2.0, 5, s, 2) for s in (1, 1, 2))
    np.testing.assert_array_equal(ends, again)
    assert not np.array_equal(ends, other)
    assert ends.shape == nexts.shape == (5, 2)
    assert len({d["silver_ready"] for d in first}) == 5


def test_without_spread_a_population_is_the_card():
    card = get_card("ag2s")
    values = dict(card.values)
    for name in ("k_grow", "silver_ready"):
        value = values[name]
        values[name] = type(value)(
            value=value.value,
            unit=value.unit,
            method=value.method,
            source=value.source,
            spread_device=0.0,
            spread_cycle=0.0,
        )
    plain = type(card)(name=card.name, device=card.device, title="", source="", values=values)
    ends, _, _ = population(plain, 2.0, 2, 0, 3)
    result = ohno2011.train(Workbench("ag2s", "reference"), 2.0, 3)
    np.testing.assert_allclose(ends[0], ohno2011.at_pulse_ends(result, 2.0, 3), rtol=1e-3)


@pytest.mark.ngspice
def test_sampled_devices_are_the_same_in_ngspice():
    card = get_card("ag2s")
    ends, _, first = population(card, 2.0, 3, 7, 1)
    bench = Workbench(card, "ngspice")
    for values, found in zip(first, ends[:, 0], strict=True):
        (result,) = bench.run([(ohno2011._bench(pulse_steps(2.0 - WIDTH)), values)])
        assert result.at("conductance", np.array([WIDTH]))[0] == pytest.approx(found, rel=AGREEMENT)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["O5", "O6", "O10", "O13"])
def test_population_rows_are_met(name):
    (item,) = run_rows(select([name]), "reference")
    assert item.met, f"{item.simulated} {item.note}"


def test_a_small_population_potentiates_at_the_short_interval():
    card = get_card("ag2s")
    (_, short, _), (_, long, _) = (population(card, t, 100, 3) for t in (2.0, 20.0))
    assert (short[:, -1] > QUANTUM).mean() > 0.8
    assert (long[:, -1] > QUANTUM).mean() < 0.4
