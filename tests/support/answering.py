"""A small HTTP server whose responses a test defines for each request, also wrong ones."""

import json
import ssl
import threading
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
    """A response; None in its place closes the connection."""

    status: int = 200
    body: Any = b""
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


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
            content = (
                response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
            )
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name, value)
            if content:
                self.send_header("Content-Type", response.media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
            self.wfile.flush()

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
