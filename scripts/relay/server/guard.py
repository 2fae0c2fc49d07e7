"""The outermost guard: limits on what comes in, one shape for everything that fails.

Nothing raised behind it reaches the ASGI server, and no answer leaves without its request's id.
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

from relay.validation.errors import ApiError
from relay.validation.http import ALWAYS, Answer, HeaderList, is_field

from .errors import (
    AmbiguousHost,
    BodyIncomplete,
    BodyTooLarge,
    BodyTooSlow,
    ErrorReport,
    HeadersTooLarge,
    Overloaded,
    RenderError,
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
"""How much of an answer is handed on at once; the rest waits here for a client that takes it slowly."""

# RFC 3986 section 3.2.2, and a port; what a comma, a space or a user's name stands in is meant to mislead.
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(:[0-9]{0,5})?")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ids = random.Random()  # noqa: S311 -- ids are told apart, not guarded; seeded by the system, without a call of it for each
_INTERNAL = ErrorReport(ApiError.status, ApiError.code, ApiError.message)


class Guard:
    """Wraps an ASGI application: gives each request its id and each failure its envelope.

    Past `limit` requests in flight one more is refused, unless it asks one of the paths in `exempt`. While
    a client is waited for, to send its body or to take its answer, its request holds no place: a few slow
    clients would fill them all.
    """

    def __init__(
        self,
        app: Any,
        render_error: RenderError,
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
        began = time.perf_counter()
        request_id = _request_id(scope["headers"])
        REQUEST_ID.set(request_id.decode())
        places = 0 if scope["path"] in self._exempt else 1
        status = 0

        async def receive_aside() -> Any:
            self._in_flight -= places
            try:
                message = await receive()
            finally:
                self._in_flight += places
            self._check_places(places)
            return message

        async def send_aside(message: Any) -> None:
            nonlocal status
            is_start = message["type"] == "http.response.start"
            if is_start:
                message["headers"].append((b"x-request-id", request_id))
            self._in_flight -= places
            try:
                await send(message)
            finally:
                self._in_flight += places
            if is_start:
                status = message["status"]

        self._in_flight += places
        try:
            self._check_places(places)
            check_head(scope)
            await self._app(scope, receive_aside, send_aside)
        except BaseException as exc:
            if is_cancelled():
                raise  # the server ends the request; anything else, whatever it is, gets an answer
            self._observer.failed(exc, scope)
            if not status:
                await send_answer(send_aside, self._answer(exc))
        finally:
            self._in_flight -= places
            if status:
                self._observer.answered(scope, status, time.perf_counter() - began)

    def _check_places(self, places: int) -> None:
        """Raise Overloaded where there is no place, or none any more after a wait."""
        if places and self._in_flight > self._limit:
            raise Overloaded({"retry-after": "1"})

    def _answer(self, exc: BaseException) -> Answer:
        """Render a failure; a renderer that fails itself must not cost the client its answer."""
        known = report(exc)
        found = known or _INTERNAL
        try:
            # Another library's exception may carry an upstream's headers, cookies included.
            headers = _encoded(getattr(exc, "headers", {})) if known else []
            body, media_type = self._render_error(found)
            written = orjson.dumps(body)
        except Exception:  # noqa: BLE001 -- as above
            _log.exception("the package's failure cannot be rendered")
            return Answer(500, list(ALWAYS), b"")
        return Answer(found.status, [(b"content-type", media_type.encode()), *headers, *ALWAYS], written)


def check_head(scope: Any) -> None:
    """Raise AmbiguousHost without exactly one valid Host, HeadersTooLarge past the limits."""
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

    Raises BodyTooLarge past `limit` bytes, BodyTooSlow when it is not there after BODY_SECONDS,
    BodyIncomplete when the client goes away before.
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
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyIncomplete  # what is there may look like a whole one
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge({"connection": "close"})
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def send_answer(send: Any, answer: Answer) -> None:
    """Send a whole answer; one without a body has neither type nor length of it (RFC 9110 section 8.6)."""
    headers = [*answer.headers]
    if answer.body or answer.status not in (204, 304):
        length = len(answer.body) + sum(map(len, answer.more))
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    last = answer.body
    if answer.more or len(last) > SEND_BYTES:
        for piece in _pieces(answer):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        last = b""
    await send({"type": "http.response.body", "body": last})


def _pieces(answer: Answer) -> Iterator[bytes]:
    for part in (answer.body, *answer.more):
        for start in range(0, len(part), SEND_BYTES):
            yield part[start : start + SEND_BYTES]


def _request_id(headers: HeaderList) -> bytes:
    """Return the id that a proxy gave the request, or a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value
    return b"%032x" % _ids.getrandbits(128)


def _encoded(headers: Mapping[str, str]) -> HeaderList:
    """Return a failure's headers as bytes; raise ValueError for what is none."""
    lines = {name.lower(): value for name, value in headers.items()}
    if not all(is_field(name, value) for name, value in lines.items()):
        raise ValueError("a failure's headers are none that can be sent")
    return [(name.encode(), value.encode("latin-1")) for name, value in lines.items()]
