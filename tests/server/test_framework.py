"""The names of Connexion that we lean on: `scripts/relay/server/framework.py`."""

from __future__ import annotations

import inspect
import subprocess
import sys

from relay.server import framework
from support.running import ROOT


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


def test_connexion_carries_the_schema_of_openapi_3_0():
    """The structure of every contract is held against it."""
    assert framework.OpenAPISpecification.openapi_schema["$schema"].startswith(
        "http://json-schema.org/draft-04"
    )
    assert {"openapi", "info", "paths"} == set(framework.OpenAPISpecification.openapi_schema["required"])


USES = """
import sys
from relay.server import framework
late = {"httpx", "jinja2", "requests", "starlette.templating", "starlette.testclient"}
print(sorted(late & sys.modules.keys()))

import connexion.json_schema, connexion.middleware.swagger_ui, connexion.security, connexion.spec
print(type(connexion.AsyncApp("a").test_client()).__module__)
print(connexion.spec.jinja2.Template("{{ a }}").render(a="filled in"))
print(type(connexion.json_schema.requests.Session()).__module__)
print(type(connexion.security.httpx.Client()).__module__)
print(type(connexion.middleware.swagger_ui.Jinja2Templates(directory=".")).__module__)
print(sorted(late - sys.modules.keys()))
"""


def test_connexion_imports_when_it_is_used_what_is_not_used_here():
    """Whoever has an application of Connexion's own in the same process finds it whole."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", USES], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == [
        "[]",
        "starlette.testclient",
        "filled in",
        "requests.sessions",
        "httpx",
        "starlette.templating",
        "[]",
    ]
