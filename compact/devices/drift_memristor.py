"""Drift memristor: a non-volatile oxide device of the Pt/TaOx/Ta and Pt/HfOx/TiN class."""

import sympy as sp

from ..constants import BOLTZMANN, BOLTZMANN_EV
from ..definition import Definition
from ..primitives import hopping, limexp, positive_part, saturate, signed_power

V_CORNER = 1e-3
"""Voltage [V] below which the positive and negative parts are rounded."""

GAP_RESIDUE = 0.02
"""Gap left, as a fraction of the full one, when the filament is complete; keeps the conduction law regular."""

d = Definition(
    "drift_memristor",
    "Non-volatile drift memristor",
    """A filament of relative length x grows under positive voltage (set) and dissolves under negative (reset).

Conduction: exponential in x between two conductances (tunnelling through the remaining gap); ohmic at low voltage, a power
law above (traps in the gap: space-charge-limited), ohmic throughout when the gap is closed. Kinetics: ion hopping over a
barrier lowered by the field (sinh of voltage), thermally activated, with the filament's own Joule heating in quasi-static
equilibrium and a field that concentrates in the remaining gap. Set and reset have windows of their own, so neither end of
the range locks the state. Rates level off at rate_max.

Positive current flows from p to n. Valid for read-out and switching of devices that are formed already; electroforming,
relaxation of a programmed state and read noise are not covered.
""",
)
p, n = d.terminals("p", "n")
v = d.voltage(p, n)

g_on = d.parameter("g_on", "S", 1e-4, "conductance of the complete filament at low voltage", above=0, scale="log")
g_off = d.parameter("g_off", "S", 1e-6, "conductance of the full gap at low voltage", above=0, scale="log")
v_nl = d.parameter(
    "v_nl", "V", 1.0, "voltage above which the current of the full gap grows faster", above=0, scale="log"
)
m_nl = d.parameter("m_nl", "1", 2.0, "power of the current in voltage above v_nl", at_least=1, at_most=8)
k_set = d.parameter("k_set", "1/s", 1.0, "rate of set at the scale voltage", above=0, scale="log")
k_reset = d.parameter("k_reset", "1/s", 1.0, "rate of reset at the scale voltage", above=0, scale="log")
v_set = d.parameter("v_set", "V", 0.1, "voltage scale of the set rate", above=0, scale="log")
v_reset = d.parameter("v_reset", "V", 0.1, "voltage scale of the reset rate", above=0, scale="log")
p_set = d.parameter("p_set", "1", 1.0, "power of the set window (1 - x)", at_least=0.2, at_most=6)
p_reset = d.parameter("p_reset", "1", 1.0, "power of the reset window x", at_least=0.2, at_most=6)
focus_set = d.parameter(
    "focus_set",
    "1",
    0.0,
    "concentration of the set field as the gap closes (negative: dilution)",
    at_least=-20,
    at_most=0.95,
)
focus_reset = d.parameter(
    "focus_reset",
    "1",
    0.0,
    "dilution of the reset field as the gap opens (negative: concentration)",
    at_least=-0.9,
    at_most=20,
)
r_th = d.parameter("r_th", "K/W", 0.0, "thermal resistance of the filament", at_least=0)
e_a = d.parameter("e_a", "eV", 0.6, "activation energy of ion hopping", at_least=0, at_most=3)
t_ref = d.parameter("t_ref", "K", 300.0, "temperature at which k_set and k_reset hold", above=0)
t_rise_max = d.parameter("t_rise_max", "K", 1000.0, "largest temperature rise of the filament", above=0)
rate_max = d.parameter("rate_max", "1/s", 1e9, "rate at which set and reset level off", above=0, scale="log")
c_0 = d.parameter("c_0", "F", 0.0, "capacitance of the cell", at_least=0)

x = d.state("x", "1", "relative length of the filament", initial=0.1, lower=0.0, upper=1.0)

x_c = d.quantity("x_c", "1", saturate(x, 0, 1, 0.05), "filament length, bounded for the conduction law", scale=1.0)
gap = d.quantity(
    "gap", "1", sp.sqrt((1 - x_c) ** 2 + GAP_RESIDUE**2), "relative gap that is left", scale=1.0, lower=0.01, upper=1.1
)
gain = d.quantity("gain", "1", sp.log(g_on / g_off), "logarithm of the conductance that the filament gains")
g_x = d.quantity("g_x", "S", g_off * limexp(gain * x_c), "conductance at low voltage")
bend = d.quantity(
    "bend", "1", sp.log(1 + (gap * v / v_nl) ** 2), "twice the logarithm of the excess over ohmic conduction"
)
log_g = d.quantity(
    "log_g", "1", gain * x_c + (m_nl - 1) / 2 * bend, "logarithm of the conductance over g_off", scale=10.0
)
i_x = d.quantity("i_x", "A", g_off * v * limexp(log_g), "current")
hot = d.quantity(
    "hot",
    "1",
    1 - 1 / (1 + r_th * v * i_x / t_rise_max),
    "temperature rise of the filament over t_rise_max, levelling off",
    scale=1.0,
    lower=0.0,
    upper=1.0,
)
t_x = d.quantity("t_x", "K", d.temperature + t_rise_max * hot, "temperature of the filament")
theta = d.quantity(
    "theta",
    "1",
    e_a / BOLTZMANN_EV * (1 / t_ref - 1 / t_x),
    "thermal activation of hopping, as an exponent",
    scale=10.0,
)
f_set = d.quantity(
    "f_set",
    "1",
    positive_part(v, V_CORNER) / (v_set * (1 - focus_set * x_c)),
    "lowering of the hopping barrier by the set field, in kT",
    scale=10.0,
)
f_reset = d.quantity(
    "f_reset",
    "1",
    positive_part(-v, V_CORNER) / (v_reset * (1 + focus_reset * gap)),
    "lowering of the hopping barrier by the reset field, in kT",
    scale=10.0,
)
a_set = d.quantity(
    "a_set", "1", theta + sp.log(k_set / rate_max), "logarithm of the set rate without field, over rate_max"
)
a_reset = d.quantity(
    "a_reset", "1", theta + sp.log(k_reset / rate_max), "logarithm of the reset rate without field, over rate_max"
)
hop_set = d.quantity("hop_set", "1", hopping(f_set, a_set) / 2, "set rate over rate_max", scale=1.0)
hop_reset = d.quantity(
    "hop_reset",
    "1",
    hopping(f_reset, a_reset) / 2,
    "reset rate over rate_max",
    scale=1.0,
)
room_set = d.quantity("room_set", "1", signed_power(1 - x, p_set, 1e-3), "window of set", scale=1.0)
room_reset = d.quantity("room_reset", "1", signed_power(x, p_reset, 1e-3), "window of reset", scale=1.0)

d.current(p, n, i_x)
d.charge(p, n, c_0 * v)
d.rate(x, rate_max * (hop_set * room_set - hop_reset * room_reset))
d.observable("conductance", "S", g_x, "conductance at low voltage")
d.observable("filament_temperature", "K", t_x, "temperature of the filament")
d.noise("johnson", p, n, 4 * BOLTZMANN * d.temperature * g_x)
d.reference(
    "Strukov & Williams, Appl. Phys. A 94, 515 (2009): exponential ionic drift, rate proportional to a sinh of the field"
)
d.reference("Yang, Strukov & Stewart, Nature Nanotech. 8, 13 (2013): set and reset of oxide devices, Joule heating")

MODEL = d.model()
