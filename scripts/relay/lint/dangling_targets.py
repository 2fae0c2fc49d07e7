"""Checks for discriminator mappings and links that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.diagnostics import Diagnostic
from relay.contract.discriminators import mapped_schemas, mapping_of
from relay.contract.documents import Pointer
from relay.contract.methods import operations_in
from relay.contract.model import Contract
from relay.contract.pointers import exists, mappings, parse_pointer

from .lint_rules import finding


def check_targets(contract: Contract) -> Iterator[Diagnostic]:
    """Yield each value of a mapping without a schema, and each link without an operation.

    An `operationRef` to another file is not followed.
    """
    whole = contract.published
    root = contract.place(()).file
    ids = _operation_ids(whole) | {one.id for one in contract.operations}
    for at, value in mappings(contract.document):
        existing = mapped_schemas(value, whole)
        for name, target in mapping_of(value).items():
            if name not in existing:
                pointer = (*at, "discriminator", "mapping", name)
                what = f"'{target}'" if contract.place(pointer).file == root else "the target"
                message = f"{what} of the discriminator's mapping does not exist; write a schema's name or a reference to it"
                yield finding(contract, "dangling-mapping", pointer, message)
        if at[-2:-1] == ("links",) and contract.place(at).file == root:
            yield from _link(contract, at, value, ids, whole)


def _link(
    contract: Contract, at: Pointer, link: dict[str, Any], ids: set[str], whole: Any
) -> Iterator[Diagnostic]:
    name, ref = link.get("operationId"), link.get("operationRef")
    if isinstance(name, str) and name not in ids:
        message = f"no operation has the operationId '{name}'; correct the link"
        yield finding(contract, "dangling-link", (*at, "operationId"), message)
    if isinstance(ref, str) and ref.startswith("#") and not exists(whole, parse_pointer(ref[1:])):
        message = f"there is no operation at '{ref}'; correct the link"
        yield finding(contract, "dangling-link", (*at, "operationRef"), message)


def _operation_ids(document: Mapping[str, Any]) -> set[str]:
    """Return the operationIds of a document, also those of operations that are left out."""
    named = [found for section in ("paths", "webhooks") if isinstance(found := document.get(section), dict)]
    items = [item for found in named for item in found.values() if isinstance(item, dict)]
    raw = [operation for item in items for _, _, operation in operations_in(item)]
    return {one["operationId"] for one in raw if isinstance(one.get("operationId"), str)}
