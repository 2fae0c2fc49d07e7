"""The requests that a service sends: those of webhooks, and of the callbacks of its operations.

The contract only documents them (OpenAPI 3.1.1, "OpenAPI Object", `webhooks`; "Callback Object"): nothing is routed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .methods import operations_in
from .model import Contract, Operation, Schema, schemas_of
from .parsed import Pointer

Kind = Literal["webhook", "callback"]


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """One request: the name of its webhook or callback, and its own pointer, which several uses may share.

    `operation` is the one that a callback belongs to. `content` maps media types to schemas.
    """

    kind: Kind
    name: str
    operation: Operation | None
    method: str
    pointer: Pointer
    content: Mapping[str, Schema]

    def __str__(self) -> str:
        of = f" of {self.operation}" if self.operation else ""
        return f"{self.method.upper()} of the {self.kind} '{self.name}'{of}"


def outgoing_requests(contract: Contract) -> Iterator[OutgoingRequest]:
    """Yield the requests of a contract's webhooks, then those of its callbacks."""
    for name in contract.document.get("webhooks") or {}:
        yield from _of_item(contract, ("webhooks", name), "webhook", name, None)
    for operation in contract.operations:
        for name in contract.raw(operation).get("callbacks") or {}:
            callback, pointer = contract.follow((*operation.pointer, "callbacks", name))
            for expression in callback:
                if not expression.startswith("x-"):
                    yield from _of_item(contract, (*pointer, expression), "callback", name, operation)


def _of_item(
    contract: Contract, pointer: Pointer, kind: Kind, name: str, operation: Operation | None
) -> Iterator[OutgoingRequest]:
    item, own = contract.follow(pointer)
    for method, at, raw in operations_in(item):
        content = schemas_of(contract.resolve(raw.get("requestBody") or {}))
        yield OutgoingRequest(kind, name, operation, method, (*own, *at), content)
