"""Checks for unused components, and for schemas without a finite value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.bundling import parse_pointer, references
from relay.contract.diagnostics import Diagnostic
from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema

from .lint_rules import finding

_NAME = re.compile(r"[a-zA-Z0-9.\-_]+")  # OpenAPI 3.0.3, "Components Object"


def check_unused(document: Mapping[str, Any], contract: Contract) -> Iterator[Diagnostic]:
    """Yield components that no operation uses, and invalid component names.

    Security schemes are used by name, so `check_security` checks them.
    """
    components = document.get("components")
    if not isinstance(components, dict):
        return
    used: set[Pointer] = set()
    pending = [document.get("paths")]
    while pending:
        for _, ref in references(pending.pop(), named=True):
            pointer = parse_pointer(ref.removeprefix("#"))[:3]
            if pointer not in used:
                used.add(pointer)
                pending.append({"": _component(components, pointer)})
    for kind, named in components.items():
        if kind.startswith("x-") or not isinstance(named, dict):
            continue
        for name in named:
            pointer = ("components", kind, name)
            if not _NAME.fullmatch(name):
                message = (
                    f"'{name}' is not a valid component name; use only letters, digits, '.', '-' and '_'"
                )
                yield finding(contract, "component-name", pointer, message)
            if pointer not in used and kind != "securitySchemes":
                message = f"no operation uses '{name}' of components/{kind}; use it or remove it"
                yield finding(contract, "unused-component", pointer, message)


def _component(components: Mapping[str, Any], pointer: Pointer) -> Any:
    named = components.get(pointer[1]) if len(pointer) == 3 and pointer[0] == "components" else None
    return named.get(pointer[2]) if isinstance(named, dict) else None


def check_components(contract: Contract) -> Iterator[Diagnostic]:
    """Yield schemas that refer to themselves without a finite alternative."""
    schemas: Mapping[str, Schema] = (contract.document.get("components") or {}).get("schemas") or {}
    refs = {f"#/components/schemas/{name}": name for name in schemas}
    finite: set[str] = set()
    while found := {
        name for name, schema in schemas.items() if name not in finite and _ends(schema, refs, finite)
    }:
        finite |= found
    for name in schemas.keys() - finite:
        pointer = ("components", "schemas", name)
        if _is_recursive(name, schemas, refs, within=False):
            message = f"'{name}' is defined only by itself; replace the reference by a definition"
            yield finding(contract, "circular-ref", pointer, message)
        elif _is_recursive(name, schemas, refs, within=True):
            message = (
                f"'{name}' requires itself, so no finite value is valid; make a property optional or nullable"
            )
            yield finding(contract, "endless-schema", pointer, message)


def _ends(schema: Schema, refs: Mapping[str, str], finite: set[str]) -> bool:
    """Return True if a schema may have a finite value, given the components known to have one."""
    if (ref := schema.get("$ref")) is not None:
        return refs.get(ref, "") in finite or ref not in refs
    if schema.get("nullable") or "enum" in schema:
        return True
    return all(
        any(_ends(part, refs, finite) for part in alternatives)
        for alternatives in _required_parts(schema, within=True)
    )


def _required_parts(schema: Schema, *, within: bool) -> Iterator[list[Schema]]:
    """Yield lists of schemas, one of each list applies to a value; `within` includes its properties and items."""
    yield from ([part] for part in schema.get("allOf", []))
    yield from (schema[keyword] for keyword in ("anyOf", "oneOf") if schema.get(keyword))
    if within:
        properties = schema.get("properties", {})
        yield from ([properties[name]] for name in schema.get("required", []) if name in properties)
        if schema.get("minItems", 0) > 0 and "items" in schema:
            yield [schema["items"]]


def _is_recursive(name: str, schemas: Mapping[str, Schema], refs: Mapping[str, str], *, within: bool) -> bool:
    seen: set[str] = set()
    pending: list[Schema] = [schemas[name]]
    while pending:
        schema = pending.pop()
        target = refs.get(schema.get("$ref", ""))
        if target == name:
            return True
        if target is not None and target not in seen:
            seen.add(target)
            pending.append(schemas[target])
        elif target is None:
            pending += [
                part for alternatives in _required_parts(schema, within=within) for part in alternatives
            ]
    return False
