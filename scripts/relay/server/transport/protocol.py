"""HTTP/1.1 as uvicorn speaks it, with bounds on what comes before an application is asked, and on what comes after.

uvicorn waits for a request's head for ever, and for the rest of a body that was answered before it was
there; it keeps as much of a head as is sent, and as many requests; it holds an answer for whoever does not
take it; and it takes a chunked body's trailers for headers, past everything that has looked at the headers
before (RFC 9110 section 6.5.1 forbids that). Imported only to serve: it brings uvicorn along.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""How long a head may take, from its first byte, or from the connection's first moment.

So long, too, may take what is left of a body, once the answer is there.
"""

MAX_HEAD = 128 * 1024
"""Bytes of a head that are read before it is refused; the edge answers those over its own, lower limit."""

MAX_PIPELINED = 32
"""Requests that may wait on a connection behind the one that is being answered."""

TAKE_SECONDS, TAKE_BYTES = 10.0, 10_000
"""How much of an answer that waits to be taken a client has to take, again and again, not to be cut off."""

GATHERED = 64 * 1024
"""Bytes of answers that one turn of the loop keeps back."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _Gathering:
    """The way of answers to a transport: what is written in one turn of the loop goes out at once.

    A head and its body are two writes of uvicorn's; each would be a call of the system and a packet.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._pieces: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write before the loop waits for anything; at once what is more than a turn should keep."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)
        self._size += len(data)
        if self._size > GATHERED:
            self._flush()

    def close(self) -> None:
        """Write what is left, and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces, self._size = [], 0


class _TooManyRequests(Exception):
    """A client asks on and on, and does not wait for the answers."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _is_head = True  # what comes next belongs to a head
    _has_begun = False  # in the bytes that are being read
    _is_unfinished = False  # a head that has begun
    _head_size = 0
    _deadline: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Expect the first head."""
        super().connection_made(transport)
        self._gathering = _Gathering(transport, self.loop)
        self._start_clock()

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head has no end."""
        self._has_begun = False
        super().data_received(data)
        if not self._is_head or self.transport.is_closing():
            return
        if self._is_unfinished or self._is_idle():
            self._start_clock()  # empty lines before a request put off uvicorn's own end of an idle connection
        if not self._has_begun:
            self._head_size += len(data)
        if self._head_size > MAX_HEAD:
            if self._is_idle():
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Expect the rest of a head."""
        super().on_message_begin()
        self._has_begun, self._is_unfinished, self._head_size = True, True, 0

    def on_headers_complete(self) -> None:
        """Hand the request on, unless there are too many of them: each costs a hundred times its bytes."""
        self._stop_clock()
        self._is_head = self._is_unfinished = False
        if len(self.pipeline) >= MAX_PIPELINED:
            self.transport.abort()
            raise _TooManyRequests  # nothing else keeps the parser from the rest of what has come in
        super().on_headers_complete()
        self.cycle.transport = self._gathering  # type: ignore[assignment]  # the part of a transport that a cycle uses
        self.headers = []  # what still comes are trailers, and no headers of the request's

    def on_message_complete(self) -> None:
        """Expect another head."""
        self._stop_clock()
        self._is_head = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request; a body that nobody waits for any more is to end, too."""
        super().on_response_complete()
        if not self._is_head:
            self._start_clock()

    def pause_writing(self) -> None:
        """Watch a client take its answer."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Look away: what is left is little."""
        super().resume_writing()
        self._stop_watching()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop_clock()
        self._stop_watching()
        super().connection_lost(exc)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: an Upgrade that is not wanted is ignored (RFC 9110 section 7.8)."""

    def _is_idle(self) -> bool:
        """Whether no request of this connection is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _start_clock(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._out_of_time)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _out_of_time(self) -> None:
        self._deadline = None
        if self._is_idle():
            self.transport.close()
        else:
            self._start_clock()  # whoever waits for an answer gets it first

    def _watch(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._taking = self.loop.call_later(TAKE_SECONDS, self._end_or_watch, left)

    def _end_or_watch(self, left: int) -> None:
        if self.transport.get_write_buffer_size() > left - TAKE_BYTES:
            self.transport.abort()
        else:
            self._watch()

    def _stop_watching(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None
