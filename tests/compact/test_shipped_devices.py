"""The shipped devices pass every check of a definition, which :func:`get_device` leaves out to start fast."""

import importlib.util
from pathlib import Path

import pytest

from synspice import compact
from synspice.compact import definition
from synspice.compact.errors import DefinitionError
from synspice.compact.registry import DEVICES, get_device

FOLDER = Path(compact.__file__).parent / "devices"


@pytest.mark.parametrize("name", DEVICES)
def test_the_definition_is_well_posed(name: str) -> None:
    # From the file, under another name: the module itself may have been imported, unchecked, before.
    spec = importlib.util.spec_from_file_location(f"synspice.compact.devices.checked_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.MODEL.definition_hash == get_device(name).definition_hash


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
