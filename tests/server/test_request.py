"""The request as a handler gets it: `relay.Request`."""

import dataclasses
import hashlib

import pytest

from relay import Request
from relay.server.proxies import TrustedProxies
from support.hosting import ask, calling, contract, operation

HEADERS = [
    (b"host", b"shop.example:8080"),
    (b"cookie", b"session=secret; a=1"),
    (b"authorization", b"Bearer secret"),
    (b"x-a", b"1"),
    (b"x-a", b"\xe9"),
]


def request(*headers, body=b"", proxies=None, **scope):
    """Return a request with more header lines and other parts of an ASGI scope."""
    found = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"x=%31&y",
        "headers": [*HEADERS, *headers],
        "client": ("192.0.2.1", 4711),
        "relay.operation": "take",
        **scope,
    }
    return Request(found, body, *([proxies] if proxies else []))


def test_shows_what_was_sent():
    found = request(body=b'{"a": 1}')
    assert (found.method, found.path, found.query) == ("POST", "/a b", "x=%31&y")
    assert found.url == "http://shop.example:8080/a%20b?x=%31&y"
    assert (found.client, found.operation_id, found.body) == ("192.0.2.1", "take", b'{"a": 1}')


def test_headers_are_found_in_any_case():
    """RFC 9110 section 5.1; several lines are one list (section 5.3)."""
    headers = request().headers

    assert headers["X-A"] == "1, é"
    assert headers.getlist("x-A") == ["1", "é"]
    assert headers.getlist("x-b") == []
    assert headers.get("X-B") is None
    assert "X-a" in headers
    assert list(headers) == ["host", "cookie", "authorization", "x-a"]
    assert len(headers) == 4
    with pytest.raises(KeyError):
        headers["Straße"]


def test_cookies_have_their_first_value():
    """RFC 6265 section 5.4: the most specific one comes first."""
    assert request((b"cookie", b"a=2")).cookies == {"session": "secret", "a": "1"}


def test_has_no_secrets_in_its_representation():
    shown = repr([request(body=b"secret"), request().headers])
    assert shown == "[<Request POST of take>, <Headers host, cookie, authorization, x-a>]"


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        request().scope = {}


def test_behind_a_trusted_proxy_it_is_the_clients():
    lines = [
        (b"x-forwarded-for", b"203.0.113.5"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"shop"),
    ]

    trusted = request(*lines, proxies=TrustedProxies(["192.0.2.1"]))
    assert (trusted.client, trusted.url) == ("203.0.113.5", "https://shop/a%20b?x=%31&y")
    unknown = request(*lines)
    assert (unknown.client, unknown.url) == ("192.0.2.1", "http://shop.example:8080/a%20b?x=%31&y")


def test_a_scope_without_a_raw_path_has_an_encoded_one():
    assert request(raw_path=None, query_string=b"").url == "http://shop.example:8080/a%20b"


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        (None, "text/csv"),
        ("*/*", "text/csv"),
        ("application/json", "application/json"),
        ("text/*;q=0.5, application/json;q=0.9", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("image/png", None),
        ("", None),
    ],
)
def test_says_what_the_client_prefers(accept, preferred):
    found = request(*([(b"accept", accept.encode())] if accept is not None else []))
    assert found.preferred("text/csv", "application/json; charset=utf-8".partition(";")[0]) == preferred
    assert found.accepts("text/csv") is (accept in (None, "*/*") or "text/*" in accept)
    assert found.preferred() is None


BODY = {
    "required": True,
    "content": {"application/json": {"schema": {}}, "multipart/form-data": {"schema": {"type": "object"}}},
}
THINGS = """
    import hashlib

    def take(body, request):
        try:
            return hashlib.sha256(request.body).hexdigest()
        except RuntimeError as exc:
            return str(exc)

    def show(request):
        return [request.method, request.url, request.operation_id]

    def other(**kwargs):
        return sorted(kwargs)

    def named(request=None):
        return request
"""
NAMED = [{"name": "request", "in": "query", "schema": {"type": "integer"}}]
DOCUMENT = contract(
    {
        "/a": {"post": operation("take", requestBody=BODY), "get": operation("show")},
        "/b": {"get": operation("other"), "put": operation("named", parameters=NAMED)},
    }
)


async def test_the_body_is_byte_for_byte_what_was_sent(hosted):
    """A signature is over the bytes, and JSON has many spellings of a value."""
    sent = b' { "a" : 1.0 , "b":"\\u00e9" } '
    headers = {"Content-Type": "application/json"}
    response = await ask(hosted(), method="POST", content=sent, headers=headers)
    assert response.json() == hashlib.sha256(sent).hexdigest()


async def test_a_form_with_files_is_not_kept(hosted):
    """It may have gigabytes; the message says what there is."""
    kept = (await ask(hosted(), method="POST", files={"a": b"1"})).json()
    assert kept.startswith("multipart forms, uploads and streams are not kept as they were sent; use the arg")


async def test_only_a_handler_that_names_it_gets_it(hosted):
    async with calling(hosted()) as client:
        assert (await client.get("/a?x=1")).json() == ["GET", "http://test/a?x=1", "show"]
        assert "request" not in (await client.get("/b")).json()
        assert (await client.put("/b?request=5")).json() == 5


async def test_a_collaborator_with_the_name_wins(hosting):
    init = "def collaborators(settings):\n    return {'request': 'mine'}\n"
    things = "def show(request):\n    return request\n"
    application = hosting(contract({"/a": {"get": operation("show")}}), init=init, things=things)
    assert (await ask(application)).json() == "mine"
