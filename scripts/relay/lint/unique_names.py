"""Checks that tags and servers have names of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relay.contract.diagnostics import Diagnostic
from relay.contract.documents import Pointer
from relay.contract.model import Contract
from relay.contract.pointers import kinds_of

from .lint_rules import finding


def check_unique_names(contract: Contract) -> Iterator[Diagnostic]:
    """Yield each tag with the name of one before it in the list, and since OpenAPI 3.2 each such server."""
    yield from _repeated(contract, contract.document.get("tags"), ("tags",), "tag")
    if contract.version in ("3.0", "3.1"):
        return
    for at, value, kind in kinds_of(contract.published):
        if kind == "object":
            yield from _repeated(contract, value.get("servers"), (*at, "servers"), "server")


def _repeated(contract: Contract, listed: Any, at: Pointer, what: str) -> Iterator[Diagnostic]:
    names: set[str] = set()
    for index, one in enumerate(listed if isinstance(listed, list) else ()):
        name = one.get("name") if isinstance(one, dict) else None
        if isinstance(name, str) and name in names:
            message = f"another {what} has the name '{name}'; rename one of them, or remove it"
            yield finding(contract, "duplicate-name", (*at, str(index), "name"), message)
        elif isinstance(name, str):
            names.add(name)
