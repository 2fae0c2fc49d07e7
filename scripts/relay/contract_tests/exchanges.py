"""HTTP exchanges: requests and their responses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from relay.server.request_credentials import CLIENT_CERTIFICATE

REDACTED = "[redacted]"  # the text that replaces a secret
Headers = tuple[tuple[str, str], ...]
"""(name, value) pairs in order, names as they were sent; a name may occur several times."""


def carrier(scheme: Mapping[str, Any]) -> tuple[str, str]:
    """Return where a request carries the credential of a scheme: `header`, `query` or `cookie`, and the name there.

    Names of headers are in lower case.
    """
    if scheme["type"] == "apiKey":
        return scheme["in"], scheme["name"].lower() if scheme["in"] == "header" else scheme["name"]
    return "header", CLIENT_CERTIFICATE.lower() if scheme["type"] == "mutualTLS" else "authorization"


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
    """A request and its response.

    `part` is the part of a run that sent it, or the file it was read from. `credential` names the
    credential of the request: an identity (`admin`), an invalid one (`expired token of admin`), or None
    for no credential. `body` is None if it was not recorded. `broke_off` if the service ended the connection before
    the end of the response, which has begun with its status: the request was not accepted.
    """

    request: Request
    status: int
    headers: Headers = field(repr=False)
    body: bytes | None = field(repr=False)
    part: str
    credential: str | None = None
    seconds: float = 0.0
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    broke_off: bool = False

    def header(self, name: str) -> str | None:
        """Return a header of the response; several lines are joined to one list (RFC 9110 section 5.3)."""
        found = [value for key, value in self.headers if key.lower() == name]
        return ", ".join(found) if found else None
