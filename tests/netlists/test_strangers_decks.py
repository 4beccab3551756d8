"""The emitted netlist in decks that strangers write, run by ``ngspice -b`` without an option of the package's.

First the cases that users met, then every device and card under what users do: devices in parallel, wrappers, sweeps, options,
compatibility modes, capital letters.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from biased_devices import RELTOL, ROOM, Biased
from scipy.integrate import quad
from strangers_decks import (
    FINER,
    SUBJECTS,
    UIC_STEPS,
    Answer,
    Subject,
    apart,
    compare_parallel,
    full_scale,
    in_parallel,
    reference,
    run,
    states,
    subject,
)

import synspice.compact.devices
from synspice.compact.result import Result
from synspice.emitters import emit, emit_named
from synspice.netlists.ngspice import Plot, find_executable, has_klu

pytestmark = pytest.mark.every_ngspice

MODES = ("ltpsa", "psa", "ps", "hsa", "lta", "all", "ki", "spe")
"""Compatibility modes; ltpsa is what KiCad sets."""

QUICK_MODES = ("ltpsa", "hsa")
"""Those that every device is run in every time; the others are parts of them, or change nothing here."""

FILES = {"drift.cir": emit("drift_memristor"), "taox.cir": emit("taox")}


def stranger(folder: Path, *lines: str, mode: str = "") -> Answer:
    return run(folder, "\n".join(["a deck", *lines, ".end", ""]), FILES, mode)


def at(plot: Plot, vector: str, time: float) -> float:
    return float(np.interp(time, plot.scale, np.real(plot[vector])))


def drift_state(start: float, corners: list[tuple[float, float]]) -> float:
    """Return the state of the default drift memristor after a voltage >= 0 through corners (s, V), by its closed form.

    Nothing but set acts: dx/dt = boost sinh(v/v_set) (1 - x), with v_set = 0.1 V and a boost from 300 to 300.15 K.
    """
    boost = np.exp(0.6 / 8.617333262e-5 * (1 / 300 - 1 / ROOM))

    def rate(t: float) -> float:
        v = float(np.interp(t, *zip(*corners, strict=True)))
        return float(boost * np.sinh(v**3 / (v**2 + 1e-6) / 0.1))

    times = [t for t, _ in corners]
    total = sum(quad(rate, a, b, epsrel=1e-12)[0] for a, b in zip(times, times[1:], strict=False))
    return float(1 - (1 - start) * np.exp(-total))


PULSE = [(0.0, 0.0), (10e-6, 0.0), (11e-6, 0.9), (211e-6, 0.9), (212e-6, 0.0)]
RAMP = [(0.0, 0.0), (1e-3, 0.3), (0.1, 0.3)]


class TestCases:
    """Decks that gave wrong answers once. Right values without a formula here: scipy on the written-out equations, to 1e-10."""

    @pytest.mark.parametrize("m", [1, 3])
    def test_devices_in_parallel(self, tmp_path: Path, m: int) -> None:
        plot = stranger(
            tmp_path,
            ".include drift.cir",
            "V1 a 0 PULSE(0 0.9 10u 1u 1u 200u 1)",
            f"X1 a 0 drift_memristor x_init=0.3 m={m}",
            ".tran 1u 500u",
        ).plot("tran")
        assert at(plot, "v(x1.x)", 490e-6) == pytest.approx(drift_state(0.3, PULSE), abs=1e-4)
        assert -at(plot, "i(v1)", 150e-6) == pytest.approx(m * 1.5440e-5, rel=5e-4)

    @pytest.mark.parametrize("mode", ["", *MODES])
    def test_a_compatibility_mode(self, tmp_path: Path, mode: str) -> None:
        plot = stranger(
            tmp_path,
            ".include drift.cir",
            ".include taox.cir",
            "V1 a 0 PWL(0 0 1m .3 1 .3)",
            "X1 a 0 drift_memristor x_init=0.1",
            "X2 a 0 taox x_init=0.2",
            ".tran 1m 1",
            mode=mode,
        ).plot("tran")
        assert at(plot, "v(x1.x)", 0.1) == pytest.approx(drift_state(0.1, RAMP), abs=1e-4)
        assert at(plot, "v(x2.x)", 0.99) - 0.2 == pytest.approx(0.0024021, rel=1e-4)

    @pytest.mark.parametrize("option", ["", *(f".options rshunt=1e{n}" for n in (9, 10, 11, 12)), ".options cshunt=1p"])
    def test_a_shunt_at_every_node_over_a_hundred_seconds(self, tmp_path: Path, option: str) -> None:
        """A pulse, then rest: the state keeps what it has."""
        plot = stranger(
            tmp_path,
            ".include drift.cir",
            "V1 a 0 PULSE(0 0.9 10u 1u 1u 200u 1000)",
            "X1 a 0 drift_memristor x_init=0.3",
            option,
            ".tran 0.1 100",
        ).plot("tran")
        leak = 0.39 * 99 / 1e6 if option.endswith("e9") else 0.0  # 1e9 ohm across 1 mF
        assert at(plot, "v(x1.x)", 99) == pytest.approx(drift_state(0.3, PULSE) - leak, abs=1e-4)

    def test_a_sweep_of_the_source(self, tmp_path: Path) -> None:
        plot = stranger(
            tmp_path, ".include drift.cir", "V1 a 0 0", "X1 a 0 drift_memristor x_init=0.3", ".dc V1 -0.9 0.9 0.3"
        ).plot("dc")
        current = -np.real(plot["i(v1)"])
        assert current[-1] == pytest.approx(4.23522e-6, rel=RELTOL)
        np.testing.assert_allclose(current, -current[::-1], atol=RELTOL * current[-1])
        np.testing.assert_array_equal(np.real(plot["v(x1.x)"]), 0.3)

    def test_two_sets_of_values_in_one_deck(self, tmp_path: Path) -> None:
        other = emit_named("drift_memristor", values={"g_on": 2e-4, "g_off": 2e-6})
        files = {"a.cir": FILES["drift.cir"], "b.cir": other.text}
        deck = ["t", ".include a.cir", ".include b.cir", "V1 a 0 0.1", "V2 b 0 0.1"]
        deck += ["X1 a 0 drift_memristor", f"X2 b 0 {other.name}", ".op", ".end", ""]
        plot = run(tmp_path, "\n".join(deck), files).plot("op")
        assert plot["i(v2)"][0] == pytest.approx(2 * plot["i(v1)"][0], rel=1e-6)

    @pytest.mark.parametrize(
        "given",
        ["x_init=1.5", "x_init=-0.1", "X_INIT={0.5*3}", "v_set=0", "m_nl=9", "frozen=2", "dtemp=400", "k_set=-1 m=3"],
    )
    @pytest.mark.parametrize("mode", ["", "ltpsa"])
    def test_a_value_out_of_range_is_an_error_that_names_it(self, tmp_path: Path, given: str, mode: str) -> None:
        """A misspelt name is beyond the netlist; what the package says of it is in test_deck_check.py."""
        answer = stranger(
            tmp_path, ".include drift.cir", "V1 a 0 0.5", f"X1 a 0 drift_memristor {given}", ".op", mode=mode
        )
        assert answer.code != 0
        assert f"{given.split('=')[0].lower()}_is_out_of_range" in answer.log

    @pytest.mark.parametrize("given", ["x_init=1", "x_init=0", "focus_set=0.95", "p_set=0.2", "frozen=1", "dtemp=-200"])
    def test_a_bound_that_a_value_may_have(self, tmp_path: Path, given: str) -> None:
        answer = stranger(tmp_path, ".include drift.cir", "V1 a 0 0.5", f"X1 a 0 drift_memristor {given}", ".op")
        assert answer.code == 0 and np.isfinite(answer.plot("op")["i(v1)"][0])


SAME = 1e-3
"""How near two runs are to be, as part of how far a state moves: ngspice's default reltol."""

DEFAULT_ERROR = 1e-2
"""The same, for a run at default options against the equations: what they leave of an abrupt switch, 3e-3 at the most here."""


def pulsed(device: Subject, folder: Path, *lines: str, given: str = "", mode: str = "", upper: bool = False) -> Plot:
    """Run a pulse at a device behind a resistor, with further lines."""
    placed = device.placed(1, given=given, resistance=device.resistance)
    answer = device.run(folder, [device.pulse(), *placed, *(lines or [device.transient()])], mode, upper=upper)
    return answer.plot("tran")


@cache
def plain(executable: Path, name: str, folder: Path) -> Result:
    """Return a pulse in the plainest deck, made once for an ngspice."""
    device = subject(name)
    return states(device, pulsed(device, folder))


@pytest.fixture
def base(name: str, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return plain(find_executable(), name, tmp_path_factory.getbasetemp() / f"plain-{name}")


@pytest.mark.parametrize("name", SUBJECTS)
class TestEveryDevice:
    def test_a_pulse_is_as_the_equations_have_it(self, name: str, base: Result) -> None:
        device = subject(name)
        wanted = reference(device, base.time)
        moved = max(np.ptp(wanted[s.name]) / full_scale(s) for s in device.model.states)
        assert moved > 0.02, "a pulse that moves nothing shows nothing"
        assert apart(device, wanted, base) < DEFAULT_ERROR

    @pytest.mark.parametrize(("analysis", "steps"), [("", 500), (" uic", UIC_STEPS), ("\n.options method=gear", 500)])
    def test_a_finer_run_is_as_the_equations_have_it(
        self, name: str, analysis: str, steps: int, tmp_path: Path
    ) -> None:
        device = subject(name)
        found = states(device, pulsed(device, tmp_path, f"{device.transient(steps)}{analysis}", FINER))
        assert apart(device, reference(device, found.time), found) < SAME

    def test_in_parallel_and_in_wrappers(self, name: str, tmp_path: Path) -> None:
        device = subject(name)
        lines = in_parallel(device)
        if device.has_capacitance:
            lines += [*device.placed(6, given="c_0=1p"), *device.placed(7, given="c_0=1p m=3")]
        plot = pulsed(device, tmp_path, *lines, *device.placed(8, given="frozen=1"), device.transient(), FINER)
        found = states(device, plot)
        assert apart(device, reference(device, found.time), found) < SAME
        compare_parallel(device, plot)
        if device.has_capacitance:
            one, three = (np.real(plot[f"i(v{k})"]) for k in (6, 7))
            np.testing.assert_allclose(three, 3 * one, rtol=1e-8, atol=1e-9 * np.max(np.abs(three)))
        for state in device.model.states:
            held = np.real(plot[f"v(x8.{state.name})"])
            np.testing.assert_array_equal(held, held[0])

    @pytest.mark.parametrize(
        "mode", [m if m in QUICK_MODES else pytest.param(m, marks=pytest.mark.slow) for m in MODES]
    )
    def test_a_compatibility_mode(self, name: str, mode: str, base: Result, tmp_path: Path) -> None:
        device = subject(name)
        plot = pulsed(device, tmp_path, *in_parallel(device), device.transient(), mode=mode)
        assert apart(device, base, states(device, plot)) < SAME
        compare_parallel(device, plot)

    @pytest.mark.parametrize(
        "option",
        [
            "rshunt=1e9",
            "rshunt=1e12",
            "cshunt=1e-15",
            "gmin=1e-9",
            "gshunt=1e-12",
            "rseries=1e-3",
            "klu",
        ],
    )
    def test_an_option(self, name: str, option: str, base: Result, tmp_path: Path) -> None:
        if option == "klu" and not has_klu():
            pytest.skip("this ngspice has no KLU")
        device = subject(name)
        plot = pulsed(device, tmp_path, device.transient(), f".options {option}")
        assert apart(device, base, states(device, plot)) < SAME

    def test_capital_letters(self, name: str, base: Result, tmp_path: Path) -> None:
        device = subject(name)
        assert apart(device, base, states(device, pulsed(device, tmp_path, upper=True))) < SAME

    def test_a_warmer_device_is_as_in_a_warmer_circuit(self, name: str, base: Result, tmp_path: Path) -> None:
        device = subject(name)
        warm = pulsed(device, tmp_path / "dtemp", given="dtemp=20")
        warmer = pulsed(device, tmp_path / "temp", device.transient(), ".temp 47")
        assert apart(device, states(device, warmer), states(device, warm)) < SAME

    def test_sweeps_operating_point_and_small_signals_of_what_is_programmed(self, name: str, tmp_path: Path) -> None:
        """Also after a transient, in one session: the states are where the instance's parameters put them."""
        biased = Biased(subject(name), tmp_path)
        biased.check()
        named = re.findall(
            r"(?m)^\* (\w+) \[\S+\]: ", subject(name).text.split("* nodes to look at")[1].split(".subckt")[0]
        )
        biased.check_probes(named)


def test_every_device_and_every_card_is_among_them() -> None:
    folder = Path(synspice.compact.devices.__file__).parent
    devices = {
        path.stem for path in folder.glob("*.py") if re.search("(?m)^MODEL = ", path.read_text(encoding="utf-8"))
    }
    cards = {path.stem for path in (folder.parent / "cards").glob("*.toml")}
    assert devices and cards and set(SUBJECTS) == devices | cards
