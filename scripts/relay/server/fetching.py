"""Fetches one document from a URL, with limits on time and size, and without redirects."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from contextlib import suppress
from functools import partial
from typing import Any

FETCH_SECONDS = 3.0  # limit for connecting, and again for the whole response, however slowly it arrives
MAX_DOCUMENT = 256 * 1024  # bytes


class TooLarge(OSError):
    """The document is larger than the limit."""


def fetch(address: str, limit: int = MAX_DOCUMENT, seconds: float | None = None) -> bytes:
    """Return the document at an http(s) URL; raise OSError or HTTPException, also for redirects. Blocks.

    It has at most `limit` bytes (TooLarge), and `seconds` (FETCH_SECONDS) to connect, and again to arrive (TimeoutError).
    """
    deadline = _DeadlineHandler()
    opener = urllib.request.build_opener(deadline, _NoRedirect)
    opener.addheaders = [("User-agent", "relay")]
    try:
        with opener.open(address, timeout=FETCH_SECONDS if seconds is None else seconds) as response:
            document = bytes(response.read(limit + 1))
    finally:
        if deadline.timer is not None:
            deadline.timer.cancel()
        if deadline.is_over:  # a document without a length would seem to be whole
            raise TimeoutError
    if len(document) > limit:
        raise TooLarge
    return document


class _DeadlineConnection(http.client.HTTPConnection):
    """Closes itself after its timeout: a socket's own timeout restarts with every byte received."""

    def __init__(self, *args: Any, handler: _DeadlineHandler, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._handler = handler

    def connect(self) -> None:
        super().connect()
        self._handler.timer = timer = threading.Timer(self.timeout or 0, self._handler.end, [self.sock])
        timer.daemon = True
        timer.start()


class _DeadlineTlsConnection(_DeadlineConnection, http.client.HTTPSConnection): ...


class _DeadlineHandler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    timer: threading.Timer | None = None
    is_over = False

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(partial(_DeadlineConnection, handler=self), req)

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(partial(_DeadlineTlsConnection, handler=self), req)

    def end(self, connection: socket.socket) -> None:
        self.is_over = True
        with suppress(OSError):  # already closed
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Makes urllib raise HTTPError for redirects: the target might be plain HTTP, or controlled by an attacker."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None: ...
