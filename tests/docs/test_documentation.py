"""Documentation of a model: golden text, and formulas that a TeX parser takes."""

from pathlib import Path

import pytest
from matplotlib.mathtext import MathTextParser

from synspice.compact.card import Card, Value
from synspice.compact.constants import BOLTZMANN
from synspice.compact.definition import Definition
from synspice.compact.documentation import format_latex, format_markdown, latex_text, symbol_formula
from synspice.compact.model import Model
from synspice.compact.primitives import logistic, saturate
from synspice.compact.registry import DEVICES, get_device

GOLDEN = Path(__file__).parent / "golden"


def device() -> Model:
    d = Definition(
        "trap_cell", "Cell with traps & 5 % of dust", "Traps fill at v > 0.\n\nNot for T < 200 K | or `radiation`."
    )
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    g_0 = d.parameter("g_0", "S", 1e-6, "conductance_0 {low}", above=0, scale="log")
    tau = d.parameter("tau", "s", 1e-3, "time constant", above=0)
    v_1 = d.parameter("v_1", "V", 0.1, "scale", above=0)
    x = d.state("x", "1", "filled share", lower=0, upper=1)
    x_c = d.quantity("x_c", "1", saturate(x, 0, 1, 0.05), "filled share, bounded", scale=1.0)
    d.current(p, n, g_0 * (1 + x_c) * v)
    d.charge(p, n, 1e-3 * tau * g_0 * v)
    d.rate(
        x, (logistic(v / v_1) - x) / tau - (logistic(-v / v_1) - 0.5) / tau * (x - x**2) + x_c * (1 - x_c) ** 2 / tau
    )
    d.observable("conductance", "S", g_0 * (1 + x_c), "conductance")
    d.noise("johnson", p, n, 4 * BOLTZMANN * d.temperature * g_0)
    d.reference("A & B, J. Test 1, 2 (2020): 50% of it")
    return d.model()


CARD = Card(
    name="trap_a",
    device="trap_cell",
    title="Trap cell A_1",
    source="C & D (2021), Fig. 2",
    notes="Holds below 1 V.",
    values={"g_0": Value(value=2.5e-6, unit="S", method="fitted", source="to loop #3 | day 2", stderr=1.25e-8)},
)


@pytest.mark.parametrize(("emitter", "file"), [(format_markdown, "trap_a.md"), (format_latex, "trap_a.tex")])
def test_golden_text(emitter: object, file: str) -> None:
    text = emitter(device(), CARD)  # type: ignore[operator]
    lines = [line for line in text.splitlines() if "synspice" not in line]  # the version and the definition's hash
    assert lines == (GOLDEN / file).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", DEVICES)
def test_the_formulas_of_every_device_are_mathematics(name: str) -> None:
    parser = MathTextParser("agg")
    blocks = format_markdown(get_device(name)).split("\n$$\n")[1::2]
    assert len(blocks) > 3
    for block in blocks:
        for line in block.removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}").split(r"\\"):
            bare = line.replace("&", "").replace(r"\quad", "").strip()
            parser.parse(f"${bare}$")


@pytest.mark.parametrize("name", DEVICES)
def test_a_latex_document_is_balanced(name: str) -> None:
    text = format_latex(get_device(name))
    bare = text.replace(r"\{", "").replace(r"\}", "").replace(r"\$", "")
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    for environment in ("document", "equation*", "longtable", "enumerate", "description", "aligned"):
        assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}")


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("g_on", r"g_{\mathrm{on}}"),
        ("theta", r"\theta"),
        ("theta_0", r"\theta_{\mathrm{0}}"),
        ("rate_max", r"\mathrm{rate}_{\mathrm{max}}"),
        ("t_rise_max", r"t_{\mathrm{rise,max}}"),
        ("n2", r"n_{\mathrm{2}}"),
        ("t_ambient", "T"),
        ("boltzmann", r"k_{\mathrm{B}}"),
    ],
)
def test_names_become_symbols(name: str, formula: str) -> None:
    assert symbol_formula(name) == formula


def test_latex_specials_are_escaped() -> None:
    assert latex_text(r"5 % of a_b & {c} ~ \d < 2^3 #1 $") == (
        r"5 \% of a\_b \& \{c\} \textasciitilde{} \textbackslash{}d \textless{} 2\textasciicircum{}3 \#1 \$"
    )
