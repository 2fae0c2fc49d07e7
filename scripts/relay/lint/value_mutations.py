"""Mutations of a JSON value, one change at a time."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """The kind of a mutation."""

    MISSING = "missing"
    NULL = "null"
    TYPE = "of another type"
    EMPTY = "empty"
    UNKNOWN = "unknown"


class Mutation(NamedTuple):
    """A value with one change."""

    kind: Kind
    value: Any


def mutations(value: Any) -> Iterator[Mutation]:
    """Yield the value with one part missing, null, of another type, empty, or with one unknown property."""
    if value is not None:
        yield Mutation(Kind.NULL, None)
    yield Mutation(Kind.TYPE, _other_type(value))
    if value and isinstance(value, str | list | dict):
        yield Mutation(Kind.EMPTY, type(value)())
    if isinstance(value, dict):
        yield Mutation(Kind.UNKNOWN, {**value, "x-unknown": True})
        for name, part in value.items():
            yield Mutation(Kind.MISSING, {key: kept for key, kept in value.items() if key != name})
            for kind, mutated in mutations(part):
                yield Mutation(kind, {**value, name: mutated})
    elif isinstance(value, list) and value:
        for kind, mutated in mutations(value[0]):
            yield Mutation(kind, [mutated, *value[1:]])


def _other_type(value: Any) -> Any:
    """Return a value of a type that is incompatible with the given value's type."""
    if isinstance(value, bool | int | float | None):
        return "text"
    return 4711 if isinstance(value, str) else "text"
