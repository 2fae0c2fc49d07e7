"""Iterates over all schemas of a contract, and the parameters, headers and media types that have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.methods import METHODS
from relay.contract.model import Contract
from relay.validation.schemas import Direction

Kind = Literal["schema", "parameter", "media type"]

_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("not", "items", "additionalProperties")


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
    for path, item in document["paths"].items():
        if path.startswith("x-"):
            continue
        at: Pointer = ("paths", path)
        yield from _parameters(item.get("parameters", []), at)
        for method in METHODS:
            if method in item:
                yield from _operation(item[method], (*at, method))
    yield from _components(document.get("components") or {}, ("components",))


def _components(components: Mapping[str, Any], at: Pointer) -> Iterator[Node]:
    for name, schema in (components.get("schemas") or {}).items():
        yield from _schema(schema, (*at, "schemas", name), None)
    for name, value in (components.get("parameters") or {}).items():
        yield from _carrier("parameter", value, (*at, "parameters", name), "request")
    for name, value in (components.get("requestBodies") or {}).items():
        yield from _content(value, (*at, "requestBodies", name), "request")
    for name, value in (components.get("responses") or {}).items():
        yield from _response(value, (*at, "responses", name))
    yield from _headers(components.get("headers"), (*at, "headers"))


def _operation(operation: Mapping[str, Any], at: Pointer) -> Iterator[Node]:
    yield from _parameters(operation.get("parameters", []), at)
    yield from _content(operation.get("requestBody", {}), (*at, "requestBody"), "request")
    for status, response in operation.get("responses", {}).items():
        if not status.startswith("x-"):
            yield from _response(response, (*at, "responses", status))


def _parameters(parameters: list[Mapping[str, Any]], at: Pointer) -> Iterator[Node]:
    for index, parameter in enumerate(parameters):
        yield from _carrier("parameter", parameter, (*at, "parameters", str(index)), "request")


def _response(response: Mapping[str, Any], at: Pointer) -> Iterator[Node]:
    yield from _headers(response.get("headers"), (*at, "headers"))
    yield from _content(response, at, "response")


def _headers(headers: Mapping[str, Any] | None, at: Pointer) -> Iterator[Node]:
    for name, header in (headers or {}).items():
        yield from _carrier("parameter", header, (*at, name), "response")


def _content(holder: Mapping[str, Any], at: Pointer, direction: Direction) -> Iterator[Node]:
    for media_type, value in (holder.get("content") or {}).items():
        yield from _carrier("media type", value, (*at, "content", media_type), direction, media_type)


def _carrier(
    kind: Kind, value: Mapping[str, Any], at: Pointer, direction: Direction, media_type: str | None = None
) -> Iterator[Node]:
    if "$ref" in value:
        return
    yield Node(kind, value, at, direction, media_type)
    yield from _schema(value.get("schema", {}), (*at, "schema"), direction)
    yield from _content(value, at, direction)


def _schema(schema: Any, at: Pointer, direction: Direction | None) -> Iterator[Node]:
    if not isinstance(schema, dict) or "$ref" in schema:
        return
    yield Node("schema", schema, at, direction)
    for name, part in schema.get("properties", {}).items():
        yield from _schema(part, (*at, "properties", name), direction)
    for keyword in _LISTS:
        for index, part in enumerate(schema.get(keyword, [])):
            yield from _schema(part, (*at, keyword, str(index)), direction)
    for keyword in _SINGLE:
        yield from _schema(schema.get(keyword), (*at, keyword), direction)
