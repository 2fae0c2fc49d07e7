"""Answers with a file, or with the part of it that a conditional or range request asks for (RFC 9110)."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import secrets
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from relay.validation.http import HeaderList, header

from .conditional import Range, Validators, entity_tag, evaluate, http_date, ranges
from .errors import PreconditionFailed, RangeNotSatisfiable
from .sending import SEND_BYTES, Stream, taking_turns

_OF_THE_CONTENT = (b"content-", b"accept-ranges")
"""Beginnings of names of headers that a 304 must not repeat (section 15.4.5)."""


class FileTruncated(Exception):
    """A file became shorter while it was sent."""


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes that can be read at any place; `read` may wait if it `blocks`, a second `close` does nothing."""

    size: int
    validators: Validators
    read: Callable[[int, int], bytes]
    close: Callable[[], object]
    blocks: bool = True


def open_source(source: Path | bytes | BinaryIO) -> Source:
    """Open what a handler gave, which is closed at the end. Raises OSError for a path that cannot be read."""
    if isinstance(source, bytes):
        etag = f'"{hashlib.blake2b(source, digest_size=16).hexdigest()}"'
        return Source(
            len(source),
            Validators(etag, None),
            read=lambda start, size: source[start : start + size],
            close=lambda: None,
            blocks=False,
        )
    if isinstance(source, Path):
        return _open_path(source)

    def read(start: int, size: int) -> bytes:
        source.seek(start)
        return source.read(size)

    return Source(source.seek(0, io.SEEK_END), Validators(None, None), read, source.close)


def _open_path(path: Path) -> Source:
    """Open a file of the file system; what is sent is the file that was opened, also if it is replaced."""
    if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would block
        raise OSError(f"{path.name} is not a regular file")
    file = path.open("rb", buffering=0)
    status = os.fstat(file.fileno())
    modified = datetime.fromtimestamp(int(status.st_mtime), UTC)
    validators = Validators(f'"{status.st_mtime_ns:x}-{status.st_size:x}"', modified)
    return Source(
        status.st_size, validators, lambda start, size: os.pread(file.fileno(), size, start), file.close
    )


class Plan(NamedTuple):
    """The response of a file: status, headers, and the pieces: bytes, or ranges of the file."""

    status: int
    headers: HeaderList
    pieces: list[bytes | Range]

    @property
    def length(self) -> int:
        """The length of the body."""
        return sum(len(one) if isinstance(one, bytes) else one.end - one.start for one in self.pieces)


def plan(status: int, headers: HeaderList, source: Source, request: HeaderList, method: str) -> Plan:
    """Return what is sent of a file, if its status is 200 by conditions and ranges (RFC 10008 for QUERY)."""
    if status != 200 or method not in ("GET", "HEAD", "QUERY"):
        return _sized(Plan(status, headers, [Range(0, source.size)]))
    validators, headers = _validated(headers, source.validators)
    status_of_condition = evaluate(request, validators)
    if status_of_condition == 412:
        raise PreconditionFailed
    if status_of_condition == 304:
        return Plan(304, _not_modified(headers), [])
    headers = [*headers, (b"accept-ranges", b"bytes")]
    wanted = ranges(request, validators, source.size) if method != "HEAD" else None
    if wanted is None:
        return _sized(Plan(200, headers, [Range(0, source.size)]))
    if not wanted:
        raise RangeNotSatisfiable({"content-range": f"bytes */{source.size}"})
    return _sized(_partial(headers, wanted, source.size))


def _validated(headers: HeaderList, own: Validators) -> tuple[Validators, HeaderList]:
    etag, modified = header(headers, b"etag"), header(headers, b"last-modified")
    added: HeaderList = []
    if etag is None and own.etag is not None:
        added.append((b"etag", own.etag.encode()))
    if modified is None and own.modified is not None:
        added.append((b"last-modified", format_datetime(own.modified, usegmt=True).encode()))
    found = Validators(
        own.etag if etag is None else entity_tag(etag),
        own.modified if modified is None else http_date(modified),
    )
    return found, [*headers, *added]


def _not_modified(headers: HeaderList) -> HeaderList:
    has_tag = any(name == b"etag" for name, _ in headers)
    kept = [one for one in headers if not one[0].startswith(_OF_THE_CONTENT) or one[0] == b"content-location"]
    return [one for one in kept if not (has_tag and one[0] == b"last-modified")]


def _partial(headers: HeaderList, wanted: list[Range], size: int) -> Plan:
    """Return a 206 with one range, or with several as multipart/byteranges (section 14.6)."""
    if len(wanted) == 1:
        return Plan(206, [*headers, (b"content-range", _content_range(wanted[0], size))], [*wanted])
    media_type = header(headers, b"content-type") or "application/octet-stream"
    boundary = secrets.token_hex(12)
    pieces: list[bytes | Range] = []
    for one in wanted:
        head = f"\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: ".encode("latin-1")
        pieces += [head + _content_range(one, size) + b"\r\n\r\n", one]
    others = [one for one in headers if one[0] != b"content-type"]
    content_type = (b"content-type", f"multipart/byteranges; boundary={boundary}".encode())
    return Plan(206, [content_type, *others], [*pieces, f"\r\n--{boundary}--\r\n".encode()])


def _content_range(one: Range, size: int) -> bytes:
    return b"bytes %d-%d/%d" % (one.start, one.end - 1, size)


def _sized(found: Plan) -> Plan:
    return found._replace(headers=[*found.headers, (b"content-length", b"%d" % found.length)])


async def stream_of(source: Source, found: Plan) -> Stream:
    """Return the pieces of a plan as a stream, which raises FileTruncated; what `blocks` is read in a thread."""
    pieces = _pieces(source, found.pieces)
    return Stream(pieces, await anext(pieces))


async def _pieces(source: Source, pieces: list[bytes | Range]) -> AsyncIterator[bytes]:
    locked = taking_turns()
    try:
        yield b""  # only a generator that has begun closes the file
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            for start in range(piece.start, piece.end, SEND_BYTES):
                size = min(piece.end - start, SEND_BYTES)
                read = source.read, start, size
                found = await asyncio.to_thread(locked, *read) if source.blocks else locked(*read)
                if len(found) < size:
                    raise FileTruncated
                yield found
    finally:
        await asyncio.to_thread(locked, source.close)
