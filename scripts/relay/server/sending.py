"""Sends responses, in memory or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, Union

from relay.validation.http import ALWAYS, BODILESS, HeaderList, Response

SEND_BYTES = 64 * 1024
"""Largest piece of a response that is passed to the server at once; slow clients get the rest later."""


class Sendable(Protocol):
    """A response that sends itself, as its body is not in memory or something follows it."""

    status: int
    headers: HeaderList

    async def send(self, scope: Any, send: Any) -> None:
        """Send the response to the request of a scope, to HEAD without its body."""

    async def follow(self) -> None:
        """Do what follows, when the response was sent."""


Outgoing: TypeAlias = Union[Response, Sendable]  # noqa: UP007 -- a type at run time


def add_defaults(headers: HeaderList) -> None:
    """Add the headers of every response, unless the handler has set them."""
    if len(headers) == 1:  # the media type
        headers.extend(ALWAYS)
        return
    names = {name for name, _ in headers}
    headers.extend(line for line in ALWAYS if line[0] not in names)


async def send_outgoing(scope: Any, send: Any, response: Outgoing) -> None:
    """Send a response of any kind."""
    if isinstance(response, Response):
        await send_response(send, response)
    else:
        await response.send(scope, send)
        await response.follow()


@dataclass(slots=True)
class LastHeld:
    """A `send` that keeps the last message of a response until it is released."""

    _send: Any
    _last: Any = None

    async def __call__(self, message: Any) -> None:
        """Send a message, but keep the last one."""
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._last = message
        else:
            await self._send(message)

    async def release(self) -> None:
        """Send the last message."""
        await self._send(self._last)


async def send_response(send: Any, response: Response) -> None:
    """Send a response; 204 and 304 have no Content-Length (RFC 9110 section 8.6)."""
    headers = [*response.headers]
    if response.body or response.status not in BODILESS:
        length = len(response.body) + sum(map(len, response.more))
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    last = response.body
    if response.more or len(last) > SEND_BYTES:
        for piece in cut(response.body, *response.more):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        last = b""
    await send({"type": "http.response.body", "body": last})


def headers_only(send: Any) -> Any:
    """Return a `send` that drops bodies, for the response to HEAD (RFC 9110 section 9.3.2)."""

    async def send_without_body(message: Any) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_without_body


def cut(*parts: bytes) -> Iterator[bytes]:
    """Yield parts of a body in pieces of at most SEND_BYTES."""
    for part in parts:
        for start in range(0, len(part), SEND_BYTES):
            yield part[start : start + SEND_BYTES]
