"""ngspice: decks in, waveforms out, and an error wherever the waveforms cannot be trusted."""

from .batch import ManyRunsError, RunsInterrupted, run_deck, run_many
from .installation import find_executable, has_klu, has_osdi, version
from .options import SolverOptions
from .rawfile import Plot, RawData, Variable, read_raw
from .shared import load_osdi, run_shared

__all__ = [
    "ManyRunsError",
    "Plot",
    "RawData",
    "RunsInterrupted",
    "SolverOptions",
    "Variable",
    "find_executable",
    "has_klu",
    "has_osdi",
    "load_osdi",
    "read_raw",
    "run_deck",
    "run_many",
    "run_shared",
    "version",
]
