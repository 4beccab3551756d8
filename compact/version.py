"""The package's version, as emitted headers and results name it."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("synspice")
except PackageNotFoundError:  # imported from a source tree that was never installed
    __version__ = "0+unknown"
