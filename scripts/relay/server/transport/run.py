"""uvicorn, as `relay serve` runs it: told in our words when it cannot start, and ended by signals."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relay.contract_tests.recorder import Recorder
    from relay.server.app import Application
    from relay.server.reloading import Reloading
    from relay.server.settings import HostSettings

Beside = Callable[[], Coroutine[Any, Any, None]]
"""What runs beside the service from its first moment to its last; it is cancelled in the end."""


def prepare() -> None:
    """Let a signal end the start-up at once, leave no standard stream closed, and collect no garbage.

    What is imported and compiled now stays: looking through it again and again is an eighth of the start.
    Process 1 of a container has no default for signals: SIGTERM would be lost until somebody listens to it.
    """
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:  # else a socket gets what is written to stderr
        pass
    os.close(spare)
    listen(lambda *_: os._exit(0))
    gc.disable()


def listen(hear: Callable[..., object]) -> None:
    """Have a function called for the signals that end a service."""
    signal.signal(signal.SIGTERM, hear)
    signal.signal(signal.SIGINT, hear)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, hear)


def run(
    service: Application | Reloading | Recorder,
    settings: HostSettings,
    started: Callable[[int], None],
    beside: Beside | None = None,
) -> None:
    """Run a service until a signal ends it; `started` is told the port.

    Raises SetupError when the service cannot be opened, or nothing can listen at its address; SystemExit
    when requests were cut in the end.
    """
    import uvicorn

    from relay.contract.diagnostics import Problem, SetupError

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
            raise SetupError([Problem("RELAY_HOST, RELAY_PORT", where)]) from None
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
