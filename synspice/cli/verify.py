"""``synspice verify``: every form of a device against every other."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .common import DeviceFiles, Format, OutputFormat, load_devices, print_table, progress_bar


def verify(
    subjects: Annotated[
        list[str] | None, typer.Argument(help="Devices, cards or card files; everything without them.")
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option("--engine", help="Only these engines; all that are installed without it.")
    ] = None,
    tight: Annotated[
        bool, typer.Option("--tight", help="Tight solver options, and 0.05 % of full scale instead of 0.5 %.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the random voltages, states and parameters.")] = 0,
    output_format: OutputFormat = Format.text,
    device_file: DeviceFiles = None,
) -> None:
    """Compare a device's equations on every engine that is installed; exit code 1 when a check is not met."""
    from ..veriloga.verify import available_engines, verify_table
    from ..veriloga.verify import verify as run_checks

    load_devices(device_file)
    with progress_bar("verifying") as progress:
        checks = run_checks(subjects or (), engines=engine, tight=tight, seed=seed, progress=progress)
    if output_format is Format.json:
        print(json.dumps([check.to_dict() for check in checks], indent=2, allow_nan=False))
    else:
        print_table(("device", "card", "check", "engine", "error", "tolerance", "verdict"), verify_table(checks))
        met = sum(check.ok for check in checks)
        print(f"{met} of {len(checks)} checks met; engines: {', '.join(engine or available_engines())}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
