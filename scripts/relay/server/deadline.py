"""Ends a handler that takes too long, or whose client has disconnected."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from .errors import ClientDisconnected, HandlerTimeout

T = TypeVar("T")
Receive = Callable[[], Awaitable[Any]]

WATCH_AFTER = 0.1
"""Seconds after which a task begins to watch; most handlers have returned by then and cost only a timer."""


class Deadline:
    """Runs functions of a package for at most `seconds`; 0 for any time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def run(self, work: Awaitable[T], receive: Receive | None = None) -> T:
        """Return the result of `work`.

        With `receive`, the client is watched; the body of its request must have been read. Raises
        HandlerTimeout after the time, ClientDisconnected if the client disconnects, both after `work` was
        cancelled and has ended, and every exception of `work`.
        """
        watch = _Watch(self._seconds, receive)
        try:
            return await work
        except asyncio.CancelledError:
            if watch.error is None or watch.task.cancelling() > 1:
                raise  # somebody else cancelled the request
            raise watch.error from None
        finally:
            watch.stop()


class _Watch:
    """Cancels the current task after a time, or when its client disconnects; `error` says why."""

    __slots__ = ("_receive", "_seconds", "_timer", "_watcher", "error", "task")

    def __init__(self, seconds: float, receive: Receive | None) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        self.task = task
        self.error: HandlerTimeout | ClientDisconnected | None = None
        self._seconds = seconds
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None
        self._timer = loop.call_later(self._first(), self._start)

    def stop(self) -> None:
        """Stop watching; take the cancellation back, so that the response can be sent."""
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self.error is not None:
            self.task.uncancel()

    def _first(self) -> float:
        return min(WATCH_AFTER, self._seconds) if self._seconds else WATCH_AFTER

    def _start(self) -> None:
        self._watcher = asyncio.create_task(self._run())

    async def _run(self) -> None:
        left = self._seconds - self._first() if self._seconds else None
        try:
            async with asyncio.timeout(left):
                await _disconnected(self._receive)
            self.error = ClientDisconnected()
        except TimeoutError:
            self.error = HandlerTimeout()
        self.task.cancel()


async def _disconnected(receive: Receive | None) -> None:
    """Wait until the client disconnects."""
    if receive is None:
        await asyncio.Event().wait()
        return
    while (await receive())["type"] != "http.disconnect":
        pass  # a body that the operation does not have
