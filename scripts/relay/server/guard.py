"""The outermost ASGI layer: limits, ids, and one format for all errors; no exception leaves it."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterable
from itertools import chain
from typing import Any

from relay.validation.http import RECEIVE, HeaderList

from .cors import Cors
from .error_responses import ErrorResponses
from .errors import AmbiguousHost, ClientDisconnected, HeadersTooLarge, Overloaded
from .lifespan import is_cancelled
from .logs import REQUEST_ID
from .scope_keys import CONNECTION, PROGRESS, Progress
from .sending import send_response

MAX_HEADERS = 100
MAX_HEAD_BYTES = 32 * 1024  # of path, query and headers

# RFC 3986 section 3.2.2, with a port; commas, spaces and user names are rejected because they are used in attacks.
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(:[0-9]{0,5})?")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ids = random.Random()  # noqa: S311 -- ids must be unique, not secret; one seed from the system saves a system call for each


class Guard:
    """Wraps an ASGI application: adds the request id and converts exceptions to error responses.

    If `limit` requests are in flight, further ones are rejected, except on the paths in `exempt`. A request
    does not count while it waits for its client to send the body or to receive the response; otherwise a
    few slow clients could use up the limit. A stream does not count from its first piece on: it waits for
    its client, or for something to send.
    """

    def __init__(
        self,
        app: Any,
        *,
        errors: ErrorResponses,
        limit: int,
        exempt: Iterable[str] = (),
        cors: Cors | None = None,
    ) -> None:
        self._app = app
        self._errors = errors
        self._observer = observer = errors.observer
        self._limit = limit
        self._cors = cors
        self._exempt = frozenset(exempt)
        self._in_flight = 0
        if observer.metrics is not None:
            observer.metrics.in_flight.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request (ASGI 3)."""
        # One function: receiving and sending share the request's slots, and an object for each request takes longer.
        started = time.perf_counter()
        request_id = _request_id(scope["headers"])
        REQUEST_ID.set(request_id.decode())
        scope[RECEIVE] = receive
        slots = 0 if scope["path"] in self._exempt else 1
        scope[PROGRESS] = progress = Progress()

        async def receive_uncounted() -> Any:
            counted = slots
            self._in_flight -= counted
            try:
                message = await receive()
            finally:
                self._in_flight += counted
            self._check_limit(slots)
            return message

        async def send_uncounted(message: Any) -> None:
            nonlocal slots
            is_start, counted = message["type"] == "http.response.start", slots
            if is_start:
                message["headers"] = self._completed(message["headers"], request_id, scope)
            self._in_flight -= counted
            try:
                await send(message)
            finally:
                self._in_flight += counted
            if is_start:
                progress.status = message["status"]
            elif message.get("more_body"):
                self._in_flight -= slots
                slots = 0
            else:
                progress.is_complete = True
                if (connection := scope.get(CONNECTION)) is not None and connection.is_lost:
                    # The client had left: uvicorn drops what is sent then, and raises nothing.
                    progress.failed = ClientDisconnected.status

        self._in_flight += slots
        try:
            self._check_limit(slots)
            check_head(scope)
            await self._app(scope, receive_uncounted, send_uncounted)
        except BaseException as exc:
            if is_cancelled():
                raise  # the server ends the request; every other exception gets a response
            await self._fail(exc, scope, send_uncounted)
        finally:
            self._in_flight -= slots
            if status := progress.failed or progress.status:
                self._observer.answered(scope, status, time.perf_counter() - started)

    async def _fail(self, exc: BaseException, scope: Any, send: Any) -> None:
        """Record an exception, and send its response unless one has begun."""
        progress: Progress = scope[PROGRESS]
        if isinstance(exc, ClientDisconnected):
            progress.failed = exc.status
            return
        response = self._errors.of(exc, scope)
        if not progress.status:
            await send_response(send, response)

    def _completed(self, headers: HeaderList, request_id: bytes, scope: Any) -> HeaderList:
        """Return a response's headers with the id that the log has, in place of a handler's, and with CORS."""
        if b"x-request-id" in dict(headers):
            headers = [one for one in headers if one[0] != b"x-request-id"]
        cors = self._cors.response_headers(scope["headers"]) if self._cors else ()
        return [*headers, (b"x-request-id", request_id), *cors]

    def _check_limit(self, slots: int) -> None:
        if slots and self._in_flight > self._limit:
            raise Overloaded({"retry-after": "1"})


def check_head(scope: Any) -> None:
    """Raise AmbiguousHost unless there is exactly one valid Host, HeadersTooLarge over the limits."""
    headers: HeaderList = scope["headers"]
    size = len(scope["path"]) + len(scope["query_string"]) + sum(map(len, chain.from_iterable(headers)))
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise AmbiguousHost
    if len(headers) > MAX_HEADERS or size > MAX_HEAD_BYTES:
        raise HeadersTooLarge({"connection": "close"})


def _request_id(headers: HeaderList) -> bytes:
    """Return the request id set by a proxy, the first of several, or a new one."""
    if b"x-request-id" in dict(headers):
        sent = [value for name, value in headers if name == b"x-request-id" and _REQUEST_ID.fullmatch(value)]
        if sent:
            return sent[0]
    return b"%032x" % _ids.getrandbits(128)
