"""The stages of a request, in their order: the stack that README draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from relay.contract.model import METHODS, Contract, LeftOut

from .endpoint import ServedOperation
from .error_responses import ErrorResponses
from .framework import API, ConnexionMiddleware
from .guard import Guard
from .health import PROBES
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


class Pipeline(ConnexionMiddleware):
    """Connexion's application with Relay's stages, complete when it is built: `app` is the outermost stage.

    The contract's paths take precedence over `pages`.
    """

    def __init__(
        self,
        contract: Contract,
        served: Mapping[str, ServedOperation],
        *,
        pages: Mapping[str, Extra],
        left_out: Iterable[LeftOut],
        errors: ErrorResponses,
        limit: int,
    ) -> None:
        routes = _routes(contract, served, left_out)
        pages = {path: page for path, page in pages.items() if routes.find(quote(path)) is None}
        stages: list[Any] = [
            partial(Guard, errors=errors, limit=limit, exempt=PROBES & pages.keys()),
            partial(Errors, responses=errors),
            partial(Pages, pages=pages),
            partial(Routing, routes=routes),
            Security,
            RequestValidation,
            ResponseValidation,
            Context,
        ]
        super().__init__(Handlers(), middlewares=stages)
        specification = ContractSpecification(contract, served)
        self.apis.append(API(specification, base_path=contract.base_path, **vars(self.options)))
        self.app, self.middleware_stack = self._build_middleware_stack()


def _routes(
    contract: Contract, served: Mapping[str, ServedOperation], left_out: Iterable[LeftOut]
) -> Routes[str | None]:
    """Return the routes to operation ids, and to None for what is left out."""
    targets: dict[tuple[str, str], str | None] = {}
    for id_, one in served.items():
        operation = one.endpoint.operation
        targets[operation.method, operation.path] = id_
    for left in left_out:
        if left.path.startswith("/"):
            for method in [left.method] if left.method else METHODS:
                targets.setdefault((method, left.path), None)
    return Routes.of(targets, contract.base_path)
