"""The innermost stage: calls an operation's function, or takes its mock response."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from relay.server.endpoint import ServedOperation
from relay.server.errors import OperationNotImplemented
from relay.server.framework import CONTEXT, RoutedAPI, RoutedMiddleware
from relay.server.scope_keys import ARGUMENTS, RESPONSE
from relay.server.sending import send_response
from relay.server.specification import ContractOperation
from relay.server.threads import accepted_names
from relay.validation.http import ALWAYS, RECEIVE, Response

if TYPE_CHECKING:
    from relay.mock import Mock
    from relay.server.request_scope import RequestScope

_NOBODY = {"caller": None, "claims": None}
"""The context of an operation that needs no credential."""


class Handled:
    """An operation with a function."""

    __slots__ = ("_accepted", "_deadline", "_handler", "_request_scope", "_wants")

    def __init__(self, served: ServedOperation) -> None:
        self._request_scope = served.request_scope
        self._handler = served.handler
        self._deadline = served.deadline
        self._accepted = accepted = accepted_names(served.endpoint.binding.function)
        self._wants = [name for name in _NOBODY if accepted is None or name in accepted]

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3). Raises OperationNotImplemented, ResponseViolation and what the function raises."""
        arguments = scope.get(ARGUMENTS) or {}
        if self._wants:
            context = scope["extensions"].get(CONTEXT, _NOBODY)
            for name in self._wants:
                arguments[name] = context[name]
        if self._request_scope is None:
            response = await self._response(arguments, scope)
        else:
            async with AsyncExitStack() as stack:
                arguments |= await self._opened(self._request_scope, scope, stack)
                response = await self._response(arguments, scope)
        await send_response(send, response)

    async def _response(self, arguments: dict[str, Any], scope: Any) -> Response:
        try:
            result = await self._deadline.run(self._handler(**arguments), scope.get(RECEIVE))
        except NotImplementedError as exc:
            raise OperationNotImplemented from exc
        response: Response = await scope[RESPONSE].encode(result, scope)
        return response

    async def _opened(self, request_scope: RequestScope, scope: Any, stack: AsyncExitStack) -> dict[str, Any]:
        """Return the objects of the request that the function takes; `stack` closes them all."""
        context = scope["extensions"].get(CONTEXT, _NOBODY)
        objects = await self._deadline.run(request_scope.open(context, stack), scope.get(RECEIVE))
        accepted = self._accepted
        return {name: one for name, one in objects.items() if accepted is None or name in accepted}


class Mocked:
    """An operation with mock responses."""

    __slots__ = ("_mock",)

    def __init__(self, mock: Mock) -> None:
        self._mock = mock

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request with the response that its headers select (ASGI 3).

        Raises OperationNotImplemented if that has no value.
        """
        response = self._mock.answer(scope["headers"])
        if response is None:
            raise OperationNotImplemented
        response.headers.extend(ALWAYS)
        await send_response(send, response)


class _HandlersAPI(RoutedAPI[Any]):
    def __init__(self, specification: Any, **options: Any) -> None:
        super().__init__(specification, **options)
        self.add_paths()

    def make_operation(self, operation: ContractOperation) -> Any:  # type: ignore[override]  # as the specification makes it
        """Return the application of an operation."""
        mock = operation.served.endpoint.mock
        return Handled(operation.served) if mock is None else Mocked(mock)


class Handlers(RoutedMiddleware[_HandlersAPI]):
    """Answers requests by the functions of the package."""

    api_cls = _HandlersAPI

    def __init__(self) -> None:
        super().__init__(_no_application)


async def _no_application(_scope: Any, _receive: Any, _send: Any) -> None:
    """Replace the application that Connexion would wrap; it is never called."""
