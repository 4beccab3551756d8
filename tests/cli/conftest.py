"""The command line, called in this process."""

import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import Call, Outcome

from synspice.cli import main


@pytest.fixture
def synspice(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Return a function that runs a command and gives its exit code and output."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["synspice", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Outcome(int(exit_.value.code or 0), out, err)

    return call


@pytest.fixture
def ramps(tmp_path: Path) -> Path:
    """Return a file with four ramps that a soft-bound synapse follows, with a little noise."""
    pulse = np.arange(1, 21)
    noise = 1 + 0.002 * np.random.default_rng(0).standard_normal((4, 20))
    up = np.exp(-pulse / 8)
    rows = []
    for cycle, weight in enumerate((1 - up, up, 1 - up, up)):
        g = 1e-6 * 20 ** (0.1 + 0.6 * weight) * noise[cycle]
        rows += [f"{cycle + 1},{k},{value}" for k, value in zip(pulse, g, strict=True)]
    path = tmp_path / "ramps.csv"
    path.write_text("cycle,pulse,conductance (S)\n" + "\n".join(rows) + "\n")
    return path
