"""The items of a request body, read from the socket as the handler asks for them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from typing import Any, Self

from relay.validation.errors import InvalidRequest
from relay.validation.item_content import ItemDecoder
from relay.validation.item_reading import ItemTooLarge, ReadItem
from relay.validation.json_strict import Malformed
from relay.validation.violations import malformed

from .errors import BodyTooLarge

_AT_ONCE = 64
"""Items that are decoded together, if so many have arrived."""

_CLOSE = {"connection": "close"}  # what is left of the body is not read


class ItemBody:
    """Validated items of the last piece, for `async for`, or `for` in a thread. Raises InvalidRequest."""

    def __init__(
        self,
        next_piece: Callable[[], Awaitable[bytes | None]],
        decoder: ItemDecoder,
        content_type: str,
        limit: int,
    ) -> None:
        self._item_began = 0.0
        self._waits_for_client = False
        self._next_piece = next_piece
        self._decoder = decoder
        self._number = 0
        self._ready: deque[Any] = deque()
        self._failure: Exception | None = None
        self._ended = asyncio.Event()
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._waiting: concurrent.futures.Future[list[Any]] | None = None
        self._is_closed = False
        try:
            self._splitter = decoder.splitter(content_type, limit)
        except Malformed as exc:
            raise _malformed(exc, "") from None
        self._arrived: Iterator[ReadItem] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if not self._ready:
            self._ready.extend(await self._batch())
        return self._popped(StopAsyncIteration)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if not self._ready:
            self._ready.extend(self._batch_in_thread())
        return self._popped(StopIteration)

    def close(self) -> None:
        """End the iterator when the request has ended, also for a thread that still waits for an item."""
        self._is_closed = True
        self._ready.clear()
        if self._waiting is not None:
            self._waiting.cancel()

    def item_began(self, began: float) -> float:
        """Return when the time for an item began, after a call that `began`; it stands still for the client."""
        return time.monotonic() if self._waits_for_client else max(began, self._item_began)

    async def end(self) -> None:
        """Wait until the body was read."""
        await self._ended.wait()

    def _popped(self, end: type[Exception]) -> Any:
        if not self._ready:
            raise end
        self._item_began = time.monotonic()
        return self._ready.popleft()

    def _batch_in_thread(self) -> list[Any]:
        """Return the next items. Raises RuntimeError in the event loop, which would stand still."""
        if threading.get_ident() == self._thread:
            raise RuntimeError("an async function reads the items of its body with `async for`")
        self._waiting = asyncio.run_coroutine_threadsafe(self._batch(), self._loop)
        try:
            return self._waiting.result()
        except concurrent.futures.CancelledError:
            raise RuntimeError("the request has ended") from None
        finally:
            self._waiting = None

    async def _batch(self) -> list[Any]:
        if self._is_closed:
            raise RuntimeError("the request has ended")
        try:
            return await self._items()
        except Exception:
            self._ended.set()
            raise

    async def _items(self) -> list[Any]:
        while not self._ended.is_set():
            if found := self._decoded():
                return found
            if self._failure is not None:
                raise self._failure
            piece = await self._received()
            self._arrived = self._splitter.feed(piece) if piece is not None else self._last()
        return []

    async def _received(self) -> bytes | None:
        self._waits_for_client = True
        try:
            return await self._next_piece()
        finally:
            self._waits_for_client = False
            self._item_began = time.monotonic()

    def _last(self) -> Iterator[ReadItem]:
        yield from self._splitter.end()
        self._ended.set()

    def _decoded(self) -> list[Any]:
        """Decode some of what has arrived; what fails is raised after the items before it."""
        found: list[Any] = []
        try:
            for item in islice(self._arrived, _AT_ONCE):
                value, violations = self._decoder.decode(item, self._number)
                if violations:
                    self._failure = InvalidRequest(violations).with_headers(_CLOSE)
                    break
                found.append(value)
                self._number += 1
        except ItemTooLarge:
            self._failure = BodyTooLarge(_CLOSE)
        except ValueError as exc:
            self._failure = _malformed(exc, f"/{self._number}")
        if self._failure is not None:
            self._arrived = iter(())
        return found


class ReceiveAfterItems:
    """A `receive` for what watches the client: it leaves the body to the handler, and waits until that was read."""

    def __init__(self, receive: Callable[[], Awaitable[Any]], body: ItemBody) -> None:
        self.item_began = body.item_began
        self._receive = receive
        self._body = body

    async def __call__(self) -> Any:
        """Return the next message after the body."""
        await self._body.end()
        return await self._receive()


def _malformed(exc: ValueError, path: str) -> InvalidRequest:
    return InvalidRequest([malformed(exc, "the items are malformed", path)]).with_headers(_CLOSE)
