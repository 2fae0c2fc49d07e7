"""uvicorn, as `relay serve` runs it: told in our words when it cannot start, and ended by signals."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from relay.server.lifespan import Lifespan

from .signals import Beside

if TYPE_CHECKING:
    from relay.project.settings import Settings


class Service(Protocol):
    """An ASGI application that keeps the error of a failed start."""

    @property
    def lifespan(self) -> Lifespan:
        """What ran, or failed to run, the service's start."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or run the lifespan (ASGI 3)."""


def run(
    service: Service,
    settings: Settings,
    started: Callable[[int], None],
    beside: Beside | None = None,
) -> None:
    """Run a service until a signal ends it; `started` is told the port.

    Raises SetupError when the service cannot be opened, or nothing can listen at its address; SystemExit
    when requests were cut in the end.
    """
    import uvicorn

    from relay.contract.diagnostics import Diagnostic, SetupError

    from .graceful_shutdown import CUT, DrainingServer
    from .protocol import Protocol

    config = uvicorn.Config(
        service,
        host=settings.host,
        port=settings.port,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody asks who the client is, so that nobody need be believed
        timeout_keep_alive=5,
    )
    server = DrainingServer(config, started, beside)
    told = _Told()
    logging.getLogger("uvicorn.error").addFilter(told)
    try:
        server.run()
    except SystemExit:
        if service.lifespan.startup_error is not None:
            raise service.lifespan.startup_error from None
        if (error := told.error) is not None:
            reason = os.strerror(error.errno) if error.errno else str(error)
            where = f"cannot listen on {settings.host}:{settings.port}: {reason}"
            raise SetupError([Diagnostic("RELAY_HOST, RELAY_PORT", where)]) from None
        raise
    if server.has_cut:
        raise SystemExit(CUT)


class _Told(logging.Filter):
    """Keeps what uvicorn logs of a failed start and of cut requests; both are told in our words."""

    error: OSError | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through what else uvicorn has to say."""
        if isinstance(record.msg, OSError):
            self.error = record.msg
            return False
        if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
            return False
        return "startup failed" not in record.getMessage()
