"""OpenAPI 3.1 → 3.2, which adds to 3.1 and changes the meaning of little."""

from typing import Any

from relay.contract.schema_words import applied_schemas
from relay.importer.text_tree import Map
from relay.validation.media_types import kind_of_items

from .contract_files import ContractFiles, File
from .findings import Findings
from .visits import visits

_DIALECT_OF_3_1 = "https://spec.openapis.org/oas/3.1/dialect/base"
_DIALECT_OF_3_2 = "https://spec.openapis.org/oas/3.2/dialect/2025-09-17"
_FIELDS_OF_3_2 = {
    "Document": ["$self"],
    "PathItem": ["query", "additionalOperations"],
    "MediaType": ["itemSchema", "prefixEncoding", "itemEncoding"],
    "Components": ["mediaTypes"],
}


def upgrade_3_1(files: ContractFiles, findings: Findings) -> None:
    """Bring all files of OpenAPI 3.1 to 3.2."""
    found = visits(files, "3.1")
    for kind, value, file in found:
        if kind in ("RequestBody", "Response"):
            _report_parts(files, value, file, findings)
    for kind, value, _ in found:
        _fields_of_3_2(kind, value, findings)
        if kind == "Parameter" and "allowReserved" in value and value.get("in") != "query":
            message = "`allowReserved` had an effect only in a query, so it was removed; add it again if you mean it"
            findings.drop(value, "allowReserved", message)
        elif kind == "Document":
            value["openapi"] = "3.2.0"
            if value.get("jsonSchemaDialect") == _DIALECT_OF_3_1:
                value["jsonSchemaDialect"] = _DIALECT_OF_3_2
    files.set_version("3.1", "3.2")


def _fields_of_3_2(kind: str, value: Map, findings: Findings) -> None:
    """Remove what 3.1 ignored, but for the items of a stream, which are described on purpose."""
    if kind == "MediaType" and "itemSchema" in value:
        message = "OpenAPI 3.1 has no `itemSchema`, so it had no effect; now the body is a stream of such items: remove it if you do not mean it"
        findings.report("gains-effect", value, "itemSchema", message)
        return
    for key in [one for one in _FIELDS_OF_3_2.get(kind, []) if one in value]:
        message = f"OpenAPI 3.1 has no `{key}`, so it was removed; add it again if you mean it"
        findings.drop(value, key, message)


def _report_parts(files: ContractFiles, owner: Map, file: File, findings: Findings) -> None:
    """Report multipart bodies without names, which are bytes in 3.1 and lists of their parts from 3.2 on."""
    for name, media_type in owner.objects("content"):
        is_plain = kind_of_items(name) == "parts" and "itemSchema" not in media_type
        if is_plain and _takes_arrays(files, media_type.get("schema"), file):
            message = f"a body of {name} with an array was bytes, and is a list with an item for each part now; remove the schema to keep the bytes"
            findings.report("parts-listed", media_type, "schema", message)


def _takes_arrays(files: ContractFiles, schema: Any, file: File) -> bool:
    """Return True if a schema names the type array, or has its keywords and names no type."""
    types: set[Any] = set()
    has_items = False
    for one, _ in files.parts(schema, file, applied_schemas):
        kind = one.get("type", [])
        types.update([kind] if isinstance(kind, str) else map(str, kind))
        has_items |= "items" in one or "prefixItems" in one
    return "array" in types or (has_items and not types)
