"""Two synapses into one column, in a PySpice circuit: the column's current is the weighted sum of the inputs."""

import numpy as np
from PySpice.Spice.Netlist import Circuit

from synspice.netlists.ngspice import run_shared
from synspice.netlists.pyspice import subcircuit

WEIGHTS = {"1": 0.3, "2": 0.7}


def circuit() -> Circuit:
    """Return the circuit: a read pulse on each row, one after the other and then together."""
    circuit = Circuit("two synapses and a column")
    circuit.subcircuit(subcircuit("drift_memristor", name="synapse", values={"g_on": 2e-4}))
    circuit.V("row_1", "row_1", circuit.gnd, "PWL(0 0 1u 0 1.1u 0.1 2u 0.1 2.1u 0 5u 0 5.1u 0.1 6u 0.1)")
    circuit.V("row_2", "row_2", circuit.gnd, "PWL(0 0 3u 0 3.1u 0.1 4u 0.1 4.1u 0 5u 0 5.1u 0.1 6u 0.1)")
    for row, weight in WEIGHTS.items():
        circuit.X(row, "synapse", f"row_{row}", "column", x_init=weight)
    circuit.V("column", "column", circuit.gnd, 0)  # measures the column's current
    return circuit


def main() -> dict[str, float]:
    """Run the circuit in this process and return the column's current [A] for each input."""
    plot = run_shared(circuit(), analyses=[".tran 10n 6u"]).plot("tran")
    time, current = np.real(plot.scale), np.real(plot["i(vcolumn)"])
    currents = {
        name: float(np.interp(t, time, current)) for name, t in (("1", 1.9e-6), ("2", 3.9e-6), ("both", 5.9e-6))
    }
    for name, value in currents.items():
        print(f"input {name}: {value:.4g} A")
    return currents


if __name__ == "__main__":
    main()
