"""All names of Connexion that Relay uses; tests/server/test_framework.py pins them.

Connexion has the operations, the order of the stages, their positions for other middlewares, and `request` and
`context`. Relay's stages are subclasses of its middlewares that replace what runs per request: a router that
tries one route after the other, validators and decorators that are built for each request.
"""

from __future__ import annotations

import warnings
from typing import Any

from relay.contract.methods import CARRIED

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Connexion imports names that jsonschema has deprecated
    from connexion.datastructures import NoContent
    from connexion.exceptions import ProblemException
    from connexion.http_facts import METHODS
    from connexion.lifecycle import ConnexionRequest, ConnexionResponse
    from connexion.middleware.abstract import ROUTING_CONTEXT, RoutedAPI, RoutedMiddleware
    from connexion.middleware.context import ContextAPI, ContextMiddleware, ContextOperation
    from connexion.middleware.exceptions import ExceptionMiddleware
    from connexion.middleware.main import API, ConnexionMiddleware, MiddlewarePosition
    from connexion.middleware.request_validation import RequestValidationAPI, RequestValidationMiddleware
    from connexion.middleware.response_validation import ResponseValidationAPI, ResponseValidationMiddleware
    from connexion.middleware.routing import RoutingMiddleware
    from connexion.middleware.security import SecurityAPI, SecurityMiddleware
    from connexion.middleware.swagger_ui import SwaggerUIMiddleware
    from connexion.operations.openapi import OpenAPIOperation
    from connexion.resolver import Resolution
    from connexion.spec import OpenAPISpecification
    from connexion.uri_parsing import OpenAPIURIParser
    from starlette.exceptions import HTTPException

METHODS.update(map(str.lower, CARRIED))  # Connexion leaves out operations with other methods than its own

CONTEXT = "connexion_context"
"""Key of the scope's extensions for `connexion.context.context`; Connexion has no name for it."""

__all__ = [
    "API",
    "CONTEXT",
    "METHODS",
    "ROUTING_CONTEXT",
    "ConnexionMiddleware",
    "ConnexionRequest",
    "ConnexionResponse",
    "ContextAPI",
    "ContextMiddleware",
    "ContextOperation",
    "ExceptionMiddleware",
    "HTTPException",
    "MiddlewarePosition",
    "NoContent",
    "OpenAPIOperation",
    "OpenAPISpecification",
    "OpenAPIURIParser",
    "ProblemException",
    "RequestValidationAPI",
    "RequestValidationMiddleware",
    "Resolution",
    "ResponseValidationAPI",
    "ResponseValidationMiddleware",
    "RoutedAPI",
    "RoutedMiddleware",
    "RoutingMiddleware",
    "SecurityAPI",
    "SecurityMiddleware",
    "SwaggerUIMiddleware",
    "following",
]


def following(api: RoutedAPI[Any], operation_id: str) -> Any:
    """Return what an operation's part of `api` passes its requests to.

    If the next stage does nothing but look the operation up, this is the operation's part of it: the look-up
    takes half a microsecond. Inner stages are built before outer ones.
    """
    stage: Any = api.next_app
    if type(stage).__call__ is not RoutedMiddleware.__call__:
        return stage
    parts: RoutedAPI[Any] = stage.apis[api.base_path][-1]
    return parts.operations[operation_id]
