"""Checks for unused components and `$defs`, and for schemas without a finite value."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from relay.contract.diagnostics import Diagnostic
from relay.contract.discriminators import mapped_pointer, targets_of
from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.contract.pointers import Kind, PointerNotFound, kinds_of, lookup, parse_pointer, references
from relay.contract.schema_words import CHOICES

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
            if contract.place(pointer) not in places and kind != "securitySchemes":
                message = f"no operation uses '{name}' of components/{kind}; use it or remove it"
                yield finding(contract, "unused-component", pointer, message)
    if contract.version != "3.0" and defined:
        yield from _unused_definitions(contract, defined)


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
    pending = [_part(document, root) for root in roots]
    while pending:
        for target in _targets(*pending.pop(), defined):
            for pointer in _units(target):
                if pointer not in used:
                    used.add(pointer)
                    pending.append(_part(document, pointer))
    return used, defined


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


def check_components(contract: Contract) -> Iterator[Diagnostic]:
    """Yield schemas that refer to themselves without a finite alternative."""
    schemas: Mapping[str, Schema] = (contract.document.get("components") or {}).get("schemas") or {}
    refs = {f"#/components/schemas/{name}": name for name in schemas}
    finite = _finite(schemas, refs)
    endless = [name for name in schemas if name not in finite]
    itself, requiring_itself = (
        on_circles({name: _used(schemas[name], refs, within=within) for name in endless})
        for within in (False, True)
    )
    for name in endless:
        pointer = ("components", "schemas", name)
        if name in itself:
            message = f"'{name}' is defined only by itself; replace the reference by a definition"
            yield finding(contract, "circular-ref", pointer, message)
        elif name in requiring_itself:
            message = (
                f"'{name}' requires itself, so no finite value is valid; make a property optional or nullable"
            )
            yield finding(contract, "endless-schema", pointer, message)


def _finite(schemas: Mapping[str, Schema], refs: Mapping[str, str]) -> set[str]:
    """Return the names of the schemas that may have a finite value; each is asked again when one it uses has."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for name, schema in schemas.items():
        for _, ref in references(schema):
            users[refs.get(ref, "")].add(name)
    finite: set[str] = set()
    pending = list(schemas)
    while pending:
        name = pending.pop()
        if name not in finite and _ends(schemas[name], refs, finite):
            finite.add(name)
            pending += users[name] - finite
    return finite


def _ends(schema: Schema, refs: Mapping[str, str], finite: set[str]) -> bool:
    """Return True if a schema may have a finite value, given the components known to have one."""
    if (ref := schema.get("$ref")) is not None:
        return refs.get(ref, "") in finite or ref not in refs
    if schema.get("nullable") or "enum" in schema:
        return True
    within = _CONTAINERS.issuperset(types) if isinstance(types := schema.get("type"), list) else True
    return all(
        any(_ends(part, refs, finite) for part in alternatives)
        for alternatives in _required_parts(schema, within=within)
    )


_CONTAINERS = frozenset(("object", "array"))


def _required_parts(schema: Schema, *, within: bool) -> Iterator[list[Schema]]:
    """Yield lists of schemas, one of each list applies to a value; `within` includes its properties and items."""
    yield from ([part] for part in schema.get("allOf", []))
    yield from (schema[keyword] for keyword in CHOICES if schema.get(keyword))
    if "if" in schema and "then" in schema and "else" in schema:
        yield [schema["then"], schema["else"]]
    if within:
        properties = schema.get("properties", {})
        yield from ([properties[name]] for name in schema.get("required", []) if name in properties)
        least, prefix = schema.get("minItems", 0), schema.get("prefixItems", [])
        yield from ([part] for part in prefix[:least])
        if least > len(prefix) and "items" in schema:
            yield [schema["items"]]
        if "contains" in schema and schema.get("minContains", 1) > 0:
            yield [schema["contains"]]


def _used(schema: Schema, refs: Mapping[str, str], *, within: bool) -> list[str]:
    """Return the components that a schema combines; with `within` also those that its values contain."""
    found: list[str] = []
    pending: list[Schema] = [schema]
    while pending:
        schema = pending.pop()
        if (ref := schema.get("$ref")) is None:
            pending += [part for parts in _required_parts(schema, within=within) for part in parts]
        elif ref in refs:
            found.append(refs[ref])
    return found


def on_circles(edges: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the nodes from which a way leads back to them: those of strongly connected components."""
    back: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for target in targets:
            if target in back:
                back[target].append(name)
    seen: set[str] = set()
    left = [name for start in edges for name in _in_order_of_leaving(start, edges, seen)]
    seen.clear()
    components = [list(_in_order_of_leaving(start, back, seen)) for start in reversed(left)]
    return {name for found in components for name in found if len(found) > 1 or name in set(edges[name])}


def _in_order_of_leaving(start: str, edges: Mapping[str, Iterable[str]], seen: set[str]) -> Iterator[str]:
    """Yield the nodes that are reached from a node for the first time, each after those reached from it."""
    if start in seen:
        return
    seen.add(start)
    way = [(start, iter(edges[start]))]
    while way:
        name, targets = way[-1]
        target = next((one for one in targets if one in edges and one not in seen), None)
        if target is None:
            way.pop()
            yield name
        else:
            seen.add(target)
            way.append((target, iter(edges[target])))
