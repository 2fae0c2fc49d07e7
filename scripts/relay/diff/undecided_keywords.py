"""Compares keywords of JSON Schema 2020-12 of which only equality is known to break no client."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from .changes import Difference
from .schema_pair import Pair
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


def compare_undecided(pair: Pair, common: AbstractSet[str]) -> Iterator[Difference]:
    """Report keywords that the consumer has and the producer has not, or not so, for the types that both have."""
    for keywords, kind in _UNDECIDED:
        if kind is not None and kind not in common:
            continue
        if keywords[0].startswith("unevaluated"):
            is_known = _is_unevaluated_known(pair, keywords[0])
        else:
            required = [
                one
                for one in _having(pair.consumer, keywords)
                if one.schema.get("minContains") != 0 or "maxContains" in one.schema  # else no item is needed
            ]
            is_known = pair.are_among(required, _having(pair.producer, keywords))
        if not is_known:
            yield pair.undecided(keywords[0])


def _is_unevaluated_known(pair: Pair, keyword: str) -> bool:
    """Return True if branches evaluate no less; without them, the keyword is the schema of all others."""
    known = [scope.site for scope in pair.producer.scopes(keyword)]
    required = [scope for scope in pair.consumer.scopes(keyword) if scope.has_branches]
    inner = [scope.site for scope in required if len(scope.parts) < len(pair.consumer.parts)]
    outer = [scope.site.only(keyword) for scope in required if scope.site not in inner]
    return (
        pair.are_among(inner, known)
        and pair.are_among(outer, [site.only(keyword) for site in known])
        and (not outer or _describes_as_much(pair, keyword))
    )


def _describes_as_much(pair: Pair, keyword: str) -> bool:
    """Return True if the consumer describes each property or item that the producer describes."""
    producer, consumer = pair.producer, pair.consumer
    if keyword == "unevaluatedItems":
        rest, is_described = "items", producer.prefix <= consumer.prefix
    else:
        names = producer.properties.keys() <= consumer.properties.keys()
        rest, is_described = (
            "additionalProperties",
            names and producer.patterns.keys() <= consumer.patterns.keys(),
        )
    return (
        (bool(consumer.having(rest)) or (is_described and not producer.having(rest)))
        and (bool(consumer.groups) or not producer.groups)
        and all(
            any(pair.same(branch, other) for other in _having(consumer, words))
            for words in _BRANCHES
            for branch in _having(producer, words)
        )
    )


def _having(shape: Shape, keywords: tuple[str, ...]) -> list[Site]:
    """Return the parts that have the first of some keywords, with these keywords only."""
    return [part.only(*keywords) for part in shape.having(keywords[0])]
