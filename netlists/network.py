"""Networks of several devices on every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compact.errors import UnknownNameError
from ..compact.network import Network
from ..compact.network_reference import ReferenceOptions, network_record, simulate_network
from ..compact.result import Result
from . import ngspice
from .deck import DeviceForm, Subcircuits, format_network, network_rows
from .engines import Engine, Progress, ngspice_engine, osdi_engine, reference_engine, vacask_engine
from .ngspice import SolverOptions
from .ngspice.cost import announce
from .steps import STEPS, largest_step


@dataclass(frozen=True, kw_only=True)
class NetworkJob:
    """A network for one run.

    Attributes
    ----------
    network : Network
    experiment : str
        Name for the record.
    steps : int
        Time steps that a simulator takes at least; breakpoints and the truncation error add the others.
    """

    network: Network
    experiment: str = ""
    steps: int = STEPS

    @property
    def largest_step(self) -> float:
        """Largest time step that a simulator may take [s]."""
        return largest_step(self.network, self.steps)


def run_networks_ngspice(
    jobs: Sequence[NetworkJob],
    *,
    options: SolverOptions | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    progress: Progress | None = None,
) -> list[Result]:
    """Run networks in batch ngspice, each in its own process and folder, in parallel.

    Parameters
    ----------
    jobs : sequence of NetworkJob
    options : SolverOptions, optional
    workers : int, optional
        Processes at a time; the machine's processors by default.
    timeout : float
        Seconds a run may take.
    progress : callable (done, total), optional

    Returns
    -------
    list of Result
        In the order of the jobs.

    Raises
    ------
    SimulationError, EngineMissingError
    """
    return run_form(jobs, Subcircuits(), options=options, workers=workers, timeout=timeout, progress=progress)


def run_form(
    jobs: Sequence[NetworkJob],
    form: DeviceForm,
    *,
    options: SolverOptions | None,
    workers: int | None,
    timeout: float,
    progress: Progress | None,
) -> list[Result]:
    """Run networks in ngspice, their devices in one of the forms that a deck knows."""
    options = options or SolverOptions()
    decks = [format_network(job.network, options, job.steps, form) for job in jobs]
    announce(decks)
    files = form.files(i.model for job in jobs for i in job.network.instances)
    raws = ngspice.run_many(decks, workers=workers, timeout=timeout, files=files, progress=progress)
    results = []
    for job, raw, deck in zip(jobs, raws, decks, strict=True):
        plot = raw.plot("tran")
        results.append(
            network_record(
                job.network,
                experiment=job.experiment,
                engine=form.engine,
                engine_version=form.version(),
                time=np.asarray(plot.scale, float),
                rows=network_rows(job.network, plot, form),
                options=options.record(job.largest_step),
                deck=deck,
            )
        )
    return results


def _reference(job: NetworkJob, options: ReferenceOptions) -> Result:
    return simulate_network(job.network, options=options, experiment=job.experiment)


NETWORK_ENGINES: dict[str, Engine[NetworkJob]] = {
    "reference": reference_engine(_reference),
    "ngspice": ngspice_engine(run_networks_ngspice),
    "ngspice-osdi": osdi_engine("osdi", "run_networks_ngspice_osdi"),
    "vacask": vacask_engine("network", "run_networks_vacask"),
}
"""Every engine that runs networks, by the name that the command line uses."""


def run_networks(
    jobs: Sequence[NetworkJob | Network],
    engine: str = "ngspice",
    *,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Result]:
    """Run networks, in parallel where the engine can.

    Parameters
    ----------
    jobs : sequence of NetworkJob or Network
    engine : str
        One of :data:`NETWORK_ENGINES`.
    progress : callable (done, total), optional
    options : mapping of name to value, optional
        Solver options that replace the engine's own: fields of `SolverOptions` for ngspice and ngspice-osdi, of `ReferenceOptions` for
        the reference, of `VacaskOptions` for VACASK.

    Returns
    -------
    list of Result
        In the order of the jobs, each with the signals of :attr:`Network.signals`.

    Raises
    ------
    UnknownNameError, ParameterError, EngineError
    """
    if engine not in NETWORK_ENGINES:
        raise UnknownNameError("engine for networks", engine, NETWORK_ENGINES)
    named = [NetworkJob(network=job) if isinstance(job, Network) else job for job in jobs]
    return NETWORK_ENGINES[engine](named, progress, options or {})
