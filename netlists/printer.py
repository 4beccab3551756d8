"""SPICE expressions: the printer, and what differs between the dialects."""

from __future__ import annotations

from typing import ClassVar

from ..compact.printing import Printer


class SpicePrinter(Printer):
    """Prints expressions of behavioural sources and of ``.func`` bodies for ngspice.

    Powers never reach ngspice's own ``**``, ``^`` and ``pow``, whose meaning depends on the sign of the base and on the
    compatibility mode: integer powers are products, the others exp(p ln(base)).
    """

    target: ClassVar[str] = "ngspice"
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
