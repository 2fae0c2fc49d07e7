"""The limits of all connections of one server together: descriptors, and memory for requests that are not running."""

from __future__ import annotations

import asyncio
import resource

from relay.validation.spools import spools_allowed

MAX_CONNECTIONS = 10_000  # connections of a process without a limit of descriptors
RESERVED = 96  # descriptors that are kept for the log, the stores and the metrics; of few descriptors, half
MAX_HELD = 32 << 20
"""Bytes of memory that incomplete heads, pipelined requests and bodies that are not read yet may take."""


def connections_allowed() -> int:
    """Return how many connections this process can have, from its limit of descriptors and its temporary files."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(max(soft - RESERVED - spools_allowed(), soft // 2), MAX_CONNECTIONS)


class Capacity:
    """Counts what the connections of one server take, and ends those that have taken it for longest.

    A client that only holds connections, or memory, cannot keep others out: beyond `connections`, the one ends
    that has waited longest for a request, else for its client; beyond `held` bytes, the one that has held longest.
    """

    def __init__(self, connections: int, held: int = MAX_HELD) -> None:
        self._connections = connections
        self._max_held = held
        self._count = 0
        # Each in the order in which the connections began to wait, or to hold.
        self._idle: dict[asyncio.Transport, None] = {}
        self._slow: dict[asyncio.Transport, None] = {}
        self._held: dict[asyncio.Transport, int] = {}
        self._sum = 0

    def opened(self, connection: asyncio.Transport) -> None:
        """Count a new connection; end another one if there are too many, or this one if all are busy."""
        self._count += 1
        if self._count > self._connections:
            oldest = next(iter(self._idle or self._slow), connection)
            self._forget(oldest)
            oldest.abort()
            if oldest is connection:
                return
        self._idle[connection] = None

    def closed(self, connection: asyncio.Transport) -> None:
        """Count a connection that ended."""
        self._count -= 1
        self._forget(connection)

    def idle(self, connection: asyncio.Transport) -> None:
        """Note that a connection waits for its next request."""
        self._slow.pop(connection, None)
        self._idle[connection] = None

    def slow(self, connection: asyncio.Transport) -> None:
        """Note that a request waits for its client: for the rest of its body, or to receive the response."""
        self._idle.pop(connection, None)
        self._slow[connection] = None

    def busy(self, connection: asyncio.Transport) -> None:
        """Note that a connection has a request in progress."""
        self._slow.pop(connection, None)

    def hold(self, connection: asyncio.Transport, held: int) -> bool:
        """Note how many bytes a connection holds; return False if it holds too many alone."""
        self._sum += held - self._held.pop(connection, 0)
        if held:
            self._held[connection] = held
        while self._sum > self._max_held and len(self._held) > 1:
            oldest = next(iter(self._held))
            self._forget(oldest)
            oldest.abort()
        return self._sum <= self._max_held

    def _forget(self, connection: asyncio.Transport) -> None:
        self._idle.pop(connection, None)
        self._slow.pop(connection, None)
        self._sum -= self._held.pop(connection, 0)
