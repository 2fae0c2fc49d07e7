"""The signals that end a service, and what a process prepares before it serves."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

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
