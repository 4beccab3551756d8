"""A pulse-train fit with exact Jacobians, against the same fit with scipy's solve_ivp and finite differences.

Both minimise the same residuals over the same parameters with lmfit, from the same start, to the same tolerances:

    python benchmarks/fit_jacobian.py [--pulses 40]
"""

from __future__ import annotations

import argparse
import itertools
import time

import lmfit
import numpy as np
from scipy.integrate import solve_ivp

from synspice.compact.python_code import compile_python
from synspice.compact.reference import Problem, ReferenceOptions
from synspice.compact.registry import get_device
from synspice.netlists.experiments import PulseTrain

FREE = ("k_set", "k_reset", "focus_set", "focus_reset", "x_init")
TRUE = {"k_set": 0.08, "k_reset": 0.17, "focus_set": 0.28, "focus_reset": -0.2, "x_init": 0.3}
START = {"k_set": 0.12, "k_reset": 0.12, "focus_set": 0.2, "focus_reset": -0.1, "x_init": 0.35}
FIXED = {"g_on": 3.2e-3, "g_off": 1.2e-3, "m_nl": 1.0}
TOLERANCE = ReferenceOptions(reltol=1e-6, abstol=1e-8)


def main() -> None:
    """Run both fits and print their times, their optima and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pulses", type=int, default=40, help="set pulses, and as many reset pulses")
    count = parser.parse_args().pulses
    model = get_device("drift_memristor")
    train = PulseTrain(pulses=count, depression_pulses=count)
    bench = train.bench(model)
    values = model.values({**FIXED, **TRUE})
    problem = Problem(model, values, bench, train.read_times, FREE, TOLERANCE)
    row = problem.signal_names.index("i_p")
    clean = problem.solve([TRUE[n] for n in FREE])[row]
    size = float(np.ptp(clean))
    data = clean + 0.005 * size * np.random.default_rng(1).standard_normal(clean.size)

    def exact(parameters: lmfit.Parameters) -> np.ndarray:
        return (problem.solve([parameters[n].value for n in FREE])[row] - data) / size

    def slopes(parameters: lmfit.Parameters) -> np.ndarray:
        return problem.jacobian([parameters[n].value for n in FREE], "i_p")[1] / size

    functions = compile_python(model)
    waveform = bench.drives["p"].waveform
    names = [p.name for p in model.parameters]

    def by_scipy(parameters: lmfit.Parameters) -> np.ndarray:
        here = {**values, **{n: parameters[n].value for n in FREE}}
        p = [here[n] for n in names]
        x, states = np.array([here["x_init"]]), []
        marks = np.unique(np.concatenate([waveform.time, train.read_times]))
        for start, end in itertools.pairwise(marks):
            v0, v1 = waveform(start), waveform(end)

            def rate(
                t: float, y: np.ndarray, start: float = start, end: float = end, v0: float = v0, v1: float = v1
            ) -> list[float]:
                v = v0 + (v1 - v0) * (t - start) / (end - start)
                return [functions.rates([v], y, p, 300.15)[0]]

            answer = solve_ivp(rate, (start, end), x, method="LSODA", rtol=TOLERANCE.reltol, atol=TOLERANCE.abstol)
            x = answer.y[:, -1]
            if end in train.read_times:
                states.append(x[0])
        current = functions.currents([np.full(len(states), train.v_read)], [np.array(states)], p, 300.15)[0]
        return (current - data) / size

    def fit(residual: object, **settings: object) -> tuple[lmfit.minimizer.MinimizerResult, float]:
        parameters = lmfit.Parameters()
        for name in FREE:
            record = model.parameter(name)
            parameters.add(name, value=START[name], min=record.lower, max=record.upper)
        begin = time.perf_counter()
        outcome = lmfit.minimize(
            residual, parameters, method="least_squares", xtol=1e-8, ftol=1e-8, x_scale="jac", **settings
        )
        return outcome, time.perf_counter() - begin

    ours, our_time = fit(exact, jac=slopes)
    theirs, their_time = fit(by_scipy)
    print(f"{'':28s}{'exact Jacobian':>18s}{'finite differences':>20s}")
    for name in FREE:
        print(f"{name:28s}{ours.params[name].value:18.8g}{theirs.params[name].value:20.8g}")
    print(f"{'sum of squares':28s}{ours.chisqr:18.8g}{theirs.chisqr:20.8g}")
    print(f"{'seconds':28s}{our_time:18.3f}{their_time:20.3f}")
    print(f"ratio of times: {their_time / our_time:.1f}")


if __name__ == "__main__":
    main()
