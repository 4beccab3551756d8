"""Each command does what its contract says."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from command_line import OWN_DEVICE, Call

from synspice.compact.registry import DEVICES, card_paths, get_device
from synspice.emitters import EMITTERS

OWN = ("--device-file", OWN_DEVICE)


def test_list_gives_the_devices_as_scripts_expect_them(synspice: Call) -> None:
    answer = synspice("list", "--format", "json")
    assert answer.code == 0
    assert set(answer.json) == {"devices"}
    devices = {d["name"]: d for d in answer.json["devices"]}
    assert set(DEVICES) <= set(devices)
    assert all(set(d) == {"name", "terminals", "states", "parameters", "cards"} for d in devices.values())
    drift = devices["drift_memristor"]
    assert drift["terminals"] == ["p", "n"]
    assert drift["states"] == ["x"]
    assert {"g_on", "k_set", "x_init", "frozen"} <= set(drift["parameters"])
    cards = {c["name"] for d in devices.values() for c in d["cards"]}
    assert cards == set(card_paths())
    assert all(set(c) == {"name", "source"} for d in devices.values() for c in d["cards"])


def test_list_in_words_names_every_device(synspice: Call) -> None:
    answer = synspice("list")
    assert answer.code == 0
    assert all(name in answer.out for name in DEVICES)


def test_list_knows_a_device_of_the_users(synspice: Call) -> None:
    assert "soft_bound_synapse" in synspice("list", *OWN).out


def test_show_gives_every_parameter_with_unit_bounds_value_and_source(synspice: Call) -> None:
    answer = synspice("show", "drift_memristor", "--format", "json")
    shown = {p["name"]: p for p in answer.json["parameters"]}
    assert set(shown) == {p.name for p in get_device("drift_memristor").parameters}
    assert shown["g_on"]["unit"] == "S"
    assert shown["g_on"]["lower"] == 0
    assert shown["g_on"]["upper"] is None
    assert shown["g_on"]["source"] == "default of the definition"
    assert answer.json["equations"]["rates"][0]["left"] == "d(x)/dt"


@pytest.mark.parametrize("style", ["text", "markdown", "latex"])
def test_show_is_readable(synspice: Call, style: str) -> None:
    answer = synspice("show", "drift_memristor", "--format", style)
    assert answer.code == 0
    assert "conductance of the complete filament" in answer.out


def test_show_takes_a_card_file(synspice: Call, tmp_path: Path) -> None:
    card = tmp_path / "mine.toml"
    card.write_text(
        'name = "mine"\ndevice = "drift_memristor"\n[parameters.g_on]\n'
        'value = 2.0\nunit = "mS"\nmethod = "documented"\nsource = "Fig. 3 of a paper"\nstderr = 0.1\n'
    )
    shown = synspice("show", card, "--format", "json").json["parameters"][0]
    assert (shown["value"], shown["unit"], shown["stderr"]) == (2e-3, "S", pytest.approx(1e-4))
    assert (shown["method"], shown["source"]) == ("documented", "Fig. 3 of a paper")


@pytest.mark.parametrize("target", EMITTERS)
def test_emit_writes_every_target(synspice: Call, tmp_path: Path, target: str) -> None:
    output = tmp_path / "out.txt"
    answer = synspice("emit", "drift_memristor", "--to", target, "-o", output, "--set", "g_on=1.25e-3")
    assert (answer.code, answer.out) == (0, "")
    assert "0.00125" in output.read_text()
    assert synspice("emit", "drift_memristor", "--to", target, "--set", "g_on=1.25e-3").out == output.read_text()


def test_emit_tells_a_name_that_is_not_the_cards_own(synspice: Call) -> None:
    plain = synspice("emit", "drift_memristor")
    other = synspice("emit", "drift_memristor", "--set", "g_on=2e-4", "--set", "g_off=2e-6")
    named = synspice("emit", "drift_memristor", "--set", "g_on=2e-4", "--name", "synapse")
    assert plain.err == named.err == ""
    assert "\n.subckt drift_memristor p n" in plain.out and "\n.subckt synapse p n" in named.out
    name = other.err.removeprefix("subcircuit ").partition(";")[0]
    assert other.err == f"subcircuit {name}; --name gives another\n"
    assert name.startswith("drift_memristor_") and f"\n.subckt {name} p n" in other.out
    refused = synspice("emit", "drift_memristor", "--name", "My synapse")
    assert refused.code != 0 and "lower-case letters, digits and '_'" in refused.err and "'my_synapse'" in refused.err


@pytest.mark.parametrize("engine", ["reference", pytest.param("ngspice", marks=pytest.mark.ngspice)])
def test_run_gives_signals_and_quantities(synspice: Call, tmp_path: Path, engine: str) -> None:
    output, plot = tmp_path / "run.json", tmp_path / "run.png"
    common = ("run", "pulse-train", "--card", "drift_memristor", "--engine", engine, "--set", "pulses=3")
    common += ("--set", "depression_pulses=0", "--param", "x_init=0.4")
    answer = synspice(*common, "--format", "json")
    assert answer.code == 0
    record = answer.json
    assert set(record) == {"experiment", "engine", "engine_version", "signals", "quantities", "options"}
    assert (record["experiment"], record["engine"]) == ("pulse-train", engine)
    current = record["signals"]["current"]
    assert current["unit"] == "A"
    assert len(current["time"]) == len(current["value"]) > 10
    assert record["signals"]["x"]["value"][0] == pytest.approx(0.4, abs=1e-6)
    assert set(record["quantities"]["conductance"]) == {"value", "unit"}
    assert len(record["quantities"]["conductance"]["value"]) == 3

    answer = synspice(*common, "-o", output, "--plot", plot)
    assert "final_conductance" in answer.out
    assert output.read_text().startswith('{"experiment": "pulse-train"')
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.ngspice
def test_run_takes_solver_options_and_writes_the_deck(synspice: Call, tmp_path: Path) -> None:
    deck = tmp_path / "deck.cir"
    options = ("--option", "reltol=1e-4", "--option", "maxord=3", "--option", "method=gear")
    answer = synspice("run", "iv-loop", "--card", "drift_memristor", *options, "--deck", deck)
    assert answer.code == 0, answer.err
    assert "reltol=0.0001" in deck.read_text()
    assert "method=gear maxord=3" in deck.read_text()


def test_run_takes_a_waveform_and_a_device_of_the_users(synspice: Call, tmp_path: Path) -> None:
    waveform = tmp_path / "wave.csv"
    waveform.write_text("time (ms), voltage (V)\n0, 0\n1, 0.5\n2, 0\n")
    answer = synspice(
        *("run", "waveform", "--waveform", waveform, "--card", "soft_bound_synapse", "--engine", "reference"),
        *("--format", "json", *OWN),
    )
    assert answer.code == 0
    source = answer.json["signals"]["source"]
    assert max(source["value"]) == pytest.approx(0.5)
    assert source["time"][-1] == pytest.approx(2e-3)


def fit_arguments(ramps: Path) -> tuple[object, ...]:
    fixed = ("--fix", "g_low=1e-6", "--fix", "g_high=2e-5", "--fix", "v_0=0.2")
    return ("fit", ramps, "--device", "soft_bound_synapse", *OWN, *fixed)


def test_fit_gives_a_card_and_how_far_it_holds(synspice: Call, ramps: Path, tmp_path: Path) -> None:
    card = tmp_path / "fitted.toml"
    answer = synspice(*fit_arguments(ramps), "-o", card, "--format", "json")
    assert answer.code == 0, answer.err
    record = answer.json
    assert {"status", "device", "parameters", "undetermined", "errors"} <= set(record)
    assert (record["status"], record["device"]) == ("converged", "soft_bound_synapse")
    assert {"value", "unit", "stderr", "at_bound"} <= set(record["parameters"]["k_up"])
    assert record["parameters"]["g_low"]["stderr"] is None
    assert all(set(e) == {"data", "metric", "in_sample", "held_out"} for e in record["errors"])
    assert all(e["held_out"] is not None for e in record["errors"])
    written = tomllib.loads(card.read_text())
    assert written["name"] == "fitted"
    assert written["parameters"]["k_up"]["value"] == record["parameters"]["k_up"]["value"]
    assert synspice("emit", card, *OWN).code == 0


def test_fit_in_words_and_without_held_out_records(synspice: Call, ramps: Path) -> None:
    answer = synspice(*fit_arguments(ramps), "--hold-out", "none", "--start", "k_up=150")
    assert answer.code == 0, answer.err
    assert "converged" in answer.out
    assert "k_down" in answer.out


def test_extract_gives_what_the_rows_determine(synspice: Call, tmp_path: Path) -> None:
    card = tmp_path / "card.toml"
    answer = synspice("extract", "siox_ny_ag", "-o", card, "--format", "json")
    assert answer.code == 0
    fitted = {n: p for n, p in answer.json["parameters"].items() if p["method"] == "fitted"}
    assert {n: p["rows"] for n, p in fitted.items()} == {"e_relax": ["W8"], "g_off": ["W1"]}
    assert all(abs(p["change"]) < 0.01 and p["stderr"] > 0 for p in fitted.values())
    assert tomllib.loads(card.read_text())["parameters"]["g_off"]["value"] == fitted["g_off"]["value"]


def test_extract_says_when_nothing_is_determined(synspice: Call) -> None:
    answer = synspice("extract", "taox")
    assert answer.code == 0
    assert "No documented row determines a value of 'taox'" in answer.out


def test_reproduce_judges_rows_and_draws_them(synspice: Call, tmp_path: Path) -> None:
    answer = synspice("reproduce", "OTJ-20", "W9", "--engine", "reference", "--report", tmp_path, "--format", "json")
    assert answer.code == 0  # W9 is not met, and says so
    assert {row["id"]: row["met"] for row in answer.json} == {"W9": False, "OTJ-20": True}
    assert {p.name for p in tmp_path.iterdir()} >= {"report.html", "li2019_fig4.png"}


def test_cite_gives_the_package_and_the_sources(synspice: Call) -> None:
    assert "@software{synspice" in synspice("cite").out
    answer = synspice("cite", "drift_memristor")
    assert "Strukov" in answer.out
    record = synspice("cite", "drift_memristor", "--format", "json").json
    assert set(record) == {"package", "card", "references"}


@pytest.mark.parametrize("command", [(), ("list",), ("show",), ("emit",), ("fit",), ("run",), ("cite",)])
def test_every_command_has_help(synspice: Call, command: tuple[str, ...]) -> None:
    answer = synspice(*command, "--help")
    assert answer.code == 0
    assert "Usage" in answer.out


def test_version(synspice: Call) -> None:
    assert synspice("--version").out.startswith("synspice ")


def test_the_quick_commands_load_no_heavy_library() -> None:
    """`list` and `show` start fast because they import none of these; a time would depend on the machine."""
    heavy = ["casadi", "pint", "PySpice", "scipy", "numpy", "matplotlib", "numba", "pandas", "lmfit"]
    program = (
        "import sys; from synspice.cli import app\n"
        "for arguments in (['list'], ['show', 'drift_memristor'], ['cite', 'drift_memristor']):\n"
        "    app(arguments, standalone_mode=False)\n"
        f"print('loaded', [name for name in {heavy!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []"


def test_a_reader_that_stops_early_gets_no_traceback() -> None:
    command = (
        f"{sys.executable} -c 'from synspice.cli import main; main()' show drift_memristor --format markdown | head -1"
    )
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_numbers_of_a_record_are_finite(synspice: Call) -> None:
    record = synspice("run", "iv-loop", "--card", "drift_memristor", "--engine", "reference", "--format", "json").json
    assert all(np.isfinite(s["value"]).all() for s in record["signals"].values())
