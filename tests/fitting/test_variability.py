"""Samples of a card's spreads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synspice.compact.errors import CardError, ParameterError
from synspice.compact.registry import get_card
from synspice.fitting.variability import sample

CARD = get_card("huang_ysz")


def test_the_same_seed_gives_the_same_devices():
    assert sample(CARD, 5, seed=1) == sample(CARD, 5, seed=1)
    assert sample(CARD, 5, seed=1) != sample(CARD, 5, seed=2)


@pytest.mark.parametrize("kind", ["device", "cycle"])
def test_the_spread_is_the_cards(kind):
    drawn = np.log([v["j_hop"] for v in sample(CARD, 4000, seed=3, kind=kind)])
    value = CARD.values["j_hop"]
    wanted = value.spread_device if kind == "device" else value.spread_cycle
    assert drawn.std() == pytest.approx(wanted, rel=0.05)
    assert drawn.mean() == pytest.approx(np.log(value.value), abs=4 * wanted / np.sqrt(4000))


def test_only_parameters_with_a_spread_are_drawn():
    assert set(sample(CARD, 1, seed=0)[0]) == {"j_hop", "j_ct", "t_el"}
    assert set(sample(CARD, 1, seed=0, kind="cycle")[0]) == {"j_hop", "j_ct"}


def test_a_card_without_spreads():
    with pytest.raises(CardError, match="no spread from cycle to cycle"):
        sample(get_card("li_srtio3"), 1, seed=0, kind="cycle")


def test_samples_stay_in_range():
    wide = replace(CARD, values={"alpha": replace(CARD.values["alpha"], spread_device=0.2)})
    assert all(0 < v["alpha"] <= 1 for v in sample(wide, 200, seed=4))


def test_a_negative_number():
    with pytest.raises(ParameterError, match="must not be negative"):
        sample(CARD, -1, seed=0)
