"""One operation, compiled: what its stages work with, and how Connexion sees it; nothing is copied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from relay.contract.model import Contract, Operation
from relay.validation.requests import RequestDecoder
from relay.validation.responses import ResponseEncoder

from .binding import Binding
from .bodies import Body, BodyReader
from .deadline import Deadline
from .framework import OpenAPIOperation, OpenAPISpecification, OpenAPIURIParser, Resolution
from .observability import Observer
from .request import Request, RequestScope
from .results import ResultEncoder
from .security import Authenticator

if TYPE_CHECKING:
    from relay.mock import Mock


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation of the contract, compiled, with its function; `mock` if it has mock responses."""

    binding: Binding
    decoder: RequestDecoder
    encoder: ResponseEncoder
    mock: Mock | None = None

    @property
    def operation(self) -> Operation:
        """The operation of the contract."""
        return self.binding.operation


@dataclass(frozen=True, slots=True)
class ServedOperation:
    """An operation of a running service: `handler` has its collaborators; `make_request` is for `request`."""

    endpoint: Endpoint
    authenticate: Authenticator | None
    handler: Callable[..., Awaitable[Any]]
    request_scope: RequestScope | None
    results: ResultEncoder
    deadline: Deadline
    observer: Observer
    bodies: BodyReader
    make_request: Callable[[Any, Body], Request] | None
    reports_only: bool


class ContractOperation(OpenAPIOperation):
    """An operation of the contract, as `connexion.context.operation` and middlewares of a package see it."""

    def __init__(self, served: ServedOperation, specification: ContractSpecification) -> None:
        # Connexion's constructor resolves and copies; its methods read these attributes.
        operation, contract = served.endpoint.operation, specification.contract
        self.served = served
        self.components = specification.components
        self._contract = contract
        self._method, self._path = operation.method, operation.path
        self._operation = contract.raw(operation)
        self._operation_id = operation.id
        self._router_controller = self._operation.get("x-openapi-router-controller")
        self._security = [*map(dict, operation.security)]
        self._security_schemes = contract.security_schemes
        self._uri_parser_class = OpenAPIURIParser
        self._randomize_endpoint = None
        self._consumes = None
        self._resolution = Resolution(  # type: ignore[no-untyped-call]  # Connexion ships no types
            served.endpoint.binding.function, operation.id
        )

    @classmethod
    def from_spec(
        cls, spec: ContractSpecification, *_: Any, path: str, method: str, **__: Any
    ) -> ContractOperation:
        """Return the operation of a method and path; all stages get the same object."""
        return spec.operations[path, method]

    @cached_property
    def _parameters(self) -> list[Any]:
        pointers = [parameter.pointer for parameter in self.served.endpoint.operation.parameters]
        return [self._contract.follow(pointer)[0] for pointer in pointers]

    @cached_property
    def _responses(self) -> dict[str, Any]:
        return {
            status: self._contract.resolve(one)
            for status, one in self._operation.get("responses", {}).items()
        }

    @cached_property
    def _produces(self) -> list[str]:  # type: ignore[override]  # a list in Connexion's constructor
        return [name for response in self._responses.values() for name in response.get("content") or {}]

    @property
    def request_body(self) -> Any:
        """The Request Body Object."""
        return self._contract.resolve(self._operation.get("requestBody", {}))


class ContractSpecification(OpenAPISpecification):
    """The served part of a contract, as a mapping."""

    operation_cls = ContractOperation  # type: ignore[assignment]  # Connexion expects its own class exactly
    base_path = ""  # a property in Connexion, which copies the servers

    def __init__(self, contract: Contract, served: Mapping[str, ServedOperation]) -> None:
        self.contract = contract
        self._raw_spec = contract.document
        self._base_uri = ""
        paths: dict[str, dict[str, Any]] = {}
        self._spec = {**contract.document, "paths": paths}
        self._spec.setdefault("components", {})
        self.operations: dict[tuple[str, str], ContractOperation] = {}
        for one in served.values():
            operation = one.endpoint.operation
            paths.setdefault(operation.path, {})[operation.method] = contract.raw(operation)
            self.operations[operation.path, operation.method] = ContractOperation(one, self)
