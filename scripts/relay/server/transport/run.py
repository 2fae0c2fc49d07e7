"""Runs uvicorn for `relay serve`: prepares the process, reports start errors as diagnostics, and ends on signals."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.server.lifespan import Lifespan

from .capacity import connections_allowed

if TYPE_CHECKING:
    from relay.project.settings import Settings

BackgroundTask = Callable[[], Coroutine[Any, Any, None]]
"""A coroutine function that runs as long as the service; it is cancelled at the end."""


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
    """Run a service until a signal ends it; `started` is called with the port.

    `background` runs next to the service. Raises SetupError if the service cannot be opened, or cannot
    listen at its address; SystemExit if requests were cut off at the end.
    """
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


def prepare() -> None:
    """Make signals end the start at once, open closed standard streams, and disable garbage collection.

    Imported and compiled objects stay until the end; scanning them repeatedly takes an eighth of the start.
    Process 1 of a container has no default signal handlers: SIGTERM would be ignored until one is set.
    """
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass  # otherwise a socket could get descriptor 2 and receive the log
    os.close(spare)
    listen(lambda *_: os._exit(0))
    gc.disable()


def listen(handler: Callable[..., object]) -> None:
    """Call a function on the signals that end a service."""
    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
        signal.signal(signal.SIGHUP, handler)
