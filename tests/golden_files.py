"""Golden text of every registered device in every target that has text.

``python tests/golden_files.py`` writes the files anew; read what has changed before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from synspice.compact.model import Model
from synspice.compact.python_code import format_python
from synspice.compact.registry import DEVICES, get_device
from synspice.netlists.subcircuit import format_subcircuit

FOLDER = Path(__file__).parent / "golden"

TARGETS: dict[str, Callable[[Model], str]] = {"python": format_python, "ngspice": format_subcircuit}
"""Every target that emits a whole device as text, by the extension of its golden files."""


def stripped(text: str) -> str:
    """Return emitted text without the line that names the version and the definition's hash."""
    return "\n".join(line for line in text.splitlines() if "synspice" not in line) + "\n"


def path(device: str, target: str) -> Path:
    """Return where a pair's golden text is."""
    return FOLDER / f"{device}.{target}"


def exists(device: str) -> bool:
    """Return whether a registered device's module is there."""
    return find_spec(DEVICES[device], "synspice.compact") is not None


def update() -> None:
    """Write every golden file anew, and remove those that belong to no pair."""
    FOLDER.mkdir(exist_ok=True)
    wanted = set()
    for device in filter(exists, DEVICES):
        for target, emit in TARGETS.items():
            wanted.add(path(device, target))
            path(device, target).write_text(stripped(emit(get_device(device))), encoding="utf-8")
    for file in FOLDER.iterdir():
        if file not in wanted:
            file.unlink()


if __name__ == "__main__":
    update()
