"""All names of Connexion that Relay uses; tests/server/test_library_names.py pins them.

Relay's stages are subclasses of its middlewares that replace what runs per request: a router that
tries one route after the other, validators and decorators that are built for each request.
"""

# ruff: noqa: PLC0414 -- an alias says that a name is for others

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from relay.contract.methods import CARRIED

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Connexion imports names that jsonschema has deprecated
    from connexion.datastructures import NoContent as NoContent
    from connexion.exceptions import ProblemException as ProblemException
    from connexion.http_facts import METHODS as METHODS
    from connexion.lifecycle import ConnexionRequest as ConnexionRequest
    from connexion.lifecycle import ConnexionResponse as ConnexionResponse
    from connexion.middleware.abstract import ROUTING_CONTEXT as ROUTING_CONTEXT
    from connexion.middleware.abstract import RoutedAPI as RoutedAPI
    from connexion.middleware.abstract import RoutedMiddleware as RoutedMiddleware
    from connexion.middleware.context import ContextMiddleware as ContextMiddleware
    from connexion.middleware.context import ContextOperation as ContextOperation
    from connexion.middleware.exceptions import ExceptionMiddleware as ExceptionMiddleware
    from connexion.middleware.main import API as API
    from connexion.middleware.main import ConnexionMiddleware as ConnexionMiddleware
    from connexion.middleware.main import MiddlewarePosition as MiddlewarePosition
    from connexion.middleware.request_validation import (
        RequestValidationMiddleware as RequestValidationMiddleware,
    )
    from connexion.middleware.response_validation import (
        ResponseValidationMiddleware as ResponseValidationMiddleware,
    )
    from connexion.middleware.routing import RoutingMiddleware as RoutingMiddleware
    from connexion.middleware.security import SecurityMiddleware as SecurityMiddleware
    from connexion.middleware.swagger_ui import SwaggerUIMiddleware as SwaggerUIMiddleware
    from connexion.operations.openapi import OpenAPIOperation as OpenAPIOperation
    from connexion.resolver import Resolution as Resolution
    from connexion.spec import OpenAPISpecification as OpenAPISpecification
    from connexion.uri_parsing import OpenAPIURIParser as OpenAPIURIParser
    from starlette.exceptions import HTTPException as HTTPException

METHODS.update(map(str.lower, CARRIED))  # Connexion leaves out operations with other methods than its own

CONTEXT = "connexion_context"
"""Key of the scope's extensions for `connexion.context.context`; Connexion has no name for it."""


class _OwnAPI(RoutedAPI[Any]):
    def __init__(self, specification: Any, **options: Any) -> None:
        super().__init__(specification, **options)
        self.add_paths()


def compiled_api(part: Callable[[Any, Any], Any], base: Any = _OwnAPI) -> Any:
    """Return what compiles the operations of a stage: an operation's part of it is `part(api, operation)`."""
    return type(base.__name__, (base,), {"make_operation": part})


def compiled(stage: type[RoutedMiddleware[Any]], part: Callable[[Any, Any], Any]) -> Any:
    """Return a stage of Connexion's whose part for an operation is `part(api, operation)`."""
    return type(stage.__name__, (stage,), {"api_cls": compiled_api(part, getattr(stage, "api_cls", _OwnAPI))})


def following(api: RoutedAPI[Any], operation_id: str) -> Any:
    """Return what follows an operation's part of `api`; inner stages are built before outer ones."""
    stage: Any = api.next_app
    if type(stage).__call__ is not RoutedMiddleware.__call__:
        return stage
    parts: RoutedAPI[Any] = stage.apis[api.base_path][-1]
    return parts.operations[operation_id]
