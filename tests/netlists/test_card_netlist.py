"""What an emitted subcircuit or module is called, and that two sets of values can stand in one deck."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from synspice.compact import names
from synspice.compact.card import Card, format_card
from synspice.compact.errors import EmissionError
from synspice.compact.registry import card_paths, get_card, get_device
from synspice.emitters import EMITTERS, emit, emit_named
from synspice.netlists.card_netlist import chosen_name
from synspice.netlists.ngspice import run_deck
from synspice.netlists.pyspice import subcircuit

TARGETS = sorted(name for name, target in EMITTERS.items() if target.called)
OTHER = {"g_on": 2e-4, "g_off": 2e-6}


def called(text: str) -> list[str]:
    return re.findall(r"(?m)^(?:\.subckt|module) (\w+)", text)


@pytest.mark.parametrize("target", TARGETS)
def test_a_text_is_called_after_its_card_or_as_asked(target: str) -> None:
    assert called(emit("taox", target)) == ["taox"]
    assert called(emit("drift_memristor", target)) == ["drift_memristor"]
    assert called(emit("taox", target, name="synapse_1")) == ["synapse_1"]
    assert emit_named("taox", target, values=OTHER, name="synapse_1").name == "synapse_1"


@pytest.mark.parametrize("target", sorted(EMITTERS))
@pytest.mark.parametrize("name", ["my synapse", "Synapse", "2nd", "", "time", "analog", "lambda", "a\nb", "a" * 65])
def test_an_illegal_name_is_refused_by_every_target(target: str, name: str) -> None:
    with pytest.raises(EmissionError, match="such as '"):
        emit("drift_memristor", target, name=name)


@pytest.mark.parametrize("name", ["my synapse", "Synapse", "time"])
def test_an_illegal_name_is_refused_for_pyspice(name: str) -> None:
    with pytest.raises(EmissionError, match="such as '"):
        subcircuit("drift_memristor", name=name)
    with pytest.raises(EmissionError, match="such as '"):
        subcircuit("drift_memristor").clone(name)


@pytest.mark.parametrize("target", TARGETS)
def test_other_values_have_another_name(target: str) -> None:
    emitted = [emit_named("drift_memristor", target, values=v) for v in (None, OTHER, {"g_on": 2e-4}, {"x_init": 0.2})]
    assert len({e.name for e in emitted}) == 4
    for one in emitted:
        assert called(one.text) == [one.name] and names.fault(one.name, "subcircuit") is None
    assert emit_named("drift_memristor", target, values=dict(reversed(OTHER.items()))).name == emitted[1].name
    assert subcircuit("drift_memristor", values=OTHER).name == emitted[1].name


def test_values_that_change_nothing_change_no_name() -> None:
    default = get_device("drift_memristor").parameter("g_on").default
    assert emit_named("drift_memristor", values={"g_on": default}).name == "drift_memristor"
    assert subcircuit("drift_memristor", values={"g_on": default}).name == "drift_memristor"


def test_a_card_of_the_users_own_keeps_its_name_unless_a_shipped_card_has_it(tmp_path: Path) -> None:
    shipped = get_card("taox")
    model = get_device(shipped.device)
    changed = shipped.with_values({"x_init": 0.4}, model, "mine")
    assert chosen_name(shipped, model) == "taox"
    assert re.fullmatch(r"taox_[0-9a-f]{8}", chosen_name(changed, model))
    assert chosen_name(replace(changed, name="TaOx-5nm"), model) == "taox_5nm"
    path = tmp_path / "mine.toml"
    path.write_text(format_card(replace(changed, name="mine")), encoding="utf-8")
    assert emit_named(path).name == "mine"
    assert re.fullmatch(r"mine_[0-9a-f]{8}", emit_named(path, values={"x_init": 0.1}).name)


@pytest.mark.parametrize("name", sorted(n for n, path in card_paths().items() if "[parameters" in path.read_text()))
def test_shipped_cards_have_legal_names_of_their_own(name: str) -> None:
    try:
        card: Card = get_card(name)
    except ValueError:
        pytest.skip("no card of a compact model")
    assert chosen_name(card, get_device(card.device)) == name


@pytest.mark.ngspice
@pytest.mark.parametrize("device", ["drift_memristor", "taox"])
def test_two_cards_of_one_device_in_one_deck(device: str) -> None:
    first, second = emit_named(device), emit_named(device, values=OTHER)
    lines = ["t", ".include a.cir", ".include b.cir", "V1 a 0 0.1", "V2 b 0 0.1"]
    lines += [f"X1 a 0 {first.name} x_init=0.5", f"X2 b 0 {second.name} x_init=0.5", ".op", ".end"]
    both = run_deck("\n".join(lines), files={"a.cir": first.text, "b.cir": second.text}).plot("op")
    alone = []
    for emitted in (first, second):
        deck = f"t\n{emitted.text}V1 a 0 0.1\nX1 a 0 {emitted.name} x_init=0.5\n.op\n.end\n"
        alone.append(run_deck(deck).plot("op")["i(v1)"][0].real)
    together = [both["i(v1)"][0].real, both["i(v2)"][0].real]
    assert together == pytest.approx(alone, rel=1e-9)
    assert abs(together[0] / together[1] - 1) > 0.05


@pytest.mark.ngspice
def test_every_device_in_one_deck_does_not_change_another() -> None:
    """Helper functions and parameters are local: nothing of one text is seen in the next."""
    cards = [
        "drift_memristor",
        "diffusive_memristor",
        "silver_sulfide_switch",
        "ionic_synapse",
        "oxide_tunnel_junction",
    ]

    def current(text: str, card: str) -> float:
        model = get_device(card)
        grounded = [f"V{t} {t} 0 {0.2 if t == model.write[0] else 0.0}" for t in model.terminals]
        lines = ["t", text, *grounded, f"X1 {' '.join(model.terminals)} {card}", ".op", ".end"]
        return float(run_deck("\n".join(lines)).plot("op")[f"i(v{model.write[0]})"][0].real)

    texts = [emit(card) for card in cards]
    for card, text in zip(cards, texts, strict=True):
        expected = current(text, card)
        assert current("\n".join(texts), card) == expected
        assert current("\n".join(reversed(texts)), card) == expected
    for text in texts:
        outside = re.sub(r"(?ms)^\.subckt.*?^\.ends.*?$", "", text)
        assert all(line.startswith("*") or not line.strip() for line in outside.splitlines())
