"""Compiled modules in ngspice decks that strangers write: every device and card in parallel, in wrappers, swept, warmer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from biased_devices import Biased, amid
from strangers_decks import (
    IN_PARALLEL,
    SUBJECTS,
    UIC_STEPS,
    Subject,
    apart,
    compare_parallel,
    in_parallel,
    reference,
    states,
    subject,
)

from synspice.compact.probes import probes
from synspice.emitters import emit
from synspice.netlists.ngspice import Plot, has_osdi, version
from synspice.veriloga.compiler import compile_module

pytestmark = pytest.mark.every_ngspice


@dataclass(frozen=True, eq=False, kw_only=True)
class Compiled(Subject):
    """A device or a card as a compiled module; ``text`` is its Verilog-A.

    Attributes
    ----------
    changed : mapping of name to float
        Values on the model card that are not the module's own.
    """

    changed: Mapping[str, float]

    @cached_property
    def instance_parameters(self) -> set[str]:
        return {p.name for p in self.model.parameters if p.instance} | {"m"}

    def element(self, k: str, nodes: str, given: str) -> str:
        own = [word for word in given.split() if word.partition("=")[0] in self.instance_parameters]
        return f"N{k} {nodes} card {' '.join(own)}"

    def shown(self, plot: Plot, place: str, probe: str) -> np.ndarray:
        name = f"{_device(place)}[{probe}]"
        return np.real(next(plot[n] for n in (name, f"v({name})", f"i({name})") if n in plot))

    def saving(self, places: Iterable[str]) -> list[str]:
        saved = (f"{_device(place)}[{p.name}]" for place in places for p in probes(self.model))
        return [f"save all {' '.join(saved)}"]

    def included(self) -> str:
        card = [f"{n}={v!r}" for n, v in self.changed.items() if n not in self.instance_parameters]
        loaded = [".control", f"pre_osdi {compile_module(self.text)}", "set num_threads=1", ".endc"]
        return "\n".join([*loaded, f".model card {self.name} {' '.join(card)}", ""])


def _device(place: str) -> str:
    *wrappers, k = place.split(".")
    return f"@n.{'.'.join(wrappers)}.n{k}" if wrappers else f"@n{k}"


def compiled(name: str, *, biased: bool = False) -> Compiled:
    if not has_osdi():
        pytest.skip(f"ngspice {version()} has no OSDI")
    device = subject(name)
    return Compiled(
        name=name,
        model=device.model,
        values=device.values,
        text=emit(name, "veriloga"),
        drive=device.drive,
        changed=amid(device) if biased else {},
    )


@pytest.mark.parametrize("name", SUBJECTS)
def test_sweeps_operating_point_and_small_signals_of_what_is_programmed(name: str, tmp_path: Path) -> None:
    device = compiled(name, biased=True)
    biased = Biased(device, tmp_path)
    biased.check()
    said = re.split(r"// to probe, of one device: ", device.text)[1].partition("\n//\n")[0].replace("//", "")
    biased.check_probes([word.split()[0] for word in said.split(",")])


@pytest.mark.parametrize(("initial", "steps"), [("", 500), (" uic", UIC_STEPS)])
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_pulse(name: str, initial: str, steps: int, tmp_path: Path) -> None:
    device = compiled(name)
    lines = [
        device.pulse(),
        *device.placed(1, resistance=device.resistance),
        *in_parallel(device),
        *device.placed(4, given="frozen=1"),
        ".options reltol=1e-6",
        ".control",
        *device.saving(["1", "4", *IN_PARALLEL]),
        f"{device.transient(steps).removeprefix('.')}{initial}",
        "write tran.raw",
        ".endc",
    ]
    plot = device.run(tmp_path, lines).plot("tran", "tran.raw")
    assert apart(device, reference(device, plot.scale), states(device, plot)) < 1e-3
    compare_parallel(device, plot)
    held = states(device, plot, "4")
    assert all(np.ptp(held[s.name]) == 0 for s in device.model.states)
