"""Parts of the circuits' pictures."""

from __future__ import annotations

from typing import Any

import numpy as np


def array_map(axes: Any, values: np.ndarray, label: str, limits: tuple[float, float] | None = None) -> None:
    """Draw a map over rows and columns with its colour bar."""
    low, high = limits or (float(np.min(values)), float(np.max(values)))
    image = axes.imshow(values, vmin=low, vmax=high, interpolation="nearest", cmap="viridis")
    axes.set_title(label, fontsize="small")
    axes.tick_params(labelsize="x-small")
    axes.figure.colorbar(image, ax=axes, shrink=0.7).ax.tick_params(labelsize="x-small")


def curve(axes: Any, x: np.ndarray, y: np.ndarray, x_label: str, y_label: str, **style: Any) -> None:
    """Draw one curve with its axes' names and a line at zero."""
    axes.plot(x, y, **{"marker": ".", "linewidth": 1, **style})
    axes.axhline(0, color="0.7", linewidth=0.8)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.3)
