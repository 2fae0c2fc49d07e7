"""What is fetched and what never is, against a real TLS server: `scripts/relay/importer/https_fetch.py`."""

from __future__ import annotations

import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from relay.contract.diagnostics import SetupError
from relay.importer import https_fetch as fetching
from relay.importer.https_fetch import fetch
from relay.importer.import_sources import Reader
from support.certificates import certificate
from support.documenting import page, thing

LIMIT = 1 << 16


class Pages(BaseHTTPRequestHandler):
    """Answers from `server.answers`, path → (status, headers, body), and remembers what was asked for."""

    def do_GET(self):
        self.server.asked.append(self.path)
        status, headers, body = self.server.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in body if isinstance(body, list) else [body]:
            try:
                self.wfile.write(piece)
            except OSError:  # the client had enough
                return
            time.sleep(0.05 * isinstance(body, list))

    def log_message(self, *_):
        """Keep quiet."""


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A server of pages that is trusted, and no proxy before it."""
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.answers, server.asked = {}, []
    server.handle_error = lambda *_: None  # a client that does not trust it hangs up
    server.url = f"https://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("no_proxy", "*")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def refused(work):
    """The one problem that something is refused for."""
    with pytest.raises(SetupError) as raised:
        work()
    (problem,) = raised.value.problems
    return str(problem)


def test_fetches_a_page_that_was_named(host):
    """By its address, which is also how it is told."""
    host.answers["/p.md"] = 200, {}, page(thing("a")).encode()

    (source,) = Reader(LIMIT).read([f"{host.url}/p.md#part"])

    assert source.data == thing("a")
    assert str(source.place(("info",))) == f"{host.url}/p.md:16:1"


def test_tells_what_is_wrong_in_a_fetched_page_by_its_address(host):
    """With both slashes, so that it can be opened."""
    host.answers["/p.md"] = 200, {}, page("openapi: 3.0.3\ninfo: {title: x}\npaths: {}").encode()

    assert (
        refused(lambda: Reader(LIMIT).read([f"{host.url}/p.md"]))
        == f"{host.url}/p.md:16:1: 'version' is missing"
    )


def test_fetches_of_an_index_the_pages_of_its_own_host(host):
    """Other hosts, other ports and plain HTTP are left alone, and that is said."""
    others = [
        "https://localhost/x.md",
        f"http://127.0.0.1:{host.server_port}/x.md",
        "https://127.0.0.1:1/x.md",
    ]
    others += [
        "//localhost/x.md",
        "https://[bad/x.md",
        f"https://127.0.0.1:{host.server_port}@localhost/x.md",
    ]
    links = [f"{host.url}/docs/a.md", "b.md", "/words.md", "/logo.png", *others]
    host.answers["/docs/llms.txt"] = 200, {}, "".join(f"- [x]({link})\n" for link in links).encode()
    host.answers["/docs/a.md"] = 200, {}, page(thing("a")).encode()
    host.answers["/docs/b.md"] = 200, {}, page(thing("b")).encode()
    host.answers["/words.md"] = 200, {}, b"# Words\n"
    reader = Reader(LIMIT)

    sources = reader.read([f"{host.url}/docs/llms.txt"])

    assert [source.name for source in sources] == [f"{host.url}/docs/a.md", f"{host.url}/docs/b.md"]
    assert host.asked == ["/docs/llms.txt", "/docs/a.md", "/docs/b.md", "/words.md"]
    assert "6 of its links lead to other hosts and were not followed" in str(reader.notes[0])


@pytest.mark.parametrize(
    "where", ["/there", "http://127.0.0.1/there", "https://localhost/there", "file:///etc/hostname"]
)
def test_follows_no_redirect(host, where):
    """Whoever is redirected no longer knows whom he asks."""
    host.answers["/p.md"] = 302, {"Location": where}, b""

    told = refused(lambda: fetch(f"{host.url}/p.md", LIMIT))

    assert (
        told == f"{host.url}/p.md: answers 302, and redirects are not followed; give the address it leads to"
    )
    assert host.asked == ["/p.md"]


@pytest.mark.parametrize("headers", [{}, {"Content-Length": str(1 << 40)}])
def test_reads_no_more_than_the_limit(host, headers):
    """Whatever the answer says of its own length: what comes is counted."""
    host.answers["/p.md"] = 200, headers, b"x" * (LIMIT + 1)

    assert refused(lambda: fetch(f"{host.url}/p.md", LIMIT)) == (
        f"{host.url}/p.md: has more than 65,536 bytes; --max-size allows more"
    )


def test_waits_no_longer_than_its_patience(host, monkeypatch):
    """A server that sends a byte now and then would hold us for ever."""
    monkeypatch.setattr(fetching, "_PATIENCE", 0.1)
    host.answers["/p.md"] = 200, {}, [b"x"] * 100

    assert "took longer than 0 seconds" in refused(lambda: fetch(f"{host.url}/p.md", LIMIT))


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/p.md",
        "ftp://h/p.md",
        "file:///etc/hostname",
        "https://",
        "https://[",
        "https://h:x/p",
    ],
)
def test_fetches_nothing_but_https(address):
    """Before a socket opens."""
    assert refused(lambda: fetch(address, LIMIT)) == (
        f"{address}: only https:// addresses are fetched; give one, or a file"
    )


def test_never_sends_or_prints_a_password(host):
    """It would end in a log."""
    told = refused(lambda: fetch(f"https://user:sk_canary@127.0.0.1:{host.server_port}/p.md", LIMIT))

    assert told == "127.0.0.1: an address with a password is not fetched; leave it out"
    assert host.asked == []


def test_trusts_no_certificate_that_nobody_vouches_for(host, monkeypatch):
    """The system's authorities do not know this one."""
    monkeypatch.delenv("SSL_CERT_FILE")

    assert refused(lambda: fetch(f"{host.url}/p.md", LIMIT)) == (
        f"{host.url}/p.md: cannot be fetched: self-signed certificate"
    )


def test_trusts_no_certificate_of_another_name(host):
    """It is 127.0.0.1's, not localhost's."""
    told = refused(lambda: fetch(f"https://localhost:{host.server_port}/p.md", LIMIT))

    assert "cannot be fetched: Hostname mismatch" in told


def test_says_what_a_host_answers_when_it_is_no_page(host):
    """A page that moved, a server that is ill, one that is not there: a line each."""
    host.answers["/ill.md"] = 500, {}, b""
    with pytest.raises(SetupError) as raised:
        Reader(LIMIT).read([f"{host.url}/gone.md", f"{host.url}/ill.md", "https://127.0.0.1:1/x.md"])

    assert [str(problem) for problem in raised.value.problems] == [
        f"{host.url}/gone.md: answers 404; see whether the address is right",
        f"{host.url}/ill.md: answers 500; see whether the address is right",
        "https://127.0.0.1:1/x.md: cannot be fetched: Connection refused",
    ]
