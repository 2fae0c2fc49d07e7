"""A service on a socket, whose handlers record what became of their streams."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from relay.server.app import Application
from relay.server.transport.servers import listening


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
