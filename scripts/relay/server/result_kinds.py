"""Takes apart what a handler returned: Relay's own types, iterators, and responses of Starlette and Connexion."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterator
from typing import Any, NamedTuple

from starlette.responses import FileResponse, StreamingResponse
from starlette.responses import Response as StarletteResponse

from relay.validation.results import NO_BODY, PLAIN, HeaderLines, Parts, header_lines, split

from .file import File
from .framework import ConnexionResponse, NoContent
from .reply import Background, Reply
from .streams import Stream
from .threads import Threads

_OF_THE_SERVER = ("content-length", "accept-ranges")  # are computed, whatever a response of Starlette says


class Written(NamedTuple):
    """A body that is bytes already."""

    content: bytes


class Taken(NamedTuple):
    """The parts of a result; the body may be a Stream, a File or Written."""

    parts: Parts
    background: Background | None = None

    async def close(self) -> None:
        """Close a stream that is not sent."""
        if isinstance(self.parts.body, Stream):
            await self.parts.body.pieces.close()


def is_plain(result: Any) -> bool:
    """Return True for a result whose body has one of JSON's types, or bytes."""
    kind = type(result)
    return kind in PLAIN or (kind is tuple and bool(result) and type(result[0]) in PLAIN)


async def take(result: Any, threads: Threads) -> Taken:
    """Take a result apart, and begin a stream.

    Raises ResponseViolation for what is no result, and what the iterator of a stream raises.
    """
    if isinstance(result, Reply):
        found = _of_reply(result)
    elif isinstance(result, StarletteResponse):
        found = _of_starlette(result)
    elif isinstance(result, ConnexionResponse):
        found = Taken(_of_connexion(result))
    else:
        found = Taken(split(result))
    body = found.parts.body
    if body is NoContent:
        body = NO_BODY
    elif isinstance(body, AsyncIterable | Iterator):
        body = await Stream.begun(body, threads)
    return found._replace(parts=found.parts._replace(body=body))


def as_connexion_sends_it(result: Any) -> Any:
    """Return a plain result or a Taken; None and NoContent alone are a 204."""
    if result is None:
        return NO_BODY, 204
    if type(result) is Taken and result.parts.body is NO_BODY and result.parts.status is None:
        return result._replace(parts=result.parts._replace(status=204))
    return result


def _of_reply(reply: Reply[Any]) -> Taken:
    lines = header_lines(reply.headers)
    lines += [("set-cookie", cookie.line) for cookie in reply.cookies]
    return Taken(Parts(reply.body, reply.status, lines, reply.media_type), reply.background)


def _of_starlette(response: StarletteResponse) -> Taken:
    raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers]
    lines: HeaderLines = [line for line in raw if line[0] not in _OF_THE_SERVER]
    body: Any
    if isinstance(response, FileResponse):
        body = File(response.path, inline=True)  # its headers have the name, if it has one
        body.name = None
    elif isinstance(response, StreamingResponse):
        body = response.body_iterator
    else:
        body = Written(bytes(response.body))
    return Taken(Parts(body, response.status_code, lines), response.background)


def _of_connexion(response: ConnexionResponse) -> Parts:
    body = response.body
    if isinstance(body, str | bytes):
        body = Written(body.encode() if isinstance(body, str) else body)
    elif body is None:
        body = NO_BODY
    media_type = response.content_type or response.mimetype
    return Parts(body, response.status_code, header_lines(response.headers), media_type)
