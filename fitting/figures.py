"""The figures of a fit: data, model and ngspice over one another, and what is left between them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .fit import Fit
from .observation import Observation

DATA, HELD_OUT, MODEL, NGSPICE = "#9aa5b1", "#c9b458", "#1f5fa8", "#d1495b"
"""Colours: data the fit saw, data it did not, the fitted model, the emitted netlist in ngspice."""


def figure_of_group(fit: Fit, group: str, ngspice: Mapping[int, np.ndarray]) -> Figure:
    """Draw one group of records: the curves above, the residuals below.

    Parameters
    ----------
    fit : Fit
    group : str
    ngspice : mapping of observation index to ndarray
        Currents of ngspice, where it was run [A].

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(7.2, 5.6), dpi=150, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    members = [k for k, o in enumerate(fit.observed) if o.group == group]
    same_model = fit.observed[members[0]].scale == "linear"
    for position, k in enumerate(members):
        o = fit.observed[k]
        colour = HELD_OUT if o.held_out else DATA
        above.plot(o.axis, _shown(o, o.current), color=colour, linewidth=0.7, alpha=0.7, zorder=1)
        below.plot(
            o.axis,
            100 * o.residual(fit.currents[k]) if same_model else o.residual(fit.currents[k]),
            color=colour,
            linewidth=0.6,
        )
        if not same_model or position == 0:
            above.plot(o.axis, _shown(o, fit.currents[k]), color=MODEL, linewidth=2.2 if same_model else 1.0, zorder=3)
            if k in ngspice:
                every = slice(None, None, max(1, o.axis.size // 40))
                above.plot(
                    o.axis[every], _shown(o, ngspice[k])[every], linestyle="", marker="o", markersize=3.2,
                    markerfacecolor="none", color=NGSPICE, zorder=4,
                )  # fmt: skip
    for mean in (f for f in fit.fitted if same_model and f.group == group):
        above.plot(
            mean.axis,
            _shown(mean, mean.current),
            color="black",
            linewidth=1,
            linestyle="--",
            zorder=2,
            label=mean.label,
        )
    first = fit.observed[members[0]]
    if not same_model:
        above.set_yscale("log")
    above.set_ylabel("conductance (mS)" if first.read_voltage else "|current| (A)")
    below.set_ylabel("model - data\n(% of window)" if same_model else "model - data\n(decades)")
    below.set_xlabel(first.axis_label)
    below.axhline(0, color="black", linewidth=0.6)
    above.set_title(f"{fit.model.title}: {group}s")
    _legend(above, any(fit.observed[k].held_out for k in members), bool(ngspice))
    for axes in (above, below):
        axes.grid(alpha=0.25, linewidth=0.5)
    return figure


def _shown(observation: Observation, current: np.ndarray) -> np.ndarray:
    if observation.read_voltage:
        return np.asarray(1e3 * current / observation.read_voltage)
    return np.asarray(np.abs(current))


def _legend(axes: Axes, with_held_out: bool, with_ngspice: bool) -> None:
    axes.plot([], [], color=DATA, label="data, fitted")
    if with_held_out:
        axes.plot([], [], color=HELD_OUT, label="data, held out")
    axes.plot([], [], color=MODEL, linewidth=2, label="fit (reference engine)")
    if with_ngspice:
        axes.plot(
            [], [], linestyle="", marker="o", markerfacecolor="none", color=NGSPICE, label="emitted card in ngspice"
        )
    axes.legend(frameon=False, fontsize=8)


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes for the same figure."""
    figure.savefig(path, metadata={"Software": None})
