"""Databases that fail: a line to a real one that spoils what it says, and a server that says what a test likes."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import bson

HandOn = Callable[[bytes], Awaitable[None]]
Fault = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]
"""Hands a client what the server said, or something else."""


async def forward(writer: asyncio.StreamWriter, said: bytes) -> None:
    """No fault."""
    writer.write(said)
    await writer.drain()


async def silence(_writer: asyncio.StreamWriter, _said: bytes) -> None:
    """Take everything, say nothing."""


async def delay(writer: asyncio.StreamWriter, said: bytes) -> None:
    """Say everything later than a client waits."""
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


class Line:
    """A TCP line to a server with a fault, which can be cut; it remembers what both sides said."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        credentials, at, hosts = parts.netloc.rpartition("@")
        self._host, _, port = hosts.partition(",")[0].partition(":")
        self._far_port = int(port or 27017)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        near = parts._replace(netloc=f"{credentials}{at}127.0.0.1:{self._port}")
        self.url = near._replace(query=f"{near.query}&directConnection=true".strip("&")).geturl()
        self.fault: Fault = forward
        self.heard, self.said = bytearray(), bytearray()
        self._server: asyncio.Server | None = None
        self._ends: list[asyncio.StreamWriter] = []
        self._carriers: list[asyncio.Task[None]] = []

    async def restore(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)

    async def cut(self) -> None:
        """Refuse connections, and break those there are."""
        self._server.close()
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*self._carriers)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._carriers.append(asyncio.current_task())
        self._ends.append(writer)
        far_reader, far_writer = await asyncio.open_connection(self._host, self._far_port)
        self._ends.append(far_writer)
        await asyncio.gather(
            _pump(reader, far_writer, self.said, lambda said: forward(far_writer, said)),
            _pump(far_reader, writer, self.heard, lambda said: self.fault(writer, said)),
        )


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: bytearray, hand_on: HandOn
) -> None:
    with suppress(ConnectionError):
        while said := await reader.read(65536):
            heard += said
            await hand_on(said)
    writer.close()


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    """Lay a line that goes through, and cut it in the end."""
    line = Line(url)
    await line.restore()
    try:
        yield line
    finally:
        await line.cut()


@asynccontextmanager
async def mute() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Take connections and say nothing; yield the URL of a database there, and the event of the first connection."""
    is_connected = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_connected.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as listening:
        yield f"mongodb://127.0.0.1:{listening.sockets[0].getsockname()[1]}/relay", is_connected


Reply = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Returns a server's reply to a command."""

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
"""A server's description of itself."""


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
