"""The stages of a request, in their order: the stack that README draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from relay.contract.methods import METHODS
from relay.contract.model import Contract, LeftOut
from relay.project.settings import Settings

from .cors import Cors
from .endpoint import ContractSpecification, Endpoint, ServedOperation
from .error_responses import ErrorResponses
from .framework import API, ConnexionMiddleware, MiddlewarePosition
from .guard import Guard
from .lifespan import not_started
from .package_hooks import PackageMiddleware
from .pages import PROBES
from .routing import Routes
from .stages.handlers import Context, Handlers
from .stages.outermost import Errors, Extra, Pages, Routing
from .stages.request import RequestValidation, Security
from .stages.response_validation import ResponseValidation


@dataclass(slots=True)
class Compiled:
    """The parts from which the stages are built."""

    contract: Contract
    settings: Settings
    endpoints: Mapping[str, Endpoint]
    left_out: list[LeftOut]
    middleware: list[PackageMiddleware]
    cors: Cors | None


class Pipeline(ConnexionMiddleware):
    """Connexion's application with Relay's stages, whose outermost is `app`."""

    def __init__(
        self,
        application: Compiled,
        served: Mapping[str, ServedOperation],
        pages: Mapping[str, Extra],
        errors: ErrorResponses,
    ) -> None:
        contract, cors = application.contract, application.cors
        routes = _routes(application)
        pages = {path: page for path, page in pages.items() if routes.find(quote(path)) is None}
        limit, exempt = application.settings.max_in_flight, PROBES & pages.keys()
        stages: list[Any] = [
            partial(Guard, errors=errors, limit=limit, exempt=exempt, cors=cors),
            partial(Errors, responses=errors),
            partial(Pages, pages=pages),
            partial(Routing, routes=routes, cors=cors),
            Security,
            RequestValidation,
            ResponseValidation,
            Context,
        ]
        super().__init__(Handlers(not_started), middlewares=stages)
        for one in application.middleware:
            self.add_middleware(one.kind, position=one.position, **one.options)
        specification = ContractSpecification(contract, served)
        self.apis.append(API(specification, base_path=contract.base_path, **vars(self.options)))
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


def _routes(application: Compiled) -> Routes[str | None]:
    """Return the routes to operation ids, and to None for what is left out of the contract."""
    operations = {id_: endpoint.operation for id_, endpoint in application.endpoints.items()}
    targets: dict[tuple[str, str], str | None] = {
        (operation.method, operation.path): id_ for id_, operation in operations.items()
    }
    for left in application.left_out:
        for method in [left.method] if left.method else METHODS:
            if left.path.startswith("/"):
                targets.setdefault((method, left.path), None)
    return Routes.of(targets, application.contract.base_path)
