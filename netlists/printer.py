"""SPICE expressions: the printer, for every dialect."""

from __future__ import annotations

from typing import ClassVar

from ..compact.printing import Printer
from .dialects import LTSPICE, NGSPICE, XYCE


class SpicePrinter(Printer):
    """Prints expressions of behavioural sources and of ``.func`` bodies for ngspice.

    Powers never reach ngspice's own ``**``, ``^`` and ``pow``, whose meaning depends on the sign of the base and on the
    compatibility mode: integer powers are products, the others exp(p ln(base)).
    """

    target: ClassVar[str] = "ngspice"
    functions: ClassVar[dict[str, str]] = dict(NGSPICE.functions)


class LtspicePrinter(SpicePrinter):
    """Prints expressions for LTspice."""

    target: ClassVar[str] = "LTspice"
    functions: ClassVar[dict[str, str]] = dict(LTSPICE.functions)


class XycePrinter(SpicePrinter):
    """Prints expressions for Xyce."""

    target: ClassVar[str] = "Xyce"
    functions: ClassVar[dict[str, str]] = dict(XYCE.functions)


PRINTERS: dict[str, type[SpicePrinter]] = {"ngspice": SpicePrinter, "ltspice": LtspicePrinter, "xyce": XycePrinter}
"""The printer of each dialect."""
