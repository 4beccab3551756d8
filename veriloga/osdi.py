"""ngspice with the compiled Verilog-A in the place of the subcircuit, where the installed ngspice can load it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..compact.errors import EngineMissingError
from ..compact.model import FROZEN, Model
from ..compact.network import Instance
from ..compact.result import Result
from ..netlists import bias_points, ngspice
from ..netlists.deck import waveform_of
from ..netlists.network import NetworkJob, run_form
from ..netlists.ngspice import Plot, SolverOptions
from ..netlists.testbench import Job, as_networks, as_records
from .compiler import compile_module
from .module import format_module
from .vacask import parameters_text

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Circuit

ENGINE = "ngspice-osdi"


def require_osdi() -> None:
    """Ask the installed ngspice whether it loads compiled Verilog-A.

    Raises
    ------
    EngineMissingError
        It does not, or there is none; the message says which build does.
    """
    if not ngspice.has_osdi():
        raise EngineMissingError(
            f"ngspice {ngspice.version()} ({ngspice.find_executable()}) cannot load compiled Verilog-A: it is built without "
            "OSDI, as Debian 12's ngspice 39 is. It takes ngspice 44 or later, built with --enable-osdi, for the files that "
            "openvaf-r makes; Debian 13's ngspice 44.2 is such a build. "
            f"Set {ngspice.installation.VARIABLE} to the path of one, or use the engine 'vacask' or 'ngspice'"
        )


def library_name(model: Model) -> str:
    """Return the name by which a deck loads a compiled model."""
    return f"{model.name}_{model.definition_hash}.osdi"


def libraries(models: Iterable[Model]) -> dict[str, Path]:
    """Compile models, and return the files by their names in a deck."""
    return {library_name(model): compile_module(format_module(model)) for model in dict.fromkeys(models)}


def load_lines(models: Iterable[Model]) -> list[str]:
    """Return the lines that load compiled models.

    ngspice evaluates compiled devices in ``num_threads`` threads, two by default, which it starts anew at every evaluation:
    80 to 100 us a time point. One thread needs no start: 6 us in ngspice 44.2, 2.4 us in 47.
    """
    loaded = [f"pre_osdi {library_name(model)}" for model in dict.fromkeys(models)]
    return [".control", "set num_threads=1", *loaded, ".endc"]


def card_lines(card: str, model: Model, values: Mapping[str, float]) -> list[str]:
    """Return the model card of a complete set of values."""
    return _wrapped(f".model {card} {model.name} {parameters_text(model, values, instance=False)}")


def instance_lines(name: str, nodes: str, card: str, model: Model, values: Mapping[str, float]) -> list[str]:
    """Return the instance ``n<name>`` with a complete set of values.

    The values have to be checked: ngspice 47 crashes at an instance parameter that is out of its range.
    """
    return _wrapped(f"N{name} {nodes} {card} {parameters_text(model, values, instance=True)}")


def _vector(plot: Plot, saved: str) -> str:
    """Return a saved variable's name in the raw file: bare, or as a voltage or a current, by what its unit is."""
    names = (saved.lower(), f"v({saved.lower()})", f"i({saved.lower()})")
    return next((name for name in names if name in plot.names), saved)


def compiled_form(model: Model, values: Mapping[str, float]) -> bias_points.Form:
    """Return a device as its compiled module, for :mod:`synspice.netlists.bias_points`."""
    require_osdi()
    held = bias_points.held_values(model, values)
    return bias_points.Form(
        head=[*load_lines([model]), *card_lines("card", model, held)],
        instance=lambda name, nodes: "\n".join(instance_lines(name, nodes, "card", model, held)),
        files=libraries([model]),
    )


class Compiled:
    """Devices as compiled modules, each with a model card of its own."""

    engine = ENGINE

    def version(self) -> str:
        return f"ngspice {ngspice.version()} with OSDI"

    def define(self, instances: Sequence[Instance]) -> tuple[list[str], dict[str, str]]:
        cards = {i.name: f"{i.name}_card" for i in instances}
        lines = load_lines(i.model for i in instances)
        for instance in instances:
            lines += card_lines(cards[instance.name], instance.model, instance.values)
        return lines, cards

    def place(
        self, circuit: Circuit, instance: Instance, definition: str, nodes: Sequence[str], *, frozen: bool
    ) -> list[str]:
        model, values = instance.model, dict(instance.values)
        if frozen and model.states:
            values[FROZEN.name] = 1.0
        return instance_lines(instance.name, " ".join(nodes), definition, model, values)

    def saved(self, instance: Instance) -> list[str]:
        return [f"@n{instance.name}[{item.name}]" for item in instance.reported]

    def rows(
        self, plot: Plot, instance: Instance, at: Mapping[str, np.ndarray], temperature: float
    ) -> dict[str, np.ndarray]:
        named = zip(instance.reported, self.saved(instance), strict=True)
        return {item.name: waveform_of(plot, _vector(plot, vector)) for item, vector in named}

    def files(self, models: Iterable[Model]) -> dict[str, Path]:
        return libraries(models)


def _wrapped(line: str, words: int = 6) -> list[str]:
    parts = line.split()
    return [("+ " if k else "") + " ".join(parts[k : k + words]) for k in range(0, len(parts), words)]


def run_networks_ngspice_osdi(
    jobs: Sequence[NetworkJob],
    *,
    options: SolverOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Run networks in ngspice with compiled Verilog-A; see :func:`synspice.netlists.network.run_networks_ngspice`.

    Raises
    ------
    EngineMissingError
        The installed ngspice has no OSDI, or openvaf-r is not installed.
    SimulationError, EngineError
    """
    require_osdi()
    return run_form(jobs, Compiled(), options=options, workers=workers, timeout=timeout, progress=progress)


def run_ngspice_osdi(
    jobs: Sequence[Job],
    *,
    options: SolverOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Run jobs in ngspice with compiled Verilog-A; see :func:`synspice.netlists.testbench.run_ngspice`.

    Raises
    ------
    EngineMissingError
        The installed ngspice has no OSDI, or openvaf-r is not installed.
    ParameterError, SimulationError, EngineError
    """
    found = run_networks_ngspice_osdi(
        as_networks(jobs), options=options, workers=workers, timeout=timeout, progress=progress
    )
    return as_records(jobs, found)
