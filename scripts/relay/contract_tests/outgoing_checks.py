"""Judges bodies that a service sends to webhooks and callbacks by the contract, as their receivers may."""

from typing import Any

from relay.contract.diagnostics import SetupError
from relay.contract.model import Contract
from relay.contract.outgoing import Kind, OutgoingRequest, outgoing_requests
from relay.validation import media_types as media
from relay.validation.schemas import SchemaCompiler
from relay.validation.violations import Violation


class NotDocumented(LookupError):
    """The contract has no such webhook, callback or body; the text names those that it has."""


def documented_request(
    contract: Contract, kind: Kind, name: str, method: str, operation: str = ""
) -> OutgoingRequest:
    """Return the request of a webhook, or of a callback of an operation, by its operationId or as `POST /orders`.

    Raises NotDocumented if the contract has none.
    """
    of_kind = [one for one in outgoing_requests(contract) if one.kind == kind]
    for one in of_kind:
        owners = ("",) if one.operation is None else (one.operation.id, str(one.operation))
        if (one.name, one.method) == (name, method.lower()) and operation in owners:
            return one
    of = f" of {operation}" if operation else ""
    known = "; ".join(map(str, of_kind)) or "none"
    raise NotDocumented(f"the contract has no {method.upper()} of the {kind} '{name}'{of}; it has {known}")


def outgoing_violations(
    contract: Contract, request: OutgoingRequest, body: Any, media_type: str
) -> list[Violation]:
    """Return how the body of a request violates the contract.

    Raises NotDocumented for another media type, and SetupError for a schema that cannot be compiled.
    """
    schema = media.find(media_type, media.by_name(request.content))
    if schema is None:
        known = ", ".join(request.content) or "none"
        raise NotDocumented(f"{request} has no body of {media_type}; it has {known}")
    compiler = SchemaCompiler(contract)
    validator = compiler.compile(schema, "request", request.pointer)
    if validator is None:
        raise SetupError(compiler.take_problems())
    return validator.violations(body)
