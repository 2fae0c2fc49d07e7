"""Sends responses: those in memory, and those in pieces as they are made."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, Union

from relay.validation.errors import ResponseViolation
from relay.validation.http import ALWAYS, BODILESS, RECEIVE, HeaderList, Response
from relay.validation.items import Items, ItemViolation, write_item
from relay.validation.json_writing import bytes_of

from .deadline import Deadline
from .threads import Threads

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


END: Any = object()
"""The text after the last piece."""

Report = Callable[[ItemViolation, Any], None]
"""Records the violation of an item that is sent nevertheless; gets the scope of the request, too."""


def taking_turns() -> Callable[..., Any]:
    """Return a function that calls others in turn, in any threads: what is read is not closed meanwhile."""
    turn = threading.Lock()

    def locked(step: Callable[..., Any], *arguments: Any) -> Any:
        with turn:
            return step(*arguments)

    return locked


async def _in_threads(iterator: Iterator[Any], threads: Threads) -> AsyncIterator[Any]:
    """Yield the pieces of a plain iterator, which may block; one whose thread is busy is closed when that is done."""
    locked, is_busy = taking_turns(), True
    try:
        while (piece := await threads.run(lambda: locked(next, iterator, END))) is not END:
            is_busy = False
            yield piece
            is_busy = True
        is_busy = False
    finally:
        closing = threads.start(lambda: locked(getattr(iterator, "close", lambda: None)))
        if not is_busy:
            await closing


class Stream(NamedTuple):
    """The pieces of a body; the first is made already, so that what their iterator raises becomes an error response."""

    pieces: AsyncIterator[Any]
    first: Any

    @classmethod
    async def begun(cls, iterator: AsyncIterable[Any] | Iterator[Any], threads: Threads) -> Stream:
        """Make the first piece of a plain iterator in a thread. Raises what the iterator raises."""
        pieces = aiter(iterator) if isinstance(iterator, AsyncIterable) else _in_threads(iterator, threads)
        stream = cls(pieces, None)
        try:
            return stream._replace(first=await stream.next())
        except BaseException:
            await stream.close()
            raise

    async def next(self) -> Any:
        """Return the next piece; END after the last."""
        return await anext(self.pieces, END)

    async def close(self) -> None:
        """Close the iterator, if it can be closed; this runs the `finally` of a generator."""
        if (close := getattr(self.pieces, "aclose", None)) is not None:
            await close()


class Streaming(NamedTuple):
    """How streams are sent: `watch` is for clients that leave, `pace` for pieces, `report` for wrong items."""

    watch: Deadline
    pace: Deadline
    report: Report | None


class StreamedResponse:
    """A response in pieces: bytes and text as they are, items as their media type says. Raises ResponseViolation for the first."""

    def __init__(
        self,
        head: tuple[int, HeaderList, Items | None],
        stream: Stream,
        streaming: Streaming,
        *,
        is_validated: bool,
    ) -> None:
        self.status, self.headers, self._items = head
        self._stream = stream
        self._watch, self._pace, self._report = streaming
        self._number = 0
        self._first = None if stream.first is END else self._bytes(stream.first, is_validated=is_validated)

    async def send(self, scope: Any, send: Any) -> None:
        """Send the response, to HEAD without its body; what is raised on the way leaves it without an end."""
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._watch.run(self._send_pieces(scope, send), scope.get(RECEIVE))
        finally:
            await self._stream.close()

    async def follow(self) -> None:
        """Do nothing: nothing follows."""

    async def _send_pieces(self, scope: Any, send: Any) -> None:
        written = self._first
        while written is not None:
            for part in cut(written):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0)  # an iterator that never waits would stop all other requests
            piece = await self._pace.run(self._stream.next())
            written = None if piece is END else self._write(piece, scope)
        end = b"" if self._items is None else self._items.end()
        await send({"type": "http.response.body", "body": end})

    def _write(self, piece: Any, scope: Any) -> bytes:
        self._number += 1
        try:
            return self._bytes(piece)
        except ItemViolation as violation:
            if self._report is None:
                raise
            self._report(violation, scope)
            return self._bytes(piece, is_validated=False)

    def _bytes(self, piece: Any, *, is_validated: bool = True) -> bytes:
        if self._items is not None:
            return write_item(self._items, piece, self._number, is_validated=is_validated)
        if (content := bytes_of(piece)) is not None:
            return content
        message = f"a stream must be made of bytes or text, not of {type(piece).__name__}"
        raise ResponseViolation.at("", "type", message)
