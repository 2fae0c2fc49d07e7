"""The names of Connexion that Relay uses: `scripts/relay/server/framework.py`."""

from __future__ import annotations

import inspect

import pytest

from relay.server import framework


def parameters(function):
    return set(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    "stage",
    [
        framework.ExceptionMiddleware, framework.SwaggerUIMiddleware, framework.RoutingMiddleware,
        framework.SecurityMiddleware, framework.RequestValidationMiddleware, framework.ContextMiddleware,
    ],
)  # fmt: skip
def test_each_position_is_before_a_stage_of_ours(stage):
    """A package's middleware is inserted by the class that the position names."""
    assert stage in {position.value for position in framework.MiddlewarePosition}
    assert len(framework.MiddlewarePosition) == 6


def test_connexion_takes_its_context_from_the_scope():
    """`connexion.context.context` is what our security stage leaves in the extensions."""
    assert parameters(framework.ContextOperation.__init__) == {"self", "next_app", "operation"}
    assert framework.CONTEXT in inspect.getsource(framework.ContextOperation)
    assert parameters(framework.Resolution.__init__) == {"self", "function", "operation_id"}
    assert isinstance(framework.OpenAPIOperation.function, property)


def test_a_request_of_connexions_is_made_of_a_scope():
    """An info function that takes `request` gets one before the body is read."""
    request = framework.ConnexionRequest(
        {"type": "http", "method": "PUT", "path": "/a", "query_string": b"", "headers": [(b"x-a", b"1")]}
    )
    assert (request.method, request.headers["x-a"]) == ("PUT", "1")


def test_connexion_routes_every_method_that_the_transport_reads():
    """Its classes skip the operations of other methods than those it lists."""
    assert {"query", "copy", "m-search"} < framework.METHODS
