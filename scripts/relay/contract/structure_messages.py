"""Says in words how a document violates the structure of OpenAPI."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from .document_schemas import DocumentSchema, document_schema
from .documents import Pointer
from .pointers import within_schema

MAX_VIOLATIONS = 1_000
"""Maximum number of structure violations that are reported; run again after fixing them."""

AMBIGUOUS = "matches several kinds of object; add the field that distinguishes them"


class StructureViolation(NamedTuple):
    """One violation of the JSON Schema of OpenAPI.

    `keyword` is that of the JSON Schema; for a $ref to an object of the wrong kind it is `$ref`. `names` are the missing
    or mutually exclusive fields, or the types or the kind that is expected.
    """

    pointer: Pointer
    message: str
    keyword: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StructureError:
    """An error of the library, and the value that it is about, which is quoted only if `quotes`."""

    error: Any
    pointer: Pointer
    value: Any
    quotes: bool
    schema: DocumentSchema

    @property
    def kind(self) -> Any:
        """The fault as the library describes it."""
        return self.error.kind

    @property
    def key(self) -> str:
        """The field that has the value; '' for the document."""
        return self.pointer[-1] if self.pointer else ""

    def found(self, other: str = "something else") -> str:
        """Return the value for a message, or another text if it is not quoted."""
        return shown(self.value) if self.quotes else other

    def violations(self) -> Iterator[StructureViolation]:
        """Yield the violations that the error stands for."""
        found = [*self._described()]
        yield from found or [self._violation(str(self.error.message))]

    def _violation(self, message: str, names: tuple[str, ...] = ()) -> StructureViolation:
        return StructureViolation(self.pointer, message, self.kind.name, names)

    def _described(self) -> Iterator[StructureViolation]:
        kind, found = self.kind, self.found()
        match kind.name:
            case "required":
                yield self._violation(f"'{kind.property}' is missing", (kind.property,))
            case "additionalProperties" | "unevaluatedProperties":
                for name in kind.unexpected[:MAX_VIOLATIONS]:
                    message = (
                        _unknown_field(name, self.pointer, self.schema) if self.quotes else "unknown field"
                    )
                    yield StructureViolation((*self.pointer, name), message, "additionalProperties")
            case "enum":
                yield self._not_an_option()
            case "const":
                yield self._violation(f"expected {shown(kind.expected_value)}, found {found}")
            case "type":
                types = tuple(kind.types)
                expected = " or ".join(_TYPES[name] for name in types)
                expected = "a schema" if {*types} == {"boolean", "object"} else expected
                yield self._violation(f"expected {expected}, found {found}{self._hint()}", types)
            case "oneOf" | "format":
                message = AMBIGUOUS if kind.name == "oneOf" else f"not a valid {kind.format}"
                yield StructureViolation(self.pointer, message)
            case _:
                yield from self._combined()

    def _combined(self) -> Iterator[StructureViolation]:
        """Describe an error whose meaning depends on the object that has it."""
        kind = self.kind
        is_header = kind.name == "pattern" and kind.pattern == _METHOD_OR_HEADER
        if kind.name == "pattern" and (is_header or self.key in _PATTERNS):
            reason = "is not the name of a header" if is_header else _PATTERNS[self.key]
            yield self._violation(f"{self.found('the value')} {reason}")
        elif names := missing_names(self.error):
            *most, last = (f"'{name}'" for name in names)
            message = f"{', '.join(most)} or {last} is missing"
            yield StructureViolation(self.pointer, message, "required", names[:1])
        elif kind.name == "not" and (names := tuple(kind.schema.get("required", ()))):
            together = "are mutually exclusive; keep one" if len(names) > 1 else "is not allowed here"
            yield self._violation("'" + "' and '".join(names) + f"' {together}", names)
        elif kind.name in _OF_PARAMETERS and self.key == "parameters":
            yield self._violation(_OF_PARAMETERS[kind.name])
        elif kind.name == "propertyNames":
            name = kind.error.instance
            named = shown(name) if self.quotes else "the name"
            what = "a method" if self.key == "additionalOperations" else "the name of a header"
            message = f"{named} is not {what}"
            if kind.error.kind.name == "not":
                message = f"{named} has a field of its own, '{name.lower()}'; write it there"
            yield StructureViolation((*self.pointer, name), message, kind.name)

    def _not_an_option(self) -> StructureViolation:
        is_type = self.key == "type" and within_schema(self.pointer) is not None
        if is_type and isinstance(self.value, list) and self.quotes:
            return self._violation("type takes one name in OpenAPI 3.0; write `nullable: true` for null")
        options = self.kind.options
        if self.schema.version == "3.0":
            options = _OPTIONS.get("/".join([*self.pointer[-3:-2], self.key]), options)
        hint = "; write 'null' in quotes" if self.value is None and "null" in options else ""
        message = f"{self.found('the value')} is not one of {', '.join(map(str, options))}{hint}"
        return StructureViolation(self.pointer, message)

    def _hint(self) -> str:
        """Say what JSON Schema 2020-12 has for a keyword that is written as in an earlier version."""
        if self.schema.version == "3.0" or within_schema(self.pointer) is None:
            return ""
        if self.key in LIMITS and isinstance(self.value, bool):
            return (
                f"; write the limit here, in place of `{LIMITS[self.key]}`" if self.value else "; remove it"
            )
        is_list = self.key == "items" and isinstance(self.value, list)
        return "; write a list of schemas as `prefixItems`" if is_list else ""


def missing_names(error: Any) -> tuple[str, ...]:
    """Return the fields of which an object needs one; none for an error of another kind."""
    if error.kind.name != "anyOf":
        return ()
    first = [branch[0] for branch in error.kind.context if branch]
    is_needed = all(one.kind.name == "required" and one.instance_path == error.instance_path for one in first)
    return tuple(one.kind.property for one in first) if is_needed else ()


LIMITS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
"""The keyword that has the limit in OpenAPI 3.0, by the one that has it from 3.1 on."""

_METHOD_OR_HEADER = "^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$"
_PATTERNS = {
    "$self": "has a fragment; remove it from the '#' on",
    "name": "has braces; write the name without them",
}
"""The message for a value that has another syntax, by its field."""

_OF_PARAMETERS = {
    "not": "query and querystring parameters are mutually exclusive; keep one kind",
    "contains": "a request has one query string; keep one querystring parameter",
}
_OPTIONS = {
    "parameters/in": ("path", "query", "header", "cookie"),
    "securitySchemes/type": ("apiKey", "http", "oauth2", "openIdConnect"),
}
"""The values of fields that choose among several kinds of object in OpenAPI 3.0, by the section and the field."""
_TYPES = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


_SHOWN = 40
"""The longest value that a message shows whole, in characters."""


def shown(value: Any) -> str:
    """Return a value for a message: a scalar as written or its beginning, a collection as its type."""
    if isinstance(value, dict | list):
        return _TYPES["object" if isinstance(value, dict) else "array"]
    text = " ".join(value.split()) if isinstance(value, str) else json.dumps(value)
    text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
    return f"'{text}'" if isinstance(value, str) else text


_LATER = {
    ("summary", ("tags",)),
    ("summary", ("responses",)),
    ("name", ("servers",)),
    ("deprecated", ("securitySchemes",)),
    ("encoding", ("encoding",)),
}
"""Fields that OpenAPI 3.2 adds to objects in these sections, and that 3.1 has in others."""


def _unknown_field(name: str, pointer: Pointer, schema: DocumentSchema) -> str:
    if pointer == ("paths",):
        return f"'{name}' is not a path; a path starts with '/'"
    if len(name) > 40:
        return f"unknown field '{name[:37]}...'"
    is_known = name in schema.field_names
    is_later = schema.version == "3.1" and (
        (name, pointer[-2:-1]) in _LATER if is_known else name in document_schema("3.2").field_names
    )
    if is_later:
        return f"the field '{name}' is from OpenAPI 3.2 on; write `openapi: 3.2.0` to have it"
    if is_known:
        return f"a field '{name}' is not allowed here"
    close = difflib.get_close_matches(name, sorted(schema.field_names), 1, 0.75)
    return f"unknown field '{name}'" + (f"; did you mean '{close[0]}'?" if close else "")
