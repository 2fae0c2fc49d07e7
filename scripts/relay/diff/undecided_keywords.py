"""Compares keywords of JSON Schema 2020-12 of which only equality is known to break no client."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from relay.validation import media_types as media

from .changes import Difference
from .schema_pair import Comparers, Pair
from .schema_view import Shape, Site

_UNDECIDED: tuple[tuple[tuple[str, ...], str | None], ...] = (
    (("if", "then", "else"), None),
    (("dependentSchemas",), "object"),
    (("dependentRequired",), "object"),
    (("propertyNames",), "object"),
    (("unevaluatedProperties",), "object"),
    (("contains", "minContains", "maxContains"), "array"),
    (("unevaluatedItems",), "array"),
    (("contentMediaType", "contentSchema"), "string"),
)
"""Keywords that belong together, and the type of the values they are for; only equal ones are known to be harmless."""


def compare_undecided(pair: Pair, common: AbstractSet[str], comparers: Comparers) -> Iterator[Difference]:
    """Report keywords that the consumer has differently, for the types that both sides have."""
    for keywords, kind in _UNDECIDED:
        if kind is None or kind in common:
            yield from _undecided(pair, keywords, comparers)


def _undecided(pair: Pair, keywords: tuple[str, ...], comparers: Comparers) -> Iterator[Difference]:
    """Report keywords that the consumer has and the producer has not, or not so."""

    def restricting(shape: Shape) -> list[Site]:
        return [shape.only(part, keywords) for part in shape.parts if _restricts(part, keywords[0], shape)]

    if (
        keywords[0].startswith("unevaluated")
        and pair.producer.has_branches
        and not pair.consumer.has_branches
    ):
        yield from _unevaluated(pair, keywords[0])
        return
    known, required = restricting(pair.producer), restricting(pair.consumer)
    if not all(any(comparers.same(*pair.in_order(other, site)) for other in known) for site in required):
        yield pair.undecided(keywords[0])


def _unevaluated(pair: Pair, keyword: str) -> Iterator[Difference]:
    """Report a keyword of the consumer that does not describe what the producer's branches describe."""
    if any(part.schema.get(keyword, True) is not True for part in pair.consumer.parts):
        yield pair.undecided(keyword)


def _restricts(part: Site, keyword: str, shape: Shape) -> bool:
    """Return True if a part has a keyword that is not compared otherwise."""
    value = part.schema.get(keyword)
    if keyword.startswith("unevaluated"):
        return value is not None and value is not True and shape.has_branches
    if keyword == "contentMediaType":
        return isinstance(value, str) and media.is_json(value)
    return keyword in part.schema
