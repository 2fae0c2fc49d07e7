"""Works around violations of OpenAPI's structure whose meaning is clear, or that concern nothing that is served.

Contracts are written by hand, for documentation. A response without a description, a path parameter that is not
called required, a `type: [string, "null"]` of a later version: each is an error of the contract, and none is a
reason not to serve the operation. What is left are values without which an operation cannot be served.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from .documents import Pointer
from .pointers import PointerNotFound, lookup
from .structure import SECTIONS, StructureViolation, kind_at, within_schema

_STATUS = re.compile(r"\b[1-5](?:[0-9]{2}|XX)\b")
_NO_RESPONSES: Any = {"default": {"description": ""}}
_MISSING: dict[str, Any] = {
    "content": {"*/*": {}},
    "description": "",
    "required": True,  # of a path parameter
    "responses": _NO_RESPONSES,
    "schema": {},
    "scopes": {},
    "info": {"title": "", "version": ""},
    "paths": {},
    "title": "",
    "version": "",
    "authorizationUrl": "",
    "tokenUrl": "",
    "openIdConnectUrl": "",
}
"""What a missing field is taken for."""

_DISPENSABLE = frozenset(
    "allowEmptyValue allowReserved callbacks contact contentType deprecated description encoding example examples explode "
    "externalDocs headers license links operationId style summary tags termsOfService title version xml".split()
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
    "Link": {},
    "Callback": {},
}
"""What stands for an object that a `$ref` does not lead to, by its kind."""

_DESCRIBING = [("info",), ("info", "contact"), ("info", "license")]
"""Objects of which any wrong field is ignored."""

_ENTRIES: dict[str, Any] = {
    **{section: NEUTRAL[kind] for section, kind in SECTIONS.items() if kind in NEUTRAL},
    "content": {},
    "encoding": {},
    "scopes": "",
}
"""What a wrong value with a name of its own is replaced by."""

_EXCLUSIVE = {"example", "content", "style", "explode", "allowReserved", "examples", "bearerFormat"}
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
    return _replace(parent, pointer[-1], NEUTRAL.get(kind_at(pointer)))


def _is_repaired(document: Any, violation: StructureViolation) -> bool:
    pointer = violation.pointer
    try:
        value = lookup(document, pointer)
        parent = lookup(document, pointer[:-1])
    except PointerNotFound:
        return True  # the repair of another violation removed it
    special = _BY_KEYWORD.get(violation.keyword)
    if special is not None and special(violation, parent, value):
        return True
    if found := within_schema(pointer):
        return _repair_schema(document, *found)
    return bool(pointer) and _repair_field(pointer, parent, pointer[-1], value)


def _remove_unknown(violation: StructureViolation, parent: Any, value: Any) -> bool:
    *_, section, name = ("", *violation.pointer)
    if section == "paths":
        return False
    del parent[name]
    if section == "responses":
        for status in _STATUS.findall(name.upper()):
            parent.setdefault(status, value)
    return True


def _as_text(violation: StructureViolation, parent: Any, value: Any) -> bool:
    """Replace a number or boolean, as YAML reads what is not in quotes, by its text."""
    if violation.names != ("string",) or not isinstance(value, int | float):
        return False
    return _replace(parent, violation.pointer[-1], json.dumps(value))


def _remove_excluded(violation: StructureViolation, _parent: Any, value: Any) -> bool:
    name = next(filter(_EXCLUSIVE.__contains__, violation.names), None)
    return name is not None and value.pop(name, None) is not None


def _remove_equal(_violation: StructureViolation, _parent: Any, value: Any) -> bool:
    value[:] = [one for index, one in enumerate(value) if one not in value[:index]]
    return True


def _point_elsewhere(violation: StructureViolation, parent: Any, _value: Any) -> bool:
    return _replace(parent, violation.pointer[-1], NEUTRAL.get(violation.names[0]))


_BY_KEYWORD: dict[str, Callable[[StructureViolation, Any, Any], bool]] = {
    "required": lambda violation, _parent, value: add_missing(value, violation.names),
    "additionalProperties": _remove_unknown,
    "not": _remove_excluded,
    "type": _as_text,
    "uniqueItems": _remove_equal,
    "$ref": _point_elsewhere,
}


def add_missing(value: dict[str, Any], names: Iterable[str]) -> bool:
    """Add fields that are missing as what they are taken for; return False if one cannot be added."""
    value |= {name: copy.deepcopy(_MISSING[name]) for name in names if name in _MISSING}
    return value.keys() >= {*names}


def _repair_field(pointer: Pointer, parent: Any, key: str, value: Any) -> bool:
    section = pointer[-2] if len(pointer) > 1 else ""
    if key == "required":
        return _replace(parent, key, parent.get("in") == "path" or str(value).lower() == "true")
    if key == "responses" and pointer[0] == "paths":
        return _replace(parent, key, _NO_RESPONSES)
    if section in _ENTRIES and not key.startswith("x-"):
        return _replace(parent, key, _ENTRIES[section])
    if (
        section in _ENTRIES
        or key in _DISPENSABLE
        or (value is None and key in _OPTIONAL)
        or pointer[:-1] in _DESCRIBING
    ):
        del parent[key]
        return True
    # A location is also wrong if the parameter has a style of another one.
    return key == "in" and parent.pop("style", None) is not None


def _repair_schema(document: Any, pointer: Pointer, keyword: str | None) -> bool:
    """Translate what later versions of JSON Schema mean; ignore any other wrong keyword, and a wrong schema."""
    if keyword is None:
        return _replace(lookup(document, pointer[:-1]), pointer[-1], {})
    schema = lookup(document, pointer)
    value = schema.pop(keyword)
    if keyword == "type" and isinstance(value, list):
        types = [name for name in value if name != "null"]
        schema |= {"type": types[0]} if len(types) == 1 else {}
        schema |= {"nullable": True} if "null" in value else {}
    elif keyword in _LIMITS and type(value) in (int, float):
        schema |= {_LIMITS[keyword]: value, keyword: True}
    elif keyword == "nullable" and str(value).lower() == "true":
        schema["nullable"] = True
    return True


_LIMITS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def _replace(parent: Any, key: str, value: Any) -> bool:
    if value is not None:
        parent[int(key) if isinstance(parent, list) else key] = copy.deepcopy(value)
    return value is not None
