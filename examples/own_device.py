"""A device of your own in one file: its netlist, runs on two engines, and a fit.

Run it with ``python examples/own_device.py``, or give it to the command line::

    synspice show soft_bound_synapse --device-file examples/own_device.py
    synspice run pulse-train --card soft_bound_synapse --device-file examples/own_device.py --engine reference
"""

import tempfile
from pathlib import Path

import numpy as np
import sympy as sp

import synspice
from synspice.compact.primitives import limexp, limsinh, positive_part, saturate

d = synspice.Definition("soft_bound_synapse", "Synapse with soft bounds")
p, n = d.terminals("p", "n")
v = d.voltage(p, n)
g_low = d.parameter("g_low", "S", 1e-6, "conductance at x = 0", above=0, scale="log")
g_high = d.parameter("g_high", "S", 2e-5, "conductance at x = 1", above=0, scale="log")
k_up = d.parameter("k_up", "1/s", 100.0, "rate of potentiation at low voltage", above=0, scale="log")
k_down = d.parameter("k_down", "1/s", 200.0, "rate of depression at low voltage", above=0, scale="log")
v_0 = d.parameter("v_0", "V", 0.2, "voltage scale of both rates", above=0, scale="log")
x = d.state("x", "1", "weight", initial=0.1, lower=0, upper=1)

x_c = d.quantity("x_c", "1", saturate(x, 0, 1, 0.05), "weight, bounded for the conduction law", scale=1.0)
g = d.quantity("g", "S", g_low * limexp(x_c * sp.log(g_high / g_low)), "conductance")
up = d.quantity("up", "1/s", k_up * limsinh(positive_part(v, 1e-3) / v_0), "rate of potentiation")
down = d.quantity("down", "1/s", k_down * limsinh(positive_part(-v, 1e-3) / v_0), "rate of depression")

d.current(p, n, g * v)
d.rate(x, up * (1 - x) - down * x)
d.observable("conductance", "S", g, "conductance")
MODEL = d.model()  # checks units, names, ranges and passivity, and raises with every fault


def measured(file: Path) -> None:
    """Write ramps that stand for a measurement: the device with other parameters, and 0.5 % of noise."""
    truth = {"k_up": 300.0, "k_down": 150.0, "x_init": 0.2}
    train = {"pulses": 40, "depression_pulses": 40}
    result = synspice.run("pulse-train", MODEL, "reference", settings=train, values=truth)
    conductance = np.array(result.quantities["conductance"].value)
    conductance *= 1 + 0.005 * np.random.default_rng(1).standard_normal(conductance.size)
    rows = [f"{cycle},{k + 1},{g}" for cycle in (1, 2) for k, g in enumerate(conductance[40 * cycle - 40 : 40 * cycle])]
    file.write_text("cycle,pulse,conductance (S)\n" + "\n".join(rows) + "\n")


def main() -> None:
    print(synspice.emit(MODEL, "ngspice"))

    synspice.add_device(MODEL)  # so that cards and names find it
    for engine in ("reference", "ngspice"):
        result = synspice.run("pulse-train", "soft_bound_synapse", engine, settings={"pulses": 20})
        print(f"{engine}: final conductance {result.quantities['final_conductance'].value:.4g} S")

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ramps.csv")
        measured(file)
        fixed = {"g_low": 1e-6, "g_high": 2e-5, "v_0": 0.2}
        fit = synspice.fit(file, MODEL, fixed=fixed, hold_out="none")
    print(fit.result.message)
    for name in ("k_up", "k_down"):
        found = fit.result.parameters[name]
        print(f"{name} = {found.value:.4g} +- {found.stderr:.2g} {found.unit}")


if __name__ == "__main__":
    main()
