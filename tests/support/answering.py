"""A small HTTP server whose responses a test defines for each request, also wrong ones."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple


class ReceivedRequest(NamedTuple):
    """The parts of a request on which a response may depend; names of `headers` are in lower case, `lines` as sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    lines: list[tuple[str, str]]


class PreparedResponse(NamedTuple):
    """A response; None in its place closes the connection.

    A list of bytes is sent piece by piece, without its length, until the connection is closed.
    """

    status: int = 200
    body: Any = b""
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def in_pieces(response: PreparedResponse) -> bool:
    """Return True for a response that is sent piece by piece."""
    return isinstance(response.body, list) and isinstance(next(iter(response.body), None), bytes)


def as_bytes(body: Any) -> bytes:
    """Return a body; one that is not bytes is dumped as JSON."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@contextmanager
def answering(
    answer: Callable[[ReceivedRequest], PreparedResponse | None], certificate: Path | None = None
) -> Iterator[str]:
    """Serve the result of `answer` for each request on a free port, with TLS if `certificate` is given; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # a response in pieces waits for the client's acknowledgement

        def log_message(self, *_args):
            """Log nothing."""

        def handle_one_request(self):
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            lines = self.headers.items()
            headers = {name.lower(): value for name, value in lines}
            response = answer(ReceivedRequest(self.command, self.path, headers, body, lines))
            if response is None:
                self.close_connection = True
                return
            pieces = response.body if in_pieces(response) else [as_bytes(response.body)]
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name, value)
            if pieces[0]:
                self.send_header("Content-Type", response.media_type)
            self.close_connection |= in_pieces(response)
            if not in_pieces(response):
                self.send_header("Content-Length", str(len(pieces[0])))
            self.end_headers()
            for piece in pieces if self.command != "HEAD" else []:
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(0.05 * (len(pieces) > 1))
            self.wfile.flush()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # a client may hang up, or refuse the certificate
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
