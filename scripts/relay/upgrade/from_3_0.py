"""OpenAPI 3.0 → 3.1: the steps for schemas, bodies of bytes, and path items."""

from __future__ import annotations

from .binary_bodies import describe_binary
from .contract_files import ContractFiles
from .discriminators import report_discriminators
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
            _path_item(value, findings)
        elif role == "document":
            value["openapi"] = "3.1.1"
    for role, value, file in found:
        content = value.get("content")
        for name, media_type in content.items() if role != "schema" and isinstance(content, Map) else ():
            if isinstance(media_type, Map):
                describe_binary(files, name, media_type, file)
                if name.lower().startswith("multipart/"):
                    _drop_styles(media_type, findings)
    for file in files.files.values():
        file.own_version = "3.1" if file.own_version == "3.0" else file.own_version


def _path_item(item: Map, findings: Findings) -> None:
    """Remove what is next to the `$ref` of a path: 3.1 adds it to the path that is referred to."""
    for key in [key for key in item if key not in _DESCRIBING and not key.startswith("x-")]:
        message = f"`{key}` next to a path's $ref had no effect, so it was removed; move it into the path that the $ref leads to"
        findings.no_effect(item, key, message)
        item.drop(key)


def _drop_styles(media_type: Map, findings: Findings) -> None:
    """Remove the styles of multipart bodies, which 3.1 reads; those that come from Swagger 2.0 had an effect there."""
    encodings = media_type.get("encoding")
    for encoding in encodings.values() if isinstance(encodings, Map) else ():
        is_written = isinstance(encoding, Map) and encoding.node is not None
        for key in [one for one in _OF_URLENCODED if is_written and one in encoding]:
            message = (
                f"`{key}` had no effect in a multipart body, so it was removed; add it again if you mean it"
            )
            findings.no_effect(encoding, key, message)
            encoding.drop(key)
