"""The stack on Connexion: router → the operation's endpoint."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from relay.contract.model import Contract
from relay.validation.http import OPERATION, Answer

from .docs import Page
from .endpoint import Endpoint
from .errors import MethodNotAllowed, NotFound
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
from .guard import send_answer
from .routing import Routes

Extra = Page | Callable[[], Awaitable[Answer]]
"""What answers at a path beside the contract's: a page, or a function."""


def build_stack(contract: Contract, endpoints: Mapping[str, Endpoint], extras: Mapping[str, Extra]) -> Any:
    """Return the ASGI application; `endpoints` by operation id, `extras` by path.

    A path of the contract goes before an extra one. NotFound, MethodNotAllowed and what an endpoint
    raises pass through.
    """
    middleware = ConnexionMiddleware(
        _Endpoints(),
        middlewares=[functools.partial(_Router, extras=extras)],  # type: ignore[list-item]  # a middleware's factory, which Connexion takes and its annotation does not know
        resolver=_EndpointResolver(endpoints),
    )
    middleware.add_api(_skeleton(contract), base_path=contract.base_path)
    return middleware


class _Router(SpecMiddleware):
    """Finds the operation of a request and leaves its id where Connexion's middlewares look for it."""

    def __init__(self, app: Any, extras: Mapping[str, Extra]) -> None:
        self._app = app
        self._extras = extras
        self._routes: Routes[dict[str, str]] = Routes()

    def add_api(self, specification: Any, **kwargs: Any) -> None:
        """Register every operation of the contract."""
        for path, item in specification["paths"].items():
            for method, operation in item.items():
                context = {"api_base_path": kwargs["base_path"], "operation_id": operation["operationId"]}
                self._routes.add(kwargs["base_path"] + path, method, context)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        raw_path = scope.get("raw_path")
        match = self._routes.find(raw_path.decode("latin-1") if raw_path else quote(scope["path"]))
        if match is not None:
            context = match.methods.get(scope["method"])
            if context is None:
                raise MethodNotAllowed({"allow": ", ".join(sorted(match.methods))})
            scope["path_params"] = match.variables
            scope.setdefault("extensions", {})[ROUTING_CONTEXT] = context
            scope[OPERATION] = context["operation_id"]
            await self._app(scope, receive, send)
            return
        extra = self._extras.get(scope["path"])
        if extra is None:
            raise NotFound
        scope[OPERATION] = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed({"allow": "GET, HEAD"})
        answer = extra.answer(scope["headers"]) if isinstance(extra, Page) else await extra()
        await send_answer(send, answer)


class _Api(RoutedAPI[Any]):
    """The endpoints, under the ids by which Connexion hands requests to them."""

    def __init__(
        self, specification: Any, *, next_app: Any, resolver: Resolver, base_path: str, **_kwargs: Any
    ) -> None:
        super().__init__(specification, next_app=next_app, resolver=resolver, base_path=base_path)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> Any:
        """Return the compiled endpoint that the resolver found for Connexion's operation."""
        return operation.function


class _Endpoints(RoutedMiddleware[_Api]):
    """The end of the stack: hands a routed request to its endpoint."""

    api_cls = _Api

    def __init__(self) -> None:
        super().__init__(_nothing_behind)


async def _nothing_behind(_scope: Any, _receive: Any, _send: Any) -> None:
    """Stand where Connexion would have an application: every operation ends before it."""


class _EndpointResolver(Resolver):
    """operationId → compiled endpoint; Connexion asks once per middleware, so nothing is done here."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        super().__init__()
        self._endpoints = endpoints

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """Find the endpoint of one of Connexion's operations."""
        return Resolution(  # type: ignore[no-untyped-call]  # Connexion ships no types
            self._endpoints[operation.operation_id], operation.operation_id
        )


def _skeleton(contract: Contract) -> dict[str, Any]:
    """Return what Connexion needs of the contract: which operation lives where.

    It copies and resolves whatever it is given once per middleware, which for a large contract
    takes seconds; everything else is compiled from `Contract`.
    """
    paths: dict[str, Any] = {}
    for operation in contract.operations:
        paths.setdefault(operation.path, {})[operation.method] = {
            "operationId": operation.id,
            "responses": {"default": {"description": ""}},
        }
    return {"openapi": "3.0.3", "info": {"title": contract.title, "version": "-"}, "paths": paths}
