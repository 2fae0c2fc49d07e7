"""Compares parameters, which are matched by location and name, path parameters by position, and headers."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Operation, Parameter
from relay.validation.coercion import types_of

from .changes import Difference, Places
from .pointer_names import canonical
from .schema_diff import SchemaComparison

Key = TypeVar("Key", bound=Hashable)

_COMPOSED = frozenset(["array", "object"])
_PLAIN = ("form", "simple", "spaceDelimited", "pipeDelimited", "deepObject")  # serialise a scalar alike


def parameters_of(operation: Operation) -> dict[tuple[str, str | int], Parameter]:
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


def by_name(headers: Iterable[Parameter]) -> dict[str, Parameter]:
    """Return headers by their names in lower case."""
    return {header.name.lower(): header for header in headers}


def compare_parameters(
    before: Mapping[Key, Parameter], after: Mapping[Key, Parameter], at: Places, schemas: SchemaComparison
) -> Iterator[Difference]:
    """Yield the differences of the parameters, or headers of requests, of two owners, which are at two pointers."""
    removed = {key: parameter for key, parameter in before.items() if key not in after}
    for key, parameter in after.items():
        if key in before:
            yield from _compare(before[key], parameter, schemas)
            continue
        moved = next((one for one in removed if removed[one].name == parameter.name), None)
        here, there = at.old, canonical(schemas.new, parameter.pointer)
        if moved is not None:
            here = canonical(schemas.old, removed[moved].pointer)
            rule, what = "parameter-moved", f"moved from {removed.pop(moved).location}"
        elif parameter.required:
            rule, what = "parameter-required-added", "added and required"
        else:
            rule, what = "parameter-added", "added"
        yield Difference(rule, what, here, there, name=parameter.name)
    for parameter in removed.values():
        here = canonical(schemas.old, parameter.pointer)
        yield Difference("parameter-removed", "removed", here, at.new, "old", parameter.name)


def _compare(old: Parameter, new: Parameter, schemas: SchemaComparison) -> Iterator[Difference]:
    at = schemas.canonical(Places(old.pointer, new.pointer))
    before, after = schemas.raw(at)

    def difference(rule: str, what: str) -> Difference:
        return Difference(rule, what, *at, name=new.name)

    if old.location == "path" and old.name != new.name:
        yield difference("path-parameter-renamed", f"renamed from '{old.name}' to '{new.name}'")
    if new.required != old.required:
        word = "required" if new.required else "optional"
        yield difference(f"parameter-became-{word}", f"now {word}")
    if after.get("deprecated") and not before.get("deprecated"):
        yield difference("parameter-deprecated", "now deprecated")
    if (old_format := _serialisation(old, schemas.old)) != (new_format := _serialisation(new, schemas.new)):
        what = f"the serialisation changed from {old_format} to {new_format}"
        yield difference("parameter-style-changed", what)
    if before.get("allowReserved") and not after.get("allowReserved"):
        yield difference("parameter-reserved-refused", "reserved characters must now be percent-encoded")
    for found in schemas.differences(Places(schema_of(at.old, old), schema_of(at.new, new)), "request"):
        yield replace(found, name=found.name or new.name)


def compare_headers(
    before: Mapping[str, Parameter], after: Mapping[str, Parameter], at: Places, schemas: SchemaComparison
) -> Iterator[Difference]:
    """Yield the differences of the headers of two responses, or of parts of them, which are at two pointers."""
    for key, header in before.items():
        if key not in after:
            rule = "response-header-removed" + ("" if header.required else "-optional")
            gone = canonical(schemas.old, header.pointer)
            yield Difference(rule, "removed", gone, at.new, "old", header.name)
            continue
        new = after[key]
        here = schemas.canonical(Places(header.pointer, new.pointer))
        if header.required and not new.required:
            yield Difference("response-header-became-optional", "may now be missing", *here, name=header.name)
        places = Places(schema_of(here.old, header), schema_of(here.new, new))
        yield from schemas.differences(places, "response")
    for key, header in after.items():
        if key not in before:
            there = canonical(schemas.new, header.pointer)
            yield Difference("response-header-added", "added", at.old, there, name=header.name)


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
