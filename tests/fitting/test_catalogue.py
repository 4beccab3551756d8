"""The catalogues of the papers, and what a faulty one is told."""

from __future__ import annotations

import pytest

from synspice.compact.errors import DataError, UnknownNameError
from synspice.compact.registry import card_paths, get_card
from synspice.fitting.characteristics.catalogue import Limits, catalogue, paper_names, read_catalogue, select
from synspice.fitting.reproduction.runner import protocol_module

ROW = """
[[row]]
id = "T-1"
quantity = "resistance"
source = "Fig. 1"
kind = "quantitative"
protocol = "read at 0.1 V"
documented = "1 kohm"
values = [1e3]
unit = "ohm"
tolerance_reason = "one digit"
reading = "stated"
use = "fitted"
card = "huang_ysz"
expected = "met"
accept = [{ name = "resistance", unit = "ohm", low = 500.0, high = 1500.0 }]
"""
HEAD = 'paper = "toy"\ntitle = "t"\ncitation = "c"\ndoi = "10.1/1"\n'


def written(tmp_path, text, name="toy.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_is_read_with_its_limits(tmp_path):
    (row,) = read_catalogue(written(tmp_path, HEAD + ROW)).rows
    assert row.paper == "toy"
    assert row.values == (1e3,)
    assert row.accept == (Limits(name="resistance", unit="ohm", low=500.0, high=1500.0),)
    assert row.tolerance == "resistance 500 to 1500 ohm"
    assert not row.held_out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'kind = "quantitative"',
            'kind = "precise"',
            "kind = 'precise' is not one of quantitative, trend, statistical",
        ),
        ('source = "Fig. 1"', 'sources = "Fig. 1"', r"'sources' is not a key.*source"),
        ('documented = "1 kohm"\n', "", "'documented' is missing"),
        ('expected = "met"', 'expected = "unmet"', "expected = 'unmet' needs a reason"),
        ('expected = "met"', 'expected = "undetermined"\nreason = "r"', "has use = 'undetermined'"),
        ('unit = "ohm"\ntol', "tol", "values need a unit"),
        ("values = [1e3]", 'values = ["1e3"]', "values must be a list of numbers"),
        ("low = 500.0, high = 1500.0", "low = 1500.0, high = 500.0", "low 1500 is above high 500"),
        (", low = 500.0, high = 1500.0", "", "give low, high or both"),
        ("accept = [{ name", "accept = [{ names", "'names' is not a key"),
        ('paper = "toy"', 'paper = "other"', "must be the file's name"),
    ],
)
def test_a_fault_is_named(tmp_path, old, new, message):
    text = HEAD + ROW
    assert old in text
    with pytest.raises(DataError, match=message):
        read_catalogue(written(tmp_path, text.replace(old, new, 1)))


def test_an_id_is_used_once(tmp_path):
    with pytest.raises(DataError, match="the id is used twice"):
        read_catalogue(written(tmp_path, HEAD + ROW + ROW))


def test_text_that_is_not_toml(tmp_path):
    with pytest.raises(DataError):
        read_catalogue(written(tmp_path, "paper = "))


@pytest.mark.parametrize(
    ("low", "high", "value", "accepted"),
    [
        (1, 2, 1, True),
        (1, 2, 2.1, False),
        (-float("inf"), 2, -9, True),
        (1, 1, 1, True),
        (1, 2, None, False),
        (1, 2, float("nan"), False),
    ],
)
def test_limits(low, high, value, accepted):
    assert Limits(name="q", unit="1", low=low, high=high).accepts(value) is accepted


@pytest.mark.parametrize("paper", paper_names())
def test_every_row_has_a_protocol_and_a_card(paper):
    module = protocol_module(paper)
    rows = catalogue(paper).rows
    assert {row.id for row in rows} == set(module.PROTOCOLS)
    assert {row.card for row in rows} <= set(card_paths())
    assert {row.card for row in rows} >= set(module.RECIPES)
    grouped = [name for group in module.GROUPS for name in group]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) <= set(module.PROTOCOLS)
    for panel in module.PANELS:
        assert set(panel.needs) <= set(module.PROTOCOLS)


@pytest.mark.parametrize("paper", paper_names())
def test_a_third_of_the_rows_is_held_out(paper):
    rows = catalogue(paper).rows
    assert sum(row.held_out for row in rows) >= len(rows) / 3


@pytest.mark.parametrize("paper", paper_names())
def test_no_held_out_row_is_a_target(paper):
    targets = {
        t.row
        for recipe in protocol_module(paper).RECIPES.values()
        for s in recipe.stages
        for t in s.targets
        if not t.note
    }
    assert {catalogue(paper).row(name).use for name in targets} == {"fitted"}


@pytest.mark.parametrize("paper", paper_names())
def test_fitted_parameters_are_those_of_the_recipes(paper):
    for name, recipe in protocol_module(paper).RECIPES.items():
        wanted = {parameter for stage in recipe.stages for parameter in stage.start}
        values = get_card(name).values
        assert wanted <= {n for n, v in values.items() if v.method == "fitted"}
        assert all(value.source for value in values.values())


def test_selection_by_paper_card_and_id():
    assert [row.id for row in select(["EIS-08"])] == ["EIS-08"]
    assert {row.paper for row in select(["li_srtio3"])} == {"li2019"}
    assert len(select(["huang2025", "EIS-08"])) == len(catalogue("huang2025").rows)
    assert len(select()) == sum(len(catalogue(p).rows) for p in paper_names())


def test_an_unknown_name_is_told_its_neighbours():
    with pytest.raises(UnknownNameError, match="EIS-0"):
        select(["EIS-99"])
    with pytest.raises(UnknownNameError):
        catalogue("nobody1999")
