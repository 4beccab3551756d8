"""The behavioural netlist and the compiled Verilog-A in ngspice, against the compiled Verilog-A in VACASK: time for a point.

``python benchmarks/veriloga_speed.py [DEVICE...]`` runs each with 1,000 and with 20,000 points at least, one device a run, and
divides the difference of the processor times by the difference of the points, so that start-up, parsing and reading back do not
count. ``SYNSPICE_NGSPICE`` names the ngspice; one without OSDI runs the netlist alone.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from dataclasses import replace

from synspice.compact.model import Model
from synspice.compact.registry import device_names, get_device
from synspice.compact.stimulus import Bench
from synspice.netlists import ngspice
from synspice.netlists.ngspice import SolverOptions
from synspice.netlists.testbench import Job, run_ngspice
from synspice.veriloga.network import VacaskOptions, run_vacask
from synspice.veriloga.osdi import run_ngspice_osdi
from synspice.veriloga.stimuli import experiments, find_drive

STEPS = (1_000, 20_000)
ROUNDS = 5


def children_seconds() -> float:
    """Return the processor time of the processes that have ended [s]."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(model: Model, bench: Bench, engine: str, steps: int) -> tuple[float, int]:
    """Return the processor time of a run [s] and its points."""
    job = Job(model=model, values={}, bench=bench)
    largest = bench.duration / steps
    before = children_seconds()
    if engine == "vacask":
        (result,) = run_vacask([job], options=replace(VacaskOptions(), max_step=largest))
    else:
        run = run_ngspice if engine == "ngspice" else run_ngspice_osdi
        (result,) = run([job], options=replace(SolverOptions(), max_step=largest))
    return children_seconds() - before, len(result.time)


def microseconds(model: Model, bench: Bench, engines: list[str]) -> dict[str, list[float]]:
    """Return the time for a point [us] by engine, once a round: the engines take turns, for other work comes and goes."""
    for engine in engines:
        measure(model, bench, engine, STEPS[0])  # compiles, and fills the caches
    found: dict[str, list[float]] = {engine: [] for engine in engines}
    for _ in range(ROUNDS):
        for engine in engines:
            (short, few), (long, many) = (measure(model, bench, engine, steps) for steps in STEPS)
            found[engine].append((long - short) / (many - few) * 1e6)
    return found


def main() -> None:
    """Print the table."""
    engines = ["ngspice", *(["ngspice-osdi"] if ngspice.has_osdi() else []), "vacask"]
    print(f"ngspice {ngspice.version()}, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    print("[us/point], median (and range), and the median of the rounds' ratios to VACASK")
    print(f"{'device':24}" + "".join(f"{engine:>28}" for engine in engines))
    for name in sys.argv[1:] or device_names():
        model = get_device(name)
        bench = experiments(find_drive(model, {}))["loop"].bench(model)
        times = microseconds(model, bench, engines)
        shown = []
        for engine in engines:
            ratio = statistics.median(a / b for a, b in zip(times[engine], times["vacask"], strict=True))
            middle, least, most = statistics.median(times[engine]), min(times[engine]), max(times[engine])
            shown.append(f"{middle:6.2f} ({least:.2f}-{most:.2f}) {ratio:5.1f}")
        print(f"{name:24}" + "".join(f"{text:>28}" for text in shown), flush=True)


if __name__ == "__main__":
    main()
