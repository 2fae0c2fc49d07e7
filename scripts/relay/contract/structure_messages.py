"""Says in words how a document violates the structure of OpenAPI."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from .document_schemas import DocumentSchema, document_schema
from .documents import Pointer
from .object_kinds import within_schema

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
        """What is wrong, as the library describes it."""
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
        words = _WORDS.get(self.kind.name)
        found = [*words(self)] if words else []
        yield from found or [self.violation(str(self.error.message))]

    def violation(self, message: str, names: tuple[str, ...] = ()) -> StructureViolation:
        """Return a violation of the value by the error's keyword."""
        return StructureViolation(self.pointer, message, self.kind.name, names)


def missing_names(error: Any) -> tuple[str, ...]:
    """Return the fields of which an object needs one; none for an error of another kind."""
    if error.kind.name != "anyOf":
        return ()
    first = [branch[0] for branch in error.kind.context if branch]
    is_needed = all(one.kind.name == "required" and one.instance_path == error.instance_path for one in first)
    return tuple(one.kind.property for one in first) if is_needed else ()


def _required(one: StructureError) -> Iterator[StructureViolation]:
    yield one.violation(f"'{one.kind.property}' is missing", (one.kind.property,))


def _any_of(one: StructureError) -> Iterator[StructureViolation]:
    if names := missing_names(one.error):
        *most, last = (f"'{name}'" for name in names)
        message = f"{', '.join(most)} or {last} is missing"
        yield StructureViolation(one.pointer, message, "required", names[:1])


def _unknown(one: StructureError) -> Iterator[StructureViolation]:
    for name in one.kind.unexpected[:MAX_VIOLATIONS]:
        message = _unknown_field(name, one.pointer, one.schema) if one.quotes else "unknown field"
        yield StructureViolation((*one.pointer, name), message, "additionalProperties")


def _enum(one: StructureError) -> Iterator[StructureViolation]:
    is_type = one.key == "type" and within_schema(one.pointer) is not None
    if is_type and isinstance(one.value, list) and one.quotes:
        yield one.violation("type takes one name in OpenAPI 3.0; write `nullable: true` for null")
        return
    options = one.kind.options
    if one.schema.version == "3.0":
        options = _OPTIONS.get("/".join([*one.pointer[-3:-2], one.key]), options)
    hint = "; write 'null' in quotes" if one.value is None and "null" in options else ""
    message = f"{one.found('the value')} is not one of {', '.join(map(str, options))}{hint}"
    yield StructureViolation(one.pointer, message)


def _const(one: StructureError) -> Iterator[StructureViolation]:
    yield one.violation(f"expected {shown(one.kind.expected_value)}, found {one.found()}")


def _type(one: StructureError) -> Iterator[StructureViolation]:
    types = tuple(one.kind.types)
    expected = " or ".join(_TYPES[name] for name in types)
    if {*types} == {"boolean", "object"}:
        expected = "a schema"
    yield one.violation(f"expected {expected}, found {one.found()}{_hint(one)}", types)


def _hint(one: StructureError) -> str:
    """Say what JSON Schema 2020-12 has for a keyword that is written as in an earlier version."""
    if one.schema.version == "3.0" or within_schema(one.pointer) is None:
        return ""
    if one.key in LIMITS and isinstance(one.value, bool):
        return f"; write the limit here, in place of `{LIMITS[one.key]}`" if one.value else "; remove it"
    is_list = one.key == "items" and isinstance(one.value, list)
    return "; write a list of schemas as `prefixItems`" if is_list else ""


LIMITS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
"""The keyword that has the limit in OpenAPI 3.0, by the one that has it from 3.1 on."""


def _one_of(one: StructureError) -> Iterator[StructureViolation]:
    yield StructureViolation(one.pointer, AMBIGUOUS)


def _not(one: StructureError) -> Iterator[StructureViolation]:
    if "required" in one.kind.schema:
        names = [f"'{name}'" for name in one.kind.schema["required"]]
        together = "are mutually exclusive; keep one" if len(names) > 1 else "is not allowed here"
        yield one.violation(f"{' and '.join(names)} {together}", tuple(one.kind.schema["required"]))
    elif one.key == "parameters":
        yield one.violation("query and querystring parameters are mutually exclusive; keep one kind")


def _contains(one: StructureError) -> Iterator[StructureViolation]:
    if one.key == "parameters":
        yield one.violation("a request has one query string; keep one querystring parameter")


def _property_names(one: StructureError) -> Iterator[StructureViolation]:
    name = one.kind.error.instance
    named = shown(name) if one.quotes else "the name"
    message = f"{named} is not {'a method' if one.key == 'additionalOperations' else 'the name of a header'}"
    if one.kind.error.kind.name == "not":
        message = f"{named} has a field of its own, '{name.lower()}'; write it there"
    yield StructureViolation((*one.pointer, name), message, one.kind.name)


def _pattern(one: StructureError) -> Iterator[StructureViolation]:
    is_header = one.kind.pattern == _METHOD_OR_HEADER
    if reason := "is not the name of a header" if is_header else _PATTERNS.get(one.key):
        yield one.violation(f"{one.found('the value')} {reason}")


_METHOD_OR_HEADER = "^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$"
_PATTERNS = {
    "$self": "has a fragment; remove it from the '#' on",
    "name": "has braces; write the name without them",
}
"""What is wrong with a value that has another syntax, by its field."""


def _format(one: StructureError) -> Iterator[StructureViolation]:
    yield StructureViolation(one.pointer, f"not a valid {one.kind.format}")


_WORDS: dict[str, Callable[[StructureError], Iterator[StructureViolation]]] = {
    "required": _required,
    "anyOf": _any_of,
    "additionalProperties": _unknown,
    "unevaluatedProperties": _unknown,
    "enum": _enum,
    "const": _const,
    "type": _type,
    "oneOf": _one_of,
    "not": _not,
    "contains": _contains,
    "propertyNames": _property_names,
    "pattern": _pattern,
    "format": _format,
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
