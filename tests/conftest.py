"""Which simulators the tests use, and what a missing one means: a failure in CI, a skip on a laptop.

A test marked ``every_ngspice`` runs once on each ngspice: on the one that the package finds by itself, and on those that
``--ngspice`` names. It needs no argument for it; the package finds the right one, for ``SYNSPICE_NGSPICE`` names it.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from synspice.compact.errors import EngineError, EngineMissingError
from synspice.netlists.ngspice import find_executable, version
from synspice.netlists.ngspice.installation import VARIABLE

MODES = ("required", "if_available", "disabled")

#: What the tests marked ``every_ngspice`` are run with: pytest's parameters, each the path of an ngspice or None.
NGSPICES = pytest.StashKey[list[object]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--simulators",
        choices=MODES,
        default="required" if os.environ.get("CI") else "if_available",
        help="a missing simulator fails the run (required: the default where CI is set), skips the tests that need it "
        "(if_available), or no test may use one (disabled)",
    )
    parser.addoption(
        "--ngspice",
        action="append",
        default=[],
        metavar="PATH",
        help="a further ngspice for the tests marked every_ngspice (repeat it for several); "
        "one of a version that is there already is left out",
    )


def pytest_configure(config: pytest.Config) -> None:
    mode = config.getoption("--simulators")
    if mode == "disabled":
        os.environ[VARIABLE] = "disabled-by-pytest"
    further = [] if mode == "disabled" else config.getoption("--ngspice")
    found: dict[str, str] = {}
    missing: list[object] = []
    for path in [None, *further]:
        try:
            executable, its_version = identify(path)
        except EngineError as error:
            if mode == "required":
                raise pytest.UsageError(f"--simulators=required: {error}") from error
            name = Path(path).parent.name if path else "ngspice"
            missing.append(pytest.param(path, id=f"missing-{name}", marks=pytest.mark.skip(reason=str(error))))
        else:
            found.setdefault(its_version, str(executable))
    config.stash[NGSPICES] = [pytest.param(path, id=f"ngspice-{name}") for name, path in found.items()] + missing


def identify(path: str | None) -> tuple[Path, str]:
    """Return an ngspice and its version: the one at a path, or that which the package finds by itself."""
    with pytest.MonkeyPatch.context() as patch:
        if path is not None:
            patch.setenv(VARIABLE, path)
        return find_executable(), version()


def pytest_report_header(config: pytest.Config) -> str:
    return "tests marked every_ngspice run on: " + ", ".join(
        f"{param.id} ({param.values[0]})" for param in config.stash[NGSPICES]
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("every_ngspice") is not None:
        metafunc.parametrize("chosen_ngspice", metafunc.config.stash[NGSPICES], indirect=True)


@pytest.fixture(autouse=True)
def chosen_ngspice(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have the package find the ngspice that a test marked ``every_ngspice`` is run with."""
    with pytest.MonkeyPatch.context() as patch:
        if getattr(request, "param", None) is not None:
            patch.setenv(VARIABLE, request.param)
        yield


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("ngspice") is not None:
        try:
            find_executable()
        except EngineMissingError as error:
            pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Turn a test that ran into a missing simulator into a skip, unless one is required."""
    try:
        return (yield)
    except EngineMissingError as error:
        if item.config.getoption("--simulators") == "required":
            raise
        pytest.skip(str(error))
