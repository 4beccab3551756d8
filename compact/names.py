"""Names that a target reserves. A device's names are checked against all of them, so that one definition fits every target."""

from __future__ import annotations

import keyword
import re

PATTERN = re.compile(r"[a-z][a-z0-9_]*")
"""A name is lower case (SPICE folds case) and starts with a letter."""

_SPICE = """
    time temper temp hertz freq pi e c i kelvin echarge boltz planck yes no true false gmin vt tnom reltol dt
    abs acos acosh agauss asin asinh atan atan2 atanh aunif buf cbrt ceil cos cosh ddt ddx delay delta erf exp fabs floor
    gauss hypot idt idtmod if int inv limit ln log log10 max mc mean min nint noise perlin pow pwr pwrs rand random
    round sdt sgn sign sin sinh smallsig sqrt step stp table tan tanh tbl u u2 unif uramp white wnoise whitenoise var
    and or not xor nand nor mod div par params level gnd
"""

_VERILOG_A = """
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

RESERVED: frozenset[str] = frozenset(
    {
        *_SPICE.split(),
        *_VERILOG_A.split(),
        *(word.lower() for word in keyword.kwlist),
        "np",
        "square",
        "cube",
        "voltages",
        "states",
        "parameters",
        "temperature",
    }
)
"""Reserved words of every target, lower case."""


_GENERATED = re.compile(r"(power_|current|charge)\d+")
"""Helper functions and elements that the emitted text names by itself."""


def fault(name: str, what: str) -> str | None:
    """Return why ``name`` cannot be used for ``what``, or None."""
    if not PATTERN.fullmatch(name):
        return f"{what} '{name}': a name is lower-case letters, digits and '_', and starts with a letter"
    if name in RESERVED or _GENERATED.fullmatch(name):
        return f"{what} '{name}': the word is reserved by a simulator or language; add a suffix, such as '{name}_0'"
    return None
