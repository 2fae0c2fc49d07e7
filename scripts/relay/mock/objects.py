"""Builds an object for schemas: the required properties, the optional ones that fit, and others that they allow."""

from __future__ import annotations

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
    highest,
    is_hidden,
    lowest,
    properties_of,
    schemas_at,
)


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
            elif optional > 0 and name not in self._listed and self._is_optional(name):
                with suppress(NoSample):
                    self._add(name)
                    optional -= 1

    def _is_optional(self, name: str) -> bool:
        return self._may_have(name) and not self._is_hidden(name)

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
