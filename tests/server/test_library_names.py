"""The names of uvicorn and of Connexion that `scripts/relay/server/` extends or reads."""

import ast
import inspect
from textwrap import dedent

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from relay.server import framework
from relay.server.transport.protocol import Protocol
from relay.server.transport.servers import DrainingServer


def parameters(function):
    return [*inspect.signature(function).parameters]


def overridden(ours, theirs):
    """The methods of a class of uvicorn's that a class of ours replaces."""
    return {
        name for name in vars(ours).keys() & vars(theirs).keys() if inspect.isfunction(getattr(ours, name))
    }


@pytest.fixture
def config():
    return uvicorn.Config(lambda: None, ws="none", lifespan="off", log_config=None)


def test_uvicorn_calls_the_methods_that_the_protocol_overrides():
    """By name: a method that uvicorn renames would never run again, nor would the limit that it keeps."""
    expected = (
        "__init__ _start_asgi_task connection_lost connection_made data_received on_body on_header on_headers_complete "
        "on_message_begin on_message_complete on_response_complete pause_writing resume_writing"
    )
    assert overridden(Protocol, HttpToolsProtocol) == {*expected.split()}
    for name in overridden(Protocol, HttpToolsProtocol) - {"__init__"}:
        assert parameters(getattr(Protocol, name)) == parameters(getattr(HttpToolsProtocol, name)), name


async def test_uvicorn_keeps_the_state_of_a_connection_that_the_protocol_reads(config):
    """The requests that wait, the request that is answered, the headers, the transport and the loop."""
    theirs = HttpToolsProtocol(config, uvicorn.Server(config).server_state, {})

    assert len(theirs.pipeline) == 0
    assert (theirs.cycle, theirs.headers, theirs.transport) == (None, None, None)
    assert callable(theirs.loop.call_later)
    assert callable(theirs._unset_keepalive_if_required)
    assert callable(theirs.send_400_response)
    own = (
        "_buffered _is_head _capacity _has_advanced _held _is_deaf _connection _is_upgrade _running _section _waiting "
        "_is_unfinished _deadline _taking"
    )
    assert not {*own.split()} & {*dir(theirs)}


def test_uvicorn_writes_an_answer_through_three_methods_of_a_transport():
    """`BufferedTransport` has no others."""
    tree = ast.parse(dedent(inspect.getsource(RequestResponseCycle)))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self.transport"
    }

    assert used == {"close", "is_closing", "write"}
    assert RequestResponseCycle(**dict.fromkeys(parameters(RequestResponseCycle))).response_complete is False


def test_uvicorn_calls_the_methods_that_the_server_overrides():
    """Start, end and signals are ours; the loop between them is uvicorn's."""
    names = {"capture_signals", "handle_exit", "shutdown", "startup"}
    assert overridden(DrainingServer, uvicorn.Server) == names | {"__init__"}
    for name in names:
        assert parameters(getattr(DrainingServer, name)) == parameters(getattr(uvicorn.Server, name)), name


async def test_uvicorn_exits_when_a_service_cannot_start():
    """`run` makes the errors of a start, and exit code 2, of this SystemExit; older versions return instead."""

    async def broken(scope, receive, send):
        raise RuntimeError

    config = uvicorn.Config(broken, lifespan="on", log_config=None)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)

    with pytest.raises(SystemExit):
        await server.startup()


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
    assert parameters(framework.ContextOperation.__init__) == ["self", "next_app", "operation"]
    assert framework.CONTEXT in inspect.getsource(framework.ContextOperation)
    assert parameters(framework.Resolution.__init__) == ["self", "function", "operation_id"]
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
