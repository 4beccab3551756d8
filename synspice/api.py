"""The verbs as they are called from Python: each takes names, files or records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .compact.registry import resolve

if TYPE_CHECKING:
    from .compact.card import Card
    from .compact.model import Model
    from .compact.result import Result
    from .fitting.fit import Fit
    from .fitting.readers import Dataset
    from .netlists.experiments import Experiment

HoldOut = Literal["even", "odd", "none"]
"""The records that a fit does not see: those of even or of odd cycles, or none."""


def run(
    experiment: Experiment | str,
    device: Card | Model | str | Path,
    engine: str = "ngspice",
    *,
    settings: Mapping[str, float] | None = None,
    values: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Result:
    """Run an experiment on a device and measure it.

    Parameters
    ----------
    experiment : Experiment or str
        An experiment, or its name; then with the given ``settings``.
    device : Card, Model, str or Path
        A card, a model with its default values, the name of either, or a card file.
    engine : str
        ``reference`` or ``ngspice``.
    settings : mapping of name to float, optional
    values : mapping of name to float, optional
        Parameter values that replace the card's, such as an initial state.
    options : mapping of name to value, optional
        Solver options that replace the engine's own, see `synspice.netlists.run.run`.

    Raises
    ------
    UnknownNameError, CardError, ParameterError, EngineError
    """
    from .netlists import run as runner
    from .netlists.experiments import get_experiment

    if isinstance(experiment, str):
        experiment = get_experiment(experiment).from_settings(settings or {})
    elif settings:
        raise TypeError("settings belong to an experiment that is given by its name")
    card, model = resolve(device)
    return runner.run(experiment, model, engine, values={**card.parameters, **(values or {})}, options=options)


def read(files: str | Path | Iterable[str | Path], *, layout: str | None = None, **settings: Any) -> Dataset:
    """Read measured data, from one file or from several that belong together.

    Parameters
    ----------
    files : str, Path or iterable of them
    layout : str, optional
        Recognised from the file's content when not given.
    **settings
        What the files do not say, see `synspice.fitting.readers.read`.

    Raises
    ------
    DataError, UnknownNameError
    """
    from .fitting import readers

    paths = [files] if isinstance(files, str | Path) else list(files)
    return readers.Dataset.combine([readers.read(path, layout=layout, **settings) for path in paths])


def fit(
    data: Dataset | str | Path | Iterable[str | Path],
    device: Model | str,
    *,
    start: Mapping[str, float] | None = None,
    fixed: Mapping[str, float] | None = None,
    hold_out: HoldOut = "even",
) -> Fit:
    """Fit a device to measured data.

    Parameters
    ----------
    data : Dataset, or file or files
    device : Model or str
    start : mapping of name to float, optional
        Starting values that replace the estimates.
    fixed : mapping of name to float, optional
        Values that the fit does not move.
    hold_out : {"even", "odd", "none"}
        Cycles that the fit does not see, and that check it.

    Returns
    -------
    Fit
        ``fit.result`` has the card, its uncertainties and its errors; `synspice.fitting.report` draws the rest.

    Raises
    ------
    DataError, UnknownNameError, ParameterError, FitError
    """
    from .compact.registry import get_device
    from .fitting.fit import fit_dataset
    from .fitting.readers import Dataset

    dataset = data if isinstance(data, Dataset) else read(data)
    model = get_device(device) if isinstance(device, str) else device
    return fit_dataset(dataset, model, start=start or {}, fixed=fixed or {}, hold_out=hold_out)
