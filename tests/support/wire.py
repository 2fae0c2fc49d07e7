"""HTTP/1.1 as bytes on a socket: what no client library would send, and what comes back."""

import re
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) [^\r\n]*")


class Answer(NamedTuple):
    """An answer: its status, its headers by lower-case name, its body, and all of its bytes."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes


def request(
    method: str, target: str, body: bytes | None = None, *headers: tuple[str, str | bytes], close: bool = True
) -> bytes:
    """Write a request down; a header's value may be any bytes, and `Host` stands first unless it is given."""
    given = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1".encode("utf-8", "surrogateescape")]
    lines += [] if "host" in given else [b"Host: test"]
    lines += [
        name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
        for name, value in headers
    ]
    if body is not None and not given & {"content-length", "transfer-encoding"}:
        lines.append(b"Content-Length: %d" % len(body))
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join([*lines, b"", b""]) + (body or b"")


def connect(url: str, seconds: float = 10.0) -> socket.socket:
    """Connect to a service; every step on the socket may take so many seconds."""
    where = urlsplit(url)
    return socket.create_connection((where.hostname, where.port), seconds)


def exchange(url: str, *parts: bytes) -> list[Answer]:
    """Send some bytes on a connection of their own and return all answers until the service closes it.

    Raises TimeoutError when it stays open, ValueError when what came back is not whole answers.
    """
    with connect(url) as connection:
        for part in parts:
            connection.sendall(part)
        received = b"".join(iter(lambda: _some(connection), b""))
    found, rest = answers(received)
    if rest:
        raise ValueError(rest)
    return found


def _some(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:  # the service closed with some of our bytes still unread
        return b""


def answers(received: bytes, *, to_head: bool = False) -> tuple[list[Answer], bytes]:
    """Return the whole answers in some bytes, and what is left of them.

    Every answer of ours says how long it is. Raises ValueError for what is no HTTP.
    """
    found: list[Answer] = []
    while b"\r\n\r\n" in received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status_line, *lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(status_line)
        if status is None:
            raise ValueError(status_line)
        headers = {
            name.decode().lower(): value.decode("latin-1")
            for name, _, value in (line.partition(b": ") for line in lines)
        }
        code = int(status[1])
        has_none = to_head or code in (204, 304) or code < 200
        length = 0 if has_none else int(headers["content-length"])
        if len(rest) < length:
            break
        found.append(Answer(code, headers, rest[:length], head + b"\r\n\r\n" + rest[:length]))
        received = rest[length:]
    return found, received
