"""What differs between the dialects of SPICE, as facts that the emitter uses and that tests probe.

The entries of ngspice are checked by running it. Those of LTspice and Xyce are from their documentation; what the text
computes is checked by running it in ngspice with their words exchanged for ngspice's.

References
----------
LTspice help: "B. Arbitrary Behavioral Voltage or Current Sources" (functions, operators, ``time``), .FUNC, .SUBCKT;
.OPTIONS (numdgt, plotwinsize).
Xyce Reference Guide: "Expressions" (operators, arithmetic functions, ``TIME``, ``TEMP``), B device, .FUNC, .SUBCKT; the probes
as Xyce's expression lexer lists them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Literal

from ..compact.errors import UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The facts of one dialect.

    Attributes
    ----------
    name : str
    title : str
        The simulator's name as it is written.
    functions : mapping of basic function to the dialect's name of it
    log : {"natural", "decimal"}
        What ``log(x)`` means there; the emitter writes ``ln``.
    power : {"absolute base", "exclusive or"}
        What ``x^y`` means in a behavioural source; the emitter writes products and exponentials, and no power.
    choice : str
        How one of two values is chosen, with ``{test}``, ``{yes}`` and ``{no}``.
    opening, closing : str
        Around the expression of a behavioural source.
    charge : str
        Element of a charge, with ``{name}``, ``{plus}``, ``{minus}`` and ``{charge}``.
    temperature : str
        Ambient temperature [Celsius].
    parameters : str
        Words before the parameters of a subcircuit.
    transient_flag : str
        Source that is 0 V in an operating point, a sweep and an AC analysis, and 1 V at every later point of a transient;
        it makes no breakpoint.
    conditional : bool
        Whether a subcircuit takes ``.if`` on its parameters.
    reserved : frozenset of str
        Names that a function cannot have, beyond those that no definition can (see :mod:`synspice.compact.names`).
    needs : str
        What the text needs of a simulation there, as "it needs ..." in its header.
    """

    name: str
    title: str
    functions: Mapping[str, str]
    log: Literal["natural", "decimal"]
    power: Literal["absolute base", "exclusive or"]
    choice: str
    opening: str
    closing: str
    charge: str
    temperature: str
    parameters: str
    transient_flag: str
    conditional: bool
    reserved: frozenset[str]
    needs: str = ""

    def rename(self, function: str, taken: Container[str] = ()) -> str:
        """Return the name of a function as this dialect takes it, different from every name that is ``taken``.

        Only functions are renamed: a parameter, a node or a state keeps its name, which users see, in every dialect.
        """
        name = function
        while name in self.reserved or (name != function and name in taken):
            name += "_"
        return name

    def source(self, expression: str) -> str:
        """Return the expression as a behavioural source takes it."""
        return f"{self.opening}{expression}{self.closing}"


_FUNCTIONS = {
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

_FLAG = "DC 0 EXP(0 1 1e-30 1e-27 1e30 1)"
"""A source of 0 V that has risen before the first time step: a PULSE would make a breakpoint, and ngspice writes the swept value of
a ``.dc`` into ``time``."""

_XYCE_PROBES = frozenset(
    {f"{quantity}{part}" for quantity in "vinsyz" for part in ("", "r", "i", "m", "p", "db")}
    | {f"i{pin}" for pin in "sdgbec123456789"}
    | {"dno", "dni", "p", "w"}
)
"""What Xyce's expressions read as a voltage, current, noise, power or S, Y or Z parameter where a parenthesis follows: parts of a
complex value, and the currents of a transistor's pins."""

_XYCE_FUNCTIONS = frozenset(
    {"m", "r", "re", "img", "ph", "db", "fmod", "spline", "akima", "cubic", "wodicka", "bli", "fasttable", "tablefile"}
)

NGSPICE = Dialect(
    name="ngspice",
    title="ngspice",
    functions=_FUNCTIONS,
    log="natural",
    power="absolute base",
    choice="{test} ? {yes} : {no}",
    opening="",
    closing="",
    charge="C{name} {plus} {minus} Q = {{{charge}}}",
    temperature="temper",
    parameters="",
    transient_flag=_FLAG,
    conditional=True,
    reserved=frozenset(),
)

LTSPICE = Dialect(
    name="ltspice",
    title="LTspice",
    functions=_FUNCTIONS,
    log="natural",
    power="exclusive or",
    choice="if({test}, {yes}, {no})",
    opening="",
    closing="",
    charge="B{name} {plus} {minus} I = ddt({charge})",
    temperature="temp",
    parameters=" params:",
    transient_flag=_FLAG.removeprefix("DC 0 "),
    conditional=False,
    reserved=frozenset({"v", "i", *(f"i{pin}" for pin in "abcdegsx")}),
    needs=(
        "version XVII or later, '.options method=gear reltol=1e-5 numdgt=15 plotwinsize=0' (else it stores six digits and "
        "drops points) and a maximum time step in .tran"
    ),
)

XYCE = Dialect(
    name="xyce",
    title="Xyce",
    functions=_FUNCTIONS,
    log="decimal",
    power="exclusive or",
    choice="if({test}, {yes}, {no})",
    opening="{",
    closing="}",
    charge="B{name} {plus} {minus} I = {{ddt({charge})}}",
    temperature="temp",
    parameters=" PARAMS:",
    transient_flag=_FLAG,
    conditional=False,
    reserved=_XYCE_PROBES | _XYCE_FUNCTIONS,
    needs="version 7 or later, '.options timeint reltol=1e-5' and a maximum time step in .tran",
)

DIALECTS: dict[str, Dialect] = {d.name: d for d in (NGSPICE, LTSPICE, XYCE)}
"""Every dialect by its name."""


def get_dialect(name: str) -> Dialect:
    """Return a dialect.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    if name not in DIALECTS:
        raise UnknownNameError("dialect", name, DIALECTS)
    return DIALECTS[name]
