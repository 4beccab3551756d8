"""A device with its states amid their ranges, through every analysis that finds them held, against the equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from strangers_decks import READ_VOLTAGE, Subject

from synspice.compact.probes import probes
from synspice.compact.python_code import compile_python
from synspice.netlists.ngspice import Plot
from synspice.veriloga.comparison import python_evaluation
from synspice.veriloga.evaluation import Evaluation

RELTOL, ABSTOL = 1e-3, 1e-12
"""What a simulator takes for equal by default: relatively, and in A."""

ROOM = 300.15


def amid(device: Subject) -> dict[str, float]:
    """Return values with which the states start inside their ranges, with a capacitance where the device can have one."""
    values = {"c_0": 1e-9} if device.has_capacitance else {}
    for s in device.model.states:
        upper = s.upper if np.isfinite(s.upper) else s.initial + 2 * s.scale
        values[s.initial_parameter.name] = s.initial + 0.4 * (upper - s.initial)
    return values


class Biased:
    """A device with its states amid their ranges at a voltage: one, three, six in wrappers, and a warmer one, with all analyses."""

    FREQUENCY = 1e3
    COUNTS: Mapping[int, int] = {1: 1, 2: 3, 3: 6, 5: 1}
    PLACES: Mapping[int, str] = {1: "1", 2: "2", 3: "x3.xout.in", 5: "5"}

    def __init__(self, device: Subject, folder: Path) -> None:
        self.device = device
        self.model = device.model
        self.values = {**device.values, **amid(device)}
        text = " ".join(f"{n}={v!r}" for n, v in self.values.items() if v != device.values[n])
        a = device.drive.amplitude
        step = f"{device.duration / 500!r} {device.duration!r}"
        runs = {
            "op": "op",
            "ac": f"ac lin 1 {self.FREQUENCY} {self.FREQUENCY}",
            "transient": f"tran {step}",
            "op_after": "op",
            "ac_after": f"ac lin 1 {self.FREQUENCY} {self.FREQUENCY}",
            "source": f"dc VA {-abs(a)!r} {abs(a)!r} {abs(a) / 4!r}",
            "resistor": "dc RA 1 1e5 2e4",
            "temperature": "dc temp -20 80 20",
        }
        lines = [
            *device.wrappers(text),
            f"VA drive 0 DC {a!r} AC 1 PULSE({a!r} 0 {device.drive.width!r})",
            "RA drive s 1",
            *device.placed(1, given=text),
            *device.placed(2, given=f"{text} m=3"),
            *device.placed(3, "more", "m=2"),
            *device.placed(5, given=f"{text} dtemp=20"),
            ".control",
            *device.saving(self.PLACES.values()),
            *(f"{command}\nwrite {file}.raw" for file, command in runs.items()),
            ".endc",
        ]
        self.answer = device.run(folder, lines)

    def plot(self, file: str) -> Plot:
        return self.answer.plot(
            {"op_after": "op", "ac_after": "ac"}.get(file, file if len(file) == 2 else "dc"), f"{file}.raw"
        )

    def meters(self, k: int) -> dict[int, str]:
        """Return the ammeter at each terminal that has one, by the terminal's place."""
        ends = {t: "" if t == self.model.write[0] else t for t in self.model.terminals if t != self.model.write[1]}
        return {self.model.terminals.index(t): f"i(v{k}{end})" for t, end in ends.items()}

    def potentials(self, voltage: float) -> dict[str, float]:
        driven, grounded = self.model.write
        return dict.fromkeys(self.model.terminals, READ_VOLTAGE) | {driven: voltage, grounded: 0.0}

    def at_bias(self, voltage: float, kelvin: float) -> Evaluation:
        """Return what the equations say at the programmed states."""
        potentials = list(self.potentials(voltage).values())
        return python_evaluation(self.model, self.values, kelvin, potentials, [0.0] * len(self.model.states))

    def check_currents(self, file: str) -> None:
        plot = self.plot(file)
        celsius = plot.scale if file == "temperature" else np.full(plot.points, 27.0)
        for k, count in self.COUNTS.items():
            voltages = np.real(plot[f"v({k}b)"])
            kelvin = celsius + 273.15 + (20.0 if k == 5 else 0.0)
            wanted = np.array([self.at_bias(*point).currents for point in zip(voltages.tolist(), kelvin.tolist())])
            for terminal, meter in self.meters(k).items():
                right = count * wanted[:, terminal]
                close = RELTOL * np.max(np.abs(right)) + ABSTOL
                np.testing.assert_allclose(np.real(plot[meter]), right, rtol=0, atol=close, err_msg=f"{file} {meter}")
            for s in self.model.states:
                start = self.values[s.initial_parameter.name]
                found = self.device.shown(plot, self.PLACES[k], s.name)
                np.testing.assert_allclose(found, start, rtol=0, atol=1e-12 * s.scale, err_msg=file)

    def check_admittance(self, file: str) -> None:
        plot, operating = self.plot(file), self.plot("op")
        driven = self.model.terminals.index(self.model.write[0])
        for k, count in self.COUNTS.items():
            voltage = float(np.real(operating[f"v({k}b)"][0]))
            right = self.at_bias(voltage, ROOM + (20.0 if k == 5 else 0.0))
            response = plot[f"v({k}b)"][0]
            for terminal, meter in self.meters(k).items():
                slope = right.current_slopes[terminal, driven]
                wanted = count * (slope + 2j * np.pi * self.FREQUENCY * right.charge_slopes[terminal, driven])
                assert abs(plot[meter][0] / response - wanted) <= 1e-5 * abs(wanted) + 1e-20, f"{file} {meter}"

    def check(self) -> None:
        """Check every analysis, those after the transient too."""
        for file in ("op", "op_after", "source", "resistor", "temperature"):
            self.check_currents(file)
        for file in ("ac", "ac_after"):
            self.check_admittance(file)

    def check_probes(self, named: Sequence[str]) -> None:
        """Check that the probes are all there by these names, and what they show: of one device in each instance."""
        assert list(named) == [p.name for p in probes(self.model)]
        plot = self.plot("op")
        voltage = float(np.real(plot["v(1b)"][0]))
        right = self.at_bias(voltage, ROOM)
        functions = compile_python(self.model)
        potentials = self.potentials(voltage)
        observables = functions.observables(
            [potentials[v.plus] - potentials[v.minus] for v in self.model.voltages],
            list(self.model.initial_states(self.values)),
            [self.values[p.name] for p in self.model.parameters],
            ROOM,
        )
        observed = dict(zip((o.name for o in self.model.observables), observables, strict=True))
        observed |= {s.name: self.values[s.initial_parameter.name] for s in self.model.states}
        observed |= {f"i_{t}": c for t, c in zip(self.model.terminals, right.currents, strict=True)}
        for k in (1, 2, 3):
            for probe in named:
                found = float(self.device.shown(plot, self.PLACES[k], probe)[0])
                close = RELTOL * abs(observed[probe]) + ABSTOL
                assert abs(found - observed[probe]) <= close, f"{probe} of {self.PLACES[k]}"
