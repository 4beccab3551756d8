"""SPICE expressions: the printer, for every dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import sympy as sp

from ..compact.printing import ATOM, Printer
from .dialects import LTSPICE, NGSPICE, XYCE, Dialect
from .spice_forms import choose, exponential, falling_exp, form


class SpicePrinter(Printer):
    """Prints expressions of behavioural sources and of ``.func`` bodies for ngspice.

    Powers never reach ngspice's own ``**``, ``^`` and ``pow``, whose meaning depends on the sign of the base and on the
    compatibility mode: integer powers are products, the others exp(p ln(base)). The primitives have the bodies of
    :mod:`synspice.netlists.spice_forms`. What depends on parameters alone is bracketed, so that ngspice folds it to one number
    when it reads the deck.

    Parameters
    ----------
    symbols : mapping of name to text, optional
        What stands for a symbol.
    fixed : iterable of str
        Symbols that stand for parameters.
    """

    dialect: ClassVar[Dialect] = NGSPICE
    target: ClassVar[str] = "ngspice"
    functions: ClassVar[Mapping[str, str]] = dict(NGSPICE.functions)

    def __init__(self, symbols: Mapping[str, str] | None = None, fixed: Iterable[str] = ()) -> None:
        super().__init__(symbols)
        self.fixed = frozenset(fixed)

    def body(self, primitive: str, *arguments: sp.Symbol) -> sp.Expr:
        return form(primitive, *arguments)

    def _walk(self, node: sp.Expr) -> tuple[str, int]:
        if isinstance(node, choose):
            test, yes, no = (self.print(a) for a in node.args)
            return f"({self.dialect.choice.format(test=f'{test} > 0', yes=yes, no=no)})", ATOM
        if isinstance(node, falling_exp):
            return self.call(self.basic("exp"), [self.print(node.args[0])]), ATOM
        if isinstance(node, sp.exp) and not node.args[0].is_nonpositive:
            x = sp.Symbol("x", real=True)
            name = f"{self.helper_prefix}exponential"
            self.helpers[name] = (("x",), exponential(x))
            return self.call(name, [self.print(node.args[0])]), ATOM
        return super()._walk(node)

    def _sum(self, node: sp.Add) -> str:
        return super()._sum(self._bracketed(node, node.as_ordered_terms()))

    def _product(self, node: sp.Mul) -> tuple[str, int]:
        if node.could_extract_minus_sign():
            return super()._product(node)
        return super()._product(self._bracketed(node, node.as_ordered_factors()))

    def _bracketed(self, node: sp.Expr, parts: list[sp.Expr]) -> sp.Expr:
        """Return a sum or product with its fixed parts as one symbol, which stands for their bracket."""
        fixed = [p for p in parts if all(s.name in self.fixed for s in p.free_symbols)]
        if len(fixed) < 2 or len(fixed) == len(parts):
            return node
        inside = node.func(*fixed, evaluate=False)
        text = super()._sum(inside) if isinstance(inside, sp.Add) else super()._product(inside)[0]
        symbol = sp.Symbol(f" {len(self.symbols)}", positive=True)  # sorts before every name
        self.symbols[symbol.name] = f"({text})"
        return node.func(symbol, *(p for p in parts if p not in fixed), evaluate=False)


class LtspicePrinter(SpicePrinter):
    """Prints expressions for LTspice."""

    dialect: ClassVar[Dialect] = LTSPICE
    target: ClassVar[str] = "LTspice"
    functions: ClassVar[Mapping[str, str]] = dict(LTSPICE.functions)


class XycePrinter(SpicePrinter):
    """Prints expressions for Xyce."""

    dialect: ClassVar[Dialect] = XYCE
    target: ClassVar[str] = "Xyce"
    functions: ClassVar[Mapping[str, str]] = dict(XYCE.functions)


PRINTERS: dict[str, type[SpicePrinter]] = {"ngspice": SpicePrinter, "ltspice": LtspicePrinter, "xyce": XycePrinter}
"""The printer of each dialect."""
