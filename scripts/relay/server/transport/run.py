"""Runs uvicorn for `relay serve`: reports start errors as diagnostics, and ends on signals."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.server.lifespan import Lifespan

from .capacity import connections_allowed
from .signals import BackgroundTask

if TYPE_CHECKING:
    from relay.project.settings import Settings


class Service(Protocol):
    """An ASGI application that stores the error of a failed start."""

    @property
    def lifespan(self) -> Lifespan:
        """The service's lifespan, with its start error."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or run the lifespan (ASGI 3)."""


def run(
    service: Service,
    settings: Settings,
    started: Callable[[int], None],
    background: BackgroundTask | None = None,
) -> None:
    """Run a service and `background` until a signal; raise SetupError at the start, SystemExit if it cut."""
    from .servers import EXIT_CUT, DrainingServer, configuration

    config = configuration(
        service, connections_allowed(), host=settings.host, port=settings.port, lifespan="on"
    )
    server = DrainingServer(config, started, background)
    startup_errors = _StartupErrors()
    logging.getLogger("uvicorn.error").addFilter(startup_errors)
    try:
        server.run()
    except SystemExit:
        if service.lifespan.startup_error is not None:
            raise service.lifespan.startup_error from None
        if (error := startup_errors.error) is not None:
            reason = os.strerror(error.errno) if error.errno else str(error)
            message = f"cannot listen on {settings.host}:{settings.port}: {reason}"
            raise SetupError([Diagnostic("RELAY_HOST, RELAY_PORT", message)]) from None
        raise
    if server.has_cut:
        raise SystemExit(EXIT_CUT)


class _StartupErrors(logging.Filter):
    """Drops uvicorn's records of a failed start, whose error it stores, and of cut requests; others report them."""

    error: OSError | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, OSError):
            self.error = record.msg
            return False
        if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
            return False
        return "startup failed" not in record.getMessage()
