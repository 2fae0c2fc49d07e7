"""Serve wrong answers: a small HTTP server whose answers a test makes up, request by request."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Asked(NamedTuple):
    """A request, as far as an answer may depend on it; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Told(NamedTuple):
    """An answer; None instead of one closes the connection."""

    status: int = 200
    body: Any = b""
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@contextmanager
def answering(answer: Callable[[Asked], Told | None], certificate: Path | None = None) -> Iterator[str]:
    """Serve what `answer` makes of each request, on a free port, and yield the address; over TLS by a certificate."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args):
            """Stay silent."""

        def handle_one_request(self):
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = answer(Asked(self.command, self.path, headers, body))
            if told is None:
                self.close_connection = True
                return
            content = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(told.status)
            for name, value in told.headers:
                self.send_header(name, value)
            if content:
                self.send_header("Content-Type", told.media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http{'s' * bool(certificate)}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
