"""OpenAPI 3.1 → 3.2: multipart bodies without names, which are bytes in 3.1 and lists of their parts from 3.2 on."""

from __future__ import annotations

from typing import Any

from relay.contract.schema_words import applied_schemas
from relay.validation.media_types import kind_of_items

from .contract_files import ContractFiles, File
from .findings import Findings
from .tree import Map

_MAX_SCHEMAS = 100
"""How many schemas of a body are asked for its type."""


def report_parts(files: ContractFiles, owner: Map, file: File, findings: Findings) -> None:
    """Report the media types of a request body, or of a response, by which a body has another meaning."""
    content = owner.get("content")
    for name, media_type in content.items() if isinstance(content, Map) else ():
        if not isinstance(media_type, Map) or "itemSchema" in media_type or kind_of_items(name) != "parts":
            continue
        if _takes_arrays(files, media_type.get("schema"), file):
            message = f"a body of {name} with an array was bytes, and is a list with an item for each part now; remove the schema to keep the bytes"
            findings.parts_listed(media_type, "schema", message)


def _takes_arrays(files: ContractFiles, schema: Any, file: File) -> bool:
    """Return True if a schema names the type array, or has its keywords and names no type."""
    pending, known = [(schema, file)], set[int]()
    types: set[Any] = set()
    has_items = False
    while pending and len(known) < _MAX_SCHEMAS:
        one, home = pending.pop()
        if not isinstance(one, Map) or id(one) in known:
            continue
        known.add(id(one))
        kind = one.get("type", [])
        types.update([kind] if isinstance(kind, str) else map(str, kind))
        has_items |= "items" in one or "prefixItems" in one
        target = files.follow(one, home)
        pending += [target] if target is not None else []
        pending += [(part, home) for part in applied_schemas(one)]
    return "array" in types or (has_items and not types)
