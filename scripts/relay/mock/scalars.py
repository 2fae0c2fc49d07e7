"""Builds texts and numbers for schemas; each `variant` gives another one."""

from __future__ import annotations

import datetime as dt
import math
import quopri
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

from relay.contract.json_text import json_bytes
from relay.contract.model import Schema
from relay.validation import media_types as media
from relay.validation.contents import ENCODERS
from relay.validation.schemas import INTEGER_BOUNDS

from .files import file_of
from .judging import Builder
from .pattern_text import NoText, matching
from .schema_parts import NoSample, SchemaPart, Target, TooLarge, highest, lowest

MAX_LENGTH = 10_000  # characters of one string

_WORDS = frozenset(("pattern", "format", "contentEncoding", "contentMediaType"))
_DAY = dt.date(2024, 1, 1)
_ENCODERS = {**ENCODERS, "quoted-printable": quopri.encodestring}  # by others, a text stays as it is


def write_text(target: Target, builder: Builder) -> str:
    """Return a text. Raises NoSample and TooLarge."""
    least = highest(target.parts, "minLength")
    if least > MAX_LENGTH:
        raise TooLarge
    plain = _of_length(least, lowest(target.parts, "maxLength"), target.variant)
    if all(_WORDS.isdisjoint(part.schema) for part in target.parts):
        return plain
    accepts = builder.schemas.judge(target.given)
    for text in _texts(target, least, builder):
        if accepts(text):
            return text
    if accepts(plain):
        return plain
    raise NoSample("no string was found for the pattern or format")


def _texts(target: Target, least: int, builder: Builder) -> Iterator[str]:
    for part in target.parts:
        yield from _contents(part, least, target, builder)
    for part in target.parts:
        if "pattern" in part.schema:
            with suppress(NoText):
                yield from matching(part.schema["pattern"], least, target.variant)
    for part in target.parts:
        yield from _of_format(part.schema.get("format", ""), least, target.variant)


def _contents(part: SchemaPart, least: int, target: Target, builder: Builder) -> Iterator[str]:
    """Yield texts with a document (2020-12 Validation, section 8): a typical, a longer, and an empty one."""
    encoding, media_type = part.schema.get("contentEncoding"), part.schema.get("contentMediaType")
    if encoding is None and media_type is None:
        return
    encode = _ENCODERS.get(str(encoding).lower(), bytes)
    content = _document(part, media_type, target, builder)
    for document in (content, content.ljust(least), b""):
        yield encode(document).decode("utf-8", "replace")


def _document(part: SchemaPart, media_type: Any, target: Target, builder: Builder) -> bytes:
    """Return a document of a media type; JSON is a value of the `contentSchema`."""
    file: bytes | str | None = None
    if isinstance(media_type, str):
        if media.is_json(media_type):
            schema = part.schema.get("contentSchema")
            inner = [] if schema is None else [part.inner(schema, "contentSchema")]
            return json_bytes(builder.value(inner, target.level + 1) if inner else {})
        file = file_of(media.essence(media_type))
    file = _of_length(0, None, target.variant) if file is None else file
    return file.encode() if isinstance(file, str) else file


def _of_length(least: int, most: int | None, variant: int) -> str:
    """Return a string within a length range; each `variant` gives another one if the length allows it."""
    number = str(variant) if variant else ""
    text = "string"[: None if most is None else max(most - len(number), 0)] + number
    return text.ljust(least, "a")[:most]


def _of_format(name: str, least: int, variant: int) -> Iterator[str]:
    """Yield candidates for a format: a typical one, one of length `least`, short ones; the caller validates them."""
    if (write := _WRITERS.get(name)) is not None:
        yield write(variant, 0)
        yield write(variant, least)
    yield from _SHORT.get(name, ())


def _day(variant: int) -> str:
    return (_DAY + dt.timedelta(days=variant)).isoformat()


def _fraction(missing: int) -> str:
    """Return a fraction of a second that adds at least `missing` characters to a time."""
    return "." + "0" * max(missing - 1, 1) if missing > 0 else ""


def _padded(template: str, pad: Callable[[str, int, str], str]) -> Callable[[int, int], str]:
    return lambda variant, least: pad(template.format(variant or ""), least, "a")


_WRITERS: dict[str, Callable[[int, int], str]] = {
    "date": lambda variant, _: _day(variant),
    "date-time": lambda variant, least: f"{_day(variant)}T12:00:00{_fraction(least - 20)}Z",
    "time": lambda variant, _: f"12:00:{variant % 60:02}Z",
    "duration": lambda variant, _: f"P{variant + 1}D",
    "uuid": lambda variant, _: str(uuid.UUID(int=variant + 1, version=4)),
    "ipv4": lambda variant, _: f"192.0.2.{variant % 254 + 1}",
    "ipv6": lambda variant, _: f"2001:db8::{variant + 1:x}",
    "byte": lambda variant, least: b64encode(_of_length(least * 3 // 4, None, variant).encode()).decode(),
    **dict.fromkeys(("email", "idn-email"), _padded("someone{}@example.com", str.rjust)),
    "hostname": _padded("host{}.example.com", str.rjust),
    **dict.fromkeys(("uri", "url", "iri"), _padded("https://example.com/{}", str.ljust)),
    **dict.fromkeys(("uri-reference", "json-pointer"), _padded("/{}", str.ljust)),
    "regex": _padded("a{}", str.ljust),
}
_SHORT = {
    "email": ("a@b.co",),
    "hostname": ("a",),
    "ipv6": ("::", "::1"),
    "uri": ("a:b",),
    "byte": ("",),
    "json-pointer": ("",),
}

Bound = tuple[Fraction, bool]
"""A bound, and True if it is exclusive."""


def number_within(schemas: list[Schema], variant: int, *, is_integer: bool) -> int | float | None:
    """Return a number within all bounds, preferably 0, or None; later variants may be out of bounds."""
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
