"""The impedance of a bench's source in Verilog-A: a resistor, and the compliance limiter with the netlist's law."""

from __future__ import annotations

from ..compact.stimulus import LIMITER_SHARPNESS, Drive

RESISTOR = "source_resistor"
"""Name of the module of a source without compliance."""

LIMITER = "source_limiter"
"""Name of the module of a source with compliance."""

_LARGEST = 1e15
"""Current over compliance at which the law's power stops growing: its 16th power is within a double."""


def format_sources() -> str:
    """Return the text of both modules.

    The limiter follows i = u/r / (1 + (u/(r i_limit))^16)^(1/16), as :func:`synspice.compact.reference.source_current`.
    """
    return f"""\
// the impedances of a bench's sources

`include "disciplines.vams"

module {RESISTOR}(source, terminal);
    inout source, terminal;
    electrical source, terminal;

    (* desc="series resistance", units="ohm" *)
    parameter real r = 1.0 from (0.0:inf);

    analog begin
        I(source, terminal) <+ V(source, terminal)/r;
    end
endmodule

module {LIMITER}(source, terminal);
    inout source, terminal;
    electrical source, terminal;

    (* desc="resistance below the compliance", units="ohm" *)
    parameter real r = 1.0 from (0.0:inf);
    (* desc="compliance: largest current of either sign", units="A" *)
    parameter real i_limit = 1.0 from (0.0:inf);

    real ratio;  // current of the resistance alone over the compliance [1]
    real grown;  // its power {2 * LIMITER_SHARPNESS} [1]

    analog begin
        ratio = min(max(V(source, terminal)/(r*i_limit), -{_LARGEST!r}), {_LARGEST!r});
        grown = exp({float(LIMITER_SHARPNESS)!r}*ln(1e-30 + ratio*ratio));
        I(source, terminal) <+ V(source, terminal)/r*exp(-ln(1.0 + grown)/{float(2 * LIMITER_SHARPNESS)!r});
    end
endmodule
"""


def source_lines(terminal: str, drive: Drive, source: str, node: str) -> list[str]:
    """Return the VACASK model and instance of a drive's impedance between two nodes."""
    module, limit = (RESISTOR, "") if drive.compliance is None else (LIMITER, f" i_limit={drive.compliance!r}")
    card = f"z_{terminal}_card"
    return [f"model {card} {module} r={drive.resistance!r}{limit}", f"z_{terminal} ({source} {node}) {card}"]
