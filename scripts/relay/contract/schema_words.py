"""The keywords of JSON Schema that contain schemas: what every walk through a schema has to know.

They are those of OpenAPI 3.0 and of JSON Schema 2020-12, and `definitions`, to which references may lead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

Container = Literal["schema", "list", "map"]

CHOICES = ("anyOf", "oneOf")
"""Keywords with a list of schemas of which not all need to accept the value."""

COMBINING = ("allOf", *CHOICES)
"""Keywords with a list of schemas that apply to the same value."""

CONDITIONAL = ("if", "then", "else")

SCHEMA_WORDS: dict[str, Container] = {
    **dict.fromkeys(
        (
            "not items additionalProperties unevaluatedProperties unevaluatedItems contains propertyNames contentSchema"
        ).split(),
        "schema",
    ),
    **dict.fromkeys(CONDITIONAL, "schema"),
    **dict.fromkeys((*COMBINING, "prefixItems"), "list"),
    **dict.fromkeys("properties patternProperties dependentSchemas $defs definitions".split(), "map"),
}
"""The content of each keyword: a schema, a list of schemas, or a map of names to schemas."""


def inner_schemas(schema: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each schema directly within a schema, with its pointer from there; it may be a boolean."""
    for keyword, value in schema.items():
        container = SCHEMA_WORDS.get(keyword)
        if container == "list" and isinstance(value, list):
            yield from (((keyword, str(index)), part) for index, part in enumerate(value))
        elif container == "map" and isinstance(value, dict):
            yield from (((keyword, name), part) for name, part in value.items())
        elif container == "schema" and isinstance(value, dict | bool):
            yield (keyword,), value


SAME_VALUE = frozenset([*COMBINING, *CONDITIONAL, "dependentSchemas", "not"])
"""Keywords with schemas that are asked about the same value."""


def applied_schemas(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield the schemas within a schema that may describe the same value, except the target of a `$ref`."""
    if SAME_VALUE.isdisjoint(schema):  # most have none, and large contracts have many
        return
    for keyword in COMBINING:
        if isinstance(parts := schema.get(keyword), list):
            yield from parts
    yield from conditional_schemas(schema)


def conditional_schemas(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield the schemas within a schema that describe the same value on a condition."""
    yield from (schema[keyword] for keyword in ("then", "else") if keyword in schema)
    if isinstance(parts := schema.get("dependentSchemas"), dict):
        yield from parts.values()


def same_value_schemas(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield the schemas within a schema that are asked about the same value, except the target of a `$ref`."""
    if SAME_VALUE.isdisjoint(schema):
        return
    yield from applied_schemas(schema)
    yield from (schema[keyword] for keyword in ("not", "if") if keyword in schema)
