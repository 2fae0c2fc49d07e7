"""uvicorn's server, ended as we say: the first signal drains it, the second one ends it at once, and so does time."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from .signals import Beside, listen

DRAIN_SECONDS = 20
"""How long requests that are under way have to be answered in."""

CLOSE_SECONDS = 5  # for what was opened to close; the thread of a handler that never returns would hold on

REUSED = 4 << 20
"""Bytes of a block that is made and freed once the service is up.

glibc's malloc takes from it that blocks of this size come and go (mallopt(3), M_MMAP_THRESHOLD): it keeps twice
as much of what is freed. Else it gives the memory of each long answer back to the system and faults it in anew,
page by page, with the next one, which takes as long as all the rest.
"""

CUT = 1
"""Exit code when requests were cut."""

_log = logging.getLogger("relay")


class DrainingServer(uvicorn.Server):
    """Tells its port when it has one, and runs something beside; `has_cut` says whether requests were cut."""

    def __init__(
        self, config: uvicorn.Config, started: Callable[[int], None], beside: Beside | None = None
    ) -> None:
        super().__init__(config)
        self.has_cut = False
        self._told = started
        self._beside = beside
        self._running: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to the end of the process: uvicorn would raise the signal again, which hides what was cut."""
        listen(self.handle_exit)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(CUT))
        yield

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 -- the signature is Python's
        """Drain, or end at once where that was asked for before."""
        if self.should_exit:
            os._exit(CUT)
        self.should_exit = True
        signal.alarm(DRAIN_SECONDS + CLOSE_SECONDS)

    async def startup(self, sockets: Any = None) -> None:
        """Start, and tell the port."""
        await super().startup(sockets)
        gc.freeze()  # what the service starts with it keeps
        gc.enable()
        bytes(REUSED)
        if self.started:
            self._tell(self.servers[0].sockets[0].getsockname()[1])
            self._running = asyncio.create_task(self._beside()) if self._beside else None

    async def shutdown(self, sockets: Any = None) -> None:
        """Accept no more, wait for what is under way, and cut it when its time is over."""
        if self._running:
            self._running.cancel()
        cutting = asyncio.create_task(self._cut())
        await super().shutdown(sockets)
        cutting.cancel()

    def _tell(self, port: int) -> None:
        try:
            self._told(port)
        except OSError as exc:  # a full disk, a reader that is gone: no reason not to serve
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            _log.warning("listening on port %s, which cannot be printed: %s", port, exc.strerror)

    async def _cut(self) -> None:
        await asyncio.sleep(DRAIN_SECONDS)
        left = self.server_state
        if not left.connections and not left.tasks:
            return
        self.has_cut = True
        _log.warning("%s requests were not done after %s s and are cut", len(left.tasks), DRAIN_SECONDS)
        for connection in [*left.connections]:
            connection.transport.abort()
        await asyncio.sleep(0.1)  # a task that is cancelled once its client is gone answers nobody
        for task in [*left.tasks]:
            task.cancel()
