"""Reproduction: every documented characteristic as an experiment that is run and judged.

A paper is a catalogue in `synspice.fitting.characteristics` and a module here, of the same name, with

- ``PROTOCOLS``: a function a row id, from a `Workbench` to an `Outcome`;
- ``GROUPS``: row ids that share runs and go to one process;
- ``PANELS``: the paper's figures, drawn from the rows' curves.
"""

from .runner import Reproduced, counts, reproduce
from .workbench import Outcome, Workbench

__all__ = ["Outcome", "Reproduced", "Workbench", "counts", "reproduce"]
