"""How a card is extracted from its paper's rows: what each stage fits, from where, to which numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ...compact.card import Card
from .workbench import Workbench


@dataclass(frozen=True, kw_only=True)
class Target:
    """A number that a stage aims at.

    Attributes
    ----------
    row : str
        Id of the row whose protocol is run.
    quantity : str
        Of what the protocol returns.
    value : float
        As documented, or assumed where ``note`` says so.
    tolerance : float
        Scale of the residual: relative for ``log``, in the quantity's unit for ``linear``.
    scale : {"log", "linear"}
    note : str
    """

    row: str
    quantity: str
    value: float
    tolerance: float
    scale: Literal["log", "linear"] = "log"
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Parameters that are fitted together.

    Attributes
    ----------
    start : mapping of parameter name to starting value
        The value of an earlier stage takes its place.
    targets : tuple of Target
    """

    start: Mapping[str, float]
    targets: tuple[Target, ...]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a fit of a recipe's own gives.

    Attributes
    ----------
    values, stderr : mapping of parameter name to float
    rows : tuple of str
        Ids of the rows behind it.
    error : float
        Root mean square of the residuals.
    """

    values: Mapping[str, float]
    stderr: Mapping[str, float]
    rows: tuple[str, ...]
    error: float


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The extraction of a card.

    Attributes
    ----------
    stages : tuple of Stage
        In order; a last one may repeat parameters, to fit everything together. None where no row of the paper determines a
        value: the card then holds assumptions that its rows test.
    derived : callable
        From a workbench to the values that follow from the others, such as initial states.
    fit : callable, optional
        From the card to fitted values: in place of stages, where whole curves are fitted.
    """

    stages: tuple[Stage, ...] = ()
    derived: Callable[[Workbench], Mapping[str, float]] = lambda bench: {}
    fit: Callable[[Card], Fitted] | None = None
