"""MongoDB for tests: a stand-in over the real wire protocol, and a line to it that can be cut and read."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
import subprocess
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_STANDIN = Path(__file__).with_name("mongo_standin")

_CACHE = Path(__file__).parents[2] / ".cache" / "mongo_standin"

STANDINS: dict[str, subprocess.Popen[str]] = {}
"""The processes of the stand-ins, by address."""


@contextmanager
def standin(folder: Path) -> Iterator[str]:
    """Run a stand-in, which is a test double and not MongoDB; skip the test where none can run."""
    java = shutil.which("java")
    if not java:
        pytest.skip("no RELAY_TEST_MONGODB_URI is set, and the stand-in needs Java 17")
    # It lives for a minute at most, in which compiling and collecting garbage better would not pay.
    launch = [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", _class_path(), "MongoStandin.java"]
    with (
        (folder / "errors").open("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            launch, cwd=_STANDIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        port = process.stdout.readline().strip()
        if not port:
            pytest.skip(f"the stand-in did not start: {Path(errors.name).read_text('utf-8')[:500]}")
        uri = f"mongodb://127.0.0.1:{port}"
        STANDINS[uri] = process
        yield uri


def _class_path() -> str:
    """Return the archives of the stand-in; Maven, which takes seconds, is asked once for a version of pom.xml."""
    known = _CACHE / hashlib.sha256((_STANDIN / "pom.xml").read_bytes()).hexdigest()
    if known.exists() and all(Path(one).exists() for one in known.read_text("utf-8").split(os.pathsep)):
        return known.read_text("utf-8")
    maven = shutil.which("mvn")
    if not maven:
        pytest.skip("no RELAY_TEST_MONGODB_URI is set, and the stand-in needs Maven")
    _CACHE.mkdir(parents=True, exist_ok=True)
    fetch = [maven, "-B", "-q", "dependency:build-classpath", f"-Dmdep.outputFile={known}.{os.getpid()}"]
    fetched = subprocess.run(fetch, cwd=_STANDIN, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"Maven could not fetch the stand-in: {fetched.stdout.strip()[:500]}")
    Path(f"{known}.{os.getpid()}").replace(known)  # another worker may read it
    return known.read_text("utf-8")


def with_database(uri: str, database: str) -> str:
    """Put a database's name into a URI that may have credentials and options."""
    return urlsplit(uri)._replace(path=f"/{database}").geturl()


class Line:
    """A TCP line to a server, cut until it is restored; it remembers what both sides said."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        credentials, at, hosts = parts.netloc.rpartition("@")
        self._host, _, port = hosts.partition(",")[0].partition(":")
        self._far_port = int(port or 27017)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        near = parts._replace(netloc=f"{credentials}{at}127.0.0.1:{self._port}")
        self.url = near._replace(query=f"{near.query}&directConnection=true".strip("&")).geturl()
        self.heard, self.said = bytearray(), bytearray()
        self._server: asyncio.Server | None = None
        self._ends: list[asyncio.StreamWriter] = []
        self._carriers: list[asyncio.Task[None]] = []

    async def restore(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)

    async def cut(self) -> None:
        """Refuse connections, and break those there are."""
        if self._server:
            self._server.close()
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*self._carriers)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._carriers.append(asyncio.current_task())
        self._ends.append(writer)
        far_reader, far_writer = await asyncio.open_connection(self._host, self._far_port)
        self._ends.append(far_writer)
        await asyncio.gather(_pump(reader, far_writer, self.said), _pump(far_reader, writer, self.heard))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: bytearray) -> None:
    with suppress(ConnectionError):
        while said := await reader.read(65536):
            heard += said
            writer.write(said)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    """Lay a line, and cut it in the end."""
    line = Line(url)
    try:
        yield line
    finally:
        await line.cut()
