"""A stream for the log that never waits for its reader: a full pipe must not stop the service."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

MAX_WAITING = 1 << 20  # characters that wait to be written; what does not fit is dropped
GATHER_SECONDS = 0.01
"""How long lines are gathered; each write makes the thread of the event loop wait for this one."""

CLOSE_SECONDS = 1.0  # how long the end of the process waits until the last lines are written


class LogStream:
    """Writes lines to a descriptor in a thread, or drops them; `report` renders a line about that."""

    def __init__(self, descriptor: int, report: Callable[[int], str], limit: int = MAX_WAITING) -> None:
        self._descriptor = descriptor
        self._report = report
        self._limit = limit
        self._waiting: deque[str] = deque()
        self._size = 0
        self._dropped = 0  # since the last report
        self._changed = threading.Condition()
        self.dropped = 0
        """Number of lines dropped so far."""
        threading.Thread(target=self._run, name="relay-log", daemon=True).start()

    def write(self, text: str) -> int:
        """Append whole lines, or drop them if too much is waiting."""
        with self._changed:
            if self._size + len(text) > self._limit:
                self._drop(text.count("\n"))
            else:
                self._waiting.append(text)
                self._size += len(text)
                self._changed.notify()
        return len(text)

    def flush(self) -> None:
        """Do nothing: lines are written as soon as the reader takes them."""

    def _drop(self, lines: int) -> None:
        self._dropped += lines
        self.dropped += lines

    def close(self) -> None:
        """Wait until the lines are written, for CLOSE_SECONDS at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._size, CLOSE_SECONDS)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
            time.sleep(GATHER_SECONDS)
            with self._changed:
                size = self._size
                text = "".join(self._waiting)
                self._waiting.clear()
                if self._dropped:
                    text += self._report(self._dropped)
                    self._dropped = 0
            lost = self._write(text.encode("utf-8", "backslashreplace"))
            with self._changed:
                self._drop(lost)
                self._size -= size
                self._changed.notify()

    def _write(self, data: bytes) -> int:
        """Write lines as the reader takes them; return how many were lost."""
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # another process has set this pipe to be non-blocking
                with suppress(OSError):
                    select.select([], [self._descriptor], [])
            except OSError:
                break
        return data.count(b"\n")
