"""Checks that a document has the structure of OpenAPI 3.0."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs

from .bundling import Bundle
from .diagnostics import Diagnostic
from .documents import Pointer
from .pointers import PointerNotFound, lookup, parse_pointer, references

_COMPONENT_NAME = r"^[a-zA-Z0-9\.\-_]+$"


def _adapted(part: dict[str, Any]) -> dict[str, Any]:
    """Remove `format: regex`, as a wrong pattern is only not asserted; check components of any name."""
    return {"" if key == _COMPONENT_NAME else key: value for key, value in part.items() if value != "regex"}


_SCHEMA: dict[str, Any] = json.loads(
    Path(__file__).with_name("schemas").joinpath("openapi-3.0.json").read_text("utf-8"), object_hook=_adapted
)
"""The OpenAPI Initiative's JSON Schema of OpenAPI 3.0, version 2021-09-28, adapted."""


def to_diagnostics(bundle: Bundle, violations: Iterable[StructureViolation]) -> list[Diagnostic]:
    """Convert the violations of a bundle to diagnostics, sorted by location, without duplicates."""
    places = {(bundle.place(violation.pointer), violation.message) for violation in violations}
    return [Diagnostic(place, message, "structure") for place, message in sorted(places)]


class StructureViolation(NamedTuple):
    """One violation of the OpenAPI 3.0 JSON Schema.

    `keyword` is that of the JSON Schema; for a $ref to an object of the wrong kind it is `$ref`. `names` are the missing
    or mutually exclusive fields, or the types or the kind that is expected.
    """

    pointer: Pointer
    message: str
    keyword: str = ""
    names: tuple[str, ...] = ()


def structure_violations(bundle: Bundle) -> list[StructureViolation]:
    """Validate a bundled document against the OpenAPI 3.0 JSON Schema; return at most MAX_VIOLATIONS."""
    if bundle.version != "3.0":
        return []
    validator = jsonschema_rs.Draft4Validator(_SCHEMA, mask="this")
    errors = list(islice(_specific(validator.iter_errors(bundle.data)), MAX_VIOLATIONS))
    mistyped = {tuple(error.instance_path) for error in errors if error.kind.name == "type"}
    found = [
        violation
        for error in errors
        if error.kind.name == "type" or tuple(error.instance_path) not in mistyped
        for violation in _violations_of(error, tuple(map(str, error.instance_path)), bundle)
    ]
    specific = {violation.pointer for violation in found if violation.message != _AMBIGUOUS}
    found = [
        violation
        for violation in found
        if violation.message != _AMBIGUOUS or violation.pointer not in specific
    ]
    return [*found, *_wrong_targets(bundle)][:MAX_VIOLATIONS]


MAX_VIOLATIONS = 1_000
"""Maximum number of structure violations that are reported; run again after fixing them."""

_AMBIGUOUS = "matches several kinds of object; add the field that distinguishes them"


def _specific(errors: Iterable[Any]) -> Iterator[Any]:
    """Replace a oneOf/anyOf error by the errors of the likely alternative, never of the Reference Object."""
    for error in errors:
        context = [list(branch) for branch in getattr(error.kind, "context", [])]
        branches = [branch for branch in context if not any(_requires_ref(inner, error) for inner in branch)]
        likely = [branch for branch in branches if not any(map(_is_enum, branch))]
        if branches and all(context):  # a branch without errors matches
            yield from _specific(max(likely, key=_depth) if likely else _enum_errors(branches))
        else:
            yield error


SECTIONS = {
    "parameters": "Parameter",
    "responses": "Response",
    "requestBodies": "RequestBody",
    "headers": "Header",
    "examples": "Example",
    "links": "Link",
    "callbacks": "Callback",
    "securitySchemes": "SecurityScheme",
    "paths": "PathItem",
    "schemas": "Schema",
}
_IN_SCHEMAS = frozenset(["schema", "items", "additionalProperties", "not"])


def _wrong_targets(bundle: Bundle) -> Iterator[StructureViolation]:
    """Yield each `$ref` to an object of the wrong kind."""
    is_right_kind: dict[tuple[str, str], bool] = {}
    for pointer, ref in references(bundle.data):
        kind = kind_at(pointer)
        target = parse_pointer(ref[1:])
        if len(target) == 3 and target[0] == "components" and SECTIONS.get(target[1]) == kind:
            continue  # checked at its definition
        if (kind, ref) not in is_right_kind:
            is_right_kind[kind, ref] = _is_kind(kind, target, bundle.data)
        if not is_right_kind[kind, ref]:
            named = f"'{ref}'" if bundle.is_own(pointer) else "the $ref"
            message = f"{named} does not point to a {kind} Object"
            yield StructureViolation(pointer, message, "$ref", (kind,))


def kind_at(pointer: Pointer) -> str:
    """Return the kind of object that OpenAPI expects at a pointer."""
    if len(pointer) < 2 or (pointer[-1] in _IN_SCHEMAS and len(pointer) != 3):
        return "Schema"
    return "RequestBody" if pointer[-1] == "requestBody" else SECTIONS.get(pointer[-2], "Schema")


def within_schema(pointer: Pointer) -> tuple[Pointer, str | None] | None:
    """Return the innermost Schema Object that a pointer leads into, and the keyword there; None for no schema.

    The keyword is None if the pointer leads to the schema itself.
    """
    start = 3 if pointer[:2] == ("components", "schemas") else _schema_start(pointer)
    if start is None or start > len(pointer):
        return None
    while start < len(pointer):
        names_schema = pointer[start] in _IN_SCHEMAS or (
            pointer[start] in _OF_SCHEMAS and start + 1 < len(pointer)
        )
        if not names_schema:
            return pointer[:start], pointer[start]
        start += 1 if pointer[start] in _IN_SCHEMAS else 2
    return pointer, None


_OF_SCHEMAS = frozenset(["properties", "allOf", "anyOf", "oneOf"])


def _schema_start(pointer: Pointer) -> int | None:
    """Return the length of a pointer to the schema of a media type, parameter or header that a pointer leads into."""
    owners = ("content", "parameters", "headers")
    found = (at for at in range(2, len(pointer)) if pointer[at] == "schema" and pointer[at - 2] in owners)
    return next((at + 1 for at in found), None)


def _is_kind(kind: str, target: Pointer, document: Any) -> bool:
    """Return True if the value at `target` is of that kind, or missing, which `dangling-ref` reports."""
    try:
        return _object_validator(kind).is_valid(lookup(document, target))
    except PointerNotFound:
        return True


@functools.cache
def _object_validator(kind: str) -> jsonschema_rs.Draft4Validator:
    definitions = _SCHEMA["definitions"]
    alternatives = [{"$ref": f"#/definitions/{name}"} for name in (kind, "Reference")]
    return jsonschema_rs.Draft4Validator({"anyOf": alternatives, "definitions": definitions})


def _is_enum(error: Any) -> bool:
    return bool(error.kind.name == "enum")


def _enum_errors(branches: list[list[Any]]) -> list[Any]:
    """Return the errors of the field whose value distinguishes the kinds, if there is one."""
    branch = max(branches, key=_depth)
    return [error for error in branch if _is_enum(error)] or branch


def _requires_ref(inner: Any, outer: Any) -> bool:
    return (inner.kind.name, inner.instance_path) == ("required", outer.instance_path) and bool(
        inner.kind.property == "$ref"
    )


def _depth(branch: Iterable[Any]) -> int:
    return max(len(error.instance_path) for error in branch)


def _violations_of(error: Any, pointer: Pointer, bundle: Bundle) -> Iterator[StructureViolation]:
    """Yield the violations of an error; only the root document is quoted."""
    kind = error.kind
    quotes = bundle.is_own(pointer)
    found = shown(lookup(bundle.data, pointer)) if quotes else "something else"
    match kind.name:
        case "required":
            message = f"'{kind.property}' is missing"
            yield StructureViolation(pointer, message, kind.name, (kind.property,))
        case "additionalProperties":
            for name in kind.unexpected[:MAX_VIOLATIONS]:
                message = _unknown(name, pointer) if quotes else "unknown field"
                yield StructureViolation((*pointer, name), message, kind.name)
        case "enum" if pointer[-1:] == ("type",) and within_schema(pointer) and found == _TYPES["array"]:
            message = "type takes one name in OpenAPI 3.0; write `nullable: true` for null"
            yield StructureViolation(pointer, message, kind.name)
        case "enum":
            options = _OPTIONS.get((pointer[-3] if len(pointer) > 2 else "", pointer[-1]), kind.options)
            what = found if quotes else "the value"
            yield StructureViolation(pointer, f"{what} is not one of {', '.join(map(str, options))}")
        case "type":
            expected = " or ".join(_TYPES[name] for name in kind.types)
            message = f"expected {expected}, found {found}"
            yield StructureViolation(pointer, message, kind.name, tuple(kind.types))
        case "oneOf":
            yield StructureViolation(pointer, _AMBIGUOUS)
        case "not" if "required" in kind.schema:
            names = [f"'{name}'" for name in kind.schema["required"]]
            together = "are mutually exclusive; keep one" if len(names) > 1 else "is not allowed here"
            message = f"{' and '.join(names)} {together}"
            yield StructureViolation(pointer, message, kind.name, tuple(kind.schema["required"]))
        case "format":
            yield StructureViolation(pointer, f"not a valid {kind.format}")
        case name:
            yield StructureViolation(pointer, str(error.message), name)


_OPTIONS = {
    ("parameters", "in"): ("path", "query", "header", "cookie"),
    ("securitySchemes", "type"): ("apiKey", "http", "oauth2", "openIdConnect"),
}
"""The values of fields that choose among several kinds of object, by the section and the field."""
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


def _unknown(name: str, pointer: Pointer) -> str:
    if pointer == ("paths",):
        return f"'{name}' is not a path; a path starts with '/'"
    if len(name) > 40:
        return f"unknown field '{name[:37]}...'"
    if name in _field_names():
        return f"a field '{name}' is not allowed here"
    close = difflib.get_close_matches(name, _field_names(), 1, 0.75)
    return f"unknown field '{name}'" + (f"; did you mean '{close[0]}'?" if close else "")


@functools.cache
def _field_names() -> list[str]:
    """Return every field name of the specification."""
    definitions = _SCHEMA["definitions"].values()
    patterned = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
    return sorted({*patterned, *(name for one in definitions for name in one.get("properties", {}))})
