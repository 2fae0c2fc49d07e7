"""What an `https://` address answers: with verified TLS, bounded in size and time, and from nowhere else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError

if TYPE_CHECKING:
    import http.client

_TIMEOUT = 10.0
"""Seconds that a server may stay silent."""
_PATIENCE = 60.0
"""Seconds that one answer may take as a whole."""


def is_address(source: str) -> bool:
    """Whether a source is written as an address rather than a file."""
    return "://" in source


def parse_address(address: str) -> SplitResult:
    """Split an address that may be fetched; SetupError for any other."""
    try:
        url = urlsplit(address)
        fits = url.scheme == "https" and url.hostname and (url.port or 443)
    except ValueError:
        fits = None
    if not fits:
        raise SetupError([Diagnostic(address, "only https:// addresses are fetched; give one, or a file")])
    if "@" in url.netloc:
        raise SetupError(
            [Diagnostic(url.hostname or "", "an address with a password is not fetched; leave it out")]
        )
    return url


def fetch(address: str, limit: int) -> bytes:
    """Return the body of an answer of at most `limit` bytes.

    Certificates are verified against the system's, or those of SSL_CERT_FILE; proxies are those of the
    environment. Raises SetupError for anything but a 200: redirects are not followed.
    """
    import http.client
    import ssl
    import urllib.request

    parse_address(address)
    opener = urllib.request.OpenerDirector()  # without the handlers for redirects, files and plain HTTP
    opener.add_handler(urllib.request.ProxyHandler())
    opener.add_handler(urllib.request.HTTPSHandler(context=ssl.create_default_context()))
    headers = {"User-Agent": "relay-import", "Accept-Encoding": "identity"}
    try:
        request = urllib.request.Request(address, headers=headers)  # noqa: S310 -- parse_address lets https pass only
        with opener.open(request, timeout=_TIMEOUT) as response:
            if response.status != 200:
                raise SetupError([Diagnostic(address, _status(response.status))])
            return _body(response, address, limit)
    except (OSError, ValueError, http.client.HTTPException) as exc:
        reason = getattr(exc, "reason", None) or exc
        told = (
            getattr(reason, "verify_message", "") or getattr(reason, "strerror", "") or type(reason).__name__
        )
        raise SetupError([Diagnostic(address, f"cannot be fetched: {told}")]) from exc


def _status(status: int) -> str:
    if 300 <= status < 400:
        return f"answers {status}, and redirects are not followed; give the address it leads to"
    return f"answers {status}; see whether the address is right"


def _body(response: http.client.HTTPResponse, address: str, limit: int) -> bytes:
    """Read an answer piece by piece, so that what is too much is never held."""
    deadline = time.monotonic() + _PATIENCE
    body = bytearray()
    while piece := response.read1(65536):
        body += piece
        if len(body) > limit:
            raise SetupError([Diagnostic(address, f"has more than {limit:,} bytes; --max-size allows more")])
        if time.monotonic() > deadline:
            raise SetupError([Diagnostic(address, f"took longer than {_PATIENCE:.0f} seconds")])
    return bytes(body)
