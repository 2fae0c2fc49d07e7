"""Types, null, enums, bounds: what a schema says of a value by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from relay.contract.model import ABSENT

from .changes import Difference
from .schema_equality import discriminator_values
from .schema_pair import Comparers, Pair
from .schema_view import TYPES, Shape, View, json_key

_INTEGERS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_UNCHECKED = frozenset([*_INTEGERS, "float", "double", "password", "binary"])  # or checked as bounds


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


def compare_types(pair: Pair) -> Iterator[Difference]:
    """Tell of types that are no longer let in, or now let out."""
    if pair.fitting.likely_types - pair.accepting.types:
        old, new = (_named(shape.likely_types) for shape in (pair.old, pair.new))
        yield pair.differs("type-narrowed", "type-widened", f"the type goes from {old} to {new}", "type")


def compare_null(pair: Pair) -> Iterator[Difference]:
    """Tell of null that is no longer let in, or now let out."""
    if pair.fitting.takes_null and not pair.accepting.takes_null:
        what = "null is refused now" if pair.direction == "request" else "it may be null now"
        yield pair.differs("null-refused", "null-added", what, "nullable")


def compare_values(pair: Pair, comparers: Comparers) -> Iterator[Difference]:
    """Tell of what is narrower, or wider, for types that both sides know."""
    common = pair.fitting.likely_types & pair.accepting.types
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
    if "array" in common and _is_unique(pair.accepting) and not _is_unique(pair.fitting):
        yield pair.differs(
            "unique-items-added",
            "unique-items-dropped",
            _goes("uniqueItems", *map(_is_unique, _sides(pair))),
            "uniqueItems",
        )
    yield from _not(pair, comparers)


def compare_notes(pair: Pair) -> Iterator[Difference]:
    """Tell of defaults and deprecation, which validate nothing."""
    if pair.direction == "request":
        old, new = (next(iter(shape.values("default")), ABSENT) for shape in _sides(pair))
        rule = "added" if old is ABSENT else "removed" if new is ABSENT else "changed"
        if (old is ABSENT) != (new is ABSENT) or (old is not ABSENT and json_key(old) != json_key(new)):
            yield pair.differs(f"default-{rule}", "", _goes("the default", old, new), "default")
    if any(pair.new.values("deprecated")) and not any(pair.old.values("deprecated")):
        yield pair.differs("property-deprecated", "property-deprecated", "it is deprecated", "deprecated")


def compare_discriminators(pair: Pair, old: View, new: View) -> Iterator[Difference]:
    """Tell of a property that tells alternatives apart, or of a value of it, that the other side does not know."""
    was, now = _told_apart(pair.old, old), _told_apart(pair.new, new)
    (name, values), (known_name, known) = pair.in_order(was, now)
    if known_name is ABSENT:
        return
    lost = sorted(values - known)
    if name != known_name:
        what = _goes("the discriminator", was[0], now[0])
    elif lost:
        told = "is no longer known to" if pair.direction == "request" else "is new to"
        what = f"{_listed(lost)} {told} the discriminator {name}"
    else:
        return
    yield pair.differs("discriminator-changed", "discriminator-changed", what, "discriminator")


def _told_apart(shape: Shape, view: View) -> tuple[Any, set[str]]:
    """Return the property that tells alternatives apart, or ABSENT, and its values."""
    site = shape.having("discriminator")
    name = site.schema.get("discriminator", {}).get("propertyName", ABSENT)
    return name, set(discriminator_values(view, site))


def _sides(pair: Pair) -> tuple[Shape, Shape]:
    return pair.old, pair.new


def _enum(pair: Pair) -> Iterator[Difference]:
    values, known = pair.fitting.enum, pair.accepting.enum
    if known is None:
        return
    if values is None:
        told = "only" if pair.direction == "request" else "no longer only"
        yield pair.differs("enum-added", "enum-dropped", f"it is {told} {_listed(known.values())}", "enum")
    elif lost := [value for key, value in values.items() if key not in known]:
        told = "is refused now" if pair.direction == "request" else "may come now"
        yield pair.differs("enum-value-removed", "enum-value-added", f"{_listed(lost)} {told}", "enum")


class _Limit(NamedTuple):
    """A bound times its sign, so that a greater one is stricter."""

    signed: Any
    is_exclusive: bool


def _bound(pair: Pair, rule: str, keyword: str) -> Iterator[Difference]:
    sign = -1 if keyword.startswith("max") else 1
    old, new = (_limit(shape, keyword, sign) for shape in _sides(pair))
    fitting, accepting = pair.in_order(old, new)
    if accepting is not None and (fitting is None or fitting < accepting):
        what = _goes(keyword, *(ABSENT if limit is None else sign * limit.signed for limit in (old, new)))
        if old and new and old.is_exclusive != new.is_exclusive:
            what += f", {'exclusive' if new.is_exclusive else 'inclusive'} now"
        formats = [_all_of(shape, "format") for shape in _sides(pair)]
        if rule == "range" and formats[0] != formats[1]:
            what += f", as {_goes('the format', *formats)}"
        yield pair.differs(f"{rule}-narrowed", f"{rule}-widened", what, keyword)


def _limit(shape: Shape, keyword: str, sign: int) -> _Limit | None:
    """Return the strictest bound of a kind; a least size of 0 is none."""
    exclusive = f"exclusive{keyword.capitalize()}"
    limits = [
        _Limit(sign * part.schema[keyword], part.schema.get(exclusive) is True)
        for part in shape.parts
        if keyword in part.schema
    ]
    if keyword in ("minimum", "maximum"):
        ends = [_INTEGERS[name] for name in shape.values("format") if name in _INTEGERS]
        limits += [_Limit(sign * (low if sign > 0 else high), is_exclusive=False) for low, high in ends]
    elif sign > 0:
        limits = [limit for limit in limits if limit.signed > 0]
    return max(limits, default=None)


def _multiples(pair: Pair, *, is_integer: bool) -> Iterator[Difference]:
    fitting, accepting = (
        [Fraction(str(step)) for step in shape.values("multipleOf")]
        for shape in (pair.fitting, pair.accepting)
    )
    if is_integer:
        fitting.append(Fraction(1))
    if any(all(own % step for own in fitting) for step in accepting):
        told = (_all_of(shape, "multipleOf") for shape in _sides(pair))
        yield pair.differs("multiple-narrowed", "multiple-widened", _goes("multipleOf", *told), "multipleOf")


def _texts(pair: Pair) -> Iterator[Difference]:
    for keyword, unchecked in (("pattern", frozenset[str]()), ("format", _UNCHECKED)):
        if set(pair.accepting.values(keyword)) - set(pair.fitting.values(keyword)) - unchecked:
            told = (_all_of(shape, keyword) for shape in _sides(pair))
            yield pair.differs(f"{keyword}-narrowed", f"{keyword}-widened", _goes(keyword, *told), keyword)


def _is_unique(shape: Shape) -> bool:
    return any(shape.values("uniqueItems"))


def _not(pair: Pair, comparers: Comparers) -> Iterator[Difference]:
    def kept_out(shape: Shape) -> list[Any]:
        return [shape.inner(part, "not") for part in shape.parts if "not" in part.schema]

    known, asked = (kept_out(shape) for shape in (pair.fitting, pair.accepting))
    if not all(any(comparers.same(*pair.in_order(other, site)) for other in known) for site in asked):
        yield pair.differs("not-narrowed", "not-widened", "what `not` keeps out has changed", "not")


def _all_of(shape: Shape, keyword: str) -> Any:
    values = shape.values(keyword)
    return " and ".join(map(str, values)) if len(values) > 1 else values[0] if values else ABSENT


def _goes(what: str, old: Any, new: Any) -> str:
    if old is ABSENT:
        return f"{what} is now {_shown(new)}, and was not set"
    if new is ABSENT:
        return f"{what} was {_shown(old)}, and is not set now"
    return f"{what} goes from {_shown(old)} to {_shown(new)}"


def _shown(value: Any) -> str:
    """Write a value as in a contract; a long one is cut."""
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
