"""uvicorn, as `relay serve` runs it: told in our words when it cannot start."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handlers._host.app import Application
    from handlers._host.reloading import Reloading
    from handlers._host.settings import HostSettings

    from .recording import Recorder

Beside = Callable[[], Coroutine[Any, Any, None]]
"""What runs beside the service from its first moment to its last; it is cancelled in the end."""


def run(
    service: Application | Reloading | Recorder,
    settings: HostSettings,
    started: Callable[[int], None],
    beside: Beside | None = None,
) -> None:
    """Run a service until a signal ends it; `started` is told the port.

    Raises SetupError when the service cannot be opened, or nothing can listen at its address.
    """
    import uvicorn

    from handlers._host.problems import Problem, SetupError

    from .protocol import Protocol

    class Server(uvicorn.Server):
        beside: asyncio.Task[None] | None = None

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                started(self.servers[0].sockets[0].getsockname()[1])
                self.beside = asyncio.create_task(beside()) if beside else None

        async def shutdown(self, sockets: Any = None) -> None:
            if self.beside:
                self.beside.cancel()
            await super().shutdown(sockets)

    server = Server(
        uvicorn.Config(
            service,
            host=settings.host,
            port=settings.port,
            http=Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=20,
            timeout_keep_alive=5,
        )
    )
    refused = _Refused()
    logging.getLogger("uvicorn.error").addFilter(refused)
    try:
        server.run()
    except KeyboardInterrupt:
        return
    except SystemExit:
        if service.lifespan.startup_error is not None:
            raise service.lifespan.startup_error from None
        if (error := refused.error) is not None:
            reason = os.strerror(error.errno) if error.errno else str(error)
            where = f"cannot listen on {settings.host}:{settings.port}: {reason}"
            raise SetupError([Problem("RELAY_HOST, RELAY_PORT", where)]) from None
        raise


class _Refused(logging.Filter):
    """Keeps what uvicorn logs of a failed start; it is told in our words, with what to do."""

    error: OSError | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through what else uvicorn has to say."""
        if isinstance(record.msg, OSError):
            self.error = record.msg
            return False
        return "startup failed" not in record.getMessage()
