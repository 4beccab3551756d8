"""Cards regenerated from their rows."""

from __future__ import annotations

import pytest

from synspice.compact.errors import UnknownNameError
from synspice.compact.registry import get_card, get_device
from synspice.fitting.extraction import FreeReference, extract, extract_in_detail, extractable
from synspice.fitting.reproduction.runner import protocol_module
from synspice.fitting.reproduction.workbench import Workbench


@pytest.mark.slow
@pytest.mark.parametrize("name", extractable())
def test_a_shipped_card_is_what_its_rows_give(name):
    extracted = extract_in_detail(name)
    shipped = get_card(name)
    for parameter in (*extracted.determined, *extracted.derived):
        value = extracted.card.values[parameter].value
        assert value == pytest.approx(shipped.values[parameter].value, rel=0.01), parameter
    assert {*extracted.determined, *extracted.derived, *extracted.given} == set(shipped.values)
    assert not {*extracted.given.values()} - {"documented", "assumed"}
    for parameter in extracted.determined:
        assert extracted.card.values[parameter].stderr > 0


def test_free_parameters_give_what_the_reference_engine_gives():
    card = get_card("huang_ysz")
    engine = FreeReference(get_device(card.device), ["l_hop"])
    moved = card.with_values({"l_hop": 1.3e-9}, get_device(card.device), "test")
    for chosen in (card, moved):
        rows = {
            e: protocol_module("huang2025").PROTOCOLS["EIS-16a"](Workbench(chosen, e)).simulated["ltp"].value
            for e in (engine, "reference")
        }
        assert rows[engine] == pytest.approx(rows["reference"], rel=1e-3)


def test_a_card_without_a_recipe():
    with pytest.raises(UnknownNameError, match="huang_ysz"):
        extract("huang_ysx")
