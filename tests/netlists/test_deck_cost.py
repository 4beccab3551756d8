"""What a deck will cost: its counts, what is made of them, and when it is said."""

import logging
import resource

import pytest

from synspice.compact.devices.drift_memristor import MODEL as DRIFT
from synspice.compact.network import Instance, Network
from synspice.compact.stimulus import Drive, Waveform
from synspice.netlists.deck import format_network
from synspice.netlists.network import NetworkJob, run_networks
from synspice.netlists.ngspice import SolverOptions, run_deck
from synspice.netlists.ngspice.cost import Counts, cost, count, deck_cost
from synspice.netlists.subcircuit import format_subcircuit


def cells(number: int) -> str:
    instances = [f"X{k} in 0 drift_memristor frozen=1" for k in range(number)]
    return "\n".join(["* cells", format_subcircuit(DRIFT, {}), "V1 in 0 DC 0.1", *instances, ".op", ".end", ""])


def test_functions_are_written_out() -> None:
    """A function that takes its argument twice copies it."""
    found = count("t\n.func f(a) {a*a+1}\nB1 x 0 I = f(V(x)+1)\n.end\n")
    own, argument = ["*", "+", "1"], ["V", "x", "+", "1"]
    assert found.symbols == len(["B1", "x", "0", "I", "=", *own]) + 2 * len(argument)


def test_counts_of_a_deck() -> None:
    found = count(cells(20))
    assert (found.instances, found.hub, found.loops, found.points) == (20, 20, 0, 0)
    assert found.symbols == pytest.approx(20 * count(cells(1)).symbols)
    mesh = (
        "t\nV1 a 0 1\n" + "\n".join(f"R{a}{b} {a} {b} 1" for a, b in ("ab", "bc", "cd", "db", "d0")) + "\n.op\n.end\n"
    )
    assert count(mesh).loops == 1
    assert count("t\nR1 a 0 1\n.options klu\n.tran 1n 1 0 0.125\n.end\n") == Counts(0, 0.0, 0, 0, 8.0, True)


def test_the_old_solver_is_what_ten_thousand_cells_cost() -> None:
    """Measured: more than 160 s in ngspice 39, 17 s with KLU in 44.2 and 47; 0.21 GB with a tenth of the cells."""
    counts = count(cells(10_000))
    assert 160 < cost(counts).seconds < 500
    assert cost(counts).memory == pytest.approx(2.1e9, rel=0.5)
    with_klu = Counts(counts.instances, counts.symbols, counts.hub, counts.loops, 0.0, klu=True)
    assert cost(with_klu).seconds == pytest.approx(17, rel=0.6)


@pytest.mark.ngspice
def test_a_cost_is_right_within_a_factor_of_four() -> None:
    """Against the processor time of ngspice, which a busy machine doubles."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run_deck(cells(600), timeout=300)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert spent / 4 < deck_cost(cells(600)).seconds < 4 * spent


def network(devices: int, duration: float) -> Network:
    instances = tuple(Instance(name=f"d{k}", model=DRIFT, values={}, nodes=("in", "0")) for k in range(devices))
    return Network(
        instances=instances, sources={"in": Drive(waveform=Waveform((0.0, 1e-4, duration), (0.0, 0.1, 0.1)))}
    )


@pytest.mark.ngspice
def test_a_dear_run_is_announced(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "synspice.cost"):
        run_networks([NetworkJob(network=network(2, 1e-3), steps=100)])
        assert caplog.messages == []
    deck = format_network(network(200, 1.0), SolverOptions())
    assert deck_cost(deck).seconds > 10


def test_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    from synspice.netlists.ngspice.cost import announce

    with caplog.at_level(logging.WARNING, "synspice.cost"):
        announce([cells(10_000)])
    (message,) = caplog.messages
    assert message.startswith("1 run: about ") and "vacask" in message and "KLU" in message
