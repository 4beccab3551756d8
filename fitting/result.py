"""What a fit returns: a card, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..compact.card import Card

Status = Literal["converged", "failed"]


@dataclass(frozen=True, kw_only=True)
class FittedParameter:
    """One parameter after a fit.

    Attributes
    ----------
    value : float
    unit : str
    stderr : float or None
        Standard error; None where the data do not determine it.
    at_bound : bool
        Whether the value sits at the limit of its range.
    fitted : bool
        False for a parameter that was held.
    """

    value: float
    unit: str
    stderr: float | None
    at_bound: bool
    fitted: bool


@dataclass(frozen=True, kw_only=True)
class FitError:
    """Distance between model and data, for one group of records.

    Attributes
    ----------
    data : str
        Which records.
    metric : str
        What is compared, and in which unit.
    in_sample, held_out : float or None
        Over the records that the fit saw, and over those that it did not; None where there are none.
    """

    data: str
    metric: str
    in_sample: float | None
    held_out: float | None


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """A fit.

    Attributes
    ----------
    status : {"converged", "failed"}
    message : str
        In words: what was reached, or why it failed.
    device : str
    card : Card
        The fitted values; of a failed fit the last ones.
    parameters : mapping of name to FittedParameter
    undetermined : tuple of str
        Fitted parameters that the data do not determine (held at their starting values, or dropped: see `fit`).
    correlations : mapping of (name, name) to float
        Correlation coefficients of the fitted parameters.
    errors : tuple of FitError
    evaluations : int
        Model evaluations, Jacobians included.
    notes : tuple of str
        Assumptions, records left out, and what else a reader must know.
    """

    status: Status
    message: str
    device: str
    card: Card
    parameters: Mapping[str, FittedParameter]
    undetermined: tuple[str, ...]
    correlations: Mapping[tuple[str, str], float]
    errors: tuple[FitError, ...]
    evaluations: int
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether the fit converged."""
        return self.status == "converged"

    def record(self) -> dict[str, object]:
        """Return the fit as the JSON contract of the command line has it."""
        return {
            "status": self.status,
            "message": self.message,
            "device": self.device,
            "parameters": {
                name: {"value": p.value, "unit": p.unit, "stderr": p.stderr, "at_bound": p.at_bound, "fitted": p.fitted}
                for name, p in self.parameters.items()
            },
            "undetermined": list(self.undetermined),
            "errors": [
                {"data": e.data, "metric": e.metric, "in_sample": e.in_sample, "held_out": e.held_out}
                for e in self.errors
            ],
            "notes": list(self.notes),
        }
