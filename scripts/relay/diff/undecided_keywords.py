"""Compares keywords of JSON Schema 2020-12 of which only equality is known to break no client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet

from .changes import Difference
from .schema_pair import Comparers, Pair
from .schema_view import Shape
from .sites import Site

_UNDECIDED: tuple[tuple[tuple[str, ...], str | None], ...] = (
    (("if", "then", "else"), None),
    (("dependentSchemas",), "object"),
    (("dependentRequired",), "object"),
    (("propertyNames",), "object"),
    (("unevaluatedProperties",), "object"),
    (("contains", "minContains", "maxContains"), "array"),
    (("unevaluatedItems",), "array"),
)
"""Keywords that belong together, and the type of the values they are for; only equal ones are known to be harmless."""

_BRANCHES = (("if", "then", "else"), ("dependentSchemas",), ("contains",))
"""Keywords that may describe more properties or items of a value, apart from alternatives."""


def compare_undecided(pair: Pair, common: AbstractSet[str], comparers: Comparers) -> Iterator[Difference]:
    """Report keywords that the consumer has differently, for the types that both sides have."""
    for keywords, kind in _UNDECIDED:
        if kind is None or kind in common:
            yield from _undecided(pair, keywords, comparers)


def _undecided(pair: Pair, keywords: tuple[str, ...], comparers: Comparers) -> Iterator[Difference]:
    """Report keywords that the consumer has and the producer has not, or not so."""
    keyword = keywords[0]
    if keyword.startswith("unevaluated"):
        is_known = _is_unevaluated_known(pair, keyword, comparers)
    else:
        known, required = _sites(pair.producer, keywords), _sites(pair.consumer, keywords)
        is_known = _are_among(required, known, _same(pair, comparers))
    if not is_known:
        yield pair.undecided(keyword)


def _is_unevaluated_known(pair: Pair, keyword: str, comparers: Comparers) -> bool:
    """Return True if all that the consumer evaluates in branches refuses no more than before.

    Without branches, the keyword is compared as the schema of all other properties or items.
    """
    same = _same(pair, comparers)
    known = [scope.site for scope in pair.producer.scopes(keyword)]
    words = [pair.producer.only(site, [keyword]) for site in known]
    required = [scope for scope in pair.consumer.scopes(keyword) if scope.has_branches]
    inner = [scope.site for scope in required if len(scope.parts) < len(pair.consumer.parts)]
    outer = [pair.consumer.only(scope.site, [keyword]) for scope in required if scope.site not in inner]
    is_as_open = not outer or _describes_as_much(pair, keyword, comparers)
    return _are_among(inner, known, same) and _are_among(outer, words, same) and is_as_open


def _same(pair: Pair, comparers: Comparers) -> Callable[[Site, Site], bool]:
    """Return a function that compares a site of the consumer with one of the producer."""
    return lambda site, other: comparers.same(*pair.in_order(other, site))


def _sites(shape: Shape, keywords: tuple[str, ...]) -> list[Site]:
    """Return the parts that have the first of some keywords, with these keywords only."""
    return [shape.only(part, keywords) for part in shape.parts if _restricts(part, keywords[0])]


def _are_among(sites: list[Site], others: list[Site], same: Callable[[Site, Site], bool]) -> bool:
    return all(any(same(site, other) for other in others) for site in sites)


def _describes_as_much(pair: Pair, keyword: str, comparers: Comparers) -> bool:
    """Return True if the consumer describes each property or item that the producer describes."""
    producer, consumer = pair.producer, pair.consumer
    if keyword == "unevaluatedItems":
        is_described = bool(consumer.values("items")) or (
            producer.prefix <= consumer.prefix and not producer.values("items")
        )
    else:
        is_described = bool(consumer.values("additionalProperties")) or (
            producer.properties.keys() <= consumer.properties.keys()
            and _patterns(producer) <= _patterns(consumer)
            and not producer.values("additionalProperties")
        )

    def same(site: Site, other: Site) -> bool:
        return comparers.same(*pair.in_order(site, other))

    return (
        is_described
        and (bool(consumer.groups) or not producer.groups)
        and all(_are_among(_having(producer, words), _having(consumer, words), same) for words in _BRANCHES)
    )


def _patterns(shape: Shape) -> set[str]:
    return {pattern for schemas in shape.values("patternProperties") for pattern in schemas}


def _having(shape: Shape, keywords: tuple[str, ...]) -> list[Site]:
    return [shape.only(part, keywords) for part in shape.parts if keywords[0] in part.schema]


def _restricts(part: Site, keyword: str) -> bool:
    """Return True if a part has a keyword that is not compared otherwise."""
    value = part.schema.get(keyword)
    if keyword == "contains":
        return value is not None and (part.schema.get("minContains") != 0 or "maxContains" in part.schema)
    return keyword in part.schema
