"""OpenAPI 3.0 → 3.1: the steps for schemas, bodies of bytes, and path items.

Bytes are no strings of JSON (OpenAPI 3.1.1, "Migrating binary descriptions").
"""

from __future__ import annotations

from collections.abc import Iterator

from relay.validation import media_types as media

from .contract_files import ContractFiles, File
from .discriminators import all_of, report_discriminators
from .findings import Findings
from .schemas_3_0 import upgrade_schema
from .tree import Map
from .visits import visits

_DESCRIBING = frozenset(["$ref", "summary", "description"])
_OF_URLENCODED = ("style", "explode", "allowReserved")


def upgrade_3_0(files: ContractFiles, findings: Findings) -> None:
    """Bring all files of OpenAPI 3.0 to 3.1."""
    found = visits(files, "3.0")
    report_discriminators(files, found, findings)
    for role, value, _ in found:
        if role == "schema":
            upgrade_schema(value, findings)
        elif role == "path item" and "$ref" in value:
            _drop_beside_ref(value, findings)
        elif role == "document":
            value["openapi"] = "3.1.1"
    for role, value, file in found:
        content = value.get("content")
        for name, media_type in content.items() if role != "schema" and isinstance(content, Map) else ():
            if isinstance(media_type, Map):
                _describe_binary(files, name, media_type, file)
                if name.lower().startswith("multipart/"):
                    _drop_styles(media_type, findings)
    files.set_version("3.0", "3.1")


def _drop_beside_ref(item: Map, findings: Findings) -> None:
    """Remove what is next to the `$ref` of a path: 3.1 adds it to the path that is referred to."""
    for key in [key for key in item if key not in _DESCRIBING and not key.startswith("x-")]:
        message = f"`{key}` next to a path's $ref had no effect, so it was removed; move it into the path that the $ref leads to"
        findings.drop(item, key, message)


def _drop_styles(media_type: Map, findings: Findings) -> None:
    """Remove the styles of multipart bodies, which 3.1 reads; those that come from Swagger 2.0 had an effect there."""
    encodings = media_type.get("encoding")
    for encoding in encodings.values() if isinstance(encodings, Map) else ():
        is_written = isinstance(encoding, Map) and encoding.node is not None
        for key in [one for one in _OF_URLENCODED if is_written and one in encoding]:
            what = f"`{key}` had no effect in a multipart body"
            findings.drop(encoding, key, f"{what}, so it was removed; add it again if you mean it")


def _describe_binary(files: ContractFiles, name: str, content: Map, file: File) -> None:
    """Describe a body of bytes, or the files of a form, by media types instead of `format: binary`."""
    schema = content.get("schema")
    if not isinstance(schema, Map):
        return
    if name.startswith("multipart/"):
        for field in _fields(files, schema, file):
            if _is_binary(field):
                _as_bytes(field, media.OCTETS)
    elif media.is_binary(name) and not media.is_range(name):
        target = files.target(schema, file)
        if target is None or not _is_binary(target):
            return
        if target is schema and not set(schema) - {"type", "format"}:
            content.drop("schema")
        else:
            _as_bytes(target, name)


def _fields(files: ContractFiles, schema: Map, file: File) -> Iterator[Map]:
    """Yield the schemas of the fields of a form, and of their items."""
    for form, home in [*files.parts(schema, file, all_of)]:
        fields = form.get("properties")
        for field in fields.values() if isinstance(fields, Map) else ():
            target = files.target(field, home)
            items = files.target(target.get("items"), home) if target is not None else None
            yield from (one for one in (target, items) if one is not None)


def _is_binary(schema: Map) -> bool:
    return schema.get("format") == "binary" and schema.get("type") in ("string", ["string", "null"])


def _as_bytes(schema: Map, name: str) -> None:
    schema.drop("type")
    schema.rename("format", "contentMediaType")
    schema["contentMediaType"] = name
