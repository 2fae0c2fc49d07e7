"""The signature that the contract requires of a handler: its arguments in order, and its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relay.contract.model import Contract, Operation, RequestBody
from relay.server.functions import handler_arguments

from .annotations import UPLOAD, Type, of_schema, union
from .documented_results import DocumentedResults, HeaderClasses, bodies, documented_results
from .item_types import is_stream, streams
from .part_types import parts_type
from .upload_fields import takes_upload


@dataclass(frozen=True, slots=True)
class ExpectedArgument:
    """An argument; `always` is False if the server passes it only when the request contains it."""

    name: str
    type: Type
    always: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """A handler's signature: what it is called with, and what it may return."""

    arguments: tuple[ExpectedArgument, ...]
    results: DocumentedResults

    def argument(self, name: str) -> ExpectedArgument | None:
        """Return the argument with a name; None if there is none."""
        return next((one for one in self.arguments if one.name == name), None)


def signature(
    operation: Operation, contract: Contract, names: Mapping[str, str], headers: HeaderClasses
) -> Signature:
    """Return the signature of an operation's handler; `names` are the classes of `components/schemas`."""
    types = [of_schema(parameter.schema, contract, names) for parameter in operation.parameters]
    if operation.body is not None:
        types.append(_body(operation.body, contract, names))
    arguments = [
        ExpectedArgument(one.name, kind, one.always)
        for one, kind in zip(handler_arguments(operation, contract), types, strict=True)
    ]
    return Signature(tuple(arguments), documented_results(operation, contract, names, headers))


def _body(body: RequestBody, contract: Contract, names: Mapping[str, str]) -> Type:
    """Return the type of a request body: uploads for files, unless a class of the contract has that name."""
    has_uploads = UPLOAD.name not in names.values()
    parts = {name: parts_type(body, name, contract, names) for name in body.content}
    whole = [
        UPLOAD if has_uploads and takes_upload(media_type) else one.type
        for media_type, schema in body.content.items()
        if not is_stream(body, media_type) and parts[media_type] is None
        for one in bodies(media_type, schema, contract, names)
    ]
    whole += filter(None, parts.values())
    return union([*whole, *(stream for stream, _ in streams(body, contract, names))])
