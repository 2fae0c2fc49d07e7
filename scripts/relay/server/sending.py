"""Sends responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relay.validation.http import Response

SEND_BYTES = 64 * 1024
"""Largest piece of a response body that is passed to the server at once; slow clients get the rest later."""


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


def headers_only(send: Any) -> Any:
    """Return a `send` that drops bodies, for the response to HEAD (RFC 9110 section 9.3.2)."""

    async def send_without_body(message: Any) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_without_body


def _pieces(response: Response) -> Iterator[bytes]:
    for part in (response.body, *response.more):
        for start in range(0, len(part), SEND_BYTES):
            yield part[start : start + SEND_BYTES]
