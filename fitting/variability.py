"""Devices and cycles that differ: seeded samples of a card's spreads."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..compact.card import Card
from ..compact.errors import CardError, ParameterError
from ..compact.registry import get_device

Kind = Literal["device", "cycle"]


def sample(card: Card, n: int, seed: int, *, kind: Kind = "device") -> list[dict[str, float]]:
    """Return the values of the parameters that have a spread, for ``n`` devices or cycles.

    A parameter with a logarithmic scale is drawn from a log-normal distribution about the card's value, another from a
    normal one; what falls outside the parameter's range is drawn again. Parameters are drawn independently.

    Parameters
    ----------
    card : Card
    n : int
    seed : int
        The same seed gives the same samples.
    kind : {"device", "cycle"}
        Which of the card's spreads.

    Raises
    ------
    ParameterError
        If n is negative, or a range leaves nothing to draw.
    CardError
        If the card has no spread of this kind.
    """
    if n < 0:
        raise ParameterError("sample", [f"n = {n} must not be negative"])
    model = get_device(card.device)
    spreads = {
        name: spread
        for name, value in card.values.items()
        if (spread := value.spread_device if kind == "device" else value.spread_cycle) is not None
    }
    if not spreads:
        raise CardError(f"card '{card.name}' has no spread from {kind} to {kind}")
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(n):
        values = {}
        for name, spread in spreads.items():
            parameter, centre = model.parameter(name), card.values[name].value
            for _ in range(1000):
                step = spread * float(generator.standard_normal())
                value = centre * float(np.exp(step)) if parameter.scale == "log" else centre + step
                if parameter.fault(value) is None:
                    break
            else:
                raise ParameterError("sample", [f"the spread of '{name}' leaves its range"])
            values[name] = value
        drawn.append(values)
    return drawn
