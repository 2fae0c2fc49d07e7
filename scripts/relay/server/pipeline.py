"""The stages of a request, in their order: the stack that README draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from relay.contract.methods import METHODS
from relay.contract.model import Contract, LeftOut

from .cors import Cors
from .endpoint import ServedOperation
from .error_responses import ErrorResponses
from .framework import API, ConnexionMiddleware, MiddlewarePosition
from .guard import Guard
from .package_middleware import PackageMiddleware
from .pages import PROBES
from .routing import Routes
from .specification import ContractSpecification
from .stages.context import Context
from .stages.errors import Errors
from .stages.handlers import Handlers
from .stages.pages import Extra, Pages
from .stages.request_validation import RequestValidation
from .stages.response_validation import ResponseValidation
from .stages.routing import Routing
from .stages.security import Security


@dataclass(frozen=True, slots=True)
class Service:
    """What the stages are built from: `served` by operation id, `pages` by path.

    The contract's paths take precedence over `pages`. `limit` is for requests in flight.
    """

    contract: Contract
    served: Mapping[str, ServedOperation]
    left_out: Iterable[LeftOut]
    pages: Mapping[str, Extra]
    middleware: Iterable[PackageMiddleware]
    cors: Cors | None
    errors: ErrorResponses
    limit: int

    def routes(self) -> Routes[str | None]:
        """Return the routes to operation ids, and to None for what is left out of the contract."""
        targets: dict[tuple[str, str], str | None] = {}
        for id_, one in self.served.items():
            operation = one.endpoint.operation
            targets[operation.method, operation.path] = id_
        for left in self.left_out:
            if left.path.startswith("/"):
                for method in [left.method] if left.method else METHODS:
                    targets.setdefault((method, left.path), None)
        return Routes.of(targets, self.contract.base_path)


class Pipeline(ConnexionMiddleware):
    """Connexion's application with Relay's stages, complete when it is built: `app` is the outermost stage."""

    def __init__(self, service: Service) -> None:
        routes = service.routes()
        pages = {path: page for path, page in service.pages.items() if routes.find(quote(path)) is None}
        stages: list[Any] = [
            partial(
                Guard,
                errors=service.errors,
                limit=service.limit,
                exempt=PROBES & pages.keys(),
                cors=service.cors,
            ),
            partial(Errors, responses=service.errors),
            partial(Pages, pages=pages),
            partial(Routing, routes=routes, cors=service.cors),
            Security,
            RequestValidation,
            ResponseValidation,
            Context,
        ]
        super().__init__(Handlers(), middlewares=stages)
        for one in service.middleware:
            self.add_middleware(one.kind, position=one.position, **one.options)
        specification = ContractSpecification(service.contract, service.served)
        base_path = service.contract.base_path
        self.apis.append(API(specification, base_path=base_path, **vars(self.options)))
        self.app, self.middleware_stack = self._build_middleware_stack()

    def add_middleware(
        self,
        middleware_class: Any,
        *,
        position: MiddlewarePosition = MiddlewarePosition.BEFORE_CONTEXT,
        **options: Any,
    ) -> None:
        """Insert a middleware before the stage of a position; Connexion's own method knows only its own classes."""
        kinds = [getattr(stage, "func", stage) for stage in self.middlewares]
        index = next(
            number
            for number, kind in enumerate(kinds)
            if isinstance(kind, type) and issubclass(kind, position.value)
        )
        self.middlewares.insert(index, partial(middleware_class, **options))  # type: ignore[arg-type]  # Connexion accepts a factory, its annotation does not
