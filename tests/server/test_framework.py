"""The names of Connexion that Relay uses: `scripts/relay/server/framework.py`."""

from __future__ import annotations

import inspect

import pytest

from relay.server import framework


def parameters(function):
    return set(inspect.signature(function).parameters)


def test_connexion_builds_its_stack_from_our_stages():
    """`middlewares=` replaces its own list, each is called with the next one, and learns of each API."""

    class Stage(framework.RoutedMiddleware):
        """Records the APIs that it gets."""

        def __init__(self, app):
            super().__init__(app)
            self.found = []

        def add_api(self, specification, **options):
            self.found.append((specification, options["base_path"]))

    async def innermost(scope, receive, send):
        """Do nothing."""

    application = framework.ConnexionMiddleware(innermost, middlewares=[Stage])
    application.apis.append(framework.API("the contract", base_path="/v1", **vars(application.options)))
    outermost, apps = application._build_middleware_stack()

    assert [type(one) for one in apps] == [Stage, type(innermost)]
    assert outermost.app is innermost
    assert outermost.found == [("the contract", "/v1")]


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


def test_connexion_makes_each_operation_by_the_specification_and_the_api():
    """`add_operation` asks `operation_cls.from_spec`, then `make_operation`, and stores by `operation_id`."""

    class Operation:
        """An operation."""

        operation_id = "show"

        @classmethod
        def from_spec(cls, specification, *args, path, method, resolver, **options):
            assert (path, method) == ("/a", "get")
            return cls()

    class Specification(dict):
        """A specification."""

        operation_cls = Operation
        base_path = ""

    class Api(framework.RoutedAPI):
        """Compiles to the operation itself."""

        def make_operation(self, operation):
            return operation

    api = Api(Specification(paths={"/a": {"get": {}, "x-other": {}}}), next_app=None, base_path="/v1")
    api.add_paths()

    assert [*api.operations] == ["show"]
    assert api.base_path == "/v1"


async def test_connexion_finds_an_operation_by_the_context_that_a_router_leaves():
    """Read by RoutedMiddleware from the scope's extensions; written by our routing stage."""
    calls = []

    async def operation(scope, receive, send):
        calls.append(scope)

    class Api(framework.RoutedAPI):
        """One operation."""

        def __init__(self, specification, *, next_app, **options):
            self.base_path = "/v1"
            self.operations = {"show": operation}

        def make_operation(self, operation):
            raise NotImplementedError

    class Stage(framework.RoutedMiddleware):
        """Passes requests to it."""

        api_cls = Api

    stage = Stage(None)
    stage.add_api(None)
    context = {"api_base_path": "/v1", "operation_id": "show"}
    scope = {"type": "http", "extensions": {framework.ROUTING_CONTEXT: context}}

    await stage(scope, None, None)

    assert calls == [scope]


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
