"""Schemas → values that conform to them, the same ones every time: answers where nothing is written yet.

A value is made part by part and then held against the compiled schema. What is optional is left out
where it leads too deep, leads back to itself, or spoils the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.validation.schemas import Direction, SchemaCompiler

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
    shown,
    type_of,
    without,
)
from .strings import of_format, of_length

MAX_PARTS = 2_000
"""How many values one sample may be put together from, those that come to nothing included."""
MAX_LEVEL = 100
MAX_LENGTH = 10_000  # characters of one string

_DEPTHS = (4, 2, 1, 0)  # how many levels of optional parts are tried, one after the other
_TRIES = 8  # how many values are tried where one has to differ from others


class _TooLarge(Exception):
    """The value would have no end, or none that anybody reads to."""


class Sampler:
    """Makes values that are sent one way, by the schemas of one contract."""

    def __init__(
        self, contract: Contract, compiler: SchemaCompiler, direction: Direction = "response"
    ) -> None:
        self.contract = contract
        self.direction = direction
        self._compiler = compiler

    def sample(self, schema: Schema, pointer: Pointer) -> Any:
        """Return a value for the schema at `pointer`, with as much of what is optional as goes.

        The schema's own examples are used. Raises NoSample; one of them that breaks its schema is a problem
        of the compiler's.
        """
        parts = [SchemaPart(schema, pointer)]
        if self._compiler.compile(schema, self.direction, pointer) is None:
            raise NoSample("its schema cannot be compiled")
        reason = "its parts contradict each other"
        for depth in _DEPTHS:
            try:
                value = _Attempt(self, depth).value(parts, 0, frozenset())
            except NoSample as exc:
                reason = str(exc)
            except (_TooLarge, RecursionError):
                reason = "it would have no end"
            else:
                if self.accepts(parts, value):
                    return value
        raise NoSample(reason)

    def accepts(self, parts: list[SchemaPart], value: Any) -> bool:
        """Whether a value conforms to all of the schemas."""
        whole = [part.schema for part in parts]
        if not whole:
            return True
        schema = whole[0] if len(whole) == 1 else {"allOf": whole}
        validator = self._compiler.compile(schema, self.direction, parts[0].pointer)
        try:
            return validator is not None and validator.accepts(value)
        except ValueError:
            return False

    def example(self, value: Any, part: SchemaPart, pointer: Pointer) -> bool:
        """Whether the contract's own example conforms; if not, it is a problem at `pointer`."""
        validator = self._compiler.compile(part.schema, self.direction, part.pointer)
        if validator is None:
            return False
        broken = [] if validator.accepts(value) else validator.violations(value)
        for violation in broken[:1]:
            where = f" at '{violation.path}'" if violation.path else ""
            message = f"the example breaks its schema{where}: {violation.message}"
            self._compiler.problems.append(self.contract.problem(pointer, message, "example"))
        return not broken


class _Attempt:
    """One try at a value; what is optional is taken in down to `depth` levels."""

    def __init__(self, sampler: Sampler, depth: int) -> None:
        self._sampler = sampler
        self._contract = sampler.contract
        self._depth = depth
        self._made = 0

    def value(self, given: list[SchemaPart], level: int, within: frozenset[str], variant: int = 0) -> Any:
        """Return a value for all of the schemas; `within` are the `$ref`s that led here."""
        self._made += 1
        if self._made > MAX_PARTS or level > MAX_LEVEL:
            raise _TooLarge
        parts: list[SchemaPart] = []
        try:
            led = within.union(*[flatten(part, within, parts, self._contract) for part in given])
        except NoSample:
            if self._sampler.accepts(given, None):
                return None
            raise
        return next(self._candidates(parts, level, led, variant))

    def _candidates(
        self, parts: list[SchemaPart], level: int, within: frozenset[str], variant: int
    ) -> Iterator[Any]:
        """Yield values, what the contract itself gives first; raise NoSample when there are no more."""
        if variant == 0:
            yield from self._given(parts)
        reason = "its parts contradict each other"
        try:
            if group := alternatives_of(parts):
                yield from self._alternatives(parts, *group, level, within, variant)
            elif any("enum" in schema for schema, _ in parts):
                yield from self._enumerated(parts, variant)
            elif any("not" in schema for schema, _ in parts):
                yield from self._allowed(parts, level, within, variant)
            else:
                yield self._typed(parts, level, within, variant)
        except NoSample as exc:
            reason = str(exc)
        if self._sampler.accepts(parts, None):
            yield None
        raise NoSample(reason)

    def _given(self, parts: list[SchemaPart]) -> Iterator[Any]:
        """Yield the examples and defaults that stand in the schemas; what must not be sent is left out of them."""
        for part in parts:
            if "example" in part.schema:
                example = shown(part.schema["example"], [part], self._contract, self._sampler.direction)
                is_good = self._sampler.example(example, part, (*part.pointer, "example"))
                if is_good and self._sampler.accepts(parts, example):
                    yield example
        for schema, _ in parts:
            if "default" in schema and self._sampler.accepts(parts, schema["default"]):
                yield schema["default"]

    def _alternatives(
        self,
        parts: list[SchemaPart],
        owner: int,
        keyword: str,
        level: int,
        within: frozenset[str],
        variant: int,
    ) -> Iterator[Any]:
        """Yield a value of each branch that fits what stands beside it."""
        schema, pointer = parts[owner]
        others = [
            SchemaPart(without(one, "allOf"), at) for one, at in parts
        ]  # whose schemas are among the parts
        others[owner] = SchemaPart(without(others[owner].schema, keyword), pointer)
        for index, branch in enumerate(schema[keyword]):
            try:
                branched = [*others, SchemaPart(branch, (*pointer, keyword, str(index)))]
                value = self.value(branched, level, within, variant)
            except NoSample:
                continue
            if self._sampler.accepts(parts, value):
                yield value
        raise NoSample(f"no branch of its {keyword} fits")

    def _enumerated(self, parts: list[SchemaPart], variant: int) -> Iterator[Any]:
        values = next(schema["enum"] for schema, _ in parts if "enum" in schema)
        fitting = [value for value in values if value is not None and self._sampler.accepts(parts, value)]
        yield from fitting[variant : variant + 1]
        raise NoSample("no value of its enum fits")

    def _allowed(
        self, parts: list[SchemaPart], level: int, within: frozenset[str], variant: int
    ) -> Iterator[Any]:
        """Yield what no `not` forbids, of a few values."""
        for more in range(_TRIES):
            value = self._typed(parts, level, within, variant + more)
            if self._sampler.accepts(parts, value):
                yield value
        raise NoSample("its `not` forbids what was tried")

    def _typed(self, parts: list[SchemaPart], level: int, within: frozenset[str], variant: int) -> Any:
        schemas = [schema for schema, _ in parts]
        match type_of(schemas):
            case "object":
                return self._object(parts, level, within, variant)
            case "array":
                return self._array(parts, level, within, variant)
            case "string":
                return self._string(parts, variant)
            case "boolean":
                return variant % 2 == 0
            case kind:
                number = number_within(schemas, variant, is_integer=kind == "integer")
                if number is None:
                    raise NoSample("no number is within its bounds")
                return number

    def _object(
        self, parts: list[SchemaPart], level: int, within: frozenset[str], variant: int
    ) -> dict[str, Any]:
        properties = properties_of(parts)
        hidden = {
            name
            for name, found in properties.items()
            if any(is_hidden(part, self._contract, self._sampler.direction) for part in found)
        }
        required = {name for schema, _ in parts for name in schema.get("required", [])} - hidden
        least = highest(parts, "minProperties")
        room = lowest(parts, "maxProperties")
        optional = len(properties) if level < self._depth else max(least - len(required), 0)
        if room is not None:
            optional = min(optional, room - len(required))
        others = schemas_at(parts, "additionalProperties")
        value: dict[str, Any] = {}
        for name in [*properties, *sorted(required - properties.keys())]:
            if name in required:
                value[name] = self.value(properties.get(name, others), level + 1, within, variant)
            elif optional > 0 and name not in hidden and is_allowed(name, parts):
                try:
                    value[name] = self.value(properties[name], level + 1, within, variant)
                    optional -= 1
                except NoSample:
                    continue
        is_map = bool(others) and not properties and room != 0 and level < self._depth
        for number in range(max(least - len(value), is_map)):
            try:
                value[f"property{number + 1}"] = self.value(others, level + 1, within, variant)
            except NoSample:
                break
        return value

    def _array(self, parts: list[SchemaPart], level: int, within: frozenset[str], variant: int) -> list[Any]:
        items = schemas_at(parts, "items")
        least = highest(parts, "minItems")
        most = lowest(parts, "maxItems")
        count = max(least, 1 if level < self._depth else 0)
        count = count if most is None else min(count, most)
        if count > MAX_PARTS:
            raise _TooLarge
        is_unique = any(schema.get("uniqueItems") for schema, _ in parts)
        found: dict[bytes, Any] = {}
        try:
            for number in range(count):
                for other in range(number, number + _TRIES) if is_unique else [0]:
                    item = self.value(items, level + 1, within, variant + other)
                    key = orjson.dumps(item, option=orjson.OPT_SORT_KEYS) if is_unique else b"%d" % number
                    if key not in found:
                        found[key] = item
                        break
        except NoSample:
            if least > 0:
                raise
            return []
        return list(found.values())

    def _string(self, parts: list[SchemaPart], variant: int) -> str:
        least = highest(parts, "minLength")
        most = lowest(parts, "maxLength")
        if least > MAX_LENGTH:
            raise _TooLarge
        patterns = [schema["pattern"] for schema, _ in parts if "pattern" in schema]
        formats = [schema["format"] for schema, _ in parts if "format" in schema]
        plain = of_length(least, most, variant)
        if not patterns and not formats:
            return plain
        for text in _texts(patterns, formats, least, variant):
            if self._sampler.accepts(parts, text):
                return text
        if self._sampler.accepts(parts, plain):
            return plain
        raise NoSample("no text was found for its pattern or format")


def _texts(patterns: list[str], formats: list[str], least: int, variant: int) -> Iterator[str]:
    for pattern in patterns:
        with suppress(NoText):
            yield from matching(pattern, least, variant)
    for name in formats:
        yield from of_format(name, least, variant)
