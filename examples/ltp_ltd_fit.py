"""Fit the drift memristor to measured LTP/LTD ramps, look at the fit, and run the fitted card in ngspice."""

import tempfile
from pathlib import Path

import synspice
from synspice.fitting.report import write_report

DATA = Path(__file__).parent / "data" / "cross_sim_ltp_ltd"


def main(folder: Path, with_ngspice: bool = True) -> synspice.Card:
    """Write card, netlist and report into a folder, and return the card."""
    ramps = synspice.read([DATA / "set.csv", DATA / "reset.csv"])
    fit = synspice.fit(ramps, "drift_memristor", hold_out="even")  # the even ramps check it
    for error in fit.result.errors:
        print(f"{error.data}: {100 * error.in_sample:.2f} % fitted, {100 * error.held_out:.2f} % held out")

    card = fit.result.card
    synspice.write_card(card, folder / "card.toml")
    (folder / "synapse.cir").write_text(synspice.emit(card, "ngspice"))
    print(write_report(fit, folder / "report", with_ngspice=with_ngspice))
    return card


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp(prefix="ltp_ltd_fit_")))
