"""Generates deterministic values that are valid for a schema.

A value is built part by part and then validated with the compiled schema. An optional part is left out if it is
nested too deeply, is recursive, or makes the whole invalid.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

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
    type_of,
    without_hidden,
    without_keyword,
)
from .strings import of_format, of_length

MAX_PARTS = 2_000
"""Maximum number of values built for one sample, including discarded ones."""
MAX_ALL_PARTS = 2_000_000
"""Maximum number of values built, and of properties considered, for all samples of a contract."""
MAX_LEVEL = 100
MAX_LENGTH = 10_000  # characters of one string

_DEPTHS = (4, 2, 1, 0)  # levels of optional parts, tried in this order
_TRIES = 8  # values tried where a value must differ from others


class _TooLarge(Exception):
    """The value would be infinite or exceed the limits."""


class _TooManySamples(Exception):
    """The samples of the contract together exceed the limit."""


_BUILT = ("sample", "built")


class Sampler:
    """Generates values for one direction, from the schemas of one contract."""

    def __init__(
        self, contract: Contract, compiler: SchemaCompiler, direction: Direction = "response"
    ) -> None:
        self.contract = contract
        self.direction = direction
        self._compiler = compiler

    def sample(self, schema: Schema, pointer: Pointer) -> Any:
        """Return a value for the schema at `pointer`, with as many optional parts as possible.

        Examples in the schema are used; one that violates its schema is added to the compiler's problems.
        Raises NoSample. A schema that is referred to is sampled once.
        """
        if (ref := schema.get("$ref")) is None:
            return self._sampled(schema, pointer)
        key = "sample", self.direction, ref
        if key not in self._compiler.memo:
            try:
                self._compiler.memo[key] = self._sampled(schema, pointer)
            except NoSample as exc:
                self._compiler.memo[key] = exc
        found = self._compiler.memo[key]
        if isinstance(found, NoSample):
            raise NoSample(*found.args)
        return found

    def _sampled(self, schema: Schema, pointer: Pointer) -> Any:
        parts = [SchemaPart(schema, pointer)]
        if self._compiler.compile(schema, self.direction, pointer) is None:
            raise NoSample("the schema cannot be compiled")
        reason = "its parts are contradictory"
        for depth in _DEPTHS:
            try:
                value = _Attempt(self, depth).value(parts, 0, frozenset())
            except _TooManySamples as exc:
                raise NoSample("the samples of this contract take too long") from exc
            except NoSample as exc:
                reason = str(exc)
            except (_TooLarge, RecursionError):
                reason = "the value would be too large"
            else:
                if self.accepts(parts, value):
                    return value
        raise NoSample(reason)

    def count(self, values: int) -> None:
        """Count values that are built or considered. Raises _TooManySamples if the samples of a contract take too long."""
        memo = self._compiler.memo
        memo[_BUILT] = memo.get(_BUILT, 0) + values
        if memo[_BUILT] > MAX_ALL_PARTS:
            raise _TooManySamples

    def accepts(self, parts: list[SchemaPart], value: Any) -> bool:
        """Return True if a value is valid for all schemas."""
        return self.judge(parts)(value)

    def judge(self, parts: list[SchemaPart]) -> Callable[[Any], bool]:
        """Return a function that returns True if a value is valid for all schemas; they are compiled once."""
        whole = [part.schema for part in parts]
        if not whole:
            return lambda _: True
        schema = whole[0] if len(whole) == 1 else {"allOf": whole}
        validator = self._compiler.compile(schema, self.direction, parts[0].pointer)

        def accepts(value: Any) -> bool:
            try:
                return validator is not None and validator.accepts(value)
            except ValueError:
                return False

        return accepts

    def example(self, value: Any, part: SchemaPart, pointer: Pointer) -> bool:
        """Return True if an example of the contract is valid; else add a problem at `pointer`."""
        validator = self._compiler.compile(part.schema, self.direction, part.pointer)
        if validator is None:
            return False
        violations = validator.violations(value)
        for violation in violations[:1]:
            where = f" at '{violation.path}'" if violation.path else ""
            message = f"the example violates its schema{where}: {violation.message}"
            self._compiler.problems.append(self.contract.problem(pointer, message, "example"))
        return not violations


class _Attempt:
    """One attempt at a value; it includes optional parts down to `depth` levels."""

    def __init__(self, sampler: Sampler, depth: int) -> None:
        self._sampler = sampler
        self._contract = sampler.contract
        self._depth = depth
        self._count = 0

    def value(self, given: list[SchemaPart], level: int, within: frozenset[str], variant: int = 0) -> Any:
        """Return a value for all schemas; `within` are the `$ref`s followed so far."""
        self._count += 1
        self._sampler.count(1)
        if self._count > MAX_PARTS or level > MAX_LEVEL:
            raise _TooLarge
        parts: list[SchemaPart] = []
        try:
            followed = within.union(*[flatten(part, within, parts, self._contract) for part in given])
        except NoSample:
            if self._sampler.accepts(given, None):
                return None
            raise
        return next(self._candidates(parts, level, followed, variant))

    def _candidates(
        self, parts: list[SchemaPart], level: int, within: frozenset[str], variant: int
    ) -> Iterator[Any]:
        """Yield values, the contract's examples and defaults first. Raises NoSample at the end."""
        if variant == 0:
            yield from self._examples_and_defaults(parts)
        reason = "its parts are contradictory"
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

    def _examples_and_defaults(self, parts: list[SchemaPart]) -> Iterator[Any]:
        """Yield the valid examples and defaults of the schemas, examples without hidden properties."""
        for part in parts:
            if "example" in part.schema:
                example = without_hidden(
                    part.schema["example"], [part], self._contract, self._sampler.direction
                )
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
        """Yield a value for each branch that is also valid for the other schemas."""
        schema, pointer = parts[owner]
        other_parts = [
            SchemaPart(without_keyword(one, "allOf"), at) for one, at in parts
        ]  # its schemas are already among the parts
        other_parts[owner] = SchemaPart(without_keyword(other_parts[owner].schema, keyword), pointer)
        accepts = self._sampler.judge(parts)
        for index, branch in enumerate(schema[keyword]):
            try:
                branched = [*other_parts, SchemaPart(branch, (*pointer, keyword, str(index)))]
                value = self.value(branched, level, within, variant)
            except NoSample:
                continue
            if accepts(value):
                yield value
        raise NoSample(f"no branch of {keyword} gives a valid value")

    def _enumerated(self, parts: list[SchemaPart], variant: int) -> Iterator[Any]:
        values = next(schema["enum"] for schema, _ in parts if "enum" in schema)
        accepts = self._sampler.judge(parts)
        valid = (value for value in values if value is not None and accepts(value))
        yield from islice(valid, variant, variant + 1)
        raise NoSample("no value of the enum is valid")

    def _allowed(
        self, parts: list[SchemaPart], level: int, within: frozenset[str], variant: int
    ) -> Iterator[Any]:
        """Try a few values; yield those that no `not` forbids."""
        accepts = self._sampler.judge(parts)
        for more in range(_TRIES):
            value = self._typed(parts, level, within, variant + more)
            if accepts(value):
                yield value
        raise NoSample("`not` rejects all values that were tried")

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
                    raise NoSample("no number is within the bounds")
                return number

    def _object(
        self, parts: list[SchemaPart], level: int, within: frozenset[str], variant: int
    ) -> dict[str, Any]:
        properties = properties_of(parts)
        self._sampler.count(len(properties))
        listed = {name for schema, _ in parts for name in schema.get("required", [])}
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
                value[name] = self.value(properties.get(name, additional), level + 1, within, variant)
            elif optional > 0 and name not in listed and self._is_optional(name, properties[name], parts):
                try:
                    value[name] = self.value(properties[name], level + 1, within, variant)
                    optional -= 1
                except NoSample:
                    continue
        is_map = bool(additional) and not properties and room != 0 and level < self._depth
        for number in range(max(least - len(value), is_map)):
            try:
                value[f"property{number + 1}"] = self.value(additional, level + 1, within, variant)
            except NoSample:
                break
        return value

    def _is_hidden(self, found: list[SchemaPart]) -> bool:
        return any(is_hidden(part, self._contract, self._sampler.direction) for part in found)

    def _is_optional(self, name: str, found: list[SchemaPart], parts: list[SchemaPart]) -> bool:
        return is_allowed(name, parts) and not self._is_hidden(found)

    def _array(self, parts: list[SchemaPart], level: int, within: frozenset[str], variant: int) -> list[Any]:
        items = schemas_at(parts, "items")
        least = highest(parts, "minItems")
        most = lowest(parts, "maxItems")
        count = max(least, 1 if level < self._depth else 0)
        count = count if most is None else min(count, most)
        if count > MAX_PARTS:
            raise _TooLarge
        is_unique = any(schema.get("uniqueItems") for schema, _ in parts)
        found: dict[str, Any] = {}
        try:
            for number in range(count):
                for other in range(number, number + _TRIES) if is_unique else [0]:
                    item = self.value(items, level + 1, within, variant + other)
                    key = json.dumps(item, sort_keys=True) if is_unique else str(number)
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
        accepts = self._sampler.judge(parts)
        for text in _texts(patterns, formats, least, variant):
            if accepts(text):
                return text
        if accepts(plain):
            return plain
        raise NoSample("no string was found for the pattern or format")


def _texts(patterns: list[str], formats: list[str], least: int, variant: int) -> Iterator[str]:
    for pattern in patterns:
        with suppress(NoText):
            yield from matching(pattern, least, variant)
    for name in formats:
        yield from of_format(name, least, variant)
