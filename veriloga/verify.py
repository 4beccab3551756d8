"""Every device and card on every engine: the proof that all forms are the same model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import sympy as sp

from ..compact.card import Card
from ..compact.constants import CONSTANTS, ROOM_TEMPERATURE
from ..compact.errors import EngineError, EngineMissingError, UnknownNameError
from ..compact.model import TEMPERATURE, Model
from ..compact.primitives import Primitive
from ..compact.reference import simulate
from ..compact.registry import card_paths, default_card, device_names, get_card, get_device
from ..compact.result import Result
from ..compact.stimulus import Bench
from ..netlists import bias_points, ngspice
from ..netlists.ngspice import SolverOptions
from ..netlists.testbench import Job, run_ngspice
from . import small_signal, vacask
from .comparison import between_corners, compiled_errors, python_evaluation, relative_error, waveform_error
from .compiler import compile_module, find_compiler
from .evaluation import CompiledModule
from .lint import lint
from .module import format_module
from .network import run_vacask
from .osdi import compiled_form, require_osdi, run_ngspice_osdi
from .stimuli import Drive, experiments, find_drive

WAVEFORM_TOLERANCE = 5e-3
"""Of full scale, at default options."""

TIGHT_TOLERANCE = 5e-4
"""Of full scale, at tight options."""

AGREEMENT_TOLERANCE = 1e-4
"""Of full scale, at tight options, between the netlist and the compiled module in one ngspice."""

EQUATION_TOLERANCE = 1e-6
"""Relative, for the compiled equations, their derivatives, and what simulators answer with them at fixed voltages."""

TIGHT_STEPS = 4000
"""Time steps that the whole stimulus has at least, at tight options."""

FREQUENCY = 1e3
"""Of the small-signal checks [Hz]."""

_SAMPLES = 60


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes
    ----------
    device, card : str
    check : str
        What was compared: an experiment, ``dc``, ``small signal``, ``noise``, or the compiled equations.
    engine : str
    error : float
        The largest error, of full scale or relative; not finite where the engine failed.
    tolerance : float
    note : str
        Why there is no error to give.
    """

    device: str
    card: str
    check: str
    engine: str
    error: float
    tolerance: float
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the error is within the tolerance."""
        return bool(self.error <= self.tolerance)

    def to_dict(self) -> dict[str, str | float | bool | None]:
        """Return the check as JSON has it; an error that is not finite becomes None."""
        return {
            "device": self.device,
            "card": self.card,
            "check": self.check,
            "engine": self.engine,
            "error": self.error if math.isfinite(self.error) else None,
            "tolerance": self.tolerance,
            "ok": self.ok,
        }


Runner = Callable[[Job], Result]


def available_engines() -> tuple[str, ...]:
    """Return the engines that are installed, of ``ngspice``, ``ngspice-osdi``, ``vacask`` and ``openvaf-r``."""
    found = []
    for name, needed in _programs().items():
        try:
            for find in needed:
                find()
        except EngineMissingError:
            continue
        found.append(name)
    return tuple(found)


def _programs() -> dict[str, tuple[Callable[[], object], ...]]:
    """Return what each engine needs: functions that raise EngineMissingError and say what to install."""
    return {
        "ngspice": (ngspice.find_executable,),
        "ngspice-osdi": (find_compiler, require_osdi),
        "vacask": (find_compiler, vacask.find_executable),
        "openvaf-r": (find_compiler,),
    }


def verify(
    subjects: Sequence[str] = (),
    *,
    engines: Sequence[str] | None = None,
    tight: bool = False,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Check]:
    """Compare every form of devices and cards.

    Parameters
    ----------
    subjects : sequence of str
        Names of devices or cards, or card files; a device stands for its defaults and all its cards. Everything by
        default.
    engines : sequence of str, optional
        Of :func:`available_engines`, which are the default.
    tight : bool
        Use tight solver options and hold the waveforms to 0.05 % of full scale, and the netlist and the compiled module in one
        ngspice to 0.01 % of each other; 0.5 % at the default options.
    seed : int
        Of the random voltages, states and parameters.
    progress : callable (done, total), optional
        Called after each card.

    Returns
    -------
    list of Check
        Of a failed run too: its error is infinite, and its note says why.

    Raises
    ------
    UnknownNameError
        A device, card or engine that is not known.
    EngineMissingError
        An engine that is not installed, or none that is.
    CardError
        A card that cannot be read.
    """
    programs = _programs()
    for name in engines or ():
        if name not in programs:
            raise UnknownNameError("engine", name, programs)
        for find in programs[name]:
            find()
    chosen = tuple(engines or available_engines())
    if not chosen:
        ngspice.find_executable()
    cards = chosen_cards(subjects)
    checks: list[Check] = []
    for k, card in enumerate(cards):
        checks += verify_card(card, engines=chosen, tight=tight, seed=seed)
        if progress is not None:
            progress(k + 1, len(cards))
    return checks


def chosen_cards(subjects: Sequence[str]) -> list[Card]:
    """Return the cards that names of devices, cards and card files stand for, each once."""
    cards: dict[str, Card] = {}
    for subject in subjects or device_names():
        found = [get_card(subject)]
        if subject in device_names() and subject not in card_paths():
            found = [default_card(get_device(subject))]
            found += [card for card in map(get_card, card_paths()) if card.device == subject]
        cards.update({card.name: card for card in found})
    return list(cards.values())


def verify_card(card: Card, *, engines: Sequence[str], tight: bool = False, seed: int = 0) -> list[Check]:
    """Compare every form of one card; see :func:`verify`."""
    return list(_Verification(card, engines, tight, seed).checks())


def verify_table(checks: Sequence[Check]) -> list[tuple[str, str, str, str, str, str, str]]:
    """Return the rows of a table, the failed checks first: device, card, check, engine, error, tolerance, verdict."""
    ordered = sorted(checks, key=lambda c: c.ok)
    return [
        (
            c.device,
            c.card,
            c.check,
            c.engine,
            f"{c.error:.1e}" if math.isfinite(c.error) else "failed",
            f"{c.tolerance:.0e}",
            "ok" if c.ok else c.note or "too large",
        )
        for c in ordered
    ]


def spice_options(bench: Bench, tight: bool) -> SolverOptions:
    """Return ngspice's options: the package's defaults, or tight ones."""
    if not tight:
        return SolverOptions()
    return SolverOptions(reltol=1e-7, chgtol=1e-17, max_step=bench.duration / TIGHT_STEPS)


def osdi_options(bench: Bench, tight: bool) -> SolverOptions:
    """Return the options of ngspice with a compiled module.

    The netlist's elements that limit the step are held to the tolerance too, so that it steps finer at 1e-7 than the compiled
    module, which is up to 4e-4 of full scale off there and 5e-5 at 1e-9. Steps so fine after a corner are rounded, and under the
    trapezoidal rule the current of a charge rings from there on (by 9e-4 of full scale): so that is Gear's rule.
    """
    options = spice_options(bench, tight)
    return replace(options, reltol=1e-9, method="gear") if tight else options


def vacask_options(bench: Bench, tight: bool) -> vacask.VacaskOptions:
    """Return VACASK's options: the package's defaults, or tight ones."""
    if not tight:
        return vacask.VacaskOptions()
    return vacask.VacaskOptions(
        reltol=1e-8, vntol=1e-10, breakpoint_fraction=0.003, max_step=bench.duration / TIGHT_STEPS
    )


class _Verification:
    def __init__(self, card: Card, engines: Sequence[str], tight: bool, seed: int) -> None:
        self.card = card
        self.model: Model = get_device(card.device)
        self.values = card.parameters
        self.engines = engines
        self.seed = seed
        self.tight = tight
        self.tolerance = TIGHT_TOLERANCE if tight else WAVEFORM_TOLERANCE
        self.runners: dict[str, Runner] = {
            "ngspice": lambda job: run_ngspice([job], options=spice_options(job.bench, tight))[0],
            "ngspice-osdi": lambda job: run_ngspice_osdi([job], options=osdi_options(job.bench, tight))[0],
            "vacask": lambda job: run_vacask([job], options=vacask_options(job.bench, tight))[0],
        }

    def checks(self) -> Iterator[Check]:
        """Yield every check of the card."""
        drive = find_drive(self.model, self.values)
        if "openvaf-r" in self.engines:
            yield from self._equations(drive)
        for name, experiment in experiments(drive).items() if self.model.states else ():
            yield from self._waveforms(name, experiment.bench(self.model))
        yield from self._bias_points(drive)

    def _check(self, check: str, engine: str, tolerance: float, error: Callable[[], float]) -> Check:
        """Return a check; what the engine could not do is its note."""
        made = partial(Check, self.card.device, self.card.name, check, engine)
        try:
            return made(error(), tolerance)
        except EngineError as failure:
            return made(math.inf, tolerance, str(failure).splitlines()[0])

    def _equations(self, drive: Drive) -> Iterator[Check]:
        voltage = 1.5 * abs(drive.amplitude)
        text = format_module(self.model)
        findings = lint(text)
        yield Check(
            self.card.device,
            self.card.name,
            "conventions",
            "lint",
            float(len(findings)),
            0.0,
            str(findings[0]) if findings else "",
        )
        try:
            module = CompiledModule(compile_module(text), self.model)
        except EngineError as failure:
            note = str(failure).splitlines()[0]
            yield Check(self.card.device, self.card.name, "compile", "openvaf-r", math.inf, EQUATION_TOLERANCE, note)
            return
        errors = compiled_errors(module, _SAMPLES, values=self.values, voltage=voltage, seed=self.seed)
        for name, error in errors.items():
            yield Check(self.card.device, self.card.name, name, "openvaf-r", error, EQUATION_TOLERANCE)

    def _waveforms(self, name: str, bench: Bench) -> Iterator[Check]:
        job = Job(model=self.model, values=self.values, bench=bench, experiment=name)
        runs: dict[str, tuple[Result, Result]] = {}
        for engine in self.engines:
            if engine in self.runners:
                yield self._check(name, engine, self.tolerance, partial(self._waveform_error, job, engine, runs))
        if self.tight and {"ngspice", "ngspice-osdi"} <= runs.keys():
            error = partial(self._difference, bench, runs["ngspice"], runs["ngspice-osdi"])
            yield self._check(f"{name}, netlist", "ngspice-osdi", AGREEMENT_TOLERANCE, error)

    def _waveform_error(self, job: Job, engine: str, runs: dict[str, tuple[Result, Result]]) -> float:
        found = self.runners[engine](job)
        reference = simulate(self.model, self.values, job.bench, times=np.unique(found.time))
        runs[engine] = (found, reference)
        return waveform_error(self.model, job.bench, found, reference)

    def _difference(self, bench: Bench, one: tuple[Result, Result], other: tuple[Result, Result]) -> float:
        """Return how far two engines' runs are apart, each given with the reference at its times.

        The runs have times of their own: what is interpolated is the deviation from the reference.
        """
        (found, reference), (against, at_its_times) = one, other
        inside = between_corners(bench, reference.time)
        times = reference.time[inside]
        signals = {
            name: values + np.interp(at_its_times.time, times, found.at(name, times) - reference[name][inside])
            for name, values in at_its_times.signals.items()
            if name in found.signals
        }
        return waveform_error(self.model, bench, against, replace(at_its_times, signals=signals))

    def _bias_points(self, drive: Drive) -> Iterator[Check]:
        amplitudes = np.array([-1.0, -0.3, -0.01, 0.01, 0.3, 1.0]) * abs(drive.amplitude)
        biases = [{self.model.write[0]: float(v)} for v in amplitudes]
        biases += [{self.model.read[0]: float(v)} for v in amplitudes if self.model.read != self.model.write]
        expected = [
            python_evaluation(
                self.model,
                self.values,
                ROOM_TEMPERATURE,
                [bias.get(t, 0.0) for t in self.model.terminals],
                [0.0] * len(self.model.states),
            )
            for bias in biases
        ]
        currents = np.array([e.currents for e in expected])
        response = np.array([e.current_slopes + 2j * np.pi * FREQUENCY * e.charge_slopes for e in expected])
        response = response[:, :, : len(self.model.terminals)]
        model, values = self.model, self.values
        if "ngspice" in self.engines:
            yield from self._in_ngspice("ngspice", bias_points.subcircuit_form, biases, currents, response)
        if "ngspice-osdi" in self.engines:
            yield from self._in_ngspice("ngspice-osdi", compiled_form, biases, currents, response)
        if "vacask" in self.engines:
            yield self._check(
                "dc",
                "vacask",
                EQUATION_TOLERANCE,
                lambda: _row_errors(_vacask_currents(model, values, biases), currents),
            )
            yield self._check(
                "small signal",
                "vacask",
                EQUATION_TOLERANCE,
                lambda: _row_errors(small_signal.admittances(model, values, biases, [FREQUENCY])[:, 0], response),
            )
        for engine, noise in self._noise().items():
            if engine in self.engines and model.noise:
                yield self._check("noise", engine, EQUATION_TOLERANCE, partial(self._noise_error, noise, biases))

    def _in_ngspice(
        self,
        engine: str,
        make: Callable[[Model, Mapping[str, float]], bias_points.Form],
        biases: Sequence[Mapping[str, float]],
        currents: np.ndarray,
        response: np.ndarray,
    ) -> Iterator[Check]:
        model, values = self.model, self.values
        tolerance = self.tolerance if engine == "ngspice" else EQUATION_TOLERANCE
        yield self._check(
            "dc",
            engine,
            tolerance,
            lambda: _row_errors(bias_points.terminal_currents(model, make(model, values), biases), currents),
        )
        yield self._check(
            "small signal",
            engine,
            tolerance,
            lambda: _row_errors(bias_points.admittances(model, make(model, values), biases, FREQUENCY), response),
        )

    def _noise(self) -> dict[str, Callable[[Sequence[Mapping[str, float]]], np.ndarray]]:
        """Return what computes the noise at biases, by engine; a netlist's sources make none."""
        model, values = self.model, self.values
        return {
            "ngspice-osdi": lambda biases: bias_points.noise_densities(
                model, compiled_form(model, values), biases, FREQUENCY
            ),
            "vacask": lambda biases: small_signal.noise_densities(model, values, biases, [FREQUENCY])[:, 0],
        }

    def _noise_error(
        self, noise: Callable[[Sequence[Mapping[str, float]]], np.ndarray], biases: Sequence[Mapping[str, float]]
    ) -> float:
        expected = np.array([noise_density(self.model, self.values, bias, FREQUENCY) for bias in biases])
        return relative_error(noise(biases), expected)


def _vacask_currents(model: Model, values: Mapping[str, float], biases: Sequence[Mapping[str, float]]) -> np.ndarray:
    points = small_signal.operating_points(model, values, biases)
    return np.array([[point[f"i_{t}"] for t in model.terminals] for point in points])


def _row_errors(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest error of each bias' answer, relative to that answer's largest entry."""
    rows = expected.reshape(len(expected), -1)
    scale = np.maximum(np.max(np.abs(rows), axis=1), 1e-30)
    return float(np.max(np.abs(found.reshape(rows.shape) - rows) / scale[:, None]))


def noise_density(model: Model, values: Mapping[str, float], bias: Mapping[str, float], frequency: float) -> float:
    """Return the noise current density into the first terminal of the read port, as the model states it [A^2/Hz].

    Parameters
    ----------
    model : Model
    values : mapping of name to float
    bias : mapping of terminal to V
    frequency : float
        In Hz.
    """
    complete = model.values(values)
    numbers = {p.symbol: complete[p.name] for p in model.parameters}
    numbers |= dict(zip((s.symbol for s in model.states), model.initial_states(complete), strict=True))
    numbers |= {w.symbol: bias.get(w.plus, 0.0) - bias.get(w.minus, 0.0) for w in model.voltages}
    numbers[TEMPERATURE] = ROOM_TEMPERATURE
    numbers |= {symbol: value for symbol, (value, _) in CONSTANTS.items()}
    total = 0.0
    for source in model.noise:
        if model.read[0] in (source.plus, source.minus):
            density = _basic(source.density.xreplace(model.expanded))
            names = sorted(density.free_symbols, key=str)
            function = sp.lambdify(names, density, modules=[{"minimum": min, "maximum": max}, "math"])
            value = float(function(*(numbers[n] for n in names)))
            total += value if source.kind == "white" else value / frequency**source.exponent
    return total


def _basic(expression: sp.Expr) -> sp.Expr:
    """Write the primitives of an expression out."""
    while expression.has(Primitive):
        expression = expression.replace(lambda e: isinstance(e, Primitive), lambda e: type(e).body(*e.args))
    return expression
