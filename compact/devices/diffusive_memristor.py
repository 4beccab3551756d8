"""Diffusive memristor: silver in an oxide or nitride (Ag in SiOxNy, MgOx, HfOx), volatile threshold switching."""

import sympy as sp

from ..constants import BOLTZMANN, BOLTZMANN_EV
from ..definition import Definition
from ..primitives import abs_power, limexp, logistic, positive_part, saturate, signed_power, smooth_abs

CLOSING_WIDTH = 0.025
"""Width, as a fraction of the gap, over which growth along the gap gives way to thickening."""

GAP_ROUNDING = 0.02
"""Rounding of the remaining gap at closure."""

BRIDGE_MAX = 1.5
"""Bound of the closure: far behind the closed gap, where growth has faded."""

THICKNESS_MAX = 30.0
"""Bound of the thickness."""


def window(x: sp.Expr, largest: float) -> sp.Expr:
    """Return what stops growth at a bound: exactly 1 up to 0.95 of it, 0 there, negative beyond."""
    start, width = 0.95 * largest, 0.01 * largest
    span = largest - start
    return 1 - positive_part(x - start, width) / (span**3 / (span**2 + width**2))


d = Definition(
    "diffusive_memristor",
    "Volatile diffusive memristor (silver in oxide)",
    """Silver particles bridge the gap under a voltage of either polarity and regroup spontaneously without it.

States: the closure of the bridge along the gap, its lateral thickness once it is closed, and the signed depletion of silver
at one electrode. The current jumps when the bridge closes and then grows slowly as the channel thickens (Wang 2017, text on
Fig. 3a). Conduction is tunnelling through the rest of the gap, exponential in the closure (eq. 3), in series with the
filament. The field grows as the gap closes, which makes the threshold sharp and the hold voltage low; the incubation time is
the time that closure takes. Without bias the bridge coalesces, a two-body process (rate quadratic in closure) over a thermal
barrier (0.27 eV, Fig. 3b); a thick filament lives longer (size law of Ostwald ripening, Fig. 2), so that long pulses are
forgotten in tens of milliseconds and short ones at once. The field pumps silver towards one terminal (Fig. 4b, 5c): the
thickness that the supply sustains falls, facilitation turns into depression, and recovers slowly, along the bridge: once
that is gone the terminals have reabsorbed their silver and keep it (text on Fig. 4b), so that a longer gap between pulses
never weakens the depression. Joule heating acts at
once: relaxation is governed by diffusion, not by the temperature's own relaxation (Fig. 4).

Positive current flows from p to n; the device is symmetric but for its depletion. Electroforming, noise, and the spread
from device to device are not covered.
""",
)
p, n = d.terminals("p", "n")
v = d.voltage(p, n)

g_on = d.parameter("g_on", "S", 2e-4, "conductance of a filament that has just closed", above=0, scale="log")
g_off = d.parameter("g_off", "S", 2e-9, "conductance without a bridge", above=0, scale="log")
slope_on = d.parameter(
    "slope_on", "1", 1.1, "closure is complete in conductance at 1/slope_on of the gap", at_least=1, at_most=1.5
)
gain_thick = d.parameter(
    "gain_thick", "1", 0.35, "relative gain of conductance per unit of thickness", at_least=0, at_most=5
)
loss_depleted = d.parameter(
    "loss_depleted", "1", 0.15, "relative rise of the filament's resistance at full depletion", at_least=0, at_most=30
)
k_grow = d.parameter("k_grow", "1/s", 22340.0, "largest rate of growth along the gap", above=0, scale="log")
v_half = d.parameter(
    "v_half", "V", 0.8437, "voltage at which growth across the full gap is half driven", above=0, scale="log"
)
m_grow = d.parameter("m_grow", "1", 5.374, "power of growth in voltage", at_least=1, at_most=8)
gap_rest = d.parameter(
    "gap_rest", "1", 0.07655, "gap at closure: the field is enhanced by up to its inverse", at_least=0.02, at_most=0.5
)
k_thick = d.parameter("k_thick", "1/s", 468.4, "rate of thickening at v_half", above=0, scale="log")
m_thick = d.parameter("m_thick", "1", 0.6125, "power of thickening and pumping in voltage", at_least=0.1, at_most=2)
k_relax = d.parameter("k_relax", "1/s", 10330.0, "rate of coalescence of a thin bridge", above=0, scale="log")
w_life = d.parameter("w_life", "1", 0.1283, "thickness above which a filament lives long", above=0, scale="log")
k_thin = d.parameter("k_thin", "1/s", 2360.0, "rate of thinning of a thin filament", above=0, scale="log")
k_pump = d.parameter("k_pump", "1/s", 7.66, "rate of pumping silver to one terminal at v_half", above=0, scale="log")
t_supply = d.parameter("t_supply", "s", 6.0, "recovery time of the depletion along a bridge", above=0, scale="log")
s_thick = d.parameter(
    "s_thick", "1", 3.269, "sensitivity of the sustained thickness to depletion", at_least=0, at_most=4
)
s_grow = d.parameter("s_grow", "1", 0.02819, "sensitivity of growth to depletion", at_least=0, at_most=10)
e_grow = d.parameter("e_grow", "eV", 0.3916, "activation energy of growth", at_least=0, at_most=1)
e_thick = d.parameter("e_thick", "eV", 0.35, "activation energy of thickening", at_least=0, at_most=1)
e_relax = d.parameter("e_relax", "eV", 0.3303, "activation energy of coalescence and thinning", at_least=0, at_most=1)
r_th = d.parameter("r_th", "K/W", 2000.0, "thermal resistance of the filament", at_least=0)
t_ref = d.parameter("t_ref", "K", 300.0, "temperature at which the rates hold", above=0)
v_polarity = d.parameter("v_polarity", "V", 0.1, "voltage over which the direction of pumping turns round", above=0)
c_0 = d.parameter("c_0", "F", 0.0, "capacitance of the cell", at_least=0)

bridge = d.state("bridge", "1", "closure of the bridge along the gap", initial=0.0, lower=0.0, upper=BRIDGE_MAX)
thickness = d.state("thickness", "1", "lateral thickness of the filament", initial=0.0, lower=0.0, upper=THICKNESS_MAX)
depletion = d.state(
    "depletion", "1", "depletion of silver at one terminal, signed by polarity", initial=0.0, lower=-1.0, upper=1.0
)

closure = d.quantity("closure", "1", saturate(bridge, 0, BRIDGE_MAX, 0.1), "closure, bounded", scale=1.0)
filament = d.quantity("filament", "1", saturate(thickness, 0, THICKNESS_MAX, 1), "thickness, bounded", scale=1.0)
grown = d.quantity(
    "grown", "1", positive_part(closure, 1e-3), "closure, not negative", scale=1.0, lower=-0.1, upper=1.7
)
thick = d.quantity(
    "thick", "1", positive_part(filament, 1e-3), "thickness, not negative", scale=1.0, lower=0.0, upper=31.0
)
supply = d.quantity(
    "supply", "1", saturate(depletion, -1, 1, 0.25), "depletion, bounded", scale=1.0, lower=-1.3, upper=1.3
)
resist = d.quantity(
    "resist",
    "1",
    (1 + loss_depleted * smooth_abs(supply, 0.01)) / (1 + gain_thick * thick),
    "resistance of the filament over 1/g_on",
    scale=1.0,
    lower=5e-3,
)
gain = d.quantity("gain", "1", sp.log(g_on / g_off), "logarithm of the conductance that a bridge gains")
log_g = d.quantity(
    "log_g",
    "1",
    -sp.log(g_off / g_on * resist + limexp(-slope_on * gain * closure)),
    "logarithm of the conductance over g_off: gap and filament in series",
    scale=10.0,
    lower=-10.0,
    upper=100.0,
)
g_x = d.quantity("g_x", "S", g_off * limexp(log_g), "conductance")
t_x = d.quantity("t_x", "K", d.temperature + r_th * g_x * v**2, "temperature of the filament")
hotter = d.quantity(
    "hotter", "1/eV", (1 / t_ref - 1 / t_x) / BOLTZMANN_EV, "thermal activation for each electronvolt", scale=10.0
)
along = d.quantity("along", "1", sp.tanh(v / v_polarity), "direction of the field", scale=1.0)
ungrown = d.quantity("ungrown", "1", 1 - closure, "part of the gap that is left")
gap = d.quantity(
    "gap",
    "1",
    (ungrown + sp.sqrt(ungrown**2 + GAP_ROUNDING**2)) / 2 + gap_rest,
    "gap that sets the field",
    scale=1.0,
    lower=0.01,
)
opened = d.quantity(
    "opened",
    "1",
    logistic(ungrown / CLOSING_WIDTH),
    "1 while the gap is open, 0 once it is closed",
    scale=1.0,
)
field = d.quantity("field", "1", (v / (gap * v_half)) ** 2, "square of the field in units of the half driving one")
driven = d.quantity("driven", "1", field / (1 + field), "square of the field, levelling off", scale=1.0)
drive = d.quantity(
    "drive",
    "1",
    signed_power(driven, m_grow / 2, 1e-9),
    "drive of growth along the gap",
    scale=1.0,
    lower=0.0,
    upper=1.0,
)
growth = d.quantity(
    "growth",
    "1",
    drive * opened * window(closure, BRIDGE_MAX),
    "drive that the gap leaves to growth",
    scale=1.0,
    lower=-2.0,
    upper=2.0,
)
lateral = d.quantity(
    "lateral",
    "1",
    abs_power(v / v_half, m_thick, 5e-3),
    "drive of thickening and pumping",
    scale=1.0,
    lower=0.0,
    upper=1000000.0,
)
alive = d.quantity(
    "alive",
    "1",
    1 / (1 + (thick / w_life) ** 4),
    "decay left to a filament of this thickness",
    scale=1.0,
    lower=0.0,
    upper=1.0,
)
bridged = d.quantity(
    "bridged",
    "1",
    (grown**2 / (0.25 + grown**2)) ** 2,
    "part of the silver that the field can pump",
    scale=1.0,
    lower=0.0,
    upper=1.0,
)
biased = d.quantity("biased", "1", along * supply, "depletion as the field sees it", scale=1.0, lower=-1.3, upper=1.3)
a_grow = d.quantity(
    "a_grow", "1", e_grow * hotter - s_grow * biased, "logarithm of growth by heat and supply", scale=1.0
)
a_relax = d.quantity("a_relax", "1", e_relax * hotter, "logarithm of coalescence and thinning by heat", scale=1.0)
widening = d.quantity(
    "widening",
    "1",
    lateral * (1 - opened),
    "drive of thickening once the gap is closed",
    scale=1.0,
    lower=0.0,
    upper=1000000.0,
)
lasting = d.quantity(
    "lasting",
    "1",
    window(filament, THICKNESS_MAX) - thickness * limexp(s_thick * biased),
    "what thickness the supply sustains, less what there is",
    scale=1.0,
    lower=-1e6,
    upper=1e6,
)
thinning = d.quantity("thinning", "1", alive * thick, "decay of the thickness", scale=1.0, lower=0.0, upper=31.0)

d.current(p, n, g_x * v)
d.charge(p, n, c_0 * v)
d.rate(bridge, k_grow * limexp(a_grow) * growth - k_relax * limexp(a_relax) * alive * grown**2)
d.rate(thickness, k_thick * limexp(e_thick * hotter) * widening * lasting - k_thin * limexp(a_relax) * thinning)
d.rate(depletion, bridged * (k_pump * lateral * (along - depletion) - depletion / t_supply))
d.observable("conductance", "S", g_x, "conductance")
d.observable("filament_temperature", "K", t_x, "temperature of the filament")
d.noise("johnson", p, n, 4 * BOLTZMANN * d.temperature * g_x)
d.reference("Z. Wang et al., Nature Materials 16, 101 (2017): Figs. 1-5, eqs. 1-5")

MODEL = d.model()
