"""Compares the keywords of one value: types, null, enums, bounds, patterns and formats."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import jsonschema_rs

from relay.contract.documents import Pointer
from relay.contract.model import ABSENT
from relay.validation.schemas import INTEGER_BOUNDS

from .changes import Difference
from .schema_equality import discriminator_values
from .schema_pair import Comparers, Pair
from .schema_view import TYPES, Shape, View, json_key
from .undecided_keywords import compare_undecided

_UNCHECKED = frozenset(
    [*INTEGER_BOUNDS, "float", "double", "password", "binary"]
)  # not validated, or validated as bounds


class _Sizes(NamedTuple):
    type: str
    rule: str
    least: str
    most: str


_SIZES = [
    _Sizes("string", "length", "minLength", "maxLength"),
    _Sizes("array", "items", "minItems", "maxItems"),
    _Sizes("object", "property-count", "minProperties", "maxProperties"),
]


_SIZED: dict[str, Any] = {
    **dict.fromkeys(("minimum", "maximum"), (int, float)),
    **dict.fromkeys(("minLength", "maxLength"), str),
    **dict.fromkeys(("minItems", "maxItems"), list),
    **dict.fromkeys(("minProperties", "maxProperties"), dict),
}
"""The values that a bound applies to."""


def compare_types(pair: Pair) -> Iterator[Difference]:
    """Report types that are no longer accepted, or newly sent."""
    if pair.producer.likely_types - pair.consumer.types:
        old, new = (_named(shape.likely_types) for shape in (pair.old, pair.new))
        yield pair.differs("type-narrowed", "type-widened", f"the type changed from {old} to {new}", "type")


def compare_null(pair: Pair) -> Iterator[Difference]:
    """Report null if it is no longer accepted, or newly sent."""
    is_said = pair.consumer.excludes_all and not pair.producer.is_empty  # of `not`
    any_became_some = pair.producer.likely_types == TYPES != pair.consumer.types
    is_said |= any_became_some and not pair.producer.groups
    if pair.producer.takes_null and not pair.consumer.takes_null and not is_said:
        what = "null is now rejected" if pair.direction == "request" else "may now be null"
        found = pair.differs("null-refused", "null-added", what, "nullable")
        is_reference = _is_component(found.new[:-1]) and not _is_component(found.old[:-1])
        yield replace(found, side="old") if is_reference else found


def _is_component(pointer: Pointer) -> bool:
    return pointer[:2] == ("components", "schemas") and len(pointer) == 3


def compare_values(pair: Pair, comparers: Comparers) -> Iterator[Difference]:
    """Report keywords that became narrower or wider, for the types that both sides have."""
    common = pair.producer.likely_types & pair.consumer.types
    yield from _enum(pair)
    if common & {"integer", "fraction"}:
        yield from _bound(pair, "range", "minimum")
        yield from _bound(pair, "range", "maximum")
        yield from _multiples(pair, is_integer="fraction" not in common)
    for type_, rule, least, most in _SIZES:
        if type_ in common:
            yield from _bound(pair, rule, least)
            yield from _bound(pair, rule, most)
    if "string" in common:
        yield from _texts(pair)
    if "array" in common and _is_unique(pair.consumer) and not _is_unique(pair.producer):
        yield pair.differs(
            "unique-items-added",
            "unique-items-dropped",
            _changed("uniqueItems", *map(_is_unique, _sides(pair))),
            "uniqueItems",
        )
    yield from _not(pair, comparers)
    yield from compare_undecided(pair, common, comparers)


def compare_notes(pair: Pair) -> Iterator[Difference]:
    """Report changes of `default` and `deprecated`, which do not affect validation."""
    if pair.direction == "request":
        old, new = (next(iter(shape.values("default")), ABSENT) for shape in _sides(pair))
        rule = "added" if old is ABSENT else "removed" if new is ABSENT else "changed"
        if (old is ABSENT) != (new is ABSENT) or (old is not ABSENT and json_key(old) != json_key(new)):
            yield pair.differs(f"default-{rule}", "", _changed("the default", old, new), "default")
    if any(pair.new.values("deprecated")) and not any(pair.old.values("deprecated")):
        yield pair.differs("property-deprecated", "property-deprecated", "now deprecated", "deprecated")


def compare_discriminators(pair: Pair, old: View, new: View) -> Iterator[Difference]:
    """Report a discriminator property, or a value of it, that the consumer does not know."""
    before, after = _discriminator(pair.old, old), _discriminator(pair.new, new)
    (name, values), (known_name, known) = pair.in_order(before, after)
    if known_name is ABSENT:
        return
    unknown = sorted(values - known)
    if name != known_name:
        what = _changed("the discriminator", before[0], after[0])
    elif unknown:
        verb = "was removed from" if pair.direction == "request" else "was added to"
        what = f"{_listed(unknown)} {verb} the discriminator {name}"
    else:
        return
    yield pair.differs("discriminator-changed", "discriminator-changed", what, "discriminator")


def _discriminator(shape: Shape, view: View) -> tuple[Any, set[str]]:
    """Return the discriminator's property, or ABSENT, and its values."""
    site = shape.part_with("discriminator")
    name = site.schema.get("discriminator", {}).get("propertyName", ABSENT)
    return name, set(discriminator_values(view, site))


def _sides(pair: Pair) -> tuple[Shape, Shape]:
    return pair.old, pair.new


def _enum(pair: Pair) -> Iterator[Difference]:
    values, known = pair.producer.listed, pair.consumer.enum
    if known is None or (values is not None and values.keys() <= known.keys()):
        return
    if values is None or pair.producer.enum is None:
        verb = "now limited to" if pair.direction == "request" else "no longer limited to"
        yield pair.differs("enum-added", "enum-dropped", f"{verb} {_listed(known.values())}", "enum")
    else:
        unknown = [value for key, value in values.items() if key not in known]
        verb = "is now rejected" if pair.direction == "request" else "may now be sent"
        yield pair.differs("enum-value-removed", "enum-value-added", f"{_listed(unknown)} {verb}", "enum")


class _Limit(NamedTuple):
    """A bound multiplied by its sign, so that a greater one is stricter."""

    signed: Any
    is_exclusive: bool


def _bound(pair: Pair, rule: str, keyword: str) -> Iterator[Difference]:
    sign = -1 if keyword.startswith("max") else 1
    old, new = (_limit(shape, keyword, sign) for shape in _sides(pair))
    producer, consumer = pair.in_order(old, new)
    if consumer is None or _are_all_within(pair.producer, keyword, sign, consumer):
        return
    if producer is None or producer < consumer:
        words = [_written(keyword, *one) for one in zip(_sides(pair), (old, new), strict=True)]
        named = {word for word, limit in zip(words, (old, new), strict=True) if limit is not None}
        values = (ABSENT if limit is None else sign * limit.signed for limit in (old, new))
        what = _changed(named.pop() if len(named) == 1 else keyword, *values)
        if old and new and old.is_exclusive != new.is_exclusive:
            what += f", now {'exclusive' if new.is_exclusive else 'inclusive'}"
        formats = [_all_of(shape, "format") for shape in _sides(pair)]
        if rule == "range" and formats[0] != formats[1]:
            what += f", because {_changed('the format', *formats)}"
        found = pair.differs(f"{rule}-narrowed", f"{rule}-widened", what, keyword)
        yield replace(found, old=(*found.old[:-1], words[0]), new=(*found.new[:-1], words[1]))


def _written(keyword: str, shape: Shape, limit: _Limit | None) -> str:
    """Return the keyword of a bound as the contract has it: 3.0 says in another one that it is exclusive."""
    is_number = shape.is_modern and limit is not None and limit.is_exclusive
    return f"exclusive{keyword.capitalize()}" if is_number else keyword


def _are_all_within(producer: Shape, keyword: str, sign: int, limit: _Limit) -> bool:
    """Return True if the producer has only listed values, and none is outside of a bound of the consumer."""
    if producer.listed is None:
        return False
    sizes = [size for value in producer.listed.values() if (size := _size(value, keyword)) is not None]
    return all(
        sign * size > limit.signed or (sign * size == limit.signed and not limit.is_exclusive)
        for size in sizes
    )


def _size(value: Any, keyword: str) -> int | float | None:
    """Return what a bound limits of a value; None for a value that the bound does not apply to."""
    if isinstance(value, bool) or not isinstance(value, _SIZED[keyword]):
        return None
    return value if isinstance(value, int | float) else len(value)


def _limit(shape: Shape, keyword: str, sign: int) -> _Limit | None:
    """Return the strictest bound of a keyword; a minimum size of 0 is not a bound."""
    exclusive = f"exclusive{keyword.capitalize()}"
    limits = [
        _Limit(sign * part.schema[keyword], part.schema.get(exclusive) is True)
        for part in shape.parts
        if keyword in part.schema
    ]
    if keyword in ("minimum", "maximum"):
        ends = [INTEGER_BOUNDS[name] for name in shape.values("format") if name in INTEGER_BOUNDS]
        limits += [_Limit(sign * (low if sign > 0 else high), is_exclusive=False) for low, high in ends]
    elif sign > 0:
        limits = [limit for limit in limits if limit.signed > 0]
    return max(limits, default=None)


def _multiples(pair: Pair, *, is_integer: bool) -> Iterator[Difference]:
    producer, consumer = (
        [Fraction(str(step)) for step in shape.values("multipleOf")]
        for shape in (pair.producer, pair.consumer)
    )
    if is_integer:
        producer.append(Fraction(1))
    if pair.producer.listed is not None:
        numbers = [
            value
            for value in pair.producer.listed.values()
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        consumer = [step for step in consumer if any(Fraction(str(value)) % step for value in numbers)]
    if any(all(own % step for own in producer) for step in consumer):
        values = (_all_of(shape, "multipleOf") for shape in _sides(pair))
        yield pair.differs(
            "multiple-narrowed", "multiple-widened", _changed("multipleOf", *values), "multipleOf"
        )


def _texts(pair: Pair) -> Iterator[Difference]:
    for keyword, unchecked in (("pattern", frozenset[str]()), ("format", _UNCHECKED)):
        read = _formats if keyword == "format" else _patterns
        new = set(read(pair.consumer)) - set(read(pair.producer)) - unchecked
        if new and not (keyword == "pattern" and _match_all(pair.producer, new)):
            written = _written_format(pair) if keyword == "format" else keyword
            values = (
                _all_of(shape, written) if written == "contentEncoding" else _together(read(shape))
                for shape in _sides(pair)
            )
            yield pair.differs(
                f"{keyword}-narrowed", f"{keyword}-widened", _changed(written, *values), written
            )


def _written_format(pair: Pair) -> str:
    """Return the keyword of formats that are all encodings of contents."""
    has_format = any(shape.values("format") for shape in _sides(pair))
    return "format" if has_format else "contentEncoding"


def _patterns(shape: Shape) -> list[Any]:
    return shape.values("pattern")


def _formats(shape: Shape) -> list[Any]:
    """Return the formats; the encoding of a content is one, which 3.0 calls `byte`."""
    encodings = [str(one).lower() for one in shape.values("contentEncoding")]
    return [*shape.values("format"), *("byte" if one == "base64" else one for one in encodings)]


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


def _is_unique(shape: Shape) -> bool:
    return any(shape.values("uniqueItems"))


def _not(pair: Pair, comparers: Comparers) -> Iterator[Difference]:
    def excluded(shape: Shape) -> list[Any]:
        return [shape.inner(part, "not") for part in shape.parts if "not" in part.schema]

    known, required = (excluded(shape) for shape in (pair.producer, pair.consumer))
    if not all(any(comparers.same(*pair.in_order(other, site)) for other in known) for site in required):
        what = "the values excluded by `not` changed"
        if pair.consumer.excludes_all:
            what = "no value is accepted now" if pair.direction == "request" else "may now have a value"
        yield pair.differs("not-narrowed", "not-widened", what, "not")


def _all_of(shape: Shape, keyword: str) -> Any:
    return _together(shape.values(keyword))


def _together(values: list[Any]) -> Any:
    return " and ".join(map(str, values)) if len(values) > 1 else values[0] if values else ABSENT


def _changed(what: str, old: Any, new: Any) -> str:
    if old is ABSENT:
        return f"{what} {_shown(new)} was added"
    if new is ABSENT:
        return f"{what} {_shown(old)} was removed"
    return f"{what} changed from {_shown(old)} to {_shown(new)}"


def _shown(value: Any) -> str:
    """Return a value as JSON, truncated to 60 characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _listed(values: Iterable[Any]) -> str:
    shown = [_shown(value) for value in values]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


def _named(types: frozenset[str]) -> str:
    if types == TYPES:
        return "any"
    words = {"number" if name == "fraction" else name for name in types}
    return " or ".join(sorted(words - {"integer"} if "fraction" in types else words)) or "none"
