"""Every name of Connexion that we lean on, in one place; tests/test_framework.py pins them.

Connexion keeps the contract's operations, resolves each to its function, assembles the stack and
hands a routed request to the operation it belongs to. The rest of its request path (a router that
tries one route after the other, validators built per request, decorators) is replaced through its
own extension points: `middlewares=`, `SpecMiddleware`, `RoutedMiddleware`, `RoutedAPI`, `Resolver`.
"""

from __future__ import annotations

import sys
import warnings

with warnings.catch_warnings():
    # Connexion imports Starlette's test client, which warns about a library we do not use: httpx. That one brings its
    # command line along, and all that draws it, wherever rich is installed: a sixth of the time to start.
    warnings.simplefilter("ignore")
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # Python's way to say: not to be had
    from connexion.middleware.abstract import ROUTING_CONTEXT, RoutedAPI, RoutedMiddleware, SpecMiddleware
    from connexion.middleware.main import ConnexionMiddleware
    from connexion.operations.abstract import AbstractOperation
    from connexion.resolver import Resolution, Resolver
    from connexion.spec import OpenAPISpecification

__all__ = [
    "ROUTING_CONTEXT",
    "AbstractOperation",
    "ConnexionMiddleware",
    "OpenAPISpecification",
    "Resolution",
    "Resolver",
    "RoutedAPI",
    "RoutedMiddleware",
    "SpecMiddleware",
]
