"""Checks what refers to something: mappings and links that lead nowhere, and components that nothing refers to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from relay.contract.discriminators import mapped_pointer, mapped_schemas, mapping_of, targets_of
from relay.contract.documents import Pointer
from relay.contract.methods import operations_in
from relay.contract.model import Contract, Schema
from relay.contract.pointers import Kind, exists, kinds_of, lookup, mappings, parse_pointer
from relay.contract.schema_words import CHOICES

from .lint_rules import Found
from .schema_sites import nodes

_NAME = re.compile(r"[a-zA-Z0-9.\-_]+")  # OpenAPI 3.0.3, "Components Object"
_INSTEAD = "does not exist; write a schema's name or a reference to it"


def check_targets(contract: Contract) -> Iterator[Found]:
    """Yield each value of a mapping without a schema, and each link without an operation.

    An `operationRef` to another file is not followed.
    """
    whole = contract.published
    root = contract.place(()).file
    ids = _operation_ids(whole) | {one.id for one in contract.operations}
    for at, value in mappings(contract.document):
        for name in mapping_of(value).keys() - mapped_schemas(value, whole):
            pointer = (*at, "discriminator", "mapping", name)
            is_own = contract.place(pointer).file == root
            what = f"'{mapping_of(value)[name]}'" if is_own else "the target"
            yield "dangling-mapping", pointer, f"{what} of the discriminator's mapping {_INSTEAD}"
        if at[-2:-1] == ("links",) and contract.place(at).file == root:
            yield from _link(at, value, ids, whole)


def _link(at: Pointer, link: dict[str, Any], ids: set[str], whole: Any) -> Iterator[Found]:
    name, ref = link.get("operationId"), link.get("operationRef")
    if isinstance(name, str) and name not in ids:
        message = f"no operation has the operationId '{name}'; correct the link"
        yield "dangling-link", (*at, "operationId"), message
    if isinstance(ref, str) and ref.startswith("#") and not exists(whole, parse_pointer(ref[1:])):
        yield "dangling-link", (*at, "operationRef"), f"there is no operation at '{ref}'; correct the link"


def _operation_ids(document: Mapping[str, Any]) -> set[str]:
    """Return the operationIds of a document, also those of operations that are left out."""
    named = [found for section in ("paths", "webhooks") if isinstance(found := document.get(section), dict)]
    raw = [one for found in named for item in found.values() for _, _, one in operations_in(item)]
    return {one["operationId"] for one in raw if isinstance(one.get("operationId"), str)}


def check_defaults(contract: Contract) -> Iterator[Found]:
    """Yield each `defaultMapping` that leads nowhere, and each optional discriminator without one.

    OpenAPI 3.2, "Discriminator Object"; names in another file are not followed.
    """
    for node in nodes(contract) if contract.version not in ("3.0", "3.1") else ():
        discriminator = node.value.get("discriminator") if node.kind == "schema" else None
        if not isinstance(discriminator, dict):
            continue
        at = (*node.pointer, "discriminator")
        target = discriminator.get("defaultMapping", "")
        if "defaultMapping" not in discriminator:
            name = discriminator["propertyName"]
            if not _is_required(contract, dict(node.value), name):
                message = f"'{name}' is optional, so the discriminator needs a `defaultMapping`; add it, or require '{name}'"
                yield "optional-discriminator", at, message
        elif isinstance(target, str) and (target.startswith("#") or "/" not in target):
            is_here = contract.place(at).file == contract.place(()).file
            if is_here and not exists(contract.published, mapped_pointer(target)):
                message = f"'{target}' of the discriminator's defaultMapping {_INSTEAD}"
                yield "dangling-mapping", (*at, "defaultMapping"), message


def _is_required(contract: Contract, schema: Schema, name: str) -> bool:
    """Return True if a schema, or each of its alternatives, requires a property."""

    def requires(one: Schema) -> bool:
        return any(name in part.get("required", []) for part in contract.with_parts(one))

    branches = [part for word in CHOICES for part in schema.get(word, [])]
    return requires(schema) or (bool(branches) and all(map(requires, branches)))


def check_unused(contract: Contract) -> Iterator[Found]:
    """Yield components and `$defs` that no operation uses, and invalid component names.

    Security schemes are used by name, so `check_security` checks them.
    """
    document = contract.published
    uses, defined = _graph(document)
    used = _reached(uses, _ROOTS)
    # By place: the bundle has a schema twice that is used with several dynamic anchors.
    places = {contract.place(pointer) for pointer in used}
    for pointer in _components(document):
        _, kind, name = pointer
        if not _NAME.fullmatch(name):
            message = f"'{name}' is not a valid component name; use only letters, digits, '.', '-' and '_'"
            yield "component-name", pointer, message
        is_used = contract.place(pointer) in places or kind == "securitySchemes"
        if not is_used and not _is_made(contract, pointer):
            message = f"no operation uses '{name}' of components/{kind}; use it or remove it"
            yield "unused-component", pointer, message
    if contract.version == "3.0":
        return
    # A `$dynamicRef` may give a schema that no operation uses another one of `$defs`.
    places = {contract.place(pointer) for pointer in _reached(uses, [*_ROOTS, *_components(document)])}
    found = [pointer for owner in (*_ROOTS, *used) for pointer in defined.get(owner, ())]
    for place, at in {contract.place(at): at for at in found}.items():
        if place not in places:
            message = f"no operation uses '{at[-1]}' of $defs; use it or remove it"
            yield "unused-component", at, message


_ROOTS: tuple[Pointer, ...] = (("paths",), ("webhooks",))


def _is_made(contract: Contract, pointer: Pointer) -> bool:
    """Return True for a schema that is in no file: the bundle has it for a `$dynamicRef` with other anchors."""
    written = contract.documents[0].data
    return exists(written, pointer[:2]) and not exists(written, pointer)


def _components(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    sections = document.get("components")
    for kind, named in sections.items() if isinstance(sections, dict) else ():
        if not kind.startswith("x-") and isinstance(named, dict):
            yield from (("components", kind, name) for name in named)


_Edges = defaultdict[Pointer, list[Pointer]]
"""Pointers of components and `$defs`, by what they are referred to from: another one, or a section of the document."""


def _reached(uses: _Edges, roots: Iterable[Pointer]) -> set[Pointer]:
    """Return what some parts of the document refer to, directly or not."""
    used: set[Pointer] = set()
    pending = [*roots]
    while pending:
        new = dict.fromkeys(one for one in uses.get(pending.pop(), ()) if one not in used)
        used.update(new)
        pending += new
    return used


def _graph(document: Mapping[str, Any]) -> tuple[_Edges, _Edges]:
    """Return what each part of a document refers to, by `$ref` or by the mapping of a discriminator, and its `$defs`."""
    uses, defined = _kinds(document), _Edges(list)
    own: set[Pointer] = set()
    for at, value, kind in _objects(document):
        within = (at[:end] for end in range(len(at), 2, -1) if at[:end] in own) if own else iter(())
        owner = next(within, at[:3] if at[:1] == ("components",) else at[:1])
        if kind == "schema" and isinstance(inner := value.get("$defs"), dict):
            defined[owner] += ((*at, "$defs", name) for name in inner)
            own.update(defined[owner])
        targets = [mapped_pointer(target) for target in targets_of(value)]
        if isinstance(ref := value.get("$ref"), str):
            targets.append(parse_pointer(ref.removeprefix("#")))
        for target in targets:  # the component that it is in, and each schema of `$defs` in that
            ends = [end for end in range(5, len(target) + 1) if target[end - 2] == "$defs"]
            uses[owner] += (target[:end] for end in (3, *ends))
    return uses, defined


def _objects(document: Mapping[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any], Kind]]:
    """Yield the objects of a document, also of the components in sections of one's own."""
    yield from kinds_of(document)
    components = document.get("components")
    for section, named in components.items() if isinstance(components, dict) else ():
        if section.startswith("x-"):
            yield from kinds_of(named, ("components", section), "names")


def _kinds(document: Mapping[str, Any]) -> _Edges:
    """Return the components that extend each schema with a discriminator, or each schema that extends one, by `allOf`.

    Their names are values of the discriminator, so nothing else need refer to them.
    """
    extending, found = _Edges(list), _Edges(list)
    pending: list[Pointer] = []
    for pointer in _components(document):
        schema = lookup(document, pointer)
        if pointer[1] != "schemas" or not isinstance(schema, dict):
            continue
        if "discriminator" in schema:
            pending.append(pointer)
        parts = schema.get("allOf")
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and isinstance(ref := part.get("$ref"), str):
                extending[parse_pointer(ref.removeprefix("#"))].append(pointer)
    while pending:
        base = pending.pop()
        if base not in found:
            found[base] = [*extending[base]]
            pending += extending[base]
    return found
