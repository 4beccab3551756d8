"""The report of a fit: one self-contained HTML file, the figures as PNG beside it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from ..compact.errors import EngineError, OutputError
from ..compact.version import __version__
from ..netlists import ngspice as ngspice_runner
from ..netlists.testbench import Job, run_ngspice
from .figures import figure_of_group, write_figure
from .fit import Fit


def write_report(fit: Fit, folder: Path, *, with_ngspice: bool = True) -> Path:
    """Write the report and return the path of its HTML file.

    Parameters
    ----------
    fit : Fit
    folder : Path
        Made if missing; receives ``report.html`` and one PNG a group of records.
    with_ngspice : bool
        Run the fitted card in ngspice on the stimuli of the data and draw it over them.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    EngineError
        If ngspice is wanted and is missing or fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the report folder {folder}: {error.strerror}") from error
    simulated = ngspice_currents(fit) if with_ngspice else {}
    groups = []
    for group in dict.fromkeys(o.group for o in fit.observed):
        path = folder / f"{group.replace(' ', '_')}.png"
        try:
            write_figure(figure_of_group(fit, group, simulated), path)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from error
        error_row = [e for e in fit.result.errors if e.data.split(",")[0] == group][-1]
        groups.append(
            {
                "name": group,
                "picture": base64.b64encode(path.read_bytes()).decode(),
                "metric": error_row.metric,
                "in_sample": error_row.in_sample,
                "held_out": error_row.held_out,
                "ngspice": _ngspice_error(fit, group, simulated),
                "agreement": _agreement(fit, group, simulated),
            }
        )
    page = folder / "report.html"
    try:
        page.write_text(_render(fit, groups, with_ngspice), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {page}: {error.strerror}") from error
    return page


def ngspice_currents(fit: Fit) -> dict[int, np.ndarray]:
    """Run the card in ngspice for the first ramp of each group and for every sweep; return its currents [A] by index."""
    chosen: list[int] = []
    seen: set[str] = set()
    for k, o in enumerate(fit.observed):
        if o.scale == "log" or o.group not in seen:
            chosen.append(k)
            seen.add(o.group)
    jobs = [Job(model=fit.model, values=fit.values[k], bench=fit.observed[k].bench) for k in chosen]
    signal = "current" if fit.model.read == fit.model.write else "read_current"
    results = run_ngspice(jobs)
    return {k: r.at(signal, fit.observed[k].times) for k, r in zip(chosen, results, strict=True)}


def _ngspice_error(fit: Fit, group: str, simulated: dict[int, np.ndarray]) -> float | None:
    """Return the in-sample error with ngspice's currents in the place of the reference engine's."""
    squares = []
    for curve in (f for f in fit.fitted if f.group == group):
        k = next((k for k in simulated if fit.observed[k] is curve), None)
        if k is None:
            k = next((k for k in simulated if fit.observed[k].group == group and curve.scale == "linear"), None)
        if k is not None:
            squares.append(curve.residual(simulated[k][: curve.times.size]) ** 2)
    return float(np.sqrt(np.mean(np.concatenate(squares)))) if squares else None


def _agreement(fit: Fit, group: str, simulated: dict[int, np.ndarray]) -> float | None:
    """Return the largest difference between ngspice and the reference engine over the largest current."""
    gaps = [
        float(np.max(np.abs(simulated[k] - fit.currents[k])) / np.max(np.abs(fit.currents[k])))
        for k in simulated
        if fit.observed[k].group == group
    ]
    return max(gaps) if gaps else None


def _render(fit: Fit, groups: list[dict[str, Any]], with_ngspice: bool) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["number"] = lambda v: "-" if v is None else f"{v:.4g}"
    environment.filters["percent"] = lambda v: "-" if v is None else f"{100 * v:.3g} %"
    strong = sorted(
        ((a, b, r) for (a, b), r in fit.result.correlations.items() if abs(r) > 0.9), key=lambda row: -abs(row[2])
    )
    try:
        version = ngspice_runner.version() if with_ngspice else None
    except EngineError:
        version = None
    return environment.get_template("report.html").render(
        fit=fit,
        result=fit.result,
        card=fit.result.card,
        model=fit.model,
        groups=groups,
        correlations=strong,
        version=__version__,
        ngspice=version,
    )
