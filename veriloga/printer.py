"""Verilog-A expressions: the printer."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import ClassVar

from ..compact.errors import EmissionError
from ..compact.printing import Printer


class VerilogAPrinter(Printer):
    """Prints expressions of an analog block.

    Every number is a real literal, so that no division is one of integers (in Verilog-A 1/2 is 0). The safe primitives
    become analog functions with a prefix of their own: ``limexp`` is a built-in function there, and a different one.
    """

    target: ClassVar[str] = "Verilog-A"
    helper_prefix: ClassVar[str] = "fn_"
    functions: ClassVar[dict[str, str]] = {
        "exp": "exp",
        "log": "ln",
        "sqrt": "sqrt",
        "sinh": "sinh",
        "cosh": "cosh",
        "tanh": "tanh",
        "atan": "atan",
        "asinh": "asinh",
        "minimum": "min",
        "maximum": "max",
    }

    def number(self, value: float) -> str:
        """Return a real literal that reads back as the same value."""
        if not math.isfinite(value):
            raise EmissionError(f"{self.target} has no literal for {value}")
        text = repr(float(value))
        if value == 0 or 1e-3 <= abs(value) < 1e6:
            return text
        mantissa, exponent = f"{Decimal(text).normalize():e}".split("e")
        return f"{mantissa}{'' if '.' in mantissa else '.0'}e{int(exponent)}"
