"""Many clients that take streams of items, and how much memory the service needs for them.

`python -m tests.support.item_soak CLIENTS ITEMS [/lines | /events]` prints both.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from .hosting import contract, operation, query, serving_package
from .targets import Measured
from .wire import request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .running import Service

_ROW = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 0}}}
_EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": _ROW},
    },
}
_COUNT = [query("count", {"type": "integer"}, required=True)]


def _stream(name: str, media_type: str, item: dict[str, object]) -> dict[str, object]:
    answer = {"200": {"description": "", "content": {media_type: {"itemSchema": item}}}}
    return {"get": operation(name, parameters=_COUNT, responses=answer)}


_CONTRACT = {
    **contract(
        {
            "/events": _stream("events", "text/event-stream", _EVENT),
            "/lines": _stream("lines", "application/jsonl", _ROW),
        }
    ),
    "openapi": "3.2.0",
}
_THINGS = """
import relay


async def events(count):
    for number in range(count):
        yield relay.Event({"n": number}, id=str(number))


async def lines(count):
    for number in range(count):
        yield {"n": number}
"""


class Taken(NamedTuple):
    """The memory of a service in MiB, when all clients had begun, when half was sent, and at most; and the seconds."""

    first: float
    half: float
    most: float
    seconds: float


@contextmanager
def serving_items(folder: Path) -> Iterator[Service]:
    """Serve streams of items from a project in a folder."""
    with serving_package(folder, _CONTRACT, things=_THINGS) as service:
        yield service


async def take_all(service: Service, path: str, clients: int, items: int) -> Taken:
    """Let clients take a whole stream each, all at the same time; raise for one that gets too few items."""
    where = urlsplit(service.url)
    started, readers = time.monotonic(), []
    for _ in range(clients):  # one by one: all at once would be more requests than a service processes
        reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=4096)
        writer.write(request("GET", f"{path}?count={items}"))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        readers.append((reader, writer))
    first = Measured.of(service.process.pid).memory
    half = asyncio.Event()
    tasks = [asyncio.create_task(_taken(reader, items, half)) for reader, _ in readers]
    await half.wait()
    middle = Measured.of(service.process.pid).memory
    assert await asyncio.gather(*tasks) == [items] * clients
    for _, writer in readers:
        writer.close()
    return Taken(first, middle, Measured.of(service.process.pid).peak, time.monotonic() - started)


async def _taken(reader: asyncio.StreamReader, items: int, half: asyncio.Event) -> int:
    """Count the items of a stream, each of which has one brace at its end; raise if its end is missing."""
    found, last = 0, b""
    while piece := await reader.read(65536):
        found += piece.count(b"}")
        last = (last + piece)[-5:]
        if found > items // 2:
            half.set()
    assert last == b"0\r\n\r\n"
    return found


def main() -> None:
    """Print what clients and items take."""
    clients, items = map(int, sys.argv[1:3])
    with TemporaryDirectory() as folder, serving_items(Path(folder)) as service:
        for path in sys.argv[3:] or ("/lines", "/events"):
            taken = asyncio.run(take_all(service, path, clients, items))
            rate = clients * items / taken.seconds
            sys.stdout.write(
                f"{path}: {clients} clients, {items} items each, {taken.seconds:.0f} s, {rate:.0f} items/s: "
                f"{taken.first:.0f} MiB at first, {taken.half:.0f} MiB in the middle, {taken.most:.0f} MiB at most\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
