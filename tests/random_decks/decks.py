"""A case as a user would write it: title, include file, source, resistors, devices, one analysis. No options unless asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from synspice import emit
from synspice.compact.model import FROZEN, Model
from synspice.compact.network import Instance
from synspice.netlists.deck import piecewise_linear
from synspice.veriloga.compiler import compile_module
from synspice.veriloga.vacask import number_text

from .cases import Case

Kind = Literal["netlist", "osdi", "vacask"]
Options = Literal["default", "gear", "recommended"]

GEAR = {"netlist": ".options method=gear", "osdi": ".options method=gear", "vacask": 'options tran_method="gear2"'}

RECOMMENDED = {
    "netlist": ".options reltol=1e-5 method=gear",
    "osdi": ".options reltol=1e-5 method=gear",
    "vacask": 'options reltol=1e-5 tran_method="gear2"',
}
"""Used where an emitted header has no line ``recommended: ...``."""

ANALYSIS = "run"
"""Name of VACASK's analysis, and of its raw file."""

Change = Callable[[str, Model], str]


@dataclass(frozen=True)
class Emitter:
    """What stands in a deck's include file: the package's own text, or what a function makes of it.

    Attributes
    ----------
    netlist, veriloga : callable (text, model) -> text
    """

    netlist: Change = lambda text, _: text
    veriloga: Change = lambda text, _: text


@dataclass(frozen=True, kw_only=True)
class Deck:
    """The files of a run.

    Attributes
    ----------
    files : mapping of name to text, or to a file to copy
        The deck itself is ``deck``.
    states : sequence of (vector, factor, offset)
        Where each state is in the raw file: offset + factor * vector.
    stop : float
        End of the run [s].
    """

    files: dict[str, str | Path]
    states: Sequence[tuple[str, float, float]] = field(default_factory=list)
    stop: float


def format_deck(
    case: Case, kind: Kind, steps: int, options: Options = "default", emitter: Emitter | None = None
) -> Deck:
    """Return the deck of a case with a step of a ``steps``-th of the run."""
    emitter = emitter or Emitter()
    write = {"netlist": _netlist, "osdi": _osdi, "vacask": _vacask}[kind]
    return write(case, steps, options, emitter)


def _models(case: Case) -> list[Model]:
    return list(dict.fromkeys(i.model for i in case.network.instances))


def _elements(case: Case) -> list[str]:
    network = case.network
    lines = [f"V{node} {node} 0 {piecewise_linear(drive.waveform)}" for node, drive in network.sources.items()]
    return lines + [f"R{r.name} {r.a} {r.b} {r.ohm!r}" for r in network.resistors]


def _given(instance: Instance, *, which: Callable[[bool], bool] = lambda _: True) -> str:
    """Return ``name=value`` of the parameters chosen by whether they are an instance's, but for ``frozen``."""
    chosen = [p for p in instance.model.parameters if p.name != FROZEN.name and which(p.instance)]
    return " ".join(f"{p.name}={number_text(instance.values[p.name])}" for p in chosen)


def _spice(case: Case, kind: Kind, steps: int, body: Sequence[str], saved: Sequence[str], option: str) -> str:
    stop = case.network.duration
    lines = [
        f"{case.device} {case.seed}",
        *body,
        *_elements(case),
        *([option] if option else []),
        *(f".save {name}" for name in saved),
        f".tran {stop / steps!r} {stop!r}",
        ".end",
    ]
    return "\n".join(lines) + "\n"


def _option(kind: Kind, options: Options, texts: Sequence[str]) -> str:
    if options == "default":
        return ""
    if options == "gear":
        return GEAR[kind]
    word = "options" if kind == "vacask" else r"\.options"
    found = [
        m.group(1) for text in texts for m in re.finditer(rf"^(?:\*|//) recommended.*?:\s*({word} .*)$", text, re.M)
    ]
    return found[0] if found else RECOMMENDED[kind]


def _netlist(case: Case, steps: int, options: Options, emitter: Emitter) -> Deck:
    texts = {m.name: emitter.netlist(emit(m, "ngspice"), m) for m in _models(case)}
    lines = [f".include {name}.cir" for name in texts]
    states = []
    for instance in case.network.instances:
        model, text = instance.model, texts[instance.model.name]
        called = re.search(r"^\.subckt (\S+)", text, re.M)
        assert called is not None, text
        lines.append(f"X{instance.name} {' '.join(instance.nodes)} {called.group(1)}")
        lines += [f"+ {word}" for word in _given(instance).split()]
        for s in model.states:
            absolute = re.search(rf"\b{s.name}_dev\b", text) is not None
            start = instance.values[s.initial_parameter.name]
            vector = f"v(x{instance.name}.{s.name})"
            states.append((vector, 1.0, 0.0) if absolute else (vector, s.scale, start))
    deck = _spice(case, "netlist", steps, lines, [s[0] for s in states], _option("netlist", options, [*texts.values()]))
    files: dict[str, str | Path] = {"deck": deck, **{f"{name}.cir": text for name, text in texts.items()}}
    return Deck(files=files, states=states, stop=case.network.duration)


def _compiled(case: Case, emitter: Emitter) -> tuple[dict[str, str], dict[str, str | Path]]:
    """Return the Verilog-A of each model by its name, and the files of the compiled modules."""
    texts = {m.name: emitter.veriloga(emit(m, "veriloga"), m) for m in _models(case)}
    return texts, {f"{name}.osdi": compile_module(text) for name, text in texts.items()}


def _osdi(case: Case, steps: int, options: Options, emitter: Emitter) -> Deck:
    texts, files = _compiled(case, emitter)
    lines = [".control", "set num_threads=1", *(f"pre_osdi {name}.osdi" for name in texts), ".endc"]
    states = []
    for instance in case.network.instances:
        name = instance.name
        lines.append(f".model m{name} {_module(texts, instance)}")
        lines += [f"+ {word}" for word in _given(instance, which=lambda own: not own).split()]
        lines.append(f"N{name} {' '.join(instance.nodes)} m{name}")
        lines += [f"+ {word}" for word in _given(instance, which=bool).split()]
        states += [(f"@n{name}[{s.name}]", 1.0, 0.0) for s in instance.model.states]
    deck = _spice(case, "osdi", steps, lines, [s[0] for s in states], _option("osdi", options, [*texts.values()]))
    return Deck(files={"deck": deck, **files}, states=states, stop=case.network.duration)


def _vacask(case: Case, steps: int, options: Options, emitter: Emitter) -> Deck:
    texts, files = _compiled(case, emitter)
    network, stop = case.network, case.network.duration
    lines = [f"{case.device} {case.seed}", "ground 0", "model vsource vsource"]
    lines += ['load "resistor.osdi"', "model resistor resistor"] if network.resistors else []
    lines += [f'load "{name}.osdi"' for name in texts]
    for node, drive in network.sources.items():
        wave = drive.waveform
        pairs = ", ".join(f"{number_text(t)}, {number_text(v)}" for t, v in zip(wave.time, wave.value, strict=True))
        lines.append(f'v{node} ({node} 0) vsource dc={number_text(wave.value[0])} type="pwl" wave=[{pairs}]')
    lines += [f"{r.name} ({r.a} {r.b}) resistor r={number_text(r.ohm)}" for r in network.resistors]
    states = []
    for instance in network.instances:
        name = instance.name
        lines.append(f"model m{name} {_module(texts, instance)} {_given(instance, which=lambda own: not own)}")
        lines.append(f"{name} ({' '.join(instance.nodes)}) m{name} {_given(instance, which=bool)}")
        states += [(f"{name}.{s.name}", 1.0, 0.0) for s in instance.model.states]
    option = _option("vacask", options, [*texts.values()])
    saved = " ".join(f"p({i.name},{s.name})" for i, s in case.states)
    lines += ["control", f"  {option}" if option else "", f"  save {saved}"]
    lines += [f"  analysis {ANALYSIS} tran step={stop / steps!r} stop={stop!r} maxstep={stop / steps!r}", "endc", ""]
    return Deck(files={"deck": "\n".join(lines), **files}, states=states, stop=stop)


def _module(texts: dict[str, str], instance: Instance) -> str:
    called = re.search(r"^module (\w+)", texts[instance.model.name], re.M)
    assert called is not None
    return called.group(1)
