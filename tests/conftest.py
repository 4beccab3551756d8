"""What a missing simulator means: a failure in CI, a skip on a laptop, as ``--simulators`` says."""

import os
from collections.abc import Generator

import pytest

from synspice.compact.errors import EngineMissingError
from synspice.netlists.ngspice import find_executable
from synspice.netlists.ngspice.installation import VARIABLE

MODES = ("required", "if_available", "disabled")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--simulators",
        choices=MODES,
        default="required" if os.environ.get("CI") else "if_available",
        help="a missing simulator fails the run (required: the default where CI is set), skips the tests that need it "
        "(if_available), or no test may use one (disabled)",
    )


def pytest_configure(config: pytest.Config) -> None:
    mode = config.getoption("--simulators")
    if mode == "disabled":
        os.environ[VARIABLE] = "disabled-by-pytest"
    elif mode == "required":
        try:
            find_executable()
        except EngineMissingError as error:
            raise pytest.UsageError(f"--simulators=required: {error}") from error


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
