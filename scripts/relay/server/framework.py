"""Every name of Connexion that we lean on, in one place; tests/server/test_framework.py pins them.

Connexion keeps the contract's operations, resolves each to its function, assembles the stack and
hands a routed request to the operation it belongs to. The rest of its request path (a router that
tries one route after the other, validators built per request, decorators) is replaced through its
own extension points: `middlewares=`, `SpecMiddleware`, `RoutedMiddleware`, `RoutedAPI`, `Resolver`.

A third of the time it takes to import, and a seventh of the service's memory, would be what it uses in
places that are not ours: clients of HTTP, templates, a client for tests. Those are imported when used.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for a module that is imported when something of it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*args, **kwargs)

        return call


@contextmanager
def _later(*names: str) -> Iterator[None]:
    """Let whoever imports these modules have, until left, what stands for them."""
    absent = {name: _Later(name) for name in names if name not in sys.modules}
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with (
    _later("httpx", "jinja2", "requests", "starlette.templating", "starlette.testclient"),
    warnings.catch_warnings(),
):
    warnings.simplefilter("ignore")  # Connexion imports what jsonschema has deprecated
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
