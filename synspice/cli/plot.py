"""The figure of ``synspice run --plot``."""

from __future__ import annotations

from pathlib import Path

from ..compact.errors import OutputError
from ..compact.result import Result


def draw(result: Result, path: Path) -> None:
    """Draw every signal over time, one panel a unit, into a file.

    Raises
    ------
    OutputError
        If the file cannot be written, or matplotlib does not know its kind.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    units = list(dict.fromkeys(result.units[name] for name in result.signals))
    figure = Figure(figsize=(8, 1.2 + 1.8 * len(units)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(units), 1, sharex=True, squeeze=False)[:, 0]
    for panel, unit in zip(panels, units, strict=True):
        for name, values in result.signals.items():
            if result.units[name] == unit:
                panel.plot(result.time, values, label=name.replace("_", " "), linewidth=1)
        panel.set_ylabel("1" if unit == "1" else f"in {unit}")
        panel.legend(loc="upper right", fontsize="small")
        panel.grid(alpha=0.3)
    panels[-1].set_xlabel("time in s")
    figure.suptitle(f"{result.experiment} in {result.engine_version}", fontsize="medium")
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write the figure to {path}: {error}") from error
