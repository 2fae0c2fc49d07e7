"""What a handler may return: a `Reply` sets more than body, status and headers: cookies, and work after the response."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any, Generic, Literal, TypeAlias, TypeVar, Union

from starlette.responses import Response

from relay.validation.part_writing import Described

from .file import File

Body_co = TypeVar("Body_co", covariant=True)
HeaderValue = str | int | float
Headers = Mapping[str, HeaderValue | Sequence[HeaderValue]]
"""Headers of a response; a list or tuple is a line for each of its values."""

Background = Callable[[], Awaitable[object] | object]
"""Is called after the response was sent."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that a response sets, for HTTPS only, hidden from scripts, and not sent by other sites' forms.

    `Cookie("session", "", max_age=0)` deletes one. Raises ValueError for what could set another attribute.
    """

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
        jar: SimpleCookie = SimpleCookie()
        try:
            jar[self.name] = self.value
        except CookieError:
            raise ValueError("the name of a cookie must be a token (RFC 9110 section 5.6.2)") from None
        morsel = jar[self.name]
        attributes: dict[str, Any] = {
            "path": self.path,
            "samesite": self.samesite.capitalize(),
            "max-age": self.max_age,
            "domain": self.domain,
            "secure": self.secure,
            "httponly": self.httponly,
            "expires": format_datetime(self.expires, usegmt=True) if self.expires else None,
        }
        morsel.update({name: value for name, value in attributes.items() if value is not None})
        return morsel.OutputString()


class Reply(Described, Generic[Body_co]):
    """A result with all parts of a response.

    Body, status and headers are those of a tuple. `media_type` is one of those that the contract documents.
    `background` is called after the response was sent; an exception in it is logged and changes nothing else.
    """

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
"""What a handler may return: body, (body, status), (body, headers), (body, status, headers), a Reply, a File, a stream,
or a response of Starlette; the default status is the lowest documented 2xx."""
