"""The outermost stages: of errors, of pages outside the contract, and the one that finds the operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from relay.contract.model import Operation
from relay.server.cors import Cors
from relay.server.endpoint import ContractOperation
from relay.server.error_responses import ErrorResponses
from relay.server.errors import ClientDisconnected, MethodNotAllowed, NotFound, OperationNotImplemented
from relay.server.framework import (
    ROUTING_CONTEXT,
    ExceptionMiddleware,
    RoutingMiddleware,
    SwaggerUIMiddleware,
    compiled_api,
    following,
)
from relay.server.lifespan import is_cancelled
from relay.server.pages import Page
from relay.server.routing import Match, Routes
from relay.server.scope_keys import PROGRESS
from relay.server.sending import headers_only, send_response
from relay.validation.http import OPERATION, Response

Extra = Page | Callable[[], Awaitable[Response]]
"""Serves a path that is not in the contract: a page, or a function."""


class Errors(ExceptionMiddleware):
    """Answers every exception that is raised inside it, in the format of the contract."""

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


class Pages(SwaggerUIMiddleware):
    """Serves pages by path. Raises MethodNotAllowed."""

    def __init__(self, app: Any, *, pages: Mapping[str, Extra]) -> None:
        self.app = app
        self._pages = pages

    def add_api(self, specification: Any, *_: Any, **__: Any) -> None:
        """Do nothing: the pages are made when the application is compiled."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3)."""
        page = self._pages.get(scope["path"])
        if page is None:
            await self.app(scope, receive, send)
            return
        scope[OPERATION] = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed({"allow": "GET, HEAD"})
        if scope["method"] == "HEAD":
            send = headers_only(send)
        response = await (page.response(scope["headers"]) if isinstance(page, Page) else page())
        await send_response(send, response)


async def not_found(_scope: Any, _receive: Any, _send: Any) -> None:
    """Raise NotFound: the application behind pages without a contract."""
    raise NotFound


class _Target(NamedTuple):
    """The application of an operation, and the context that Connexion's middlewares read."""

    app: Any
    context: dict[str, str]
    operation: Operation


def _target(api: Any, operation: ContractOperation) -> _Target:
    context = {"api_base_path": api.base_path, "operation_id": operation.operation_id}
    return _Target(following(api, operation.operation_id), context, operation.served.endpoint.operation)


_RoutingAPI = compiled_api(_target)


class Routing(RoutingMiddleware):
    """Finds the operation of a request by `routes` to ids (None: left out); HEAD is a GET without a body."""

    def __init__(self, app: Any, *, routes: Routes[str | None], cors: Cors | None) -> None:
        self.app = app
        self._routes = routes
        self._cors = cors
        self._targets: dict[str | None, _Target] = {}

    def add_api(self, specification: Any, *_: Any, **options: Any) -> None:
        """Link every operation of the contract to its first stage."""
        api = _RoutingAPI(specification, next_app=self.app, **options)
        self._targets.update(api.operations)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass one request on (ASGI 3). Raises NotFound, MethodNotAllowed, OperationNotImplemented."""
        raw_path = scope.get("raw_path")
        match = self._routes.find(raw_path.decode("latin-1") if raw_path else quote(scope["path"]))
        if match is None:
            raise NotFound
        method = scope["method"]
        if method == "HEAD" and method not in match.routes:
            method, send = "GET", headers_only(send)
        route = match.routes.get(method)
        if route is None:
            if self._cors and method == "OPTIONS" and (answer := self._preflight(self._cors, scope, match)):
                await send_response(send, answer)
                return
            heads = {"HEAD"} if "GET" in match.routes else set()
            raise MethodNotAllowed({"allow": ", ".join(sorted(heads | match.routes.keys()))})
        target = self._targets.get(route.target)
        if target is None:
            raise OperationNotImplemented
        scope["path_params"] = match.variables(method) if match.values else {}
        scope.setdefault("extensions", {})[ROUTING_CONTEXT] = target.context
        scope[OPERATION] = route.target
        await target.app(scope, receive, send)

    def _preflight(self, cors: Cors, scope: Any, match: Match[str | None]) -> Response | None:
        targets = match.methods.items()
        found = {name: self._targets[id_].operation for name, id_ in targets if id_ in self._targets}
        return cors.preflight(scope["headers"], found)
