"""The signature that the contract requires of a handler: its arguments in order, and its return type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relay.contract.model import Contract, Operation, Schema
from relay.server.binding import handler_arguments
from relay.validation import media_types as media
from relay.validation.unvalidated import is_binary

from .annotations import ANY, BYTES, NONE, STR, Type, of_schema, union


@dataclass(frozen=True, slots=True)
class ExpectedArgument:
    """An argument; `always` is False if the server passes it only when the request contains it."""

    name: str
    type: Type
    always: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """A handler's signature: `returns` is the type of a body alone, `successes` of all documented successes."""

    arguments: tuple[ExpectedArgument, ...]
    returns: Type
    successes: Type

    def argument(self, name: str) -> ExpectedArgument | None:
        """Return the argument with a name; None if there is none."""
        return next((one for one in self.arguments if one.name == name), None)


def signature(operation: Operation, contract: Contract, names: Mapping[str, str]) -> Signature:
    """Return the signature of an operation's handler; `names` are the classes of `components/schemas`."""
    types = [of_schema(parameter.schema, contract, names) for parameter in operation.parameters]
    if operation.body is not None:
        types.append(_content(operation.body.content, contract, names))
    arguments = [
        ExpectedArgument(one.name, kind, one.always)
        for one, kind in zip(handler_arguments(operation, contract), types, strict=True)
    ]
    successes = [
        _content(operation.responses[status].content, contract, names) for status in _successes(operation)
    ]
    return Signature(tuple(arguments), successes[0] if successes else ANY, union(successes))


def _successes(operation: Operation) -> list[str]:
    """Return the documented success keys; first the one that a body alone is sent with."""
    exact = sorted(key for key in operation.responses if key.startswith("2") and key.isdecimal())
    return exact or [key for key in ("2XX", "default") if key in operation.responses][:1]


def _content(content: Mapping[str, Schema], contract: Contract, names: Mapping[str, str]) -> Type:
    if not content:
        return NONE
    return union(
        of_schema(schema, contract, names) if kind in _PARSED else STR if kind == media.TEXT else BYTES
        for media_type, schema in content.items()
        for kind in _kinds(media_type, schema, contract)
    )


_PARSED = (media.JSON, media.URLENCODED, media.MULTIPART)
"""The media types that the server parses into the values of their schema."""


def _kinds(media_type: str, schema: Schema, contract: Contract) -> list[str]:
    """Return how bodies of a media type are read: those of a range in every way that it covers."""
    if media.is_json(media_type) or not media.is_range(media_type):
        return [media.kind_of(media_type)]
    covered = [kind for kind in media.KINDS if media.covers(media_type, kind)]
    return [media.OCTETS] if is_binary(schema, contract) or not covered else covered
