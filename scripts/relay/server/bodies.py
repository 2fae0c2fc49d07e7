"""Reads the bodies of requests."""

from __future__ import annotations

import asyncio
from typing import Any

from .errors import BodyIncomplete, BodyTooLarge, BodyTooSlow

BODY_SECONDS = 10.0


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


def replayed(body: bytes, receive: Any) -> Any:
    """Return a `receive` whose first message is a body that was read already."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Any:
        return messages.pop() if messages else await receive()

    return receive_again


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
