"""What may be probed of a device: states, observables and currents, by one set of names."""

from __future__ import annotations

import pytest
import toys

from synspice.compact.definition import Definition
from synspice.compact.errors import DefinitionError
from synspice.compact.model import Model
from synspice.compact.probes import multiplicity, probes
from synspice.compact.python_code import compile_python
from synspice.compact.registry import DEVICES, get_device


@pytest.mark.parametrize("name", DEVICES)
def test_every_state_observable_and_current_is_there_once(name: str) -> None:
    model = get_device(name)
    found = probes(model)
    kinds = {kind: [p.name for p in found if p.kind == kind] for kind in ("state", "observable", "current")}
    assert kinds["state"] == [s.name for s in model.states]
    assert kinds["observable"] == [o.name for o in model.observables]
    assert kinds["current"] == [f"i_{t}" for t in model.terminals if t in {b.plus for b in model.currents}]
    assert len({p.name for p in found} | set(model.terminals)) == len(found) + len(model.terminals)
    assert all(p.multiplicity == "multiply" for p in found if p.kind == "current")


def test_a_current_is_the_sum_of_what_enters_and_leaves_at_its_terminal() -> None:
    model = get_device("ionic_synapse")
    gate_source, gate_drain, drain_source = (b.expression for b in model.currents)
    currents = {p.name: p.expression for p in probes(model) if p.kind == "current"}
    assert currents == {"i_gate": gate_source + gate_drain, "i_drain": drain_source - gate_drain}


def named(name: str) -> Model:
    d = Definition("toy_named", "A parameter named as a current")
    p, n = d.terminals("p", "n")
    d.current(p, n, d.parameter(name, "S", 1e-6, "conductance", above=0) * d.voltage(p, n))
    return d.model()


def test_a_name_of_a_current_is_refused() -> None:
    named("i_n")  # no current enters there
    with pytest.raises(DefinitionError, match="'i_p' stands for the conduction current into 'p'"):
        named("i_p")


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("A", "multiply"), ("mS", "multiply"), ("W", "multiply"), ("ohm", "divide"), ("K/W", "divide"), ("K", None)],
)
def test_what_scales_with_the_number_of_devices(unit: str, expected: str | None) -> None:
    assert multiplicity(unit) == expected
    assert multiplicity("1") is None and multiplicity("eV") is None


def test_dtemp_is_a_rise_of_the_temperature_and_is_there_where_the_temperature_is() -> None:
    model = get_device("drift_memristor")
    assert "dtemp" not in {p.name for p in toys.resistor().parameters}
    functions = compile_python(model)
    values = model.values({"r_th": 1e4})
    hot = model.values({"r_th": 1e4, "dtemp": 25.0})
    at = ([0.7], [0.5])
    for name in ("currents", "rates", "observables"):
        function = getattr(functions, name)
        by_device = function(*at, list(hot.values()), 300.0)
        by_circuit = function(*at, list(values.values()), 325.0)
        assert by_device == pytest.approx(by_circuit, rel=1e-13)
