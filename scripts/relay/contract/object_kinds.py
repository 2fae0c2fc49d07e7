"""Says what kind of object OpenAPI expects at a pointer of a document, and which schema a pointer leads into."""

from __future__ import annotations

from .documents import Pointer
from .schema_words import SCHEMA_WORDS

SECTIONS = {
    "parameters": "Parameter",
    "responses": "Response",
    "requestBodies": "RequestBody",
    "headers": "Header",
    "examples": "Example",
    "links": "Link",
    "callbacks": "Callback",
    "securitySchemes": "SecurityScheme",
    "paths": "PathItem",
    "pathItems": "PathItem",
    "webhooks": "PathItem",
    "mediaTypes": "MediaType",
    "content": "MediaType",
    "schemas": "Schema",
}
_SITES = ("schema", "itemSchema")
_IN_SCHEMAS = frozenset(
    [*_SITES, *(word for word, container in SCHEMA_WORDS.items() if container == "schema")]
)
_OF_SCHEMAS = SCHEMA_WORDS.keys() - _IN_SCHEMAS
_OWNERS = ("content", "mediaTypes", "parameters", "headers")


def kind_at(pointer: Pointer) -> str:
    """Return the kind of object that OpenAPI expects at a pointer."""
    if len(pointer) < 2 or within_schema(pointer):
        return "Schema"
    if pointer[-3:-2] == ("callbacks",):
        return "PathItem"
    if pointer[-1] == "requestBody":
        return "RequestBody"
    if pointer[-2] == "security":
        return "SecurityRequirement"
    found = SECTIONS.get(pointer[-2], "Schema")
    return "Schema" if found == "MediaType" and pointer[-1] in _SITES else found


def within_schema(pointer: Pointer) -> tuple[Pointer, str | None] | None:
    """Return the innermost Schema Object that a pointer leads into, and the keyword there; None for no schema.

    The keyword is None if the pointer leads to the schema itself.
    """
    start = 3 if pointer[:2] == ("components", "schemas") else _schema_start(pointer)
    if start is None or start > len(pointer):
        return None
    while start < len(pointer):
        names_schema = pointer[start] in _IN_SCHEMAS or (
            pointer[start] in _OF_SCHEMAS and start + 1 < len(pointer)
        )
        if not names_schema:
            return pointer[:start], pointer[start]
        start += 1 if pointer[start] in _IN_SCHEMAS else 2
    return pointer, None


def _schema_start(pointer: Pointer) -> int | None:
    """Return the length of a pointer to the schema of a media type, parameter or header that a pointer leads into."""
    found = (at for at in range(2, len(pointer)) if pointer[at] in _SITES and pointer[at - 2] in _OWNERS)
    return next((at + 1 for at in found), None)
