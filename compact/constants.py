"""Physical constants (CODATA 2018, exact): symbols with units for the equations, and their values."""

from __future__ import annotations

import sympy as sp

BOLTZMANN_EV = sp.Symbol("boltzmann_ev", positive=True)
"""Boltzmann constant [eV/K]."""

BOLTZMANN = sp.Symbol("boltzmann", positive=True)
"""Boltzmann constant [J/K]."""

ELEMENTARY_CHARGE = sp.Symbol("elementary_charge", positive=True)
"""Elementary charge [C]."""

VACUUM_PERMITTIVITY = sp.Symbol("vacuum_permittivity", positive=True)
"""Vacuum permittivity [F/m]."""

PLANCK = sp.Symbol("planck", positive=True)
"""Planck constant [J*s]."""

ELECTRON_MASS = sp.Symbol("electron_mass", positive=True)
"""Electron rest mass [kg]."""

CONSTANTS: dict[sp.Symbol, tuple[float, str]] = {
    BOLTZMANN_EV: (8.617333262e-5, "eV/K"),
    BOLTZMANN: (1.380649e-23, "J/K"),
    ELEMENTARY_CHARGE: (1.602176634e-19, "C"),
    VACUUM_PERMITTIVITY: (8.8541878128e-12, "F/m"),
    PLANCK: (6.62607015e-34, "J*s"),
    ELECTRON_MASS: (9.1093837015e-31, "kg"),
}
"""Value and unit of each constant."""

CONSTANT_VALUES: dict[str, float] = {symbol.name: value for symbol, (value, _) in CONSTANTS.items()}
"""Value of each constant by its name."""

ZERO_CELSIUS = 273.15
"""0 degrees Celsius [K]."""

ROOM_TEMPERATURE = 300.15
"""27 degrees Celsius [K], the nominal temperature of SPICE."""
