"""Reads the bodies of requests: small ones into memory, files into temporary files while they arrive."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from relay.contract.model import Operation
from relay.project.settings import Settings
from relay.validation import media_types as media
from relay.validation.http import header
from relay.validation.multipart import Form, FormTooLarge
from relay.validation.requests import RequestDecoder
from relay.validation.spools import Spool, Spools, TooManySpools, spools_allowed
from relay.validation.uploads import Upload

from .errors import BodyIncomplete, BodyTooLarge, BodyTooSlow, Overloaded, StorageFailed, StorageFull
from .item_bodies import ItemBody

BODY_SECONDS, BODY_BYTES = 10.0, 16 * 1024
"""A client must send BODY_BYTES of a body, or its rest, in every BODY_SECONDS that the service waits for it."""

Body = bytes | Form | Upload | ItemBody

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSE = {"connection": "close"}


_SPOOLS = Spools(spools_allowed())


class BodyReader:
    """Reads the bodies of one operation; a binary one becomes an Upload if the handler takes one."""

    def __init__(
        self, operation: Operation, decoder: RequestDecoder, settings: Settings, *, takes_upload: bool
    ) -> None:
        documented = operation.body.content if operation.body else {}
        self._forms, self._items = decoder.forms, decoder.items
        self._takes_upload = takes_upload
        self._limits = settings.limits.of(operation)
        self._body_limit = settings.body_limit
        self._file_limit = max(settings.file_limit, settings.body_limit)
        is_special = self._limits or self._forms or self._items or any(map(media.is_binary, documented))
        self._is_plain = not is_special

    async def read(self, scope: Any, receive: Any) -> Body:
        """Return the request's body, chunked or not; b"" for none. `close` deletes its files.

        Raises BodyTooLarge, BodyTooSlow, BodyIncomplete if the client disconnects first, StorageFull,
        StorageFailed, and Overloaded for too many temporary files; a stream of items raises them as it is read.
        """
        if self._is_plain:
            return await _Arriving(scope, receive, self._body_limit).whole()
        content_type = header(scope["headers"], b"content-type") or ""
        name = media.essence(content_type)
        items = media.find(content_type, self._items) if name and self._items else None
        form = media.find(content_type, self._forms) if name.startswith("multipart/") else None
        form = form if form is not None and form.reads(name) else None
        is_large = items or (form.has_files if form is not None else name and media.is_binary(name))
        chosen = media.find(content_type, self._limits)
        limit = (self._file_limit if is_large else self._body_limit) if chosen is None else chosen
        arriving = _Arriving(scope, receive, limit)
        if items is not None:
            return ItemBody(arriving.next, items, content_type, self._body_limit)
        if form is not None:
            of_values = self._body_limit if form.has_files else limit
            return await _form(arriving, form.form(content_type, Spool(_SPOOLS), of_values))
        if name and media.is_binary(name):
            return await _binary(arriving, name, takes_upload=self._takes_upload)
        return await arriving.whole()


def close(body: Body) -> None:
    """Delete the files of a body."""
    if not isinstance(body, bytes):
        body.close()


def replayed(body: Body, receive: Any) -> Any:
    """Return a `receive` whose first message is a body that was read already; an empty one for files, which are not kept."""
    sent = body if isinstance(body, bytes) else b""
    messages = [{"type": "http.request", "body": sent, "more_body": False}]

    async def receive_again() -> Any:
        return messages.pop() if messages else await receive()

    return receive_again


class _Arriving:
    def __init__(self, scope: Any, receive: Any, limit: int) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > limit:
                raise BodyTooLarge(_CLOSE)
        self.size = 0
        self._receive = receive
        self._limit = limit
        self._has_more = True
        self._seconds, self._bytes = BODY_SECONDS, 0  # left to wait for, and received of, the next BODY_BYTES

    async def whole(self) -> bytes:
        """Return the body."""
        body = await self.next() or b""
        if not self._has_more:
            return body
        pieces = bytearray(body)  # a list of pieces of one byte would take ten times the body
        while (piece := await self.next()) is not None:
            pieces += piece
        return bytes(pieces)

    async def next(self) -> bytes | None:
        """Return the next piece; None after the last."""
        if not self._has_more:
            return None
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                message = await self._receive()
        except TimeoutError as exc:
            raise BodyTooSlow(_CLOSE) from exc
        if message["type"] == "http.disconnect":
            raise BodyIncomplete  # a truncated body may look complete
        piece: bytes = message.get("body", b"")
        self._has_more = message.get("more_body", False)
        self.size += len(piece)
        if self.size > self._limit:
            raise BodyTooLarge(_CLOSE)
        self._bytes += len(piece)
        self._seconds -= time.monotonic() - started
        if self._bytes >= BODY_BYTES:
            self._seconds, self._bytes = BODY_SECONDS, 0
        return piece


async def _form(arriving: _Arriving, form: Form) -> Body:
    with _closed_on_error(form):
        while (piece := await arriving.next()) is not None:
            form.feed(piece)
            if form.fault is not None:
                break
            await _stored(form.spool)
        form.end()
        await _stored(form.spool, is_last=True)
    return form if arriving.size else b""


async def _binary(arriving: _Arriving, media_type: str, *, takes_upload: bool) -> Upload | bytes:
    """Return a binary body as an upload, or its content; b"" for an empty one, which is no body."""
    spool = Spool(_SPOOLS)
    with _closed_on_error(spool):
        while (piece := await arriving.next()) is not None:
            spool.write(piece)
            await _stored(spool)
        await _stored(spool, is_last=True)
    upload = Upload(spool, 0, spool.size, media_type=media_type)
    if takes_upload and arriving.size:
        return upload
    try:
        return await asyncio.to_thread(upload.read)
    finally:
        upload.close()


async def _stored(spool: Spool, *, is_last: bool = False) -> None:
    """Write what may not stay in memory to the temporary file, in a thread: a disk may be slow."""
    if spool.needs_flush(is_last=is_last):
        await asyncio.to_thread(spool.flush)


@contextmanager
def _closed_on_error(body: Form | Spool) -> Iterator[None]:
    """Delete what has arrived if the rest cannot be read or stored; raise the error for the client."""
    try:
        yield
    except BaseException as exc:
        body.close()
        match exc:
            case FormTooLarge():
                raise BodyTooLarge(_CLOSE) from exc
            case TooManySpools():
                raise Overloaded({"retry-after": "1", **_CLOSE}) from exc
            case OSError() if not isinstance(exc, TimeoutError):
                raise (StorageFull if exc.errno in _FULL else StorageFailed)(_CLOSE) from exc
        raise
