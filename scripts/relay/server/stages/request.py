"""The stages that authenticate a request, validate it, and decode it to arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relay.server.bodies import Body, BodyReader, close, replayed
from relay.server.deadline import Deadline
from relay.server.endpoint import ContractOperation
from relay.server.framework import (
    CONTEXT,
    RequestValidationMiddleware,
    SecurityMiddleware,
    compiled,
    following,
)
from relay.server.item_bodies import ItemBody, ReceiveAfterItems
from relay.server.scope_keys import ARGUMENTS, BODY
from relay.server.security import Authenticator
from relay.validation.http import RECEIVE, Request
from relay.validation.requests import RequestDecoder


@dataclass(slots=True)
class Authenticated:
    """An operation that requires a credential; leaves the identity in Connexion's context."""

    app: Any
    authenticate: Authenticator
    deadline: Deadline
    has_body: bool

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Authenticate one request (ASGI 3). Raises Unauthenticated, Forbidden and what `identify` raises."""
        authenticating = self.authenticate(scope["headers"], scope["query_string"], scope)
        watched = None if self.has_body else scope.get(RECEIVE)  # a body must not be lost
        claims, caller = await self.deadline.run(authenticating, watched)
        user = None if claims is None else claims.get("sub", claims.get("uid"))
        context = {"user": user, "token_info": claims, "claims": claims, "caller": caller}
        scope["extensions"][CONTEXT] = context
        await self.app(scope, receive, send)


def _authenticated(api: Any, operation: ContractOperation) -> Any:
    """Return the operation's part of the stage; an operation without security has none."""
    app, served = following(api, operation.operation_id), operation.served
    if served.authenticate is None:
        return app
    return Authenticated(app, served.authenticate, served.deadline, served.endpoint.decoder.has_body)


Security = compiled(SecurityMiddleware, _authenticated)


@dataclass(slots=True)
class Validated:
    """An operation whose input is decoded once, for the handler; inner stages can read it again."""

    app: Any
    decoder: RequestDecoder
    bodies: BodyReader

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Validate one request (ASGI 3). Raises InvalidRequest, UnsupportedMediaType and the errors of `BodyReader.read`."""
        if not self.decoder.has_body:
            self._decode(b"", scope)
            await self.app(scope, receive, send)
            return
        body = scope[BODY] = await self.bodies.read(scope, receive)
        if isinstance(body, ItemBody):
            scope[RECEIVE] = ReceiveAfterItems(scope[RECEIVE], body)
        try:
            self._decode(body, scope)
            await self.app(scope, replayed(body, receive), send)
        finally:
            close(body)

    def _decode(self, body: Body, scope: Any) -> None:
        variables, raw_path = scope["path_params"], scope.get("raw_path")
        request = Request(variables, scope["query_string"], scope["headers"], body, raw_path)
        scope[ARGUMENTS] = self.decoder.decode(request)


def _validated(api: Any, operation: ContractOperation) -> Any:
    """Return the operation's part of the stage; an operation without parameters and body has none."""
    app, served = following(api, operation.operation_id), operation.served
    decoder = served.endpoint.decoder
    return app if decoder.has_no_input else Validated(app, decoder, served.bodies)


RequestValidation = compiled(RequestValidationMiddleware, _validated)
