"""A request and its answer, as plain data between the ASGI server and what is compiled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

MALFORMED = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
"""What no percent-encoded text may hold (RFC 3986 section 2.1), and NUL, which JSON texts may not hold either."""

HeaderList = list[tuple[bytes, bytes]]
"""Headers as ASGI has them: names in lower case."""

ALWAYS: HeaderList = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
"""Headers of every answer of the contract's operations, and of every failure."""

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9110 section 5.6.2
_FIELD_VALUE = re.compile(r"[\t -~\x80-\xff]*")  # RFC 9110 section 5.5: nothing that ends a line
_FRAMING = frozenset(["content-length", "transfer-encoding"])  # the server's own

OPERATION = "relay.operation"
"""Where a request's scope holds the id of its operation, once the router knows it."""


class Request(NamedTuple):
    """What of a request the contract speaks about, as the ASGI server gave it.

    `path_params` are the path's variables, percent-decoded; header names are lower case.
    """

    path_params: Mapping[str, str]
    query_string: bytes
    headers: HeaderList
    body: bytes


class Answer(NamedTuple):
    """A response ready to send; of a long body `body` is the beginning, and `more` what follows."""

    status: int
    headers: HeaderList
    body: bytes
    more: Sequence[bytes] = ()


def cookies(headers: HeaderList) -> dict[str, list[str]]:
    """Split Cookie headers as RFC 6265 section 4.2.1 writes them; HTTP/2 may send several."""
    found: dict[str, list[str]] = {}
    lines = [value.decode("latin-1") for name, value in headers if name == b"cookie"]
    for pair in ";".join(lines).split(";"):
        name, sign, value = pair.partition("=")
        if sign:
            found.setdefault(name.strip(), []).append(value.strip())
    return found


def is_field(name: str, value: str) -> bool:
    """Whether a header, its name in lower case, can be sent: nothing in it ends its line, or the body."""
    is_line = _FIELD_NAME.fullmatch(name) and _FIELD_VALUE.fullmatch(value)
    return is_line is not None and name not in _FRAMING


def header(headers: HeaderList, name: bytes) -> str | None:
    """Return a header's value; several lines are one list (RFC 9110 section 5.3)."""
    values = [value for key, value in headers if key == name]
    return b", ".join(values).decode("latin-1") if values else None
