"""A device's equations as a behavioural source evaluates them with the least work.

A simulator walks the text of a source at every Newton iteration, once for the value and once for each derivative, and it does
not fold constants. So whatever depends on parameters alone becomes one ``.param``, a division by it a product with its
reciprocal, and each safe primitive a function with its constants in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import sympy as sp

from ..compact.constants import CONSTANT_VALUES, ZERO_CELSIUS
from ..compact.model import TEMPERATURE, Model
from ..compact.primitives import Primitive
from .spice_forms import exponential, falling_exp, form

AMBIENT = sp.Symbol("temper", real=True)
"""The simulator's temperature [Celsius]."""


@dataclass(frozen=True, kw_only=True)
class Helper:
    """A function of the emitted text.

    Attributes
    ----------
    name : str
    arguments : tuple of sympy.Symbol
    body : sympy.Expr
    """

    name: str
    arguments: tuple[sp.Symbol, ...]
    body: sp.Expr


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A model's equations, lowered.

    Attributes
    ----------
    fixed : mapping of name to sympy.Expr
        Quantities of parameters alone, as they were declared.
    constants : mapping of name to sympy.Expr
        What else depends on parameters alone, over parameters and ``fixed``.
    helpers : mapping of name to Helper
        Functions that the expressions call; helpers of helpers first.
    quantities, observables : mapping of name to sympy.Expr
    rates, currents, charges : tuple of sympy.Expr
    """

    fixed: Mapping[str, sp.Expr]
    constants: Mapping[str, sp.Expr]
    helpers: Mapping[str, Helper]
    quantities: Mapping[str, sp.Expr]
    observables: Mapping[str, sp.Expr]
    rates: tuple[sp.Expr, ...]
    currents: tuple[sp.Expr, ...]
    charges: tuple[sp.Expr, ...]


def lower(model: Model, scales: Mapping[str, float]) -> Lowered:
    """Return a model's equations as behavioural sources take them.

    Parameters
    ----------
    model : Model
    scales : mapping of name to float
        Units of the quantities that are nodes: what is lowered is the quantity over its scale. States' own rates are lowered
        over the states' scales.
    """
    work = _Lowering(model)
    quantities = {
        q.name: work.lower(q.expression / sp.Float(scales[q.name]) if scales.get(q.name, 1.0) != 1.0 else q.expression)
        for q in model.quantities
        if q.name not in work.fixed
    }
    rates = [r if s.scale == 1 else r / sp.Float(s.scale) for s, r in zip(model.states, model.own_rates, strict=True)]
    return Lowered(
        fixed=work.fixed,
        quantities=quantities,
        observables={o.name: work.lower(o.expression) for o in model.observables},
        rates=tuple(work.lower(r) for r in rates),
        currents=tuple(work.lower(b.expression) for b in model.currents),
        charges=tuple(work.lower(b.expression) for b in model.charges),
        constants=work.constants,
        helpers=work.helpers,
    )


@dataclass
class _Lowering:
    model: Model
    fixed: dict[str, sp.Expr] = field(default_factory=dict)
    constants: dict[str, sp.Expr] = field(default_factory=dict)
    helpers: dict[str, Helper] = field(default_factory=dict)
    _names: dict[sp.Expr, sp.Symbol] = field(default_factory=dict)
    _calls: dict[tuple[object, ...], sp.Function] = field(default_factory=dict)

    def __post_init__(self) -> None:
        moving = {v.symbol for v in self.model.voltages} | {s.symbol for s in self.model.states} | {TEMPERATURE}
        self.fixed = {
            q.name: q.expression
            for q in self.model.quantities
            if not self.model.expanded[q.symbol].free_symbols & moving
        }
        parameters = {p.name for p in self.model.parameters} | self.fixed.keys() | CONSTANT_VALUES.keys()
        self._parameters = frozenset(parameters)

    def lower(self, expression: sp.Expr) -> sp.Expr:
        """Return an expression over parameters, constants, helpers and basic functions."""
        if self._is_fixed(expression):
            return self._constant(expression)
        if expression == TEMPERATURE:
            return AMBIENT + sp.Float(ZERO_CELSIUS)
        if isinstance(expression, sp.Symbol):
            return expression
        if isinstance(expression, sp.Add):
            return self._sum([self.lower(a) if not self._is_fixed(a) else a for a in expression.args])
        if isinstance(expression, sp.Mul):
            return self._product(expression.args)
        if isinstance(expression, sp.Pow):
            return self._power(expression)
        if isinstance(expression, Primitive):
            name = type(expression).__name__
            return self._call(name, expression.args, lambda *a: form(name, *a))
        if isinstance(expression, sp.exp):
            (x,) = expression.args
            return falling_exp(self.lower(x)) if x.is_nonpositive else self._call("exponential", (x,), exponential)
        return expression.func(*(self.lower(a) for a in expression.args), evaluate=False)

    def _is_fixed(self, expression: sp.Expr) -> bool:
        return all(s.name in self._parameters for s in expression.free_symbols)

    def _constant(self, expression: sp.Expr) -> sp.Expr:
        """Return a number, a parameter, or the name of what is worked out once."""
        if not expression.free_symbols:
            number = _number(expression)
            if number == float(f"{number:.10e}"):
                return sp.Float(number)
            expression = sp.Float(
                number
            )  # ngspice keeps eleven digits of a number in an expression, sixteen of a parameter
        elif isinstance(expression, sp.Symbol) and expression.name not in CONSTANT_VALUES:
            return expression
        if expression not in self._names:
            symbol = sp.Symbol(f"fixed_{len(self.constants) + 1}", real=True)
            self._names[expression] = symbol
            self.constants[symbol.name] = expression
        return self._names[expression]

    def _sum(self, terms: Iterable[sp.Expr]) -> sp.Expr:
        """Add terms, those of parameters alone as one."""
        flat = [t for term in terms for t in (term.args if isinstance(term, sp.Add) else (term,))]
        fixed = [t for t in flat if self._is_fixed(t)]
        moving = [t for t in flat if t not in fixed]
        unfolded = [self.constants[t.name] if t in self._names.values() else t for t in fixed]
        constant = [self._constant(sp.Add(*unfolded))] if fixed else []
        return sp.Add(*moving, *(c for c in constant if c != 0), evaluate=False)

    def _product(self, factors: Iterable[sp.Expr]) -> sp.Expr:
        """Multiply factors, those of parameters alone as one."""
        factors = list(factors)
        fixed = [f for f in factors if self._is_fixed(f)]
        moving = [self.lower(f) for f in factors if f not in fixed]
        constant = sp.Mul(*fixed)
        if constant == -1:
            return sp.Mul(sp.Integer(-1), *moving, evaluate=False)
        return sp.Mul(*([self._constant(constant)] if fixed and constant != 1 else []), *moving, evaluate=False)

    def _power(self, expression: sp.Pow) -> sp.Expr:
        base, exponent = expression.args
        if exponent.is_Integer or exponent in (sp.Rational(1, 2), -sp.Rational(1, 2)):
            return sp.Pow(self.lower(base), exponent, evaluate=False)
        if isinstance(exponent, sp.Rational) and exponent.q == 2 and exponent.p > 0:
            whole = sp.Pow(self.lower(base), exponent.p // 2, evaluate=False)
            return sp.Mul(whole, sp.Pow(self.lower(base), sp.Rational(1, 2), evaluate=False), evaluate=False)
        return self.lower(sp.exp(exponent * sp.log(base, evaluate=False), evaluate=False))

    def _call(self, name: str, arguments: tuple[sp.Expr, ...], body: Callable[..., sp.Expr]) -> sp.Expr:
        """Return the call of a helper with the fixed arguments in it."""
        key = (name, *(a if self._is_fixed(a) else None for a in arguments))
        moving = [a for a in arguments if not self._is_fixed(a)]
        if key not in self._calls:
            symbols = tuple(sp.Symbol(letter, real=True) for letter in ("x", "y", "z", "w")[: len(moving)])
            rest = iter(symbols)
            inside = body(*(a if self._is_fixed(a) else next(rest) for a in arguments))
            lowered = self.lower(inside)
            count = sum(1 for other in self._calls if other[0] == name)
            called = name if len(moving) == len(arguments) else f"{name}_{count + 1}"
            self.helpers[called] = Helper(name=called, arguments=symbols, body=lowered)
            self._calls[key] = sp.Function(called)
        return self._calls[key](*(self.lower(a) for a in moving))


def _number(expression: sp.Expr) -> float:
    """Return the value of an expression without symbols."""
    while expression.has(Primitive):
        expression = expression.replace(lambda e: isinstance(e, Primitive), lambda e: type(e).body(*e.args))
    return float(sp.lambdify([], expression, modules=[{"minimum": min, "maximum": max}, "math"])())
