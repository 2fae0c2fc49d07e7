"""Request and response as plain data, between the ASGI server and the compiled contract."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .multipart import Form
    from .uploads import Upload

MALFORMED = re.compile(r"%(?![0-9A-Fa-f]{2})")
"""Malformed percent-encoding (RFC 3986 section 2.1)."""

MALFORMED_OR_NUL = re.compile(rf"{MALFORMED.pattern}|%00")

BODILESS = (204, 304)
"""Final statuses that never have a body (RFC 9110 sections 15.3.5 and 15.4.5)."""

HeaderList = list[tuple[bytes, bytes]]
"""Headers in ASGI's format; names are in lower case."""

ALWAYS: HeaderList = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
"""Headers of every response of the contract's operations and of every error response."""

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9110 section 5.6.2
_FIELD_VALUE = re.compile(r"[\t -~\x80-\xff]*")  # RFC 9110 section 5.5: no line breaks
_FRAMING = frozenset(["content-length", "transfer-encoding"])  # set by the server

OPERATION = "relay.operation"
"""Key of the ASGI scope that contains the operation id after routing."""


RECEIVE = "relay.receive"
"""Key of the ASGI scope that contains the server's `receive`, which does not count the request as waiting."""


class Request(NamedTuple):
    """The parts of a request that the contract describes, as received from the ASGI server.

    `path_params` are the percent-decoded path variables; header names are in lower case. `body` is a form if it was
    parsed while it arrived, an upload if the handler takes one, and an iterator if it is a stream of items. `raw_path` is the path as sent, in which
    separators differ from percent-encoded ones.
    """

    path_params: Mapping[str, str]
    query_string: bytes
    headers: HeaderList
    body: bytes | Form | Upload | AsyncIterator[Any]
    raw_path: bytes | None = None


class Response(NamedTuple):
    """A response ready to send; the body is `body` followed by the pieces in `more`."""

    status: int
    headers: HeaderList
    body: bytes
    more: Sequence[bytes] = ()


def cookies(headers: HeaderList) -> dict[str, list[str]]:
    """Parse Cookie headers (RFC 6265 section 4.2.1); HTTP/2 may send several."""
    found: dict[str, list[str]] = {}
    lines = [value.decode("latin-1") for name, value in headers if name == b"cookie"]
    for pair in ";".join(lines).split(";"):
        name, sign, value = pair.partition("=")
        if sign:
            found.setdefault(name.strip(), []).append(value.strip())
    return found


def is_field(name: str, value: str) -> bool:
    """Return True if a header may be sent: valid name in lower case, no line breaks, not a framing header."""
    is_line = _FIELD_NAME.fullmatch(name) and _FIELD_VALUE.fullmatch(value)
    return is_line is not None and name not in _FRAMING


def header(headers: HeaderList, name: bytes) -> str | None:
    """Return a header's value; several lines are joined with commas (RFC 9110 section 5.3)."""
    values = [value for key, value in headers if key == name]
    return b", ".join(values).decode("latin-1") if values else None
