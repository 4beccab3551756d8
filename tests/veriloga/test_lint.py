"""Each convention of the lint, by a module that breaks it alone."""

import pytest

from synspice.compact.errors import EmissionError
from synspice.veriloga.lint import lint

GOOD = """\
module cell(p, n);
    inout p, n;
    electrical p, n;
    electrical x_dev;
    (* desc="conductance", units="S" *)
    parameter real g = 1.0e-6 from (0.0:inf);
    (* desc="share", units="1" *)
    parameter real share = 0.5 from [0.0:1.0];
    (* type="instance", desc="hold", units="1" *)
    parameter integer frozen = 0 from [0:1];
    (* desc="memory", units="1" *)
    real x;
    (* desc="flow", units="A", multiplicity="multiply" *)
    real i_p;
    localparam real one = 1.0 from (0.0:inf);  // [1]
    (* type="instance", desc="rise", units="K" *)
    parameter real dtemp = 0.0 from [-200.0:300.0];
    real t;  // temperature [K]
    real v;  // voltage [V]
    analog function real fn_square;
        input a;
        real a;
        fn_square = a*a;
    endfunction
    analog begin
        v = V(p, n);
        x = share + V(x_dev);
        I(x_dev) <+ ddt(V(x_dev)) + ((frozen == 1 || $abstime <= 0.0) ? V(x_dev) : -v);
        $bound_step(1.0e-3/(abs(v) + 1.0e-30));
        t = $temperature + dtemp;
        i_p = one*v*t + $simparam("gmin", 0.0)*v;
        I(p, n) <+ g*v*ln(1.0 + fn_square(v))/(1.0 + sqrt(v*v))/g*x;
        I(p, n) <+ white_noise(g, "thermal");
    end
endmodule
"""

CASES = [
    ("    inout p, n;", "    inout p;", "port 'n' has no direction"),
    ("    electrical p, n;\n", "    electrical p;\n", "port 'n' has no discipline"),
    ("module cell", "module Cell", "'Cell' is not lower case"),
    ('(* desc="conductance", units="S" *)', '(* desc="conductance" *)', "parameter 'g' has no units"),
    ('(* desc="conductance", units="S" *)', '(* units="S" *)', "parameter 'g' has no desc"),
    ("g = 1.0e-6 from (0.0:inf)", "g = 1.0e-6", "parameter 'g' has no range"),
    ("g = 1.0e-6 from", "g = -1.0e-6 from", "default of the parameter 'g' is outside"),
    ('(* desc="memory", units="1" *)', '(* desc="memory" *)', "operating-point variable 'x' has no units"),
    ("real v;  // voltage [V]", "real v;  // voltage", "the comment of 'v' gives no [unit]"),
    ("real v;  // voltage [V]", "real v;  // [V]\n    real w;  // [V]", "the variable 'w' is never assigned"),
    ("g*v*ln(1.0 + fn_square(v))", "v*ln(1.0 + v*v)", "the function 'fn_square' is never called"),
    ("x = share + V", "x = 0.5 + V", "'share' is never used"),
    ("fn_square = a*a", "fn_square = 2.0", "does not use 'a'"),
    ("fn_square = a*a", "fn_square = a*v", "uses 'v', which is not its argument"),
    (
        "        v = V(p, n);\n        x = share",
        "        x = share + v;\n        v = V(p, n);\n        x = share",
        "hidden state",
    ),
    ("x = share + V(x_dev)", "x = share + V(x_dev)*$abstime", "'$abstime' depends on the time step"),
    ("v = V(p, n)", "v = limexp(V(p, n))", "'limexp' depends on the solver's history"),
    ("v = V(p, n);", "@(initial_step) v = V(p, n);\n        v = V(p, n);", "an event"),
    ("-v);", "-ddt(v));", "'ddt' within a condition"),
    ("$abstime <= 0.0", "$abstime <= 1.0", "'$abstime' depends on the time step"),
    (', multiplicity="multiply"', "", "'i_p' needs multiplicity 'multiply', not ''"),
    ('desc="memory", units="1"', 'desc="memory", units="1", multiplicity="multiply"', "'x' needs multiplicity ''"),
    ("one = 1.0 from (0.0:inf)", "one = 1.0", "the constant 'one' has no range"),
    ('$simparam("gmin", 0.0)', '$simparam("gmin", 1e-12)', "the default of 'gmin' is not 0"),
    ('$simparam("gmin", 0.0)', '$simparam("gmin")', "the default of 'gmin' is not 0"),
    ('type="instance", desc="rise"', 'desc="rise"', "'dtemp' is no instance parameter"),
    ("x = share", "x = 1/2 + share", "division of integers"),
    ("x = share", "x = frozen/2 + share", "division of integers"),
    ("ln(1.0 + fn_square(v))", "ln(v + fn_square(v))", "logarithm of what may not be positive"),
    ("sqrt(v*v)", "sqrt(v*v - 1.0)", "square root of what may be negative"),
    ("))/g*x", "))/share/g*x", "divides by parameters whose range includes 0"),
    (', "thermal")', ")", "'white_noise' has no name"),
    ("I(p, n) <+ white_noise", "V(p, n) <+ g*white_noise", "both a potential and a flow"),
    ("electrical x_dev;", "electrical x_dev, spare;", "the node 'spare' is never used"),
    ("x = share", "y = 1.0;\n        x = share", "'y' is assigned and not declared"),
]


def test_a_good_module_has_no_finding() -> None:
    assert lint(GOOD) == []


@pytest.mark.parametrize(("good", "bad", "message"), CASES)
def test_a_finding(good: str, bad: str, message: str) -> None:
    assert GOOD.count(good) == 1
    findings = lint(GOOD.replace(good, bad))
    assert any(message in str(f) for f in findings), findings
    assert all(f.line > 0 for f in findings)


def test_a_variable_assigned_in_one_branch_only_remembers() -> None:
    text = GOOD.replace("x = share + V(x_dev);", "if (v > 0.0) x = share + V(x_dev);")
    assert any("'x' is read before it is assigned" in str(f) for f in lint(text))
    text = GOOD.replace("x = share + V(x_dev);", "if (v > 0.0) begin x = share + V(x_dev); end else x = 0.0;")
    assert lint(text) == []


@pytest.mark.parametrize("text", ["module m(p); genvar i; endmodule", "module m(p); analog begin x = ; end", "\\esc"])
def test_what_the_emitter_never_writes_is_refused(text: str) -> None:
    with pytest.raises(EmissionError, match=r"Verilog-A, line 1"):
        lint(text)
