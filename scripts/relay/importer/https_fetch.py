"""Fetch an `https://` address with verified TLS and with limits on size and time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from relay.contract.diagnostics import Diagnostic, SetupError

if TYPE_CHECKING:
    import http.client

_TIMEOUT = 10.0
"""Seconds without data before a request fails."""
TOTAL_TIMEOUT = 60.0
"""Seconds that one response may take in total."""


def is_address(source: str) -> bool:
    """Return True for an address, which is not a file."""
    return "://" in source


def parse_address(address: str) -> SplitResult:
    """Split an `https://` address; SetupError for any other, or for one with a password."""
    try:
        url = urlsplit(address)
        is_valid = url.scheme == "https" and url.hostname and (url.port or 443)
    except ValueError:
        is_valid = None
    if not is_valid:
        raise SetupError([Diagnostic(address, "only https:// addresses are fetched; give one, or a file")])
    if "@" in url.netloc:
        message = "addresses with a password are not fetched; remove the password"
        raise SetupError([Diagnostic(url.hostname or "", message)])
    return url


def fetch(address: str, limit: int, seconds: float = TOTAL_TIMEOUT) -> bytes:
    """Return the body of a response with at most `limit` bytes, which arrives within some seconds.

    Certificates are verified against the system's authorities, or those in SSL_CERT_FILE; proxies are
    taken from the environment. Raises SetupError for any status but 200: redirects are not followed.
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
        request = urllib.request.Request(address, headers=headers)  # noqa: S310 -- parse_address allows https only
        with opener.open(request, timeout=_TIMEOUT) as response:
            if response.status == 200:
                return _body(response, address, limit, seconds)
            what = f"responds with {response.status}"
            is_redirect = 300 <= response.status < 400
            todo = (
                ", and redirects are not followed; give the target address"
                if is_redirect
                else "; check the address"
            )
            raise SetupError([Diagnostic(address, what + todo)])
    except (OSError, ValueError, http.client.HTTPException) as exc:
        reason = getattr(exc, "reason", None) or exc
        words = (getattr(reason, name, "") for name in ("verify_message", "strerror"))
        message = next(filter(None, words), type(reason).__name__)
        raise SetupError([Diagnostic(address, f"cannot be fetched: {message}")]) from exc


def _body(response: http.client.HTTPResponse, address: str, limit: int, seconds: float) -> bytes:
    """Read a response in chunks, so that no more than the limit is kept in memory."""
    deadline = time.monotonic() + seconds
    body = bytearray()
    while chunk := response.read1(65536):
        body += chunk
        if len(body) > limit:
            raise SetupError([Diagnostic(address, f"is larger than {limit:,} bytes; raise --max-size")])
        if time.monotonic() > deadline:
            raise SetupError([Diagnostic(address, f"took longer than {seconds:.0f} seconds")])
    return bytes(body)
