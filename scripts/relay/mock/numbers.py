"""Deterministic numbers within a schema's bounds, computed with fractions because floats are inexact."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from relay.contract.model import Schema
from relay.validation.schemas import INTEGER_BOUNDS

Bound = tuple[Fraction, bool]
"""A bound, and True if it is exclusive."""


def number_within(schemas: Iterable[Schema], variant: int, *, is_integer: bool) -> int | float | None:
    """Return a number that satisfies the bounds of all schemas, preferably 0; None if none was found.

    Each `variant` gives another number; it may be out of bounds.
    """
    schemas = list(schemas)
    lows = [bound for schema in schemas for bound in _bounds(schema, "minimum", "exclusiveMinimum", 0)]
    highs = [bound for schema in schemas for bound in _bounds(schema, "maximum", "exclusiveMaximum", 1)]
    low = max(lows, default=None)
    high = min(highs, key=lambda bound: (bound[0], not bound[1]), default=None)
    steps = [_exact(schema["multipleOf"]) for schema in schemas if "multipleOf" in schema]
    step = _common_multiple([*steps, Fraction(1)] if is_integer else steps)
    for start in _starts(low, high, step):
        if _is_within(start, low, high):
            return _plain(start + variant * (step or 1))
    return None


def _bounds(schema: Schema, name: str, exclusive: str, side: int) -> Iterable[Bound]:
    if name in schema:
        yield _exact(schema[name]), schema.get(exclusive, False)
    if bounds := INTEGER_BOUNDS.get(schema.get("format", "")):
        yield Fraction(bounds[side]), False


def _exact(number: Any) -> Fraction:
    return Fraction(str(number))


def _common_multiple(steps: list[Fraction]) -> Fraction | None:
    """Return the least common multiple of the steps; None if there are none."""
    if not steps:
        return None
    return Fraction(
        math.lcm(*(step.numerator for step in steps)), math.gcd(*(step.denominator for step in steps))
    )


def _starts(low: Bound | None, high: Bound | None, step: Fraction | None) -> Iterable[Fraction]:
    """Yield candidates, the simplest first."""
    yield Fraction(0)
    if step is not None:
        for bound, towards in ((low, math.ceil), (high, math.floor)):
            if bound is not None:
                nearest = towards(bound[0] / step) * step
                yield from (nearest, nearest + step, nearest - step)
        return
    for bound in (low, high):
        if bound is not None:
            yield from (bound[0], bound[0] + 1, bound[0] - 1)
    if low is not None and high is not None:
        yield (low[0] + high[0]) / 2


def _is_within(number: Fraction, low: Bound | None, high: Bound | None) -> bool:
    return (low is None or number > low[0] or (number == low[0] and not low[1])) and (
        high is None or number < high[0] or (number == high[0] and not high[1])
    )


def _plain(number: Fraction) -> int | float:
    return int(number) if number.denominator == 1 else float(number)
