"""ASGI's lifespan protocol: opens a service's resources at startup and closes them at shutdown."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

from relay.contract.diagnostics import SetupError


def is_cancelled() -> bool:
    """Return True if the current task was cancelled, not just if its code raised CancelledError."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def not_started(_scope: Any, _receive: Any, _send: Any) -> None:
    """Replace the application of a service that is not started."""
    raise RuntimeError("the service has not started: the server must run the application's lifespan first")


class Lifespan:
    """Opens and closes a service on the ASGI server's events; the command prints the `startup_error`."""

    startup_error: SetupError | None = None

    async def __call__(self, running: AbstractAsyncContextManager[None], receive: Any, send: Any) -> None:
        """Keep `running` open from startup to shutdown."""
        await receive()
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(running)
            except SetupError as exc:
                self.startup_error = exc
                await send({"type": "lifespan.startup.failed"})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
