"""Small devices whose behaviour has a closed form, and every construct that a definition allows."""

from __future__ import annotations

from functools import cache

import sympy as sp

from synspice.compact.constants import BOLTZMANN, BOLTZMANN_EV
from synspice.compact.definition import Definition
from synspice.compact.model import Model
from synspice.compact.primitives import limexp, logistic, positive_part, saturate, smooth_abs


@cache
def resistor() -> Model:
    """Return an ohmic device without a state."""
    d = Definition("toy_resistor", "Resistor")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    d.current(p, n, d.parameter("g_0", "S", 2e-3, "conductance", above=0) * v)
    return d.model()


@cache
def rectifier() -> Model:
    """Return a device without a state that carries no current at all under negative voltage."""
    d = Definition("toy_rectifier", "Rectifier")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    d.current(p, n, d.parameter("g_0", "S", 2e-3, "conductance", above=0) * positive_part(v, 0.01))
    return d.model()


@cache
def relaxing() -> Model:
    """Return a device whose one state follows v^2/(v^2 + v_0^2) with a time constant: i = g_0 (1 + 10 x) v."""
    d = Definition("toy_relaxing", "Linear relaxation")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    g = d.parameter("g_0", "S", 1e-5, "conductance at rest", above=0, scale="log")
    tau = d.parameter("tau", "s", 1e-3, "relaxation time", above=0, scale="log")
    v_0 = d.parameter("v_0", "V", 0.5, "voltage of half the drive", above=0)
    x = d.state("x", "1", "memory", lower=0, upper=1)
    d.rate(x, (v**2 / (v**2 + v_0**2) - x) / tau)
    d.current(p, n, g * (1 + 10 * saturate(x, 0, 1, 0.05)) * v)
    d.observable("conductance", "S", g * (1 + 10 * x), "conductance")
    return d.model()


@cache
def varactor() -> Model:
    """Return a relaxing device with a charge that is neither linear in the voltage nor free of the state."""
    d = Definition("toy_varactor", "Memory with a nonlinear charge")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    g = d.parameter("g_0", "S", 1e-4, "conductance at rest", above=0)
    c = d.parameter("c_0", "F", 1e-7, "capacitance at 0 V", above=0)
    v_c = d.parameter("v_c", "V", 0.4, "voltage over which the capacitance falls", above=0)
    tau = d.parameter("tau", "s", 1e-3, "relaxation time", above=0)
    v_0 = d.parameter("v_0", "V", 0.5, "voltage of half the drive", above=0)
    x = d.state("x", "1", "memory", lower=0, upper=1)
    x_c = d.quantity("x_c", "1", saturate(x, 0, 1, 0.05), "bounded memory", scale=1.0)
    d.rate(x, (v**2 / (v**2 + v_0**2) - x) / tau)
    d.current(p, n, g * (1 + x_c**2) * v)
    d.charge(p, n, c * v_c * (1 + x_c) * v / sp.sqrt(v**2 + v_c**2))
    return d.model()


@cache
def transistor() -> Model:
    """Return a three-terminal device: the gate writes, the channel is read, both currents leave at the source."""
    d = Definition("toy_transistor", "Synaptic transistor")
    gate, source, drain = d.terminals("g", "s", "d")
    v_g, v_d = d.voltage(gate, source, "v_g"), d.voltage(drain, source, "v_d")
    d.ports(write=(gate, source), read=(drain, source))
    g_ch = d.parameter("g_ch", "S", 1e-6, "conductance of the channel at w = 1", above=0)
    g_leak = d.parameter("g_leak", "S", 1e-9, "conductance of the gate", above=0)
    c_g = d.parameter("c_g", "F", 1e-9, "capacitance of the gate", above=0)
    k = d.parameter("k", "1/(V*s)", 1e3, "rate of writing", above=0)
    w = d.state("w", "1", "weight", initial=0.2, lower=0, upper=1)
    d.rate(w, k * (positive_part(v_g, 1e-3) * (1 - w) - positive_part(-v_g, 1e-3) * w))
    d.current(gate, source, g_leak * v_g)
    d.current(drain, source, g_ch * (0.1 + saturate(w, 0, 1, 0.05)) * v_d)
    d.charge(gate, source, c_g * v_g)
    d.observable("conductance", "S", g_ch * (0.1 + w), "conductance of the channel")
    return d.model()


@cache
def heated() -> Model:
    """Return a device with two states far from unity, temperature, noise, and quantities of every kind."""
    d = Definition("toy_heated", "Carriers and their temperature")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    sigma = d.parameter("sigma", "S*m^3", 1e-29, "conductance of a carrier density of 1/m^3", above=0, scale="log")
    e_a = d.parameter("e_a", "eV", 0.1, "activation energy", at_least=0, at_most=2)
    r_th = d.parameter("r_th", "K/W", 1e5, "thermal resistance", above=0)
    c_th = d.parameter("c_th", "J/K", 1e-9, "heat capacity", above=0)
    t_0 = d.parameter("t_0", "K", 300.0, "reference temperature", above=0)
    tau = d.parameter("tau", "s", 1e-3, "relaxation time of the density", above=0)
    n_eq = d.parameter("n_eq", "1/m^3", 1e24, "density at rest", above=0)
    v_0 = d.parameter("v_0", "V", 0.5, "voltage that doubles the density", above=0)
    rise = d.state("rise", "K", "temperature rise", initial=5.0, scale=50.0, lower=0)
    density = d.state("density", "1/m^3", "density", initial=2e24, scale=1e24, lower=0)
    g_eq = d.quantity("g_eq", "S", sigma * n_eq, "conductance at rest")
    t_x = d.quantity("t_x", "K", d.temperature + saturate(rise, 0, 1500, 20), "temperature", scale=300.0)
    boost = d.quantity("boost", "1", limexp(e_a / BOLTZMANN_EV * (1 / t_0 - 1 / t_x)), "thermal activation", scale=1.0)
    ratio = d.quantity("ratio", "1", saturate(density / n_eq, 0.01, 100, 0.005), "density over the one at rest")
    i = d.quantity("i_x", "A", g_eq * ratio * boost * v, "current")
    d.current(p, n, i)
    d.rate(rise, i * v / c_th - rise / (r_th * c_th))
    d.rate(density, boost * (n_eq * (1 + (v / v_0) ** 2 / (1 + (v / v_0) ** 2 / 100)) - density) / tau)
    d.noise("johnson", p, n, 4 * BOLTZMANN * t_x * g_eq * ratio)
    return d.model()


@cache
def threshold_switch() -> Model:
    """Return a volatile switch: on within microseconds above its threshold, off over milliseconds, 1e5 on to off."""
    d = Definition("toy_threshold", "Volatile threshold switch")
    p, n = d.terminals("p", "n")
    v = d.voltage(p, n)
    g_on = d.parameter("g_on", "S", 1e-4, "conductance when on", above=0, scale="log")
    g_off = d.parameter("g_off", "S", 1e-9, "conductance when off", above=0, scale="log")
    k = d.parameter("k", "1/s", 0.1, "rate of growth without field", above=0, scale="log")
    v_s = d.parameter("v_s", "V", 0.02, "voltage that raises the rate of growth by e", above=0)
    rate_max = d.parameter("rate_max", "1/s", 1e7, "rate at which growth levels off", above=0, scale="log")
    tau = d.parameter("tau", "s", 1e-3, "relaxation time", above=0, scale="log")
    x = d.state("x", "1", "length of the filament", lower=0, upper=1)
    x_c = d.quantity("x_c", "1", saturate(x, 0, 1, 0.05), "bounded length", scale=1.0)
    g_x = d.quantity("g_x", "S", g_off * limexp(x_c * sp.log(g_on / g_off)), "conductance")
    a = d.quantity(
        "a", "1", sp.log(k / rate_max) + smooth_abs(v, 1e-3) / v_s, "logarithm of the growth rate", scale=10.0
    )
    d.rate(x, rate_max * logistic(a) * (1 - x) - x / tau)
    d.current(p, n, g_x * v)
    d.observable("conductance", "S", g_x, "conductance")
    return d.model()


TOYS = {
    "resistor": resistor,
    "rectifier": rectifier,
    "relaxing": relaxing,
    "varactor": varactor,
    "transistor": transistor,
    "heated": heated,
    "threshold_switch": threshold_switch,
}
"""Every toy by its name."""
