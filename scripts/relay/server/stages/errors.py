"""The stage that converts what inner stages raise to an error response."""

from __future__ import annotations

from typing import Any

from relay.server.error_responses import ErrorResponses
from relay.server.errors import ClientDisconnected
from relay.server.framework import ExceptionMiddleware
from relay.server.lifespan import is_cancelled
from relay.server.scope_keys import PROGRESS
from relay.server.sending import send_response


class Errors(ExceptionMiddleware):
    """Answers every exception that is raised inside it; middlewares before it see the response.

    It registers no handlers, which Connexion's class would do: all errors have the format of the contract.
    """

    def __init__(self, app: Any, *, responses: ErrorResponses) -> None:
        self.app = app
        self._responses = responses

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3)."""
        try:
            await self.app(scope, receive, send)
        except BaseException as exc:
            if is_cancelled() or isinstance(exc, ClientDisconnected):
                raise  # the server ends the request, and the guard records it
            response = self._responses.of(exc, scope)
            if not scope[PROGRESS].status:
                await send_response(send, response)
