"""Works around wrong keywords of schemas: what other versions of JSON Schema mean is translated, the rest is ignored."""

from __future__ import annotations

from typing import Any

from .documents import Pointer
from .object_kinds import within_schema
from .pointers import lookup
from .structure_messages import LIMITS


def is_3_0(document: Any) -> bool:
    """Return True for a document of OpenAPI 3.0, whose schemas are not yet those of JSON Schema 2020-12."""
    return bool(document["openapi"].startswith("3.0."))


def repair_schema(document: Any, pointer: Pointer, keyword: str | None) -> bool:
    """Translate what other versions of JSON Schema mean; ignore any other wrong keyword, and a wrong schema."""
    if keyword is None:
        if within_schema(pointer[:-1]) != (pointer[:-1], None) or (is_3_0(document) and pointer[-1] != "not"):
            parent = lookup(document, pointer[:-1])
            parent[int(pointer[-1]) if isinstance(parent, list) else pointer[-1]] = {}
            return True
        pointer, keyword = pointer[:-1], pointer[-1]
    schema = lookup(document, pointer)
    value = schema.pop(keyword)
    schema |= _as_3_0(keyword, value) if is_3_0(document) else _as_2020_12(schema, keyword, value)
    return True


def _as_3_0(keyword: str, value: Any) -> dict[str, Any]:
    """Return the keywords of OpenAPI 3.0 for a keyword of a later version; none if it has no clear meaning."""
    if keyword == "type" and isinstance(value, list):
        types = [name for name in value if name != "null"]
        found: dict[str, Any] = {"type": types[0]} if len(types) == 1 else {}
        return found | ({"nullable": True} if "null" in value else {})
    if keyword in LIMITS and type(value) in (int, float):
        return {LIMITS[keyword]: value, keyword: True}
    return {"nullable": True} if keyword == "nullable" and str(value).lower() == "true" else {}


def _as_2020_12(schema: dict[str, Any], keyword: str, value: Any) -> dict[str, Any]:
    """Return the keywords of JSON Schema 2020-12 for a keyword of an earlier version, of which it takes the limit."""
    if keyword == "type":
        names = ["null" if name is None else name for name in (value if isinstance(value, list) else [value])]
        known = [name for name in names if name in _TYPES]
        return {"type": known} if known else {}
    if keyword in LIMITS and value is True and type(schema.get(LIMITS[keyword])) in (int, float):
        return {keyword: schema.pop(LIMITS[keyword])}
    return {"prefixItems": value} if keyword == "items" and isinstance(value, list) and value else {}


_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
