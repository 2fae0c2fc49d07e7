"""One operation, compiled: what its stages work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relay.contract.model import Operation
from relay.validation.requests import RequestDecoder
from relay.validation.responses import ResponseEncoder

from .binding import Binding
from .bodies import Body, BodyReader
from .deadline import Deadline
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
    """An operation of a running service.

    `handler` takes the arguments of a request; the collaborators are bound. `make_request` makes the argument
    `request` of a scope and a body; it is None for a function that has none.
    """

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
