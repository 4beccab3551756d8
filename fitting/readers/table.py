"""Text files with rows and columns: encoding, separator, decimal comma, comments, preamble, header and unit line."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ...compact.errors import DataError
from .records import Array

Cell: TypeAlias = str | float | None

_COMMENT = ("#", "%", "//")
_SEPARATORS = (";", "\t", ",", None)  # None: any white space
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?$")
_OVERFLOW = 1e30  # SMUs write 9.9e37 or 1.99999e101 for "no reading"
_SHOWN = 6


@dataclass(frozen=True)
class Table:
    """Cells of a file or sheet, not yet turned into numbers.

    Attributes
    ----------
    path : Path
    names : tuple of str
        Column names; empty for a file without a header.
    units : tuple of str
        The unit line below the header, or empty strings.
    rows : tuple of rows of cells
    lines : tuple of int
        File line (or sheet row) of each row, from 1.
    sheet : str or None
    """

    path: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[Sequence[Cell], ...]
    lines: tuple[int, ...]
    sheet: str | None = None

    def error(self, message: str, *, row: int | None = None) -> DataError:
        """Make an error about this table that names its sheet, if it has one."""
        return DataError(self.path, f"sheet '{self.sheet}': {message}" if self.sheet else message, row=row)

    def numbers(self, columns: Sequence[int], *, drop_bad_rows: bool = False) -> tuple[Array, tuple[int, ...]]:
        """Read columns as finite numbers.

        Parameters
        ----------
        columns : sequence of int
            Positions of the columns.
        drop_bad_rows : bool
            Leave out rows with a missing or unusable number instead of raising.

        Returns
        -------
        array of shape (rows, columns), and the line of each row
            Rows in which all these columns are blank at the end of the table are not counted: columns may be ragged.

        Raises
        ------
        DataError
            Naming the column, the text and the lines.
        """
        values = np.array(
            [[_number(row[c] if c < len(row) else None) for c in columns] for row in self.rows], dtype=float
        )
        values = values.reshape(len(self.rows), len(columns))
        blank = [all(_is_blank(row[c] if c < len(row) else None) for c in columns) for row in self.rows]
        end = len(blank)
        while end and blank[end - 1]:
            end -= 1
        values, lines = values[:end], self.lines[:end]
        bad = ~(np.abs(values) < _OVERFLOW)
        if bad.any() and not drop_bad_rows:
            first = int(np.argmax(bad.any(axis=1)))
            column = columns[int(np.argmax(bad[first]))]
            faulty = [line for line, row in zip(lines, bad, strict=True) if row.any()]
            row = self.rows[first]
            text = row[column] if column < len(row) else None
            shown = "blank" if _is_blank(text) else f"'{text}'"
            name = self.names[column] if self.names else f"number {column + 1}"
            raise self.error(
                f"column {name!r} is {shown} where a finite number is needed; {len(faulty)} such row(s), on line(s) "
                f"{listed(faulty)}; repair or delete them, or read with drop_bad_rows=True (--read-setting drop_bad_rows=true)",
                row=faulty[0],
            )
        good = ~bad.any(axis=1)
        return values[good], tuple(line for line, keep in zip(lines, good, strict=True) if keep)


def listed(items: Iterable[object], limit: int = _SHOWN) -> str:
    """Join items with commas; beyond ``limit`` say how many more there are."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more


def decode(data: bytes) -> str:
    """Bytes as text: UTF-8 or UTF-16 by its mark, else UTF-8, else Latin-1."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # the head of a file may end within a character
        return data[: error.start].decode("utf-8-sig") if error.start >= len(data) - 3 else data.decode("latin-1")


def read_text(path: Path) -> str:
    """Text of a file, or a `DataError` for a file that is missing, empty or not text."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from error
    if not data.strip():
        raise DataError(path, "the file is empty")
    if b"\0" in data[:4096] and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(path, "this is not a text file; export the data as CSV, or name its layout")
    return decode(data)


def split(text: str) -> tuple[list[list[str]], list[int]]:
    """Rows of stripped cells and their line numbers, without comments and empty lines; decimal commas become points."""
    kept = [
        (n, line)
        for n, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith(_COMMENT)
    ]
    if not kept:
        return [], []
    separator = _separator([line for _, line in kept])
    rows = [_cells(line, separator) for _, line in kept]
    if separator != "," and any(_DECIMAL_COMMA.match(cell) for row in rows for cell in row):
        rows = [[cell.replace(",", ".") if _DECIMAL_COMMA.match(cell) else cell for cell in row] for row in rows]
    return rows, [n for n, _ in kept]


def read_table(path: Path, *, is_header: Callable[[Sequence[str]], bool], is_unit: Callable[[str], bool]) -> Table:
    """Read a text file with named columns.

    Parameters
    ----------
    path : Path
    is_header : callable
        Tells whether a line's cells name columns that the caller knows; the first such line is the header, so a
        preamble is skipped. Without one, the first line of full width that is not numbers is taken.
    is_unit : callable
        Tells whether a cell is the name of a unit, for a unit line below the header.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the file is empty, not text, not a table, without a header, or its lines differ in length.
    """
    rows, lines = split(read_text(path))
    if not rows:
        raise DataError(path, "the file holds comments only, no data")
    widths = [len(row) for row in rows]
    width = max(set(widths[-50:]), key=widths[-50:].count)
    full = [i for i, row in enumerate(rows) if len(row) >= width]
    header = next((i for i in full if is_header(rows[i])), None)
    if header is None:
        header = next((i for i in full if not any(is_number(cell) for cell in rows[i])), None)
    if all(is_number(cell) for cell in rows[full[0]] if cell):
        raise DataError(
            path,
            f"no header line: it starts with the numbers {', '.join(rows[full[0]])}; name the columns in the first line "
            "(for instance: time (s), voltage (V), current (A)), or read it with layout='headerless'",
            row=lines[full[0]],
        )
    if header is None:
        raise DataError(path, "not a CSV file with named columns: no line of column names was found", row=lines[0])
    names = tuple(rows[header])
    body = header + 1
    units: tuple[str, ...] = ("",) * len(names)
    if body < len(rows) and any(rows[body]) and all(not cell or is_unit(cell) for cell in rows[body]):
        units = tuple(rows[body]) + ("",) * (len(names) - len(rows[body]))
        body += 1
    if body == len(rows):
        raise DataError(path, f"no data below the header ({listed(names)})", row=lines[header])
    wrong = [(n, len(row)) for n, row in zip(lines[body:], rows[body:], strict=True) if not width_fits(row, len(names))]
    if wrong:
        raise DataError(
            path,
            f"not a CSV file with one table: {wrong[0][1]} field(s) where the header has {len(names)}; {len(wrong)} such "
            f"line(s): {listed(n for n, _ in wrong)}",
            row=wrong[0][0],
        )
    return Table(path=path, names=names, units=units, rows=tuple(rows[body:]), lines=tuple(lines[body:]))


def width_fits(row: Sequence[str], width: int) -> bool:
    """Whether a row has the width of the header, give or take blank fields at the end."""
    return len(row) == width or (len(row) > width and not any(row[width:])) or (len(row) == width - 1 and width > 2)


def is_number(cell: Cell) -> bool:
    """Whether a cell is a number, NaN included."""
    return not _is_blank(cell) and (not np.isnan(_number(cell)) or str(cell).strip().lower() in ("nan", "+nan", "-nan"))


def _number(cell: Cell) -> float:
    try:
        return float(cell) if cell is not None else float("nan")
    except ValueError:
        return float("nan")


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _separator(lines: Sequence[str]) -> str | None:
    """Find the first separator that cuts most of the last lines into more than one field."""
    sample = lines[-50:]
    for separator in _SEPARATORS:
        widths = [len(_cells(line, separator)) for line in sample]
        if sum(width > 1 for width in widths) > len(sample) / 2:
            return separator
    return ","


def _cells(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
    except csv.Error:  # an open quotation mark
        return [cell.strip() for cell in line.split(separator)]
