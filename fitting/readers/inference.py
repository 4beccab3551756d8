"""What a sweep tells about its own circuit, for files that do not say it. Whatever is inferred is marked as such."""

from __future__ import annotations

import numpy as np

from .records import Array, Direction

_FLAT = 0.003  # a limited current stays this close to its level; a saturating device does not ...
_SPAN = 0.1  # ... over at least a tenth of the largest voltage ...
_POINTS = 5  # ... and this many points


def compliance_from_plateau(voltage: Array, current: Array) -> float | None:
    """Return the current limit [A] that a flat top at the largest voltages shows, or None.

    The level is the median current where the voltage is largest, so a spike before the source limits does not count.
    A limit is set as a round number, so three digits are kept.
    """
    magnitude, size = np.abs(current), np.abs(voltage)
    level = float(np.median(magnitude[size >= 0.9 * size.max()]))
    side = np.sign(voltage[int(np.argmax(size))])
    flat = (np.abs(magnitude - level) <= _FLAT * level) & (voltage * side > 0)
    limited = flat.sum() >= _POINTS and np.ptp(size[flat]) >= _SPAN * size.max()
    exceeded = np.mean(magnitude > 1.02 * level)
    return float(f"{level:.3g}") if level > 0 and limited and exceeded < 0.02 else None


def sweep_direction(voltage: Array, current: Array) -> Direction | None:
    """Whether an out-and-back sweep of one polarity left the device more ("set") or less ("reset") conducting.

    None when the sweep has two polarities, does not come back, or the mean change between 10 and 50 % of the largest
    voltage is less than 1.5 times; the mean, since a device may switch early in that range.
    """
    size = np.abs(voltage)
    turn = int(np.argmax(size))
    peak = size[turn]
    one_polarity = min(abs(float(voltage.min())), abs(float(voltage.max()))) < 0.05 * peak
    if not one_polarity or max(size[0], size[-1]) > 0.1 * peak or not 0 < turn < len(size) - 1:
        return None
    grid = np.linspace(0.1, 0.5, 41) * peak
    log_current = np.log(np.maximum(np.abs(current), 1e-18))

    def at_grid(part: slice) -> Array:
        order = np.argsort(size[part], kind="stable")
        return np.asarray(np.interp(grid, size[part][order], log_current[part][order]))

    change = float(np.mean(at_grid(slice(turn, None)) - at_grid(slice(None, turn + 1))))
    if abs(change) < np.log(1.5):
        return None
    return "set" if change > 0 else "reset"


def current_is_inverted(voltage: Array, current: Array) -> bool:
    """Whether the file counts the current out of the device: a passive device would then deliver power throughout."""
    power = voltage * current
    total = float(np.abs(power).sum())
    return total > 0 and float(power.sum()) < -0.5 * total
