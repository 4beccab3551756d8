"""Decks as a stranger writes them: emitted text in a file, ``.include``, and ``ngspice -b`` in a folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from waveform_distance import difference

from synspice.compact.model import Model, State
from synspice.compact.network import Instance, Network, Resistor
from synspice.compact.network_reference import simulate_network
from synspice.compact.registry import DEVICES, card_paths, resolve
from synspice.compact.result import Result
from synspice.compact.stimulus import Drive, Waveform
from synspice.emitters import emit
from synspice.netlists.ngspice import Plot, find_executable, read_raw
from synspice.netlists.ngspice.installation import environment
from synspice.veriloga.stimuli import Drive as Pulse
from synspice.veriloga.stimuli import find_drive

SUBJECTS = (*DEVICES, *card_paths())
"""Every device with its default values, and every shipped card."""

READ_VOLTAGE = 0.1
"""Voltage [V] at the terminals that are neither driven nor grounded."""

DIVIDED = 0.2
"""Part of the source's voltage that a series resistor takes at the largest current, where it is not the largest resistor."""

LARGEST_RESISTOR = 1e4
"""In ohm: a user's rshunt of 1e9 ohm takes 1e-5 of the voltage behind it."""


@dataclass(frozen=True)
class Answer:
    """What ngspice left.

    Attributes
    ----------
    code : int
        Exit code.
    log : str
        What it printed.
    folder : Path
        Where it ran.
    """

    code: int
    log: str
    folder: Path

    def plot(self, kind: str, file: str = "out.raw") -> Plot:
        """Return the first plot of an analysis in a raw file."""
        assert (self.folder / file).is_file(), self.log
        return next(plot for plot in read_raw(self.folder / file) if plot.kind == kind)


def run(folder: Path, deck: str, files: Mapping[str, str], mode: str = "") -> Answer:
    """Run a deck by ``ngspice -b``.

    Parameters
    ----------
    folder : Path
        Where it runs; made where it is not there.
    deck : str
    files : mapping of name to text
        What the deck includes.
    mode : str
        What ``.spiceinit`` sets ``ngbehavior`` to; there is no such file where it is empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"deck.cir": deck, **files} | ({".spiceinit": f"set ngbehavior={mode}\n"} if mode else {})
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="ascii")
    answer = subprocess.run(
        [find_executable(), "-b", "-r", "out.raw", "deck.cir"],
        cwd=folder,
        env=environment() | {"HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        check=False,
    )
    return Answer(answer.returncode, answer.stdout, folder)


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """A device or a card that decks are made of.

    Attributes
    ----------
    name : str
        Also that of its subcircuit.
    model : Model
    values : mapping of name to float
        The complete values.
    text : str
        The emitted netlist.
    drive : Pulse
        A pulse that moves a state.
    """

    name: str
    model: Model
    values: Mapping[str, float]
    text: str
    drive: Pulse

    def included(self) -> str:
        """Return the text of the file that a deck includes."""
        return self.text

    def element(self, k: str, nodes: str, given: str) -> str:
        """Return the line of a device, whose parameters are ``given``."""
        return f"X{k} {nodes} {self.name} {given}".rstrip()

    def shown(self, plot: Plot, place: str, probe: str) -> np.ndarray:
        """Return a probe of the device at a place, such as ``1`` or ``x3.in``."""
        *wrappers, k = place.split(".")
        return np.real(plot[f"v({'.'.join([*wrappers, f'x{k}'])}.{probe})"])

    def saving(self, places: Iterable[str]) -> list[str]:
        """Return the commands with which a raw file has the probes of devices at these places; it has every node by itself."""
        return []

    @property
    def has_capacitance(self) -> bool:
        """Whether the capacitance of the cell is a parameter."""
        return any(p.name == "c_0" for p in self.model.parameters)

    @property
    def resistance(self) -> float:
        """A series resistance that the device notices [ohm]."""
        largest = max(self.drive.before, self.drive.after)
        return float(min(DIVIDED * abs(self.drive.amplitude) / largest, LARGEST_RESISTOR))

    @property
    def duration(self) -> float:
        """Length of a run with one pulse and the rest after it [s]."""
        return 4 * self.drive.width

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """The corners of the pulse [s]."""
        width = self.drive.width
        return (0.25 * width, 0.3 * width, 1.3 * width, 1.35 * width)

    def pulse(self) -> str:
        """Return a source of one pulse at node ``s``."""
        delay, top, fall, _ = self.edges
        edge = top - delay
        return f"VA s 0 PULSE(0 {self.drive.amplitude!r} {delay!r} {edge!r} {edge!r} {fall - top!r} {10 * self.duration!r})"

    def reads(self) -> list[str]:
        """Return the sources of the terminals that are neither driven nor grounded."""
        return [f"V{t} {t} 0 {READ_VOLTAGE}" for t in self.model.terminals if t not in self.model.write]

    def transient(self, step: float = 500) -> str:
        """Return the analysis, which prints and at most steps a part of the run."""
        return f".tran {self.duration / step!r} {self.duration!r}"

    def wrappers(self, given: str = "") -> list[str]:
        """Return a user's subcircuit ``three`` of three devices in parallel, and ``more``, which has it inside."""
        nodes = " ".join(self.model.terminals)
        return [
            f".subckt three {nodes} m=1",
            self.element("in", nodes, f"m={{3*m}} {given}"),
            ".ends",
            f".subckt more {nodes} m=1",
            f"Xout {nodes} three m={{m}}",
            ".ends",
        ]

    def placed(self, k: int, subcircuit: str = "", given: str = "", resistance: float = 0.0) -> list[str]:
        """Return instance ``k``, with an ammeter ``v<k>`` at each terminal that is not grounded, before it.

        The written terminal is at node ``s``, one that is neither written nor grounded at the node of its own name.
        """
        nodes, lines = [], []
        for terminal in self.model.terminals:
            if terminal == self.model.write[1]:
                nodes.append("0")
            elif terminal != self.model.write[0]:
                nodes.append(f"{k}{terminal}")
                lines.append(f"V{k}{terminal} {terminal} {k}{terminal} 0")
            elif resistance:
                nodes.append(f"{k}b")
                lines += [f"V{k} s {k}a 0", f"R{k} {k}a {k}b {resistance!r}"]
            else:
                nodes.append(f"{k}b")
                lines.append(f"V{k} s {k}b 0")
        joined = " ".join(nodes)
        return [*lines, f"X{k} {joined} {subcircuit} {given}" if subcircuit else self.element(str(k), joined, given)]

    def run(self, folder: Path, lines: Sequence[str], mode: str = "", *, upper: bool = False) -> Answer:
        """Run lines that follow a title and the included text, in capital letters if so wished."""
        deck = "\n".join([f"{self.name} in a deck", ".include device.cir", *self.reads(), *lines, ".end", ""])
        text = self.included()
        if upper:
            deck, text = deck.upper().replace("DEVICE.CIR", "device.cir"), text.upper()
        return run(folder, deck, {"device.cir": text}, mode)


@cache
def subject(name: str) -> Subject:
    """Return a subject by its name."""
    card, model = resolve(name)
    values = model.values(card.parameters)
    return Subject(name=name, model=model, values=values, text=emit(name), drive=find_drive(model, values))


def states(device: Subject, plot: Plot, place: str = "1") -> Result:
    """Return the states of the device at a place."""
    return _record(plot.scale, {s.name: device.shown(plot, place, s.name) for s in device.model.states})


def reference(device: Subject, times: np.ndarray) -> Result:
    """Return the states that the reference engine finds for the pulse."""
    model, a = device.model, device.drive.amplitude
    rest = Drive(waveform=Waveform.constant(READ_VOLTAGE))
    wave = Waveform((0.0, *device.edges, device.duration), (0.0, 0.0, a, a, 0.0, 0.0))
    nodes = {model.write[0]: "b", model.write[1]: "0"}
    placed = tuple(nodes.get(t, t) for t in model.terminals)
    network = Network(
        instances=(Instance(name="x1", model=model, values=device.values, nodes=placed),),
        resistors=(Resistor("r", "s", "b", device.resistance),),
        sources={"s": Drive(waveform=wave), **{t: rest for t in model.terminals if t not in nodes}},
    )
    found = simulate_network(network, times=np.unique(times))
    return _record(found.time, {s.name: found[f"x1.{s.name}"] for s in model.states})


FINER = ".options reltol=1e-5"
"""With it ngspice's integration error is under 1e-3 of how far any state moves here."""

UIC_STEPS = 3000
"""Steps of a run with ``uic``: ngspice's first one, a hundredth of a step, misses the start of a state that moves at once."""

WINDOW = 2e-3
"""Part of the run by which a jump may come earlier or later: the step, for each run has time points of its own."""


def full_scale(state: State) -> float:
    """Return the range of a state, or its scale where it has no range."""
    span = state.upper - state.lower
    return float(span if np.isfinite(span) else state.scale)


def apart(device: Subject, wanted: Result, found: Result) -> float:
    """Return how far two runs' states are apart, as parts of how far they move, or of a hundredth of their scale where they rest."""
    worst = 0.0
    for s in device.model.states:
        moved = max(float(np.ptp(wanted[s.name])), 0.01 * s.scale)
        largest = float(np.max(np.abs(wanted[s.name])))
        worst = max(worst, difference(wanted, found, s.name, shift=WINDOW) * largest / moved)
    return worst


IN_PARALLEL: Mapping[str, tuple[str, int]] = {"2": ("v2", 3), "x3.xout.in": ("v3", 6)}
"""Where :func:`in_parallel` puts devices: the place, its ammeter, how many there are."""


def in_parallel(device: Subject) -> list[str]:
    """Return three devices, as one instance; and six, as three in a wrapper in a wrapper, of which there are two."""
    r = device.resistance
    return [
        *device.wrappers(),
        *device.placed(2, given="m=3", resistance=r / 3),
        *device.placed(3, "more", "m=2", resistance=r / 6),
    ]


def compare_parallel(device: Subject, plot: Plot) -> None:
    """Check that devices in parallel carry their multiple of the current of device 1 in the same run, and have its states."""
    one = states(device, plot)
    others = [t for t in device.model.terminals if t not in device.model.write]
    for place, (meter, count) in IN_PARALLEL.items():
        many = states(device, plot, place)
        for state in device.model.states:
            np.testing.assert_allclose(many[state.name], one[state.name], atol=1e-9 * full_scale(state))
        rounding = 4 * np.finfo(float).eps * abs(device.drive.amplitude) / device.resistance * count
        for terminal in ["", *others]:
            alone, together = (np.real(plot[f"i({m}{terminal})"]) for m in ("v1", meter))
            close = 1e-9 * np.max(np.abs(together)) + rounding
            np.testing.assert_allclose(together, count * alone, rtol=1e-8, atol=close)


def _record(time: np.ndarray, signals: Mapping[str, np.ndarray]) -> Result:
    return Result(
        experiment="", engine="", engine_version="", time=time, signals=signals, units=dict.fromkeys(signals, "1")
    )
