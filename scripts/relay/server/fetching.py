"""Reads one small document from an address, in bounded time and size, and from nowhere else."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from contextlib import suppress
from typing import Any

FETCH_SECONDS = 3.0
"""For a connection, and once more for the whole answer, however slowly its bytes come in."""

MAX_DOCUMENT = 256 * 1024  # bytes


class TooLarge(OSError):
    """The document is larger than MAX_DOCUMENT."""


def fetch(address: str) -> bytes:
    """Return what lies at an http(s) address; proxies are those of the environment.

    Blocks. Raises OSError or http.client.HTTPException, also for a redirect and any status but 2xx.
    """
    opener = urllib.request.build_opener(_Hurry, _NoRedirect)
    with opener.open(address, timeout=FETCH_SECONDS) as response:
        document = bytes(response.read(MAX_DOCUMENT + 1))
    if len(document) > MAX_DOCUMENT:
        raise TooLarge
    return document


class _Hurried(http.client.HTTPConnection):
    """Ends itself: a socket's own timeout begins anew with every byte that drips in."""

    def connect(self) -> None:
        super().connect()
        end = threading.Timer(FETCH_SECONDS, _hang_up, [self.sock])
        end.daemon = True
        end.start()


class _HurriedTls(_Hurried, http.client.HTTPSConnection):
    """The same over TLS."""


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Hurry(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """Opens connections that end themselves."""

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Hurried, req)

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_HurriedTls, req)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Stays at the address that was configured: another might be plain HTTP, or anybody's."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        """Follow nothing; the redirect itself then counts as a failure."""
