"""Checks which schema a value has whose discriminator names none (OpenAPI 3.2, "Discriminator Object")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.diagnostics import Diagnostic
from relay.contract.discriminators import mapped_pointer
from relay.contract.documents import Pointer
from relay.contract.model import Contract
from relay.contract.pointers import exists
from relay.contract.schema_words import CHOICES

from .lint_rules import finding
from .schema_sites import nodes


def check_defaults(contract: Contract) -> Iterator[Diagnostic]:
    """Yield each `defaultMapping` that leads nowhere, and each optional discriminator without one."""
    if contract.version in ("3.0", "3.1"):
        return
    for node in nodes(contract):
        discriminator = node.value.get("discriminator") if node.kind == "schema" else None
        if not isinstance(discriminator, dict):
            continue
        at = (*node.pointer, "discriminator")
        if "defaultMapping" in discriminator:
            yield from _dangling(contract, discriminator["defaultMapping"], (*at, "defaultMapping"))
        elif not _is_required(contract, node.value, name := discriminator["propertyName"]):
            message = f"'{name}' is optional, so the discriminator needs a `defaultMapping`; add it, or require '{name}'"
            yield finding(contract, "optional-discriminator", at, message)


def _dangling(contract: Contract, target: Any, at: Pointer) -> Iterator[Diagnostic]:
    """Yield a warning for a target that does not exist; names in another file are not followed."""
    is_local = isinstance(target, str) and (target.startswith("#") or "/" not in target)
    is_here = contract.place(at).file == contract.place(()).file
    if is_local and is_here and not exists(contract.published, mapped_pointer(target)):
        message = f"'{target}' of the discriminator's defaultMapping does not exist; write a schema's name or a reference to it"
        yield finding(contract, "dangling-mapping", at, message)


def _is_required(contract: Contract, schema: Mapping[str, Any], name: str) -> bool:
    """Return True if a schema, or each of its alternatives, requires a property."""
    branches = [part for word in CHOICES for part in schema.get(word, [])]
    return _requires(contract, schema, name) or (
        bool(branches) and all(_requires(contract, part, name) for part in branches)
    )


def _requires(contract: Contract, schema: Mapping[str, Any], name: str) -> bool:
    pending, seen = [schema], set[int]()
    while pending:
        part = contract.resolve(pending.pop())
        if name in part.get("required", []):
            return True
        if id(part) not in seen:
            seen.add(id(part))
            pending += part.get("allOf", [])
    return False
