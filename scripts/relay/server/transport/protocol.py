"""uvicorn's HTTP/1.1 protocol with limits on slow, large and pipelined requests and on slow clients.

uvicorn has no time limit for a request's head, nor for the rest of a body after an early response. It has no
limit for the size of a head or of a chunked body's trailers, the number of pipelined requests, or the time a
client takes to receive a response. It adds trailers to the headers after the headers were checked, which
RFC 9110 section 6.5.1 forbids, and loses the body of a request with an unsupported Upgrade. Imported only for
serving, because it imports uvicorn.
It is one class because uvicorn has one for a connection, whose state all limits share.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from relay.server.scope_keys import CONNECTION, Connection

from .buffered_transport import BufferedTransport
from .capacity import Capacity

HEAD_SECONDS = 10.0
"""How long a head may take, from its first byte or from the start of the connection.

Also the limit for the rest of a body after the response.
"""

MAX_HEAD = 64 * 1024
"""Bytes of a head, or of a chunk's size or trailers, that are read before the request is rejected.

The guard has a lower limit of its own, for heads.
"""

PIECE = 16 * 1024  # bytes that are parsed at once; the limits are checked after each piece
MAX_FIELDS = 128  # fields of a head that are kept; the guard rejects requests with so many
FIELD_COST = 200  # bytes of memory that a field takes in addition to its own
REQUEST_COST = 4096  # bytes of memory that a request takes in addition to its fields
MAX_PIPELINED = 32  # requests that may wait on a connection behind the current one
MAX_WAITING = 256 * 1024  # bytes of memory that these requests may take
TAKE_SECONDS, TAKE_BYTES = 10.0, 10_000
"""A client must receive TAKE_BYTES of a waiting response in every TAKE_SECONDS, or it is disconnected."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _TooManyRequests(Exception):
    """A client sends more requests without waiting for responses than the limits allow."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _is_head = True  # the next bytes belong to a head
    _is_unfinished = False  # a head has begun and is not complete
    _is_upgrade = False  # the parser takes the rest of the message for another protocol
    _is_deaf = False  # nothing more is read; the connection ends with the responses that are due
    _has_advanced = False  # the current bytes had more than a part of a head or of trailers
    _section = 0  # bytes of the current head, chunk size or trailers
    _running: RequestResponseCycle | None = None  # the request in progress, others wait in the pipeline
    _held = 0  # bytes of memory counted by the capacity
    _deadline: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, capacity: Capacity, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._capacity = capacity
        self._connection = Connection()
        self._waiting: deque[int] = deque()  # bytes of memory of each pipelined request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the time limit of the first head."""
        super().connection_made(transport)
        self._buffered = BufferedTransport(transport, self.loop)
        self._start_clock()
        self._capacity.opened(self.transport)

    def data_received(self, data: bytes) -> None:
        """Parse data; reject a head or trailers that are too large, and what all connections cannot hold."""
        self._unset_keepalive_if_required()
        rest: bytes | memoryview = data if len(data) <= PIECE else memoryview(data)
        while rest and not self._is_deaf:
            self._receive(rest[:PIECE])
            if self.transport.is_closing():
                return
            rest = rest[PIECE:]
        if self._is_head and (self._is_unfinished or self._is_idle()):
            self._start_clock()  # empty lines before a request reset uvicorn's keep-alive timeout
        if not self._is_counted():
            self._reject()

    def on_message_begin(self) -> None:
        """Start counting the bytes of a head."""
        super().on_message_begin()
        self._is_unfinished = True
        self._advance()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head, unless there are too many; trailers are not kept."""
        if self._is_head and len(self.headers) < MAX_FIELDS:
            HttpToolsProtocol.on_header(self, name, value)

    def on_headers_complete(self) -> None:
        """Start the request, or let it wait, unless too many are waiting."""
        self._stop_clock()
        self._is_unfinished = False
        self._advance()
        self._is_upgrade = self.parser.should_upgrade()
        if self._is_upgrade and self.parser.get_method() != b"CONNECT":
            return  # `_parse` parses it again, without its Upgrade
        self._is_head = False
        self._capacity.slow(self.transport)
        waiting = len(self.pipeline)
        self.scope[CONNECTION] = self._connection  # type: ignore[literal-required]  # a key of our own
        super().on_headers_complete()
        self.cycle.transport = self._buffered  # type: ignore[assignment]  # the methods of a transport that a cycle uses
        if self._is_upgrade:
            self._stop_reading()  # what follows CONNECT is not HTTP (RFC 9110 section 9.3.6)
        if len(self.pipeline) > waiting:
            self._waiting.append(_cost(self.headers))
            self._check_waiting()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_chunk_header(self) -> None:
        """Start counting the bytes of the next chunk's size, or of the trailers."""
        self._advance()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._advance()
        super().on_body(body)
        if self._waiting:
            self._waiting[-1] += len(body)
            self._check_waiting()

    def on_message_complete(self) -> None:
        """Expect the next head."""
        if self._is_upgrade and not self._is_deaf:
            return
        self._capacity.busy(self.transport)
        self._stop_clock()
        self._is_head = True
        self._advance()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the next request; limit the time for the rest of an unread body."""
        if self._connection.is_lost:
            return  # a handler returned after its client had left
        if self._waiting:
            self._waiting.popleft()
        super().on_response_complete()
        if self._is_idle():
            self.cycle.body = bytearray()  # uvicorn would keep what the application did not read
            self._capacity.idle(self.transport)
        if not self._is_head:
            self._start_clock()
        if self._held:
            self._is_counted()

    def pause_writing(self) -> None:
        """Start checking that the client receives the response."""
        super().pause_writing()
        self._capacity.slow(self.transport)
        self._watch()

    def resume_writing(self) -> None:
        """Stop checking: the buffer is almost empty."""
        super().resume_writing()
        self._stop_watching()
        if self._connection.is_lost:
            return
        if self._is_idle():
            self._capacity.idle(self.transport)
        else:
            self._capacity.busy(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers; notify the running request, as uvicorn notifies only the newest one."""
        self._connection.is_lost = True
        self._stop_clock()
        self._stop_watching()
        self._capacity.closed(self.transport)
        self.pipeline.clear()
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
        super().connection_lost(exc)

    def _receive(self, data: bytes | memoryview) -> None:
        self._has_advanced = False
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse()
            return
        if not self._has_advanced:
            self._section += len(data)
        if self._section > MAX_HEAD and not self.transport.is_closing():
            self._reject()

    def _parse(self, data: bytes | memoryview) -> None:
        """Parse data as if the parser knew no Upgrade: an ignored one changes nothing (RFC 9110 section 7.8).

        For the parser it ends the message with its head. The head is parsed again, without it.
        """
        while not self._is_deaf:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = memoryview(data)[upgrade.args[0] :]
            else:
                return
            if len(self.headers) == MAX_FIELDS:  # there may be more, which are not known
                self._reject()
                return
            if not self._is_deaf:
                head = self._head_without_upgrade()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
                self.parser.feed_data(head)

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _stop_reading(self) -> None:
        self._is_deaf = True
        self.cycle.keep_alive = False

    def _refuse(self) -> None:
        """Answer 400 to what is not HTTP, unless responses to earlier requests are due; they are sent, and no other."""
        is_due = self.pipeline or (self._is_head and not self._is_idle())
        if is_due and not self.transport.is_closing():
            self._stop_reading()
        else:
            self.send_400_response("Invalid HTTP request received.")

    def _advance(self) -> None:
        self._has_advanced, self._section = True, 0

    def _check_waiting(self) -> None:
        if len(self._waiting) > MAX_PIPELINED or sum(self._waiting) > MAX_WAITING:
            self.transport.abort()
            raise _TooManyRequests  # only an exception stops the parser from reading the remaining data

    def _is_counted(self) -> bool:
        """Count what the connection holds; return False if all connections hold too much."""
        held = sum(self._waiting) if self._waiting else 0
        if self._is_unfinished:
            held += _cost(self.headers) + self._section
        elif not self._is_idle():
            held += len(self.cycle.body)
        if held == self._held:
            return True
        self._held = held
        return self._capacity.hold(self.transport, held)

    def _reject(self) -> None:
        if self._is_head and self._is_idle():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        else:
            self.cycle.body = bytearray()
            self.transport.abort()  # a response that is not read would keep the connection open

    def _is_idle(self) -> bool:
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
        self._taking = self.loop.call_later(
            TAKE_SECONDS, self._end_or_watch, self.transport.get_write_buffer_size()
        )

    def _end_or_watch(self, left: int) -> None:
        if self.transport.get_write_buffer_size() > left - TAKE_BYTES:
            self.transport.abort()
        else:
            self._watch()

    def _stop_watching(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None


def _cost(headers: list[tuple[bytes, bytes]]) -> int:
    return REQUEST_COST + sum(FIELD_COST + len(name) + len(value) for name, value in headers)
