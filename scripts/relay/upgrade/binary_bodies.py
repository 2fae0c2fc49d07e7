"""OpenAPI 3.0 → 3.1: bytes, which are not strings of JSON (OpenAPI 3.1.1, "Migrating binary descriptions")."""

from __future__ import annotations

from typing import Any

from relay.validation import media_types as media

from .contract_files import ContractFiles, File
from .tree import Map

_OCTETS = "application/octet-stream"


def describe_binary(files: ContractFiles, name: str, content: Map, file: File) -> None:
    """Describe a body of bytes, or the files of a form, by media types instead of `format: binary`."""
    schema = content.get("schema")
    if not isinstance(schema, Map):
        return
    if name.startswith("multipart/"):
        _files(files, schema, file)
    elif media.is_binary(name) and not media.is_range(name):
        target = _target(files, schema, file)
        if not _is_binary(target):
            return
        if target is schema and not set(schema) - {"type", "format"}:
            content.drop("schema")
        else:
            _as_bytes(target, name)


def _files(files: ContractFiles, schema: Map, file: File) -> None:
    """Describe the files among the fields of a form."""
    pending, known = [schema], set[int]()
    while pending:
        form = _target(files, pending.pop(), file)
        if id(form) in known:
            continue
        known.add(id(form))
        pending += [part for part in _list(form.get("allOf")) if isinstance(part, Map)]
        fields = form.get("properties")
        for field in fields.values() if isinstance(fields, Map) else ():
            target = _target(files, field, file)
            items = target.get("items")
            for one in (target, _target(files, items, file)) if items is not None else (target,):
                if _is_binary(one):
                    _as_bytes(one, _OCTETS)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _target(files: ContractFiles, schema: Any, file: File) -> Map:
    """Return a schema, or what its `$ref`s lead to; an empty one if they lead nowhere."""
    known: set[int] = set()
    while isinstance(schema, Map) and "$ref" in schema and id(schema) not in known:
        known.add(id(schema))
        found = files.follow(schema, file)
        schema, file = found if found is not None else (None, file)
    return schema if isinstance(schema, Map) else Map()


def _is_binary(schema: Map) -> bool:
    return schema.get("format") == "binary" and schema.get("type") in ("string", ["string", "null"])


def _as_bytes(schema: Map, name: str) -> None:
    schema.drop("type")
    schema.rename("format", "contentMediaType")
    schema["contentMediaType"] = name
