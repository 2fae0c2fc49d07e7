"""The stage that finds the operation of a request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

from relay.contract.model import Operation
from relay.server.cors import Cors
from relay.server.errors import MethodNotAllowed, NotFound, OperationNotImplemented
from relay.server.framework import ROUTING_CONTEXT, RoutingMiddleware, compiled_api, following
from relay.server.routing import Match, Routes
from relay.server.sending import headers_only, send_response
from relay.server.specification import ContractOperation
from relay.validation.http import OPERATION, Response


class _Target(NamedTuple):
    """What a request to an operation is passed to, and what Connexion's middlewares read."""

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
            raise MethodNotAllowed({"allow": ", ".join(sorted(_allowed(match.routes)))})
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


def _allowed(methods: Iterable[str]) -> set[str]:
    allowed = {*methods}
    return allowed | {"HEAD"} if "GET" in allowed else allowed
