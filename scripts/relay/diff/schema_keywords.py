"""Compares the keywords of one value: types, null, patterns, formats, contents, and those of which only equality is decided."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace

import jsonschema_rs

from relay.contract.model import ABSENT
from relay.validation import media_types as media
from relay.validation.schemas import INTEGER_BOUNDS

from .bounds_diff import compare_bounds, compare_enum
from .changes import Difference
from .schema_equality import discriminator_values
from .schema_pair import Child, Pair, changed, listed, together
from .schema_view import TYPES, Shape, json_key
from .sites import Site, is_component

# Not validated, or validated as bounds.
_UNCHECKED = frozenset([*INTEGER_BOUNDS, "float", "double", "password", "binary"])

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


def compare_types(pair: Pair) -> Iterator[Difference]:
    """Report types that are no longer accepted, or newly sent."""
    if pair.producer.likely_types - pair.consumer.types:
        old, new = (_named(shape.likely_types) for shape in pair.sides)
        yield pair.narrows("type", f"the type changed from {old} to {new}", "type")


def compare_null(pair: Pair) -> Iterator[Difference]:
    """Report null if it is no longer accepted, or newly sent."""
    is_said = pair.consumer.excludes_all and not pair.producer.is_empty  # of `not`
    any_became_some = pair.producer.likely_types == TYPES != pair.consumer.types
    is_said |= any_became_some and not pair.producer.groups
    if pair.producer.takes_null and not pair.consumer.takes_null and not is_said:
        what = pair.by_direction("null is now rejected", "may now be null")
        found = pair.differs("null-refused", "null-added", what, "nullable")
        is_reference = is_component(found.new[:-1]) and not is_component(found.old[:-1])
        yield replace(found, side="old") if is_reference else found


def compare_values(pair: Pair) -> Iterator[Difference]:
    """Report keywords that became narrower or wider, for the types that both sides have."""
    common = pair.producer.likely_types & pair.consumer.types
    yield from compare_enum(pair)
    yield from compare_bounds(pair, common)
    if "string" in common:
        yield from _patterns(pair)
        yield from _formats(pair)
    is_unique = [any(shape.values("uniqueItems")) for shape in pair.sides]
    if "array" in common and pair.in_order(*is_unique) == (False, True):
        what = changed("uniqueItems", *is_unique)
        yield pair.differs("unique-items-added", "unique-items-dropped", what, "uniqueItems")
    yield from _not(pair)
    yield from _undecided(pair, common)


def compare_notes(pair: Pair) -> Iterator[Difference]:
    """Report changes of `default` and `deprecated`, which do not affect validation."""
    if pair.direction == "request":
        old, new = (next(iter(shape.values("default")), ABSENT) for shape in pair.sides)
        rule = "added" if old is ABSENT else "removed" if new is ABSENT else "changed"
        if (old is ABSENT) != (new is ABSENT) or (old is not ABSENT and json_key(old) != json_key(new)):
            yield pair.differs(f"default-{rule}", "", changed("the default", old, new), "default")
    if any(pair.new.values("deprecated")) and not any(pair.old.values("deprecated")):
        yield pair.differs("property-deprecated", "property-deprecated", "now deprecated", "deprecated")


def compare_discriminators(pair: Pair) -> Iterator[Difference]:
    """Report a discriminator property, or a value of it, that the consumer does not know."""
    sites = [shape.part_with("discriminator") for shape in pair.sides]
    before, after = (one.schema.get("discriminator", {}).get("propertyName", ABSENT) for one in sites)
    name, known_name = pair.in_order(before, after)
    values, known = map(set, pair.in_order(*map(discriminator_values, sites)))
    if known_name is ABSENT or (name == known_name and values <= known):
        return
    what = changed("the discriminator", before, after)
    if name == known_name:
        verb = pair.by_direction("was removed from", "was added to")
        what = f"{listed(sorted(values - known))} {verb} the discriminator {name}"
    yield pair.differs("discriminator-changed", "discriminator-changed", what, "discriminator")


def compare_contents(pair: Pair) -> Iterator[Difference | Child]:
    """Yield the schemas of JSON in texts, or that only one side has JSON; other media types are not checked."""
    known, required = (
        [
            (str(part.schema.get("contentEncoding", "")).lower(), part.child("contentSchema"))
            for part in shape.parts
            if media.is_json(str(part.schema.get("contentMediaType", "")))
        ]
        for shape in (pair.producer, pair.consumer)
    )
    for encoding, schema in required:
        if same := tuple(other for one, other in known if one == encoding):
            yield pair.child(same, (schema,))
        else:
            yield pair.undecided("contentEncoding" if known else "contentMediaType")


def _patterns(pair: Pair) -> Iterator[Difference]:
    new = set(pair.consumer.values("pattern")) - set(pair.producer.values("pattern"))
    if new and not _match_all(pair.producer, new):
        what = changed("pattern", *(together(shape.values("pattern")) for shape in pair.sides))
        yield pair.narrows("pattern", what, "pattern")


def _match_all(producer: Shape, patterns: set[str]) -> bool:
    """Return True if the producer has only listed values, and the strings among them match all patterns."""
    if producer.listed is None:
        return False
    texts = [value for value in producer.listed.values() if isinstance(value, str)]
    schema = {"type": "array", "items": {"allOf": [{"pattern": pattern} for pattern in sorted(patterns)]}}
    try:
        return jsonschema_rs.Draft4Validator(schema).is_valid(texts)
    except ValueError:  # a pattern that the engine does not take
        return False


def _formats(pair: Pair) -> Iterator[Difference]:
    """Report formats; the encoding of a content is one, which 3.0 calls `byte`."""
    encodings = [shape.values("contentEncoding") for shape in pair.sides]
    formats = [
        [
            *shape.values("format"),
            *("byte" if str(one).lower() == "base64" else str(one).lower() for one in own),
        ]
        for shape, own in zip(pair.sides, encodings, strict=True)
    ]
    known, required = pair.in_order(*map(set, formats))
    if required - known - _UNCHECKED:
        are_encodings = not any(shape.values("format") for shape in pair.sides)
        keyword = "contentEncoding" if are_encodings else "format"
        what = changed(keyword, *map(together, encodings if are_encodings else formats))
        yield pair.narrows("format", what, keyword)


def _not(pair: Pair) -> Iterator[Difference]:
    known, required = (
        [part.child("not") for part in shape.having("not")] for shape in (pair.producer, pair.consumer)
    )
    if not pair.are_among(required, known):
        what = "the values excluded by `not` changed"
        if pair.consumer.excludes_all:
            what = pair.by_direction("no value is accepted now", "may now have a value")
        yield pair.narrows("not", what, "not")


def _undecided(pair: Pair, common: AbstractSet[str]) -> Iterator[Difference]:
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


def _named(types: frozenset[str]) -> str:
    if types == TYPES:
        return "any"
    words = {"number" if name == "fraction" else name for name in types}
    return " or ".join(sorted(words - {"integer"} if "fraction" in types else words)) or "none"
