"""Ionic synapse: a three-terminal electrochemical device whose channel takes up protons through a solid electrolyte."""

import sympy as sp

from ..constants import BOLTZMANN, BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from ..definition import Definition
from ..primitives import abs_power, linexp, ohmic_hopping, positive_part

EMPTY = 1e-3
"""Occupation below which the conductance law is rounded to that of the empty channel."""

SITES = 1e-6
"""Rounding of the free and of the taken sites at the ends of the range, past which no transfer goes."""

d = Definition(
    "ionic_synapse",
    "Electrochemical ionic synapse",
    """A gate voltage above the open-circuit voltage drives protons from the gate through the electrolyte into the channel.

Two steps are in series: hopping in the electrolyte, whose barrier the field lowers (a sinh of the field), and charge
transfer at the channel (Butler-Volmer, with the occupation of the channel's sites). The capacitance of the interface is
charged by their difference; its voltage v_i is a state. A single sinh cannot give both documented speed-ups (2 to 4 V
and 2 to 6 V): the slope has to fall with voltage, as a second step in series makes it. The balance of the two directions
of charge transfer is the composition-dependent open-circuit voltage u_0 + kT/(2 alpha q) ln(x/(1-x)).

The channel's conductance is a power of the occupation x. Protons that have just crossed count more until they have
spread, in tau_y: the state y. That part is a hypothesis for the paper's statement that pulses do not simply add up
("accumulation of ions at the interfaces").

Gate current is counted into the gate and leaves half by the source and half by the drain; channel current flows from
drain to source. Valid within the voltages of the programming pulses and near room temperature; the activation energies
are assumptions, and there is no electronic leakage through the electrolyte.
""",
)
gate, source, drain = d.terminals("gate", "source", "drain")
d.ports(write=(gate, source), read=(drain, source))
v_gs = d.voltage(gate, source)
v_gd = d.voltage(gate, drain)
v_ds = d.voltage(drain, source)

j_hop = d.parameter("j_hop", "A/m^2", 9e-6, "current density scale of hopping at t_ref", above=0, scale="log")
l_hop = d.parameter("l_hop", "m", 1.5e-9, "hopping distance", above=0, scale="log")
ea_hop = d.parameter("ea_hop", "eV", 0.4, "activation energy of hopping", at_least=0, at_most=3)
j_ct = d.parameter("j_ct", "A/m^2", 0.03, "exchange current density of charge transfer at t_ref", above=0, scale="log")
alpha = d.parameter("alpha", "1", 0.085, "effective charge transfer coefficient", above=0, at_most=1)
ea_ct = d.parameter("ea_ct", "eV", 0.4, "activation energy of charge transfer", at_least=0, at_most=3)
u_0 = d.parameter("u_0", "V", 0.0, "open-circuit voltage of the half-filled channel")
t_ref = d.parameter("t_ref", "K", 300.15, "temperature at which j_hop and j_ct hold", above=0)
j_max = d.parameter(
    "j_max", "A/m^2", 1e9, "current density beyond which both steps are resistances", above=0, scale="log"
)
c_dl = d.parameter("c_dl", "F/m^2", 1.7e-4, "capacitance of the interface", above=0, scale="log")
q_max = d.parameter("q_max", "C/m^2", 1.2, "charge of the full channel", above=0, scale="log")
k_y = d.parameter(
    "k_y", "1", 0.4, "extra weight in conductance of protons that have just crossed", at_least=0, at_most=10
)
tau_y = d.parameter("tau_y", "s", 3.0, "time in which they spread", above=0, scale="log")
g_on = d.parameter("g_on", "S", 1e-4, "sheet conductance of the full channel", above=0, scale="log")
g_min = d.parameter("g_min", "S", 1e-12, "sheet conductance of the empty channel", at_least=0)
p_g = d.parameter("p_g", "1", 4.0, "power of the conductance in the occupation", at_least=1, at_most=8)
eps_r = d.parameter("eps_r", "1", 25.0, "relative permittivity of the electrolyte", at_least=1)
t_el = d.parameter("t_el", "m", 14e-9, "thickness of the electrolyte", above=0, scale="log", instance=True)
w_ch = d.parameter("w_ch", "m", 3e-6, "width of the channel", above=0, scale="log", instance=True)
l_ch = d.parameter("l_ch", "m", 3e-6, "length of the channel", above=0, scale="log", instance=True)

v_i = d.state("v_i", "V", "voltage of the interface between electrolyte and channel", initial=-0.118)
x = d.state("x", "1", "occupation of the channel by protons", initial=0.316, scale=0.1, lower=0.0, upper=1.0)
y = d.state("y", "1", "occupation that has not spread yet", scale=0.01)

v_g = d.quantity("v_g", "V", (v_gs + v_gd) / 2, "voltage of the gate over the middle of the channel")
v_t = d.quantity("v_t", "V", BOLTZMANN * d.temperature / ELEMENTARY_CHARGE, "thermal voltage")
heat = d.quantity(
    "heat", "1/eV", (1 / t_ref - 1 / d.temperature) / BOLTZMANN_EV, "reciprocal thermal energies' difference"
)
a_hop = d.quantity(
    "a_hop", "1", sp.log(j_hop / (2 * j_max)) + ea_hop * heat, "logarithm of the hopping rate without field"
)
f_hop = d.quantity(
    "f_hop",
    "1",
    (v_g - v_i) * l_hop / (2 * v_t * t_el),
    "lowering of the hopping barrier by the field, in kT",
    scale=10.0,
)
hop = d.quantity("hop", "1", ohmic_hopping(f_hop, a_hop), "current density of hopping over j_max", scale=1.0)
j_e = d.quantity("j_e", "A/m^2", j_max * hop, "current density of hopping")
a_ct = d.quantity("a_ct", "1", sp.log(j_ct / j_max) + ea_ct * heat, "logarithm of the transfer rate without voltage")
f_ct = d.quantity("f_ct", "1", alpha * (v_i - u_0) / v_t, "lowering of the transfer barrier, in kT", scale=10.0)
taken = d.quantity("taken", "1", linexp(a_ct + f_ct), "rate of taking up over j_max", scale=1.0)
given = d.quantity("given", "1", linexp(a_ct - f_ct), "rate of giving back over j_max", scale=1.0)
transfer = d.quantity(
    "transfer",
    "1",
    positive_part(1 - x, SITES) * taken - positive_part(x, SITES) * given,
    "current density of charge transfer over j_max",
    scale=1.0,
)
j_f = d.quantity("j_f", "A/m^2", j_max * transfer, "current density of charge transfer")
filled = d.quantity(
    "filled", "1", positive_part(x + k_y * y, EMPTY), "occupation that the conductance sees", scale=1.0, lower=0.0
)
g_ch = d.quantity(
    "g_ch", "S", w_ch / l_ch * (g_min + g_on * abs_power(filled, p_g, EMPTY)), "conductance of the channel"
)
i_g = d.quantity("i_g", "A", w_ch * l_ch * j_e, "gate current without the displacement current")
c_g = d.quantity("c_g", "F", VACUUM_PERMITTIVITY * eps_r * w_ch * l_ch / t_el, "capacitance of the gate")

d.current(gate, source, i_g / 2, cell=True)
d.current(gate, drain, i_g / 2, cell=True)
d.current(drain, source, g_ch * v_ds)
d.charge(gate, source, c_g / 2 * v_gs)
d.charge(gate, drain, c_g / 2 * v_gd)
d.rate(v_i, (j_e - j_f) / c_dl)
d.rate(x, j_f / q_max)
d.rate(y, -y / tau_y, along=x)
d.observable("conductance", "S", g_ch, "conductance of the channel")
d.observable("gate_current", "A", i_g, "gate current without the displacement current")

hops = w_ch * l_ch * j_max * (linexp(a_hop + f_hop) + linexp(a_hop - f_hop))
"""Current of the hops [A], those of both directions added."""

for side in (source, drain):
    # A hop moves its charge through l_hop of t_el: shot noise of that part of q, which is 4kTG at rest. Half on each side.
    d.noise(f"hopping_{side}", gate, side, ELEMENTARY_CHARGE * l_hop / t_el * hops)
d.noise("johnson", drain, source, 4 * BOLTZMANN * d.temperature * g_ch)
d.reference(
    "Huang et al., Adv. Mater. (2025), doi:10.1002/adma.202418484, Sec. 2.1: field-enhanced hopping, Butler-Volmer transfer, "
    "open-circuit voltage; Sec. 2.2: accumulation of ions at the interfaces"
)
d.reference(
    "Mott & Davis, Electronic Processes in Non-Crystalline Materials: hopping over a barrier lowered by the field"
)
d.reference("Bard & Faulkner, Electrochemical Methods (2001): the Butler-Volmer equation")

MODEL = d.model()
