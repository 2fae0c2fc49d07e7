"""Ends a handler that takes too long, or whose client has disconnected."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from .errors import ClientDisconnected, HandlerTimeout

T = TypeVar("T")
Receive = Callable[[], Awaitable[Any]]

TICK = 0.1
"""Seconds; what runs for one to two ticks is watched from then on. Most handlers return before that."""


class Deadline:
    """Limits functions of a package to `seconds` (0: none), by one timer, as a task for each costs more."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._tick = min(TICK, seconds / 2) if seconds else TICK
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that the timer runs in
        self._new: dict[_Call, None] = {}  # began since the last tick
        self._old: dict[_Call, None] = {}  # began before the last tick

    async def run(self, work: Awaitable[T], receive: Receive | None = None) -> T:
        """Return the result of `work`.

        With `receive`, the client is watched; the body of its request must have been read. Raises HandlerTimeout
        after the time, which begins again with each item that `work` reads of a body, ClientDisconnected if the
        client disconnects, both after `work` was cancelled and has ended, and every exception of `work`.
        """
        call = _Call(receive)
        if self._loop is not call.loop:  # also in the next event loop of an application that outlives one
            self._loop = call.loop
            self._new, self._old = {}, {}
            call.loop.call_later(self._tick, self._watch_old, call.loop)
        self._new[call] = None
        try:
            return await work
        except asyncio.CancelledError:
            if call.error is None or call.task.cancelling() > 1:
                raise  # somebody else cancelled the request
            raise call.error from None
        finally:
            if self._new.pop(call, self) is self:  # a tick has passed
                self._old.pop(call, None)
                call.stop()

    def _watch_old(self, loop: asyncio.AbstractEventLoop) -> None:
        for call in self._old:
            call.watcher = asyncio.create_task(call.watch(self._seconds))
        self._old, self._new = self._new, {}
        if self._old:
            loop.call_later(self._tick, self._watch_old, loop)
        else:
            self._loop = None


class _Call:
    """A call in progress; `error` says why it was cancelled."""

    __slots__ = ("_receive", "_started", "error", "loop", "task", "watcher")

    def __init__(self, receive: Receive | None) -> None:
        self.loop = asyncio.get_running_loop()
        task = asyncio.current_task(self.loop)
        assert task is not None
        self.task = task
        self.error: HandlerTimeout | ClientDisconnected | None = None
        self._receive = receive
        self._started = time.monotonic()
        self.watcher: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Stop watching; take a cancellation back, so that a response can be sent."""
        if self.watcher is not None:
            self.watcher.cancel()
        if self.error is not None:
            self.task.uncancel()

    async def watch(self, seconds: float) -> None:
        """Cancel the call if it takes more than `seconds` (0: any), or if its client disconnects."""
        while self.error is None:
            try:
                async with asyncio.timeout(self._left(seconds)):
                    await _disconnected(self._receive)
                self.error = ClientDisconnected()
            except TimeoutError:
                if (left := self._left(seconds)) is None or left <= 0:
                    self.error = HandlerTimeout()
        self.task.cancel()

    def _left(self, seconds: float) -> float | None:
        """Return how many of its seconds a call has left; None for any number."""
        item_began = getattr(self._receive, "item_began", None)
        started = self._started if item_began is None else item_began(self._started)
        return started + seconds - time.monotonic() if seconds else None


async def _disconnected(receive: Receive | None) -> None:
    """Wait until the client disconnects; for ever if the server does not say so."""
    with suppress(Exception):  # of another server or a middleware, whose failure must not end the deadline
        while receive is not None:
            if (await receive())["type"] == "http.disconnect":
                return
    await asyncio.Event().wait()
