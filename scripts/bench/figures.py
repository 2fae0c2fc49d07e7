"""Statistics of the report: medians with quartiles, paired ratios, and growth exponents."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """A median and its quartiles."""

    low: float
    median: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Return median and quartiles of at least one value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return ours / theirs for each round: a disturbance affects both values of a round."""
    return [our / their for our, their in zip(ours, theirs, strict=True)]


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return k of cost = c · size^k, by least squares on the logarithms: 0 is flat, 1 is in proportion."""
    return statistics.linear_regression(list(map(math.log, sizes)), list(map(math.log, costs))).slope
