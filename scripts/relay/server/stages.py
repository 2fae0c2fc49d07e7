"""The ASGI stack on Connexion: router, then the operation's endpoint."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from relay.contract.model import METHODS, Contract, LeftOut
from relay.validation.http import OPERATION, Response

from .docs import Page
from .endpoint import Endpoint
from .errors import MethodNotAllowed, NotFound, OperationNotImplemented
from .framework import (
    ROUTING_CONTEXT,
    AbstractOperation,
    ConnexionMiddleware,
    Resolution,
    Resolver,
    RoutedAPI,
    RoutedMiddleware,
    SpecMiddleware,
)
from .guard import send_response
from .routing import Routes

Extra = Page | Callable[[], Awaitable[Response]]
"""Serves a path that is not in the contract: a page, or a function."""


def build_stack(
    contract: Contract,
    endpoints: Mapping[str, Endpoint],
    extras: Mapping[str, Extra],
    left_out: Iterable[LeftOut] = (),
) -> Any:
    """Return the ASGI application; `endpoints` by operation id, `extras` by path.

    The contract's paths take precedence over extra ones. Raises NotFound, MethodNotAllowed,
    OperationNotImplemented for what is left out, and the endpoints' exceptions.
    """
    middleware = ConnexionMiddleware(
        _Endpoints(),
        middlewares=[functools.partial(_Router, extras=extras, left_out=left_out)],  # type: ignore[list-item]  # Connexion accepts a factory, its annotation does not
        resolver=_EndpointResolver(endpoints),
    )
    middleware.add_api(_skeleton(contract, endpoints), base_path=contract.base_path)
    return middleware


class Extras:
    """Serves paths that are not in a contract. Raises NotFound and MethodNotAllowed."""

    def __init__(self, extras: Mapping[str, Extra]) -> None:
        self._extras = extras

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3)."""
        extra = self._extras.get(scope["path"])
        if extra is None:
            raise NotFound
        scope[OPERATION] = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed({"allow": "GET, HEAD"})
        response = await (extra.response(scope["headers"]) if isinstance(extra, Page) else extra())
        await send_response(send, response)


_NOT_SERVED: dict[str, str] = {}
"""What the router stores for an operation that is left out."""


class _Router(SpecMiddleware):
    """Finds the operation of a request and stores its id where Connexion's middlewares read it."""

    def __init__(self, app: Any, extras: Mapping[str, Extra], left_out: Iterable[LeftOut]) -> None:
        self._app = app
        self._left_out = left_out
        self._extras = Extras(extras)
        self._routes: Routes[dict[str, str]] = Routes()

    def add_api(self, specification: Any, **kwargs: Any) -> None:
        """Register every operation of the contract, and what is left out of it."""
        routes = {
            (method, path): {"api_base_path": kwargs["base_path"], "operation_id": operation["operationId"]}
            for path, item in specification["paths"].items()
            for method, operation in item.items()
        }
        for one in self._left_out:
            if one.path.startswith("/"):
                for method in [one.method] if one.method else METHODS:
                    routes.setdefault((method, one.path), _NOT_SERVED)
        self._routes = Routes.of(routes, kwargs["base_path"])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        raw_path = scope.get("raw_path")
        match = self._routes.find(raw_path.decode("latin-1") if raw_path else quote(scope["path"]))
        if match is not None:
            route = match.routes.get(scope["method"])
            if route is None:
                raise MethodNotAllowed({"allow": ", ".join(sorted(match.routes))})
            context = route.target
            if context is _NOT_SERVED:
                raise OperationNotImplemented
            scope["path_params"] = match.variables(scope["method"])
            scope.setdefault("extensions", {})[ROUTING_CONTEXT] = context
            scope[OPERATION] = context["operation_id"]
            await self._app(scope, receive, send)
        else:
            await self._extras(scope, receive, send)


class _Api(RoutedAPI[Any]):
    """The endpoints, under the ids that Connexion dispatches by."""

    def __init__(
        self, specification: Any, *, next_app: Any, resolver: Resolver, base_path: str, **_kwargs: Any
    ) -> None:
        super().__init__(specification, next_app=next_app, resolver=resolver, base_path=base_path)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> Any:
        """Return the compiled endpoint that the resolver found for Connexion's operation."""
        return operation.function


class _Endpoints(RoutedMiddleware[_Api]):
    """The innermost part of the stack: passes a routed request to its endpoint."""

    api_cls = _Api

    def __init__(self) -> None:
        super().__init__(_no_application)


async def _no_application(_scope: Any, _receive: Any, _send: Any) -> None:
    """Replace the application that Connexion would wrap; it is never called."""


class _EndpointResolver(Resolver):
    """Maps an operationId to its compiled endpoint; only a look-up, because Connexion resolves once per middleware."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        super().__init__()
        self._endpoints = endpoints

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """Find the endpoint of one of Connexion's operations."""
        return Resolution(  # type: ignore[no-untyped-call]  # Connexion ships no types
            self._endpoints[operation.operation_id], operation.operation_id
        )


def _skeleton(contract: Contract, endpoints: Mapping[str, Endpoint]) -> dict[str, Any]:
    """Return the part of the contract that Connexion needs: the path and method of each operation.

    Connexion copies and resolves its document once per middleware, which takes seconds for a large
    contract; everything else is compiled from `Contract`.
    """
    paths: dict[str, Any] = {}
    for endpoint in endpoints.values():
        operation = endpoint.binding.operation
        paths.setdefault(operation.path, {})[operation.method] = {
            "operationId": operation.id,
            "responses": {"default": {"description": ""}},
        }
    return {"openapi": "3.0.3", "info": {"title": contract.title, "version": "-"}, "paths": paths}
