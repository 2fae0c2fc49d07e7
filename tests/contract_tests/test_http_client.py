"""Requests as they are: `scripts/relay/contract_tests/http_client.py`."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from relay.contract_tests import http_client as sending
from relay.contract_tests.exchanges import Request
from relay.contract_tests.http_client import Client, NoAnswer

OK = b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=1\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def _request(connection):
    """One request, whole, or what came of it."""
    read = b""
    while more := connection.recv(65536):
        read += more
        if read.endswith(b"\r\n\r\n" if b"Content-Length: 4" not in read else b"body"):
            break
    return read


@contextmanager
def answering(answer=OK, *, more=b""):
    """A server that answers each connection with some bytes, and goes on with `more` as long as it can.

    Yields its address and what it was sent.
    """
    heard: list[bytes] = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                heard.append(_request(connection))
                connection.sendall(answer)
                with suppress(OSError):
                    while more:
                        connection.sendall(more)
                        time.sleep(0.01)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize("target", ["/a/../b", "/a//b/", "/%zz%2F%41", "/{x}|'?q=%20+[1]&q", "/?", "/"])
def test_asks_for_the_very_target(target):
    """A tidied path would be another test."""
    with answering() as (url, heard), Client("test") as client:
        client.send(Request("GET", url + target))

    assert heard[0].split(b"\r\n")[0] == b"GET " + target.encode() + b" HTTP/1.1"


def test_adds_nothing_but_what_http_needs():
    """What a library likes to say could be what makes a request pass."""
    with answering() as (url, heard), Client("test") as client:
        client.send(Request("POST", f"{url}?a#b", (("X-One", "1"), ("X-One", "2")), b"body"))

    lines = heard[0].decode().split("\r\n")
    assert lines[0] == "POST /?a HTTP/1.1"
    assert sorted(lines[1:5], key=str.lower) == [
        "Content-Length: 4",
        f"Host: {url.removeprefix('http://')}",
        "X-One: 1",
        "X-One: 2",
    ]
    assert lines[5:] == ["", "body"]


def test_keeps_no_cookie_for_the_next_request():
    """Who signed in before must not open anything for who comes after."""
    with answering() as (url, heard), Client("test") as client:
        client.send(Request("GET", url))
        client.send(Request("GET", url))

    assert b"cookie" not in heard[1].lower()


def test_returns_the_whole_exchange():
    """With every line of a header, who signed in, and the part that asked."""
    with answering() as (url, _), Client("probes") as client:
        exchange = client.send(Request("GET", url), "admin")

    assert (exchange.status, exchange.body) == (200, b"ok")
    assert exchange.header("x-a") == "1, 2"
    assert (exchange.part, exchange.credential) == ("probes", "admin")


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"no HTTP\r\n\r\n"]
)
def test_no_answer_is_not_an_exchange(answer):
    """A line that is cut, at once or half-way, and what is no HTTP."""
    with answering(answer) as (url, _), Client("test") as client, pytest.raises(NoAnswer):
        client.send(Request("GET", url))


def test_waits_no_longer_than_it_says(monkeypatch):
    """A service that hangs is told, not waited for."""
    monkeypatch.setattr(sending, "SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, Client("test") as client:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NoAnswer, match="ReadTimeout"):
            client.send(Request("GET", url))


ENDLESS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def test_waits_for_no_end_that_does_not_come(monkeypatch):
    """A stream sends its next piece in time, for ever."""
    monkeypatch.setattr(sending, "MAX_SECONDS", 0.1)

    with (
        answering(ENDLESS, more=b" ") as (url, _),
        Client("test") as client,
        pytest.raises(NoAnswer, match="EndlessAnswer"),
    ):
        client.send(Request("GET", url))


def test_a_body_that_is_too_long_counts_as_not_recorded(monkeypatch):
    """Whatever a service sends, the run goes on."""
    monkeypatch.setattr(sending, "MAX_BYTES", 10_000)

    with answering(ENDLESS, more=b" " * 5_000) as (url, _), Client("test") as client:
        exchange = client.send(Request("GET", url))

    assert (exchange.status, exchange.body) == (200, None)


def test_a_header_may_be_any_text():
    """What HTTP cannot carry is not a crash."""
    with answering() as (url, heard), Client("test") as client:
        client.send(Request("GET", url, (("X-A", "é☃"),)))

    assert b"X-A: \xe9?\r\n" in heard[0]
