"""Builds arrays and objects for schemas: what is required, what is optional and fits, and what else they allow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Any

from relay.validation.patterns import pattern_properties

from .judging import Builder
from .pattern_text import NoText, matching
from .schema_parts import (
    MAX_PARTS,
    TRIES,
    NoSample,
    SchemaPart,
    Target,
    TooLarge,
    highest,
    is_hidden,
    items_at,
    lowest,
    properties_of,
    schemas_at,
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


class ObjectWriter:
    """Builds one object."""

    def __init__(self, target: Target, builder: Builder) -> None:
        parts, judge = target.parts, builder.schemas.judge
        self._target = target
        self._builder = builder
        self._properties = properties_of(parts)
        self._additional = schemas_at(parts, "additionalProperties")
        self._additional = self._additional or schemas_at(parts, "unevaluatedProperties")
        self._naming = schemas_at(parts, "propertyNames")
        self._naming_rules = [judge([part]) for part in self._naming]
        self._patterns = [
            (
                pattern,
                judge([SchemaPart({"pattern": pattern}, part.pointer)]),
                part.inner(schema, "patternProperties", pattern),
            )
            for part in parts
            for pattern, schema in pattern_properties(part.schema).items()
        ]
        self._listed = {name for part in parts for name in part.schema.get("required", [])}
        self._required = {name for name in self._listed if not self._is_hidden(name)}
        self._least = highest(parts, "minProperties")
        self._room = lowest(parts, "maxProperties")
        self._is_deep = target.level >= builder.depth
        self._value: dict[str, Any] = {}

    def write(self) -> dict[str, Any]:
        """Return the object. Raises NoSample and TooLarge."""
        self._builder.spend(len(self._properties))
        self._add_described()
        if self._patterns and not self._is_deep:
            self._add_each(self._matching_names(), len(self._patterns))
        is_map = bool(self._additional) and not (self._properties or self._patterns or self._is_deep)
        missing = self._least - len(self._value)  # without a name in the schema
        self._add_each(chain(self._matching_names(), self._free_names()), max(missing, is_map))
        return self._value

    def _add_described(self) -> None:
        """Add the required properties, and the optional ones for which there is room."""
        optional = max(self._least - len(self._required), 0) if self._is_deep else len(self._properties)
        if self._room is not None:
            optional = min(optional, self._room - len(self._required))
        for name in [*self._properties, *sorted(self._required - self._properties.keys())]:
            if name in self._required:
                self._add(name)
            elif (
                optional > 0
                and name not in self._listed
                and self._may_have(name)
                and not self._is_hidden(name)
            ):
                with suppress(NoSample):
                    self._add(name)
                    optional -= 1

    def _add_each(self, names: Iterator[str], count: int) -> None:
        """Add properties until there are as many more, and where there is room."""
        room = count if self._room is None else min(count, self._room - len(self._value))
        allowed = (
            name
            for name in names
            if name not in self._value and name not in self._properties and self._may_have(name)
        )
        with suppress(NoSample):
            for name in islice(allowed, max(room, 0)):
                self._add(name)

    def _matching_names(self) -> Iterator[str]:
        for variant in range(TRIES if self._patterns else 0):
            for pattern, _, _ in self._patterns:
                with suppress(NoText):
                    yield from islice(matching(pattern, 0, self._target.variant + variant), 1)

    def _free_names(self) -> Iterator[str]:
        """Yield names for which `propertyNames` has a value, else numbered ones."""
        tries = min(self._least, MAX_PARTS) + TRIES
        if not self._naming:
            yield from (f"property{number + 1}" for number in range(tries))
            return
        named = [*self._naming, SchemaPart({"type": "string"}, self._naming[0].pointer)]
        for variant in range(tries):
            with suppress(NoSample):
                yield self._builder.value(named, self._target.level + 1, variant)

    def _add(self, name: str) -> None:
        """Add a property. Raises NoSample and TooLarge."""
        found = [*self._properties.get(name, [])]
        found += [schema for _, accepts, schema in self._patterns if accepts(name)]
        level, variant = self._target.level + 1, self._target.variant
        self._value[name] = self._builder.value(found or self._additional, level, variant)

    def _is_hidden(self, name: str) -> bool:
        schemas = self._builder.schemas
        return is_hidden(self._properties.get(name, []), schemas.contract, schemas.direction)

    def _may_have(self, name: str) -> bool:
        """Return True if no schema forbids the property by `additionalProperties: false` or `propertyNames`."""
        matching = {pattern for pattern, accepts, _ in self._patterns if accepts(name)}
        return all(
            part.schema.get("additionalProperties", True) is not False
            or name in part.schema.get("properties", {})
            or not matching.isdisjoint(part.schema.get("patternProperties", {}))
            for part in self._target.parts
        ) and all(accepts(name) for accepts in self._naming_rules)
