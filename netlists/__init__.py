"""SPICE: netlists, experiments, networks, arrays, and ngspice to run them."""
