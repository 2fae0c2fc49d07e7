"""Responses that are sent in pieces as they are made, never held in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple, Protocol

from relay.validation.errors import ResponseViolation
from relay.validation.http import RECEIVE, HeaderList
from relay.validation.items import Items, ItemViolation, write_item
from relay.validation.json_writing import bytes_of

from .deadline import Deadline
from .sending import cut
from .threads import Threads

END: Any = object()
"""What follows the last piece."""

Report = Callable[[ItemViolation, Any], None]
"""Records the violation of an item that is sent nevertheless; gets the scope of the request, too."""


class Pieces(Protocol):
    """The pieces of a body, in order."""

    async def next(self) -> Any:
        """Return the next piece; END after the last."""

    async def close(self) -> None:
        """Release what the pieces are made of; a second call does nothing."""


class AsyncPieces:
    """The pieces of an async iterator; closing one that is a generator runs its `finally`."""

    def __init__(self, iterable: AsyncIterable[Any]) -> None:
        self._iterator: AsyncIterator[Any] = aiter(iterable)

    async def next(self) -> Any:
        """Return the next piece; END after the last."""
        return await anext(self._iterator, END)

    async def close(self) -> None:
        """Close the iterator, if it can be closed."""
        if (close := getattr(self._iterator, "aclose", None)) is not None:
            await close()


class PlainPieces:
    """The pieces of a plain iterator, which runs in a thread, so it may block."""

    def __init__(self, iterator: Iterator[Any], threads: Threads) -> None:
        self._iterator = iterator
        self._threads = threads
        self._turn = threading.Lock()
        self._is_running = False

    async def next(self) -> Any:
        """Return the next piece; END after the last."""
        self._is_running = True
        piece = await self._threads.run(lambda: self._locked(next, self._iterator, END))
        self._is_running = False
        return piece

    async def close(self) -> None:
        """Close the iterator, if it can be closed; one whose thread is still busy is closed when that is done."""
        close = getattr(self._iterator, "close", lambda: None)
        closing = self._threads.start(lambda: self._locked(close))
        if not self._is_running:
            await closing

    def _locked(self, step: Callable[..., Any], *arguments: Any) -> Any:
        with self._turn:
            return step(*arguments)


class Stream(NamedTuple):
    """An iterator that a handler returned, begun so that what it raises becomes an error response."""

    pieces: Pieces
    first: Any

    @classmethod
    async def begun(cls, iterator: AsyncIterable[Any] | Iterator[Any], threads: Threads) -> Stream:
        """Make the first piece. Raises what the iterator raises."""
        pieces: Pieces = (
            AsyncPieces(iterator) if isinstance(iterator, AsyncIterable) else PlainPieces(iterator, threads)
        )
        try:
            return cls(pieces, await pieces.next())
        except BaseException:
            await pieces.close()
            raise


class WrittenStream:
    """The pieces of a stream as bytes: pieces of bytes and text as they are, items as their media type says.

    `first` is the first piece; None if there is none. With `report`, a violation of a later item is reported,
    and the item is sent.
    """

    def __init__(
        self, stream: Stream, items: Items | None, report: Report | None, *, is_validated: bool
    ) -> None:
        self.pieces = stream.pieces
        self._items = items
        self._report = report
        self._number = 0
        self.first = None if stream.first is END else self._bytes(stream.first, is_validated=is_validated)

    def write(self, piece: Any, scope: Any) -> bytes:
        """Return the next piece as bytes, for the request of a scope. Raises ResponseViolation."""
        self._number += 1
        try:
            return self._bytes(piece)
        except ItemViolation as violation:
            if self._report is None:
                raise
            self._report(violation, scope)
            return self._bytes(piece, is_validated=False)

    def end(self) -> bytes:
        """Return what follows the last piece."""
        return b"" if self._items is None else self._items.end()

    def _bytes(self, piece: Any, *, is_validated: bool = True) -> bytes:
        if self._items is not None:
            return write_item(self._items, piece, self._number, is_validated=is_validated)
        if (content := bytes_of(piece)) is not None:
            return content
        message = f"a stream must be made of bytes or text, not of {type(piece).__name__}"
        raise ResponseViolation.at("", "type", message)


class StreamedResponse:
    """A response in pieces; `watch` ends it when its client leaves, `pace` when a piece takes too long."""

    def __init__(
        self, status: int, headers: HeaderList, stream: WrittenStream, *, watch: Deadline, pace: Deadline
    ) -> None:
        self.status, self.headers = status, headers
        self._stream, self._watch, self._pace = stream, watch, pace

    async def send(self, scope: Any, send: Any) -> None:
        """Send the response, to HEAD without its body.

        Raises what the iterator raises, ResponseViolation, ClientDisconnected and HandlerTimeout, so that the body
        has no end.
        """
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._watch.run(self._send_pieces(scope, send), scope.get(RECEIVE))
        finally:
            await self._stream.pieces.close()

    async def follow(self) -> None:
        """Do nothing: nothing follows."""

    async def _send_pieces(self, scope: Any, send: Any) -> None:
        piece = self._stream.first
        while piece is not None:
            for part in cut(piece):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0)  # an iterator that never waits would stop all other requests
            piece = await self._next(scope)
        await send({"type": "http.response.body", "body": self._stream.end()})

    async def _next(self, scope: Any) -> bytes | None:
        piece = await self._pace.run(self._stream.pieces.next())
        return None if piece is END else self._stream.write(piece, scope)
