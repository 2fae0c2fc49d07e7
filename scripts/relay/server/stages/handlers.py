"""The innermost stages: Connexion's context, and the operation's function, or its mock response."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relay.server.endpoint import ContractOperation, ServedOperation
from relay.server.errors import OperationNotImplemented
from relay.server.framework import (
    CONTEXT,
    ContextMiddleware,
    ContextOperation,
    RoutedMiddleware,
    compiled,
    following,
)
from relay.server.functions import CONTEXT_ARGUMENTS, named_arguments, required_names
from relay.server.item_bodies import ItemBody
from relay.server.results import is_plain
from relay.server.scope_keys import ARGUMENTS, BODY, RESPONSE
from relay.server.sending import LastHeld, Outgoing, send_outgoing, send_response
from relay.server.threads import accepting
from relay.validation.http import ALWAYS, RECEIVE, Response

if TYPE_CHECKING:
    from relay.mock import Mock
    from relay.server.request import RequestScope

_NOBODY = {"caller": None, "claims": None}
"""The context of an operation that needs no credential."""


class Handled:
    """An operation with a function."""

    def __init__(self, served: ServedOperation) -> None:
        binding, self._handler = served.endpoint.binding, served.handler
        self._deadline = served.deadline
        self._results = served.results
        self._accepts = accepting(binding.function)
        self._wants = [*filter(self._accepts, _NOBODY)]
        self._make_request = served.make_request
        # Of Connexion's context, a function gets what it names and neither a parameter nor a collaborator has.
        given = {*binding.names.values(), *getattr(served.handler, "keywords", {})}
        required = required_names(binding.function)
        names = named_arguments(binding.function) & CONTEXT_ARGUMENTS - given
        self._context_names = {name: name in required for name in names}
        self._has_context = bool(self._wants or names or self._make_request)

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3). Raises ResponseViolation and what the function raises."""
        arguments = scope.get(ARGUMENTS) or {}
        if self._has_context:
            self._add_context(arguments, scope)
        result = await self._deadline.run(self._handler(**arguments), scope.get(RECEIVE))
        response = scope[RESPONSE].encode_usual(result, scope)
        if response is not None:
            await send_response(send, response)
        else:
            await send_outgoing(scope, send, await self._encoded(result, scope))

    async def _encoded(self, result: Any, scope: Any) -> Outgoing:
        if not is_plain(result):
            result = await self._deadline.run(self._results.take(result), scope.get(RECEIVE))
        response: Outgoing = await scope[RESPONSE].encode(result, scope)
        return response

    def _add_context(self, arguments: dict[str, Any], scope: Any) -> None:
        context = scope["extensions"].get(CONTEXT, _NOBODY)
        for name in self._wants:
            arguments[name] = context[name]
        if self._make_request is not None:
            arguments["request"] = self._make_request(scope, scope.get(BODY, b""))
        for name, is_required in self._context_names.items():
            if name == "context_":
                arguments[name] = {} if context is _NOBODY else context
            elif name in context or is_required:
                arguments[name] = context.get(name)


class Scoped(Handled):
    """An operation whose function may take objects of the request: they are closed before its last byte is sent."""

    def __init__(self, served: ServedOperation, request_scope: RequestScope) -> None:
        super().__init__(served)
        self._request_scope = request_scope

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3). Raises what the scope raises, too."""
        arguments = scope.get(ARGUMENTS) or {}
        self._add_context(arguments, scope)
        context = scope["extensions"].get(CONTEXT, _NOBODY)
        async with AsyncExitStack() as stack:
            opening = self._request_scope.open(context, stack)
            objects = await self._deadline.run(opening, scope.get(RECEIVE))
            arguments |= {name: one for name, one in objects.items() if self._accepts(name)}
            result = await self._deadline.run(self._handler(**arguments), scope.get(RECEIVE))
            response = await self._encoded(result, scope)
            if not isinstance(response, Response):
                send = LastHeld(send)
                await response.send(scope, send)  # what it sends may need the objects
        if isinstance(response, Response):
            await send_response(send, response)
        else:
            await send.release()
            await response.follow()


@dataclass(slots=True)
class Mocked:
    """An operation with mock responses."""

    mock: Mock

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3). Raises OperationNotImplemented, and InvalidRequest for an item."""
        if isinstance(body := scope.get(BODY), ItemBody):
            async for _ in body:
                pass  # it is validated as it is read
        response = self.mock.answer(scope["headers"])
        if response is None:
            raise OperationNotImplemented
        response.headers.extend(ALWAYS)
        await send_response(send, response)


def _application(_api: Any, operation: ContractOperation) -> Any:
    served = operation.served
    if served.endpoint.mock is not None:
        return Mocked(served.endpoint.mock)
    return Handled(served) if served.request_scope is None else Scoped(served, served.request_scope)


Handlers = compiled(RoutedMiddleware, _application)
"""Answers requests by the functions of the package."""


Context = compiled(
    ContextMiddleware,
    lambda api, one: ContextOperation(following(api, one.operation_id), operation=one),
)
"""Connexion's stage, which makes `connexion.request` and `connexion.context` work in handlers."""
