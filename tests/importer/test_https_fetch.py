"""Fetching from a real TLS server, and what is refused: `scripts/relay/importer/https_fetch.py`."""

from types import SimpleNamespace

import pytest

from relay.contract.diagnostics import SetupError
from relay.importer.https_fetch import fetch
from relay.importer.import_sources import Reader
from support.answering import PreparedResponse, answering
from support.certificates import certificate
from support.documenting import page, thing

LIMIT = 1 << 16


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A trusted server, used without a proxy: its address, its answers by path, and the paths that were asked for."""
    found = SimpleNamespace(answers={}, asked=[])

    def answer(request):
        found.asked.append(request.path)
        prepared = found.answers.get(request.path, PreparedResponse(404))
        return PreparedResponse(body=prepared.encode()) if isinstance(prepared, str) else prepared

    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("no_proxy", "*")
    with answering(answer, file) as found.url:
        found.port = found.url.rpartition(":")[2]
        yield found


def refused(work):
    with pytest.raises(SetupError) as raised:
        work()
    (problem,) = raised.value.problems
    return str(problem)


@pytest.mark.slow
def test_fetches_a_page_that_was_named(host):
    host.answers["/p.md"] = page(thing("a"))

    (source,) = Reader(LIMIT).read([f"{host.url}/p.md#part"])

    assert source.data == thing("a")
    assert str(source.place(("info",))) == f"{host.url}/p.md:16:1"


def test_reports_problems_of_a_fetched_page_with_its_address(host):
    """The address keeps both slashes, so that it can be opened."""
    host.answers["/p.md"] = page("openapi: 3.0.3\ninfo: {title: x}\npaths: {}")

    message = refused(lambda: Reader(LIMIT).read([f"{host.url}/p.md"]))

    assert message == f"{host.url}/p.md:16:1: 'version' is missing"


def test_fetches_only_pages_on_the_host_of_an_index(host):
    others = "https://localhost/x.md https://127.0.0.1:1/x.md //localhost/x.md https://[bad/x.md".split()
    others += [f"http://127.0.0.1:{host.port}/x.md", f"https://127.0.0.1:{host.port}@localhost/x.md"]
    links = [f"{host.url}/docs/a.md", "b.md", "/words.md", "/logo.png", *others]
    host.answers["/docs/llms.txt"] = "".join(f"- [x]({link})\n" for link in links)
    host.answers["/docs/a.md"] = page(thing("a"))
    host.answers["/docs/b.md"] = page(thing("b"))
    host.answers["/words.md"] = "# Words\n"
    reader = Reader(LIMIT)

    sources = reader.read([f"{host.url}/docs/llms.txt"])

    assert [source.name for source in sources] == [f"{host.url}/docs/a.md", f"{host.url}/docs/b.md"]
    assert host.asked == ["/docs/llms.txt", "/docs/a.md", "/docs/b.md", "/words.md"]
    assert "6 of its links lead to other hosts and were not followed" in str(reader.notes[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "where", ["/there", "http://127.0.0.1/there", "https://localhost/there", "file:///etc/hostname"]
)
def test_follows_no_redirect(host, where):
    host.answers["/p.md"] = PreparedResponse(302, headers=(("Location", where),))

    message = refused(lambda: fetch(f"{host.url}/p.md", LIMIT))

    todo = "responds with 302, and redirects are not followed; give the target address"
    assert message == f"{host.url}/p.md: {todo}"
    assert host.asked == ["/p.md"]


@pytest.mark.parametrize("headers", [(), (("Content-Length", str(1 << 40)),)])
def test_reads_no_more_than_the_limit(host, headers):
    """The received bytes are counted; the declared length does not matter."""
    host.answers["/p.md"] = PreparedResponse(body=[b"x" * (LIMIT + 1)], headers=headers)

    assert refused(lambda: fetch(f"{host.url}/p.md", LIMIT)) == (
        f"{host.url}/p.md: is larger than 65,536 bytes; raise --max-size"
    )


@pytest.mark.slow
def test_a_slow_response_times_out(host):
    """A server that sends a byte now and then would otherwise block the command forever."""
    host.answers["/p.md"] = PreparedResponse(body=[b"x"] * 100)

    assert "took longer than 0 seconds" in refused(lambda: fetch(f"{host.url}/p.md", LIMIT, seconds=0.1))


@pytest.mark.parametrize(
    "address",
    "http://127.0.0.1/p.md ftp://h/p.md file:///etc/hostname https:// https://[ https://h:x/p".split(),
)
def test_fetches_nothing_but_https(address):
    """The address is refused before a socket is opened."""
    assert refused(lambda: fetch(address, LIMIT)) == (
        f"{address}: only https:// addresses are fetched; give one, or a file"
    )


def test_never_sends_or_prints_a_password(host):
    message = refused(lambda: fetch(f"https://user:sk_canary@127.0.0.1:{host.port}/p.md", LIMIT))

    assert message == "127.0.0.1: addresses with a password are not fetched; remove the password"
    assert host.asked == []


def test_rejects_a_certificate_that_no_authority_issued(host, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")

    assert refused(lambda: fetch(f"{host.url}/p.md", LIMIT)) == (
        f"{host.url}/p.md: cannot be fetched: self-signed certificate"
    )


def test_rejects_a_certificate_for_another_name(host):
    message = refused(lambda: fetch(f"https://localhost:{host.port}/p.md", LIMIT))

    assert "cannot be fetched: Hostname mismatch" in message


def test_reports_the_status_or_the_connection_error(host):
    host.answers["/broken.md"] = PreparedResponse(500)
    with pytest.raises(SetupError) as raised:
        Reader(LIMIT).read([f"{host.url}/gone.md", f"{host.url}/broken.md", "https://127.0.0.1:1/x.md"])

    assert [str(problem) for problem in raised.value.problems] == [
        f"{host.url}/gone.md: responds with 404; check the address",
        f"{host.url}/broken.md: responds with 500; check the address",
        "https://127.0.0.1:1/x.md: cannot be fetched: Connection refused",
    ]
