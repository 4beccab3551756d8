"""Oxide tunnel junction: an ultrathin oxide whose vacancies switch it between thermionic emission and tunnelling."""

import sympy as sp

from ..constants import BOLTZMANN, ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK
from ..definition import Definition
from ..primitives import abs_power, limexp, limsinh, linexp, positive_part, saturate

V_CORNER = 1e-2
"""Voltage [V] below which the magnitude in the Fowler-Nordheim law is rounded; its exponential is out by then."""

W_CORNER = 1e-2
"""Vacancy coordinate below which the rise of a threshold is rounded."""

S_LIMIT = 20.0
"""Volatile lowering [kT] at which its effects level off: nearly the whole Schottky barrier. A solver's guess may be anywhere."""

V_LIMIT = 10.0
"""Bias [V] at which its effect on the states levels off, far above any that the junction withstands."""

LARGEST_OVER = 1e4
"""Bias over a threshold [V] that no parameters reach: v_e is 10 V and 20 gam at most."""

d = Definition(
    "oxide_tunnel_junction",
    "Oxide tunnel junction",
    """Vacancies at the bottom of an ultrathin oxide open it for tunnelling (w = 1, low resistance); at the top electrode
they close it, and thermionic emission is left (w = 0, high resistance).

Thermionic emission and tunnelling flow in parallel. Emission: only 1/n_te of the bias lowers the Schottky barrier, the
rest drops in the oxide. Tunnelling is direct (Brinkman's expansion of the trapezoidal barrier) at low bias and
Fowler-Nordheim at high bias, joined at v_x where both are equal, and attenuated by exp(-lam (1-w)).

The volatile state s lowers the barrier by s kT. It grows with the cube of the voltage, levels off at s_max and relaxes
in tau_s. The vacancies move beyond a threshold voltage, to w = 1 under positive and to w = 0 under negative bias. The
threshold rises as vacancies pile up, and the volatile part helps by gam s: both are hypotheses, for the gradual loop and
for writing that depends on the rate of pulses.

Positive current flows from p (top electrode) to n. Valid for programming from tens of nanoseconds at room temperature: the
motion of vacancies has no temperature dependence, as the source has no such data. The junction's capacitance is zero by
default: the source's energies leave it out.
""",
)
p, n = d.terminals("p", "n")
v = d.voltage(p, n)

phi_b = d.parameter("phi_b", "V", 0.55, "Schottky barrier of the high-resistance state, over q", above=0)
a_te = d.parameter("a_te", "A/(m^2*K^2)", 1.2e6, "Richardson constant", above=0, scale="log")
n_te = d.parameter(
    "n_te", "1", 150.0, "bias over the part of it that lowers the Schottky barrier", at_least=1, scale="log"
)
phi_1 = d.parameter("phi_1", "V", 0.35, "tunnel barrier at the top electrode, over q", above=0)
phi_2 = d.parameter("phi_2", "V", 0.41, "tunnel barrier at the bottom electrode, over q", above=0)
phi_fn = d.parameter("phi_fn", "V", 0.075, "Fowler-Nordheim barrier, over q", above=0)
t_ox = d.parameter("t_ox", "m", 2.8e-9, "thickness of the oxide", above=0, scale="log", instance=True)
r_el = d.parameter("r_el", "m", 1e-5, "radius of the electrode", above=0, scale="log", instance=True)
m_eff = d.parameter("m_eff", "1", 1.08, "tunnelling mass over the electron's", above=0, scale="log")
lam = d.parameter(
    "lam", "1", 11.4, "attenuation of tunnelling from w = 1 to w = 0, as an exponent", at_least=0, at_most=60
)
v_lim = d.parameter("v_lim", "V", 0.2, "bias at which the expansion for direct tunnelling ends", above=0)
v_x = d.parameter("v_x", "V", 0.6, "bias at which Fowler-Nordheim tunnelling takes over", above=0)
tau_s = d.parameter("tau_s", "s", 3e-6, "relaxation time of the volatile part", above=0, scale="log")
k_s = d.parameter("k_s", "1/(V^3*s)", 1.3e6, "growth of the volatile part", at_least=0)
s_max = d.parameter("s_max", "1", 0.93, "largest volatile lowering of the barrier, in kT", above=0)
gam = d.parameter("gam", "V", 0.94, "help of the volatile part to the motion of vacancies", at_least=0)
k_set = d.parameter("k_set", "1/(V*s)", 6e6, "mobility of vacancies in set", at_least=0, scale="log")
v_set = d.parameter("v_set", "V", 1.8, "threshold of set at w = 0", above=0)
b_set = d.parameter("b_set", "V", 1.47, "rise of the set threshold to w = 1", at_least=0)
n_set = d.parameter("n_set", "1", 6.6, "power of that rise", at_least=1, at_most=20)
d_set = d.parameter("d_set", "V", 0.021, "width of the set threshold", above=0)
k_res = d.parameter("k_res", "1/(V*s)", 3.5e5, "mobility of vacancies in reset", at_least=0, scale="log")
v_res = d.parameter("v_res", "V", 1.58, "threshold of reset at w = 1", above=0)
b_res = d.parameter("b_res", "V", 4.1, "rise of the reset threshold to w = 0", at_least=0)
n_res = d.parameter("n_res", "1", 1.44, "power of that rise", at_least=1, at_most=20)
d_res = d.parameter("d_res", "V", 0.027, "width of the reset threshold", above=0)
c_0 = d.parameter("c_0", "F", 0.0, "capacitance of the junction", at_least=0)

s = d.state("s", "1", "volatile lowering of the barrier, in kT")
w = d.state("w", "1", "position of the vacancies", initial=0.044, lower=0.0, upper=1.0)

area = d.quantity("area", "m^2", sp.pi * r_el**2, "area of the junction")
v_te = d.quantity("v_te", "V", n_te * BOLTZMANN * d.temperature / ELEMENTARY_CHARGE, "voltage scale of emission")
i_r = d.quantity("i_r", "A", area * a_te * d.temperature**2, "current of emission without a barrier")
b_te = d.quantity("b_te", "1", phi_b * ELEMENTARY_CHARGE / (BOLTZMANN * d.temperature), "Schottky barrier, in kT")
i_s = d.quantity("i_s", "A", i_r * limexp(-b_te), "saturation current of emission")
p_t = d.quantity(
    "p_t",
    "kg*m/s",
    sp.sqrt(ELECTRON_MASS * m_eff * ELEMENTARY_CHARGE * (phi_1 + phi_2)),
    "momentum in the tunnel barrier",
)
d_t = d.quantity("d_t", "1", 4 * sp.pi * t_ox * p_t / PLANCK, "exponent of direct tunnelling")
g_0 = d.quantity(
    "g_0",
    "S",
    area * (ELEMENTARY_CHARGE / PLANCK) ** 2 * p_t / t_ox * limexp(-d_t),
    "conductance of direct tunnelling at zero bias",
)
a_0 = d.quantity(
    "a_0",
    "V^(-1/2)",
    8 * sp.pi * t_ox * sp.sqrt(2 * ELECTRON_MASS * m_eff * ELEMENTARY_CHARGE) / (3 * PLANCK),
    "Brinkman's A_0",
)
b_1 = d.quantity("b_1", "1/V", a_0 * (phi_2 - phi_1) / (16 * ((phi_1 + phi_2) / 2) ** sp.Rational(3, 2)), "asymmetry")
c_1 = d.quantity("c_1", "1/V^2", 9 * a_0**2 / (64 * (phi_1 + phi_2)), "growth of direct tunnelling")
v_fn = d.quantity("v_fn", "V", a_0 * phi_fn ** sp.Rational(3, 2), "voltage scale of Fowler-Nordheim tunnelling")


def below_limit(bias: sp.Expr) -> sp.Expr:
    """Return a bias [V] that levels off at v_lim."""
    return bias / sp.sqrt(sp.sqrt(1 + (bias / v_lim) ** 4))


def direct(held: sp.Expr) -> sp.Expr:
    """Return the current of direct tunnelling [A] at a bias [V] below v_lim."""
    return g_0 * held * (1 - b_1 * held + c_1 * held**2)


k_fn = d.quantity(
    "k_fn", "A/V^2", direct(below_limit(v_x)) / v_x**2 * limexp(v_fn / v_x), "prefactor of Fowler-Nordheim tunnelling"
)
size = d.quantity("size", "V", sp.sqrt(v**2 + (V_CORNER * v_x) ** 2), "magnitude of the bias")
held = d.quantity("held", "V", below_limit(v), "bias of direct tunnelling, levelling off at v_lim", scale=1.0)
h = d.quantity("h", "1", (v / v_x) ** 4, "weight of Fowler-Nordheim against direct tunnelling")
share = d.quantity("share", "1", h / (1 + h), "share of Fowler-Nordheim tunnelling", scale=1.0, lower=0.0, upper=1.0)
a_fn = d.quantity(
    "a_fn", "1", limexp(-v_fn / size), "transmission of Fowler-Nordheim tunnelling", scale=1.0, lower=0.0, upper=1.0
)
i_t = d.quantity("i_t", "A", (1 - share) * direct(held) + share * k_fn * v * size * a_fn, "tunnel current at w = 1")
i_te = d.quantity(
    "i_te",
    "A",
    # i_s (exp(v/v_te) - 1) without a difference near zero volts; where the bias leaves no barrier it goes on as a resistance
    (i_r * linexp(v / v_te - b_te) + i_s) * sp.tanh(v / (2 * v_te)),
    "current of thermionic emission",
)
s_c = d.quantity("s_c", "1", saturate(s, -S_LIMIT, S_LIMIT, 5), "volatile lowering, bounded", scale=1.0)
w_c = d.quantity("w_c", "1", saturate(w, 0, 1, 0.05), "vacancy coordinate, bounded", scale=1.0)
v_c = d.quantity(
    "v_c",
    "V",
    saturate(v, -V_LIMIT, V_LIMIT, 1),
    "bias, bounded for the states",
    scale=1.0,
    lower=-V_LIMIT - 1,
    upper=V_LIMIT + 1,
)
passed = d.quantity(
    "passed",
    "1",
    limexp(-lam * (1 - w_c)),
    "part of the tunnel current that passes",
    scale=1.0,
    lower=0.0,
    upper=21.0,  # exp(60 * 0.05): lam is 60 at most, w_c 1.05
)
i_x = d.quantity("i_x", "A", limexp(s_c) * (i_te + passed * i_t), "current")
v_e = d.quantity("v_e", "V", v_c + gam * s_c, "bias that moves the vacancies")
rise_set = d.quantity("rise_set", "1", abs_power(w_c, n_set, W_CORNER), "rise of the set threshold", scale=1.0)
rise_res = d.quantity("rise_res", "1", abs_power(1 - w_c, n_res, W_CORNER), "rise of the reset threshold", scale=1.0)
over_set = d.quantity(
    "over_set",
    "V",
    v_e - v_set - b_set * rise_set,
    "bias over the threshold of set",
    scale=1.0,
    upper=LARGEST_OVER,
)
over_res = d.quantity(
    "over_res",
    "V",
    -v_e - v_res - b_res * rise_res,
    "bias over the threshold of reset",
    scale=1.0,
    upper=LARGEST_OVER,
)
size_3 = d.quantity("size_3", "V^3", abs_power(v_c, 3, 1e-3), "cube of the magnitude of the bias", scale=1.0)

d.current(p, n, i_x)
d.charge(p, n, c_0 * v)
d.rate(s, k_s * (v_c**3 - size_3 * s / s_max) - s / tau_s)
d.rate(w, k_set * positive_part(over_set, d_set) * (1 - w) - k_res * positive_part(over_res, d_res) * w)
d.observable("emission_current", "A", limexp(s_c) * i_te, "part of the current that is emission")


def even(x: sp.Expr) -> sp.Expr:
    """Return the magnitude of an argument, at least 1e-4, which changes an even function of it by 3e-9 at most."""
    return sp.sqrt(x**2 + 1e-8)


# The current over the voltage, with the voltage divided out, so that it is the conductance at zero volts.
half = d.quantity("half", "1", even(v / (2 * v_te)), "magnitude of half of the bias over the voltage scale of emission")
g_te = d.quantity(
    "g_te", "S", i_s / v_te * limexp(v / (2 * v_te)) * limsinh(half) / half, "current of emission over voltage"
)
beyond = d.quantity(
    "beyond", "1", sp.sqrt(sp.sqrt(1 + (v / v_lim) ** 4)), "bias over what counts for direct tunnelling"
)
held = d.quantity("v_d", "V", v / beyond, "bias that counts for direct tunnelling")
g_t = d.quantity(
    "g_t",
    "S",
    (g_0 * (1 - b_1 * held + c_1 * held**2) / beyond + h * k_fn * size * limexp(-v_fn / size)) / (1 + h),
    "tunnel current at w = 1 over voltage",
)
g_iv = d.quantity("g_iv", "S", limexp(s_c) * (g_te + limexp(-lam * (1 - w_c)) * g_t), "current over voltage")
quanta = d.quantity(
    "quanta",
    "1",
    even(ELEMENTARY_CHARGE * v / (2 * BOLTZMANN * d.temperature)),
    "magnitude of half of the bias in units of kT/q",
)
d.noise("shot", p, n, 4 * BOLTZMANN * d.temperature * g_iv * quanta / sp.tanh(quanta))
d.reference(
    "Li et al., ACS Appl. Mater. Interfaces (2019), doi:10.1021/acsami.9b13434, Sec. 3: emission (0.55 eV), direct tunnelling "
    "(0.35 and 0.41 eV) and Fowler-Nordheim tunnelling (0.075 eV); vacancy motion; exponential decay of the volatile part"
)
d.reference("Brinkman, Dynes & Rowell, J. Appl. Phys. 41, 1915 (1970): tunnelling through a trapezoidal barrier")
d.reference("Sze & Ng, Physics of Semiconductor Devices (2006): thermionic emission, Fowler-Nordheim tunnelling")

MODEL = d.model()
