"""A service that answers with large files and endless streams, and clients that take them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from .hosting import contract, operation, query, serving_package
from .running import Service
from .targets import Measured
from .wire import request

MAX_MEMORY = 150.0
"""MiB that the process may take, with its interpreter and libraries, however much goes through it."""

_OCTETS = {
    "200": {"description": "", "content": {"application/octet-stream": {"schema": {"format": "binary"}}}}
}
_SIZE = [query("size", {"type": "integer"}, required=True)]
_PATHS = {
    "/file": {"get": operation("large_file", parameters=_SIZE, responses=_OCTETS)},
    "/stream": {"get": operation("large_stream", parameters=_SIZE, responses=_OCTETS)},
    "/endless": {"get": operation("endless", responses=_OCTETS)},
    "/open": {"get": operation("count_open")},
}
_THINGS = """
import asyncio
import os
from pathlib import Path

import relay

PIECE = bytes(range(256)) * 1024
is_open = set()


def large_file(size):
    path = Path(__file__).parent / "large"
    with path.open("wb") as file:
        os.truncate(file.fileno(), size)
    return relay.File(path)


def large_stream(size):
    for start in range(0, size, len(PIECE)):
        yield PIECE[: size - start]


async def endless():
    is_open.add(this := object())
    try:
        while True:
            yield b"event\\n"
            await asyncio.sleep(1)
    finally:
        is_open.remove(this)


def count_open():
    return len(is_open)
"""


@contextmanager
def serving_downloads(folder: Path) -> Iterator[Service]:
    """Serve large files and streams from a project in a folder."""
    with serving_package(folder, contract(_PATHS), things=_THINGS) as service:
        yield service


async def _asked(url: str, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """Return a connection on which a successful answer has begun, and its head."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=4096)
    writer.write(request("GET", path))
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    return reader, writer, head


async def download(url: str, path: str, size: int) -> int:
    """Take a body of so many bytes, and return how many came."""
    reader, writer, head = await _asked(url, f"{path}?size={size}")
    found = await (_chunks(reader) if b"chunked" in head.lower() else _rest(reader))
    writer.close()
    return found


@asynccontextmanager
async def open_streams(url: str, count: int) -> AsyncIterator[None]:
    """Hold so many open streams, each of which has sent something."""
    connections = []
    for _ in range(count):  # one by one: all at once would be more requests than a service processes
        reader, writer, _head = await _asked(url, "/endless")
        connections.append((reader, writer))
        await reader.readuntil(b"event\n")
    taking = [asyncio.create_task(_rest(reader)) for reader, _ in connections]
    yield
    for (_, writer), task in zip(connections, taking, strict=True):
        task.cancel()
        writer.transport.abort()


async def _chunks(reader: asyncio.StreamReader) -> int:
    """Return how many bytes the chunks of a body have; raise for one that is not whole."""
    found = 0
    while length := int(await reader.readuntil(b"\r\n"), 16):
        await _skip(reader, length)
        await reader.readexactly(2)
        found += length
    return found


async def _skip(reader: asyncio.StreamReader, length: int) -> None:
    while length:
        piece = await reader.read(min(length, 1 << 20))
        assert piece, "the body broke off"
        length -= len(piece)


async def _rest(reader: asyncio.StreamReader) -> int:
    found = 0
    while piece := await reader.read(1 << 20):
        found += len(piece)
    return found


def soak(folder: Path, gigabytes: float, streams: int) -> list[str]:
    """Take so much as a file and as a stream, hold so many streams, and return what is wrong."""
    wrong: list[str] = []
    with serving_downloads(folder) as service:
        for path in ("/file", "/stream"):
            size = int(gigabytes * 10**9)
            if asyncio.run(download(service.url, path, size)) != size:
                wrong.append(f"{path} broke off")
            peak = Measured.of(service.process.pid).peak
            sys.stdout.write(f"{gigabytes:g} GB of {path}: {peak:.0f} MiB at most\n")
            if peak > MAX_MEMORY:
                wrong.append(f"{path} took {peak:.0f} MiB")
        asyncio.run(_hold(service, streams, wrong))
    return wrong


async def _hold(service: Service, streams: int, wrong: list[str]) -> None:
    async with open_streams(service.url, streams):
        await asyncio.sleep(15)  # until each has sent several pieces
        first = Measured.of(service.process.pid)
        await asyncio.sleep(60)
        last = Measured.of(service.process.pid)
    sys.stdout.write(f"{streams} streams: {first.memory:.0f} MiB, a minute later {last.memory:.0f} MiB\n")
    if last.memory > first.memory + 5:
        wrong.append(f"{streams} open streams grew by {last.memory - first.memory:.0f} MiB in a minute")
