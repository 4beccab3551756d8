"""Silver sulfide atomic switch: an inorganic synapse whose bridge of silver atoms fades unless it is made robust."""

import math

import sympy as sp

from ..constants import BOLTZMANN
from ..definition import Definition
from ..primitives import limexp, limsinh, logistic, positive_part, saturate

DRIVE_CORNER = 1e-3
"""Rounding of the drive's positive and negative parts, in units of the drive at v_pulse: a read of 10 mV stays below it."""

DRIVE_MAX = 1e3
"""Drive, in units of that at v_pulse, at which precipitation and dissolution level off."""

MILD_MAX = math.asinh(DRIVE_MAX) - 1
"""Logarithm of the drive, at which they begin to: they level off at sinh(MILD_MAX + 1) = DRIVE_MAX."""

ROBUST_CORNER = 1e-3
"""Rounding of the share that is not robust yet: a solver's guess above 1 must not run away."""

d = Definition(
    "silver_sulfide_switch",
    "Silver sulfide atomic switch (inorganic synapse)",
    """Pulses precipitate silver in the gap between a silver sulfide electrode and a counter electrode (Ohno 2011, Fig. 1a).

States: the bridge, how much of it has become robust, and the history of the pulses. Conduction is tunnelling through
the rest of the gap, exponential in the bridge: g_0 without silver, one quantum g_atom = 2e^2/h at bridge = 1, beyond
it a multi-atom bridge (Fig. 1, text on Fig. 2b) in series with g_bulk. The circuit of the paper has 10 kohm in
series, which takes the voltage off the device near one quantum.

An incomplete bridge deforms without any voltage: ln G falls at a constant rate, so that the conductance decays
exponentially (Fig. 2c), the slower the longer the history of pulses, since the silver ions that the sulfide lacks
next to the bridge recover (text on Fig. 2c). A bridge that stays complete for long enough becomes robust and
persists (long-term potentiation, text on Fig. 1c); an incomplete consolidation is lost. The robust share has no
conductance of its own. Pulses of the other polarity dissolve the bridge: the stable state needs a strong signal to
be erased. Precipitation follows sinh(x) x^2/(6 + x^2) with x = v / v_drive, the hopping law sinh(x) less its linear
part, to leading order for small and for large x and without the cancellation of sinh(x) - x: a read of 10 mV does
not write.

Positive current flows from p (the sulfide) to n; positive voltage precipitates. What spreads from device to device
is the silver ready in a fresh device, and the rate of precipitation, which also spreads from pulse to pulse: devices
that hold much silver jump within one pulse (text on Fig. 2a). Valid at room temperature; the mechanisms' activation
energies, conductance steps of single atoms and noise are not covered.
""",
)
p, n = d.terminals("p", "n")
v = d.voltage(p, n)

g_0 = d.parameter("g_0", "S", 1e-6, "conductance without a bridge", above=0, scale="log")
g_atom = d.parameter(
    "g_atom", "S", 7.748e-5, "conductance at bridge = 1: one atomic contact, 2e^2/h", above=0, scale="log"
)
g_bulk = d.parameter("g_bulk", "S", 4.669e-4, "conductance in series with the bridge", above=0, scale="log")
v_drive = d.parameter(
    "v_drive", "V", 0.1397, "voltage scale of precipitation and dissolution", at_least=0.01, at_most=1, scale="log"
)
v_pulse = d.parameter("v_pulse", "V", 0.08, "voltage at which the rates hold", at_least=1e-3, at_most=1, scale="log")
k_grow = d.parameter("k_grow", "1/s", 24.72, "rate of precipitation at v_pulse", above=0, scale="log")
silver_ready = d.parameter(
    "silver_ready", "1", 0.01905, "share of the silver ions ready in a fresh device", above=0, scale="log"
)
bridge_max = d.parameter("bridge_max", "1", 1.924, "largest bridge", above=1, at_most=4)
t_decay = d.parameter(
    "t_decay", "s", 1.362, "decay time of the conductance of an incomplete bridge", above=0, scale="log"
)
s_decay = d.parameter(
    "s_decay", "1", 0.7695, "relative growth of the decay time with the history", at_least=0, at_most=20
)
bridge_round = d.parameter(
    "bridge_round", "1", 0.07655, "bridge below which it shrinks exponentially in time", at_least=0.01, at_most=0.5
)
k_history = d.parameter(
    "k_history", "1/s", 0.1096, "rate at which pulses of v_pulse build the history", above=0, scale="log"
)
t_history = d.parameter("t_history", "s", 600.0, "time in which the history is forgotten", above=0, scale="log")
k_robust = d.parameter(
    "k_robust", "1/s", 0.5565, "rate at which a complete bridge becomes robust", above=0, scale="log"
)
bridge_robust = d.parameter("bridge_robust", "1", 0.9716, "bridge at which it counts as complete", above=0, at_most=2)
w_robust = d.parameter("w_robust", "1", 0.08899, "width of that transition", at_least=0.005, at_most=0.5)
k_lost = d.parameter("k_lost", "1/s", 0.4324, "rate at which an incomplete consolidation is lost", above=0, scale="log")
t_robust = d.parameter("t_robust", "s", 1e6, "life of a robust bridge", above=0, scale="log")
k_erase = d.parameter("k_erase", "1/s", 5.0, "rate of dissolution at -v_pulse", above=0, scale="log")
c_0 = d.parameter("c_0", "F", 0.0, "capacitance of the cell", at_least=0)

bridge = d.state(
    "bridge", "1", "bridge of precipitated silver, 1 at one atomic contact", initial=0.0, lower=0.0, upper=4.0
)
robust = d.state("robust", "1", "share of the bridge that has become robust", initial=0.0, lower=0.0, upper=1.0)
history = d.state(
    "history", "1", "silver ions that earlier pulses have brought to the bridge", initial=0.0, lower=0.0, upper=1.0
)

gain_atom = d.quantity(
    "gain_atom", "1", sp.log(g_atom / g_0), "logarithm of the conductance that one atomic contact gains"
)
g_x = d.quantity("g_x", "S", 1 / (limexp(-gain_atom * bridge) / g_0 + 1 / g_bulk), "conductance")
over = d.quantity("over", "1", v / v_drive, "voltage in units of the drive's scale")
over_pulse = d.quantity("over_pulse", "1", v_pulse / v_drive, "v_pulse in units of the drive's scale")
at_pulse = d.quantity(
    "at_pulse", "1", sp.sinh(over_pulse) * over_pulse**2 / (6 + over_pulse**2), "drive at v_pulse before it is scaled"
)
onset = d.quantity("onset", "1", over**2 / (6 + over**2), "what small drives lack of the hopping law", scale=1.0)
drive = d.quantity(
    "drive",
    "1",
    limsinh(over) * onset / at_pulse,
    "drive of the silver ions, 1 at v_pulse",
)
mild = d.quantity("mild", "1", sp.asinh(drive), "drive on a logarithmic scale of both signs", scale=1.0)
swing = d.quantity(
    "swing",
    "1",
    limsinh(saturate(mild, -MILD_MAX, MILD_MAX, 1)),
    "drive of the silver ions, levelling off",
    scale=1.0,
    lower=-DRIVE_MAX,
    upper=DRIVE_MAX,
)
push = d.quantity("push", "1", positive_part(swing, DRIVE_CORNER), "drive of precipitation", scale=1.0)
erase = d.quantity("erase", "1/s", k_erase * positive_part(-swing, DRIVE_CORNER), "rate of dissolution", scale=1.0)
silver = d.quantity("silver", "1", saturate(history, 0, 1, 0.25), "history, bounded", scale=1.0)
kept = d.quantity("kept", "1", saturate(robust, 0, 1, 0.25), "robust share, bounded", scale=1.0)
complete = d.quantity(
    "complete",
    "1",
    logistic((bridge - bridge_robust) / w_robust),
    "1 for a complete bridge, 0 for an incomplete one",
    scale=1.0,
)
shrinking = d.quantity(
    "shrinking", "1", bridge / sp.sqrt(bridge**2 + bridge_round**2), "1 for a large bridge, 0 for none", scale=1.0
)
fading = d.quantity(
    "fading",
    "1",
    (1 - kept) * shrinking / (gain_atom * (1 + s_decay * silver)),
    "decay of the bridge, in units of that of a large one in t_decay",
    scale=1.0,
)

d.current(p, n, g_x * v)
d.charge(p, n, c_0 * v)
d.rate(
    bridge,
    k_grow * (silver_ready + silver) * push * (1 - bridge / bridge_max) - erase * bridge - fading / t_decay,
)
d.rate(
    robust,
    k_robust * complete * (1 - robust)
    - k_lost * (1 - complete) * robust * positive_part(1 - robust, ROBUST_CORNER)
    - robust / t_robust
    - erase * robust,
)
d.rate(history, k_history * push * (1 - history) - history / t_history - erase * history)
d.observable("conductance", "S", g_x, "conductance")
d.noise("johnson", p, n, 4 * BOLTZMANN * d.temperature * g_x)
d.reference("T. Ohno et al., Nature Materials 10, 591 (2011): Figs. 1-4, text on Figs. 1 and 2, Methods")
d.reference(
    "T. Hasegawa et al., Adv. Mater. 24, 252 (2012): atomic switches, ionic and electronic conduction in silver sulfide"
)

MODEL = d.model()
