"""Compiles several schemas as one validator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from relay.contract.model import Schema
from relay.contract.pointers import escape

if TYPE_CHECKING:
    import jsonschema_rs

Accepts = Callable[[Any], bool]

DELEGATED = "x-delegated"
"""A keyword of our own: its value is the name of a schema, which another validator has."""


class Compiled(Protocol):
    """Compiles a document; `delegate` is the verdict of the schemas that are DELEGATED to another validator."""

    def __call__(
        self, document: Schema, /, *, delegate: Accepts | None = None
    ) -> jsonschema_rs.Draft4Validator | jsonschema_rs.Draft202012Validator:
        """Raise ValueError or jsonschema_rs.ReferencingError for a document that cannot be compiled."""


def pointer_of(name: str) -> str:
    """Return the `$ref` to a definition."""
    return f"#/definitions/{quoted(name)}"


def quoted(name: str) -> str:
    """Return a name as a token of a `$ref`."""
    return quote(escape(name), safe="~")


def delegation(delegate: Accepts) -> type:
    """Return the class of the keyword DELEGATED."""

    class Delegated:
        def __init__(self, _parent: Any, name: str, _path: Any) -> None:
            self.name = name

        def validate(self, value: Any) -> None:
            if not delegate({self.name: value}):
                raise ValueError(self.name)

    return Delegated


def compile_together(
    schemas: Mapping[str, Schema], definitions: Mapping[str, Schema], compiled: Compiled
) -> Accepts:
    """Compile schemas, which may refer to `definitions`, as the properties of one validator.

    Return its verdict: it accepts `{name: value}` if the schema of that name accepts the value.
    """
    document = {"properties": schemas, "additionalProperties": False, "definitions": definitions}
    return compiled(document).is_valid
