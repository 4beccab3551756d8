"""The papers' figures as they come out of the rows: what to plot, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .workbench import Curve

Curves = Mapping[str, Mapping[str, Curve]]
"""The curves of each row by its id."""

COLOURS = ("#1f5fa8", "#d1495b", "#2e8b57", "#c98a1b", "#6a4c93", "#4a4a4a", "#17a2b8", "#8c564b")
COLUMNS = 3


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One pair of axes: a row's curves.

    Attributes
    ----------
    row : str
    title, x, y : str
        Axis labels carry their units.
    log : str
        ``x``, ``y`` or ``xy`` for logarithmic axes, where a curve's magnitude is drawn.
    linear : float or None
        Where a logarithmic abscissa has both signs: the distance from zero up to which it is linear.
    only : tuple of str
        Labels to draw; all when empty.
    lines : mapping of text to float
        Documented values, drawn as horizontal lines.
    """

    row: str
    title: str
    x: str
    y: str
    log: str = ""
    linear: float | None = None
    only: tuple[str, ...] = ()
    lines: Mapping[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A figure.

    Attributes
    ----------
    name : str
        The picture file's stem.
    title : str
        With the paper's figure.
    plots : tuple of Plot
    draw : callable (figure, curves), optional
        Draws what is not a plot; its rows are ``rows``.
    rows : tuple of str
    """

    name: str
    title: str
    plots: tuple[Plot, ...] = ()
    draw: Callable[[Figure, Curves], None] | None = None
    rows: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the rows whose curves the panel shows."""
        return (*self.rows, *dict.fromkeys(p.row for p in self.plots))


def draw_panel(panel: Panel, curves: Curves) -> Figure:
    """Return a panel's figure; plots whose row was not run are left out."""
    if panel.draw is not None:
        figure = Figure(figsize=(9.0, 5.4), dpi=110, layout="constrained")
        panel.draw(figure, curves)
    else:
        plots = [p for p in panel.plots if p.row in curves]
        columns = min(len(plots), COLUMNS)
        rows = -(-len(plots) // columns)
        figure = Figure(figsize=(max(4.0 * columns + 0.6, 6.6), 3.1 * rows + 0.4), dpi=110, layout="constrained")
        for plot, axes in zip(plots, figure.subplots(rows, columns, squeeze=False).flat, strict=False):
            _draw(axes, plot, curves[plot.row])
        for axes in figure.axes[len(plots) :]:
            axes.set_visible(False)
    figure.suptitle(panel.title, fontsize=11)
    return figure


def _draw(axes: Axes, plot: Plot, curves: Mapping[str, Curve]) -> None:
    chosen = [label for label in curves if not plot.only or label in plot.only]
    for k, label in enumerate(chosen):
        x, y = curves[label]
        few = len(x) <= 60
        axes.plot(
            x,
            np.abs(y) if "y" in plot.log else y,
            color=COLOURS[k % len(COLOURS)],
            linewidth=1.1,
            label=label if len(chosen) > 1 else None,
            marker="o" if few else None,
            markersize=3.0,
        )
    for text, value in (plot.lines or {}).items():
        axes.axhline(value, color="black", linewidth=0.8, linestyle="--")
        axes.annotate(text, (0.02, value), xycoords=("axes fraction", "data"), fontsize=7, va="bottom")
    if plot.linear is not None:
        axes.set_xscale("symlog", linthresh=plot.linear)
    elif "x" in plot.log:
        axes.set_xscale("log")
    if "y" in plot.log:
        axes.set_yscale("log")
    else:
        axes.axhline(0, color="black", linewidth=0.5)
    axes.set_title(f"{plot.row}: {plot.title}", fontsize=9)
    axes.set_xlabel(plot.x, fontsize=8)
    axes.set_ylabel(plot.y, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.25, linewidth=0.5)
    if len(chosen) > len(COLOURS):
        axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    elif len(chosen) > 1:
        axes.legend(frameon=False, fontsize=7)
