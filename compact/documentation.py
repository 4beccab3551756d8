"""The documentation emitter: a model and its card as Markdown (with TeX formulas) or as a LaTeX document."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

import sympy as sp
from sympy.core.alphabets import greeks
from sympy.printing.latex import LatexPrinter

from .card import Card
from .constants import CONSTANTS
from .model import DTEMP, TEMPERATURE, Branch, Model
from .parameters import Parameter
from .primitives import PRIMITIVES, Primitive
from .registry import default_card
from .version import __version__

_GREEK = frozenset(greeks)
_CONSTANTS = {
    "boltzmann": (r"k_{\mathrm{B}}", "Boltzmann constant"),
    "boltzmann_ev": (r"k_{\mathrm{B,eV}}", "Boltzmann constant"),
    "elementary_charge": ("q", "elementary charge"),
    "vacuum_permittivity": (r"\varepsilon_{0}", "vacuum permittivity"),
    "planck": ("h", "Planck constant"),
    "electron_mass": (r"m_{\mathrm{e}}", "electron rest mass"),
}
_NAMED_SYMBOLS = {
    TEMPERATURE.name: "T",
    DTEMP.name: r"\Delta T",
    **{name: symbol for name, (symbol, _) in _CONSTANTS.items()},
}

_FREQUENCY = sp.Symbol("f", positive=True)

_LONG = 160
"""Characters of TeX from which a sum is broken over lines."""


class FormulaPrinter(LatexPrinter):  # type: ignore[misc]
    """Prints the node set as LaTeX mathematics; a primitive prints as an upright function name."""

    def __init__(self) -> None:
        super().__init__({"mul_symbol": "dot", "ln_notation": True})

    def _as_ordered_terms(self, expr: sp.Add, order: str | None = None) -> list[sp.Expr]:
        """Return a sum's terms, a positive one first."""
        return sorted(super()._as_ordered_terms(expr, order), key=lambda t: bool(t.could_extract_minus_sign()))

    def _print_Symbol(self, expr: sp.Symbol, style: str = "") -> str:  # noqa: N802 - the name that SymPy looks for
        return symbol_formula(expr.name)

    def _print_Function(self, expr: sp.Function, exp: str | None = None) -> str:  # noqa: N802
        if not isinstance(expr, Primitive):
            return str(super()._print_Function(expr, exp))
        arguments = ", ".join(self._print(a) for a in expr.args)
        call = rf"{symbol_formula(type(expr).__name__)}\left({arguments}\right)"
        return call if exp is None else rf"{{{call}}}^{{{exp}}}"


def symbol_formula(name: str) -> str:
    """Return a name as LaTeX: ``g_on`` as a letter with an upright subscript, ``theta`` as the Greek letter."""
    if name in _NAMED_SYMBOLS:
        return _NAMED_SYMBOLS[name]
    stem, _, below = name.partition("_")
    letters = stem.rstrip("0123456789")
    upright = letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"
    base = rf"\{letters}" if letters in _GREEK else upright
    index = ",".join(part for part in (stem[len(letters) :], *below.split("_")) if part)
    return rf"{base}_{{\mathrm{{{index}}}}}" if index else base


def equation(left: str, expression: sp.Expr) -> str:
    """Return an equation as LaTeX mathematics; a long sum has a line for each term."""
    printer = FormulaPrinter()
    text = str(printer.doprint(expression))
    if len(text) < _LONG or not isinstance(expression, sp.Add):
        return f"{left} = {text}"
    lines = ""
    for term in printer._as_ordered_terms(expression):
        negative = bool(term.could_extract_minus_sign())
        sign = "-" if negative else "+" if lines else ""
        lines += (r" \\ & \quad " if lines else "") + sign + " " + str(printer.doprint(-term if negative else term))
    return rf"\begin{{aligned}} {left} & = {lines.strip()} \end{{aligned}}"


def format_markdown(model: Model, card: Card | None = None) -> str:
    """Return a model's documentation in Markdown, the formulas in TeX between lines of ``$$``.

    Parameters
    ----------
    model : Model
    card : Card, optional
        Whose values the parameter table gives; the model's defaults when left out.
    """
    card = card or default_card(model)
    lines = [f"# {_markdown(card.title)}", ""]
    lines += [f"Card `{card.name}` of the device `{model.name}` ({model.definition_hash}), synspice {__version__}.", ""]
    if card.source:
        lines += [f"Source: {_markdown(card.source.rstrip('.'))}.", ""]
    if card.notes:
        lines += [_markdown(_one_line(card.notes)), ""]
    for paragraph in _paragraphs(model.description):
        lines += [_markdown(paragraph), ""]
    lines += [f"Terminals: {', '.join(f'`{t}`' for t in model.terminals)}.", ""]
    for title, rows in _equations(model):
        lines += [f"## {title}", ""]
        for text, meaning in rows:
            lines += [f"{_markdown(meaning)}:", "", "$$", text, "$$", ""]
    lines += ["## Parameters", ""]
    header = ("name", "symbol", "value", "unit", "range", "meaning", "come by", "source")
    lines += [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    for p in model.parameters:
        value, method, source = _value(card, p)
        cells = [f"`{p.name}`", f"${symbol_formula(p.name)}$", value, _unit(p.unit), p.range_text]
        cells += [_markdown(p.description), method, _markdown(source)]
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    lines.append("")
    if used := _primitives(model):
        lines += ["## Functions", "", *(f"- `{name}`: {_markdown(meaning)}" for name, meaning in used), ""]
    if model.references:
        lines += ["## References", "", *(f"{i}. {_markdown(r)}" for i, r in enumerate(model.references, 1)), ""]
    return "\n".join(lines)


def format_latex(model: Model, card: Card | None = None) -> str:
    """Return a model's documentation as a LaTeX document that compiles as it is.

    Parameters
    ----------
    model : Model
    card : Card, optional
        Whose values the parameter table gives; the model's defaults when left out.
    """
    card = card or default_card(model)
    lines = [
        rf"% {_one_line(card.title)}: emitted by synspice {__version__} from {model.name} ({model.definition_hash})",
        r"\documentclass[a4paper]{article}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage{amsmath}",
        r"\usepackage{longtable}",
        r"\usepackage[margin=2cm]{geometry}",
        rf"\title{{{latex_text(card.title)}}}",
        r"\date{}",
        r"\begin{document}",
        r"\maketitle",
        rf"\noindent Card \texttt{{{latex_text(card.name)}}} of the device \texttt{{{latex_text(model.name)}}}.",
    ]
    if card.source:
        lines.append(f"Source: {latex_text(card.source.rstrip('.'))}.")
    for paragraph in [*_paragraphs(card.notes), *_paragraphs(model.description)]:
        lines += ["", latex_text(paragraph)]
    terminals = ", ".join(rf"\texttt{{{latex_text(t)}}}" for t in model.terminals)
    lines += ["", f"Terminals: {terminals}."]
    for title, rows in _equations(model):
        lines += ["", rf"\section*{{{title}}}"]
        for text, meaning in rows:
            lines += [f"{latex_text(meaning)}:", r"\begin{equation*}", text, r"\end{equation*}"]
    lines += ["", r"\section*{Parameters}", r"\begin{longtable}{lrlllp{4cm}p{4cm}}"]
    lines += [r"symbol & value & unit & range & come by & meaning & source \\", r"\hline", r"\endhead"]
    for p in model.parameters:
        value, method, source = _value(card, p)
        cells = [f"${symbol_formula(p.name)}$", value.replace("±", r"$\pm$"), latex_text(_unit(p.unit))]
        cells += [_latex_range(p), method]
        lines.append(" & ".join([*cells, latex_text(p.description), latex_text(source)]) + r" \\")
    lines.append(r"\end{longtable}")
    if used := _primitives(model):
        lines += ["", r"\section*{Functions}", r"\begin{description}"]
        lines += [rf"\item[\textrm{{{latex_text(name)}}}] {latex_text(meaning)}" for name, meaning in used]
        lines.append(r"\end{description}")
    if model.references:
        lines += ["", r"\section*{References}", r"\begin{enumerate}"]
        lines += [rf"\item {latex_text(r)}" for r in model.references]
        lines.append(r"\end{enumerate}")
    return "\n".join([*lines, r"\end{document}", ""])


_LATEX_SPECIALS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{c: rf"\{c}" for c in "&%$#_{}"},
}


def latex_text(text: str) -> str:
    """Return text with the characters escaped that LaTeX gives a meaning."""
    return "".join(_LATEX_SPECIALS.get(c, c) for c in text)


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]$#])", r"\\\1", text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> list[str]:
    return [_one_line(p) for p in text.strip().split("\n\n") if p.strip()]


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _meaning(description: str, unit: str) -> str:
    return f"{description} [{_unit(unit)}]" if _unit(unit) else description


def _equations(model: Model) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the sections: title, and each equation's formula with its meaning."""
    sections = {
        "Voltages": [
            (f"{symbol_formula(v.name)} = V({v.plus}) - V({v.minus})", f"voltage from {v.plus} to {v.minus} [V]")
            for v in model.voltages
        ],
        "Quantities": [
            (equation(symbol_formula(q.name), q.expression), _meaning(q.description, q.unit)) for q in model.quantities
        ],
        "Currents": _branches(model.currents, "I", "current", "A"),
        "Charges": _branches(model.charges, "Q", "charge", "C"),
        "States": [
            (
                equation(rf"\frac{{\mathrm{{d}} {symbol_formula(s.name)}}}{{\mathrm{{d}} t}}", rate),
                _meaning(f"{s.description}, {_range(s.lower, s.upper)}", s.unit),
            )
            for s, rate in zip(model.states, model.rates, strict=True)
        ],
        "Observables": [
            (equation(symbol_formula(o.name), o.expression), _meaning(o.description, o.unit)) for o in model.observables
        ],
        "Noise": [
            (
                equation(
                    rf"S_{{\mathrm{{{n.name}}}}}",
                    n.density if n.kind == "white" else n.density / _FREQUENCY**n.exponent,
                ),
                f"{n.name} noise current from {n.plus} to {n.minus}, power spectral density [A^2/Hz]",
            )
            for n in model.noise
        ],
        "Constants": [
            (f"{symbol_formula(s.name)} = {_power_of_ten(value)}", _meaning(_CONSTANTS[s.name][1], unit))
            for s, (value, unit) in CONSTANTS.items()
            if s in _free_symbols(model)
        ],
    }
    return [(title, rows) for title, rows in sections.items() if rows]


def _branches(branches: Iterable[Branch], letter: str, what: str, unit: str) -> list[tuple[str, str]]:
    return [
        (
            equation(rf"{letter}_{{\mathrm{{{b.plus},{b.minus}}}}}", b.expression),
            f"{what} from {b.plus} to {b.minus} [{unit}]",
        )
        for b in branches
    ]


def _expressions(model: Model) -> Sequence[sp.Expr]:
    named = [q.expression for q in (*model.quantities, *model.observables)]
    flowing = [b.expression for b in (*model.currents, *model.charges)]
    return [*named, *flowing, *model.rates, *(n.density for n in model.noise)]


def _free_symbols(model: Model) -> set[sp.Symbol]:
    return set().union(*(e.free_symbols for e in _expressions(model)))


def _primitives(model: Model) -> list[tuple[str, str]]:
    """Return the primitives that the model uses, with the first sentence of what they are."""
    used = {type(p).__name__ for e in _expressions(model) for p in e.atoms(Primitive)}
    rows = []
    for name, primitive in PRIMITIVES.items():
        if name in used:
            first = (primitive.__doc__ or "").strip().split("\n\n")[0]
            rows.append((f"{name}({', '.join(primitive.arguments)})", _one_line(first).replace("``", "")))
    return rows


def _value(card: Card, parameter: Parameter) -> tuple[str, str, str]:
    """Return value (with its standard error), method and source of a parameter."""
    value = card.values.get(parameter.name)
    if value is None:
        return f"{parameter.default:g}", "assumed", "default of the definition"
    error = "" if value.stderr is None else f" ± {value.stderr:.2g}"
    return f"{value.value:.6g}{error}", value.method, _one_line(value.source)


def _range(lower: float, upper: float) -> str:
    if math.isinf(lower) and math.isinf(upper):
        return "unbounded"
    return f"from {lower:g} to {upper:g}"


def _latex_range(parameter: Parameter) -> str:
    return "$" + parameter.range_text.replace("inf", r"\infty") + "$"


def _power_of_ten(value: float) -> str:
    mantissa, exponent = f"{value:.9e}".split("e")
    return rf"{mantissa.rstrip('0').rstrip('.')} \times 10^{{{int(exponent)}}}"
