"""Fetches one small document from a URL, with limits on time and size, and without redirects."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from contextlib import suppress
from typing import Any

FETCH_SECONDS = 3.0  # limit for connecting, and again for the whole response, however slowly it arrives
MAX_DOCUMENT = 256 * 1024  # bytes


class TooLarge(OSError):
    """The document is larger than MAX_DOCUMENT."""


def fetch(address: str) -> bytes:
    """Return the document at an http(s) URL; raise OSError or HTTPException, also for redirects. Blocks."""
    opener = urllib.request.build_opener(_DeadlineHandler, _NoRedirect)
    with opener.open(address, timeout=FETCH_SECONDS) as response:
        document = bytes(response.read(MAX_DOCUMENT + 1))
    if len(document) > MAX_DOCUMENT:
        raise TooLarge
    return document


class _DeadlineConnection(http.client.HTTPConnection):
    """Closes itself after FETCH_SECONDS: a socket's own timeout restarts with every byte received."""

    def connect(self) -> None:
        super().connect()
        timer = threading.Timer(FETCH_SECONDS, _shut_down, [self.sock])
        timer.daemon = True
        timer.start()


class _DeadlineTlsConnection(_DeadlineConnection, http.client.HTTPSConnection): ...


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):  # already closed
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _DeadlineHandler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_DeadlineConnection, req)

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_DeadlineTlsConnection, req)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Makes urllib raise HTTPError for redirects: the target might be plain HTTP, or controlled by an attacker."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None: ...
