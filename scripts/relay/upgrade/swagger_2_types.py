"""Swagger 2.0 → OpenAPI 3.0: the types of parameters and headers become schemas, the formats of their lists styles."""

from __future__ import annotations

from typing import NamedTuple

from .findings import Findings
from .tree import Map

TYPE_WORDS = frozenset(
    "type format items default maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern "
    "maxItems minItems uniqueItems enum multipleOf x-nullable".split()
)
"""What a parameter or header of 2.0 says itself, and its schema from 3.0 on."""


class Style(NamedTuple):
    """How a list is written; None is the default of its place."""

    style: str | None = None
    explode: bool | None = None


_QUERY = {
    "csv": Style(None, explode=False),
    "multi": Style(),
    "ssv": Style("spaceDelimited"),
    "pipes": Style("pipeDelimited"),
}
_FORM = {
    "csv": Style("form", explode=False),
    "multi": Style(),
    "ssv": Style("spaceDelimited", explode=False),
    "pipes": Style("pipeDelimited", explode=False),
}
STYLES = {"query": _QUERY, "formData": _FORM, "path": {"csv": Style()}, "header": {"csv": Style()}}
"""The styles of lists by `in` and `collectionFormat`."""


def schema_words(schema: Map) -> None:
    """Replace the words of a schema that 3.0 has under another name."""
    if "nullable" not in schema and isinstance(schema.get("x-nullable"), bool):
        schema.rename("x-nullable", "nullable")


def with_schema(value: Map) -> Map | None:
    """Move the type of a parameter or header into a schema; None if it has no type."""
    if "schema" in value:
        return None
    schema = value.gather(TYPE_WORDS, "schema")
    if schema is not None:
        schema_words(schema)
    return schema


def style_of(value: Map, where: str, findings: Findings) -> Style:
    """Return the style of a list, and remove its `collectionFormat`; what has no equal is reported."""
    written = value.get("collectionFormat")
    style = Style()
    if value.get("type") == "array":
        styles = STYLES.get(where, {})
        name = written if isinstance(written, str) else "csv"
        found = styles.get(name)
        if found is None:
            message = f"`collectionFormat: {name}` has no equal here, and the list is comma-separated now; change the clients, or take a string"
            findings.no_equal(value, "collectionFormat", message)
        style = found or styles.get("csv", Style())
    _inner_lists(value.get("items"), findings)
    value.drop("collectionFormat")
    return style


def _inner_lists(items: object, findings: Findings) -> None:
    """Remove the formats of lists in lists, of which styles know nothing."""
    while isinstance(items, Map):
        if items.get("type") == "array":
            message = "a list in a list has no style; take a string, and describe its syntax with `pattern`"
            findings.no_equal(items, "type", message)
        items.drop("collectionFormat")
        schema_words(items)
        items = items.get("items")
