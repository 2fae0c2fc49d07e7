"""uvicorn's configuration with our protocol, and a second server in addition to the main one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import uvicorn

from .capacity import Capacity
from .protocol import Protocol


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


@asynccontextmanager
async def listening(app: Any, connections: int, host: str, port: int) -> AsyncIterator[None]:
    """Serve an ASGI application at an address of its own, in this event loop; raise OSError if it is not free."""
    with socket.create_server((host, port), family=_family(host)) as bound:
        server = _SecondServer(configuration(app, connections, lifespan="off", timeout_graceful_shutdown=1))
        running = asyncio.create_task(server.serve([bound]))
        try:
            yield
        finally:
            server.should_exit = True
            await running


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class _SecondServer(uvicorn.Server):
    """A server that leaves the process's signals to the first one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signal."""
        yield
