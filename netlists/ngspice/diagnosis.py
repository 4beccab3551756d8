"""Tell from a log and from the data whether a run of ngspice can be trusted, and why not.

ngspice's exit code alone says little: a failed analysis may exit with 0, and words such as "error" or "singular" also
appear in the logs of runs that recovered by themselves. The patterns below were each provoked with ngspice 39, 44.2 or 47,
which word the same fault differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..process import Fault
from .deck import analyses, transient_stop
from .rawfile import Plot

#: How far from its stop time, relatively, a transient may end: ngspice meets it to rounding.
_STOP_TOLERANCE = 1e-6


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    reason: str


def _rule(pattern: str, reason: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), reason)


#: The first rule that matches any line decides, so the specific ones stand first.
_RULES = (
    _rule(r"^doAnalyses: TRAN:\s+Timestep too small; (?!initial timepoint)", "time step too small"),
    _rule(r"^doAnalyses: (?:not found|impossible error|no such parameter|parameter value out of range)", "parse"),
    _rule(r"^doAnalyses:", "convergence"),
    _rule(r"undefined parameter|unknown subckt|no such function|can't find model|could not find include", "parse"),
    _rule(r"^Error [oi]n line|^Error: not enough parameters|cannot compute substitute|PTerror", "parse"),
    # ngspice leaves the element out and simulates the rest
    _rule(r"not a valid \w+ instance line, ignored|could not be set up properly, ignored", "parse"),
    _rule(r"circuit not parsed|there aren't any circuits loaded|fatal error in ngspice|cannot recover", "parse"),
    _rule(r"no such command available|^Warning from checkvalid|no such (?:node|vector|device|parameter)", "parse"),
    _rule(r"simulation\(s\) aborted|analysis aborted", "convergence"),
    _rule(r"^Error:", "parse"),
)

#: Newton met these on its way; the analysis may still have ended well, and `doAnalyses` reports it when it did not.
_RECOVERABLE = re.compile(r"out of range for|Transient op failed", re.IGNORECASE)

_SMALLEST_STEP = (
    "ngspice steps no finer than 1e-11 of its largest step, nor than rounding of the time that has passed: "
    "a smaller max_step or a shorter run may help"
)

#: What a log says whether or not anything went wrong.
_CHATTER = re.compile(
    r"^\s*$|^(?:Total|DRAM|Maximum|Current|Shared|Text|Stack|Library|No\. of) "
    r"|^(?:Circuit:|Doing analysis|Using (?:SPARSE|KLU)|binary raw|ASCII raw)"
    r"|No compatibility mode|gmin|Supplies reduced|Reference value|no resource usage|or no active circuit",
)
_WARNING = re.compile(r"Warning: .*")
_STEPPING = re.compile(r"gmin|source stepping", re.IGNORECASE)


def diagnose_log(lines: Iterable[str]) -> Fault | None:
    """Return what a log says went wrong, or None for the log of a good run."""
    kept = [line.strip() for line in lines if not _CHATTER.search(line)]
    for rule in _RULES:
        for place, line in enumerate(kept):
            if rule.pattern.search(line) and not _RECOVERABLE.search(line):
                return Fault(rule.reason, _explain(kept, place))
    return None


def _explain(lines: Sequence[str], place: int) -> str:
    """Join the deciding line, what follows it where ngspice goes on to the next line, and the likely cause."""
    message = lines[place]
    if message.lower().startswith(("error on line", "error in line", "error: not enough parameters", "pterror")):
        message = " ".join(lines[place : place + 3])
    elif message.endswith("from line"):
        message = " ".join(lines[place : place + 2])
    elif place and re.match(r"(?:Netlist|Error in netlist) line no\.", lines[place - 1]):
        message = f"{lines[place - 1]} {message}"
    if "Timestep too small" in message:
        message += f" ({_SMALLEST_STEP})"
    domain = next((line for line in reversed(lines) if "out of range for" in line), None)
    singular = next((line for line in lines if "singular matrix" in line), None)
    for cause in (domain, singular):
        if cause is not None and cause not in message:
            message += f" (seen before: {cause.removeprefix('Error: ')})"
    return message


def warnings_in(lines: Iterable[str]) -> tuple[str, ...]:
    """Return each warning once, without those of the stepping methods, which are ngspice's way and not a fault."""
    found = (match[0].strip().removeprefix("Warning: ") for line in lines if (match := _WARNING.search(line)))
    return tuple(dict.fromkeys(text for text in found if not _STEPPING.search(text)))


def informative(lines: Iterable[str], limit: int = 40) -> str:
    """Return the last lines that say something, repeated ones once."""
    told = [line.rstrip() for line in lines if not _CHATTER.search(line)]
    return "\n".join(list(dict.fromkeys(reversed(told)))[:limit][::-1])


def diagnose_data(plots: Sequence[Plot], deck: str) -> Fault | None:
    """Return what is wrong with the plots of a run that ended without complaint, or None.

    Every analysis of the deck must have left points, all of them finite, and a transient must have reached its stop
    time. The imaginary part of a frequency is left out: ngspice does not set it.
    """
    missing = sorted(analyses(deck) - {plot.kind for plot in plots})
    if missing:
        return Fault("no data", f"no result for .{', .'.join(missing)}")
    stop = transient_stop(deck)
    for plot in plots:
        if plot.points == 0:
            return Fault("no data", f"the plot '{plot.plotname}' has no points")
        if any(name in ("", "v()") for name in plot.names):
            return Fault("parse", "a node has an empty name: an element line has too few nodes")
        bad = [
            name
            for row, name in enumerate(plot.names)
            if not np.all(np.isfinite(plot.scale if row == 0 else plot.data[row]))
        ]
        if bad:
            return Fault("not finite", f"in the plot '{plot.plotname}': {', '.join(bad[:8])}")
        if plot.kind == "tran" and stop is not None and plot.scale[-1] < stop * (1.0 - _STOP_TOLERANCE):
            return Fault("no data", f"the transient ended at {plot.scale[-1]:g} s, before its stop time of {stop:g} s")
    return None
