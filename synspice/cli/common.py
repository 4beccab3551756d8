"""What the commands share: options, checks of what the user gave, and how things are printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..compact.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 160
"""Columns of a table that does not go to a terminal."""


class Format(StrEnum):
    """How a command prints its answer."""

    text = "text"
    json = "json"


DeviceFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--device-file", metavar="FILE.py", help="A Python file that defines a device of your own; repeatable."
    ),
]
OutputFormat = Annotated[Format, typer.Option("--format", help="How to print the answer.")]


def load_devices(files: Iterable[Path] | None) -> None:
    """Make the devices of the user's files known."""
    if files:
        from ..compact.registry import load_device

        for path in files:
            load_device(path)


def complain(message: str, code: int) -> int:
    """Print an error to stderr and return the exit code."""
    print(f"synspice: {message}", file=sys.stderr)
    return code


def split_pairs(pairs: Iterable[str] | None, option: str) -> dict[str, str]:
    """Return the ``name=value`` pairs of an option.

    Raises
    ------
    typer.BadParameter
        For a pair without ``=`` and for a name given twice.
    """
    found: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise typer.BadParameter(f"'{pair}' is not name=value", param_hint=option)
        if name in found:
            raise typer.BadParameter(f"'{name}' is given twice", param_hint=option)
        found[name] = value
    return found


def numbers(pairs: Iterable[str] | None, option: str) -> dict[str, float]:
    """Return the ``name=number`` pairs of an option, in SI units.

    Raises
    ------
    typer.BadParameter
        For a value that is not a number.
    """
    found = {}
    for name, text in split_pairs(pairs, option).items():
        try:
            found[name] = float(text)
        except ValueError:
            message = f"{name} = '{text}' is not a number; write SI units without a suffix, such as {name}=1e-6"
            raise typer.BadParameter(message, param_hint=option) from None
    return found


def number_or_word(text: str) -> float | str:
    """Return a number for a text that is one, else the text."""
    try:
        return float(text)
    except ValueError:
        return text


def plain_value(text: str) -> bool | float | str:
    """Return a truth value or a number for a text that is one (a whole number as such), else the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.strip("+-").isdecimal() else number_or_word(text)


def check_writable_file(path: Path | None, what: str) -> None:
    """Check, before long work, that a file can be written.

    Raises
    ------
    OutputError
    """
    if path is None:
        return
    if path.is_dir():
        raise OutputError(f"cannot write {what} to {path}: it is a folder")
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputError(f"cannot write {what} to {path}: no permission")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {what} to {path}: there is no folder {path.parent}")
    if not path.exists() and not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {what} to {path}: the folder {path.parent} is not writable")


def make_writable_folder(path: Path | None, what: str) -> None:
    """Make a folder, before long work, and check that it can be written to.

    Raises
    ------
    OutputError
    """
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path} for {what}: {error.strerror}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {what} to {path}: the folder is not writable")


def write_text(text: str, path: Path, what: str) -> None:
    """Write a file.

    Raises
    ------
    OutputError
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {what} to {path}: {error.strerror}") from error


def console() -> Console:
    """Return a console for stdout: as wide as the terminal, or wide enough for a table in a file."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDTH, soft_wrap=False, highlight=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> None:
    """Print a table to stdout."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console().print(table)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr, when that is a terminal, and yield what to call with (done, total)."""
    from rich.console import Console
    from rich.progress import Progress

    screen = Console(stderr=True)
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(label, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None)

        yield update


@contextmanager
def status_line(label: str) -> Iterator[Callable[[str], None]]:
    """Show a moving status line on stderr, when that is a terminal, and yield what to call with a text."""
    from rich.console import Console
    from rich.markup import escape

    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield lambda text: None
        return
    with screen.status(label) as status:
        yield lambda text: status.update(f"{label}: {escape(text)}")


def number_text(value: float | None, digits: int = 5) -> str:
    """Return a number for a table, a dash for None."""
    return "-" if value is None else f"{value:.{digits}g}"


def unit_text(unit: str) -> str:
    """Return a unit for a table: nothing for a pure number."""
    return "" if unit == "1" else unit
