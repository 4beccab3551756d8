"""The range of a Verilog-A expression, from the ranges of the parameters in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .syntax import Expression, Function

_INF = math.inf


@dataclass(frozen=True)
class Interval:
    """A range of values.

    Attributes
    ----------
    low, high : float
    nonzero : bool
        Whether zero is excluded though a bound is zero.
    fixed : bool
        Whether the value depends on parameters alone.
    """

    low: float = -_INF
    high: float = _INF
    nonzero: bool = False
    fixed: bool = False

    @property
    def positive(self) -> bool:
        return self.low > 0 or (self.low == 0 and self.nonzero)

    @property
    def excludes_zero(self) -> bool:
        return self.positive or self.high < 0 or (self.high == 0 and self.nonzero)


ANYTHING = Interval()


class Ranges:
    """Evaluates expressions over intervals.

    Parameters
    ----------
    functions : mapping of name to Function
    report : callable (text)
        Told what may be undefined: a logarithm, a square root, a division by parameters.
    """

    def __init__(self, functions: Mapping[str, Function], report: Callable[[str], None]) -> None:
        self.functions = functions
        self.report = report

    def of(self, e: Expression, known: Mapping[str, Interval]) -> Interval:
        """Return an expression's range, the ranges of names known."""
        if e.kind == "number":
            value = float(e.text)
            return Interval(value, value, value != 0, True)
        if e.kind == "name":
            if e.text == "$temperature":
                return Interval(0.0, _INF, True)
            return known.get(e.text, ANYTHING)
        if e.kind == "choice":
            self.of(e.parts[0], known)
            return _either(self.of(e.parts[1], known), self.of(e.parts[2], known))
        if e.kind == "unary":
            return _negative(self.of(e.parts[0], known)) if e.text == "-" else self.of(e.parts[0], known)
        if e.kind == "binary":
            return self._binary(e, known)
        if e.kind == "call":
            return self._call(e, known)
        return ANYTHING

    def _binary(self, e: Expression, known: Mapping[str, Interval]) -> Interval:
        if e.text == "*":
            return self._factors(_flattened(e), known)
        a, b = (self.of(part, known) for part in e.parts)
        if e.text == "+":
            return _sum(a, b)
        if e.text == "-":
            return _sum(a, _negative(b))
        if e.text == "/":
            if b.fixed and not b.excludes_zero:
                self.report("divides by parameters whose range includes 0")
            if not b.excludes_zero:
                same_sign = b.low >= 0
                low = 0.0 if same_sign and a.low >= 0 else -_INF
                return Interval(low, 0.0 if same_sign and a.high <= 0 else _INF, fixed=a.fixed and b.fixed)
            return _product(a, _reciprocal(b))
        return Interval(0.0, 1.0, fixed=a.fixed and b.fixed)

    def _factors(self, factors: list[Expression], known: Mapping[str, Interval]) -> Interval:
        """Return the range of a product, in which equal factors are paired to squares."""
        result = Interval(1.0, 1.0, True, True)
        for factor in dict.fromkeys(factors):
            value, count = self.of(factor, known), factors.count(factor)
            for _ in range(count // 2):
                result = _product(result, _square(value))
            if count % 2:
                result = _product(result, value)
        return result

    def _call(self, e: Expression, known: Mapping[str, Interval]) -> Interval:
        parts = [self.of(part, known) for part in e.parts if part.kind != "string"]
        name = e.text
        if name in self.functions:
            function = self.functions[name]
            inside = dict(zip(function.arguments, parts, strict=False))
            for statement in function.body:
                inside[statement.target] = self.of(statement.value, inside)
            return inside.get(name, ANYTHING)
        fixed = bool(parts) and all(p.fixed for p in parts) and name not in ("V", "I", "$simparam", "ddt", "idt")
        first = parts[0] if parts else ANYTHING
        if name == "ln" and not first.positive:
            self.report("takes the logarithm of what may not be positive")
        if name == "sqrt" and not first.low >= 0:
            self.report("takes the square root of what may be negative")
        known_ranges: dict[str, Callable[[], Interval]] = {
            "exp": lambda: Interval(_exp(first.low), _exp(first.high), True, fixed),
            "ln": lambda: Interval(_ln(first.low), _ln(first.high), False, fixed),
            "sqrt": lambda: Interval(_root(first.low), _root(first.high), first.positive, fixed),
            "sinh": lambda: Interval(_sinh(first.low), _sinh(first.high), first.excludes_zero, fixed),
            "cosh": lambda: Interval(1.0, _INF, True, fixed),
            "tanh": lambda: Interval(-1.0, 1.0, False, fixed),
            "atan": lambda: Interval(-math.pi / 2, math.pi / 2, False, fixed),
            "min": lambda: _extreme(min, parts, fixed),
            "max": lambda: _extreme(max, parts, fixed),
        }
        return known_ranges[name]() if name in known_ranges else Interval(fixed=fixed)


def _flattened(e: Expression) -> list[Expression]:
    if e.kind == "binary" and e.text == "*":
        return [factor for part in e.parts for factor in _flattened(part)]
    return [e]


def _either(a: Interval, b: Interval) -> Interval:
    nonzero = (a.positive and b.positive) or (a.excludes_zero and b.excludes_zero and a.high <= 0 and b.high <= 0)
    return Interval(min(a.low, b.low), max(a.high, b.high), nonzero, a.fixed and b.fixed)


def _negative(a: Interval) -> Interval:
    return Interval(-a.high, -a.low, a.nonzero, a.fixed)


def _sum(a: Interval, b: Interval) -> Interval:
    low, high = a.low + b.low, a.high + b.high
    low, high = (-_INF if math.isnan(low) else low), (_INF if math.isnan(high) else high)
    nonzero = (low == 0 and (a.positive or b.positive)) or (high == 0 and (a.excludes_zero or b.excludes_zero))
    return Interval(low, high, nonzero, a.fixed and b.fixed)


def _square(a: Interval) -> Interval:
    edges = (a.low * a.low, a.high * a.high)
    low = min(edges) if a.low > 0 or a.high < 0 else 0.0
    return Interval(low, max(edges), a.excludes_zero, a.fixed)


def _product(a: Interval, b: Interval) -> Interval:
    edges = [_times(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(edges), max(edges), a.excludes_zero and b.excludes_zero, a.fixed and b.fixed)


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0 or y == 0 else x * y


def _reciprocal(a: Interval) -> Interval:
    low = 1 / a.high if a.high != 0 else -_INF
    high = 1 / a.low if a.low != 0 else _INF
    return Interval(low, high, True, a.fixed)


def _extreme(choose: Callable[[list[float]], float], parts: list[Interval], fixed: bool) -> Interval:
    low, high = choose([p.low for p in parts]), choose([p.high for p in parts])
    positive = [p.positive for p in parts]
    return Interval(low, high, all(positive) if choose is min else any(positive), fixed)


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else _INF


def _ln(x: float) -> float:
    return math.log(x) if 0 < x < _INF else (_INF if x > 0 else -_INF)


def _sinh(x: float) -> float:
    return math.sinh(x) if abs(x) < 700 else math.copysign(_INF, x)


def _root(x: float) -> float:
    return math.sqrt(x) if x > 0 else 0.0
