"""Builds an array for schemas: the items of each place, and those that `contains` needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .schema_parts import NoSample, SchemaPart, highest, items_at, lowest
from .targets import MAX_PARTS, TRIES, Builder, Target, TooLarge


class _Contained:
    """The items that a `contains` needs."""

    def __init__(self, part: SchemaPart, builder: Builder) -> None:
        self.part = part.inner(part.schema["contains"], "contains")
        self.least: int = part.schema.get("minContains", 1)
        self.most: int | None = part.schema.get("maxContains")
        self._accepts: Callable[[Any], bool] = builder.schemas.judge([self.part])
        self._found = 0

    @property
    def missing(self) -> int:
        """The number of items that are still needed."""
        return max(self.least - self._found, 0)

    @property
    def forbidding(self) -> list[SchemaPart]:
        """The schema that forbids further such items, if there may not be more."""
        if self.most is None or self._found < self.most:
            return []
        return [self.part._replace(schema={"not": self.part.schema})]

    def count(self, item: Any) -> None:
        """Count an item if it is such a one."""
        self._found += self._accepts(item)


class ArrayWriter:
    """Builds one array."""

    def __init__(self, target: Target, builder: Builder) -> None:
        self._parts = target.parts
        self._level = target.level
        self._variant = target.variant
        self._builder = builder
        self._least = highest(target.parts, "minItems")
        self._most = lowest(target.parts, "maxItems")
        self._is_unique = any(part.schema.get("uniqueItems") for part in target.parts)
        self._contained = [_Contained(part, builder) for part in target.parts if "contains" in part.schema]
        self._prefix = max((len(part.schema.get("prefixItems", ())) for part in target.parts), default=0)
        self._found: dict[str, Any] = {}

    def write(self) -> list[Any]:
        """Return the array. Raises NoSample and TooLarge."""
        count = self._count()
        number = 0
        try:
            while number < count or (self._missing and number < MAX_PARTS and number != self._most):
                self._add(number)
                number += 1
        except NoSample:
            if len(self._found) < self._least or self._missing:
                raise
        return [*self._found.values()]

    def _count(self) -> int:
        """Return the number of items, without those that only `contains` needs. Raises TooLarge."""
        usual = 0 if self._level >= self._builder.depth else max(self._prefix, 1)
        count = max(self._least, usual)
        count = count if self._most is None else min(count, self._most)
        if max(count, self._missing) > MAX_PARTS:
            raise TooLarge
        return count

    @property
    def _missing(self) -> int:
        return sum(one.missing for one in self._contained)

    def _add(self, number: int) -> None:
        """Add an item, of several variants if it must differ from the others. Raises NoSample and TooLarge."""
        for other in range(number, number + TRIES) if self._is_unique else [0]:
            item = self._item(self._variant + other)
            key = json.dumps(item, sort_keys=True) if self._is_unique else str(number)
            if key not in self._found:
                self._found[key] = item
                for one in self._contained:
                    one.count(item)
                break

    def _item(self, variant: int) -> Any:
        """Return an item for the next place, if possible one that `contains` needs."""
        given = items_at(self._parts, len(self._found))
        needed = next((one.part for one in self._contained if one.missing), None)
        if needed is not None:
            try:
                return self._builder.value([*given, needed], self._level + 1, variant)
            except NoSample:
                if len(self._found) >= self._prefix:
                    raise
        elif len(self._found) >= self._prefix and self._is_closed:
            raise NoSample("no further items are allowed")
        forbidding = [part for one in self._contained for part in one.forbidding]
        return self._builder.value([*given, *forbidding], self._level + 1, variant)

    @property
    def _is_closed(self) -> bool:
        """True if no schema describes the items after the prefix, and one forbids others."""
        schemas = [part.schema for part in self._parts]
        return any(one.get("unevaluatedItems") is False for one in schemas) and not any(
            "items" in one for one in schemas
        )
