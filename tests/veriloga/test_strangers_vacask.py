"""Compiled modules in VACASK decks that strangers write: every device and card in parallel, in wrappers, and warmer."""

from __future__ import annotations

import numpy as np
import pytest
from biased_devices import ABSTOL, RELTOL, ROOM, amid
from strangers_decks import READ_VOLTAGE, SUBJECTS, Subject, subject

from synspice.emitters import emit
from synspice.netlists.ngspice import Plot
from synspice.veriloga.comparison import python_evaluation
from synspice.veriloga.compiler import compile_module
from synspice.veriloga.vacask import Deck, run_decks

FREQUENCY = 1e3

PLACES = {"1": ("n1", 1), "2": ("n2", 3), "3": ("x3:xout:nin", 6), "5": ("n5", 1)}
"""The device behind each source, and how many there are."""


def format_deck(device: Subject, values: dict[str, float]) -> str:
    """Return a deck with one device, three by ``$mfactor``, six in a wrapper in a wrapper, and a warmer one."""
    model, a = device.model, device.drive.amplitude
    own = {p.name for p in model.parameters if p.instance}
    given = " ".join(f"{n}={v!r}" for n, v in values.items() if n in own)
    card = " ".join(f"{n}={v!r}" for n, v in values.items() if n not in own)
    ports = " ".join(model.terminals)
    edge = device.drive.width / 20
    wave = f"[0, {a!r}, {device.drive.width!r}, {a!r}, {device.drive.width + edge!r}, 0, {device.duration!r}, 0]"
    lines = [
        device.name,
        "ground 0",
        "model vsource vsource",
        'load "device.osdi"',
        f"model card {device.name} {card}",
        f"subckt three({ports})",
        "parameters many=1",
        f"  nin ({ports}) card $mfactor=3*many {given}",
        "ends",
        f"subckt more({ports})",
        "parameters many=1",
        f"  xout ({ports}) three many=many",
        "ends",
    ]
    placed = {
        "1": f"n1 ({{}}) card {given}",
        "2": f"n2 ({{}}) card {given} $mfactor=3",
        "3": "x3 ({}) more many=2",
        "5": f"n5 ({{}}) card {given} dtemp=20",
    }
    for k, line in placed.items():
        nodes = ["0" if t == model.write[1] else f"{t}_{k}" for t in model.terminals]
        lines.append(line.format(" ".join(nodes)))
        for t in model.terminals:
            if t == model.write[0]:
                lines.append(f'v{t}_{k} ({t}_{k} 0) vsource dc={a!r} mag=1 type="pwl" wave={wave}')
            elif t != model.write[1]:
                lines.append(f"v{t}_{k} ({t}_{k} 0) vsource dc={READ_VOLTAGE}")
    saved = [f'p("{place}",{s.name})' for place, _ in PLACES.values() for s in model.states]
    step = f"step={device.duration / 500!r} stop={device.duration!r}"
    lines += [
        "control",
        f"  save default {' '.join(saved)}",
        "  analysis point op",
        f"  analysis response ac values=[{FREQUENCY}]",
        f'  analysis held tran {step} icmode="op"',
        f'  analysis started tran {step} icmode="uic"',
        "endc",
        "",
    ]
    return "\n".join(lines)


def meters(device: Subject, k: str) -> dict[int, str]:
    """Return the branch current out of each terminal that is not grounded, by the terminal's place."""
    terminals = device.model.terminals
    return {terminals.index(t): f"v{t}_{k}:flow(br)" for t in terminals if t != device.model.write[1]}


@pytest.mark.parametrize("name", SUBJECTS)
def test_in_parallel_in_wrappers_and_warmer(name: str) -> None:
    device = subject(name)
    model = device.model
    changed = amid(device)
    deck = Deck(
        text=format_deck(device, changed),
        libraries={"device.osdi": compile_module(emit(name, "veriloga"))},
        stops={"point": None, "response": None, "held": device.duration, "started": device.duration},
    )
    (plots,) = run_decks([deck])
    driven, grounded = model.write
    bias = dict.fromkeys(model.terminals, READ_VOLTAGE) | {driven: device.drive.amplitude, grounded: 0.0}
    values = {**device.values, **changed}
    for k, (place, count) in PLACES.items():
        kelvin = ROOM + (20.0 if k == "5" else 0.0)
        right = python_evaluation(model, values, kelvin, list(bias.values()), [0.0] * len(model.states))
        column = model.terminals.index(driven)
        response = right.current_slopes[:, column] + 2j * np.pi * FREQUENCY * right.charge_slopes[:, column]
        for terminal, meter in meters(device, k).items():
            current = -plots["point"][meter][0].real
            assert current == pytest.approx(count * right.currents[terminal], rel=RELTOL, abs=ABSTOL), meter
            admittance = -plots["response"][meter][0]
            assert abs(admittance - count * response[terminal]) <= 1e-6 * count * abs(response[terminal]) + 1e-20, meter
        for s in model.states:
            assert plots["point"][f"{place}.{s.name}"][0].real == pytest.approx(values[s.initial_parameter.name])
    for analysis in ("held", "started"):
        compare_parallel(device, plots[analysis])


def compare_parallel(device: Subject, plot: Plot) -> None:
    """Check that devices in parallel have the states of one, and its current as many times."""
    assert any(np.ptp(plot[f"n1.{s.name}"].real) > 0 for s in device.model.states)
    for k, (place, count) in PLACES.items():
        if k == "5":
            continue
        for s in device.model.states:
            one, many = (plot[f"{p}.{s.name}"].real for p in ("n1", place))
            np.testing.assert_allclose(many, one, rtol=0, atol=1e-9 * max(1.0, float(np.max(np.abs(one)))))
        for meter, alone in zip(meters(device, k).values(), meters(device, "1").values(), strict=True):
            one, many = plot[alone].real, plot[meter].real
            np.testing.assert_allclose(many, count * one, rtol=1e-6, atol=1e-8 * np.max(np.abs(many)))
