"""Encodes whatever a handler returned as a response that matches the contract, or raises ResponseViolation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from relay.validation.http import HeaderList, Response
from relay.validation.items import Items
from relay.validation.responses import ResponseEncoder
from relay.validation.results import NO_BODY, HeaderLines, Parts, split

from .binary_sources import open_source
from .deadline import Deadline
from .file import File
from .file_response import plan, stream_of
from .followed import FollowedResponse
from .reply import Background
from .result_kinds import Taken, Written, take
from .sending import Outgoing
from .stream_writing import ItemWriter, PieceWriter, Report
from .streams import END, Stream, StreamedResponse, WrittenStream
from .threads import Threads

Head = Callable[[Parts, str | None], tuple[int, HeaderList]]


class ResultEncoder:
    """Encodes the results of one operation's handler.

    `pace` limits the time for each piece of a stream; plain iterators and functions run in `threads`. With `report`,
    an item of a stream that violates the contract is reported, and sent.
    """

    def __init__(
        self, encoder: ResponseEncoder, pace: Deadline, threads: Threads, report: Report | None = None
    ) -> None:
        self._encoder = encoder
        self._report = report
        self._watch = Deadline(0)
        self._pace = pace
        self._threads = threads

    async def take(self, result: Any) -> Taken:
        """Take a result apart that is not plain; begin a stream. Raises what it raises before its first piece."""
        return await take(result, self._threads)

    async def encode(self, taken: Any, request: HeaderList, method: str) -> Outgoing:
        """Return the response for a request with these headers; `taken` is a plain result or a Taken.

        Raises ResponseViolation.
        """
        if type(taken) is not Taken:
            return await self._encoder.encode(taken, request)
        parts, background = taken
        match parts.body:
            case Stream() as stream:
                head = self._encoder.stream_head(parts, request)
                return self._streamed(*head, stream, background)
            case File() as file:
                of_file = self._encoder.head(*_described(file, parts))
                return await self._file(file, of_file, request, method, background)
            case Written() as written:
                response = self._encoder.encode_written(parts._replace(body=written.content))
            case _:
                response = await self._encoder.encode_parts(parts, request)
        return self._followed(response, background)

    async def encode_unvalidated(self, taken: Any, request: HeaderList, method: str) -> Outgoing:
        """Do as `encode` without validating anything against the contract.

        Raises ResponseViolation for what cannot be sent.
        """
        if type(taken) is not Taken:
            return self._encoder.encode_unvalidated(split(taken))
        parts, background = taken
        match parts.body:
            case Stream() as stream:
                head = self._encoder.unvalidated_stream_head(parts)
                return self._streamed(*head, stream, background, is_validated=False)
            case File() as file:
                of_file = self._encoder.unvalidated_head(*_described(file, parts))
                return await self._file(file, of_file, request, method, background)
            case Written(b""):
                response = self._encoder.encode_unvalidated(parts._replace(body=NO_BODY))
            case Written() as written:
                response = Response(*self._encoder.unvalidated_head(parts), written.content)
            case _:
                response = self._encoder.encode_unvalidated(parts)
        return self._followed(response, background)

    async def discard(self, taken: Any) -> None:
        """Close a result that is not sent."""
        if type(taken) is Taken:
            await taken.close()

    def _followed(self, response: Outgoing, background: Background | None) -> Outgoing:
        return response if background is None else FollowedResponse(response, background, self._threads)

    def _streamed(
        self,
        status: int,
        headers: HeaderList,
        items: Items | None,
        stream: Stream,
        background: Background | None,
        *,
        is_validated: bool = True,
    ) -> Outgoing:
        """Return the response of a stream, whose first piece is written. Raises ResponseViolation for that."""
        writer = PieceWriter() if items is None else ItemWriter(items, self._report)
        is_empty = stream.first is END
        first = None if is_empty else writer.first(stream.first, is_validated=is_validated)
        written = WrittenStream(stream.pieces, writer, first)
        response = StreamedResponse(status, headers, written, watch=self._watch, pace=self._pace)
        return self._followed(response, background)

    async def _file(
        self,
        file: File,
        head: tuple[int, HeaderList],
        request: HeaderList,
        method: str,
        background: Background | None,
    ) -> Outgoing:
        """Open a file and decide what is sent of it. Raises OSError, PreconditionFailed and RangeNotSatisfiable."""
        source = await asyncio.to_thread(open_source, file.source)
        try:
            planned = plan(*head, source, request, method)
        except BaseException:
            await asyncio.to_thread(source.close)
            raise
        return self._streamed(planned.status, planned.headers, None, stream_of(source, planned), background)


def _described(file: File, parts: Parts) -> tuple[Parts, str | None]:
    """Return the parts of a file's response with its name and media type, and the media type that it may have."""
    lines: HeaderLines = parts.lines
    if file.disposition is not None and not any(name == "content-disposition" for name, _ in lines):
        lines = [*lines, ("content-disposition", file.disposition)]
    media_type = parts.media_type or file.media_type
    return parts._replace(lines=lines, media_type=media_type), file.guess
