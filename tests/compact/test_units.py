"""Units: what is refused, with which words, and what is coherent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy as sp

from synspice.compact import units
from synspice.compact.constants import BOLTZMANN, BOLTZMANN_EV, CONSTANTS, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from synspice.compact.definition import Definition
from synspice.compact.errors import DefinitionError, UnitError
from synspice.compact.primitives import abs_power, limexp, positive_part, saturate, signed_power, smooth_abs

Declare = Callable[[Definition, sp.Symbol, sp.Symbol, sp.Symbol, sp.Symbol], object]


def faults_of(declare: Declare) -> str:
    """Return the error text of a device whose current is right and that declares one more thing; empty where it is."""
    d = Definition("toy", "Toy")
    d.terminals("p", "n")
    v = d.voltage("p", "n")
    g = d.parameter("g_0", "S", 1e-3, "conductance", above=0)
    w = d.parameter("w_0", "V", 0.1, "voltage scale", above=0)
    e = d.parameter("e_a", "eV", 0.5, "energy", above=0)
    d.current("p", "n", g * v)
    d.observable("all", "V", limexp(-e / (BOLTZMANN_EV * d.temperature)) * w, "uses every parameter")
    try:
        declare(d, v, g, w, e)
        d.model()
    except DefinitionError as error:
        return str(error)
    return ""


WRONG: dict[str, tuple[Declare, str]] = {
    "a current that is a voltage": (
        lambda d, v, g, w, e: d.current("p", "n", v),
        r"current \(p, n\): has the unit ampere\^-1 kilogram meter\^2 second\^-3, but 'A' \(ampere\) was declared",
    ),
    "a charge that is a current": (
        lambda d, v, g, w, e: d.charge("p", "n", g * v),
        r"charge \(p, n\): has the unit ampere, but 'C'",
    ),
    "a sum of two units": (
        lambda d, v, g, w, e: d.quantity("q_0", "V", v + g, "sum"),
        r"quantity 'q_0': in g_0 \+ v_pn: '(g_0|v_pn)' has the unit .*, but '(g_0|v_pn)' has",
    ),
    "a bare number beside a voltage": (
        lambda d, v, g, w, e: d.quantity("q_0", "V", v + 1, "sum"),
        r"in v_pn \+ 1: '1' has the unit dimensionless, but 'v_pn' has",
    ),
    "a function of a voltage": (
        lambda d, v, g, w, e: d.quantity("q_0", "1", sp.tanh(v), "tanh"),
        r"in tanh\(v_pn\): 'v_pn' must be dimensionless, but has the unit",
    ),
    "a primitive of a voltage": (
        lambda d, v, g, w, e: d.quantity("q_0", "1", limexp(v), "exponential"),
        r"in limexp\(v_pn\): 'v_pn' must be dimensionless",
    ),
    "a width in another unit": (
        lambda d, v, g, w, e: d.quantity("q_0", "V", positive_part(v, g), "positive part"),
        r"in positive_part\(v_pn, g_0\): 'v_pn' has the unit .*, but 'g_0' has",
    ),
    "a bound in another unit": (
        lambda d, v, g, w, e: d.quantity("q_0", "V", saturate(v, 0, e, w), "bounded"),
        r"in saturate\(v_pn, 0, e_a, w_0\): 'v_pn' has the unit .*, but 'e_a' has",
    ),
    "a power that is a parameter": (
        lambda d, v, g, w, e: d.quantity("q_0", "V", w**g, "power"),
        r"'g_0' must be dimensionless",
    ),
    "an open power of a voltage": (
        lambda d, v, g, w, e: d.quantity(
            "q_0", "V", signed_power(v, d.parameter("m_0", "1", 2, "power", at_least=1), w), "power"
        ),
        r"'v_pn' has the unit .* and a power that is not a number",
    ),
    "electronvolts beside joules": (
        lambda d, v, g, w, e: d.quantity("q_0", "1", e / (BOLTZMANN * d.temperature), "ratio"),
        r"quantity 'q_0': has the unit 1\.60218e-19 dimensionless, but '1' \(dimensionless\) was declared",
    ),
    "electronvolts beside charge times voltage": (
        lambda d, v, g, w, e: d.quantity("q_0", "eV", e - ELEMENTARY_CHARGE * v, "difference"),
        r"quantity 'q_0': in .*: .* has the unit",
    ),
    "milli beside one": (
        lambda d, v, g, w, e: d.quantity("q_0", "S", g + d.parameter("g_1", "mS", 1, "other"), "sum"),
        r"in g_0 \+ g_1: 'g_\d' has the unit .*, but 'g_\d' has",
    ),
    "a current declared in milliamperes by its parameter": (
        lambda d, v, g, w, e: d.current("p", "n", d.parameter("g_1", "mS", 1, "other") * v),
        r"current \(p, n\): has the unit 0\.001 ampere, but 'A' \(ampere\) was declared",
    ),
    "an observable": (
        lambda d, v, g, w, e: d.observable("o_0", "K", g, "wrong"),
        r"observable 'o_0': has the unit .*, but 'K' \(kelvin\) was declared",
    ),
    "a noise density": (
        lambda d, v, g, w, e: d.noise("hiss", "p", "n", 4 * BOLTZMANN * d.temperature * g * v),
        r"noise 'hiss': has the unit .*, but 'A\^2/Hz'",
    ),
    "a rate without its per second": (
        lambda d, v, g, w, e: d.rate(d.state("y", "V", "memory", lower=-1, upper=1), v),
        r"rate of 'y': has the unit .*, but '\(V\)/s'",
    ),
    "a unit that is none": (
        lambda d, v, g, w, e: d.quantity("q_0", "Vlot", v, "wrong"),
        r"quantity 'q_0': 'Vlot' is not a unit; known: 1, 1/s, A",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_unit_is_refused_with_the_term(case: str) -> None:
    import re

    declare, message = WRONG[case]
    assert re.search(message, faults_of(declare)), faults_of(declare)


RIGHT: dict[str, Declare] = {
    "thermal activation in electronvolts": lambda d, v, g, w, e: d.observable(
        "o_0", "1", limexp(-e / (BOLTZMANN_EV * d.temperature)), "activation"
    ),
    "thermal voltage": lambda d, v, g, w, e: d.observable(
        "o_0", "1", sp.tanh(ELEMENTARY_CHARGE * v / (BOLTZMANN * d.temperature)), "v over kT/q"
    ),
    "thermal energy against electronvolts": lambda d, v, g, w, e: d.observable(
        "o_0", "eV", e + BOLTZMANN_EV * d.temperature, "sum of energies"
    ),
    "a field over a permittivity": lambda d, v, g, w, e: d.observable(
        "o_0", "C", VACUUM_PERMITTIVITY * d.parameter("l_0", "m", 1e-9, "thickness", above=0) * v, "charge"
    ),
    "a zero takes any unit": lambda d, v, g, w, e: d.observable("o_0", "V", saturate(v, 0, w, w) + 0, "bounded"),
    "numbers in a primitive take the unit of the others": lambda d, v, g, w, e: d.observable(
        "o_0", "V", smooth_abs(v, 1e-3), "absolute"
    ),
    "a rational power": lambda d, v, g, w, e: d.observable("o_0", "V^(3/2)", sp.sqrt(w) * v, "Schottky"),
    "an integer power of a primitive": lambda d, v, g, w, e: d.observable("o_0", "V^3", abs_power(v, 3, w), "cube"),
    "a derived unit": lambda d, v, g, w, e: d.observable("o_0", "W", g * v**2, "power"),
    "another spelling": lambda d, v, g, w, e: d.observable("o_0", "V/ohm", g * v, "current"),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_coherent_unit_is_taken(case: str) -> None:
    assert faults_of(RIGHT[case]) == ""


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (2.0, "mS", "S", 2e-3),
        (5.0, "kohm", "ohm", 5e3),
        (1.0, "eV", "J", 1.602176634e-19),
        (3.0, "us", "s", 3e-6),
        (1.0, "S", "1/ohm", 1.0),
        (4.0, "1/ms", "1/s", 4e3),
        (1.0, "nm", "m", 1e-9),
        (100.0, "%", "1", 1.0),
    ],
)
def test_conversion(value: float, unit: str, target: str, expected: float) -> None:
    assert units.convert(value, unit, target) == pytest.approx(expected, rel=1e-14)


def test_conversion_to_the_same_unit_is_exact() -> None:
    assert units.convert(0.1, "eV", "eV") == 0.1


@pytest.mark.parametrize(("unit", "target"), [("V", "A"), ("S", "ohm"), ("1/s", "s"), ("eV", "V")])
def test_conversion_between_dimensions_is_refused(unit: str, target: str) -> None:
    with pytest.raises(UnitError, match=f"unit '{unit}' does not fit '{target}'"):
        units.convert(1.0, unit, target)


@pytest.mark.parametrize("text", ["Vlot", "S/", "V*", "3 S", "S if True", "()", "__import__"])
def test_text_that_is_no_unit(text: str) -> None:
    with pytest.raises(UnitError, match="is not a unit"):
        units.parse(text)


@pytest.mark.parametrize("text", ["degC", "celsius", "degF", "dB"])
def test_a_unit_with_an_offset_is_refused(text: str) -> None:
    """A factor cannot express it: 27 degC would become 7402 K."""
    with pytest.raises(UnitError, match=r"is not a unit|has an offset"):
        units.parse(text)


def test_constants_are_the_exact_ones() -> None:
    from scipy import constants

    values = {symbol.name: value for symbol, (value, _) in CONSTANTS.items()}
    assert values["boltzmann"] == constants.k
    assert values["elementary_charge"] == constants.e
    assert values["vacuum_permittivity"] == pytest.approx(constants.epsilon_0, rel=1e-9)
    assert values["boltzmann_ev"] == pytest.approx(constants.k / constants.e, rel=1e-9)
