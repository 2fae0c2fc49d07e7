"""A service on a socket, whose handlers record what became of their streams."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from relay.server.transport.servers import listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from relay.server.app import Application


@asynccontextmanager
async def served(application: Application, port: int) -> AsyncIterator[httpx.AsyncClient]:
    """Serve an application on a socket, and yield a client."""
    async with (
        application.running(),
        listening(application, 100, "127.0.0.1", port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


async def until(client: httpx.AsyncClient, key: str, accepts: Callable[[Any], object]) -> Any:
    """Return what the handlers recorded, as soon as it is accepted."""
    while True:
        response = await client.get("/ended")
        if response.status_code == 200 and accepts(found := response.json()[key]):  # else it is overloaded
            return found
        await asyncio.sleep(0.02)
