"""Works around violations of OpenAPI's structure whose meaning is clear, or that concern nothing that is served.

Contracts are written by hand, for documentation. A response without a description, a path parameter that is not
called required, a `type: [string, "null"]` of a later version: each is an error of the contract, and none is a
reason not to serve the operation. What is left are values without which an operation cannot be served.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from typing import Any

from .documents import Pointer
from .methods import ADDITIONAL, METHODS
from .pointers import SECTIONS, PointerNotFound, kind_at, lookup, within_schema
from .structure_messages import LIMITS, StructureViolation

_STATUS = re.compile(r"\b[1-5](?:[0-9]{2}|XX)\b")
_NO_RESPONSES: Any = {"default": {"description": ""}}
_MISSING: dict[str, Any] = {
    **dict.fromkeys(
        "description title version authorizationUrl tokenUrl openIdConnectUrl deviceAuthorizationUrl".split(),
        "",
    ),
    "content": {"*/*": {}},
    "required": True,  # of a path parameter
    "responses": _NO_RESPONSES,
    "schema": {},
    "scopes": {},
    "info": {"title": "", "version": ""},
    "paths": {},
}
"""The values that missing fields are taken for."""

_DISPENSABLE = frozenset(
    "allowEmptyValue allowReserved callbacks contact contentType deprecated description encoding example examples explode "
    "externalDocs headers license links operationId style summary tags termsOfService title version xml "
    "dataValue serializedValue oauth2MetadataUrl prefixEncoding itemEncoding".split()
)
"""Fields that are ignored if their value is wrong."""

_OPTIONAL = _DISPENSABLE.union(
    "components content parameters requestBodies requestBody responses schema schemas scopes securitySchemes servers".split()
)
"""Fields for which null means that they are absent; never `security`, whose absence makes an operation public."""

NEUTRAL: dict[str, Any] = {
    "Schema": {},
    "Response": {"description": ""},
    "Header": {"schema": {}},
    "Example": {},
    "Callback": {},
    "MediaType": {},
}
"""Substitutes for an object that a `$ref` does not lead to, by its kind; a link is removed, as it needs an operation."""

_DESCRIBING = [("info",), ("info", "contact"), ("info", "license")]
"""Objects of which any wrong field is ignored."""

_ENTRIES: dict[str, Any] = {
    **{section: NEUTRAL[kind] for section, kind in SECTIONS.items() if kind in NEUTRAL},
    "content": {},
    "encoding": {},
    "scopes": "",
}
"""Substitutes for wrong values that have a name of their own."""

_EXCLUSIVE = frozenset(
    "example content style explode allowReserved examples bearerFormat prefixEncoding itemEncoding".split()
)
"""Fields that are ignored next to one that excludes them."""


def repair(document: Any, violations: Iterable[StructureViolation]) -> list[StructureViolation]:
    """Change a document so that violations no longer matter; return those for which that is not possible."""
    return [one for one in violations if not _is_repaired(document, one)]


def replace_reference(document: Any, pointer: Pointer) -> bool:
    """Replace the `$ref` at a pointer, which leads nowhere; return False where nothing can stand for its target."""
    try:
        parent = lookup(document, pointer[:-1])
    except PointerNotFound:
        return True  # it was removed with what contained it
    if not pointer:
        del document["$ref"]
        return True
    return _replace_target(document, pointer, kind_at(pointer), parent)


def _replace_target(document: Any, pointer: Pointer, kind: str, parent: Any) -> bool:
    """Replace the object at a pointer, which has a useless `$ref`; what is next to it in a schema counts from 3.1 on."""
    value = lookup(document, pointer)
    if kind == "Schema" and not _is_3_0(document) and isinstance(value, dict):
        value.pop("$ref", None)
        return True
    if kind == "Link" and isinstance(parent, dict):
        del parent[pointer[-1]]
        return True
    return _replace(parent, pointer[-1], NEUTRAL.get(kind))


def _is_repaired(document: Any, violation: StructureViolation) -> bool:
    pointer = violation.pointer
    try:
        value, parent = lookup(document, pointer), lookup(document, pointer[:-1])
    except PointerNotFound:
        return True  # the repair of another violation removed it
    if violation.keyword == "$ref":
        return _replace_target(document, pointer, violation.names[0], parent)
    if _is_corrected(violation, parent, value):
        return True
    if found := within_schema(pointer):
        _repair_schema(document, *found)
        return True
    return bool(pointer) and not _is_security(pointer) and _repair_field(pointer, parent, pointer[-1], value)


def _is_security(pointer: Pointer) -> bool:
    """Return True within `security`: schemes may have the names of fields, and without one an operation may be public."""
    return any(
        field == "security" and (index == 0 or pointer[index - 1] in METHODS or ADDITIONAL in pointer[:index])
        for index, field in enumerate(pointer[:-1])
    )


def _is_corrected(violation: StructureViolation, parent: Any, value: Any) -> bool:
    """Repair what violates a keyword that has a remedy of its own; return False where it has none."""
    names, key = violation.names, violation.pointer[-1] if violation.pointer else ""
    match violation.keyword:
        case "required":  # the schema of a parameter of the whole query may be meant for its content
            is_querystring = names == ("content",) and value.get("in") == "querystring"
            return not is_querystring and add_missing(value, names)
        case "additionalProperties":
            return _remove_unknown(violation.pointer, parent, value)
        case "not":
            name = next(filter(_EXCLUSIVE.__contains__, names), None)
            return name is not None and value.pop(name, None) is not None
        case "type" if names == ("string",) and isinstance(value, int | float):
            return _replace(parent, key, json.dumps(value))  # YAML reads what is not in quotes as a number
        case "uniqueItems":
            value[:] = [one for index, one in enumerate(value) if one not in value[:index]]
        case "propertyNames":  # of a header or an operation that no message can have
            del parent[key]
        case _:
            return False
    return True


def _remove_unknown(pointer: Pointer, parent: Any, value: Any) -> bool:
    *_, section, name = ("", *pointer)
    if section != "paths":
        del parent[name]
    for status in _STATUS.findall(name.upper()) if section == "responses" else ():
        if status != name:
            parent.setdefault(status, value)
    return section != "paths"


def add_missing(value: dict[str, Any], names: Iterable[str]) -> bool:
    """Add fields that are missing as what they are taken for; return False if one cannot be added."""
    value |= {name: copy.deepcopy(_MISSING[name]) for name in names if name in _MISSING}
    return value.keys() >= {*names}


def _repair_field(pointer: Pointer, parent: Any, key: str, value: Any) -> bool:
    section = pointer[-2] if len(pointer) > 1 else ""
    if key == "required":
        return _replace(parent, key, parent.get("in") == "path" or str(value).lower() == "true")
    if key == "responses" and len(pointer) > 2:
        return _replace(parent, key, _NO_RESPONSES)
    if section in _ENTRIES and not key.startswith("x-"):
        return _replace(parent, key, _ENTRIES[section])
    if (
        section in ("links", *_ENTRIES)
        or key in _DISPENSABLE
        or (value is None and key in _OPTIONAL)
        or pointer[:-1] in _DESCRIBING
    ):
        del parent[key]
        return True
    # A location is also wrong if the parameter has a style of another one.
    return key == "in" and parent.pop("style", None) is not None


def _replace(parent: Any, key: str, value: Any) -> bool:
    if value is not None:
        parent[int(key) if isinstance(parent, list) else key] = copy.deepcopy(value)
    return value is not None


def _is_3_0(document: Any) -> bool:
    """Return True for a document of OpenAPI 3.0, whose schemas are not yet those of JSON Schema 2020-12."""
    return bool(document["openapi"].startswith("3.0."))


def _repair_schema(document: Any, pointer: Pointer, keyword: str | None) -> None:
    """Translate what other versions of JSON Schema mean; ignore any other wrong keyword, and a wrong schema."""
    if keyword is None:
        outer = pointer[:-1]
        if within_schema(outer) != (outer, None) or (_is_3_0(document) and pointer[-1] != "not"):
            _replace(lookup(document, outer), pointer[-1], {})
            return
        pointer, keyword = outer, pointer[-1]
    schema = lookup(document, pointer)
    value = schema.pop(keyword)
    schema |= _as_3_0(keyword, value) if _is_3_0(document) else _as_2020_12(schema, keyword, value)


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
