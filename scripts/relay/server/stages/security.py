"""The stage that authenticates a request."""

from __future__ import annotations

from typing import Any

from relay.server.deadline import Deadline
from relay.server.framework import CONTEXT, SecurityAPI, SecurityMiddleware
from relay.server.security import Authenticator
from relay.server.specification import ContractOperation
from relay.validation.http import RECEIVE

from .linking import following


class Authenticated:
    """An operation that requires a credential.

    Leaves `claims` and `caller` in Connexion's context, and what Connexion has there: `token_info`, which is the
    claims, and `user`, their `sub` or `uid`.
    """

    __slots__ = ("_app", "_authenticate", "_deadline", "_has_body")

    def __init__(self, app: Any, authenticate: Authenticator, deadline: Deadline, *, has_body: bool) -> None:
        self._app = app
        self._authenticate = authenticate
        self._deadline = deadline
        self._has_body = has_body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Authenticate one request (ASGI 3). Raises Unauthenticated, Forbidden and what `identify` raises."""
        authenticating = self._authenticate(scope["headers"], scope["query_string"], scope)
        watched = None if self._has_body else scope.get(RECEIVE)  # a body must not be lost
        claims, caller = await self._deadline.run(authenticating, watched)
        user = None if claims is None else claims.get("sub", claims.get("uid"))
        scope["extensions"][CONTEXT] = {
            "user": user,
            "token_info": claims,
            "claims": claims,
            "caller": caller,
        }
        await self._app(scope, receive, send)


class _SecurityAPI(SecurityAPI):
    def make_operation(self, operation: ContractOperation) -> Any:  # type: ignore[override]  # as the specification makes it
        """Return the operation's part of the stage; an operation without security has none."""
        app, served = following(self, operation.operation_id), operation.served
        if served.authenticate is None:
            return app
        return Authenticated(
            app, served.authenticate, served.deadline, has_body=served.endpoint.decoder.has_body
        )


class Security(SecurityMiddleware):
    """Authenticates requests as their operation requires."""

    api_cls = _SecurityAPI
