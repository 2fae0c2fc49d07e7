"""Compares parameters, which are matched by location and name, path parameters by position."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation, Parameter
from relay.validation.coercion import types_of

from .changes import Difference
from .pointer_names import canonical, raw
from .schema_diff import SchemaComparison

_COMPOSED = frozenset(["array", "object"])
_PLAIN = ("form", "simple", "spaceDelimited", "pipeDelimited", "deepObject")  # serialise a scalar alike


def compare_parameters(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    """Yield the differences of each parameter of an operation."""
    before, after = _by_key(old), _by_key(new)
    removed = {key: parameter for key, parameter in before.items() if key not in after}
    for key, parameter in after.items():
        if key in before:
            yield from compare_parameter(before[key], parameter, schemas)
            continue
        moved = next((one for one in removed if removed[one].name == parameter.name), None)
        yield _added(old, parameter, removed.pop(moved) if moved else None, schemas)
    for parameter in removed.values():
        old_at, new_at = canonical(schemas.old, parameter.pointer), (*new.pointer, "parameters")
        yield Difference("parameter-removed", "removed", old_at, new_at, "old", parameter.name)


def _by_key(operation: Operation) -> dict[tuple[str, str | int], Parameter]:
    """Return parameters by the key that identifies them in requests."""
    order = re.findall(r"\{([^}]*)\}", operation.path)

    def key(parameter: Parameter) -> str | int:
        match parameter.location:
            case "path":
                return order.index(parameter.name)
            case "header":
                return parameter.name.lower()
        return parameter.name

    return {(parameter.location, key(parameter)): parameter for parameter in operation.parameters}


def _added(
    old: Operation, parameter: Parameter, moved: Parameter | None, schemas: SchemaComparison
) -> Difference:
    new_at = canonical(schemas.new, parameter.pointer)
    if moved:
        old_at = canonical(schemas.old, moved.pointer)
        return Difference(
            "parameter-moved", f"moved from {moved.location}", old_at, new_at, name=parameter.name
        )
    old_at = (*old.pointer, "parameters")
    if parameter.required:
        return Difference(
            "parameter-required-added", "added and required", old_at, new_at, name=parameter.name
        )
    return Difference("parameter-added", "added", old_at, new_at, name=parameter.name)


def compare_parameter(old: Parameter, new: Parameter, schemas: SchemaComparison) -> Iterator[Difference]:
    """Yield the differences of a parameter, or of a header that clients send."""
    old_at, new_at = canonical(schemas.old, old.pointer), canonical(schemas.new, new.pointer)
    before, after = raw(schemas.old, old.pointer), raw(schemas.new, new.pointer)

    def difference(rule: str, what: str) -> Difference:
        return Difference(rule, what, old_at, new_at, name=new.name)

    if old.location == "path" and old.name != new.name:
        yield difference("path-parameter-renamed", f"renamed from '{old.name}' to '{new.name}'")
    if new.required and not old.required:
        yield difference("parameter-became-required", "now required")
    if old.required and not new.required:
        yield difference("parameter-became-optional", "now optional")
    if after.get("deprecated") and not before.get("deprecated"):
        yield difference("parameter-deprecated", "now deprecated")
    if (old_format := _serialisation(old, schemas.old)) != (new_format := _serialisation(new, schemas.new)):
        yield difference(
            "parameter-style-changed", f"the serialisation changed from {old_format} to {new_format}"
        )
    if before.get("allowReserved") and not after.get("allowReserved"):
        yield difference("parameter-reserved-refused", "reserved characters must now be percent-encoded")
    for found in schemas.differences(schema_of(old_at, old), schema_of(new_at, new), "request"):
        yield replace(found, name=found.name or new.name)


def schema_of(pointer: Pointer, parameter: Parameter) -> Pointer:
    """Return the pointer of the schema of a parameter or header."""
    return (*pointer, *(("content", parameter.media_type) if parameter.media_type else ()), "schema")


def _serialisation(parameter: Parameter, contract: Contract) -> str:
    """Describe how a value is serialised; most styles serialise a scalar alike."""
    if parameter.media_type:
        return parameter.media_type
    types = types_of(parameter.schema, contract)
    if types and types.isdisjoint(_COMPOSED) and parameter.style in _PLAIN:
        return "a single value"
    return f"{parameter.style}, {'exploded' if parameter.explode else 'not exploded'}"
