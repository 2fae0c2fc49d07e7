"""Write exchanges as entries of an HTTP Archive (HAR 1.2), one per line, so that a file can be appended to.

A binary body is written as base64; HAR 1.2 has no field for that in requests, so a comment marks it.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from .exchanges import Exchange, Headers, Request

FOOT = b"\n]}}\n"
"""The end of a file, after its last entry."""

MAX_BYTES = 512 * 1024 * 1024
"""The maximum size of a file to read or record: reading needs a multiple of it in memory."""

BROKE_OFF = "the response broke off before its end"
"""The `_error` of such a response; browsers write a text of their own there."""

BASE64 = "base64"
NOT_RECORDED = "not recorded"
"""The comment on a request's body that was not recorded."""

_STATUSES = frozenset(HTTPStatus)


class NotOurs(Exception):
    """A file cannot be appended to; the message is a reason that follows the file's name."""


class GrowingArchive:
    """A file that is a complete HTTP Archive after every entry.

    An entry and the end of the file are written in one call, over the previous end. The file is locked
    against other writers, and only its owner can read it, as it contains traffic.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._end = 0  # of the last entry
        self._is_first = True

    def open(self) -> None:
        """Create the file, or continue an existing recording; raise OSError, NotOurs."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin()
        except BlockingIOError as exc:
            self.close()
            raise NotOurs("is locked by another recording; name another file") from exc
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file, which is complete."""
        os.close(self._file)

    def add(self, exchange: Exchange) -> bool:
        """Append an entry; return False if the file is full. Raises OSError, and the file stays complete."""
        line = (b"" if self._is_first else b",") + entry(exchange)
        if self._end + len(line) + len(FOOT) > MAX_BYTES:
            return False
        self._write(line)
        self._is_first = False
        return True

    def _begin(self) -> None:
        size = os.fstat(self._file).st_size
        if size == 0:
            self._write(head())
            return
        start = os.pread(self._file, len(_BEGUN), 0)
        ended = os.pread(self._file, len(FOOT) + 1, max(0, size - len(FOOT) - 1))
        if start != _BEGUN or not ended.endswith(FOOT):
            raise NotOurs("exists and is not a complete recording of this command; name another file")
        self._end = size - len(FOOT)
        self._is_first = ended.startswith(b"[")

    def _write(self, data: bytes) -> None:
        left, at = memoryview(data + FOOT), self._end
        try:
            while left:
                written = os.pwrite(self._file, left, at)
                left, at = left[written:], at + written
        except OSError:
            os.ftruncate(self._file, self._end)
            if self._end:
                os.pwrite(self._file, FOOT, self._end)
            raise
        self._end += len(data)


_BEGUN = b'{"log": {"version": "1.2", "creator": {"name": "relay"'


def head() -> bytes:
    """Return the start of a file, before its first entry."""
    from relay._version import __version__

    creator = json.dumps({"name": "relay", "version": __version__})
    return f'{{"log": {{"version": "1.2", "creator": {creator}, "entries": ['.encode()


def entry(exchange: Exchange) -> bytes:
    """Return one entry on a line of its own; entries are separated by commas."""
    milliseconds = exchange.seconds * 1000
    fields = {
        "startedDateTime": exchange.started.isoformat(),
        "time": milliseconds,
        "request": _written_request(exchange.request),
        "response": _written_response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": f"{exchange.part}, signed in with: {exchange.credential or 'nothing'}",
    }
    return b"\n" + json.dumps(fields).encode()


def _written_request(request: Request) -> dict[str, Any]:
    body, kind = request.body, header_of(request.headers, "content-type") or ""
    written = {
        "method": request.method,
        "url": request.url,
        "queryString": _pairs(parse_qsl(request.url.partition("?")[2], keep_blank_values=True)),
        **_head(request.headers, "cookie", body),
    }
    if body is None:
        written["postData"] = {"mimeType": kind, "text": "", "comment": NOT_RECORDED}
    elif body:
        text, coded = _encoded(body)
        written["postData"] = {"mimeType": kind, "text": text, **({"comment": BASE64} if coded else {})}
    return written


def _written_response(exchange: Exchange) -> dict[str, Any]:
    body = exchange.body
    content: dict[str, Any] = {
        "size": -1 if body is None else len(body),
        "mimeType": exchange.header("content-type") or "",
    }
    if body is not None:
        content["text"], coded = _encoded(body)
        content |= {"encoding": BASE64} if coded else {}
    return {
        "status": exchange.status,
        "statusText": HTTPStatus(exchange.status).phrase if exchange.status in _STATUSES else "",
        "content": content,
        "redirectURL": exchange.header("location") or "",
        **_head(exchange.headers, "set-cookie", body),
        **({"_error": BROKE_OFF} if exchange.broke_off else {}),
    }


def _head(headers: Headers, cookies: str, body: bytes | None) -> dict[str, Any]:
    """Return the fields that requests and responses share; `cookies` is the name of the header with cookies."""
    lines = [line for name, line in headers if name.lower() == cookies]
    found = [pair for line in lines for pair in line.split(";")[: 1 if cookies == "set-cookie" else None]]
    return {
        "httpVersion": "HTTP/1.1",
        "cookies": _pairs((name, value) for name, _, value in (one.strip().partition("=") for one in found)),
        "headers": _pairs(headers),
        "headersSize": -1,
        "bodySize": -1 if body is None else len(body),
    }


def _encoded(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def header_of(headers: Headers, name: str) -> str | None:
    """Return the value of the first header with a name, which is given in lower case."""
    return next((value for key, value in headers if key.lower() == name), None)
