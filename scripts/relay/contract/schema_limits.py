"""Checks that schemas are within the limits: how many are combined for one value.

`$ref`, `allOf`, `anyOf`, `oneOf` and `not` combine schemas. A value is validated against each of them, and a
schema that is reached in two ways counts twice: with twenty schemas of which each has the next one twice, a
value is validated a million times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass(slots=True)
class _Visit:
    """A schema on the path from the one that is counted.

    `lowest` is the lowest index on the path that it leads back to.
    """

    schema: Any
    children: Iterator[Any]
    lowest: int
    count: int = 1
    depth: int = 1


class _Counter:
    """Counts the paths from a schema to others; a path ends where it leads back to itself."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._targets: dict[str, Any] = {}
        self._known: dict[int, tuple[int, int]] = {}
        self._steps = self._total = 0

    def add(self, schema: Any) -> None:
        """Count a schema, alone and with those before it. Raises _TooMany."""
        self._total += self._count(schema)
        if self._total > MAX_ALL_COMBINED:
            raise _TooMany(f"the schemas up to here combine more than {MAX_ALL_COMBINED:,} by {_WORDS}")

    def _count(self, schema: Any) -> int:
        if "$ref" not in schema and SAME_VALUE.isdisjoint(schema):  # as most are
            return 1
        if id(schema) in self._known:
            return self._known[id(schema)][0]
        way = [_Visit(schema, self._children(schema), 0)]
        places = {id(schema): 0}
        while True:
            visit = way[-1]
            child = next(visit.children, None)
            if child is None:
                way.pop()
                del places[id(visit.schema)]
                if visit.lowest >= len(way):  # it returns to none before it, so every way there is the same
                    self._known[id(visit.schema)] = visit.count, visit.depth
                if not way:
                    return visit.count
                way[-1].lowest = min(way[-1].lowest, visit.lowest)
                self._add(way[-1], visit.count, visit.depth)
            elif id(child) in self._known:
                self._add(visit, *self._known[id(child)])
            elif id(child) in places:
                visit.lowest = min(visit.lowest, places[id(child)])
                self._add(visit, 1, 1)
            else:
                places[id(child)] = len(way)
                way.append(_Visit(child, self._children(child), len(way)))
                _check_depth(len(way))

    def _add(self, visit: _Visit, count: int, depth: int) -> None:
        visit.count += count
        visit.depth = max(visit.depth, depth + 1)
        _check_depth(visit.depth)
        self._steps += 1
        if visit.count > MAX_COMBINED or self._steps > MAX_ALL_COMBINED:
            most = MAX_COMBINED if visit.count > MAX_COMBINED else MAX_ALL_COMBINED
            raise _TooMany(f"it combines more than {most:,} schemas by {_WORDS}")

    def _children(self, schema: dict[str, Any]) -> Iterator[Any]:
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref not in self._targets:
            self._targets[ref] = found_at(self._document, parse_pointer(ref.removeprefix("#")))
        parts = [self._targets[ref]] if isinstance(ref, str) else same_value_schemas(schema)
        yield from (part for part in parts if isinstance(part, dict))


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _TooMany(f"it is nested deeper than {MAX_DEPTH} levels by {_WORDS}")
