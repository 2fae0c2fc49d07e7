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
from .methods import ADDITIONAL, METHODS
from .object_kinds import SECTIONS, kind_at, within_schema
from .pointers import PointerNotFound, lookup
from .schema_repair import is_3_0, repair_schema
from .structure_messages import StructureViolation

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
    "deviceAuthorizationUrl": "",
}
"""What a missing field is taken for."""

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
"""What stands for an object that a `$ref` does not lead to, by its kind; a link is removed, as it needs an operation."""

_DESCRIBING = [("info",), ("info", "contact"), ("info", "license")]
"""Objects of which any wrong field is ignored."""

_ENTRIES: dict[str, Any] = {
    **{section: NEUTRAL[kind] for section, kind in SECTIONS.items() if kind in NEUTRAL},
    "content": {},
    "encoding": {},
    "scopes": "",
}
"""What a wrong value with a name of its own is replaced by."""

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
    if kind == "Schema" and not is_3_0(document) and isinstance(value, dict):
        value.pop("$ref", None)
        return True
    if kind == "Link" and isinstance(parent, dict):
        del parent[pointer[-1]]
        return True
    return _replace(parent, pointer[-1], NEUTRAL.get(kind))


def _is_repaired(document: Any, violation: StructureViolation) -> bool:
    pointer = violation.pointer
    try:
        value = lookup(document, pointer)
        parent = lookup(document, pointer[:-1])
    except PointerNotFound:
        return True  # the repair of another violation removed it
    if violation.keyword == "$ref":
        return _replace_target(document, pointer, violation.names[0], parent)
    special = _BY_KEYWORD.get(violation.keyword)
    if special is not None and special(violation, parent, value):
        return True
    if found := within_schema(pointer):
        return repair_schema(document, *found)
    return bool(pointer) and not _is_security(pointer) and _repair_field(pointer, parent, pointer[-1], value)


def _is_security(pointer: Pointer) -> bool:
    """Return True within `security`: schemes may have the names of fields, and without one an operation may be public."""
    return any(
        field == "security" and (index == 0 or pointer[index - 1] in METHODS or ADDITIONAL in pointer[:index])
        for index, field in enumerate(pointer[:-1])
    )


def _remove_unknown(violation: StructureViolation, parent: Any, value: Any) -> bool:
    *_, section, name = ("", *violation.pointer)
    if section == "paths":
        return False
    del parent[name]
    if section == "responses":
        for status in _STATUS.findall(name.upper()):
            if status != name:
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


def _add_required(violation: StructureViolation, _parent: Any, value: Any) -> bool:
    """Add a missing field, but no content to a parameter of the whole query string: its schema may be meant for it."""
    is_querystring = violation.names == ("content",) and value.get("in") == "querystring"
    return not is_querystring and add_missing(value, violation.names)


def _remove_named(violation: StructureViolation, parent: Any, _value: Any) -> bool:
    """Remove a header or an operation whose name no message can have."""
    del parent[violation.pointer[-1]]
    return True


_BY_KEYWORD: dict[str, Callable[[StructureViolation, Any, Any], bool]] = {
    "required": _add_required,
    "additionalProperties": _remove_unknown,
    "not": _remove_excluded,
    "type": _as_text,
    "uniqueItems": _remove_equal,
    "propertyNames": _remove_named,
}


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
    if section == "links":
        del parent[key]
        return True
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


def _replace(parent: Any, key: str, value: Any) -> bool:
    if value is not None:
        parent[int(key) if isinstance(parent, list) else key] = copy.deepcopy(value)
    return value is not None
