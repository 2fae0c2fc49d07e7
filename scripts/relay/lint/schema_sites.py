"""Iterates over all schemas of a contract, and the parameters, headers and media types that have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.methods import operations_in
from relay.contract.model import Contract
from relay.contract.pointers import PointerNotFound, lookup
from relay.contract.schema_words import inner_schemas
from relay.validation.schemas import Direction

Kind = Literal["schema", "parameter", "media type"]


class Node(NamedTuple):
    """One schema, parameter, header or media type; `direction` is None if it may be sent in both directions."""

    kind: Kind
    value: Mapping[str, Any]
    pointer: Pointer
    direction: Direction | None
    media_type: str | None = None


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
        for name, value in (components.get("mediaTypes") or {}).items():
            yield from self._carrier("media type", value, (*at, "mediaTypes", name), None)
        yield from self._callbacks(components.get("callbacks"), (*at, "callbacks"))
        yield from self.path_items(components.get("pathItems"), (*at, "pathItems"), None, None)

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
            if not self._is_reference((*at, "content", media_type)):
                yield from self._carrier(
                    "media type", value, (*at, "content", media_type), direction, media_type
                )

    def _is_reference(self, at: Pointer) -> bool:
        """Return True if a media type is written as a reference; the canonical document has its target there."""
        try:
            return "$ref" in lookup(self._written, at)
        except (PointerNotFound, TypeError):
            return False

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
        yield Node(kind, value, at, direction, media_type)
        for keyword in ("schema", "itemSchema"):
            yield from _schemas(value.get(keyword), (*at, keyword), direction)
        yield from self._content(value, at, direction)


def _schemas(schema: Any, at: Pointer, direction: Direction | None) -> Iterator[Node]:
    pending = [(schema, at)]
    while pending:
        schema, at = pending.pop()
        if isinstance(schema, dict) and "$ref" not in schema:
            yield Node("schema", schema, at, direction)
            pending += [(part, (*at, *within)) for within, part in inner_schemas(schema)][::-1]
