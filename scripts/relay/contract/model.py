"""The contract as plain data: its operations, what each takes and answers, and where that is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml

from .bundling import Bundle, lookup, parse_pointer
from .diagnostics import Diagnostic, SetupError, SourceLocation
from .documents import Pointer

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Schema = dict[str, Any]
Location = Literal["path", "query", "header", "cookie"]
SecurityRequirement = Mapping[str, list[str]]
"""Scheme name → scopes; all schemes of one requirement are needed, one requirement of a list is enough."""

ABSENT: Any = object()
"""Stands where there is no value, for None is one."""

_STYLES: dict[str, str] = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_IGNORED_HEADERS = ("accept", "content-type", "authorization")  # OpenAPI 3.0.3, "Parameter Object", `name`


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, or response header; `media_type` when it is `content` rather than `style`."""

    name: str
    location: Location
    required: bool
    schema: Schema
    style: str
    explode: bool
    media_type: str | None
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class RequestBody:
    """What a request may carry; `content` maps media types, or ranges such as `text/*`, to schemas."""

    required: bool
    content: Mapping[str, Schema]
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Response:
    """One documented answer; no `content` means no body."""

    content: Mapping[str, Schema]
    headers: tuple[Parameter, ...]
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path, with everything inherited and every `$ref` followed but those of schemas.

    `responses` is keyed as in the contract: `200`, `4XX`, `default`. `tag` is the first one.
    """

    method: str
    path: str
    id: str
    tag: str
    parameters: tuple[Parameter, ...]
    body: RequestBody | None
    responses: Mapping[str, Response]
    security: tuple[SecurityRequirement, ...]
    pointer: Pointer

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def response(self, status: int) -> Response | None:
        """Return the documented answer for a status: exact, then its range, then `default`."""
        by_key = self.responses
        return by_key.get(str(status)) or by_key.get(f"{status // 100}XX") or by_key.get("default")

    def statuses(self) -> Iterator[tuple[range, Response]]:
        """Yield the documented answers and their statuses, the less exact first: a later one goes before."""
        ranges = {key: _statuses(key) for key in self.responses}
        for key in sorted(ranges, key=lambda key: -len(ranges[key])):
            yield ranges[key], self.responses[key]


def _statuses(key: str) -> range:
    """Return the statuses that a key of `responses` stands for: `404`, `4XX` or `default`."""
    if key == "default":
        return range(100, 600)
    first = int(key.replace("X", "0"))
    return range(first, first + (100 if key.endswith("XX") else 1))


_DUMPER = getattr(
    yaml, "CSafeDumper", yaml.SafeDumper
)  # libyaml's, which takes a third of the time, where it is


class Contract:
    """An OpenAPI 3.0 document, bundled: every `$ref` in `document` is local."""

    def __init__(self, bundle: Bundle, source: bytes | None) -> None:
        self._bundle = bundle
        self._source = source
        self.document: dict[str, Any] = bundle.data
        self.title: str = self.document["info"]["title"]
        self.base_path = self._base_path()
        self.security_schemes: Mapping[str, Mapping[str, Any]] = {
            name: self.resolve(scheme)
            for name, scheme in ((self.document.get("components") or {}).get("securitySchemes") or {}).items()
        }
        self.operations = tuple(self._operations())

    def place(self, pointer: Pointer) -> SourceLocation:
        """Return the file, line and column of the value at `pointer`."""
        return self._bundle.place(pointer)

    def problem(self, pointer: Pointer, message: str, rule: str) -> Diagnostic:
        """Say what is wrong with the value at `pointer`."""
        return Diagnostic(self.place(pointer), message, rule)

    def as_yaml(self) -> bytes:
        """Return the contract as YAML: the very file when it is one file of YAML, else the bundle."""
        if self._source is not None:
            return self._source
        return yaml.dump(self.document, Dumper=_DUMPER, sort_keys=False, allow_unicode=True).encode()

    def resolve(self, value: Any) -> Any:
        """Follow `value` through local `$ref`s to what it stands for; SetupError for a circle."""
        seen: list[str] = []
        while isinstance(value, dict) and isinstance(ref := value.get("$ref"), str):
            if ref in seen:
                raise SetupError(
                    [self.problem(parse_pointer(ref[1:]), f"'{ref}' leads back to itself", "circular-ref")]
                )
            seen.append(ref)
            value = lookup(self.document, parse_pointer(ref[1:]))
        return value

    def follow(self, pointer: Pointer) -> tuple[Any, Pointer]:
        """Return the value at a pointer that may lead through `$ref`s, and its own place."""
        value: Any = self.document
        at = Pointer()
        for token in (*pointer, None):
            while isinstance(value, dict) and isinstance(ref := value.get("$ref"), str):
                at = parse_pointer(ref[1:])
                value = lookup(self.document, at)
            if token is not None:
                value, at = lookup(value, (token,)), (*at, token)
        return value, at

    def raw(self, operation: Operation) -> dict[str, Any]:
        """Return an operation as it is written."""
        found: dict[str, Any] = self.resolve(self.document["paths"][operation.path])[operation.method]
        return found

    def default(self, schema: Schema) -> Any:
        """Return the default that a schema gives, itself or through its `$ref`; ABSENT when it gives none."""
        return self.resolve(schema).get("default", ABSENT)

    def always_sends(self, parameter: Parameter) -> bool:
        """Whether every request that is let through has a value for a parameter."""
        return parameter.required or self.default(parameter.schema) is not ABSENT

    def _base_path(self) -> str:
        """Return the path of the first server's URL: the operations live below it."""
        servers = self.document.get("servers") or [{"url": "/"}]
        variables = servers[0].get("variables") or {}
        url = re.sub(
            r"\{([^}]*)\}", lambda match: variables.get(match[1], {}).get("default", ""), servers[0]["url"]
        )
        try:
            path = urlsplit(url).path.strip("/")
        except ValueError as exc:
            raise SetupError([self.problem(("servers", "0", "url"), "not a URL", "server-url")]) from exc
        return f"/{path}" if path else ""

    def _operations(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            if path.startswith("x-"):
                continue
            item = self.resolve(item)  # noqa: PLW2901 -- the item itself, wherever it is written
            for method in METHODS:
                if method in item:
                    yield self._operation(path, method, item)

    def _operation(self, path: str, method: str, item: dict[str, Any]) -> Operation:
        raw = item[method]
        pointer = ("paths", path, method)
        parameters = {
            (parameter.name, parameter.location): parameter
            for owner, at in ((item, pointer[:2]), (raw, pointer))
            for index, value in enumerate(owner.get("parameters", []))
            if (parameter := self._parameter(value, (*at, "parameters", str(index)))).location != "header"
            or parameter.name.lower() not in _IGNORED_HEADERS
        }
        return Operation(
            method=method,
            path=path,
            id=raw.get("operationId") or operation_id(method, path),
            tag=(raw.get("tags") or ["default"])[0],
            parameters=tuple(parameters.values()),
            body=self._body(raw["requestBody"], (*pointer, "requestBody")) if "requestBody" in raw else None,
            responses={
                status.upper() if status != "default" else status: self._response(
                    value, (*pointer, "responses", status)
                )
                for status, value in raw["responses"].items()
                if not status.startswith("x-")
            },
            security=tuple(raw.get("security", self.document.get("security") or [])),
            pointer=pointer,
        )

    def _parameter(
        self, value: Any, pointer: Pointer, name: str = "", location: Location | None = None
    ) -> Parameter:
        raw = self.resolve(value)
        where: Location = location or raw["in"]
        media_type, media = next(iter((raw.get("content") or {}).items()), (None, {}))
        style = raw.get("style", _STYLES[where])
        return Parameter(
            name=name or raw["name"],
            location=where,
            required=raw.get("required", False),
            schema=(media if media_type else raw).get("schema", {}),
            style=style,
            explode=raw.get("explode", style == "form"),
            media_type=media_type,
            pointer=pointer,
        )

    def _body(self, value: Any, pointer: Pointer) -> RequestBody:
        raw = self.resolve(value)
        return RequestBody(raw.get("required", False), _schemas(raw.get("content")), pointer)

    def _response(self, value: Any, pointer: Pointer) -> Response:
        raw = self.resolve(value)
        headers = tuple(
            self._parameter(header, (*pointer, "headers", name), name, "header")
            for name, header in (raw.get("headers") or {}).items()
            if name.lower() != "content-type"  # OpenAPI 3.0.3, "Response Object", `headers`
        )
        return Response(_schemas(raw.get("content")), headers, pointer)


def operation_id(method: str, path: str) -> str:
    """Name an operation that has no operationId: `get /pets/{id}` → `get_pets_id`."""
    return re.sub(r"\W+", "_", f"{method} {path}").strip("_").lower()


def _schemas(content: dict[str, Any] | None) -> dict[str, Schema]:
    return {media_type: media.get("schema", {}) for media_type, media in (content or {}).items()}
