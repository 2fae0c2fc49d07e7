"""Checks that a document has the structure of its version of OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from .bundling import Bundle
from .diagnostics import Diagnostic
from .document_schemas import DocumentSchema, document_schema
from .documents import Pointer
from .pointers import SECTIONS, chain, found_at, kind_at, lookup, parse_pointer, within_schema
from .structure_messages import (
    AMBIGUOUS,
    LIMITS,
    MAX_VIOLATIONS,
    StructureError,
    StructureViolation,
    missing_names,
)
from .versions import Dialect, dialect_of


def to_diagnostics(bundle: Bundle, violations: Iterable[StructureViolation]) -> list[Diagnostic]:
    """Convert the violations of a bundle to diagnostics, sorted by location, without duplicates."""
    places = {(bundle.place(violation.pointer), violation.message) for violation in violations}
    return [Diagnostic(place, message, "structure") for place, message in sorted(places)]


def structure_violations(bundle: Bundle) -> list[StructureViolation]:
    """Validate a bundled document against the JSON Schema of its version; return at most MAX_VIOLATIONS."""
    schema = document_schema(bundle.version)
    errors = list(islice(_specific(schema.errors(bundle.data)), MAX_VIOLATIONS))
    found = [
        violation
        for error, pointer in _meaningful(errors)
        if schema.version == "3.0" or not _is_of_dialect(pointer, bundle.data)
        for violation in StructureError(
            error, pointer, lookup(bundle.data, pointer), bundle.is_own(pointer), schema
        ).violations()
    ]
    found = _without_ghosts(found, schema)
    specific = {one.pointer for one in found if one.message != AMBIGUOUS}
    found = [one for one in found if one.message != AMBIGUOUS or one.pointer not in specific]
    return [*found, *_wrong_targets(bundle, schema)][:MAX_VIOLATIONS]


def _meaningful(errors: list[Any]) -> Iterator[tuple[Any, Pointer]]:
    """Yield the errors with their pointers; of a value of the wrong type only that."""
    mistyped = {tuple(error.instance_path) for error in errors if error.kind.name == "type"}
    for error in errors:
        if error.kind.name == "type" or tuple(error.instance_path) not in mistyped:
            yield error, tuple(map(str, error.instance_path))


def _is_of_dialect(pointer: Pointer, document: Any) -> bool:
    """Return True for a keyword whose value is right in the earlier dialect of JSON Schema that its schema states."""
    keyword, value = pointer[-1] if pointer else "", lookup(document, pointer)
    if keyword in LIMITS and isinstance(value, bool):
        return _dialect(pointer, document) == "draft-04"
    return keyword == "items" and isinstance(value, list) and _dialect(pointer, document) != "2020-12"


def _dialect(pointer: Pointer, document: Any) -> Dialect:
    """Return the dialect of the schemas at a pointer; an unknown one, which is reported elsewhere, is taken for 2020-12."""
    around = (lookup(document, pointer[:length]) for length in range(len(pointer), 0, -1))
    named = (one.get("$schema") for one in around if isinstance(one, dict))
    stated = next((one for one in named if isinstance(one, str)), document.get("jsonSchemaDialect"))
    return dialect_of(str(stated)) or "2020-12"


def _without_ghosts(found: list[StructureViolation], schema: DocumentSchema) -> list[StructureViolation]:
    """Leave out the unknown fields that are known, of objects with another violation, or with an unknown field within.

    `unevaluatedProperties` takes all fields for unknown that a failing branch describes. What really is not allowed is found
    when the other violation is repaired.
    """
    if schema.version == "3.0":
        return found
    unknown = [one for one in found if one.keyword == "additionalProperties"]
    around = {
        one.pointer[:length]
        for one in found
        if one.keyword != "additionalProperties"
        for length in range(len(one.pointer) + 1)
    }
    owners = {one.pointer[:length] for one in unknown for length in range(len(one.pointer))}
    known = [one for one in unknown if one.pointer[-1] in schema.field_names]
    ghosts = {one for one in known if one.pointer[:-1] in around or one.pointer in owners}
    return [one for one in found if one not in ghosts] if ghosts else found


def _specific(errors: Iterable[Any]) -> Iterator[Any]:
    """Replace a oneOf/anyOf error by the errors of the likely alternative, never of the Reference Object."""
    for error in errors:
        context = [list(branch) for branch in getattr(error.kind, "context", [])]
        branches = [branch for branch in context if not any(_requires_ref(inner, error) for inner in branch)]
        likely = [branch for branch in branches if not any(map(_is_enum, branch))]
        if branches and all(context) and not missing_names(error):  # a branch without errors matches
            branch = max(likely or branches, key=lambda one: max(len(error.instance_path) for error in one))
            # Without a likely one, the field whose value distinguishes the kinds.
            yield from _specific(branch if likely else [*filter(_is_enum, branch)] or branch)
        else:
            yield error


def _wrong_targets(bundle: Bundle, schema: DocumentSchema) -> Iterator[StructureViolation]:
    is_right_kind: dict[tuple[str, str], bool] = {}
    for pointer, ref in bundle.references:
        kind = kind_at(pointer)
        if kind == "MediaType" and schema.version == "3.0":
            continue  # an unknown field there
        target = parse_pointer(ref[1:])
        if len(target) == 3 and target[0] == "components" and SECTIONS.get(target[1]) == kind:
            continue  # checked at its definition
        if (kind, ref) not in is_right_kind:
            is_right_kind[kind, ref] = _is_kind(kind, target, bundle.data, schema)
        if not is_right_kind[kind, ref]:
            named = f"'{ref}'" if bundle.is_own(pointer) else "the $ref"
            message = f"{named} does not point to a {kind} Object"
            yield StructureViolation(pointer, message, "$ref", (kind,))


def _is_kind(kind: str, target: Pointer, document: Any, schema: DocumentSchema) -> bool:
    """Return True if the value at `target` is of that kind, or missing, which `dangling-ref` reports.

    A reference there is followed, except where the same kind of object is expected: it is reported itself.
    """
    way = chain(document, target) if kind != "Schema" else [target]
    value = found_at(document, next((at for at in way if kind_at(at) == kind), way[-1]), _MISSING)
    if value is _MISSING:
        return True
    # Any object is a schema of JSON Schema 2020-12: the place must be one of schemas, or of data of one's own.
    is_place = within_schema(target) is not None or any(token.startswith("x-") for token in target)
    return (is_place or kind != "Schema" or schema.version == "3.0") and schema.is_kind(kind, value)


_MISSING = object()


def _is_enum(error: Any) -> bool:
    return bool(error.kind.name == "enum")


def _requires_ref(inner: Any, outer: Any) -> bool:
    is_required = inner.kind.name == "required" and inner.instance_path == outer.instance_path
    return is_required and bool(inner.kind.property == "$ref")
