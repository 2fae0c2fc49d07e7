"""OpenAPI 3.1 → 3.2, which adds to 3.1 and changes the meaning of little."""

from __future__ import annotations

from .contract_files import ContractFiles
from .findings import Findings
from .part_lists import report_parts
from .tree import Map
from .visits import visits

_DIALECT_OF_3_1 = "https://spec.openapis.org/oas/3.1/dialect/base"
_DIALECT_OF_3_2 = "https://spec.openapis.org/oas/3.2/dialect/2025-09-17"
_FIELDS_OF_3_2 = {
    "document": ["$self"],
    "path item": ["query", "additionalOperations"],
    "media type": ["itemSchema", "prefixEncoding", "itemEncoding"],
    "components": ["mediaTypes"],
}


def upgrade_3_1(files: ContractFiles, findings: Findings) -> None:
    """Bring all files of OpenAPI 3.1 to 3.2."""
    found = visits(files, "3.1")
    for role, value, file in found:
        if role in ("request body", "response"):
            report_parts(files, value, file, findings)
    for role, value, _ in found:
        _fields_of_3_2(role, value, findings)
        if role == "parameter" and "allowReserved" in value and value.get("in") != "query":
            message = "`allowReserved` had an effect only in a query, so it was removed; add it again if you mean it"
            findings.no_effect(value, "allowReserved", message)
            value.drop("allowReserved")
        elif role == "document":
            _document(value)
    for file in files.files.values():
        file.own_version = "3.2" if file.own_version == "3.1" else file.own_version


def _fields_of_3_2(role: str, value: Map, findings: Findings) -> None:
    """Remove what 3.1 ignored, but for the items of a stream, which are described on purpose."""
    if role == "media type" and "itemSchema" in value:
        message = "OpenAPI 3.1 has no `itemSchema`, so it had no effect; now the body is a stream of such items: remove it if you do not mean it"
        findings.gains_effect(value, "itemSchema", message)
        return
    for key in _FIELDS_OF_3_2.get(role, []):
        if key in value:
            message = f"OpenAPI 3.1 has no `{key}`, so it was removed; add it again if you mean it"
            findings.no_effect(value, key, message)
            value.drop(key)


def _document(document: Map) -> None:
    document["openapi"] = "3.2.0"
    if document.get("jsonSchemaDialect") == _DIALECT_OF_3_1:
        document["jsonSchemaDialect"] = _DIALECT_OF_3_2
