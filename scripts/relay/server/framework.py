"""All names of Connexion that Relay uses; tests/server/test_framework.py pins them.

Connexion holds the contract's operations, resolves each to its function, assembles the stack and
dispatches a routed request to its operation. The rest of its request path (a router that tries one
route after the other, validators built per request, decorators) is replaced through its own
extension points: `middlewares=`, `SpecMiddleware`, `RoutedMiddleware`, `RoutedAPI`, `Resolver`.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Connexion imports names that jsonschema has deprecated
    from connexion.middleware.abstract import ROUTING_CONTEXT, RoutedAPI, RoutedMiddleware, SpecMiddleware
    from connexion.middleware.main import ConnexionMiddleware
    from connexion.operations.abstract import AbstractOperation
    from connexion.resolver import Resolution, Resolver

__all__ = [
    "ROUTING_CONTEXT",
    "AbstractOperation",
    "ConnexionMiddleware",
    "Resolution",
    "Resolver",
    "RoutedAPI",
    "RoutedMiddleware",
    "SpecMiddleware",
]
