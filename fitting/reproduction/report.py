"""The report of a reproduction: one self-contained HTML file, the papers' figures as PNG beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from ...compact.errors import OutputError
from ...compact.version import __version__
from ..characteristics.catalogue import catalogue
from .panels import draw_panel
from .runner import Reproduced, counts, protocol_module


def write_report(results: Sequence[Reproduced], folder: Path) -> Path:
    """Write the report and return the path of its HTML file.

    Parameters
    ----------
    results : sequence of Reproduced
    folder : Path
        Made if missing; receives ``report.html`` and a PNG a panel whose rows were run.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    papers = [_paper(name, results, folder) for name in dict.fromkeys(item.row.paper for item in results)]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["number"] = lambda v: "-" if v is None else f"{v:.4g}"
    environment.filters["state"] = lambda item: {True: "met", False: "unmet", None: "undetermined"}[item.met]
    page = environment.get_template("report.html").render(
        papers=papers, counts=counts(results), version=__version__, engine=results[0].engine if results else "none"
    )
    path = folder / "report.html"
    _write(path, page.encode())
    return path


def _paper(name: str, results: Sequence[Reproduced], folder: Path) -> dict[str, Any]:
    """Return what the template shows of a paper, its panels drawn."""
    record = catalogue(name)
    own = [item for item in results if item.row.paper == name]
    curves = {item.row.id: item.curves for item in own if item.curves}
    panels = []
    for panel in protocol_module(name).PANELS:
        if not set(panel.needs) & set(curves):
            continue
        picture = io.BytesIO()
        draw_panel(panel, curves).savefig(picture, format="png")
        _write(folder / f"{panel.name}.png", picture.getvalue())
        panels.append({"title": panel.title, "picture": base64.b64encode(picture.getvalue()).decode()})
    return {"title": record.title, "citation": record.citation, "doi": record.doi, "panels": panels, "results": own}


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
