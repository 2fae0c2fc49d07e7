"""Reading a document from an address: `scripts/relay/server/fetching.py`."""

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from relay.server.fetching import TooLarge, fetch
from support.certificates import certificate

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@contextmanager
def answering(said, *, pause=0.0, tls=None):
    """Serve one answer, piece by piece, to everybody who connects; yield the port and who connected."""
    connected = []

    def serve(listening):
        with suppress(OSError):
            while True:
                raw, peer = listening.accept()
                connected.append(peer)
                with suppress(OSError), tls.wrap_socket(raw, server_side=True) if tls else raw as line:
                    line.recv(65536)
                    for piece in said:
                        line.sendall(piece)
                        time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=[listening], daemon=True).start()
        yield listening.getsockname()[1], connected
        listening.shutdown(socket.SHUT_RDWR)


def drops(text):
    return [text[i : i + 1] for i in range(len(text))]


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """TLS with a certificate that this process trusts."""
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_reads_a_document(tls, scheme):
    with answering([HEAD % 4, b"a", b"bcd"], tls=tls if scheme == "https" else None) as (port, _):
        assert fetch(f"{scheme}://127.0.0.1:{port}/") == b"abcd"


def test_follows_no_redirect():
    """An https address must not become another one by its own word."""
    with answering([]) as (elsewhere, connected):
        there = b"Location: http://127.0.0.1:%d/\r\n" % elsewhere
        said = [b"HTTP/1.1 302 Found\r\n", there, b"Content-Length: 0\r\n\r\n"]
        with answering(said) as (port, _), pytest.raises(OSError, match="302"):
            fetch(f"http://127.0.0.1:{port}/")
        assert connected == []


def test_reads_no_more_than_it_would_take():
    for head in (HEAD % 10**9, b"HTTP/1.1 200 OK\r\n\r\n"):
        with answering([head, *[b"x" * 65536] * 64]) as (port, _), pytest.raises(TooLarge):
            fetch(f"http://127.0.0.1:{port}/")


@pytest.mark.slow
@pytest.mark.parametrize(
    "said", [[HEAD % 9999, *drops(b"x" * 9999)], drops(b"HTTP/1.1 200 OK\r\nX: " * 999), []]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_waits_for_no_answer_that_drips_or_never_comes(tls, said, scheme):
    """Each byte in time, the whole never; what did come is no whole document."""
    began = time.monotonic()

    tls = tls if scheme == "https" else None
    serving = answering([*said, b""], pause=0.05 if said else 10, tls=tls)
    with serving as (port, connected), pytest.raises(TimeoutError):
        fetch(f"{scheme}://127.0.0.1:{port}/", seconds=0.3)

    assert connected
    assert time.monotonic() - began < 8


def test_trusts_no_certificate_of_a_stranger(tmp_path):
    """Otherwise an attacker on the way could put in keys."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate(tmp_path))

    with (
        answering([HEAD % 1, b"x"], tls=tls) as (port, _),
        pytest.raises(OSError, match="CERTIFICATE_VERIFY"),
    ):
        fetch(f"https://127.0.0.1:{port}/")
