"""Experiments: a stimulus for any device with the right terminals, and what is measured from the waveforms."""

from ...compact.errors import UnknownNameError
from .base import Experiment
from .iv_loop import IVLoop
from .pulse_train import PulseTrain
from .relaxation import Relaxation
from .waveform import PiecewiseLinear

EXPERIMENTS: dict[str, type[Experiment]] = {cls.name: cls for cls in (IVLoop, PulseTrain, Relaxation, PiecewiseLinear)}
"""Every experiment by the name that the command line uses."""


def get_experiment(name: str) -> type[Experiment]:
    """Return an experiment's class.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    if name not in EXPERIMENTS:
        raise UnknownNameError("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]


__all__ = ["EXPERIMENTS", "Experiment", "IVLoop", "PiecewiseLinear", "PulseTrain", "Relaxation", "get_experiment"]
