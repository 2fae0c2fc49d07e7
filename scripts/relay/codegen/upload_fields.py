"""Which fields of `components/schemas` are uploads: the files of multipart request bodies."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from relay.contract.model import Contract
from relay.contract.pointers import parse_pointer, references
from relay.validation import media_types as media
from relay.validation.binary_schemas import is_file

UPLOAD = "Upload"

IMPORT = f"from relay import {UPLOAD} as {UPLOAD}"
"""The line by which `_types.py` has the class, for itself and for modules with handlers."""

_TYPE = {"type": "string", "customTypePath": f"relay.{UPLOAD}"}
"""What datamodel-code-generator makes an annotation with the class of."""


def with_uploads(contract: Contract, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the components with uploads as the files of those that only multipart request bodies use."""
    forms, others = _used(contract)
    found = dict(schemas)
    for name in _closure(forms, schemas) - _closure(others, schemas):
        if isinstance(schema := schemas.get(name), dict) and isinstance(schema.get("properties"), dict):
            properties = {key: _upload(field, contract) for key, field in schema["properties"].items()}
            found[name] = {**schema, "properties": properties}
    return found


def takes_upload(media_type: str) -> bool:
    """Return True for a media type of bodies that a new handler takes as an upload: not text, nor a range of all kinds."""
    return media.is_binary(media_type) and not media.essence(media_type).startswith(("*", "application/*"))


def _upload(field: Any, contract: Contract) -> Any:
    """Return a property's schema with uploads in place of binary strings: of itself, or of its items."""
    if not isinstance(field, dict):
        return field
    if field.get("type") == "array":
        return {**field, "items": _upload(field.get("items"), contract)}
    if "anyOf" in field:
        return {**field, "anyOf": [_upload(part, contract) for part in field["anyOf"]]}
    if is_file(field, contract):
        kept = {key: value for key, value in field.items() if key in ("nullable", "description")}
        return {**kept, **_TYPE}
    return field


def _used(contract: Contract) -> tuple[set[str], set[str]]:
    """Return the components that multipart request bodies refer to, and those that anything else does."""
    forms: set[str] = set()
    others: set[str] = set()
    for operation in contract.operations:
        content = operation.body.content if operation.body else {}
        for name, schema in content.items():
            (forms if media.essence(name) == media.MULTIPART else others).update(_references(schema))
        contents = (response.content.values() for response in operation.responses.values())
        for schema in chain((one.schema for one in operation.parameters), *contents):
            others.update(_references(schema))
    return forms, others


def _closure(names: set[str], schemas: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    pending = [*names]
    while pending:
        if (name := pending.pop()) not in found:
            found.add(name)
            pending += _references(schemas.get(name))
    return found


def _references(schema: Any) -> set[str]:
    pointers = (parse_pointer(ref[1:]) for _, ref in references(schema))
    return {pointer[2] for pointer in pointers if pointer[:2] == ("components", "schemas")}
