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

from relay.contract_tests.outgoing_checks import documented_request, outgoing_violations
from relay.contract_tests.recorder import Recorder
from relay.server.token_minting import check_signable, longest_life, mint
from relay.validation.item_reading import read_items
from relay.validation.media_types import kind_of_items

if TYPE_CHECKING:
    from relay.server.app import Application
    from relay.validation.violations import Violation

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
    kind = kind_of_items(media_type)
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
    request = documented_request(app.contract, "webhook", name, method)
    _assert_none(outgoing_violations(app.contract, request, body, media_type))


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
    request = documented_request(app.contract, "callback", name, method, operation)
    _assert_none(outgoing_violations(app.contract, request, body, media_type))


def _assert_none(violations: list[Violation]) -> None:
    if violations:
        raise AssertionError("\n".join(f"{one.path or '/'}: {one.message}" for one in violations))
