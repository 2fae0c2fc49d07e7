"""Objects and arrays: properties that come, go, are required or hidden, and what they have to fit."""

from __future__ import annotations

from collections.abc import Iterator

from .changes import Difference
from .schema_pair import Child, Pair
from .schema_view import Shape


def compare_items(pair: Pair) -> Iterator[Child]:
    """Ask for the items to be compared."""
    yield Child(pair.old.items, pair.new.items)


def compare_properties(pair: Pair) -> Iterator[Difference | Child]:
    """Tell what happened to each property, and ask for those that both sides know to be compared."""
    told = _requests if pair.direction == "request" else _responses
    for name in dict.fromkeys([*pair.old.properties, *pair.new.properties]):
        yield from told(pair, name)
    for name in sorted(pair.accepting.required - pair.fitting.required):
        yield from _required(pair, name)
    fitting, accepting = pair.fitting.others, pair.accepting.others
    if fitting is not None and accepting is not None:
        yield pair.child(fitting, accepting)
    elif fitting is not None:
        told_now = "refused" if pair.direction == "request" else "allowed"
        yield pair.differs(
            "additional-properties-refused",
            "additional-properties-added",
            f"properties without a name here are {told_now} now",
            "additionalProperties",
        )


def _requests(pair: Pair, name: str) -> Iterator[Difference | Child]:
    old, new = pair.old.property(name), pair.new.property(name)
    if old is None:
        if new is not None and name not in pair.new.required:
            yield _property("request-property-added", pair, name, "it is new")
    elif new is None:
        if name in pair.new.hidden:
            yield _property("request-property-read-only", pair, name, "it is read-only now")
        elif name in pair.old.properties:
            yield _property("request-property-refused", pair, name, "it is refused now")
    elif name not in pair.new.properties:
        yield _property("request-property-removed", pair, name, "it is gone")
        yield Child(old, new, name)
    elif name not in pair.old.properties:
        if name not in pair.new.required:
            yield _property("request-property-added", pair, name, "it is new")
        if not _is_open(pair.old):
            yield Child(old, new, name)
    else:
        yield Child(old, new, name)


def _responses(pair: Pair, name: str) -> Iterator[Difference | Child]:
    old, new = pair.old.property(name), pair.new.property(name)
    if old is None:
        if new is not None and name in pair.new.properties:
            closed = pair.old.others is None or name in pair.old.hidden
            rule = "response-closed-property-added" if closed else "response-property-added"
            yield _property(rule, pair, name, "it is new")
    elif new is not None and name in pair.new.properties:
        if name not in pair.old.properties:
            yield _property("response-property-added", pair, name, "it is new")
        yield Child(old, new, name)
    elif name not in pair.old.properties:
        return  # the old side never spoke of it, the new one does not send it
    elif name in pair.new.hidden:
        yield _property("response-property-write-only", pair, name, "it is write-only now")
    else:
        optional = "" if name in pair.old.required else "optional-"
        yield _property(f"response-{optional}property-removed", pair, name, "it is gone")


def _required(pair: Pair, name: str) -> Iterator[Difference]:
    """Tell of a property that the accepting side requires and the fitting one may leave out."""
    if pair.direction == "response":
        if name not in pair.old.properties or name in pair.new.properties.keys() - pair.new.hidden:
            yield _property("response-property-became-optional", pair, name, "it may be missing now")
    elif name in pair.old.properties:
        yield _property("request-property-became-required", pair, name, "it is required now")
    else:
        yield _property("request-property-required-added", pair, name, "it is new and required")


def _property(rule: str, pair: Pair, name: str, what: str) -> Difference:
    old, new = _pointer(pair.old, name), _pointer(pair.new, name)
    return Difference(rule, what, old, new, "new" if name in pair.new.properties else "old", name)


def _pointer(shape: Shape, name: str) -> tuple[str, ...]:
    return shape.properties.get(name) or (*shape.pointer, "properties", name)


def _is_open(shape: Shape) -> bool:
    """Whether a property without a name there may be anything."""
    return all(
        "additionalProperties" not in part.schema or part.schema["additionalProperties"] is True
        for part in shape.parts
    )
