"""Builds an array for schemas: the items of each place, and those that `contains` needs."""

from __future__ import annotations

import json
from typing import Any

from .judging import Builder
from .schema_parts import (
    MAX_PARTS,
    TRIES,
    NoSample,
    SchemaPart,
    Target,
    TooLarge,
    highest,
    items_at,
    lowest,
)


class _Contained:
    """The items that a `contains` needs."""

    def __init__(self, part: SchemaPart, builder: Builder) -> None:
        self.part = part.inner(part.schema["contains"], "contains")
        self.missing: int = part.schema.get("minContains", 1)
        self.room: int | None = part.schema.get("maxContains")
        self._accepts = builder.schemas.judge([self.part])

    def count(self, item: Any) -> None:
        """Count an item if it is such a one."""
        found = self._accepts(item)
        self.missing = max(self.missing - found, 0)
        self.room = None if self.room is None else self.room - found


class ArrayWriter:
    """Builds one array."""

    def __init__(self, target: Target, builder: Builder) -> None:
        self._target = target
        self._builder = builder
        schemas = [part.schema for part in target.parts]
        self._least = highest(target.parts, "minItems")
        self._most = lowest(target.parts, "maxItems")
        self._is_unique = any(schema.get("uniqueItems") for schema in schemas)
        self._contained = [_Contained(part, builder) for part in target.parts if "contains" in part.schema]
        self._prefix = max((len(schema.get("prefixItems", ())) for schema in schemas), default=0)
        is_closed = any(schema.get("unevaluatedItems") is False for schema in schemas)
        self._is_closed = is_closed and not any("items" in schema for schema in schemas)
        self._found: dict[str, Any] = {}

    def write(self) -> list[Any]:
        """Return the array. Raises NoSample and TooLarge."""
        usual = 0 if self._target.level >= self._builder.depth else max(self._prefix, 1)
        count = max(self._least, usual)
        count = count if self._most is None else min(count, self._most)
        if max(count, self._missing) > MAX_PARTS:
            raise TooLarge
        number = 0
        try:
            while number < count or (self._missing and number < MAX_PARTS and number != self._most):
                self._add(number)
                number += 1
        except NoSample:
            if len(self._found) < self._least or self._missing:
                raise
        return [*self._found.values()]

    @property
    def _missing(self) -> int:
        return sum(one.missing for one in self._contained)

    def _add(self, number: int) -> None:
        """Add an item, of several variants if it must differ from the others. Raises NoSample and TooLarge."""
        for other in range(number, number + TRIES) if self._is_unique else [0]:
            item = self._item(self._target.variant + other)
            key = json.dumps(item, sort_keys=True) if self._is_unique else str(number)
            if key not in self._found:
                self._found[key] = item
                for one in self._contained:
                    one.count(item)
                break

    def _item(self, variant: int) -> Any:
        """Return an item for the next place, if possible one that `contains` needs, and else none of too many."""
        level, is_in_prefix = self._target.level + 1, len(self._found) < self._prefix
        given = items_at(self._target.parts, len(self._found))
        needed = next((one.part for one in self._contained if one.missing), None)
        if needed is not None:
            try:
                return self._builder.value([*given, needed], level, variant)
            except NoSample:
                if not is_in_prefix:
                    raise
        elif self._is_closed and not is_in_prefix:
            raise NoSample("no further items are allowed")
        full = [one.part for one in self._contained if one.room is not None and one.room <= 0]
        forbidding = [part._replace(schema={"not": part.schema}) for part in full]
        return self._builder.value([*given, *forbidding], level, variant)
