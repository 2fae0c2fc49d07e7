"""Builds one value for a schema, part by part.

An optional part is left out if it is nested too deeply, is recursive, or has no valid value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from relay.contract.model import ABSENT
from relay.validation.translation import enum_members

from .discriminators import inherited_tags, subtypes, tag_of
from .exclusive import Rival, exclusive
from .judging import SchemaJudge
from .numbers import number_within
from .pattern_text import NoText, matching
from .schema_parts import (
    NoSample,
    SchemaPart,
    alternatives_of,
    flatten,
    highest,
    is_allowed,
    is_hidden,
    lowest,
    properties_of,
    schemas_at,
    type_of,
    without_keyword,
)
from .strings import of_format, of_length

MAX_PARTS = 2_000
"""Maximum number of values built for one sample, including discarded ones."""
MAX_CHANGES = 5_000
"""Maximum number of changes tried for one sample, so that values are valid for one branch of a `oneOf` only."""
MAX_LEVEL = 100
MAX_LENGTH = 10_000  # characters of one string

_TRIES = 8  # values tried where a value must differ from others
LAST_RESORTS: tuple[Any, ...] = (None, {}, [], "", "string", 0, True)
"""Values that may be valid for a schema whose keywords indicate another type."""


class TooLarge(Exception):
    """The value would be infinite or exceed the limits."""


class _Target(NamedTuple):
    """What a value is built for: its schemas as given and flat, its nesting, and which variant is wanted."""

    given: list[SchemaPart]
    parts: list[SchemaPart]
    level: int
    variant: int


class Attempt:
    """One attempt at a value; it includes optional parts down to `depth` levels, and costs at most `limit`.

    If it is strict, it validates the values of choices one by one, which takes time; else only the caller
    validates the whole.
    """

    def __init__(self, judge: SchemaJudge, depth: int, limit: int, *, is_strict: bool) -> None:
        self._schemas = judge
        self._contract = judge.contract
        self._depth = depth
        self._limit = limit
        self._is_strict = is_strict
        self._count = 0
        self.cost = 0
        self._changes_left = MAX_CHANGES

    def value(self, given: list[SchemaPart], level: int, variant: int = 0) -> Any:
        """Return a value for all schemas. Raises NoSample and TooLarge."""
        self._count += 1
        self._spend(1)
        if self._count > MAX_PARTS or level > MAX_LEVEL:
            raise TooLarge
        try:
            parts = flatten(given, self._contract)
        except NoSample:
            if self._schemas.judge(given)(None):
                return None
            raise
        return next(self._candidates(_Target(given, parts, level, variant)))

    def _spend(self, cost: int) -> None:
        self.cost += cost
        self._schemas.count(cost)
        if self.cost > self._limit:
            raise TooLarge

    def _candidates(self, target: _Target) -> Iterator[Any]:
        """Yield values, the contract's examples and defaults first. Raises NoSample at the end."""
        if target.variant == 0:
            yield from self._examples_and_defaults(target)
        reason = "its parts are contradictory"
        try:
            yield from self._built(target)
        except NoSample as exc:
            reason = str(exc)
        yield from filter(self._schemas.judge(target.given), LAST_RESORTS)
        raise NoSample(reason)

    def _built(self, target: _Target) -> Iterator[Any]:
        """Yield values made from the keywords of the schemas."""
        parts = target.parts
        for owner, part in enumerate(parts):
            if children := subtypes(part, self._contract, self._schemas.compiler):
                yield from self._extended(target, owner, children)
        if group := alternatives_of(parts):
            yield from self._alternatives(target, *group)
        elif any("enum" in part.schema for part in parts):
            yield from self._enumerated(target)
        elif any("not" in part.schema for part in parts):
            yield from self._allowed(target)
        else:
            value = self._typed(target)
            tags = inherited_tags(parts)
            if tags and isinstance(value, dict):
                yield from filter(self._judge(target), [{**value, **tags}])
            yield value

    def _judge(self, target: _Target) -> Callable[[Any], bool]:
        """Return the verdict of all schemas; an attempt that is not strict leaves it to the caller."""
        return self._schemas.judge(target.given) if self._is_strict else lambda _: True

    def _examples_and_defaults(self, target: _Target) -> Iterator[Any]:
        """Yield the valid examples and defaults of the schemas, examples without hidden properties."""
        accepts = None
        for part in target.parts:
            values = [self._schemas.example_of(part), part.schema.get("default", ABSENT)]
            for value in values:
                if value is ABSENT:
                    continue
                accepts = accepts or self._schemas.judge(target.given)
                tagged = _with_missing(value, inherited_tags(target.parts))
                yield from filter(accepts, [tagged, value] if tagged is not value else [value])

    def _extended(self, target: _Target, owner: int, children: list[str]) -> Iterator[Any]:
        """Yield values for the schemas that extend a base schema with a discriminator."""
        others = _without(target.parts, owner, "discriminator")
        accepts = self._judge(target)
        for ref in children:
            child = target.parts[owner].branch({"$ref": ref})
            with suppress(NoSample):
                value = self.value([*others, child], target.level, target.variant)
                tag = tag_of(target.parts[owner].schema, ref)
                yield from filter(accepts, [{**value, **tag}] if isinstance(value, dict) else [])

    def _alternatives(self, target: _Target, owner: int, keyword: str) -> Iterator[Any]:
        """Yield a value for each branch that is also valid for the other schemas."""
        part = target.parts[owner]
        others = _without(target.parts, owner, keyword)
        branches = [
            part.branch(schema, keyword, str(index)) for index, schema in enumerate(part.schema[keyword])
        ]
        accepts = self._judge(target)
        overlapping: list[tuple[Any, list[SchemaPart]]] = []
        for branch in branches:
            given = [*others, branch]
            with suppress(NoSample):
                value = self.value(given, target.level, target.variant)
                tag = tag_of(part.schema, branch.schema.get("$ref", ""))
                tagged = {**value, **tag} if tag and isinstance(value, dict) else value
                yield from filter(accepts, [tagged, value] if tagged != value else [value])
                overlapping.append((tagged, given))
        if keyword == "oneOf" and self._is_strict:
            yield from filter(accepts, self._exclusive(branches, overlapping))
        raise NoSample(f"no branch of {keyword} gives a valid value")

    def _exclusive(
        self, branches: list[SchemaPart], overlapping: list[tuple[Any, list[SchemaPart]]]
    ) -> Iterator[Any]:
        """Yield variants of values that are valid for several branches of a `oneOf`."""
        rivals = [Rival(branch, self._schemas.judge([branch])) for branch in branches]
        for value, given in overlapping:
            others = [rival for rival in rivals if rival.part is not given[-1]]
            own = self._schemas.judge(given)
            changed, tried = exclusive(value, own, others, self._contract, self._changes_left)
            self._changes_left -= tried
            self._schemas.count(tried)
            yield changed

    def _enumerated(self, target: _Target) -> Iterator[Any]:
        values = next(enum_members(part.schema) for part in target.parts if "enum" in part.schema)
        accepts = self._judge(target)
        valid = (value for value in values if value is not None and accepts(value))
        yield from islice(valid, target.variant, target.variant + 1)
        raise NoSample("no value of the enum is valid")

    def _allowed(self, target: _Target) -> Iterator[Any]:
        """Try a few values; yield those that no `not` forbids."""
        accepts = self._schemas.judge(target.given)
        for more in range(_TRIES):
            value = self._typed(target._replace(variant=target.variant + more))
            if accepts(value):
                yield value
        raise NoSample("`not` rejects all values that were tried")

    def _typed(self, target: _Target) -> Any:
        schemas = [part.schema for part in target.parts]
        match type_of(schemas):
            case "object":
                return self._object(target)
            case "array":
                return self._array(target)
            case "string":
                return self._string(target)
            case "boolean":
                return target.variant % 2 == 0
            case kind:
                number = number_within(schemas, target.variant, is_integer=kind == "integer")
                if number is None:
                    raise NoSample("no number is within the bounds")
                return number

    def _object(self, target: _Target) -> dict[str, Any]:
        _, parts, level, variant = target
        properties = properties_of(parts)
        self._spend(len(properties))
        listed = {name for part in parts for name in part.schema.get("required", [])}
        required = {name for name in listed if not self._is_hidden(properties.get(name, []))}
        least = highest(parts, "minProperties")
        room = lowest(parts, "maxProperties")
        optional = len(properties) if level < self._depth else max(least - len(required), 0)
        if room is not None:
            optional = min(optional, room - len(required))
        additional = schemas_at(parts, "additionalProperties")
        value: dict[str, Any] = {}
        for name in [*properties, *sorted(required - properties.keys())]:
            if name in required:
                value[name] = self.value(properties.get(name, additional), level + 1, variant)
            elif optional > 0 and name not in listed and self._is_optional(name, properties[name], parts):
                try:
                    value[name] = self.value(properties[name], level + 1, variant)
                    optional -= 1
                except NoSample:
                    continue
        is_map = bool(additional) and not properties and room != 0 and level < self._depth
        for number in range(max(least - len(value), is_map)):
            try:
                value[f"property{number + 1}"] = self.value(additional, level + 1, variant)
            except NoSample:
                break
        return value

    def _is_hidden(self, found: list[SchemaPart]) -> bool:
        return any(is_hidden(part, self._contract, self._schemas.direction) for part in found)

    def _is_optional(self, name: str, found: list[SchemaPart], parts: list[SchemaPart]) -> bool:
        return is_allowed(name, parts) and not self._is_hidden(found)

    def _array(self, target: _Target) -> list[Any]:
        _, parts, level, variant = target
        items = schemas_at(parts, "items")
        least = highest(parts, "minItems")
        most = lowest(parts, "maxItems")
        count = max(least, 1 if level < self._depth else 0)
        count = count if most is None else min(count, most)
        if count > MAX_PARTS:
            raise TooLarge
        is_unique = any(part.schema.get("uniqueItems") for part in parts)
        found: dict[str, Any] = {}
        try:
            for number in range(count):
                for other in range(number, number + _TRIES) if is_unique else [0]:
                    item = self.value(items, level + 1, variant + other)
                    key = json.dumps(item, sort_keys=True) if is_unique else str(number)
                    if key not in found:
                        found[key] = item
                        break
        except NoSample:
            if least > 0:
                raise
            return []
        return list(found.values())

    def _string(self, target: _Target) -> str:
        parts, variant = target.parts, target.variant
        least = highest(parts, "minLength")
        most = lowest(parts, "maxLength")
        if least > MAX_LENGTH:
            raise TooLarge
        patterns = [part.schema["pattern"] for part in parts if "pattern" in part.schema]
        formats = [part.schema["format"] for part in parts if "format" in part.schema]
        plain = of_length(least, most, variant)
        if not patterns and not formats:
            return plain
        accepts = self._schemas.judge(target.given)
        for text in _texts(patterns, formats, least, variant):
            if accepts(text):
                return text
        if accepts(plain):
            return plain
        raise NoSample("no string was found for the pattern or format")


def _without(parts: list[SchemaPart], owner: int, keyword: str) -> list[SchemaPart]:
    """Return flat schemas without their `allOf`, whose schemas are also parts, and one without a keyword."""
    others = [part._replace(schema=without_keyword(part.schema, "allOf")) for part in parts]
    others[owner] = others[owner]._replace(schema=without_keyword(others[owner].schema, keyword))
    return others


def _with_missing(value: Any, tags: dict[str, str]) -> Any:
    """Return an object with the tags that it lacks; an example may have others on purpose."""
    missing = {name: tag for name, tag in tags.items() if isinstance(value, dict) and name not in value}
    return {**value, **missing} if missing else value


def _texts(patterns: list[str], formats: list[str], least: int, variant: int) -> Iterator[str]:
    for pattern in patterns:
        with suppress(NoText):
            yield from matching(pattern, least, variant)
    for name in formats:
        yield from of_format(name, least, variant)
