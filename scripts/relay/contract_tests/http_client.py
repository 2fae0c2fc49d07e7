"""Send requests unchanged: no redirects are followed, and only headers that HTTP requires are added."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime
from typing import Self
from urllib.parse import urlsplit

import httpx

from .exchanges import Exchange, Request

SECONDS = 15.0
"""The maximum time in seconds until a response starts, and between two chunks of it."""

MAX_SECONDS = 60.0
"""The maximum time in seconds for a whole response: a stream may never end."""

MAX_BYTES = 64 * 1024 * 1024
"""A longer body counts as not recorded: it would need a multiple of its size in memory."""


def trusted() -> ssl.SSLContext:
    """Return a context with the default authorities, or those in SSL_CERT_FILE and SSL_CERT_DIR."""
    return httpx.create_ssl_context()


class NoAnswer(Exception):
    """The service closed the connection, or did not respond in time."""


class Client:
    """Sends requests of one part of a run; a context manager."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._http = httpx.Client(verify=trusted(), timeout=SECONDS, follow_redirects=False, trust_env=False)
        self._http.headers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._http.close()

    def send(self, request: Request, credential: str | None = None) -> Exchange:
        """Send a request and return the whole exchange; raise NoAnswer."""
        started = datetime.now(UTC)
        headers = [
            (
                name.encode("latin-1", "replace"),
                value.encode("latin-1", "replace"),
            )  # the encoding of headers in HTTP
            for name, value in request.headers
        ]
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        target = request.url[len(origin) :].partition("#")[0]
        target = target if target.startswith("/") else f"/{target}"
        try:
            with self._http.stream(
                request.method,
                origin,
                headers=headers,
                content=request.body or None,
                extensions={"target": target.encode()},  # httpx would normalize the path
            ) as answer:
                body = _body(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise NoAnswer(type(exc).__name__) from exc
        finally:
            self._http.cookies.clear()  # each request has only its own credentials
        return Exchange(
            request,
            answer.status_code,
            tuple(answer.headers.multi_items()),
            body,
            self._part,
            credential,
            answer.elapsed.total_seconds(),
            started,
        )


def _body(answer: httpx.Response) -> bytes | None:
    """Return a body; None if it is too long. Raise NoAnswer if it does not end in time."""
    deadline = time.monotonic() + MAX_SECONDS
    pieces, size = [], 0
    for piece in answer.iter_bytes():
        size += len(piece)
        if size > MAX_BYTES:
            return None
        if time.monotonic() > deadline:
            raise NoAnswer("EndlessAnswer")
        pieces.append(piece)
    return b"".join(pieces)
