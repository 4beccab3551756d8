"""Golden text of every registered device in every target that has text.

``python tests/golden_files.py`` writes the files anew; read what has changed before you commit it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from synspice.compact.registry import DEVICES
from synspice.emitters import EMITTERS, emit

FOLDER = Path(__file__).parent / "golden"

TARGETS = tuple(EMITTERS)
"""Every target that a device is emitted to, and the extension of its golden files."""


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
        for target in TARGETS:
            wanted.add(path(device, target))
            path(device, target).write_text(stripped(emit(device, target)), encoding="utf-8")
    for file in FOLDER.iterdir():
        if file not in wanted:
            file.unlink()


if __name__ == "__main__":
    update()
