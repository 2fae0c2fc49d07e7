"""Checks that schemas are within the limits: how many are combined for one value.

`$ref`, `allOf`, `anyOf`, `oneOf` and `not` combine schemas. A value is validated against each of them, and a
schema that is reached in two ways counts twice: with twenty schemas of which each has the next one twice, a
value is validated a million times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .diagnostics import Diagnostic, SourceLocation
from .limits import MAX_ALL_COMBINED, MAX_COMBINED, MAX_DEPTH
from .parsed import Pointer
from .pointers import found_at, mappings, parse_pointer
from .schema_words import SAME_VALUE, same_value_schemas


def check_schemas(document: Any, place: Callable[[Pointer], SourceLocation]) -> list[Diagnostic]:
    """Return an error at the first schema of a document that exceeds a limit."""
    counter = _Counter(document)
    for pointer, schema in mappings(document):
        try:
            counter.add(schema)
        except _TooMany as exc:
            return [Diagnostic(place(pointer), f"{exc}; write it simpler", "limit")]
    return []


_WORDS = "$ref, allOf, anyOf, oneOf and not"


class _TooMany(Exception):
    """A schema exceeds a limit; the text is the message."""


class _Counter:
    """Counts the paths from a schema to others; a path ends where it leads back to itself."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._targets: dict[str, Any] = {}
        self._known: dict[int, tuple[int, int]] = {}
        self._steps = self._total = 0

    def add(self, schema: Any) -> None:
        """Count a schema, alone and with those before it. Raises _TooMany."""
        self._total += self._count(schema, {})[0]
        if self._total > MAX_ALL_COMBINED:
            raise _TooMany(f"the schemas up to here combine more than {MAX_ALL_COMBINED:,} by {_WORDS}")

    def _count(self, schema: Any, way: dict[int, int]) -> tuple[int, int, int]:
        """Return the count of a schema, its depth, and the lowest index on the way there that it leads back to.

        The limit of depth bounds the recursion. Raises _TooMany.
        """
        own = id(schema)
        if own in way:
            return 1, 1, way[own]
        if own in self._known:
            return *self._known[own], len(way)
        if "$ref" not in schema and SAME_VALUE.isdisjoint(schema):  # as most are
            return 1, 1, len(way)
        way[own] = start = lowest = len(way)
        _check_depth(len(way))
        count = depth = 1
        for child in self._children(schema):
            paths, levels, back = self._count(child, way)
            count, depth, lowest = count + paths, max(depth, levels + 1), min(lowest, back)
            _check_depth(depth)
            self._steps += 1
            if count > MAX_COMBINED or self._steps > MAX_ALL_COMBINED:
                most = MAX_COMBINED if count > MAX_COMBINED else MAX_ALL_COMBINED
                raise _TooMany(f"it combines more than {most:,} schemas by {_WORDS}")
        del way[own]
        if lowest >= start:  # it returns to none before it, so every way there is the same
            self._known[own] = count, depth
        return count, depth, lowest

    def _children(self, schema: dict[str, Any]) -> Iterator[Any]:
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref not in self._targets:
            self._targets[ref] = found_at(self._document, parse_pointer(ref.removeprefix("#")))
        parts = [self._targets[ref]] if isinstance(ref, str) else same_value_schemas(schema)
        yield from (part for part in parts if isinstance(part, dict))


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _TooMany(f"it is nested deeper than {MAX_DEPTH} levels by {_WORDS}")
