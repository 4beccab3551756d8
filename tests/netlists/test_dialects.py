"""The table of dialect facts: those of ngspice are probed, and the other dialects' text is run as ngspice's."""

from __future__ import annotations

import math
import re
from pathlib import Path

import device_points
import numpy as np
import pytest
import toys
from spicelib import SpiceEditor

from synspice.compact.definition import Definition
from synspice.compact.errors import EmissionError, UnknownNameError
from synspice.compact.model import Model
from synspice.netlists.dialects import DIALECTS, NGSPICE, get_dialect
from synspice.netlists.ngspice import SolverOptions, run_deck
from synspice.netlists.subcircuit import format_subcircuit


def probe(lines: list[str], node: str, analysis: str = ".op") -> float:
    deck = "\n".join(["probe", *lines, *SolverOptions(temperature_c=50.0).lines(), analysis, ".end"])
    return float(run_deck(deck).plot(analysis.split()[0][1:])[f"v({node})"][-1].real)


def value(expression: str, *lines: str) -> float:
    return probe([*lines, f"B1 out 0 V = {expression}"], "out")


@pytest.mark.every_ngspice
@pytest.mark.ngspice
def test_functions_of_ngspice() -> None:
    wanted = {
        "exp": math.exp(0.7),
        "log": math.log(0.7),
        "sqrt": math.sqrt(0.7),
        "sinh": math.sinh(0.7),
        "cosh": math.cosh(0.7),
        "tanh": math.tanh(0.7),
        "atan": math.atan(0.7),
        "asinh": math.asinh(0.7),
        "minimum": 0.7,
        "maximum": 1.5,
    }
    assert set(wanted) == set(NGSPICE.functions)
    for name, number in wanted.items():
        second = ", 1.5" if name in ("minimum", "maximum") else ""
        assert value(f"{NGSPICE.functions[name]}(0.7{second})") == pytest.approx(number, rel=1e-9), name


@pytest.mark.every_ngspice
@pytest.mark.ngspice
def test_facts_of_ngspice() -> None:
    assert NGSPICE.log == "natural" and value("log(10)") == pytest.approx(math.log(10))
    # 39 and 44 take the base's absolute value, 47 keeps its sign: emitted text raises no negative base to a power
    assert NGSPICE.power == "absolute base" and abs(value("(-2)^3")) == pytest.approx(8.0)
    assert value(NGSPICE.choice.format(test="2 > 1", yes="3", no="4")) == 3.0
    assert value(NGSPICE.choice.format(test="1 > 2", yes="3", no="4")) == 4.0
    assert value(NGSPICE.temperature) == pytest.approx(323.15)
    assert value(NGSPICE.source("2*3")) == 6.0
    assert NGSPICE.parameters == ""
    assert probe([".subckt part a", "+ size=2", "B1 a 0 V = size", ".ends", "X1 out part size=5"], "out") == 5.0


@pytest.mark.every_ngspice
@pytest.mark.ngspice
def test_a_charge_in_ngspice() -> None:
    element = NGSPICE.charge.format(name="1", plus="out", minus="0", charge="1e-6*V(out)*V(out)")
    lines = [element, "I1 0 out 1m", "R1 out 0 1e9", ".ic v(out)=0"]
    assert probe(lines, "out", ".tran 1u 4m 0 1u uic") == pytest.approx(2.0, rel=1e-3)  # Q = 4 uC = 1e-6 v^2


@pytest.mark.every_ngspice
@pytest.mark.ngspice
def test_time_holds_an_operating_point() -> None:
    assert value(NGSPICE.choice.format(test="time > 0", yes="1", no="2")) == 2.0
    assert NGSPICE.held_in_ac


def in_ngspice(text: str) -> str:
    """Exchange the documented words of LTspice and Xyce for ngspice's; everything else must be the same."""
    text = re.sub(r"\bif\(", "ternary_fcn(", text)
    text = text.replace("(temp+273.15)", "(temper+273.15)")
    text = re.sub(r"(?im) params:$", "", text)
    return re.sub(r"(?ms)^(B\w+ \w+ \w+ [IV] =) \{(.*?)\}$", r"\1 \2", text)


@pytest.mark.every_ngspice
@pytest.mark.ngspice
@pytest.mark.parametrize("dialect", ["ltspice", "xyce"])
@pytest.mark.parametrize("name", device_points.NAMES)
def test_the_other_dialects_compute_the_same(name: str, dialect: str) -> None:
    model = device_points.model_of(name)
    waves = [
        run_deck(transient(model, text))
        for text in (format_subcircuit(model), in_ngspice(format_subcircuit(model, dialect=dialect)))
    ]
    times = np.linspace(2e-5, 1.98e-3, 60)
    source = f"i(v{model.write[0]})"
    first, second = (np.interp(times, w.plot("tran").scale, w.plot("tran")[source].real) for w in waves)
    away = np.abs(second - first) / np.max(np.abs(first))
    if "ddt(" in format_subcircuit(model, dialect=dialect):  # ngspice's ddt is off at single points
        assert np.quantile(away, 0.8) < 5e-3
    else:
        assert np.max(away) < 2e-4


def transient(model: Model, subcircuit: str) -> str:
    lines = ["transient", subcircuit]
    for k, terminal in enumerate(model.terminals):
        wave = "PWL(0 0 1m 0.4 2m 0)" if terminal == model.write[0] else f"DC {0.05 * (k > 1)!r}"
        lines.append(f"V{terminal} {terminal} 0 {wave}")
    lines.append(f"X1 {' '.join(model.terminals)} {model.name}")
    options = SolverOptions(method="gear")
    return "\n".join([*lines, *options.lines(), options.transient(2e-3, 2e-6), ".end"])


@pytest.mark.parametrize("name", device_points.NAMES)
def test_a_reader_of_ltspice_netlists_reads_it(name: str, tmp_path: Path) -> None:
    model = device_points.model_of(name)
    text = format_subcircuit(model, dialect="ltspice")
    lines = ["* top", text.rstrip(), f"X1 {' '.join(model.terminals)} {model.name}", ".tran 1m", ".end", ""]
    path = tmp_path / "top.net"
    path.write_text("\n".join(lines))
    inside = SpiceEditor(path).get_subcircuit("X1")
    elements = inside.get_components()
    assert sum(e.startswith("BCURRENT") for e in elements) == len(model.currents)
    for state in model.states:
        assert inside.get_component_nodes(f"B{state.name}".upper()) == ["0", state.name]
        assert inside.get_component_nodes(f"C{state.name}".upper()) == [state.name, "0"]


def test_what_differs() -> None:
    ltspice, xyce = (format_subcircuit(toys.varactor(), dialect=d) for d in ("ltspice", "xyce"))
    assert ".subckt toy_varactor p n params:\n" in ltspice and ".subckt toy_varactor p n PARAMS:\n" in xyce
    assert "Bcharge0 p n I = ddt(" in ltspice and "Bcharge0 p n I = {ddt(" in xyce
    assert "* for LTspice\n" in ltspice and "* for Xyce: no AC analysis" in xyce
    assert "?" not in ltspice + xyce
    assert "(temp+273.15)" in format_subcircuit(toys.heated(), dialect="xyce")


def test_unknown_and_reserved_names() -> None:
    with pytest.raises(UnknownNameError, match="unknown dialect 'hspice'"):
        get_dialect("hspice")
    d = Definition("toy_named", "A parameter named as a function of Xyce")
    p, n = d.terminals("p", "n")
    d.current(p, n, d.parameter("m", "S", 1e-6, "conductance", above=0) * d.voltage(p, n))
    model = d.model()
    assert {name for name in DIALECTS if "m" not in DIALECTS[name].reserved} == {"ngspice", "ltspice"}
    format_subcircuit(model, dialect="ltspice")
    with pytest.raises(EmissionError, match=r"Xyce has a function of its own named 'm'; rename it .* to 'm_0'"):
        format_subcircuit(model, dialect="xyce")
