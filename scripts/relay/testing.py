"""An in-process client for a team's own tests: no socket, the lifespan run, tokens signed.

    from relay import create_app
    from relay.testing import client

    def test_lists_books():
        with client(create_app(), claims={"sub": "reader"}) as api:
            assert api.get("/books").status_code == 200

What a service sends itself is compared with the contract by `assert_webhook` and `assert_callback`. It needs the extra
`tools`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from relay.contract.diagnostics import SetupError
from relay.contract.model import Contract
from relay.contract.outgoing import Kind, OutgoingRequest, outgoing_requests
from relay.contract_tests.recorder import Recorder
from relay.server.token_minting import check_signable, longest_life, mint
from relay.validation import media_types as media
from relay.validation.item_reading import read_items
from relay.validation.schemas import SchemaCompiler

if TYPE_CHECKING:
    from relay.server.app import Application

__all__ = ["Client", "assert_callback", "assert_webhook", "async_client", "client", "items", "token"]

TRAFFIC = "RELAY_TEST_TRAFFIC"
"""The variable that names a HAR file to record to; `relay contract --har` counts what it shows as observed."""

TOKEN_LIFE = 3600  # seconds


class Client:
    """Sends requests to an application in this process and returns `httpx.Response`s.

    The arguments are those of `httpx.Client.request`; paths begin with the contract's base path.
    """

    def __init__(self, portal: BlockingPortal, http: httpx.AsyncClient) -> None:
        self._portal = portal
        self._http = http

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send one request."""
        return self._portal.call(partial(self._http.request, method, url, **options))

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Send a GET request."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """Send a POST request."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> httpx.Response:
        """Send a PUT request."""
        return self.request("PUT", url, **options)

    def query(self, url: str, **options: Any) -> httpx.Response:
        """Send a QUERY request (RFC 10008), whose body is the query."""
        return self.request("QUERY", url, **options)

    def patch(self, url: str, **options: Any) -> httpx.Response:
        """Send a PATCH request."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> httpx.Response:
        """Send a DELETE request."""
        return self.request("DELETE", url, **options)


@contextmanager
def client(
    app: Application,
    *,
    claims: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    record: Path | str | None = None,
) -> Iterator[Client]:
    """Run an application and yield a client of it, until left.

    With `claims` every request carries a token with them. With `record`, by default the file that
    RELAY_TEST_TRAFFIC names, the exchanges are added to a HAR file, without credentials. Raises
    SetupError where the application cannot be started or no token can be signed. A request raises
    `httpx.RemoteProtocolError` if its response is a stream that breaks off.
    """
    opening = async_client(app, claims=claims, headers=headers, record=record)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(opening) as http:
        yield Client(portal, http)


@asynccontextmanager
async def async_client(
    app: Application,
    *,
    claims: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    record: Path | str | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """Do as `client` does for tests that are coroutines: yield an `httpx.AsyncClient`."""
    sent = dict(headers or {})
    if claims is not None:
        sent["Authorization"] = f"Bearer {token(app, claims)}"
    file = record or os.environ.get(TRAFFIC)
    served = Recorder(app, Path(file)) if file else app
    opening = httpx.AsyncClient(
        transport=httpx.ASGITransport(_whole(served)), base_url="http://test", headers=sent
    )
    async with served.running(), opening as http:
        yield http


def _whole(app: Application | Recorder) -> Any:
    """Wrap an application: a response without an end raises `httpx.RemoteProtocolError`, as it does from a socket."""

    async def call(scope: Any, receive: Any, send: Any) -> None:
        is_open, size = True, 0

        async def sent(message: Any) -> None:
            nonlocal is_open, size
            if message["type"] == "http.response.body":
                size += len(message.get("body", b""))
                is_open = message.get("more_body", False)
            await send(message)

        await app(scope, receive, sent)
        if is_open:
            request = f"{scope['method']} {scope['path']}"
            message = f"the response to {request} broke off after {size} bytes: the service's log says why"
            raise httpx.RemoteProtocolError(message)

    return call


def items(response: httpx.Response) -> list[Any]:
    """Return the items of a response that is a stream of items: of an event stream, objects with the events' fields.

    Raises ValueError for another response, and for one whose items are malformed.
    """
    media_type = response.headers.get("content-type", "")
    kind = media.kind_of_items(media_type)
    if kind is None:
        raise ValueError(f"the media type {media_type or 'of the response'} is not known to consist of items")
    return [*read_items(kind, response.content, media_type)]


def token(app: Application, claims: Mapping[str, Any]) -> str:
    """Return a bearer token with these claims that the application accepts, valid for an hour at most.

    Raises SetupError for an application without a secret to sign with, also because functions verify all tokens.
    """
    if app.jwt is None:
        check_signable(app.contract, app.hooks.verifying_functions)
    return mint(app.settings, claims, longest_life(app.settings, TOKEN_LIFE))


def assert_webhook(
    app: Application, name: str, body: Any, *, method: str = "POST", media_type: str = "application/json"
) -> None:
    """Check a body that is sent to a webhook of the contract, as its receivers may check it.

    Raises AssertionError with all violations, and LookupError for what the contract does not document.
    """
    request = _documented(app.contract, "webhook", name, method)
    _check(app.contract, request, body, media_type)


def assert_callback(
    app: Application,
    operation: str,
    name: str,
    body: Any,
    *,
    method: str = "POST",
    media_type: str = "application/json",
) -> None:
    """Do as `assert_webhook` does for a callback of an operation, which is an operationId or `POST /orders`."""
    request = _documented(app.contract, "callback", name, method, operation)
    _check(app.contract, request, body, media_type)


def _documented(
    contract: Contract, kind: Kind, name: str, method: str, operation: str = ""
) -> OutgoingRequest:
    """Return the request of a webhook, or of a callback of an operation. Raises LookupError with those that there are."""
    of_kind = [one for one in outgoing_requests(contract) if one.kind == kind]
    for one in of_kind:
        owners = ("",) if one.operation is None else (one.operation.id, str(one.operation))
        if (one.name, one.method) == (name, method.lower()) and operation in owners:
            return one
    of = f" of {operation}" if operation else ""
    known = "; ".join(map(str, of_kind)) or "none"
    raise LookupError(f"the contract has no {method.upper()} of the {kind} '{name}'{of}; it has {known}")


def _check(contract: Contract, request: OutgoingRequest, body: Any, media_type: str) -> None:
    """Raise AssertionError with all violations, and SetupError for a schema that cannot be compiled."""
    schema = media.find(media_type, media.by_name(request.content))
    if schema is None:
        known = ", ".join(request.content) or "none"
        raise LookupError(f"{request} has no body of {media_type}; it has {known}")
    compiler = SchemaCompiler(contract)
    validator = compiler.compile(schema, "request", request.pointer)
    if validator is None:
        raise SetupError(compiler.take_problems())
    if violations := validator.violations(body):
        raise AssertionError("\n".join(f"{one.path or '/'}: {one.message}" for one in violations))
