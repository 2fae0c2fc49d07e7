"""Deterministic numbers within a schema's bounds, computed with fractions because floats are inexact."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from relay.contract.model import Schema
from relay.validation.schemas import INTEGER_BOUNDS

Bound = tuple[Fraction, bool]
"""A bound, and True if it is exclusive."""


def number_within(schemas: list[Schema], variant: int, *, is_integer: bool) -> int | float | None:
    """Return a number that satisfies the bounds of all schemas, preferably 0; None if none was found.

    Each `variant` gives another number; it may be out of bounds.
    """
    low = max((one for schema in schemas for one in _bounds(schema, "minimum", 0)), default=None)
    highs = (one for schema in schemas for one in _bounds(schema, "maximum", 1))
    high = min(highs, key=lambda bound: (bound[0], not bound[1]), default=None)
    steps = [Fraction(str(schema["multipleOf"])) for schema in schemas if "multipleOf" in schema]
    steps += [Fraction(1)] if is_integer else []
    numerators, denominators = [one.numerator for one in steps], [one.denominator for one in steps]
    step = Fraction(math.lcm(*numerators), math.gcd(*denominators)) if steps else None
    for start in _starts(low, high, step):
        if (low is None or start > low[0] or (start == low[0] and not low[1])) and (
            high is None or start < high[0] or (start == high[0] and not high[1])
        ):
            number = start + variant * (step or 1)
            return int(number) if number.denominator == 1 else float(number)
    return None


def _bounds(schema: Schema, name: str, side: int) -> Iterator[Bound]:
    if name in schema:
        yield Fraction(str(schema[name])), schema.get(f"exclusive{name.capitalize()}", False)
    if bounds := INTEGER_BOUNDS.get(schema.get("format", "")):
        yield Fraction(bounds[side]), False


def _starts(low: Bound | None, high: Bound | None, step: Fraction | None) -> Iterator[Fraction]:
    """Yield candidates, the simplest first: multiples of the step, else numbers near the bounds."""
    yield Fraction(0)
    for bound, towards in ((low, math.ceil), (high, math.floor)):
        if bound is not None:
            nearest = bound[0] if step is None else towards(bound[0] / step) * step
            yield from (nearest, nearest + (step or 1), nearest - (step or 1))
    if step is None and low is not None and high is not None:
        yield (low[0] + high[0]) / 2
