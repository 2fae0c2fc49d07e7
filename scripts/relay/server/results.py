"""Encodes whatever a handler returned as a response that matches the contract, or raises ResponseViolation."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterable, Iterator
from typing import Any, NamedTuple

from starlette.responses import FileResponse, StreamingResponse
from starlette.responses import Response as StarletteResponse

from relay.validation.http import HeaderList, Response
from relay.validation.responses import ResponseEncoder
from relay.validation.results import NO_BODY, PLAIN, HeaderLines, Parts, header_lines, split

from .deadline import Deadline
from .file_response import open_source, plan, stream_of
from .framework import ConnexionResponse, NoContent
from .reply import Background, File, Reply
from .sending import Outgoing, Report, Stream, StreamedResponse, Streaming, send_response
from .threads import Threads

_log = logging.getLogger("relay")

_OF_THE_SERVER = ("content-length", "accept-ranges")  # are computed, whatever a response of Starlette says


class Written(NamedTuple):
    """A body that is bytes already."""

    content: bytes


class Taken(NamedTuple):
    """The parts of a result; the body may be a Stream, a File or Written."""

    parts: Parts
    background: Background | None = None


def is_plain(result: Any) -> bool:
    """Return True for a result whose body has one of JSON's types, or bytes."""
    kind = type(result)
    return kind in PLAIN or (kind is tuple and bool(result) and type(result[0]) in PLAIN)


def as_connexion_sends_it(result: Any) -> Any:
    """Return a plain result or a Taken; None and NoContent alone are a 204."""
    if result is None:
        return NO_BODY, 204
    if type(result) is Taken and result.parts.body is NO_BODY and result.parts.status is None:
        return result._replace(parts=result.parts._replace(status=204))
    return result


def _parts(result: Any) -> Taken:
    """Take a result apart. Raises ResponseViolation for what is none."""
    match result:
        case Reply():
            lines = header_lines(result.headers)
            lines += [("set-cookie", cookie.line) for cookie in result.cookies]
            return Taken(Parts(result.body, result.status, lines, result.media_type), result.background)
        case StarletteResponse():
            raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in result.raw_headers]
            lines = [line for line in raw if line[0] not in _OF_THE_SERVER]
            return Taken(Parts(_starlette_body(result), result.status_code, lines), result.background)
        case ConnexionResponse():
            body: Any = NO_BODY if result.body is None else result.body
            if isinstance(body, str | bytes):
                body = Written(body.encode() if isinstance(body, str) else body)
            media_type = result.content_type or result.mimetype
            return Taken(Parts(body, result.status_code, header_lines(result.headers), media_type))
    return Taken(split(result))


def _starlette_body(response: StarletteResponse) -> Any:
    if isinstance(response, FileResponse):
        file = File(response.path, inline=True)
        file.name = None  # the headers have the name, if there is one
        return file
    if isinstance(response, StreamingResponse):
        return response.body_iterator
    return Written(bytes(response.body))


class FollowedResponse:
    """A response with a function that is called after it was sent."""

    def __init__(self, response: Outgoing, background: Background, threads: Threads) -> None:
        self.status, self.headers = response.status, response.headers
        self._response, self._background, self._threads = response, background, threads

    async def send(self, scope: Any, send: Any) -> None:
        """Send the response."""
        if isinstance(self._response, Response):
            await send_response(send, self._response)
        else:
            await self._response.send(scope, send)

    async def follow(self) -> None:
        """Call the function, in a thread if it is a plain one; an exception is logged."""
        background = self._background
        is_async = inspect.iscoroutinefunction(background) or inspect.iscoroutinefunction(
            getattr(background, "__call__", None)  # noqa: B004 -- an object whose method is a coroutine, as Starlette's
        )
        try:
            found = background() if is_async else await self._threads.start(background)
            if inspect.isawaitable(found):
                await found
        except Exception:  # noqa: BLE001 -- the client has its response
            _log.exception("a background function failed")


class ResultEncoder:
    """Encodes the results of one operation's handler; see `Streaming` for `pace` and `report`."""

    def __init__(
        self, encoder: ResponseEncoder, pace: Deadline, threads: Threads, report: Report | None = None
    ) -> None:
        self._encoder = encoder
        self._threads = threads
        self._streaming = Streaming(Deadline(0), pace, report)

    async def take(self, result: Any) -> Taken:
        """Take a result apart that is not plain, and begin a stream. Raises ResponseViolation, and its own errors."""
        found = _parts(result)
        body = found.parts.body
        if body is NoContent:
            body = NO_BODY
        elif isinstance(body, AsyncIterable | Iterator):
            body = await Stream.begun(body, self._threads)
        return found._replace(parts=found.parts._replace(body=body))

    async def encode(
        self, taken: Any, request: HeaderList, method: str, *, is_validated: bool = True
    ) -> Outgoing:
        """Return the response of a plain result or a Taken. Raises ResponseViolation."""
        encoder = self._encoder
        parts, background = taken if type(taken) is Taken else Taken(split(taken))
        response: Outgoing
        match parts.body:
            case Stream() as stream:
                of_stream = encoder.stream_head(parts, request, is_validated=is_validated)
                response = StreamedResponse(of_stream, stream, self._streaming, is_validated=is_validated)
            case File() as file:
                of_file = encoder.head(*_described(file, parts), is_validated=is_validated)
                response = await self._file(file, of_file, request, method)
            case Written(content):
                response = encoder.encode_written(parts._replace(body=content), is_validated=is_validated)
            case _ if is_validated:
                response = await encoder.encode_parts(parts, request)
            case _:
                response = encoder.encode_unvalidated(parts)
        return response if background is None else FollowedResponse(response, background, self._threads)

    async def discard(self, taken: Any) -> None:
        """Close the stream of a result that is not sent."""
        if type(taken) is Taken and isinstance(taken.parts.body, Stream):
            await taken.parts.body.close()

    async def _file(
        self, file: File, head: tuple[int, HeaderList], request: HeaderList, method: str
    ) -> StreamedResponse:
        """Open a file and decide what is sent of it. Raises OSError, PreconditionFailed and RangeNotSatisfiable."""
        source = await asyncio.to_thread(open_source, file.source)
        try:
            planned = plan(*head, source, request, method)
        except BaseException:
            await asyncio.to_thread(source.close)
            raise
        stream = await stream_of(source, planned)
        return StreamedResponse(
            (planned.status, planned.headers, None), stream, self._streaming, is_validated=True
        )


def _described(file: File, parts: Parts) -> tuple[Parts, str | None]:
    """Return the parts of a file's response with its name and media type, and the media type that it may have."""
    lines: HeaderLines = parts.lines
    if file.disposition is not None and not any(name == "content-disposition" for name, _ in lines):
        lines = [*lines, ("content-disposition", file.disposition)]
    media_type = parts.media_type or file.media_type
    return parts._replace(lines=lines, media_type=media_type), file.guess
