"""Parameter values, cards and the registry: what goes in comes out, and every mistake is named."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toys
from hypothesis import given, settings
from hypothesis import strategies as st

from synspice.compact import registry
from synspice.compact.card import METHODS, Card, Value, format_card, parse_card, read_card, write_card
from synspice.compact.errors import CardError, DefinitionError, OutputError, ParameterError, UnknownNameError
from synspice.compact.model import Model
from synspice.compact.parameters import Parameter


def toy(name: str) -> Model:
    """Stand in for the registry."""
    return {"toy_relaxing": toys.relaxing(), "toy_heated": toys.heated()}[name]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
POSITIVE = st.floats(min_value=1e-300, max_value=1e300)


@st.composite
def cards(draw: st.DrawFn) -> Card:
    model = toys.heated()
    values = {}
    for parameter in draw(st.lists(st.sampled_from(model.parameters), unique_by=lambda p: p.name)):
        low = max(parameter.lower, -1e300)
        value = draw(st.floats(low, min(parameter.upper, 1e300), exclude_min=parameter.lower_open))
        values[parameter.name] = Value(
            value=value,
            unit=parameter.unit,
            method=draw(st.sampled_from(METHODS)),  # type: ignore[arg-type]
            source=draw(TEXT),
            stderr=draw(st.none() | POSITIVE),
            spread_device=draw(st.none() | POSITIVE),
            spread_cycle=draw(st.none() | POSITIVE),
        )
    plain = st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT | st.floats(allow_nan=False, allow_infinity=False)
    plain |= st.dates() | st.times() | st.datetimes()
    table = st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
    )
    return Card(
        name=draw(TEXT),
        device="toy_heated",
        title=draw(TEXT),
        source=draw(TEXT),
        notes=draw(TEXT),
        values=values,
        extra=draw(st.dictionaries(TEXT, table, max_size=3)),
    )


@given(card=cards())
@settings(max_examples=150, deadline=None)
def test_round_trip(card: Card, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("cards") / "card.toml"
    write_card(card, path)
    assert read_card(path, toy) == card


def card_text(**changes: str) -> str:
    """Return a good card's text, with lines of its parameter table replaced or added."""
    entry = {"value": "2.0e-5", "unit": '"S"', "method": '"fitted"', "source": '"a fit"', **changes}
    lines = [f"{k} = {v}" for k, v in entry.items() if v]
    return "\n".join(['name = "c"', 'device = "toy_relaxing"', "[parameters.g_0]", *lines]) + "\n"


def read_text(text: str, folder: Path) -> Card:
    path = folder / "card.toml"
    path.write_text(text, encoding="utf-8")
    return read_card(path, toy)


def test_a_card_without_the_optional_parts(tmp_path: Path) -> None:
    card = read_text('name = "c"\ndevice = "toy_relaxing"\n', tmp_path)
    assert card == Card(name="c", device="toy_relaxing", title="c", source="", values={})
    assert card.parameters == {}


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [("0.02", "mS", 2e-5), ("20", "uS", 2e-5), ("2e-5", "1/ohm", 2e-5), ("2e-5", "A/V", 2e-5), ("2", "S", 2.0)],
)
def test_a_unit_is_converted_with_its_error(value: str, unit: str, expected: float, tmp_path: Path) -> None:
    card = read_text(card_text(value=value, unit=f'"{unit}"', stderr=value), tmp_path)
    assert card.values["g_0"].value == pytest.approx(expected, rel=1e-14)
    assert card.values["g_0"].stderr == pytest.approx(expected, rel=1e-14)
    assert card.values["g_0"].unit == "S"
    assert card.parameters == {"g_0": card.values["g_0"].value}


def test_a_spread_is_converted_where_it_is_one_of_the_value() -> None:
    """g_0 has a log scale: its spread is one of the logarithm. v_0 has a linear one: its spread is in volts."""
    entry = {"value": 600, "unit": "mV", "spread_device": 30, "spread_cycle": 6}
    table = {"name": "c", "device": "toy_relaxing", "parameters": {"v_0": entry}}
    value = parse_card(table, "here", toy).values["v_0"]
    assert (value.spread_device, value.spread_cycle) == pytest.approx((0.03, 0.006))
    table["parameters"] = {"g_0": {"value": 0.02, "unit": "mS", "spread_device": 0.3}}
    assert parse_card(table, "here", toy).values["g_0"].spread_device == 0.3


BAD: dict[str, tuple[str, str]] = {
    "not TOML": ("name = ", "is not TOML: Invalid value"),
    "no name": ('device = "toy_relaxing"', r"'name' is missing \(a text\)"),
    "no device": ('name = "c"', r"'device' is missing \(a text\)"),
    "unknown key": (
        'nme = "c"\nname = "c"\ndevice = "toy_relaxing"',
        "'nme' is not a key of a card; did you mean 'name'",
    ),
    "a title that is a number": ('name = "c"\ndevice = "toy_relaxing"\ntitle = 3', "'title' = 3 is not a text"),
    "notes that are a list": ('name = "c"\ndevice = "toy_relaxing"\nnotes = ["a"]', r"'notes' = \['a'\] is not a text"),
    "extra that is no table": ('name = "c"\ndevice = "toy_relaxing"\nextra = 3', "'extra' is not a table"),
    "parameters that are no table": (
        'name = "c"\ndevice = "toy_relaxing"\nparameters = 3',
        r"write \[parameters.<name>\]",
    ),
    "a parameter that is a number": ('name = "c"\ndevice = "toy_relaxing"\n[parameters]\ng_0 = 3', "must be a table"),
    "unknown parameter": (
        card_text().replace("g_0", "g_1"),
        r"\[parameters.g_1\]: device 'toy_relaxing' has no such parameter; did you mean 'g_0'",
    ),
    "wrong unit": (card_text(unit='"V"'), r"\[parameters.g_0\]: unit 'V' does not fit 'S' .*; the parameter is in 'S'"),
    "no unit of this world": (card_text(unit='"Siemen5"'), r"\[parameters.g_0\]: 'Siemen5' is not a unit"),
    "temperature with an offset": (
        "\n".join(['name = "c"', 'device = "toy_heated"', "[parameters.t_0]", "value = 27", 'unit = "degC"']),
        r"\[parameters.t_0\]: 'degC' has an offset",
    ),
    "out of range": (card_text(value="-1"), r"g_0 = -1 S is outside its range \(0, inf\) S \(conductance at rest\)"),
    "out of range after conversion": (card_text(value="0", unit='"mS"'), "g_0 = 0 S is outside its range"),
    "not a number": (card_text(value="nan"), "value = nan is not a finite number"),
    "infinite": (card_text(value="inf"), "value = inf is not a finite number"),
    "an infinite error": (card_text(stderr="inf"), "stderr = inf is not a finite number"),
    "a negative error": (card_text(stderr="-1e-6"), "stderr = -1e-06 must not be negative"),
    "an integer beyond every float": (card_text(value="1" + 400 * "0"), "is not a finite number"),
    "a text": (card_text(value='"2e-5"'), "value = '2e-5' is not a finite number"),
    "true": (card_text(value="true"), "value = True is not a finite number"),
    "no value": (card_text(value=""), r"\[parameters.g_0\]: 'value' is missing"),
    "a number without a unit": (card_text(unit=""), r"\[parameters.g_0\]: 'unit' is missing"),
    "unknown key of a value": (
        card_text(sterr="1"),
        r"\[parameters.g_0\]: 'sterr' is not a key; did you mean 'stderr'",
    ),
    "unknown method": (
        card_text(method='"guessed"'),
        "method 'guessed' is not one of documented, digitised, fitted, assumed",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_in_a_card_is_named(case: str, tmp_path: Path) -> None:
    text, message = BAD[case]
    with pytest.raises(CardError, match=message) as caught:
        read_text(text, tmp_path)
    assert str(tmp_path / "card.toml") in str(caught.value)


def test_several_mistakes_are_reported_together(tmp_path: Path) -> None:
    text = (
        card_text(value="-1") + '\n[parameters.tau]\nvalue = 1\nunit = "V"\n[parameters.toe]\nvalue = 1\nunit = "s"\n'
    )
    with pytest.raises(CardError) as caught:
        read_text(text, tmp_path)
    for part in ("[parameters.g_0]: g_0 = -1 S", "[parameters.tau]: unit 'V'", "[parameters.toe]: device"):
        assert part in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"nothing\.toml: cannot be read \(No such file or directory\)"):
        read_card(tmp_path / "nothing.toml", toy)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CardError, match=r"binary\.toml: is not text; a card is a TOML file"):
        read_card(tmp_path / "binary.toml", toy)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write the card to .*No such file or directory"):
        write_card(registry.default_card(toys.relaxing()), tmp_path / "missing" / "card.toml")


# --- values ---


def test_values_are_completed_with_the_defaults() -> None:
    values = toys.relaxing().values({"tau": 2e-3})
    assert values == {"g_0": 1e-5, "tau": 2e-3, "v_0": 0.5, "x_init": 0.0, "frozen": 0.0}
    assert toys.relaxing().initial_states({**values, "x_init": 0.25}) == (0.25,)


@pytest.mark.parametrize("number", [np.float32(0.25), np.float64(0.25), np.int64(1)])
def test_values_may_be_numpy_s_scalars(number: Any) -> None:
    values = toys.relaxing().values({"tau": number})
    assert values["tau"] == number and type(values["tau"]) is float
    value = Value(value=number, unit="s", method="assumed", source="")
    card = Card(name="c", device="toy_relaxing", title="", source="", values={"tau": value})
    assert f"value = {float(number)!r}\n" in format_card(card)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tua": 1.0}, "no parameter 'tua'; did you mean 'tau'"),
        ({"tau": 0.0}, r"tau = 0 s is outside its range \(0, inf\) s \(relaxation time\)"),
        ({"tau": math.nan}, "tau = nan is not finite"),
        ({"tau": math.inf}, "tau = inf is not finite"),
        ({"tau": "1"}, "tau = '1' is not a number"),
        ({"tau": True}, "tau = True is not a number"),
        ({"tau": np.bool_(True)}, "is not a number"),
        ({"x_init": 1.1}, r"x_init = 1.1 is outside its range \[0, 1\] \(initial value of x \(memory\)\)"),
        ({"frozen": 2}, "frozen = 2 is outside its range"),
    ],
)
def test_bad_values(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        toys.relaxing().values(given, "card 'mine'")
    assert str(caught.value).startswith("card 'mine': ")


def test_all_bad_values_are_reported_together() -> None:
    with pytest.raises(ParameterError) as caught:
        toys.relaxing().values({"tau": -1, "g_0": math.nan, "nonsense": 1})
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "text"),
    [
        ({"lower": 0, "lower_open": True}, 1e-300, 0.0, "(0, inf)"),
        ({"lower": 0}, 0.0, -1e-300, "[0, inf)"),
        ({"upper": 1, "upper_open": True}, math.nextafter(1, 0), 1.0, "(-inf, 1)"),
        ({"upper": 1}, 1.0, math.nextafter(1, 2), "(-inf, 1]"),
    ],
)
def test_open_and_closed_bounds(bounds: dict[str, Any], inside: float, outside: float, text: str) -> None:
    parameter = Parameter(name="a", unit="1", default=0.5, description="a", **bounds)
    assert parameter.fault(inside) is None
    assert parameter.fault(outside) is not None
    assert parameter.range_text == text


@pytest.mark.parametrize(
    ("lower", "is_open", "positive", "nonnegative"),
    [(0, True, True, True), (0, False, None, True), (1, False, True, True), (-1, False, None, None)],
)
def test_a_symbol_assumes_what_the_bounds_prove(
    lower: float, is_open: bool, positive: bool | None, nonnegative: bool | None
) -> None:
    parameter = Parameter(name="a", unit="1", default=2, description="a", lower=lower, lower_open=is_open)
    assert parameter.symbol.is_positive is positive
    assert parameter.symbol.is_nonnegative is nonnegative
    assert parameter.symbol.is_real


# --- the registry ---

DEVICE_FILE = """
from synspice.compact.definition import Definition

d = Definition("{name}", "Toy")
p, n = d.terminals("p", "n")
d.current(p, n, d.parameter("g_0", "S", 1e-3, "conductance", above=0) * d.voltage(p, n))
MODEL = d.model()
"""


@pytest.fixture(autouse=True)
def own_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the devices that a test adds."""
    monkeypatch.setattr(registry, "_user_devices", {})


def test_an_added_device_is_known_everywhere(tmp_path: Path) -> None:
    model = registry.add_device(toys.relaxing())
    assert registry.get_device("toy_relaxing") is model
    assert "toy_relaxing" in registry.device_names()
    card = registry.get_card("toy_relaxing")
    assert card.device == "toy_relaxing" and card.values == {}
    (tmp_path / "mine.toml").write_text(card_text(), encoding="utf-8")
    assert registry.get_card(tmp_path / "mine.toml").parameters == {"g_0": 2e-5}
    assert registry.get_card(str(tmp_path / "mine.toml")).parameters == {"g_0": 2e-5}


def test_a_device_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(DEVICE_FILE.format(name="mine"), encoding="utf-8")
    assert registry.load_device(path).name == "mine"
    assert registry.get_device("mine").terminals == ("p", "n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (", "running it failed: SyntaxError"),
        ("1 / 0", "running it failed: ZeroDivisionError: division by zero"),
        ("MODEL = 3", r"the file defines no MODEL = Definition\(\.\.\.\)\.model\(\)"),
        (DEVICE_FILE.format(name="drift_memristor"), "a shipped device has this name; choose another"),
        (DEVICE_FILE.format(name="time"), "device 'time': the word is reserved"),
    ],
)
def test_a_bad_device_file(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=message):
        registry.load_device(path)
    assert registry.device_names() == tuple(registry.DEVICES)


def test_a_device_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="not a Python file that can be read"):
        registry.load_device(tmp_path / "nothing.py")


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match="unknown device 'drift_memristr'; did you mean 'drift_memristor'"
    ) as caught:
        registry.get_device("drift_memristr")
    assert isinstance(caught.value, KeyError)
    with pytest.raises(UnknownNameError, match="'drift_memrister'; did you mean 'drift_memristor'"):
        registry.get_card("drift_memrister")


def test_a_card_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="there is no such card file"):
        registry.get_card(tmp_path / "nothing.toml")


def test_a_card_of_an_unknown_device(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "c"\ndevice = "drift_memristr"\n', encoding="utf-8")
    with pytest.raises(UnknownNameError, match="did you mean 'drift_memristor'"):
        registry.get_card(tmp_path / "mine.toml")


def test_every_shipped_card_is_good_and_says_where_its_numbers_come_from() -> None:
    for name in registry.card_paths():
        card = registry.get_card(name)
        assert card.name == name
        assert card.source
        for parameter, value in card.values.items():
            assert value.source, f"{name}: {parameter}"


def test_values_that_stand_in_for_a_card_s() -> None:
    card = Card(name="c", device="toy_relaxing", title="c", source="s", values={})
    changed = card.with_values({"tau": 3e-3}, toys.relaxing(), "the command line")
    assert changed.values["tau"] == Value(value=3e-3, unit="s", method="assumed", source="the command line")
    assert card.values == {}
    with pytest.raises(ParameterError, match="card 'c': no parameter 'toe'"):
        card.with_values({"toe": 3e-3}, toys.relaxing(), "the command line")
    assert "tau" in format_card(changed)
