"""Builds a text for schemas: of their contents, patterns, formats and lengths."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from .content_text import content_texts
from .pattern_text import NoText, matching
from .schema_parts import NoSample, highest, lowest
from .strings import of_format, of_length
from .targets import Builder, Target, TooLarge

MAX_LENGTH = 10_000  # characters of one string

_WORDS = frozenset(("pattern", "format", "contentEncoding", "contentMediaType"))


def write_text(target: Target, builder: Builder) -> str:
    """Return a text. Raises NoSample and TooLarge."""
    least = highest(target.parts, "minLength")
    if least > MAX_LENGTH:
        raise TooLarge
    plain = of_length(least, lowest(target.parts, "maxLength"), target.variant)
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
    """Yield texts for the contents, the patterns and the formats of the schemas."""
    for part in target.parts:
        yield from content_texts(
            part, least, target.variant, lambda given: builder.value(given, target.level + 1)
        )
    schemas = [part.schema for part in target.parts]
    for schema in schemas:
        if "pattern" in schema:
            with suppress(NoText):
                yield from matching(schema["pattern"], least, target.variant)
    for schema in schemas:
        if "format" in schema:
            yield from of_format(schema["format"], least, target.variant)
