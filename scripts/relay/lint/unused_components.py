"""Checks for unused components and `$defs`, and for invalid names of components."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from relay.contract.diagnostics import Diagnostic
from relay.contract.discriminators import mapped_pointer, targets_of
from relay.contract.documents import Pointer
from relay.contract.model import Contract
from relay.contract.pointers import Kind, PointerNotFound, exists, kinds_of, lookup, parse_pointer

from .lint_rules import finding

DEFINITIONS = "$defs"
_NAME = re.compile(r"[a-zA-Z0-9.\-_]+")  # OpenAPI 3.0.3, "Components Object"


def check_unused(contract: Contract) -> Iterator[Diagnostic]:
    """Yield components and `$defs` that no operation uses, and invalid component names.

    Security schemes are used by name, so `check_security` checks them.
    """
    document = contract.published
    used, defined = _reached(document, [("paths",), ("webhooks",)])
    # By place: the bundle has a schema twice that is used with several dynamic anchors.
    places = {contract.place(pointer) for pointer in used}
    for kind, named in _sections(document):
        for name in named:
            pointer = ("components", kind, name)
            if not _NAME.fullmatch(name):
                message = (
                    f"'{name}' is not a valid component name; use only letters, digits, '.', '-' and '_'"
                )
                yield finding(contract, "component-name", pointer, message)
            is_used = contract.place(pointer) in places or kind == "securitySchemes"
            if not is_used and not _is_made(contract, pointer):
                message = f"no operation uses '{name}' of components/{kind}; use it or remove it"
                yield finding(contract, "unused-component", pointer, message)
    if contract.version != "3.0" and defined:
        yield from _unused_definitions(contract, defined)


def _is_made(contract: Contract, pointer: Pointer) -> bool:
    """Return True for a schema that is in no file: the bundle has it for a `$dynamicRef` with other anchors."""
    written = contract.documents[0].data
    return exists(written, pointer[:2]) and not exists(written, pointer)


def _unused_definitions(contract: Contract, defined: list[Pointer]) -> Iterator[Diagnostic]:
    """Yield each of `$defs` that nothing refers to, not even the schema that a `$dynamicRef` gave another one."""
    document = contract.published
    roots = [("components", kind, name) for kind, named in _sections(document) for name in named]
    used, _ = _reached(document, [("paths",), ("webhooks",), *roots])
    places = {contract.place(pointer) for pointer in used}
    for place, pointer in {contract.place(pointer): pointer for pointer in defined}.items():
        if place not in places:
            message = f"no operation uses '{pointer[-1]}' of $defs; use it or remove it"
            yield finding(contract, "unused-component", pointer, message)


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each kind of components, and those by name."""
    components = document.get("components")
    for kind, named in components.items() if isinstance(components, dict) else ():
        if not kind.startswith("x-") and isinstance(named, dict):
            yield kind, named


def _reached(document: Mapping[str, Any], roots: Iterable[Pointer]) -> tuple[set[Pointer], list[Pointer]]:
    """Return the components and `$defs` that some parts refer to, directly or not, and all `$defs` on the way."""
    used: set[Pointer] = set()
    defined: list[Pointer] = []
    kinds = _kinds(document)
    pending = [*roots]
    while pending:
        reached = pending.pop()
        found = [one for target in _targets(*_part(document, reached), defined) for one in _units(target)]
        for pointer in (*found, *kinds.get(reached, ())):
            if pointer not in used:
                used.add(pointer)
                pending.append(pointer)
    return used, defined


def _kinds(document: Mapping[str, Any]) -> dict[Pointer, list[Pointer]]:
    """Return the components that extend each schema with a discriminator, or each schema that extends one, by `allOf`.

    Their names are values of the discriminator, so nothing else need refer to them.
    """
    schemas: dict[Pointer, dict[str, Any]] = {
        ("components", kind, name): schema
        for kind, named in _sections(document)
        if kind == "schemas"
        for name, schema in named.items()
        if isinstance(schema, dict)
    }
    extending: defaultdict[Pointer, list[Pointer]] = defaultdict(list)
    for pointer, schema in schemas.items():
        parts = schema.get("allOf")
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and isinstance(ref := part.get("$ref"), str):
                extending[parse_pointer(ref.removeprefix("#"))].append(pointer)
    pending = [pointer for pointer, schema in schemas.items() if "discriminator" in schema]
    found: dict[Pointer, list[Pointer]] = {}
    while pending:
        base = pending.pop()
        if base not in found:
            found[base] = extending[base]
            pending += extending[base]
    return found


def _units(target: Pointer) -> Iterator[Pointer]:
    """Yield the component that a target is in, and each schema of `$defs` in that."""
    yield target[:3]
    for end in range(5, len(target) + 1):
        if target[end - 2] == DEFINITIONS:
            yield target[:end]


def _part(document: Mapping[str, Any], pointer: Pointer) -> tuple[Any, Pointer, Kind]:
    """Return a part of the document as `kinds_of` takes it; None as its value if it is none, or walked anyway."""
    try:
        value = lookup(document, pointer)
    except PointerNotFound:
        return None, (), "object"
    match pointer:
        case (name,):
            return {name: value}, (), "object"
        case ("components", kind, name) if not kind.startswith("x-"):
            return {kind: {name: value}}, ("components",), "object"
        case ("components", _, name):
            return {name: value}, (), "names"
        case ("components", *_):
            return value, pointer, "schema"
    return None, (), "object"


def _targets(value: Any, at: Pointer, kind: Kind, defined: list[Pointer]) -> Iterator[Pointer]:
    """Yield the pointer of everything that a value refers to, by `$ref` or by the mapping of a discriminator.

    Its `$defs` are added to `defined`, and not searched.
    """
    own: set[Pointer] = set()
    for where, mapping, within in kinds_of(value, at, kind):
        if own and any(where[:end] in own for end in range(len(where) + 1)):
            continue
        if within == "schema" and isinstance(inner := mapping.get(DEFINITIONS), dict):
            own.update((*where, DEFINITIONS, name) for name in inner)
        if isinstance(ref := mapping.get("$ref"), str):
            yield parse_pointer(ref.removeprefix("#"))
        yield from map(mapped_pointer, targets_of(mapping))
    defined += own
