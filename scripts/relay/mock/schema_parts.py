"""Schemas taken apart: all that a value has to keep to at once, `$ref`s followed and `allOf` laid side by side."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from relay.contract.bundling import lookup, parse_pointer
from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.validation.schemas import MARKS, Direction

_WORDS = {  # what a schema without a type is about
    "object": ("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    "array": ("items", "minItems", "maxItems", "uniqueItems"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "multipleOf"),
}


class NoSample(Exception):
    """No conforming value can be made; says why."""


class SchemaPart(NamedTuple):
    """One of the schemas that a value has to keep to, and where it stands."""

    schema: Schema
    pointer: Pointer


def flatten(
    part: SchemaPart, within: frozenset[str], parts: list[SchemaPart], contract: Contract
) -> frozenset[str]:
    """Add a schema and its `allOf` to `parts`, `$ref`s followed; return the `$ref`s."""
    schema, pointer = part
    while (ref := schema.get("$ref")) is not None:
        if ref in within:
            raise NoSample("it contains itself")
        within |= {ref}
        pointer = parse_pointer(ref[1:])
        schema = lookup(contract.document, pointer)
    parts.append(SchemaPart(schema, pointer))
    inner = [
        SchemaPart(value, (*pointer, "allOf", str(index)))
        for index, value in enumerate(schema.get("allOf", []))
    ]
    return within.union(*(flatten(one, within, parts, contract) for one in inner))


def alternatives_of(parts: list[SchemaPart]) -> tuple[int, str] | None:
    """Return which of the schemas has alternatives, and by which keyword."""
    for index, (schema, _) in enumerate(parts):
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return index, keyword
    return None


def without(schema: Schema, keyword: str) -> Schema:
    """Return a schema less one of its keywords."""
    return {key: value for key, value in schema.items() if key != keyword}


def type_of(schemas: list[Schema]) -> str:
    """Return the type that the schemas agree on, or seem to be about."""
    types = {schema["type"] for schema in schemas if "type" in schema}
    if types == {"integer", "number"}:
        return "integer"
    if len(types) > 1:
        raise NoSample("its types contradict each other")
    about = (kind for kind, words in _WORDS.items() if any(word in one for one in schemas for word in words))
    return str(next(iter(types), next(about, "string")))


def highest(parts: list[SchemaPart], keyword: str) -> int:
    """Return the most that the schemas ask for at least: of `minItems` and the like."""
    return max((schema.get(keyword, 0) for schema, _ in parts), default=0)


def lowest(parts: list[SchemaPart], keyword: str) -> int | None:
    """Return the least that the schemas let in at most: of `maxItems` and the like."""
    return min((schema[keyword] for schema, _ in parts if keyword in schema), default=None)


def properties_of(parts: list[SchemaPart]) -> dict[str, list[SchemaPart]]:
    """Return what each of the schemas says of each property."""
    found: dict[str, list[SchemaPart]] = {}
    for schema, pointer in parts:
        for name, value in schema.get("properties", {}).items():
            found.setdefault(name, []).append(SchemaPart(value, (*pointer, "properties", name)))
    return found


def schemas_at(parts: list[SchemaPart], keyword: str) -> list[SchemaPart]:
    """Return the schemas that stand at a keyword."""
    return [
        SchemaPart(schema[keyword], (*pointer, keyword))
        for schema, pointer in parts
        if isinstance(schema.get(keyword), dict)
    ]


def is_allowed(name: str, parts: list[SchemaPart]) -> bool:
    """Whether none of the schemas forbids a property that another one names."""
    return all(
        schema.get("additionalProperties", True) is not False or name in schema.get("properties", {})
        for schema, _ in parts
    )


def is_hidden(part: SchemaPart, contract: Contract, direction: Direction) -> bool:
    """Whether a property must not be sent this way."""
    return contract.resolve(part.schema).get(MARKS[direction]) is True


def shown(value: Any, given: Iterable[SchemaPart], contract: Contract, direction: Direction) -> Any:
    """Return an example without what must not be sent this way: that of a schema may be meant for both."""
    parts: list[SchemaPart] = []
    with suppress(NoSample):
        for part in given:
            flatten(part, frozenset(), parts, contract)
    if isinstance(value, dict):
        properties = properties_of(parts)
        return {
            name: shown(item, properties.get(name, []), contract, direction)
            for name, item in value.items()
            if not any(is_hidden(part, contract, direction) for part in properties.get(name, []))
        }
    if isinstance(value, list):
        items = schemas_at(parts, "items")
        return [shown(item, items, contract, direction) for item in value]
    return value
