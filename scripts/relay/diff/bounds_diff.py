"""Compares enums, and the bounds of numbers, lengths and counts."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from relay.contract.model import ABSENT
from relay.validation.schemas import INTEGER_BOUNDS

from .changes import Difference
from .schema_pair import Pair, changed, listed, together
from .schema_view import Shape


class _Bound(NamedTuple):
    """The rule of a keyword, and the types of JSON and of Python that it is for."""

    rule: str
    types: frozenset[str]
    kinds: Any


_NUMBERS = frozenset(["integer", "fraction"])
_OBJECTS = frozenset(["object"])
_BOUNDS = {
    **dict.fromkeys(("minimum", "maximum"), _Bound("range", _NUMBERS, (int, float))),
    **dict.fromkeys(("minLength", "maxLength"), _Bound("length", frozenset(["string"]), str)),
    **dict.fromkeys(("minItems", "maxItems"), _Bound("items", frozenset(["array"]), list)),
    **dict.fromkeys(("minProperties", "maxProperties"), _Bound("property-count", _OBJECTS, dict)),
}


class _Limit(NamedTuple):
    """A bound multiplied by its sign, so that a greater one is stricter."""

    signed: Any
    is_exclusive: bool


def compare_enum(pair: Pair) -> Iterator[Difference]:
    """Report values that are no longer accepted, or newly sent."""
    values, known = pair.producer.listed, pair.consumer.enum
    if known is None or (values is not None and values.keys() <= known.keys()):
        return
    if values is None or pair.producer.enum is None:
        verb = pair.by_direction("now limited to", "no longer limited to")
        yield pair.differs("enum-added", "enum-dropped", f"{verb} {listed(known.values())}", "enum")
    else:
        unknown = listed(value for key, value in values.items() if key not in known)
        verb = pair.by_direction("is now rejected", "may now be sent")
        yield pair.differs("enum-value-removed", "enum-value-added", f"{unknown} {verb}", "enum")


def compare_bounds(pair: Pair, common: AbstractSet[str]) -> Iterator[Difference]:
    """Report bounds that became narrower, for the types that both sides have."""
    for keyword, bound in _BOUNDS.items():
        if common & bound.types:
            yield from _bound(pair, bound.rule, keyword)
    if common & _NUMBERS:
        yield from _multiples(pair, is_integer="fraction" not in common)


def _bound(pair: Pair, rule: str, keyword: str) -> Iterator[Difference]:
    sign = -1 if keyword.startswith("max") else 1
    old, new = (_limit(shape, keyword, sign) for shape in pair.sides)
    producer, consumer = pair.in_order(old, new)
    if consumer is None or _are_all_within(pair.producer, keyword, sign, consumer):
        return
    if producer is None or producer < consumer:
        words = [_written(keyword, *one) for one in zip(pair.sides, (old, new), strict=True)]
        named = {word for word, limit in zip(words, (old, new), strict=True) if limit is not None}
        values = (ABSENT if limit is None else sign * limit.signed for limit in (old, new))
        what = changed(named.pop() if len(named) == 1 else keyword, *values)
        if old and new and old.is_exclusive != new.is_exclusive:
            what += f", now {'exclusive' if new.is_exclusive else 'inclusive'}"
        formats = [together(shape.values("format")) for shape in pair.sides]
        if rule == "range" and formats[0] != formats[1]:
            what += f", because {changed('the format', *formats)}"
        found = pair.narrows(rule, what, keyword)
        yield replace(found, old=(*found.old[:-1], words[0]), new=(*found.new[:-1], words[1]))


def _written(keyword: str, shape: Shape, limit: _Limit | None) -> str:
    """Return the keyword of a bound as the contract has it: 3.0 says in another one that it is exclusive."""
    is_number = shape.is_modern and limit is not None and limit.is_exclusive
    return f"exclusive{keyword.capitalize()}" if is_number else keyword


def _are_all_within(producer: Shape, keyword: str, sign: int, limit: _Limit) -> bool:
    """Return True if the producer has only listed values, and none is outside of a bound of the consumer."""
    if producer.listed is None:
        return False
    kinds = _BOUNDS[keyword].kinds
    listed = producer.listed.values()
    bounded = [one for one in listed if isinstance(one, kinds) and not isinstance(one, bool)]
    sizes = [sign * (one if isinstance(one, int | float) else len(one)) for one in bounded]
    return all(size > limit.signed or (size == limit.signed and not limit.is_exclusive) for size in sizes)


def _limit(shape: Shape, keyword: str, sign: int) -> _Limit | None:
    """Return the strictest bound of a keyword; a minimum size of 0 is not a bound."""
    exclusive = f"exclusive{keyword.capitalize()}"
    limits = [
        _Limit(sign * part.schema[keyword], part.schema.get(exclusive) is True)
        for part in shape.having(keyword)
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
        values = pair.producer.listed.values()
        numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
        consumer = [step for step in consumer if any(Fraction(str(one)) % step for one in numbers)]
    if any(all(own % step for own in producer) for step in consumer):
        what = changed("multipleOf", *(together(shape.values("multipleOf")) for shape in pair.sides))
        yield pair.narrows("multiple", what, "multipleOf")
