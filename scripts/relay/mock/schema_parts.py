"""Splits a schema into the parts that apply to one value: `$ref`s are resolved and `allOf` is flattened."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from relay.contract.bundling import lookup, parse_pointer
from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.validation.schemas import MARKS, Direction

_KEYWORDS = {  # indicate the type of a schema without `type`
    "object": ("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    "array": ("items", "minItems", "maxItems", "uniqueItems"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "multipleOf"),
}


class NoSample(Exception):
    """No valid value was found; the text is the reason."""


class SchemaPart(NamedTuple):
    """One of the schemas that apply to a value, and its pointer."""

    schema: Schema
    pointer: Pointer


def flatten(
    part: SchemaPart, within: frozenset[str], parts: list[SchemaPart], contract: Contract
) -> frozenset[str]:
    """Append a schema and its `allOf` to `parts`; return the `$ref`s followed. Raises NoSample for a recursion."""
    schema, pointer = part
    while (ref := schema.get("$ref")) is not None:
        if ref in within:
            raise NoSample("the schema requires infinite recursion")
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
    """Return the index of the first schema with `oneOf` or `anyOf`, and the keyword."""
    for index, (schema, _) in enumerate(parts):
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return index, keyword
    return None


def without_keyword(schema: Schema, keyword: str) -> Schema:
    """Return a schema without one of its keywords."""
    return {key: value for key, value in schema.items() if key != keyword}


def type_of(schemas: list[Schema]) -> str:
    """Return the type of the schemas, or the one that their keywords indicate. Raises NoSample."""
    types = {schema["type"] for schema in schemas if "type" in schema}
    if types == {"integer", "number"}:
        return "integer"
    if len(types) > 1:
        raise NoSample("its types are contradictory")
    indicated = (
        kind for kind, words in _KEYWORDS.items() if any(word in one for one in schemas for word in words)
    )
    return str(next(iter(types), next(indicated, "string")))


def highest(parts: list[SchemaPart], keyword: str) -> int:
    """Return the highest value of a lower limit such as `minItems`, 0 if there is none."""
    return max((schema.get(keyword, 0) for schema, _ in parts), default=0)


def lowest(parts: list[SchemaPart], keyword: str) -> int | None:
    """Return the lowest value of an upper limit such as `maxItems`, None if there is none."""
    return min((schema[keyword] for schema, _ in parts if keyword in schema), default=None)


def properties_of(parts: list[SchemaPart]) -> dict[str, list[SchemaPart]]:
    """Return the schemas of each property by its name."""
    found: dict[str, list[SchemaPart]] = {}
    for schema, pointer in parts:
        for name, value in schema.get("properties", {}).items():
            found.setdefault(name, []).append(SchemaPart(value, (*pointer, "properties", name)))
    return found


def schemas_at(parts: list[SchemaPart], keyword: str) -> list[SchemaPart]:
    """Return the schemas that are the value of a keyword."""
    return [
        SchemaPart(schema[keyword], (*pointer, keyword))
        for schema, pointer in parts
        if isinstance(schema.get(keyword), dict)
    ]


def is_allowed(name: str, parts: list[SchemaPart]) -> bool:
    """Return True if no schema forbids the property by `additionalProperties: false`."""
    return all(
        schema.get("additionalProperties", True) is not False or name in schema.get("properties", {})
        for schema, _ in parts
    )


def is_hidden(part: SchemaPart, contract: Contract, direction: Direction) -> bool:
    """Return True if a property must not be sent in this direction."""
    schema = contract.resolve(part.schema) if "$ref" in part.schema else part.schema
    return schema.get(MARKS[direction]) is True


def without_hidden(value: Any, given: Iterable[SchemaPart], contract: Contract, direction: Direction) -> Any:
    """Return an example without the properties hidden in this direction; a schema's example may serve both."""
    parts: list[SchemaPart] = []
    with suppress(NoSample):
        for part in given:
            flatten(part, frozenset(), parts, contract)
    if isinstance(value, dict):
        properties = properties_of(parts)
        return {
            name: without_hidden(item, properties.get(name, []), contract, direction)
            for name, item in value.items()
            if not any(is_hidden(part, contract, direction) for part in properties.get(name, []))
        }
    if isinstance(value, list):
        items = schemas_at(parts, "items")
        return [without_hidden(item, items, contract, direction) for item in value]
    return value
