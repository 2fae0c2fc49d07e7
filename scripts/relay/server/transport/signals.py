"""The signals that end a service, and the preparation of the process."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

BackgroundTask = Callable[[], Coroutine[Any, Any, None]]
"""A coroutine function that runs as long as the service; it is cancelled at the end."""


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
