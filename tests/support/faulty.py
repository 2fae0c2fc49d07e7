"""Databases that fail: a line to a real one that spoils what it says, and a server that says what a test likes."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import bson

from .mongodb import Line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Fault = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]
"""Hands a client what the server said, or something else."""


async def forward(writer: asyncio.StreamWriter, said: bytes) -> None:
    """No fault."""
    writer.write(said)
    await writer.drain()


async def silence(_writer: asyncio.StreamWriter, _said: bytes) -> None:
    """Take everything, say nothing."""


async def delay(writer: asyncio.StreamWriter, said: bytes) -> None:
    """Say everything later than anybody waits."""
    await asyncio.sleep(4)
    await forward(writer, said)


async def dribble(writer: asyncio.StreamWriter, said: bytes) -> None:
    """Say it a byte at a time."""
    for i in range(len(said)):
        await forward(writer, said[i : i + 1])
        await asyncio.sleep(0.1)


async def cut_off(writer: asyncio.StreamWriter, said: bytes) -> None:
    """End the connection within a reply."""
    await forward(writer, said[:20])
    writer.close()


async def reset(writer: asyncio.StreamWriter, _said: bytes) -> None:
    """Break the connection in place of a reply."""
    writer.transport.abort()


def freeze() -> Fault:
    """Begin a reply, and never say anything again."""
    begun = set()

    async def frozen(writer: asyncio.StreamWriter, said: bytes) -> None:
        if writer not in begun:
            begun.add(writer)
            await forward(writer, said[:20])

    return frozen


async def garbage(writer: asyncio.StreamWriter, _said: bytes) -> None:
    """Say what another kind of server might."""
    await forward(writer, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


async def scramble(writer: asyncio.StreamWriter, said: bytes) -> None:
    """Keep to the protocol of messages, but not to that of documents."""
    await forward(writer, said[:25] + b"\xff" * (len(said) - 25))


class FaultyLine(Line):
    """A line that goes through, and has a fault when told so."""

    fault: Fault = staticmethod(forward)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await super()._carry(reader, _Spoiling(writer, self))


class _Spoiling:
    """As much of a StreamWriter as a line needs."""

    def __init__(self, writer: asyncio.StreamWriter, line: FaultyLine) -> None:
        self._writer = writer
        self._line = line
        self._said = b""
        self.transport = writer.transport
        self.close = writer.close

    def write(self, said: bytes) -> None:
        self._said = said

    async def drain(self) -> None:
        await self._line.fault(self._writer, self._said)


@asynccontextmanager
async def faulty_line_to(url: str) -> AsyncIterator[FaultyLine]:
    """Lay a line that goes through, and cut it in the end."""
    line = FaultyLine(url)
    await line.restore()
    try:
        yield line
    finally:
        await line.cut()


Reply = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What a server says to a command."""

HELLO = {
    "ok": 1,
    "helloOk": True,
    "isWritablePrimary": True,
    "maxBsonObjectSize": 16777216,
    "maxMessageSizeBytes": 48000000,
    "maxWriteBatchSize": 100000,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "logicalSessionTimeoutMinutes": 30,
}
"""What a server says of itself."""


@asynccontextmanager
async def server(reply: Reply) -> AsyncIterator[int]:
    """Speak MongoDB's protocol at a free port; what is said is the test's. Yields the port."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(16)
                length, request_id, _, opcode = struct.unpack("<iiii", head)
                payload = await reader.readexactly(length - 16)
                writer.write(_answer(reply, opcode, request_id, payload))
                await writer.drain()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]
        for writer in writers:
            writer.transport.abort()


def _answer(reply: Reply, opcode: int, request_id: int, payload: bytes) -> bytes:
    if opcode == 2013:  # OP_MSG: flags, then a section of kind 0 that is the command
        body = struct.pack("<I", 0) + b"\0" + bson.encode(reply(bson.decode_all(_document(payload[5:]))[0]))
        return struct.pack("<iiii", 16 + len(body), 1, request_id, 2013) + body
    # OP_QUERY, which a driver still says hello with: flags, name, skip, limit, document
    query = payload[payload.index(b"\0", 4) + 9 :]
    body = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(reply(bson.decode_all(_document(query))[0]))
    return struct.pack("<iiii", 16 + len(body), 1, request_id, 1) + body


def _document(data: bytes) -> bytes:
    return data[: struct.unpack_from("<i", data)[0]]
