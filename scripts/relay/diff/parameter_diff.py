"""Parameters: matched by location and name, those of a path by their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation, Parameter

from .changes import Difference
from .pointer_names import canonical, raw
from .schema_diff import SchemaComparison

_SCALARS = ("string", "integer", "number", "boolean")
_PLAIN = ("form", "simple", "spaceDelimited", "pipeDelimited", "deepObject")  # write a scalar alike


def compare_parameters(old: Operation, new: Operation, schemas: SchemaComparison) -> Iterator[Difference]:
    """Tell what happened to each parameter of an operation."""
    before, after = _by_key(old), _by_key(new)
    gone = {key: parameter for key, parameter in before.items() if key not in after}
    for key, parameter in after.items():
        if key in before:
            yield from _compare(before[key], parameter, schemas)
            continue
        moved = next((one for one in gone if gone[one].name == parameter.name), None)
        yield _added(old, parameter, gone.pop(moved) if moved else None, schemas)
    for parameter in gone.values():
        was, at = canonical(schemas.old, parameter.pointer), (*new.pointer, "parameters")
        yield Difference("parameter-removed", "it is gone", was, at, "old", parameter.name)


def _by_key(operation: Operation) -> dict[tuple[str, str | int], Parameter]:
    """Key parameters by what tells them apart on the wire."""
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
    at = canonical(schemas.new, parameter.pointer)
    if moved:
        was = canonical(schemas.old, moved.pointer)
        return Difference("parameter-moved", f"it was in {moved.location}", was, at, name=parameter.name)
    was = (*old.pointer, "parameters")
    if parameter.required:
        return Difference("parameter-required-added", "it is new and required", was, at, name=parameter.name)
    return Difference("parameter-added", "it is new", was, at, name=parameter.name)


def _compare(old: Parameter, new: Parameter, schemas: SchemaComparison) -> Iterator[Difference]:
    was, at = canonical(schemas.old, old.pointer), canonical(schemas.new, new.pointer)
    before, after = raw(schemas.old, old.pointer), raw(schemas.new, new.pointer)

    def told(rule: str, what: str) -> Difference:
        return Difference(rule, what, was, at, name=new.name)

    if old.location == "path" and old.name != new.name:
        yield told("path-parameter-renamed", f"'{old.name}' is called '{new.name}' now")
    if new.required and not old.required:
        yield told("parameter-became-required", "it is required now")
    if old.required and not new.required:
        yield told("parameter-became-optional", "it is optional now")
    if after.get("deprecated") and not before.get("deprecated"):
        yield told("parameter-deprecated", "it is deprecated")
    if (writing := _writing(old, schemas.old)) != (now := _writing(new, schemas.new)):
        yield told("parameter-style-changed", f"it was written as {writing}, and is as {now} now")
    if before.get("allowReserved") and not after.get("allowReserved"):
        yield told("parameter-reserved-refused", "reserved characters have to be percent-encoded now")
    for difference in schemas.differences(schema_of(was, old), schema_of(at, new), "request"):
        yield replace(difference, name=difference.name or new.name)


def schema_of(pointer: Pointer, parameter: Parameter) -> Pointer:
    """Return where the schema of a parameter, or header, is."""
    return (*pointer, *(("content", parameter.media_type) if parameter.media_type else ()), "schema")


def _writing(parameter: Parameter, contract: Contract) -> str:
    """Say how a value is written; most styles write a scalar alike."""
    if parameter.media_type:
        return parameter.media_type
    if contract.resolve(parameter.schema).get("type") in _SCALARS and parameter.style in _PLAIN:
        return "one value"
    return f"{parameter.style}, {'exploded' if parameter.explode else 'not exploded'}"
