"""What went over the wire: requests, and the answers to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self

REDACTED = "[redacted]"
"""Stands where a secret was."""

Headers = tuple[tuple[str, str], ...]
"""Names as they were written, values, in order; a name may come twice."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request; `url` is absolute, with its query still percent-encoded.

    `body` is None when it was not recorded. The repr leaves out what may hold a credential: query,
    headers and body.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = b""

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url.partition('?')[0]})"

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> Self:
        """Return the request with these headers after its own."""
        return replace(self, headers=(*self.headers, *headers))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer.

    `part` is the part of a run that made it, or the file it was read from. `credential` names what the
    request was signed in with: an identity (`admin`), a forged one (`expired token of admin`), or None
    for nothing. `body` is None when it was not recorded.
    """

    request: Request
    status: int
    headers: Headers = field(repr=False)
    body: bytes | None = field(repr=False)
    part: str
    credential: str | None = None
    seconds: float = 0.0
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def header(self, name: str) -> str | None:
        """Return a header of the answer; several lines are one list (RFC 9110 section 5.3)."""
        found = [value for key, value in self.headers if key.lower() == name]
        return ", ".join(found) if found else None
