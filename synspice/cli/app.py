"""The application: its commands, and what becomes of errors."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer

from ..compact.errors import EngineError, EngineMissingError, SynspiceError
from . import cite, emit, extract, fit, listing, reproduce, run, show, verify
from .common import complain

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

app = typer.Typer(
    name="synspice",
    help="Compact models of synaptic devices: emit them, run them in SPICE, fit them to data.",
    epilog="Exit codes: 0 done; 1 the answer is no (a fit or simulation failed); 2 wrong use, input or set-up; "
    "3 a fault of synspice itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("list")(listing.list_devices)
app.command("show")(show.show)
app.command("emit")(emit.emit)
app.command("fit")(fit.fit)
app.command("run")(run.run)
app.command("extract")(extract.extract)
app.command("reproduce")(reproduce.reproduce)
app.command("verify")(verify.verify)
app.command("cite")(cite.cite)


def _version(asked: bool) -> None:
    if asked:
        from ..compact.version import __version__

        print(f"synspice {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        app()
    except EngineMissingError as error:
        code = complain(str(error), 2)
    except EngineError as error:
        code = complain(str(error), 1)
    except SynspiceError as error:
        code = complain(str(error), 2)
    except SystemExit as ending:  # so typer ends a command, an interrupted one with 130
        if ending.code == INTERRUPTED:
            complain("interrupted", INTERRUPTED)
        raise
    except KeyboardInterrupt:
        code = complain("interrupted", INTERRUPTED)
    except Exception:
        traceback.print_exc()
        code = complain("this is a fault of synspice itself; please report it with the lines above", 3)
    sys.exit(code)
