"""uvicorn with our protocol: the server of the process, with a graceful shutdown, and a second one for metrics."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import uvicorn

from .capacity import Capacity
from .protocol import Protocol
from .signals import BackgroundTask, listen

DRAIN_SECONDS = 20  # how long requests in progress may take after the first signal
CLOSE_SECONDS = 5  # for closing the collaborators; a handler's thread that never returns would block the exit

REUSED_BLOCK = 4 << 20
"""Size in bytes of a block that is allocated and freed once after the start.

It raises the dynamic threshold of glibc's malloc (mallopt(3), M_MMAP_THRESHOLD), which then keeps twice as much
freed memory. Otherwise malloc returns the memory of each long response to the system and faults it in again, page
by page, for the next one, which takes as long as the rest of the request.
"""

EXIT_CUT = 1  # exit code if requests were cut off

_log = logging.getLogger("relay")


def configuration(app: Any, connections: int, **options: Any) -> uvicorn.Config:
    """Return the configuration of a server that has at most so many connections."""
    return uvicorn.Config(
        app,
        http=partial(Protocol, capacity=Capacity(connections)),  # type: ignore[arg-type]  # uvicorn calls it, its annotation says class
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # relay.Request reads forwarded headers, from trusted proxies only
        timeout_keep_alive=5,
        **options,
    )


class DrainingServer(uvicorn.Server):
    """Reports its port and runs a task; a signal drains it, a second one ends it; `has_cut`: requests were cut."""

    def __init__(
        self, config: uvicorn.Config, started: Callable[[int], None], background: BackgroundTask | None = None
    ) -> None:
        super().__init__(config)
        self.has_cut = False
        self._on_start = started
        self._background = background
        self._running: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals that end the process; uvicorn would raise them again, which loses the exit code."""
        listen(self.handle_exit)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(EXIT_CUT))
        yield

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 -- the signature is Python's
        """Start draining; end at once on the second signal."""
        if self.should_exit:
            os._exit(EXIT_CUT)
        self.should_exit = True
        signal.alarm(DRAIN_SECONDS + CLOSE_SECONDS)

    async def startup(self, sockets: Any = None) -> None:
        """Start, report the port and start the background task."""
        await super().startup(sockets)
        gc.freeze()  # objects created so far live until the end
        gc.enable()
        bytes(REUSED_BLOCK)
        if self.started:
            self._report_port(self.servers[0].sockets[0].getsockname()[1])
            self._running = asyncio.create_task(self._background()) if self._background else None

    async def shutdown(self, sockets: Any = None) -> None:
        """Accept no new connections, wait for requests in progress, and cut them off after DRAIN_SECONDS."""
        if self._running:
            self._running.cancel()
        cutting = asyncio.create_task(self._cut())
        await super().shutdown(sockets)
        cutting.cancel()

    def _report_port(self, port: int) -> None:
        try:
            self._on_start(port)
        except OSError as exc:  # a full disk or a closed pipe must not stop the service
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
        await asyncio.sleep(0.1)  # a task that is cancelled after its client disconnected sends nothing
        for task in [*left.tasks]:
            task.cancel()


@asynccontextmanager
async def listening(app: Any, connections: int, host: str, port: int) -> AsyncIterator[None]:
    """Serve an ASGI application at an address of its own, in this event loop; raise OSError if it is not free."""
    with socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
    ) as bound:
        server = _SecondServer(configuration(app, connections, lifespan="off", timeout_graceful_shutdown=1))
        running = asyncio.create_task(server.serve([bound]))
        try:
            yield
        finally:
            server.should_exit = True
            await running


class _SecondServer(uvicorn.Server):
    """A server that leaves the process's signals to the first one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
