"""Read ngspice raw files, binary or ASCII, with any number of plots in a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...compact.errors import DataError, UnknownNameError

#: Real for most analyses, complex for AC.
Values = npt.NDArray[np.float64] | npt.NDArray[np.complex128]

#: The short name of each analysis, by the plot name that ngspice writes.
ANALYSES = {
    "operating point": "op",
    "dc transfer characteristic": "dc",
    "ac analysis": "ac",
    "transient analysis": "tran",
    "noise spectral density curves": "noise",
    "integrated noise": "integrated noise",
    "transfer function": "tf",
}


class Variable(NamedTuple):
    """One vector of a plot: its name, such as ``v(out)``, and its type, such as ``voltage``."""

    name: str
    type: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Plot:
    """The result of one analysis.

    Attributes
    ----------
    title : str
        The deck's title.
    plotname : str
        The analysis in ngspice's words, such as ``Transient Analysis``.
    variables : tuple of Variable
        The vectors, the independent one (time, frequency, swept source) first where there is one.
    data : ndarray
        One row a variable, one column a point; complex for an AC analysis. SI units.
    """

    title: str
    plotname: str
    variables: tuple[Variable, ...]
    data: Values

    @property
    def kind(self) -> str:
        """The analysis in short: ``op``, ``dc``, ``ac``, ``tran``, ``noise``, ..."""
        return ANALYSES.get(self.plotname.lower(), self.plotname.lower())

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the vectors, in the order of the rows of ``data``."""
        return tuple(variable.name for variable in self.variables)

    @property
    def points(self) -> int:
        """The number of points."""
        return int(self.data.shape[1])

    @property
    def scale(self) -> npt.NDArray[np.float64]:
        """The first vector, always real: ngspice leaves the imaginary part of a frequency undefined."""
        return np.asarray(self.data[0].real, dtype=np.float64)

    @cached_property
    def _rows(self) -> dict[str, int]:
        """The row of each vector by its name in lower case, the first one where names repeat."""
        return {name.lower(): row for row, name in reversed(list(enumerate(self.names)))}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._rows

    def __getitem__(self, name: str) -> Values:
        """Return one vector by name, such as ``v(out)`` or ``i(v1)``; case does not matter."""
        row = self._rows.get(name.lower())
        if row is not None:
            vector: Values = self.data[row]
            return vector
        raise UnknownNameError(f"vector of the {self.kind} plot", name, self.names)


@dataclass(frozen=True, eq=False, kw_only=True)
class RawData:
    """Everything that one ngspice run returned.

    Attributes
    ----------
    plots : tuple of Plot
        One plot an analysis, in the order in which ngspice ran them.
    warnings : tuple of str
        What ngspice warned about, each text once.
    folder : Path or None
        The run folder, where it was kept.
    """

    plots: tuple[Plot, ...]
    warnings: tuple[str, ...] = ()
    folder: Path | None = None

    def plot(self, kind: str) -> Plot:
        """Return the first plot of an analysis: ``op``, ``dc``, ``ac``, ``tran``, ..."""
        for plot in self.plots:
            if plot.kind == kind.lower():
                return plot
        raise UnknownNameError("analysis", kind, {plot.kind for plot in self.plots})


def read_raw(path: str | Path) -> tuple[Plot, ...]:
    """Read all plots of a raw file.

    Parameters
    ----------
    path : str or Path
        A raw file as ngspice (or VACASK) writes it, binary or ASCII.

    Returns
    -------
    tuple of Plot
        In file order. A plot with ``No. Points: 0`` has data with no columns.

    Raises
    ------
    DataError
        The file is no raw file, is truncated, or holds more than its headers declare. The latter is what an
        aborted run leaves: points behind a header that still says ``No. Points: 0``.
    """
    content = Path(path).read_bytes()
    plots = []
    position = _skip_blank(content, 0)
    while position < len(content):
        header, position = _read_header(path, content, position)
        reader = _read_binary if header.binary else _read_ascii
        data, position = reader(path, content, position, header)
        plots.append(Plot(title=header.title, plotname=header.plotname, variables=header.variables, data=data))
        position = _skip_blank_before_header(path, content, position, header)
    if not plots:
        raise DataError(path, "the raw file is empty")
    return tuple(plots)


class _Header(NamedTuple):
    title: str
    plotname: str
    is_complex: bool
    points: int
    variables: tuple[Variable, ...]
    binary: bool


def _read_header(path: str | Path, content: bytes, position: int) -> tuple[_Header, int]:
    """Read one header; the position returned is that of the first data byte."""
    fields: dict[str, str] = {}
    variables: list[Variable] = []
    while True:
        end = content.find(b"\n", position)
        if end < 0:
            raise DataError(path, "truncated raw file, or none: it ends within a header")
        line = content[position:end].decode("utf-8", errors="replace").rstrip("\r")
        position = end + 1
        if line[:1].isspace() and "variables" in fields:
            _, name, kind = (*line.split(), "", "", "")[:3]
            variables.append(Variable(name, kind))
            continue
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if not colon:
            raise DataError(path, f"not a raw file: '{line[:60]}' where a header line such as 'Title: ...' belongs")
        if key in ("binary", "values"):
            break
        fields[key] = value.strip()
    missing = [key for key in ("plotname", "flags", "no. variables", "no. points") if key not in fields]
    if missing:
        raise DataError(path, f"not a raw file: the header has no {', '.join(missing)}")
    if "unpadded" in fields["flags"].lower():
        raise DataError(path, "the raw file is unpadded; write it with ngspice's default 'set padded'")
    if len(variables) != _count(path, fields, "no. variables"):
        raise DataError(path, f"the header declares {fields['no. variables']} variables and lists {len(variables)}")
    header = _Header(
        title=fields.get("title", ""),
        plotname=fields["plotname"],
        is_complex="complex" in fields["flags"].lower(),
        points=_count(path, fields, "no. points"),
        variables=tuple(variables),
        binary=key == "binary",
    )
    return header, position


def _count(path: str | Path, fields: dict[str, str], key: str) -> int:
    if not fields[key].isdigit():
        raise DataError(path, f"'{key}' in the header is '{fields[key]}', not a count")
    return int(fields[key])


def _read_binary(path: str | Path, content: bytes, position: int, header: _Header) -> tuple[Values, int]:
    kind = np.dtype("<c16" if header.is_complex else "<f8")
    values = header.points * len(header.variables)
    end = position + values * kind.itemsize
    if end > len(content):
        raise DataError(
            path,
            f"truncated raw file: the plot '{header.plotname}' declares {header.points} points of "
            f"{len(header.variables)} variables ({end - position} bytes), and {len(content) - position} bytes follow",
        )
    flat = np.frombuffer(content, dtype=kind, count=values, offset=position)
    return _by_variable(flat, header), end


def _read_ascii(path: str | Path, content: bytes, position: int, header: _Header) -> tuple[Values, int]:
    end = content.find(b"\nTitle:", position)
    end = len(content) if end < 0 else end + 1
    tokens = content[position:end].replace(b",", b" ").split()
    values = len(header.variables) * (2 if header.is_complex else 1)
    if len(tokens) != header.points * (values + 1):
        raise DataError(
            path,
            f"truncated raw file: the plot '{header.plotname}' declares {header.points} points of "
            f"{len(header.variables)} variables, and {len(tokens)} numbers follow, not {header.points * (values + 1)}",
        )
    try:
        table = np.array(tokens, dtype=np.float64).reshape(header.points, values + 1)
    except ValueError as error:
        raise DataError(path, f"the plot '{header.plotname}' holds something that is no number: {error}") from error
    flat = np.ascontiguousarray(table[:, 1:]).ravel()  # column 0 is the index of the point
    return _by_variable(flat.view(np.complex128) if header.is_complex else flat, header), end


def _by_variable(flat: Values, header: _Header) -> Values:
    """Turn the file's order, point by point, into one contiguous row a variable; copies out of the file's bytes."""
    return flat.reshape(header.points, len(header.variables)).T.copy()


def _skip_blank(content: bytes, position: int) -> int:
    while content[position : position + 1].isspace():
        position += 1
    return position


def _skip_blank_before_header(path: str | Path, content: bytes, position: int, header: _Header) -> int:
    after = _skip_blank(content, position)
    if after < len(content) and not content.startswith(b"Title:", after):
        raise DataError(
            path,
            f"{len(content) - position} bytes follow the {header.points} points that the plot '{header.plotname}' "
            "declares: the run was aborted, or it interpolated ('.options interp', whose points ngspice 39 miscounts)",
        )
    return after
