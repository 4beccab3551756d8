"""The expression printer: the walk over the closed node set lives here once, a target overrides what differs.

Printers never simplify and never change the model. What a target cannot express raises :class:`EmissionError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar

import sympy as sp

from .errors import EmissionError
from .primitives import PRIMITIVES, Primitive, maximum, minimum

_ADD, _MUL, _UNARY, ATOM = 1, 2, 3, 4
_ATOMIC = re.compile(r"[\w.]+|[\d.]+(e[+-]?\d+)?|\([^()]*\)|\w+\([^()]*\)")


class Printer:
    """Base of the targets' printers.

    Attributes
    ----------
    target : str
        Name for errors.
    functions : mapping
        Target name of each basic function.
    helper_prefix : str
        Put before the names of primitives and powers where a helper function stands for them.
    longest_product : int
        Integer powers up to this are printed as products.
    """

    target: ClassVar[str] = "text"
    functions: ClassVar[Mapping[str, str]] = {}
    helper_prefix: ClassVar[str] = ""
    longest_product: ClassVar[int] = 16

    def __init__(self, symbols: Mapping[str, str] | None = None) -> None:
        self.symbols = dict(symbols or {})
        self.helpers: dict[str, tuple[tuple[str, ...], sp.Expr]] = {}

    def print(self, expression: sp.Expr) -> str:
        """Return the text of an expression, and note the helper functions that it needs in ``helpers``."""
        return self._walk(sp.sympify(expression))[0]

    def number(self, value: float) -> str:
        """Return a float so that reading it gives the same float: no SI suffix, no rounding."""
        return repr(float(value))

    def symbol(self, name: str) -> str:
        """Return what stands for a symbol."""
        return self.symbols.get(name, name)

    def call(self, function: str, arguments: Iterable[str]) -> str:
        """Return a function call."""
        return f"{function}({', '.join(arguments)})"

    def basic(self, name: str) -> str:
        """Return the target's name of a basic function."""
        try:
            return self.functions[name]
        except KeyError:
            known = ", ".join(sorted(self.functions))
            raise EmissionError(f"{self.target} cannot express '{name}'; it has {known}") from None

    def body(self, primitive: str, *arguments: sp.Symbol) -> sp.Expr:
        """Return the body of a primitive's helper function."""
        return PRIMITIVES[primitive].body(*arguments)

    def helper_definitions(self, written: Iterable[str] = ()) -> dict[str, tuple[tuple[str, ...], str]]:
        """Return name, arguments and printed body of every helper used so far, helpers of helpers first."""
        done: dict[str, tuple[tuple[str, ...], str]] = {}
        skip = set(written)

        def visit(name: str) -> None:
            if name in done or name in skip:
                return
            arguments, body = self.helpers[name]
            inner = type(self)()
            text = inner.print(body)
            self.helpers.update(inner.helpers)
            for needed in inner.helpers:
                visit(needed)
            done[name] = (arguments, text)

        for name in list(self.helpers):
            visit(name)
        return done

    def _walk(self, node: sp.Expr) -> tuple[str, int]:
        if isinstance(node, sp.Symbol):
            text = self.symbol(node.name)
            return text, ATOM if _ATOMIC.fullmatch(text) else _ADD
        if isinstance(node, sp.Integer):
            return (self.number(float(node)), ATOM) if node >= 0 else (f"-{self.number(float(-node))}", _UNARY)
        if isinstance(node, sp.Rational):
            return self.number(float(node)), ATOM if node >= 0 else _UNARY
        if isinstance(node, sp.Float | sp.NumberSymbol):
            return self.number(float(node)), ATOM if float(node) >= 0 else _UNARY
        if isinstance(node, sp.Add):
            return self._sum(node), _ADD
        if isinstance(node, sp.Mul):
            return self._product(node)
        if isinstance(node, sp.Pow):
            return self._power(node.base, node.exp)
        if isinstance(node, Primitive):
            return self._helper(type(node).__name__, node.args), ATOM
        if isinstance(node, sp.Function | minimum | maximum):
            name = type(node).__name__
            return self.call(self.basic(name), [self.print(a) for a in node.args]), ATOM
        raise EmissionError(f"{self.target} cannot express '{node}' ({type(node).__name__})")

    def _wrap(self, node: sp.Expr, level: int) -> str:
        text, own = self._walk(node)
        return text if own >= level else f"({text})"

    def _sum(self, node: sp.Add) -> str:
        terms = sorted(node.as_ordered_terms(), key=lambda t: t.could_extract_minus_sign())
        text = ""
        for term in terms:
            if text and term.could_extract_minus_sign():
                text += f" - {self._wrap(-term, _MUL)}"
            else:
                text += f" + {self._wrap(term, _MUL)}" if text else self._wrap(term, _MUL)
        return text

    def _product(self, node: sp.Mul) -> tuple[str, int]:
        if node.could_extract_minus_sign():
            return f"-{self._wrap(-node, _UNARY)}", _UNARY
        above: list[sp.Expr] = []
        below: list[sp.Expr] = []
        for factor in node.as_ordered_factors():
            base, exponent = factor.as_base_exp()
            if isinstance(factor, sp.Rational) and factor.q != 1:
                above += [sp.Integer(factor.p)] if factor.p != 1 else []
                below.append(sp.Integer(factor.q))
            elif exponent.could_extract_minus_sign() and not isinstance(factor, sp.exp):
                below.append(sp.Pow(base, -exponent))
            else:
                above.append(factor)
        text = "*".join(self._wrap(f, _UNARY) for f in above) or self.number(1.0)
        if len(below) == 1:
            bottom = self._wrap(below[0], ATOM)
        else:
            bottom = f"({'*'.join(self._wrap(f, _UNARY) for f in below)})"
        return (f"{text}/{bottom}" if below else text), _MUL

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> tuple[str, int]:
        if exponent == sp.Rational(1, 2):
            return self.call(self.basic("sqrt"), [self.print(base)]), ATOM
        if exponent.could_extract_minus_sign():
            return f"{self.number(1.0)}/{self._wrap(sp.Pow(base, -exponent), ATOM)}", _MUL
        if exponent.is_Integer:
            n = int(exponent)
            if n > self.longest_product:
                raise EmissionError(
                    f"{self.target}: power {n} is above {self.longest_product}; use signed_power or abs_power"
                )
            if isinstance(base, sp.Symbol):
                return "*".join([self._wrap(base, _UNARY)] * n), _MUL
            return self._integer_power(base, n), ATOM
        if isinstance(exponent, sp.Rational) and exponent.q == 2 and exponent.p > 0:
            whole, root = sp.Pow(base, exponent.p // 2), sp.sqrt(base)
            return f"{self._wrap(whole, _UNARY)}*{self._wrap(root, _UNARY)}", _MUL
        return self._walk(sp.exp(exponent * sp.log(base, evaluate=False), evaluate=False))

    def _integer_power(self, base: sp.Expr, n: int) -> str:
        name = {2: "square", 3: "cube"}.get(n, f"power_{n}")
        x = sp.Symbol("x", real=True)
        self.helpers[self.helper_prefix + name] = (("x",), sp.Pow(x, n))
        return self.call(self.helper_prefix + name, [self.print(base)])

    def _helper(self, name: str, arguments: Iterable[sp.Expr]) -> str:
        primitive = PRIMITIVES[name]
        symbols = [sp.Symbol(a, real=True) for a in primitive.arguments]
        self.helpers[self.helper_prefix + name] = (primitive.arguments, self.body(name, *symbols))
        return self.call(self.helper_prefix + name, [self.print(a) for a in arguments])
