"""The JSON Schemas of OpenAPI documents, one for each version, and what they say about the kinds of objects.

`schemas/` has those that the OpenAPI Initiative publishes, without descriptions and adapted: 3.0 of 2021-09-28, 3.1 of
2022-10-07 and 3.2 of 2025-11-23. In the last two the Schema Object is JSON Schema 2020-12 with the OpenAPI vocabulary
in one piece, what excludes each other is written as `not: {required: [...]}`, and where that of 3.1 differs from the text of the
specification (path items with `$ref`, links, headers), it says what that of 3.2 does.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs

_COMPONENT_NAME = r"^[a-zA-Z0-9\.\-_]+$"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class DocumentSchema:
    """The JSON Schema of documents of one version of OpenAPI."""

    def __init__(self, version: str) -> None:
        self.version = version
        file = Path(__file__).with_name("schemas") / f"openapi-{version}.json"
        self._schema: dict[str, Any] = json.loads(file.read_text("utf-8"), object_hook=_adapted)
        self._is_draft4 = version == "3.0"
        self._section = "definitions" if self._is_draft4 else "$defs"
        self._definitions: dict[str, Any] = self._schema[self._section]
        self._validator = self._compiled(self._schema)
        self._kinds: dict[str, Any] = {}

    def errors(self, document: Any) -> Iterator[Any]:
        """Return the errors of the library for a document."""
        errors: Iterator[Any] = self._validator.iter_errors(document)
        return errors

    def is_kind(self, kind: str, value: Any) -> bool:
        """Return True if a value is an object of a kind, such as `RequestBody`, or a reference to one."""
        if kind not in self._kinds:
            branches = [{"$ref": f"#/{self._section}/{name}"} for name in self._definitions_of(kind)]
            schema = {"anyOf": branches, self._section: self._definitions}
            self._kinds[kind] = self._compiled(schema)
        return bool(self._kinds[kind].is_valid(value))

    @functools.cached_property
    def field_names(self) -> frozenset[str]:
        """Every field name of the specification."""
        parts = self._definitions.values() if self._is_draft4 else [self._schema]
        return frozenset(_METHODS).union(*map(_fields, parts))

    def _definitions_of(self, kind: str) -> tuple[str, ...]:
        if self._is_draft4:
            return kind, "Reference"
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower().replace("callback", "callbacks")
        either = f"{name}-or-reference"
        return (either if either in self._definitions else name,)

    def _compiled(self, schema: dict[str, Any]) -> Any:
        if self._is_draft4:
            return jsonschema_rs.Draft4Validator(schema, mask="this")
        return jsonschema_rs.Draft202012Validator(schema, mask="this", validate_formats=True)


@functools.cache
def document_schema(version: str) -> DocumentSchema:
    """Return the schema of documents of a version, `3.0`, `3.1` or `3.2`."""
    return DocumentSchema(version)


def _adapted(part: dict[str, Any]) -> dict[str, Any]:
    """Remove `format: regex`, as a wrong pattern is only not asserted; check components of any name."""
    return {"" if key == _COMPONENT_NAME else key: value for key, value in part.items() if value != "regex"}


def _fields(definition: Any) -> Iterator[str]:
    """Yield the fields of the objects that a definition describes, also those of its branches."""
    pending = [definition]
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            yield from one["properties"] if isinstance(one.get("properties"), dict) else ()
            pending += [value for key, value in one.items() if key != "properties"]
