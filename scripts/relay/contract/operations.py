"""The operations of a contract as plain data: their parameters, bodies and responses, and their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar

from .diagnostics import Diagnostic, Severity, SourceLocation
from .methods import in_request
from .parsed import Pointer

Schema = dict[str, Any]
Location = Literal["path", "query", "header", "cookie", "querystring"]
SecurityRequirement = Mapping[str, list[str]]
"""Scheme name → scopes. A request must satisfy all schemes of at least one requirement of the list."""

ABSENT: Any = object()
"""Marks a missing value; None is a value."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter or response header; `media_type` is set if it is described by `content`, not `style`.

    A parameter whose location is `querystring` is the whole query (OpenAPI 3.2, "Parameter Object", `in`).
    `allows_empty` is `allowEmptyValue` of a query parameter.
    """

    name: str
    location: Location
    required: bool
    schema: Schema
    style: str
    explode: bool
    media_type: str | None
    pointer: Pointer
    allows_empty: bool = False


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A request body; `content` maps media types, or ranges such as `text/*`, to schemas.

    `items` maps those of streams to the schema of an item, `itemSchema`.
    """

    required: bool
    content: Mapping[str, Schema]
    pointer: Pointer
    items: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """One documented response; no `content` means no body. `items` are as those of a request body."""

    content: Mapping[str, Schema]
    headers: tuple[Parameter, ...]
    pointer: Pointer
    items: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path, with inherited parts included and every `$ref` resolved except in schemas.

    `id` is the operationId, or a name of method and path where there is none, or another operation has it.
    `responses` is keyed as in the contract: `200`, `4XX`, `default`. `tag` is the first one. `module` and
    `function` name its handler; `arguments` maps each parameter's pointer to the name of its argument.
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
    module: str = ""
    function: str = ""
    arguments: Mapping[Pointer, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{in_request(self.method)} {self.path}"

    def response(self, status: int) -> Response | None:
        """Return the documented response for a status: the exact one, else its range, else `default`."""
        return documenting(self.responses, str(status))

    def statuses(self) -> Iterator[tuple[range, Response]]:
        """Yield statuses and their response, from `default` to exact, so that a later one overrides."""
        ranges = {key: _statuses(key) for key in self.responses}
        for key in sorted(ranges, key=lambda key: -len(ranges[key])):
            yield ranges[key], self.responses[key]


class LeftOut(NamedTuple):
    """An operation that cannot be served: requests to it are answered with 501.

    `method` is empty for a whole path whose operations are not known. `reason` is a warning that says where the
    error is.
    """

    method: str
    path: str
    reason: Diagnostic

    @classmethod
    def of(cls, method: str, path: str, where: SourceLocation, error: Diagnostic) -> LeftOut:
        """Leave out the operation at `where` because of an error."""
        name = f"{in_request(method)} {path}".strip()
        message = f"{name} is not served: {error.message}"
        other = None if isinstance(error.where, str) else error.where
        return cls(method, path, Diagnostic(where, message, "not-served", Severity.WARNING, other))


Documented = TypeVar("Documented")


def documenting(by_key: Mapping[str, Documented], status: str) -> Documented | None:
    """Return what documents a status, a range (`4XX`) or `default`, by the keys of `responses`."""
    return by_key.get(status) or by_key.get(f"{status[:-2]}XX") or by_key.get("default")


def _statuses(key: str) -> range:
    """Return the statuses that a key of `responses` covers: `404`, `4XX` or `default`."""
    if key == "default":
        return range(100, 600)
    first = int(key.replace("X", "0"))
    return range(first, first + (100 if key.endswith("XX") else 1))
