"""The signature that the contract requires of a handler: its arguments in order, and its return type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relay.contract.model import Contract, Operation, Schema
from relay.server.handler_arguments import handler_arguments
from relay.validation import media_types as media

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
        of_schema(schema, contract, names) if _has_shape(media_type) else _unshaped(media_type)
        for media_type, schema in content.items()
    )


def _has_shape(media_type: str) -> bool:
    """Whether the server parses a body of a media type into the values of its schema."""
    return media.is_json(media_type) or media.is_form(media_type)


def _unshaped(media_type: str) -> Type:
    return STR if media.essence(media_type).startswith("text/") else BYTES
