"""Send requests unchanged: `scripts/relay/contract_tests/http_client.py`."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from relay.contract_tests import http_client as sending
from relay.contract_tests.exchanges import Request
from relay.contract_tests.http_client import Client, NoAnswer
from relay.contract_tests.results import Phase

OK = b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=1\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def _request(connection):
    """One complete request, or an empty result if the connection fails."""
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


@pytest.mark.slow
@pytest.mark.parametrize("target", ["/a/../b", "/a//b/", "/%zz%2F%41", "/{x}|'?q=%20+[1]&q", "/?", "/"])
def test_requests_the_exact_target(target):
    with answering() as (url, heard), Client(Phase("test")) as client:
        client.send(Request("GET", url + target))

    assert heard[0].split(b"\r\n")[0] == b"GET " + target.encode() + b" HTTP/1.1"


def test_adds_only_headers_that_http_requires():
    """A header of a library could be the reason that a request passes."""
    with answering() as (url, heard), Client(Phase("test")) as client:
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
    with answering() as (url, heard), Client(Phase("test")) as client:
        client.send(Request("GET", url))
        client.send(Request("GET", url))

    assert b"cookie" not in heard[1].lower()


def test_returns_the_complete_exchange():
    """It has every line of a header, the credential, and the part of the run."""
    with answering() as (url, _), Client(Phase("probes")) as client:
        exchange = client.send(Request("GET", url), "admin")

    assert (exchange.status, exchange.body) == (200, b"ok")
    assert exchange.header("x-a") == "1, 2"
    assert (exchange.part, exchange.credential) == ("probes", "admin")


ENDLESS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "more", "reason"),
    [
        (b"", b"", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"", "RemoteProtocolError"),
        (b"no HTTP\r\n\r\n", b"", "RemoteProtocolError"),
        (ENDLESS, b" ", "EndlessAnswer"),
    ],
    ids=["closed at once", "closed half-way", "not HTTP", "never ends"],
)
def test_an_incomplete_response_raises_no_answer(answer, more, reason):
    with (
        answering(answer, more=more) as (url, _),
        Client(Phase("test"), max_seconds=0.1) as client,
        pytest.raises(NoAnswer, match=reason),
    ):
        client.send(Request("GET", url))


@pytest.mark.slow
def test_times_out_if_the_service_hangs():
    with socket.create_server(("127.0.0.1", 0)) as silent, Client(Phase("test"), seconds=0.1) as client:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NoAnswer, match="ReadTimeout"):
            client.send(Request("GET", url))


def test_a_body_that_is_too_long_counts_as_not_recorded(monkeypatch):
    monkeypatch.setattr(sending, "MAX_BYTES", 10_000)

    with answering(ENDLESS, more=b" " * 5_000) as (url, _), Client(Phase("test")) as client:
        exchange = client.send(Request("GET", url))

    assert (exchange.status, exchange.body) == (200, None)


@pytest.mark.slow
def test_a_header_may_be_any_text():
    with answering() as (url, heard), Client(Phase("test")) as client:
        client.send(Request("GET", url, (("X-A", "é☃"),)))

    assert b"X-A: \xe9?\r\n" in heard[0]
