"""uvicorn's HTTP/1.1 protocol with limits on slow, large and pipelined requests and on slow clients.

uvicorn has no time limit for a request's head, nor for the rest of a body after an early response. It has no
limit for the size of a head, the number of pipelined requests, or the time a client takes to receive a response.
It adds a chunked body's trailers to the headers after the headers were checked, which RFC 9110 section 6.5.1
forbids. Imported only for serving, because it imports uvicorn.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .buffered_transport import BufferedTransport

HEAD_SECONDS = 10.0
"""How long a head may take, from its first byte or from the start of the connection.

Also the limit for the rest of a body after the response.
"""

MAX_HEAD = 128 * 1024
"""Bytes of a head that are read before the request is rejected; the guard has a lower limit of its own."""

MAX_PIPELINED = 32
"""Requests that may wait on a connection behind the current one."""

TAKE_SECONDS, TAKE_BYTES = 10.0, 10_000
"""A client must receive TAKE_BYTES of a waiting response in every TAKE_SECONDS, or it is disconnected."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _TooManyRequests(Exception):
    """A client sends more than MAX_PIPELINED requests without waiting for responses."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _is_head = True  # the next bytes belong to a head
    _has_begun = False  # a message began in the current bytes
    _is_unfinished = False  # a head has begun and is not complete
    _head_size = 0
    _deadline: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the time limit of the first head."""
        super().connection_made(transport)
        self._buffered = BufferedTransport(transport, self.loop)
        self._start_clock()

    def data_received(self, data: bytes) -> None:
        """Parse data; reject a head that is too large."""
        self._has_begun = False
        super().data_received(data)
        if not self._is_head or self.transport.is_closing():
            return
        if self._is_unfinished or self._is_idle():
            self._start_clock()  # empty lines before a request reset uvicorn's keep-alive timeout
        if not self._has_begun:
            self._head_size += len(data)
        if self._head_size > MAX_HEAD:
            if self._is_idle():
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Start counting the bytes of a head."""
        super().on_message_begin()
        self._has_begun, self._is_unfinished, self._head_size = True, True, 0

    def on_headers_complete(self) -> None:
        """Start the request, unless too many are waiting: each takes a hundred times its size in memory."""
        self._stop_clock()
        self._is_head = self._is_unfinished = False
        if len(self.pipeline) >= MAX_PIPELINED:
            self.transport.abort()
            raise _TooManyRequests  # only an exception stops the parser from reading the remaining data
        super().on_headers_complete()
        self.cycle.transport = self._buffered  # type: ignore[assignment]  # the methods of a transport that a cycle uses
        self.headers = []  # later fields are trailers, not headers of the request

    def on_message_complete(self) -> None:
        """Expect the next head."""
        self._stop_clock()
        self._is_head = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the next request; limit the time for the rest of an unread body."""
        super().on_response_complete()
        if not self._is_head:
            self._start_clock()

    def pause_writing(self) -> None:
        """Start checking that the client receives the response."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Stop checking: the buffer is almost empty."""
        super().resume_writing()
        self._stop_watching()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._stop_clock()
        self._stop_watching()
        super().connection_lost(exc)

    def _unsupported_upgrade_warning(self) -> None:
        """Do not log: an unsupported Upgrade is ignored (RFC 9110 section 7.8)."""

    def _is_idle(self) -> bool:
        """Return True if the connection has no request in progress."""
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
            self._start_clock()  # the current response is completed first

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
