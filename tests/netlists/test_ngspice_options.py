"""Solver settings."""

import pytest

from synspice.compact.errors import ParameterError
from synspice.netlists.ngspice import SolverOptions


def test_the_defaults_as_text() -> None:
    assert SolverOptions().lines() == (
        ".options reltol=3e-07 abstol=1e-16 vntol=3e-10 chgtol=1e-14 trtol=1.0 gmin=1e-12",
        ".options method=trap maxord=2 itl4=10",
        ".options temp=27.0",
    )
    assert SolverOptions(klu=True).lines()[1].endswith(" klu")


def test_the_transient_line() -> None:
    assert SolverOptions().transient(1e-3, 1e-6) == ".tran 1e-09 0.001 0.0 1e-06"
    assert (
        SolverOptions(max_step=1e-7).transient(1e-3, 1e-6, start=1e-4, uic=True) == ".tran 1e-10 0.001 0.0001 1e-07 uic"
    )


def test_every_fault_is_named() -> None:
    with pytest.raises(ParameterError) as caught:
        SolverOptions(reltol=-1.0, vntol=float("nan"), maxord=7, temperature_c=-300, method="euler")  # type: ignore[arg-type]
    assert len(caught.value.faults) == 5


@pytest.mark.parametrize(
    ("stop", "step", "start"), [(0.0, 1e-6, 0.0), (1.0, 0.0, 0.0), (1.0, 1e-3, 1.0), (float("inf"), 1.0, 0.0)]
)
def test_a_transient_that_makes_no_sense(stop: float, step: float, start: float) -> None:
    with pytest.raises(ParameterError, match="transient"):
        SolverOptions().transient(stop, step, start=start)
