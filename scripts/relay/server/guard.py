"""The outermost ASGI layer: limits on requests, and one format for all errors.

No exception raised inside it reaches the ASGI server, and every response has the id of its request.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from relay.validation import media_types as media
from relay.validation.errors import ApiError
from relay.validation.http import ALWAYS, OPERATION, RECEIVE, HeaderList, Response, is_field

from .errors import (
    AmbiguousHost,
    BodyIncomplete,
    BodyTooLarge,
    BodyTooSlow,
    ClientDisconnected,
    ErrorReport,
    HeadersTooLarge,
    Overloaded,
    RenderOperationError,
    report,
)
from .lifespan import is_cancelled
from .logs import REQUEST_ID
from .observability import Observer

_log = logging.getLogger("relay")

MAX_HEADERS = 100
MAX_HEAD_BYTES = 32 * 1024  # of path, query and headers
BODY_SECONDS = 10.0
SEND_BYTES = 64 * 1024
"""Largest piece of a response body that is passed to the server at once; slow clients get the rest later."""

# RFC 3986 section 3.2.2, with a port; commas, spaces and user names are rejected because they are used in attacks.
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(:[0-9]{0,5})?")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ids = random.Random()  # noqa: S311 -- ids must be unique, not secret; one seed from the system saves a system call for each
_INTERNAL = ErrorReport(ApiError.status, ApiError.code, ApiError.message)


class Guard:
    """Wraps an ASGI application: adds the request id and converts exceptions to error responses.

    If `limit` requests are in flight, further ones are rejected, except on the paths in `exempt`. A request
    does not count while it waits for its client to send the body or to receive the response; otherwise a
    few slow clients could use up the limit.
    """

    def __init__(
        self,
        app: Any,
        render_error: RenderOperationError,
        observer: Observer,
        *,
        limit: int,
        exempt: Collection[str] = (),
    ) -> None:
        self._app = app
        self._render_error = render_error
        self._observer = observer
        self._limit = limit
        self._exempt = frozenset(exempt)
        self._in_flight = 0
        if observer.metrics is not None:
            observer.metrics.in_flight.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or run the lifespan (ASGI 3)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Any, receive: Any, send: Any) -> None:
        started = time.perf_counter()
        request_id = _request_id(scope["headers"])
        REQUEST_ID.set(request_id.decode())
        scope[RECEIVE] = receive
        slots = 0 if scope["path"] in self._exempt else 1
        status = 0

        async def receive_uncounted() -> Any:
            self._in_flight -= slots
            try:
                message = await receive()
            finally:
                self._in_flight += slots
            self._check_limit(slots)
            return message

        async def send_uncounted(message: Any) -> None:
            nonlocal status
            is_start = message["type"] == "http.response.start"
            if is_start:
                others = [one for one in message["headers"] if one[0] != b"x-request-id"]
                message["headers"] = [*others, (b"x-request-id", request_id)]  # the log's, not a handler's
            self._in_flight -= slots
            try:
                await send(message)
            finally:
                self._in_flight += slots
            if is_start:
                status = message["status"]

        self._in_flight += slots
        try:
            self._check_limit(slots)
            check_head(scope)
            await self._app(scope, receive_uncounted, send_uncounted)
        except BaseException as exc:
            if is_cancelled():
                raise  # the server ends the request; every other exception gets a response
            if isinstance(exc, ClientDisconnected):
                status = exc.status
                return
            self._observer.failed(exc, scope)
            if not status:
                await send_response(send_uncounted, self._error_response(exc, scope.get(OPERATION)))
        finally:
            self._in_flight -= slots
            if status:
                self._observer.answered(scope, status, time.perf_counter() - started)

    def _check_limit(self, slots: int) -> None:
        """Raise Overloaded if the limit is exceeded, at the start or after waiting for the client."""
        if slots and self._in_flight > self._limit:
            raise Overloaded({"retry-after": "1"})

    def _error_response(self, exc: BaseException, operation: str | None) -> Response:
        """Render an error of an operation; if the package's renderer fails, return a 500 without a body."""
        known = report(exc)
        found = known or _INTERNAL
        try:
            # The exception of another library may have the headers of an upstream response, such as cookies.
            headers = _encoded(getattr(exc, "headers", {})) if known else []
            body, media_type = self._render_error(found, operation)
            is_text = isinstance(body, str) and media.essence(media_type).startswith("text/")
            written = body.encode() if is_text else orjson.dumps(body)
        except Exception:  # noqa: BLE001 -- the client gets a response in any case
            _log.exception("the package's failure cannot be rendered")
            return Response(500, list(ALWAYS), b"")
        return Response(found.status, [(b"content-type", media_type.encode()), *headers, *ALWAYS], written)


def check_head(scope: Any) -> None:
    """Raise AmbiguousHost unless there is exactly one valid Host, HeadersTooLarge over the limits."""
    headers: HeaderList = scope["headers"]
    size = len(scope["path"]) + len(scope["query_string"])
    hosts: list[bytes] = []
    for name, value in headers:
        size += len(name) + len(value)
        if name == b"host":
            hosts.append(value)
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise AmbiguousHost
    if len(headers) > MAX_HEADERS or size > MAX_HEAD_BYTES:
        raise HeadersTooLarge({"connection": "close"})


async def read_body(scope: Any, receive: Any, limit: int) -> bytes:
    """Return the request's body, chunked or not.

    Raises BodyTooLarge over `limit` bytes, BodyTooSlow after BODY_SECONDS, BodyIncomplete if the client
    disconnects first.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _whole_body(scope, receive, limit)
    except TimeoutError as exc:
        raise BodyTooSlow({"connection": "close"}) from exc


async def _whole_body(scope: Any, receive: Any, limit: int) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > limit:
            raise BodyTooLarge({"connection": "close"})
    body = bytearray()  # a list of pieces of one byte would take ten times the body
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyIncomplete  # a truncated body may look complete
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLarge({"connection": "close"})
        if not message.get("more_body", False):
            return bytes(body)


async def send_response(send: Any, response: Response) -> None:
    """Send a response; 204 and 304 have no Content-Length (RFC 9110 section 8.6)."""
    headers = [*response.headers]
    if response.body or response.status not in (204, 304):
        length = len(response.body) + sum(map(len, response.more))
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    last = response.body
    if response.more or len(last) > SEND_BYTES:
        for piece in _pieces(response):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        last = b""
    await send({"type": "http.response.body", "body": last})


def _pieces(response: Response) -> Iterator[bytes]:
    for part in (response.body, *response.more):
        for start in range(0, len(part), SEND_BYTES):
            yield part[start : start + SEND_BYTES]


def _request_id(headers: HeaderList) -> bytes:
    """Return the request id set by a proxy, or a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value
    return b"%032x" % _ids.getrandbits(128)


def _encoded(headers: Mapping[str, str]) -> HeaderList:
    """Return an error's headers as bytes; raise ValueError for an invalid header."""
    lines = {name.lower(): value for name, value in headers.items()}
    if not all(is_field(name, value) for name, value in lines.items()):
        raise ValueError("the error has invalid headers")
    return [(name.encode(), value.encode("latin-1")) for name, value in lines.items()]
