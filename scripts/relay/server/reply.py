"""Results of a handler besides plain ones: a `File` (RFC 6266), or a `Reply` with cookies and work afterwards."""

from __future__ import annotations

import mimetypes
import os
import re
import unicodedata
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError
from pathlib import Path
from typing import Any, BinaryIO, Generic, Literal, Protocol, TypeAlias, TypeVar, Union, runtime_checkable
from urllib.parse import quote

from starlette.responses import Response

from relay.validation.part_writing import Described

_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
_UNSAFE = re.compile(r'[^ -~]|["\\%]')
_ATTRIBUTE = "!#$&+-.^_`|~"  # besides letters and digits, RFC 8187 section 3.2.1


@runtime_checkable
class Uploaded(Protocol):
    """A file that a request contained: Relay's Upload, or Starlette's."""

    filename: str | None
    content_type: str | None
    file: BinaryIO


class File:
    """A file as the body of a response: sent in pieces, in ranges if they are asked for, and not again if unchanged.

    `source` is a path, bytes, an upload, or an open binary file, which is closed at the end. `name` is the name
    under which a browser saves it, by default that of the path or of the upload. Without a `media_type`, the one
    that the upload or the name says is sent, if the contract documents it. With `inline`, a browser may show it.
    """

    __slots__ = ("guess", "inline", "media_type", "name", "source")

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes | BinaryIO | Uploaded,
        *,
        name: str | None = None,
        media_type: str | None = None,
        inline: bool = False,
    ) -> None:
        self.source, own_name, own_type = _taken(source)
        self.name = name if name is not None else own_name
        self.media_type = media_type
        self.guess = own_type or guessed_type(self.name or "")
        self.inline = inline

    @property
    def disposition(self) -> str | None:
        """The header Content-Disposition; None for a file without a name that is shown."""
        if self.name is None:
            return None if self.inline else "attachment"
        return content_disposition(self.name, "inline" if self.inline else "attachment")


def content_disposition(name: str, kind: str) -> str:
    """Return a Content-Disposition with the last part of a name, also for clients that know only ASCII."""
    name = re.split(r"[/\\]", name)[-1]
    if not name:
        return kind
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    fallback = _UNSAFE.sub("_", plain)
    if not fallback.partition(".")[0] and fallback != name:
        fallback = f"file{fallback}"
    extended = (
        "" if fallback == name else f"; filename*=UTF-8''{quote(name, safe=_ATTRIBUTE, errors='replace')}"
    )
    return f'{kind}; filename="{fallback}"{extended}'


def guessed_type(name: str) -> str:
    """Return the media type of a file's name; a compressed file has that of the compression."""
    found, encoding = mimetypes.guess_type(f"file/{name}")
    if encoding is not None:
        return _COMPRESSED.get(encoding, "application/octet-stream")
    return found or "application/octet-stream"


def _taken(source: Any) -> tuple[Path | bytes | BinaryIO, str | None, str | None]:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), None, None
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return path, path.name, None
    if isinstance(source, Uploaded):
        return source.file, source.filename, source.content_type
    if not callable(getattr(source, "seek", None)):
        raise TypeError(
            f"a File is made of a path, bytes, an upload or a binary file, not {type(source).__name__}"
        )
    return source, None, None


Body_co = TypeVar("Body_co", covariant=True)
HeaderValue = str | int | float
Headers = Mapping[str, HeaderValue | Sequence[HeaderValue]]
"""Headers of a response; a list or tuple is a line for each of its values."""

Background = Callable[[], Awaitable[object] | object]
"""Is called after the response was sent."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie for HTTPS only, hidden from scripts and other sites' forms. Raises ValueError."""

    name: str
    value: str
    max_age: int | None = None
    expires: datetime | None = None
    path: str = "/"
    domain: str | None = None
    secure: bool = True
    httponly: bool = True
    samesite: Literal["strict", "lax", "none"] = "lax"

    def __post_init__(self) -> None:
        if self.samesite not in ("strict", "lax", "none"):
            raise ValueError("samesite must be strict, lax or none")
        if self.samesite == "none" and not self.secure:
            raise ValueError("a cookie with samesite none must be secure: browsers refuse it")
        if any(not one.isprintable() or ";" in one for one in (self.path, self.domain or "")):
            raise ValueError("the path or the domain of a cookie contains a semicolon or a control character")
        _ = self.line

    @property
    def line(self) -> str:
        """The value of the header Set-Cookie (RFC 6265 section 4.1)."""
        same_site: Any = self.samesite.capitalize()
        response = Response()
        try:
            response.set_cookie(
                self.name,
                self.value,
                self.max_age,
                self.expires,
                self.path,
                self.domain,
                self.secure,
                self.httponly,
                same_site,
            )
        except CookieError:
            raise ValueError("the name of a cookie must be a token (RFC 9110 section 5.6.2)") from None
        return response.headers["set-cookie"]


class Reply(Described, Generic[Body_co]):
    """A result with all parts of a response; `background` is called after that, and only logs its errors."""

    __slots__ = ("background", "body", "cookies", "headers", "media_type", "status")

    def __init__(
        self,
        body: Body_co | None = None,
        status: int | None = None,
        headers: Headers | None = None,
        *,
        cookies: Iterable[Cookie] = (),
        media_type: str | None = None,
        background: Background | None = None,
    ) -> None:
        self.body = body
        self.status = status
        self.headers = headers or {}
        self.cookies = tuple(cookies)
        self.media_type = media_type
        self.background = background


Body = TypeVar("Body")
Piece = bytes | str

Result: TypeAlias = Union[  # noqa: UP007 -- a generic alias begins with its variable
    Body,
    tuple[Body, int],
    tuple[Body, Headers],
    tuple[Body, int, Headers],
    Reply[Body],
    Reply[File],
    File,
    AsyncIterable[Piece],
    Iterator[Piece],
    Response,
]
"""The results that a handler may return: body, (body, status), (body, headers), (body, status, headers), a Reply, a File, a stream,
or a response of Starlette; the default status is the lowest documented 2xx."""
