"""ASGI's lifespan protocol, spoken around whatever has to be open while a service runs."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

from relay.contract.diagnostics import SetupError


def is_cancelled() -> bool:
    """Whether the task was asked to end, which code that raises a CancelledError of its own does not."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Lifespan:
    """Opens and closes a service when the ASGI server says so.

    `startup_error` keeps what went wrong, for the command to print.
    """

    def __init__(self) -> None:
        self.startup_error: SetupError | None = None

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
