"""The outermost guard: limits on what comes in, one shape for everything that fails.

Nothing raised behind it reaches the ASGI server, and no answer leaves without the headers that
every answer has.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from .errors import (
    AmbiguousHost,
    BodyTooLarge,
    BodyTooSlow,
    ErrorReport,
    HeadersTooLarge,
    HostError,
    RenderError,
    ResponseViolation,
    report,
)
from .messages import Answer, HeaderList

_log = logging.getLogger("relay")

ALWAYS: HeaderList = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
"""Headers of every answer of the contract's operations, and of every failure."""

MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
BODY_SECONDS = 10.0

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_INTERNAL = ErrorReport(HostError.status, HostError.code, HostError.message)


class Edge:
    """Wraps an ASGI application: gives each request its id and each failure its envelope."""

    def __init__(self, app: Any, render_error: RenderError) -> None:
        self._app = app
        self._render_error = render_error

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        request_id = _request_id(scope["headers"])
        started = False

        async def send_with_id(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
                await send(message)
                started = True
            else:
                await send(message)

        try:
            check_head(scope["headers"])
            await self._app(scope, receive, send_with_id)
        except BaseException as exc:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # the server ends the request; anything else, whatever it is, gets an answer
            log_failure(exc, scope, request_id.decode())
            if not started:
                await send_answer(send_with_id, self._answer(exc))

    def _answer(self, exc: BaseException) -> Answer:
        """Render a failure; a renderer that fails itself must not cost the client its answer."""
        found = report(exc) or _INTERNAL
        try:
            headers = _encoded(getattr(exc, "headers", {}))
            body, media_type = self._render_error(found)
            written = orjson.dumps(body)
        except Exception:  # noqa: BLE001 -- as above
            _log.exception("the package's render_error failed")
            return Answer(500, list(ALWAYS), b"")
        return Answer(found.status, [(b"content-type", media_type.encode()), *headers, *ALWAYS], written)


def log_failure(exc: BaseException, scope: Any, request_id: str) -> None:
    """Tell the log what the client is not told; no query string, no value, no credential."""
    where = f"{scope['method']} {scope['path']!r} request={request_id}"
    if isinstance(exc, ResponseViolation):
        for violation in exc.violations:
            path = violation.path or "/"
            _log.error(
                "response violation: %s: at %r: %s: %s", where, path, violation.rule, violation.message
            )
        return
    found = report(exc)
    if found is None:
        _log.error("unexpected failure: %s", where, exc_info=exc)
    elif found.status >= 500:
        cause = type(exc.__cause__).__name__ if exc.__cause__ else "-"
        _log.error("failed: %s: %s cause=%s", where, found.code, cause)


def check_head(headers: HeaderList) -> None:
    """Raise AmbiguousHost without exactly one Host (RFC 9112 section 3.2), HeadersTooLarge past the limits."""
    if sum(name == b"host" for name, _ in headers) != 1:
        raise AmbiguousHost
    if (
        len(headers) > MAX_HEADERS
        or sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES
    ):
        raise HeadersTooLarge({"connection": "close"})


async def read_body(scope: Any, receive: Any, limit: int) -> bytes:
    """Return the request's body, chunked or not.

    Raises BodyTooLarge past `limit` bytes, BodyTooSlow when it is not there after BODY_SECONDS.
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
            return b"".join(chunks)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge({"connection": "close"})
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def send_answer(send: Any, answer: Answer) -> None:
    """Send a whole answer; one without a body has neither type nor length of it (RFC 9110 section 8.6)."""
    headers = answer.headers
    if answer.body or answer.status not in (204, 304):
        headers = [*headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _request_id(headers: HeaderList) -> bytes:
    """Return the id that a proxy gave the request, or a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value
    return secrets.token_hex(16).encode()


def _encoded(headers: Mapping[str, str]) -> HeaderList:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
