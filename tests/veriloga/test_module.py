"""The emitted module: what its text says, that it compiles without a warning, and the conventions."""

from __future__ import annotations

import device_points
import pytest
import sympy as sp
import toys

from synspice.compact.definition import Definition
from synspice.compact.errors import EmissionError, ParameterError
from synspice.compact.model import Model
from synspice.compact.probes import probes
from synspice.compact.registry import get_device
from synspice.veriloga.bench_sources import format_sources
from synspice.veriloga.compiler import compile_module
from synspice.veriloga.lint import lint
from synspice.veriloga.module import format_module, state_node
from synspice.veriloga.printer import VerilogAPrinter
from synspice.veriloga.syntax import parse


@pytest.mark.parametrize("name", device_points.NAMES)
def test_every_module_compiles_without_a_warning_and_keeps_the_conventions(name: str) -> None:
    text = format_module(device_points.model_of(name))
    compile_module(text)
    assert lint(text) == []
    assert text.isascii()
    assert all(len(line) <= 120 or "desc=" in line for line in text.splitlines())
    assert text == format_module(device_points.model_of(name))


def test_the_bench_sources_compile_and_keep_the_conventions() -> None:
    compile_module(format_sources())
    assert lint(format_sources()) == []


@pytest.mark.parametrize("name", device_points.NAMES)
def test_the_interface(name: str) -> None:
    model = device_points.model_of(name)
    (module,) = parse(format_module(model))
    assert (module.name, module.ports) == (model.name, model.terminals)
    parameters = {d.name: d for d in module.declarations if d.kind == "parameter"}
    ordered = sorted(model.parameters, key=lambda p: p.instance)  # those of the material first
    assert [name for name in parameters if name != "tref"] == [p.name for p in ordered]
    assert ("tref" in parameters) == ("t_ref" in parameters)
    for p in model.parameters:
        declared = parameters[p.name]
        assert (declared.attributes.get("type") == "instance") == p.instance
        assert declared.attributes["units"] == p.unit
        assert declared.type == ("integer" if p.name == "frozen" else "real")
    shown = [d for d in module.declarations if d.kind == "variable" and d.attributes]
    assert [(d.name, d.attributes["units"], d.attributes.get("multiplicity")) for d in shown] == [
        (p.name, p.unit, p.multiplicity) for p in probes(model)
    ]
    comments = " ".join(line.removeprefix("// ") for line in format_module(model).splitlines() if line.startswith("//"))
    named = [p.name if p.unit == "1" else f"{p.name} [{p.unit}]" for p in probes(model)]
    assert f"to probe, of one device: {', '.join(named)}" in comments
    assert {state_node(model, s.name) for s in model.states} == set(module.nodes) - set(model.terminals)


def test_values_names_notes_and_header() -> None:
    text = format_module(
        toys.relaxing(), {"tau": 0.125, "frozen": 1.0}, name="mine", notes={"tau": "fitted to Fig. 2"}, header="A line."
    )
    assert text.startswith("// mine: Linear relaxation\n")
    assert "\nmodule mine(p, n);\n" in text
    assert "parameter real tau = 0.125 from (0.0:inf);  // fitted to Fig. 2\n" in text
    assert "parameter integer frozen = 1 from [0:1];\n" in text
    assert "\n// A line.\n" in text


def test_numbers_read_back_and_are_reals() -> None:
    printer = VerilogAPrinter()
    written = {0.0: "0.0", 1e-7: "1.0e-7", -2.5e10: "-2.5e10", 0.5: "0.5", 1e6: "1.0e6", 1e5: "100000.0"}
    assert {x: printer.number(x) for x in written} == written
    assert all(float(printer.number(x)) == x for x in (1 / 3, 1e-300, 1.7976931348623157e308, 6.02214076e23))


def test_bounds_are_open_and_closed() -> None:
    d = Definition("toy_bounds", "Bounds")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    g = d.parameter("g_a", "S", 1.0, "first", above=0, at_most=2) + d.parameter("g_b", "S", 1.0, "second", at_least=0)
    d.current(p, n, g * v * (2 + sp.tanh(d.parameter("a", "1", 2.0, "third", at_least=-1e-7, below=3))))
    d.observable("b", "1", d.parameter("b_0", "1", 0.0, "fourth") * 1, "free")
    text = format_module(d.model())
    assert "parameter real g_a = 1.0 from (0.0:2.0];" in text
    assert "parameter real g_b = 1.0 from [0.0:inf);" in text
    assert "parameter real a = 2.0 from [-1.000000001e-7:3.0);" in text
    assert "parameter real b_0 = 0.0 from (-inf:inf);" in text
    assert lint(text) == []
    compile_module(text)


def test_numbers_that_have_no_literal_are_refused() -> None:
    with pytest.raises(EmissionError, match="no literal for inf"):
        VerilogAPrinter().number(float("inf"))


def test_a_bad_value_and_a_bad_name_are_refused() -> None:
    with pytest.raises(ParameterError, match="tau = -1 s is outside its range"):
        format_module(toys.relaxing(), {"tau": -1})
    for name in ("Mixed", "analog", "2nd"):
        with pytest.raises(EmissionError, match=f"module '{name}'"):
            format_module(toys.relaxing(), name=name)


def clashing(name: str) -> Model:
    d = Definition("toy_clash", "Names that the emitter would take")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    x = d.state("x", "1", "memory", lower=0, upper=1)
    g = d.parameter(name, "S", 1e-6, "conductance", above=0)
    d.rate(x, -x * d.parameter("rate_x", "1/s", 1.0, "rate", above=0))
    d.current(p, n, g * v * (2 + x**2 / (1 + x**2)))
    return d.model()


def test_names_of_the_emitter_give_way_to_the_models() -> None:
    model = clashing("held")
    text = format_module(model)
    assert "I(x_dev) <+ ddt(V(x_dev)) + ((held_ == 1) ? 1.0e6*V(x_dev) : -rate_x_);" in text
    compile_module(text)
    assert lint(text) == []


def test_a_name_of_an_analog_function_is_refused() -> None:
    d = Definition("toy_function", "A parameter named as a helper")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    d.current(p, n, d.parameter("fn_square", "S", 1e-6, "conductance", above=0) * v * (1 + sp.tanh(1 + v / v) ** 2))
    with pytest.raises(EmissionError, match="'fn_square' is the name of an analog function"):
        format_module(d.model())


def test_gmin_adds_only_what_exceeds_the_simulators_default() -> None:
    text = format_module(toys.transistor())
    assert 'g_step = max($simparam("gmin", 0.0) - 1.0e-12, 0.0);' in text
    assert "I(g, s) <+ g_step*V(g, s);" in text and "I(d, s) <+ g_step*V(d, s);" in text


def test_closed_bounds_that_are_no_whole_numbers_are_wider_by_what_a_reader_may_be_off() -> None:
    text = format_module(get_device("drift_memristor"))
    ranges = {d.name: d.bounds for d in parse(text)[0].declarations if d.bounds is not None}
    opening, low, high, closing = ranges["focus_set"]
    assert (opening, float(low), closing) == ("[", -20.0, "]")
    assert 0.95 < float(high) <= 0.95 * (1 + 2e-9)
    assert -0.9 * (1 + 2e-9) <= float(ranges["focus_reset"][1]) < -0.9
    assert ranges["r_th"] == ("[", "0.0", "inf", ")") and ranges["g_on"] == ("(", "0.0", "inf", ")")


def test_the_reference_temperature_is_exact_in_degrees_celsius() -> None:
    for kelvin in (300.0, 300.15, 273.15, 77.36, 333.3333):
        text = format_module(get_device("drift_memristor"), {"t_ref": kelvin})
        (celsius,) = (d for d in parse(text)[0].declarations if d.name == "tref")
        e = celsius.default
        assert e is not None
        degrees = -float(e.parts[0].text) if e.kind == "unary" else float(e.text)
        assert degrees + 273.15 == pytest.approx(kelvin, rel=2e-16)
    assert "parameter real t_ref = tref + 273.15 from (0.0:inf);" in text
