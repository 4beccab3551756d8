"""The shipped devices pass every check of a definition, which :func:`get_device` leaves out to start fast."""

import runpy

import pytest

from synspice.compact import definition
from synspice.compact.errors import DefinitionError
from synspice.compact.registry import DEVICES, get_device


@pytest.mark.parametrize("name", DEVICES)
def test_the_definition_is_well_posed(name: str) -> None:
    checked = runpy.run_module(f"synspice.compact{DEVICES[name]}")["MODEL"]
    assert checked.definition_hash == get_device(name).definition_hash


def test_without_checks_a_faulty_definition_passes_and_afterwards_not() -> None:
    def faulty() -> definition.Definition:
        d = definition.Definition("faulty", "Not in amperes")
        p, n = d.terminals("p", "n")
        d.current(p, n, d.voltage(p, n))
        return d

    with definition.unchecked():
        assert faulty().model().name == "faulty"
    with pytest.raises(DefinitionError, match="'A'"):
        faulty().model()
