"""Iterates over all schemas of a contract, and the parameters, headers and media types that have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.methods import operations_in
from relay.contract.model import Contract
from relay.contract.pointers import chain
from relay.contract.schema_words import inner_schemas
from relay.validation.schemas import Direction

Kind = Literal["schema", "parameter", "media type"]


class Node(NamedTuple):
    """One schema, parameter, header or media type; `direction` is None if it may be sent in both directions.

    `used_at` is where a media type has its name: one of `components` may be used by several, a node for each.
    """

    kind: Kind
    value: Mapping[str, Any]
    pointer: Pointer
    direction: Direction | None
    media_type: str | None = None
    used_at: Pointer = ()

    @property
    def is_in_parameter(self) -> bool:
        """True for the media type of a parameter or a header."""
        return self.used_at[-4:-3] in (("parameters",), ("headers",))


_FIELDS = (
    "paths webhooks components schema itemSchema schemas parameters requestBody requestBodies responses headers content "
    "callbacks pathItems mediaTypes"
).split()
"""The fields that lead to schemas, whatever object has them, in the order in which they are walked."""

_SINGLE = frozenset(["components", "schema", "itemSchema", "requestBody"])
"""Fields with one object; the others list them, or name them."""

_EXTENSIBLE = ("paths", "responses")
"""Fields with names that may be those of extensions, except in components."""

_PATH_ITEMS = ("paths", "webhooks", "pathItems")
_WAYS: Mapping[str, Direction | None] = {
    **dict.fromkeys(("parameters", "requestBody", "requestBodies"), "request"),
    **dict.fromkeys(("responses", "headers"), "response"),
    **dict.fromkeys(("webhooks", "callbacks", "pathItems", "mediaTypes"), None),
}
"""The direction of what fields contain; None for what the server may send as well as receive."""

_Way = Direction | Literal[""] | None
"""A direction; "" where none is known yet, None where none can be known."""


def nodes(contract: Contract) -> Iterator[Node]:
    """Yield every schema, parameter, header and media type at its definition; `$ref`s are not followed."""
    written = {} if contract.version == "3.0" else contract.published  # 3.0 has no references to media types
    return _Walk(written).within(contract.document, ())


class _Walk:
    """Walks through a canonical document; `written` is the document as it is written, if it may refer to media types."""

    def __init__(self, written: Any) -> None:
        self._written = written
        self._uses: dict[Pointer, dict[str, Pointer]] = {}

    def within(self, owner: Mapping[str, Any], at: Pointer, way: _Way = "") -> Iterator[Node]:
        """Yield what an object contains that is sent in a direction."""
        for field in _FIELDS if "$ref" not in owner else ():
            found, inner = owner.get(field) or {}, None if way is None else _WAYS.get(field, way)
            if field in _SINGLE:
                yield from self._part(field, found, (*at, field), inner) if found else ()
                continue
            for key, value in enumerate(found) if isinstance(found, list) else found.items():
                name = str(key)
                if not (name.startswith("x-") and field in _EXTENSIBLE and at != ("components",)):
                    yield from self._part(field, value, (*at, field, name), inner)

    def _part(self, field: str, value: Mapping[str, Any], at: Pointer, way: _Way) -> Iterator[Node]:
        if field in ("schema", "itemSchema", "schemas"):
            yield from _schemas(value, at, way or None)
        elif field == "content" and len(passed := chain(self._written, at)) > 1:
            # The canonical document has the target of a reference in its place.
            self._uses.setdefault(passed[-1], {}).setdefault(at[-1], at)
        elif "$ref" in value:
            return
        elif field == "callbacks":
            for name in [name for name in value if not name.startswith("x-")]:
                yield from self._part("pathItems", value[name], (*at, name), way)
        else:
            yield from self._own(field, value, at, way)
            yield from self.within(value, at, way)
            for _, within, operation in operations_in(value) if field in _PATH_ITEMS else ():
                yield from self.within(operation, (*at, *within), way)

    def _own(self, field: str, value: Mapping[str, Any], at: Pointer, way: _Way) -> Iterator[Node]:
        if field in ("parameters", "headers"):
            yield Node("parameter", value, at, way or None, None, at)
        elif field in ("content", "mediaTypes"):
            # Those of components are walked after their uses, which say what media type it is.
            uses = {at[-1]: at} if field == "content" else self._uses.get(at, {"": at})
            for name, used_at in uses.items():
                yield Node("media type", value, at, way or None, name or None, used_at)


def _schemas(schema: Any, at: Pointer, direction: Direction | None) -> Iterator[Node]:
    pending = [(schema, at)]
    while pending:
        schema, at = pending.pop()
        if isinstance(schema, dict) and "$ref" not in schema:
            yield Node("schema", schema, at, direction)
            pending += [(part, (*at, *within)) for within, part in inner_schemas(schema)][::-1]
