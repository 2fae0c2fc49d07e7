"""Iterates over all schemas of a contract, and the parameters, headers and media types that have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.methods import operations_in
from relay.contract.model import Contract
from relay.contract.pointers import PointerNotFound, lookup, parse_pointer
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


def nodes(contract: Contract) -> Iterator[Node]:
    """Yield every schema, parameter, header and media type at its definition; `$ref`s are not followed."""
    document = contract.document
    walk = _Walk({} if contract.version == "3.0" else contract.published)  # written anew if it has faults
    yield from walk.path_items(document["paths"], ("paths",), "request", "response")
    yield from walk.path_items(document.get("webhooks"), ("webhooks",), None, None)
    yield from walk.components(document.get("components") or {}, ("components",))


class _Walk:
    """Walks through a canonical document; `written` is the document as it is written, if it may refer to media types."""

    def __init__(self, written: Any) -> None:
        self._written = written
        self._uses: dict[Pointer, dict[str, Pointer]] = {}

    def path_items(
        self, items: Any, at: Pointer, sent: Direction | None, given: Direction | None
    ) -> Iterator[Node]:
        """Yield what Path Items contain; the directions are those of requests and responses of their operations."""
        for name, item in (items or {}).items():
            if name.startswith("x-") or "$ref" in item:
                continue
            yield from self._parameters(item.get("parameters", []), (*at, name), sent)
            for _, within, operation in operations_in(item):
                yield from self._operation(operation, (*at, name, *within), sent, given)

    def components(self, components: Mapping[str, Any], at: Pointer) -> Iterator[Node]:
        """Yield what components contain."""
        for name, schema in (components.get("schemas") or {}).items():
            yield from _schemas(schema, (*at, "schemas", name), None)
        for name, value in (components.get("parameters") or {}).items():
            yield from self._carrier("parameter", value, (*at, "parameters", name), "request")
        for name, value in (components.get("requestBodies") or {}).items():
            yield from self._content(value, (*at, "requestBodies", name), "request")
        for name, value in (components.get("responses") or {}).items():
            yield from self._response(value, (*at, "responses", name), "response")
        yield from self._headers(components.get("headers"), (*at, "headers"), "response")
        yield from self._callbacks(components.get("callbacks"), (*at, "callbacks"))
        yield from self.path_items(components.get("pathItems"), (*at, "pathItems"), None, None)
        for name, value in (components.get("mediaTypes") or {}).items():
            yield from self._media_types(value, (*at, "mediaTypes", name))

    def _operation(
        self, operation: Mapping[str, Any], at: Pointer, sent: Direction | None, given: Direction | None
    ) -> Iterator[Node]:
        yield from self._parameters(operation.get("parameters", []), at, sent)
        yield from self._content(operation.get("requestBody", {}), (*at, "requestBody"), sent)
        for status, response in operation.get("responses", {}).items():
            if not status.startswith("x-"):
                yield from self._response(response, (*at, "responses", status), given)
        yield from self._callbacks(operation.get("callbacks"), (*at, "callbacks"))

    def _callbacks(self, callbacks: Any, at: Pointer) -> Iterator[Node]:
        """Yield what callbacks contain; it is sent by the server, so no direction is known."""
        for name, callback in (callbacks or {}).items():
            if "$ref" not in callback:
                yield from self.path_items(callback, (*at, name), None, None)

    def _parameters(
        self, parameters: list[Mapping[str, Any]], at: Pointer, direction: Direction | None
    ) -> Iterator[Node]:
        for index, parameter in enumerate(parameters):
            yield from self._carrier("parameter", parameter, (*at, "parameters", str(index)), direction)

    def _response(
        self, response: Mapping[str, Any], at: Pointer, direction: Direction | None
    ) -> Iterator[Node]:
        yield from self._headers(response.get("headers"), (*at, "headers"), direction)
        yield from self._content(response, at, direction)

    def _headers(
        self, headers: Mapping[str, Any] | None, at: Pointer, direction: Direction | None
    ) -> Iterator[Node]:
        for name, header in (headers or {}).items():
            yield from self._carrier("parameter", header, (*at, name), direction)

    def _content(self, holder: Mapping[str, Any], at: Pointer, direction: Direction | None) -> Iterator[Node]:
        for media_type, value in (holder.get("content") or {}).items():
            pointer = (*at, "content", media_type)
            if target := self._target(pointer):
                self._uses.setdefault(target, {}).setdefault(media_type, pointer)
            else:
                yield from self._carrier("media type", value, pointer, direction, media_type)

    def _media_types(self, value: Mapping[str, Any], at: Pointer) -> Iterator[Node]:
        """Yield a Media Type Object of `components` for each media type that it is used for, which were walked before."""
        if "$ref" not in value:
            for media_type, used_at in self._uses.get(at, {"": at}).items():
                yield Node("media type", value, at, None, media_type or None, used_at)
            yield from _schemas_of(value, at, None)

    def _target(self, at: Pointer) -> Pointer:
        """Return what a media type refers to as it is written; () if it is no reference.

        The canonical document has the target in its place.
        """
        target: Pointer = ()
        seen = {at}
        with suppress(PointerNotFound, TypeError):
            while isinstance(ref := lookup(self._written, target or at).get("$ref"), str):
                target = parse_pointer(ref.removeprefix("#"))
                if target in seen:
                    break
                seen.add(target)
        return target

    def _carrier(
        self,
        kind: Kind,
        value: Mapping[str, Any],
        at: Pointer,
        direction: Direction | None,
        media_type: str | None = None,
    ) -> Iterator[Node]:
        if "$ref" in value:
            return
        yield Node(kind, value, at, direction, media_type, at)
        yield from _schemas_of(value, at, direction)
        yield from self._content(value, at, direction)


def _schemas_of(value: Mapping[str, Any], at: Pointer, direction: Direction | None) -> Iterator[Node]:
    for keyword in ("schema", "itemSchema"):
        yield from _schemas(value.get(keyword), (*at, keyword), direction)


def _schemas(schema: Any, at: Pointer, direction: Direction | None) -> Iterator[Node]:
    pending = [(schema, at)]
    while pending:
        schema, at = pending.pop()
        if isinstance(schema, dict) and "$ref" not in schema:
            yield Node("schema", schema, at, direction)
            pending += [(part, (*at, *within)) for within, part in inner_schemas(schema)][::-1]
