"""SPICE expressions: the printer, for every dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import sympy as sp
from sympy.core.function import AppliedUndef

from ..compact.printing import ATOM, Printer
from .dialects import LTSPICE, NGSPICE, XYCE, Dialect
from .spice_forms import choose, exponential, falling_exp, form


class SpicePrinter(Printer):
    """Prints expressions of behavioural sources and of ``.func`` bodies for ngspice.

    Powers never reach ngspice's own ``**``, ``^`` and ``pow``, whose meaning depends on the sign of the base and on the
    compatibility mode: integer powers are products, the others exp(p ln(base)). The primitives have the bodies of
    :mod:`synspice.netlists.spice_forms`.
    """

    dialect: ClassVar[Dialect] = NGSPICE
    target: ClassVar[str] = "ngspice"
    functions: ClassVar[Mapping[str, str]] = dict(NGSPICE.functions)

    def body(self, primitive: str, *arguments: sp.Symbol) -> sp.Expr:
        return form(primitive, *arguments)

    def _walk(self, node: sp.Expr) -> tuple[str, int]:
        if isinstance(node, choose):
            test, yes, no = node.args
            return (
                f"({self.dialect.choice.format(test=self._test(test), yes=self.print(yes), no=self.print(no))})",
                ATOM,
            )
        if isinstance(node, falling_exp):
            return self.call(self.basic("exp"), [self.print(node.args[0])]), ATOM
        if isinstance(node, AppliedUndef):
            return self.call(type(node).__name__, [self.print(a) for a in node.args]), ATOM
        if isinstance(node, sp.exp) and not node.args[0].is_nonpositive:
            x = sp.Symbol("x", real=True)
            name = f"{self.helper_prefix}exponential"
            self.helpers[name] = (("x",), exponential(x))
            return self.call(name, [self.print(node.args[0])]), ATOM
        return super()._walk(node)

    def _test(self, test: sp.Expr) -> str:
        """Return the test of an expression against zero; a number in it goes to the other side, which costs no operation."""
        terms = test.args if isinstance(test, sp.Add) else (test,)
        number = sum((float(t) for t in terms if t.is_Number), 0.0)
        rest = sp.Add(*(t for t in terms if not t.is_Number), evaluate=False)
        if rest.could_extract_minus_sign():
            return f"{self.print(-rest)} < {self.number(number)}"
        return f"{self.print(rest)} > {self.number(0.0 - number)}"


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
