"""The stages that authenticate a request, validate it, and decode it to arguments."""

from __future__ import annotations

from typing import Any

from relay.server.bodies import Body, BodyReader, close, replayed
from relay.server.deadline import Deadline
from relay.server.framework import (
    CONTEXT,
    RequestValidationAPI,
    RequestValidationMiddleware,
    SecurityAPI,
    SecurityMiddleware,
    following,
)
from relay.server.item_bodies import ItemBody, ReceiveAfterItems
from relay.server.scope_keys import ARGUMENTS, BODY
from relay.server.security import Authenticator
from relay.server.specification import ContractOperation
from relay.validation.http import RECEIVE, Request
from relay.validation.requests import RequestDecoder


class Authenticated:
    """An operation that requires a credential; leaves the identity in Connexion's context, under its names, too."""

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
        context = {"user": user, "token_info": claims, "claims": claims, "caller": caller}
        scope["extensions"][CONTEXT] = context
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


class Validated:
    """An operation whose input is decoded once, to the objects that the handler gets; inner stages can read it again."""

    def __init__(self, app: Any, decoder: RequestDecoder, bodies: BodyReader) -> None:
        self._app = app
        self._decoder = decoder
        self._bodies = bodies

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Validate one request (ASGI 3). Raises InvalidRequest, UnsupportedMediaType and the errors of `BodyReader.read`."""
        if not self._decoder.has_body:
            self._decode(b"", scope)
            await self._app(scope, receive, send)
            return
        body = scope[BODY] = await self._bodies.read(scope, receive)
        if isinstance(body, ItemBody):
            scope[RECEIVE] = ReceiveAfterItems(scope[RECEIVE], body)
        try:
            self._decode(body, scope)
            await self._app(scope, replayed(body, receive), send)
        finally:
            close(body)

    def _decode(self, body: Body, scope: Any) -> None:
        variables, raw_path = scope["path_params"], scope.get("raw_path")
        request = Request(variables, scope["query_string"], scope["headers"], body, raw_path)
        scope[ARGUMENTS] = self._decoder.decode(request)


class _RequestValidationAPI(RequestValidationAPI):
    def make_operation(self, operation: ContractOperation) -> Any:  # type: ignore[override]  # as the specification makes it
        """Return the operation's part of the stage; an operation without parameters and body has none."""
        app, served = following(self, operation.operation_id), operation.served
        decoder = served.endpoint.decoder
        return app if decoder.has_no_input else Validated(app, decoder, served.bodies)


class RequestValidation(RequestValidationMiddleware):
    """Validates requests as their operation requires."""

    api_cls = _RequestValidationAPI
