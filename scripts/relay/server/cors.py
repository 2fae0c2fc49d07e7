"""Cross-origin requests of browsers (Fetch Standard, "CORS protocol"): preflights and the headers of responses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.model import Contract, Operation
from relay.validation.http import ALWAYS, HeaderList, Response, header

VARIABLE = "RELAY_CORS_ORIGINS"

_LOCAL = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?")
_MAX_AGE = b"600"  # seconds for which a browser keeps the answer to a preflight
_REQUESTED_METHOD = b"access-control-request-method"
# What clients may send beyond the contract: RFC 9110 sections 12.5, 13 and 14, RFC 7240 section 2.
_COMMON = ("Accept", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Prefer", "Range", "X-Request-Id")  # fmt: skip
_EXPOSED = ("Content-Disposition", "Content-Range", "ETag", "Location", "Retry-After", "WWW-Authenticate", "X-Mock", "X-Request-Id")  # fmt: skip


class Cors:
    """Allows the origins in `origins`: `*` is every one, without credentials; none is this machine's."""

    def __init__(self, origins: Sequence[str], contract: Contract) -> None:
        self._origins = frozenset(origins)
        schemes = contract.security_schemes.values()
        keys = {str(one["name"]) for one in schemes if one["type"] == "apiKey" and one["in"] == "header"}
        self._credentials = {*keys, "Authorization"}
        responses = [one for operation in contract.operations for one in operation.responses.values()]
        self._exposed = _listed(*_EXPOSED, *(one.name for response in responses for one in response.headers))

    def response_headers(self, request: HeaderList) -> HeaderList:
        """Return the headers that a response to a request with these headers needs."""
        origin = header(request, b"origin")
        vary = [] if "*" in self._origins else [(b"vary", b"Origin")]
        if origin is None or not self._allows(origin):
            return vary
        exposed = (b"access-control-expose-headers", self._exposed)
        if "*" in self._origins:
            return [(b"access-control-allow-origin", b"*"), exposed]
        allowed = (b"access-control-allow-origin", origin.encode("latin-1"))
        return [allowed, (b"access-control-allow-credentials", b"true"), exposed, *vary]

    def preflight(self, request: HeaderList, operations: Mapping[str, Operation]) -> Response | None:
        """Return the response to a preflight for a path with these operations; None for another request."""
        origin = header(request, b"origin")
        if origin is None or header(request, _REQUESTED_METHOD) is None or not self._allows(origin):
            return None
        parameters = [one for operation in operations.values() for one in operation.parameters]
        names = (one.name for one in parameters if one.location == "header")
        lines = [
            (b"access-control-allow-methods", ", ".join(sorted(operations)).encode()),
            (b"access-control-allow-headers", _listed(*_COMMON, *self._credentials, *names)),
            (b"access-control-max-age", _MAX_AGE),
        ]
        return Response(204, [*lines, *ALWAYS], b"")

    def _allows(self, origin: str) -> bool:
        if not self._origins:
            return _LOCAL.fullmatch(origin) is not None
        return "*" in self._origins or origin in self._origins


def cors(origins: Sequence[str], contract: Contract, *, allows_local: bool) -> Cors | None:
    """Return what answers cross-origin requests; None if they are not allowed. Raises SetupError."""
    origins = [one.strip() for one in origins]
    problems = [Diagnostic(VARIABLE, message) for one in origins if (message := _wrong(one, origins))]
    if problems:
        raise SetupError(problems)
    return Cors(origins, contract) if origins or allows_local else None


def _wrong(origin: str, origins: Sequence[str]) -> str | None:
    if origin == "*":
        return "'*' allows every origin; remove the others" if len(origins) > 1 else None
    parts = urlsplit(origin)
    is_whole = parts.netloc and f"{parts.scheme}://{parts.netloc}" == origin
    if not is_whole or origin != origin.lower() or "@" in origin:
        return f"'{origin}' is not an origin; write it as browsers do, such as https://app.example.com"
    return None


def _listed(*names: str) -> bytes:
    return ", ".join(sorted({*names}, key=str.lower)).encode("latin-1")
