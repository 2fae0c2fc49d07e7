"""A transport that joins the writes of one turn of the event loop."""

from __future__ import annotations

import asyncio

GATHERED = 64 * 1024  # bytes of responses that are buffered in one turn of the event loop


class BufferedTransport:
    """Joins head and body, which uvicorn writes separately, into one system call and packet."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._pieces: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Buffer data until the end of this turn of the loop; flush when the buffer exceeds GATHERED bytes."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)
        self._size += len(data)
        if self._size > GATHERED:
            self._flush()

    def close(self) -> None:
        """Flush and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        """Write what is buffered; drop it if the connection is lost, as uvloop raises RuntimeError for a write to it."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        if pieces and not self.is_closing():
            self._transport.write(b"".join(pieces))
