"""Compares objects and arrays: properties added, removed, required or hidden, and their schemas."""

from collections.abc import Iterator
from math import inf

from .changes import Difference
from .schema_pair import Child, Pair

_OTHERS = ("additionalProperties", "unevaluatedProperties")


def compare_items(pair: Pair) -> Iterator[Child]:
    """Yield the pairs of item schemas: of each place that both sides have with its own, and of all others."""
    most = min((limit for shape in pair.sides for limit in shape.values("maxItems")), default=inf)
    for index in range(max(pair.old.prefix, pair.new.prefix) + 1):
        if index < most:
            yield Child(pair.old.item(index), pair.new.item(index))


def compare_properties(pair: Pair) -> Iterator[Difference | Child]:
    """Yield the differences of each property, and the pairs of property schemas to compare."""
    compare = _in_request if pair.direction == "request" else _in_response
    for name in dict.fromkeys([*pair.old.properties, *pair.new.properties]):
        yield from compare(pair, name)
    for name in sorted(pair.consumer.required - pair.producer.required):
        yield from _required(pair, name)
    yield from _patterned(pair)
    producer, consumer = pair.producer.additional, pair.consumer.additional
    if producer is not None and consumer is not None:
        yield pair.child(producer, consumer)
    elif producer is not None:
        rules = ("additional-properties-refused", "additional-properties-added")
        what = f"additional properties are now {pair.by_direction('rejected', 'allowed')}"
        yield pair.differs(*rules, what, "additionalProperties")


def _patterned(pair: Pair) -> Iterator[Difference | Child]:
    """Compare the properties that `patternProperties` describe; those of the producer alone are additional ones."""
    known, described = pair.producer.patterns, pair.consumer.patterns
    for pattern, schemas in described.items():
        if pattern in known:
            yield pair.child(known[pattern], schemas)
        elif pair.producer.additional is not None or known:
            yield pair.undecided("patternProperties")
    for pattern in sorted(known) if not described else ():
        if pair.consumer.additional is None:
            yield pair.undecided("patternProperties")
        else:
            yield pair.child(known[pattern], pair.consumer.additional)


def _in_request(pair: Pair, name: str) -> Iterator[Difference | Child]:
    old, new = pair.old.property(name), pair.new.property(name)
    if old is None:
        if new is not None and name not in pair.new.required:
            yield _property("request-property-added", pair, name, "added")
    elif new is None:
        rule, what = (
            ("read-only", "now read-only") if name in pair.new.hidden else ("refused", "now rejected")
        )
        if name in pair.old.properties:  # else it never had an effect, and the server ignores it
            yield _property(f"request-property-{rule}", pair, name, what)
    else:
        if name not in pair.new.properties:
            yield _property("request-property-removed", pair, name, "removed")
        elif name not in pair.old.properties and name not in pair.new.required:
            yield _property("request-property-added", pair, name, "added")
        others = (value for word in _OTHERS for value in pair.old.values(word))
        if name in pair.old.properties or any(value is not True for value in others):
            yield Child(old, new, name)


def _in_response(pair: Pair, name: str) -> Iterator[Difference | Child]:
    old, new = pair.old.property(name), pair.new.property(name)
    is_sent = new is not None and name in pair.new.properties
    if is_sent and (old is None or name not in pair.old.properties):
        is_closed = old is None and (pair.old.additional is None or name in pair.old.hidden)
        yield _property(f"response-{'closed-' * is_closed}property-added", pair, name, "added")
    if is_sent and old is not None and new is not None:
        yield Child(old, new, name)
    elif old is not None and not is_sent and name in pair.old.properties:
        optional = "" if name in pair.old.required else "optional-"
        is_hidden = name in pair.new.hidden
        rule, what = (
            ("property-write-only", "now write-only")
            if is_hidden
            else (f"{optional}property-removed", "removed")
        )
        yield _property(f"response-{rule}", pair, name, what)


def _required(pair: Pair, name: str) -> Iterator[Difference]:
    """Report a property that the consumer requires and the producer may omit."""
    is_known = name in pair.old.properties
    if pair.direction == "request":
        rule, what = (
            ("became-required", "now required") if is_known else ("required-added", "added and required")
        )
        yield _property(f"request-property-{rule}", pair, name, what)
    elif not is_known or name in pair.new.properties.keys() - pair.new.hidden:
        yield _property("response-property-became-optional", pair, name, "may now be missing")


def _property(rule: str, pair: Pair, name: str, what: str) -> Difference:
    old, new = (shape.properties.get(name) or (*shape.pointer, "properties", name) for shape in pair.sides)
    return Difference(rule, what, old, new, "new" if name in pair.new.properties else "old", name)
