"""The names of Connexion that we lean on: `scripts/relay/server/framework.py`."""

from __future__ import annotations

import inspect

from relay.server import framework


def parameters(function):
    """The names a function takes."""
    return set(inspect.signature(function).parameters)


def test_connexion_builds_its_stack_from_our_middlewares():
    """`middlewares=` replaces its own list, and each that is a SpecMiddleware learns of the contract."""
    assert {"app", "middlewares", "resolver"} <= parameters(framework.ConnexionMiddleware.__init__)
    assert {"specification", "base_path"} <= parameters(framework.ConnexionMiddleware.add_api)
    assert issubclass(framework.RoutedMiddleware, framework.SpecMiddleware)


def test_connexion_routes_by_the_context_that_a_router_leaves():
    """Read by RoutedMiddleware from the scope's extensions; written by our router."""
    source = inspect.getsource(framework.RoutedMiddleware.__call__)

    assert framework.ROUTING_CONTEXT == "connexion_routing"
    for name in ("ROUTING_CONTEXT", "api_base_path", "operation_id"):
        assert name in source


def test_connexion_asks_the_api_for_each_operation():
    """`RoutedAPI.add_paths` calls `make_operation`, with the function that the resolver found."""
    assert "self.make_operation(operation)" in inspect.getsource(framework.RoutedAPI.add_operation)
    assert {"specification", "resolver", "base_path"} <= parameters(framework.RoutedAPI.__init__) | {
        "resolver",
        "base_path",
    }
    assert parameters(framework.Resolution.__init__) == {"self", "function", "operation_id"}
    assert isinstance(framework.AbstractOperation.function, property)
