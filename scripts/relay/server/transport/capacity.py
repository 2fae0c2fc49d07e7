"""What all connections of one server may take together: descriptors, and memory for requests that are not running."""

from __future__ import annotations

import resource
from typing import Protocol

MAX_CONNECTIONS = 10_000
"""Connections of a process without a limit of descriptors."""

RESERVED = 96
"""Descriptors that are kept for the log, the stores and the metrics; of few descriptors, half."""

MAX_HELD = 32 << 20
"""Bytes of memory that incomplete heads, pipelined requests and bodies that are not read yet may take."""


class Connection(Protocol):
    """A connection that can be ended."""

    def drop(self) -> None:
        """End the connection at once."""


def connections_allowed() -> int:
    """Return how many connections this process can have, from its limit of descriptors."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(max(soft - RESERVED, soft // 2), MAX_CONNECTIONS)


class Capacity:
    """Counts what the connections of one server take.

    If there are more than `connections`, the one that has waited longest for a request is ended: a client
    that only holds connections cannot keep others out.
    """

    def __init__(self, connections: int, held: int = MAX_HELD) -> None:
        self._connections = connections
        self._max_held = held
        self._held = 0
        self._count = 0
        self._idle: dict[Connection, None] = {}  # in the order in which they became idle

    def opened(self, connection: Connection) -> None:
        """Count a new connection; end another one if there are too many, or this one if all are busy."""
        self._count += 1
        self._idle[connection] = None
        if self._count > self._connections:
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            oldest.drop()

    def closed(self, connection: Connection, held: int) -> None:
        """Count a connection that ended, and what it held."""
        self._count -= 1
        self._held -= held
        self._idle.pop(connection, None)

    def busy(self, connection: Connection) -> None:
        """Note that a connection has a request in progress."""
        self._idle.pop(connection, None)

    def idle(self, connection: Connection) -> None:
        """Note that a connection waits for its next request."""
        self._idle[connection] = None

    def hold(self, more: int) -> bool:
        """Count more bytes, or fewer; return False if the connections hold too many."""
        self._held += more
        return more <= 0 or self._held <= self._max_held
