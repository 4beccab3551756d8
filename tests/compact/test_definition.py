"""Definitions that are not well posed: each fault is named, and all of them together."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sympy as sp

from synspice.compact import definition, names
from synspice.compact.definition import Definition
from synspice.compact.errors import DefinitionError, SynspiceError
from synspice.compact.model import Model
from synspice.compact.primitives import limexp, positive_part, saturate, smooth_abs
from synspice.compact.registry import get_device


def good(change: Callable[[Definition, sp.Symbol, sp.Symbol, sp.Symbol], object] | None = None) -> Definition:
    """Return a definition without a fault, after a change to it."""
    d = Definition("toy", "Toy")
    d.terminals("p", "n")
    v = d.voltage("p", "n")
    g = d.parameter("g_0", "S", 1e-3, "conductance", above=0)
    x = d.state("x", "1", "memory", initial=0.5, lower=0, upper=1)
    d.current("p", "n", g * (1 + saturate(x, 0, 1, 0.1)) * v)
    d.rate(x, d.parameter("k_0", "1/s", 1.0, "rate", above=0) * (positive_part(v, 0.01) / sp.Float(1.0) * 0 + 1 - x))
    if change is not None:
        change(d, v, g, x)
    return d


def test_the_device_that_the_faults_are_put_into_is_good() -> None:
    model = good().model()
    assert isinstance(model, Model)
    assert [p.name for p in model.parameters] == ["g_0", "k_0", "x_init", "frozen"]
    assert model.write == model.read == ("p", "n")


FAULTS: dict[str, tuple[Callable[[Definition, sp.Symbol, sp.Symbol, sp.Symbol], object], str]] = {
    "unknown symbol": (
        lambda d, v, g, x: d.current("p", "n", sp.Symbol("g_1") * v),
        r"current \(p, n\): 'g_1' was not declared before its use",
    ),
    "symbol with the wrong assumptions": (
        lambda d, v, g, x: d.current("p", "n", sp.Symbol("g_0") * v),
        r"current \(p, n\): 'g_0' was not declared before its use",
    ),
    "parameter twice": (
        lambda d, v, g, x: d.parameter("g_0", "S", 1, "again"),
        "parameter 'g_0': the name is taken already",
    ),
    "state named as a parameter": (
        lambda d, v, g, x: d.rate(d.state("g_0", "1", "again", lower=0, upper=1), 0),
        "state 'g_0': the name is taken already",
    ),
    "initial value named as a parameter": (
        lambda d, v, g, x: d.parameter("x_init", "1", 0, "mine"),
        "parameter 'x_init': the name is taken already",
    ),
    "frozen": (
        lambda d, v, g, x: d.parameter("frozen", "1", 0, "mine"),
        "parameter 'frozen': the name is taken already",
    ),
    "quantity named as a terminal": (
        lambda d, v, g, x: d.observable("o", "S", d.quantity("p", "S", g, "mine"), "use"),
        "the name 'p' is used more than once",
    ),
    "upper case": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("G_1", "S", 1, "mine"), "use"),
        "parameter 'G_1': a name is lower-case letters",
    ),
    "reserved by SPICE": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("temper", "S", 1, "mine"), "use"),
        "parameter 'temper': the word is reserved by a simulator or language; add a suffix, such as 'temper_0'",
    ),
    "reserved by Verilog-A": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("analog", "S", 1, "mine"), "use"),
        "parameter 'analog': the word is reserved",
    ),
    "reserved by Python": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("lambda", "S", 1, "mine"), "use"),
        "parameter 'lambda': the word is reserved",
    ),
    "a constant's name": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("boltzmann", "S", 1, "mine"), "use"),
        "parameter 'boltzmann': the name stands for a primitive or a constant",
    ),
    "missing rate": (
        lambda d, v, g, x: d.state("y", "1", "forgotten", lower=0, upper=1),
        "state 'y' has no rate",
    ),
    "rate twice": (lambda d, v, g, x: d.rate(x, -x * d.parameter("k_1", "1/s", 1, "k")), "rate of 'x': given twice"),
    "along with nothing": (
        lambda d, v, g, x: d.rate(d.state("y", "1", "more", lower=0, upper=1), 0, along=sp.Symbol("z")),
        "rate of 'y': 'z', which it moves along with, must be a state of the same unit whose own rate was given before",
    ),
    "along with another unit": (
        lambda d, v, g, x: d.rate(d.state("y", "V", "more", lower=0, upper=1), 0, along=x),
        "rate of 'y': 'x', which it moves along with, must be a state of the same unit",
    ),
    "rate of nothing": (
        lambda d, v, g, x: d.rate(sp.Symbol("y"), 0),
        "rate of 'y': there is no such state",
    ),
    "unused parameter": (
        lambda d, v, g, x: d.parameter("r_0", "ohm", 1, "forgotten"),
        "parameter 'r_0' is used by no equation",
    ),
    "unused quantity": (
        lambda d, v, g, x: d.quantity("q_0", "V", v, "forgotten"),
        "quantity 'q_0' is used by no equation",
    ),
    "absolute value": (
        lambda d, v, g, x: d.current("p", "n", g * sp.Abs(v)),
        r"current \(p, n\): 'Abs\(v_pn\)': 'Abs' is not in the node set \(exp, log",
    ),
    "Heaviside": (
        lambda d, v, g, x: d.current("p", "n", g * v * sp.Heaviside(x)),
        "'Heaviside' is not in the node set",
    ),
    "Piecewise": (
        lambda d, v, g, x: d.current("p", "n", g * v * sp.Piecewise((1, x > 0), (2, True))),
        "'Piecewise' is not in the node set",
    ),
    "sine": (lambda d, v, g, x: d.current("p", "n", g * v * sp.sin(x)), "'sin' is not in the node set"),
    "infinity": (lambda d, v, g, x: d.current("p", "n", g * v + sp.oo), "is not in the node set|not finite"),
    "exp of a state": (
        lambda d, v, g, x: d.current("p", "n", g * v * sp.exp(x)),
        r"current \(p, n\): 'exp\(x\)' can overflow: use limexp for voltages and states",
    ),
    "exp of a quantity of a voltage": (
        lambda d, v, g, x: d.current(
            "p",
            "n",
            g * v * sp.exp(d.quantity("q_0", "1", v * g / g / d.parameter("v_0", "V", 1, "scale", above=0), "ratio")),
        ),
        r"'exp\(q_0\)' can overflow: use limexp",
    ),
    "sinh of a state": (
        lambda d, v, g, x: d.current("p", "n", g * v * sp.sinh(x)),
        "can overflow: use limsinh",
    ),
    "log of a state": (
        lambda d, v, g, x: d.current("p", "n", g * v * sp.log(x)),
        r"'log\(x\)': the logarithm's argument is not provably positive; use softplus or a positive form",
    ),
    "root of a state": (
        lambda d, v, g, x: d.current("p", "n", g * v * sp.sqrt(x)),
        r"'sqrt\(x\)': a power needs an integer exponent or a provably positive base; use signed_power or abs_power",
    ),
    "open power of a state": (
        lambda d, v, g, x: d.current("p", "n", g * v * x ** d.parameter("m_0", "1", 2, "power")),
        "a power needs an integer exponent",
    ),
    "current at zero volts": (
        lambda d, v, g, x: d.current("p", "n", d.parameter("i_0", "A", 1e-6, "leak")),
        r"current \(p, n\) is 1e-06 A at zero volts; it must be 0",
    ),
    "active device": (
        lambda d, v, g, x: d.current("p", "n", -3 * g * v),
        r"the device delivers \S+ W at \S+ V with x = .*; it must be passive",
    ),
    "active for some states only": (
        lambda d, v, g, x: d.current("p", "n", -10 * g * v * positive_part(x - sp.Rational(9, 10), 1e-3)),
        r"the device delivers \S+ W",
    ),
    "division by a state": (
        lambda d, v, g, x: d.current("p", "n", g * v * 0.01 / (1 - x) ** 2),
        r"current \(p, n\) is not finite at v_pn = .* V, x = 1; use the safe primitives",
    ),
    "rate that is not finite": (
        lambda d, v, g, x: d.rate(
            d.state("y", "1", "more", lower=0, upper=1), d.parameter("k_1", "1/s", 1, "k") / (x - 1)
        ),
        "rate of 'y' is not finite at",
    ),
    "default outside its bounds": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("g_1", "S", -1, "mine", above=0), "use"),
        r"parameter 'g_1': default: g_1 = -1 S is outside its range \(0, inf\) S \(mine\)",
    ),
    "default on an open bound": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("g_1", "S", 0, "mine", above=0), "use"),
        r"parameter 'g_1': default: g_1 = 0 S is outside",
    ),
    "bounds the wrong way round": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("g_1", "S", 1, "mine", above=2, below=1), "use"),
        "parameter 'g_1': lower bound 2 is not below 1",
    ),
    "both kinds of bound": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("g_1", "S", 1, "mine", above=0, at_least=0), "use"),
        "parameter 'g_1': give an open or a closed bound on a side, not both",
    ),
    "default that is not finite": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("g_1", "S", float("nan"), "mine"), "use"),
        "parameter 'g_1': default: g_1 = nan is not finite",
    ),
    "log scale over negative values": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("g_1", "S", 1, "mine", scale="log"), "use"),
        "parameter 'g_1': a log scale needs a lower bound of 0 or more",
    ),
    "no meaning": (
        lambda d, v, g, x: d.observable("o", "S", d.parameter("g_1", "S", 1, ""), "use"),
        r"parameter 'g_1': say what it means \(description\)",
    ),
    "initial state outside its range": (
        lambda d, v, g, x: d.rate(d.state("y", "1", "more", initial=2, lower=0, upper=1), -0 * g),
        "parameter 'y_init': default: y_init = 2 is outside its range",
    ),
    "state without a scale": (
        lambda d, v, g, x: d.rate(d.state("y", "1", "more", scale=0), 0),
        "state 'y': scale 0 must be above 0",
    ),
    "unknown terminal of a current": (
        lambda d, v, g, x: d.current("p", "m", g * v),
        r"branch \(p, m\): there is no terminal 'm'",
    ),
    "unknown terminal of a voltage": (
        lambda d, v, g, x: d.current("p", "n", g * d.voltage("q", "n")),
        r"branch \(q, n\): there is no terminal 'q'",
    ),
    "unknown terminal of a charge": (
        lambda d, v, g, x: d.charge("q", "n", d.parameter("c_0", "F", 1, "c") * v),
        r"branch \(q, n\): there is no terminal 'q'",
    ),
    "unknown terminal of a port": (
        lambda d, v, g, x: d.ports(write=("p", "q"), read=("p", "n")),
        r"port \('p', 'q'\): not a pair of terminals",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_named(case: str) -> None:
    change, message = FAULTS[case]
    with pytest.raises(DefinitionError) as caught:
        good(change).model()
    assert re.search(message, str(caught.value)), str(caught.value)
    assert caught.value.device == "toy"


def test_several_faults_are_reported_together() -> None:
    def spoil(d: Definition, v: sp.Symbol, g: sp.Symbol, x: sp.Symbol) -> None:
        d.parameter("temp", "S", 1, "reserved")
        d.state("y", "1", "no rate")
        d.current("p", "m", g)

    with pytest.raises(DefinitionError) as caught:
        good(spoil).model()
    text = str(caught.value)
    assert text.startswith("device 'toy' is not well posed:\n  - ")
    for part in (
        "'temp': the word is reserved",
        "'y' has no rate",
        "no terminal 'm'",
        "has the unit",
        "'temp' is used",
    ):
        assert part in text
    assert len(caught.value.faults) == text.count("\n  - ") >= 5


def test_numerical_faults_are_reported_together() -> None:
    def spoil(d: Definition, v: sp.Symbol, g: sp.Symbol, x: sp.Symbol) -> None:
        d.current("p", "n", d.parameter("i_0", "A", -1e-3, "leak"))
        d.rate(d.state("y", "1", "more", lower=0, upper=1), d.parameter("k_1", "1/s", 1, "k") / (x - 1))

    with pytest.raises(DefinitionError) as caught:
        good(spoil).model()
    assert len(caught.value.faults) >= 3
    assert {f.split()[0] for f in caught.value.faults} >= {"current", "rate", "the"}


@pytest.mark.parametrize("terminals", [(), ("p",)])
def test_a_device_has_two_terminals(terminals: tuple[str, ...]) -> None:
    d = Definition("toy", "Toy")
    d.terminals(*terminals)
    with pytest.raises(DefinitionError, match="at least two terminals: declare them with terminals"):
        d.model()


def test_a_device_has_a_current() -> None:
    d = Definition("toy", "Toy")
    d.terminals("p", "n")
    with pytest.raises(DefinitionError, match="no current is declared"):
        d.model()


@pytest.mark.parametrize(
    ("terminals", "message"),
    [
        (("p", "p"), "'p' is used more than once"),
        (("P", "n"), "terminal 'P': a name is lower-case"),
        (("1", "n"), "terminal '1'"),
    ],
)
def test_terminal_names(terminals: tuple[str, str], message: str) -> None:
    d = Definition("toy", "Toy")
    d.terminals(*terminals)
    with pytest.raises(DefinitionError, match=message):
        d.model()


@pytest.mark.parametrize("terminals", [("gnd", "n"), ("time", "n")])
def test_a_terminal_is_no_word_of_the_simulator(terminals: tuple[str, str]) -> None:
    """ngspice grounds a node called gnd, and takes v(time) for something else."""
    d = Definition("toy", "Toy")
    d.terminals(*terminals)
    d.current(*terminals, d.parameter("g_0", "S", 1e-3, "conductance") * d.voltage(*terminals, "v_1"))
    with pytest.raises(DefinitionError, match=f"'{terminals[0]}'.*reserved"):
        d.model()


@pytest.mark.parametrize("name", ["gnd", "current0", "square", "cube", "power_4"])
def test_a_name_that_an_emitter_uses_itself(name: str) -> None:
    """A node that ngspice grounds, an element and helper functions of the emitted text."""

    def use(d: Definition, v: sp.Symbol, g: sp.Symbol, x: sp.Symbol) -> None:
        q = d.quantity("q_0", "1", (1 + x) ** 2 + (2 + x) ** 3 + (3 + x) ** 4, "powers")
        y = d.state(name, "1", "more", lower=0, upper=1)
        d.rate(y, d.parameter("k_1", "1/s", 1, "k") * (saturate(q, 0, 1, 0.1) - y))

    with pytest.raises(DefinitionError, match=f"state '{name}'"):
        good(use).model()


def test_device_names_are_checked() -> None:
    d = Definition("Toy", "Toy")
    d.terminals("p", "n")
    d.current("p", "n", d.parameter("g_0", "S", 1, "g") * d.voltage("p", "n"))
    with pytest.raises(DefinitionError, match="device 'Toy': a name is lower-case letters"):
        d.model()


def test_the_error_is_also_a_value_error() -> None:
    assert issubclass(DefinitionError, ValueError)
    assert issubclass(DefinitionError, SynspiceError)


def test_the_model_is_frozen() -> None:
    model = good().model()
    with pytest.raises(AttributeError):
        model.name = "other"  # type: ignore[misc]


def test_exponential_of_parameters_alone_is_allowed() -> None:
    def use(d: Definition, v: sp.Symbol, g: sp.Symbol, x: sp.Symbol) -> None:
        a = d.parameter("a_0", "1", 1.0, "exponent")
        d.observable("o", "1", sp.exp(a) + sp.log(limexp(x)) + sp.sqrt(1 + x**2), "safe")

    assert good(use).model().observables[0].name == "o"


def test_the_hash_changes_with_any_equation_and_with_nothing_else() -> None:
    def with_default(default: float) -> Callable[[Definition, sp.Symbol, sp.Symbol, sp.Symbol], object]:
        return lambda d, v, g, x: d.observable("o", "S", d.parameter("g_1", "S", default, "g"), "o")

    def with_term(term: float) -> Callable[[Definition, sp.Symbol, sp.Symbol, sp.Symbol], object]:
        return lambda d, v, g, x: d.observable("o", "S", g * smooth_abs(x, term), "o")

    assert good().model().definition_hash == good().model().definition_hash
    hashes = {
        good(c).model().definition_hash for c in (None, *map(with_default, (1.0, 2.0)), *map(with_term, (0.1, 0.2)))
    }
    assert len(hashes) == 5


def test_reserved_words_are_lower_case_and_cover_every_target() -> None:
    assert all(word == word.lower() for word in names.RESERVED)
    assert {"temper", "time", "idt", "analog", "lambda", "np"} <= names.RESERVED


def test_checks_can_be_left_out_only_inside_the_context() -> None:
    with definition.unchecked():
        model = good(lambda d, v, g, x: d.current("p", "n", -3 * g * v)).model()
    assert len(model.currents) == 2
    with pytest.raises(DefinitionError, match="must be passive"):
        good(lambda d, v, g, x: d.current("p", "n", -3 * g * v)).model()


def test_a_state_that_moves_along_has_both_rates() -> None:
    model = get_device("ionic_synapse")
    rates, own = (dict(zip(("v_i", "x", "y"), r, strict=True)) for r in (model.rates, model.own_rates))
    assert model.along == (None, None, "x")
    assert model.leaders == (None, None, model.states[1])
    assert own["x"] == rates["x"]
    assert sp.simplify(rates["y"] - rates["x"] - own["y"]) == 0
    assert own["y"].free_symbols == {sp.Symbol("y", real=True), model.parameter("tau_y").symbol}
    assert model.apart.rates == model.own_rates == model.apart.own_rates
