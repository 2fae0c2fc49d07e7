"""The bodies that a service sends to webhooks and callbacks, with a name for the class of each.

A webhook is usually sent by POST, and any other method is part of the name: `newPet` → `NewPetWebhook`,
`NewPetPutWebhook`. A callback has the name of its operation, too, unless it is a component: `subscribe`, `onEvent` →
`SubscribeOnEventCallback`.
"""

from __future__ import annotations

from collections.abc import Iterator

from relay.contract.model import Contract, Schema
from relay.contract.outgoing import OutgoingRequest, outgoing_requests
from relay.contract.parsed import Pointer
from relay.validation import media_types as media

from .class_names import class_name


def outgoing_bodies(contract: Contract) -> Iterator[tuple[str, Schema]]:
    """Yield the name and the schema of each body that has a shape, those of shared requests once."""
    known: set[Pointer] = set()
    for request in outgoing_requests(contract):
        schemas = [
            schema for name, schema in request.content.items() if media.is_json(name) or media.is_form(name)
        ]
        if schemas and all(schemas) and request.pointer not in known:
            known.add(request.pointer)
            yield _name(request), schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _name(request: OutgoingRequest) -> str:
    is_shared = request.pointer[:2] == ("components", "callbacks")
    owner = "" if request.operation is None or is_shared else class_name(request.operation.id)
    name = class_name(request.pointer[2] if is_shared else request.name)
    kind = request.kind.capitalize()
    method = "" if request.method == "post" else class_name(request.method)
    return f"{owner}{name.removesuffix(kind)}{method}{kind}"
