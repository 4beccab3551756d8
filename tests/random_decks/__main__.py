"""Judge the emitted forms on random decks, and print a table.

``python -m tests.random_decks --device drift_memristor --simulator 39=ngspice --simulator osdi47=/opt/ng47/ngspice --vacask``
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import get_args

from synspice.compact.registry import DEVICES

from .cases import MIXED
from .decks import Emitter, Options
from .judging import HEAD, format_row, judge
from .simulators import Simulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.random_decks", description=__doc__)
    parser.add_argument("--device", action="append", choices=[*DEVICES, MIXED], help="repeatable; all by default")
    parser.add_argument("--circuit", type=int, nargs="+", choices=(1, 4), default=[1], help="devices in a circuit")
    parser.add_argument(
        "--simulator",
        action="append",
        default=[],
        metavar="LABEL=PROGRAM",
        help="an ngspice, with the netlist, or with the compiled module where the label begins with osdi; repeatable",
    )
    parser.add_argument("--vacask", action="store_true", help="run VACASK too")
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, nargs="+", help="these, in place of a range")
    parser.add_argument("--steps", type=int, nargs="+", default=[50, 500], help="steps of a run, at least")
    parser.add_argument("--options", nargs="+", choices=get_args(Options), default=["default"])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--emitter",
        type=Path,
        metavar="FILE.py",
        help="defines netlist(text, model) or veriloga(text, model), which change the emitted text",
    )
    parser.add_argument("--why", action="store_true", help="say of every wrong or failed run what it did")
    given = parser.parse_args()
    try:
        simulators = [
            Simulator.from_word(word) for word in given.simulator or ([] if given.vacask else ["ngspice=ngspice"])
        ]
    except FileNotFoundError as error:
        parser.error(str(error))
    simulators += [Simulator.vacask()] if given.vacask else []
    seeds = given.seeds or range(given.first_seed, given.first_seed + given.sets)
    emitter = _emitter(given.emitter)
    print(HEAD, flush=True)
    for devices in given.circuit:
        for device in given.device or [*DEVICES, *([MIXED] if devices > 1 else [])]:
            for simulator in simulators:
                for options in given.options:
                    for steps in given.steps:
                        row = judge(
                            device,
                            simulator,
                            seeds,
                            steps,
                            devices=devices,
                            options=options,
                            emitter=emitter,
                            workers=given.workers,
                        )
                        print(format_row(row), flush=True)
                        if given.why:
                            for v in [*row.wrong, *row.failed]:
                                print(
                                    f"    {v.seed}: error {v.error:.2g}, outside {v.outside:.2g}, sensitivity "
                                    f"{v.sensitivity:.2g}, {v.points} points, {v.processor_time:.1f} s {v.failure}"
                                )


def _emitter(path: Path | None) -> Emitter:
    if path is None:
        return Emitter()
    spec = importlib.util.spec_from_file_location("changed_emitter", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Emitter(**{name: getattr(module, name) for name in ("netlist", "veriloga") if hasattr(module, name)})


main()
