"""The solver settings that decide whether a synaptic circuit comes out right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ...compact.errors import ParameterError

FIRST_STEP = 1e-3
"""Print step of a transient, in units of its largest step: ngspice's first step is a tenth of it, and is not checked."""


@dataclass(frozen=True, kw_only=True)
class SolverOptions:
    """ngspice's solver settings, with the package's defaults.

    The percentages are of 40 random stiff volatile devices whose run ended *and* was right (notes of the engine
    study): a run that merely ends proves nothing.

    Attributes
    ----------
    reltol : float
        Relative tolerance, 3e-7. The emitted subcircuits limit the time step themselves where a state moves: the loops, pulses
        and relaxations of `drift_memristor`, `siox_ny_ag` and `ag2s` are right
        to 5e-4 of full scale at 1e-6, to 7e-4 at 1e-5, and at 3e-8 to 6e-5
        with three times the points. The displacement current of a gate behind an impedance is 0.9 % off at 3e-6.
    abstol : float
        Current tolerance in A, 1e-16: the gate of an ionic synapse takes 20 fA, and at 1e-15 its current behind a source's
        impedance was 0.5 to 1 % off after a corner; 1e-16 costs a tenth more time. ngspice's own 1e-12 does not see an
        off-current of 1 pA.
    vntol : float
        Voltage tolerance in V, 3e-10. A state is a voltage between 0 and 1, so this is also its absolute tolerance;
        ngspice's own 1e-6 would be larger than `reltol`.
    chgtol : float
        Charge tolerance in C, 1e-14 as in ngspice: a state is a charge of 1 mC, a cell's capacitance one of 1 fC and more.
    trtol : float
        By how much the truncation error is taken to be overestimated, 1. ngspice's own 7 takes half the points for
        several times the error.
    method : {"trap", "gear"}
        Trapezoidal rule: at the same tolerance its error is half to a quarter of Gear's. Gear damps what an abrupt
        switching excites, and is the one to try where the trapezoidal rule rings.
    maxord : int
        Highest order of the Gear method, 2 to 6; 2 is the highest that stays stable for any stiff decay.
    itl4 : int
        Newton iterations before a time step is cut, 10 as in ngspice; 100 made no run right that was wrong with 10.
    gmin : float
        Conductance in S that ngspice puts across junctions, 1e-12 as in ngspice; it must stay below the
        off-conductance of the devices under study where the circuit has diodes or transistors.
    max_step : float or None
        Largest time step in s. None leaves it to the experiment: a thousandth of the run, and no more than 10,000 times
        the shortest feature of its stimulus, for ngspice's smallest step is 1e-11 of its largest. ngspice alone takes
        up to a fiftieth of the whole transient and steps over a short pulse's response.
    temperature_c : float
        Circuit temperature in degrees Celsius, 27 as in ngspice.
    klu : bool
        Use the KLU sparse solver: at 64 x 64 cells 27 times faster. Builds without it ignore the option, so ask
        `installation.has_klu` first.
    """

    reltol: float = 3e-7
    abstol: float = 1e-16
    vntol: float = 3e-10
    chgtol: float = 1e-14
    trtol: float = 1.0
    method: Literal["gear", "trap"] = "trap"
    maxord: int = 2
    itl4: int = 10
    gmin: float = 1e-12
    max_step: float | None = None
    temperature_c: float = 27.0
    klu: bool = False

    def __post_init__(self) -> None:
        faults = [
            f"{name} = {value!r} must be positive and finite"
            for name in ("reltol", "abstol", "vntol", "chgtol", "trtol", "gmin", "max_step")
            if (value := getattr(self, name)) is not None and not 0.0 < value < math.inf
        ]
        if self.reltol >= 1.0:
            faults.append(f"reltol = {self.reltol!r} must be below 1")
        if self.method not in ("gear", "trap"):
            faults.append(f"method = {self.method!r} must be 'gear' or 'trap'")
        if not 2 <= self.maxord <= 6:
            faults.append(f"maxord = {self.maxord!r} must be 2 to 6")
        if self.itl4 < 1:
            faults.append(f"itl4 = {self.itl4!r} must be at least 1")
        if not -273.15 < self.temperature_c < math.inf:
            faults.append(f"temperature_c = {self.temperature_c!r} degC must be above -273.15 degC")
        if faults:
            raise ParameterError("solver options", faults)

    def lines(self) -> tuple[str, ...]:
        """Return the ``.options`` lines of a deck."""
        numbers = ("reltol", "abstol", "vntol", "chgtol", "trtol", "gmin")
        tolerances = " ".join(f"{name}={float(getattr(self, name))!r}" for name in numbers)
        return (
            f".options {tolerances}",
            f".options method={self.method} maxord={self.maxord} itl4={self.itl4}{' klu' if self.klu else ''}",
            f".options temp={float(self.temperature_c)!r}",
        )

    def record(self, step: float) -> dict[str, float | str]:
        """Return what a result says of them; ``step`` is the largest time step (s) unless `max_step` takes its place."""
        return {"reltol": self.reltol, "method": self.method, "max_step": self.max_step or step}

    def transient(self, stop: float, step: float, *, start: float = 0.0, uic: bool = False) -> str:
        """Return the ``.tran`` line.

        Parameters
        ----------
        stop : float
            Stop time (s).
        step : float
            The largest time step (s) that the stimulus allows; `max_step` takes its place where it is set.
        start : float, optional
            Time (s) from which points are stored.
        uic : bool, optional
            Skip the operating point and start from the initial conditions.
        """
        largest = float(step if self.max_step is None else self.max_step)
        faults = [
            f"{name} = {value!r} s must be {limit}"
            for name, value, limit, good in (
                ("step", largest, "positive", 0.0 < largest < math.inf),
                ("stop", stop, "positive", 0.0 < stop < math.inf),
                ("start", start, "at least 0 and before stop", 0.0 <= start < stop),
            )
            if not good
        ]
        if faults:
            raise ParameterError("transient analysis", faults)
        return f".tran {FIRST_STEP * largest!r} {float(stop)!r} {float(start)!r} {largest!r}{' uic' if uic else ''}"
