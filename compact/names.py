"""Names that every target takes: one rule, and the words that a simulator or a language keeps for itself.

A name of a definition becomes a parameter, a function, a node, a variable or a column, and the name of a card a subcircuit
or a module; one rule for all of them makes a definition fit every target.
"""

from __future__ import annotations

import keyword
import re

PATTERN = re.compile(r"[a-z][a-z0-9_]*")
"""A name is lower case, for SPICE folds case and Verilog-A does not, and starts with a letter."""

LONGEST = 64
"""Characters of a name."""

RULE = f"a name is lower-case letters, digits and '_', starts with a letter and has at most {LONGEST} characters"

_NGSPICE_WORDS = """
    abs acos acosh agauss arctan asin asinh atan atanh aunif ceil cos cosh e exp floor gauss hertz int last limit ln log
    log10 max min nint pi pow pwl pwr sgn sin sinh sqr sqrt tan tanh temper ternary_fcn time unif v var vec
"""
NGSPICE: frozenset[str] = frozenset(_NGSPICE_WORDS.split())
"""Words that ngspice 39 to 47 misread, or stop at, as a parameter or a function; each is probed. ``last``, ``var`` and ``vec``
are among them for no reason that the manual gives; the latter two only in 47."""

_OTHER_SPICE_WORDS = """
    boltz c ctok constctok delta dt echarge false freq frequency gmin gnd i inoise kelvin level m no onoise par params planck poly
    reltol temp tnom true vt yes
    absdelay acotan arccos arcsin atan2 buf cbrt ddt ddx delay dnlim erf fabs flat fmod hypot idt idtmod if inv mc mean
    noise perlin pwrs rand random round schedule sdt sign smallsig square step stp table tbl u u2 uplim uramp
    white whitenoise wnoise
    spice_exp spice_pulse spice_sffm spice_sin
    and div mod nand nor not or xor
"""
OTHER_SPICE: frozenset[str] = frozenset(_OTHER_SPICE_WORDS.split())
"""Constants, functions and operators of LTspice, Xyce, PSpice and HSPICE, and of ngspice's other modes; ``m`` is the number of
devices in parallel."""

_VERILOG_A_WORDS = """
    above abs absdelay absdelta abstol access acos acosh ac_stim aliasparam always analog analysis and asin asinh assert
    assign atan atan2 atanh begin branch buf bufif0 bufif1 case casex casez ceil cmos connect connectmodule connectrules
    continuous cos cosh cross ddt ddt_nature ddx deassign default defparam disable discipline discrete domain driver_update
    edge else end endcase endconnectrules enddiscipline endfunction endgenerate endmodule endnature endparamset
    endprimitive endspecify endtable endtask event exclude exp final_step flicker_noise floor flow for force forever
    fork from function generate genvar ground highz0 highz1 hypot idt idt_nature idtmod if ifnone inf initial
    initial_step inout input integer join laplace_nd laplace_np laplace_zd laplace_zp large last_crossing limexp ln
    localparam log macromodule max medium merged min module nand nature negedge net_resolution nmos noise_table nor not
    notif0 notif1 or output parameter paramset pmos posedge potential pow primitive pull0 pull1 pulldown pullup rcmos
    real realtime reg release repeat resolveto rnmos rpmos rtran rtranif0 rtranif1 scalared sin sinh slew small
    specify specparam split sqrt string strong0 strong1 supply0 supply1 table tan tanh task temperature time timer tran
    tranif0 tranif1 transition tri tri0 tri1 triand trior trireg units unsigned vectored voltage wait wand weak0
    weak1 white_noise while wire wone wor wreal xnor xor zi_nd zi_np zi_zd zi_zp desc type electrical thermal
"""
VERILOG_A: frozenset[str] = frozenset(_VERILOG_A_WORDS.split())

PYTHON: frozenset[str] = frozenset(
    {
        *(word.lower() for word in keyword.kwlist),
        *("np", "square", "cube", "voltages", "states", "parameters", "temperature"),
    }
)

RESERVED: frozenset[str] = NGSPICE | OTHER_SPICE | VERILOG_A | PYTHON
"""Reserved words of every target, lower case."""

CRASHING_NODES: frozenset[str] = frozenset({"temper"})
"""Nodes that end ngspice 39 to 47 in a segmentation fault, at a plain resistor already."""

CRASHING_SOURCE_NODES: frozenset[str] = frozenset({"agauss", "aunif", "gauss", "limit", "unif"})
"""Nodes that end ngspice 39 in a segmentation fault where a behavioural source names them."""

_GENERATED = re.compile(r"(power_|fixed_|current|charge)\d+|run|exponential|read_[iv]|\w+_(dev|turn\d+|in)")
"""Helper functions and elements that the emitted text names by itself, and signals of a circuit's record."""


def fault(name: str, what: str) -> str | None:
    """Return why ``name`` cannot be used for ``what``, or None."""
    if not PATTERN.fullmatch(name) or len(name) > LONGEST:
        return f"{what} '{_shown(name)}': {RULE}, such as '{legal(name)}'"
    if name in RESERVED or _GENERATED.fullmatch(name):
        return f"{what} '{name}': the word is reserved by a simulator or language; add a suffix, such as '{name}_0'"
    return None


def legal(text: str) -> str:
    """Return a name that every target takes, made of ``text``: other characters become ``_``."""
    name = re.sub(r"[^a-z0-9_]", "_", text.lower())[:LONGEST]
    if not name[:1].isalpha():
        name = f"x_{name}"[:LONGEST]
    return f"{name[: LONGEST - 2]}_0" if name in RESERVED or _GENERATED.fullmatch(name) else name


def _shown(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}..."
