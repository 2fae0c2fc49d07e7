"""Defects of Connexion 3.3 with requests, and things that no request may do: raw bytes on a real socket.

Every row says what is sent and what is answered; that what was sent stands in no answer and no line
of the log, even at debug, is asserted for all of them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from relay.contract_tests.secret_spellings import Spellings
from support import echoing
from support.hosting import SECRET, bearer
from support.running import Service, logged, serving
from support.wire import Answer, exchange, request

pytestmark = pytest.mark.slow

CANARY = "cnry-5a1f0c7e93b24d68"
"""Sent with every request, where nothing asks for it."""

BODY_LIMIT = 200_000


class Stage(NamedTuple):
    """A service, and the file that it logs to."""

    service: Service
    log: Path

    def answers(self, *sent: bytes) -> list[Answer]:
        """Send some bytes on a connection of their own; nothing secret comes out, and no client is redirected."""
        found = exchange(self.service.url, *sent)
        secrets = Spellings([CANARY])
        for answer in found:
            assert not secrets.are_in(answer.raw)
            assert not 300 <= answer.status < 400
            assert "location" not in answer.headers
        return found

    def answer(self, *sent: bytes) -> Answer:
        """Send one request; every answer has the headers that every answer has."""
        (found,) = self.answers(*sent)
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["x-request-id"]
        return found

    def given(self, sent: bytes) -> Any:
        """Send a request that is taken, and return what the handler was given."""
        answer = self.answer(sent)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def refusal(self, sent: bytes, *hidden: str) -> dict[str, Any]:
        """Send a request that is refused, and return the problem; what is hidden stands nowhere."""
        answer = self.answer(sent)
        assert answer.headers["content-type"] == "application/problem+json", answer.raw
        written = answer.body.decode() + logged(self.log)
        for secret in hidden:
            assert secret not in written
        problem = json.loads(answer.body)
        assert problem["status"] == answer.status
        return problem

    def breaches(self, sent: bytes, *hidden: str) -> list[tuple[str, str, str]]:
        """Send a request that breaks the contract, and return where and how: location, path, rule."""
        problem = self.refusal(sent, *hidden)
        assert (problem["status"], problem["code"]) == (400, "VALIDATION_ERROR"), problem
        return [(one["in"], one["path"], one["rule"]) for one in problem["errors"]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory) -> Iterator[Stage]:
    """Everything that a contract can ask for, served in a process of its own, with a log of everything."""
    folder = tmp_path_factory.mktemp("defects")
    variables = {"RELAY_JWT_SECRET": SECRET, "RELAY_LOG_LEVEL": "debug", "RELAY_BODY_LIMIT": str(BODY_LIMIT)}
    with serving(folder, *echoing.write(folder), **variables) as service:
        stage = Stage(service, folder / "stderr.log")
        yield stage
        assert not Spellings([CANARY]).are_in(logged(stage.log).encode())


def get(target: str, *headers: tuple[str, str | bytes]) -> bytes:
    return request("GET", target, None, ("X-Unused", CANARY), *headers)


def post(target: str, body: bytes, content_type: str | None, *headers: tuple[str, str | bytes]) -> bytes:
    typed = [] if content_type is None else [("Content-Type", content_type)]
    return request("POST", f"{target}?unused={CANARY}", body, *typed, *headers)


JSON, FORM, PARTS = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"


def part(name: str, content: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--b--\r\n' % (
        name.encode(),
        content,
    )


# --- Numbers -------------------------------------------------------------------------------------

WRITTEN = {
    "query": (lambda text: get(f"/query?integer={quote(text, safe='')}"), "query", "/integer"),
    "path": (lambda text: get(f"/path/{quote(text, safe='')}"), "path", "/integer"),
    "header": (lambda text: get("/headers", ("X-Integer", text)), "header", "/X-Integer"),
    "cookie": (lambda text: get("/cookies", ("Cookie", f"a=b; integer={text}")), "cookie", "/integer"),
    "deepObject": (lambda text: get(f"/query?filter[at]={quote(text, safe='')}"), "query", "/filter/at"),
    "element": (lambda text: get(f"/query?ids=1&ids={quote(text, safe='')}"), "query", "/ids/1"),
    "joined": (lambda text: get(f"/query?form=1,{quote(text, safe='')}"), "query", "/form/1"),
    "form": (lambda text: post("/form", b"size=" + quote(text, safe="").encode(), FORM), "body", "/size"),
    "part": (lambda text: post("/parts", part("size", text.encode()), PARTS), "body", "/size"),
}
"""An integer in each place that a request has for one: how it is written there, and where it is missed."""

NOT_INTEGERS = ["1_0", "\N{FULLWIDTH DIGIT ONE}", "1 0", "1\N{NO-BREAK SPACE}", "true", "1" * 5000]
"""Of each kind one; `tests/validation/test_parameters.py` has the others."""


@pytest.mark.parametrize("place", WRITTEN)
@pytest.mark.parametrize("text", NOT_INTEGERS, ids=ascii)
def test_an_integer_has_one_spelling_everywhere(stage, place, text):
    """Connexion takes what Python's `int` takes, and in headers and cookies nothing at all."""
    write, location, path = WRITTEN[place]
    hidden = [text] if len(text) > 2 and text not in ("true", "null") else []
    assert stage.breaches(write(text), *hidden) == [(location, path, "type")]


@pytest.mark.parametrize("place", WRITTEN)
@pytest.mark.parametrize("text", ["-0", "7", "9" * 100])
def test_an_integer_is_taken_everywhere(stage, place, text):
    write, location, path = WRITTEN[place]
    value = stage.given(write(text))
    for step in ["body", "size"] if location == "body" else path.lower().replace("x-", "x_")[1:].split("/"):
        value = value[int(step) if isinstance(value, list) else step]
    assert value == int(text)


# --- What is taken -------------------------------------------------------------------------------

THING = b'{"size":1}'


def request_line(sent: object) -> str | None:
    return ascii(sent.split(b"\r\n")[0][:80]) if isinstance(sent, bytes) else None


TARGETS = [
    ("/query?", {}),
    ("/query?=1&&unknown=1", {}),
    ("/query?either=7", {"either": 7}),
    ("/query?string=a+b%2Bc", {"string": "a b+c"}),
    ("/query?string=a;b=c", {"string": "a;b=c"}),
    ("/query?pipe=1|2", {"pipe": [1, 2]}),
    ("/query?words=a,,b", {"words": ["a", "", "b"]}),
    ("/query?filter%5Bsize%5D%5Bx%5D=1", {"filter": {"size": {"x": 1}}}),
    ("/label/.1,2", {"ids": [1, 2]}),
    ("/matrix/;ids=1;ids=2", {"ids": [1, 2]}),
    ("/files/a%2Fb", {"name": "a/b"}),
    ("/files/..", {"name": ".."}),
    ("/files/a;b=c", {"name": "a;b=c"}),
    ("http://other.example:99/files/a?x=y", {"name": "a"}),
    ("/query?string=" + "a" * 30_000, {"string": "a" * 30_000}),
]
"""An encoded slash separates nothing, nor does a semicolon; another address in the target means nothing."""

HEADERS = [
    ([("X-Integer", " \t1 ")], {"x_integer": 1}),
    ([("x-iNTEGER", "1")], {"x_integer": 1}),
    ([("X-Ids", "1, 2"), ("X-Ids", "3")], {"x_ids": [1, 2, 3]}),
    ([("X-Point", "x=1,y=2")], {"x_point": {"x": 1, "y": 2}}),
    ([("X-Text", b"\xe9\xff")], {"x_text": "éÿ"}),
]
"""Bytes beyond ASCII are what they are, as RFC 9110 section 5.5 leaves them."""

COOKIES = [
    ("integer=1", {"integer": 1}),
    (f"a={CANARY};integer=1;;", {"integer": 1}),
    ("integer", {}),
    ("=1; b", {}),
]

BODIES = [
    (b'\t\r\n {"size":1}\n', {"size": 1}),
    (b'{"size":1,"ratio":1E-400}', {"size": 1, "ratio": 0.0}),
    (b'{"size":1,"name":"\x7f\xe2\x80\xa8"}', {"size": 1, "name": "\x7f\u2028"}),
    (b'{"size":1,"name":"\\ud83d\\ude00"}', {"size": 1, "name": "\N{GRINNING FACE}"}),
]

SPELLINGS = [
    "application/json", "APPLICATION/JSON", "application/json;charset=utf-8", "application/json ; charset=utf-8",
    'application/json; charset="UTF-8"', "application/json; Charset=utf8", "application/json;",
    "application/json; version=1; charset=us-ascii", f'application/json; a="{CANARY}; charset=latin-1"',
]  # fmt: skip
"""Validator and handler read a media type alike, whatever the case and the spaces."""


def test_a_body_that_is_not_documented_says_nothing(stage):
    first = request("GET", "/thing", b'{"size": NaN}', close=False)
    assert [answer.status for answer in stage.answers(first + get("/query?integer=1"))] == [200, 200]


# --- What breaks the contract ----------------------------------------------------------------------

QUERY_BREACHES = [
    ("integer=1&integer=2", "/integer", "style"),
    ("integer=1;number=2", "/integer", "type"),
    ("integer[]=1&integer=a", "/integer", "type"),
    ("ids=", "/ids/0", "type"),
    ("form=1,,2", "/form/1", "type"),
    ("form=1&form=2", "/form", "style"),
    ("space=1%20%202", "/space/1", "type"),
    ("pipe=|1", "/pipe/0", "type"),
    ("filter[at]=1&filter[at]=2", "/filter/at", "type"),
    ("filter[size][x][y]=1", "/filter/size/x", "type"),
    ("json=" + "[" * 5000, "/json", "json"),
    ("string=%4", "", "encoding"),
    ("string=%C0%AF", "", "encoding"),
]
"""Connexion answers 500 to them, drops them, or takes the last; or two readers could read two values."""

HEADER_BREACHES = [
    ([("X-Integer", "1"), ("X-Integer", "1")], "/X-Integer", "type"),
    ([("X-Integer", b"\xef\xbc\x91")], "/X-Integer", "type"),
    ([("X-Integer", b"\xb2")], "/X-Integer", "type"),
    ([("X-Ids", "1,,2")], "/X-Ids/1", "type"),
    ([("X-Ids", "1,")], "/X-Ids/1", "type"),
    ([("X-Point", f"{CANARY}")], "/X-Point", "style"),
    ([("X-Text", CANARY * 2)], "/X-Text", "maxLength"),
]

COOKIE_BREACHES = [
    ([("Cookie", "integer=1; integer=2")], "/integer", "style"),
    ([("Cookie", "integer=1")] * 2, "/integer", "style"),
    ([("Cookie", 'integer="1"')], "/integer", "type"),
    ([("Cookie", "integer=%31")], "/integer", "type"),
    ([("Cookie", b"integer=\xff")], "/integer", "type"),
    ([("Cookie", "ids=1; ids=2")], "/ids", "style"),
]
"""Two of a name are no value: which of them counts, readers disagree on."""

BODY_BREACHES = [
    ("/json", JSON, b"null", "", "type"),
    ("/json", JSON, b'{"size":"' + CANARY.encode() + b'"}', "/size", "type"),
    ("/parts", PARTS, part("name", b"a")[:-6], "", "format"),
    ("/text", "text/plain", b"\xff", "", "format"),
    ("/form", FORM, b"size=1;name=2", "/size", "type"),
    ("/parts", PARTS, part("other", CANARY.encode()), "/other", "additionalProperties"),
    ("/parts", PARTS, part("thing", b'{"size":"' + CANARY.encode() + b'"}'), "/thing/size", "type"),
]


@pytest.mark.parametrize(
    ("sent", "breach"),
    [
        *((get(f"/query?{query}&unused={CANARY}"), ("query", *at)) for query, *at in QUERY_BREACHES),
        *((get("/headers", *headers), ("header", *at)) for headers, *at in HEADER_BREACHES),
        *((get("/cookies", *cookies), ("cookie", *at)) for cookies, *at in COOKIE_BREACHES),
        *((post(path, body, content_type), ("body", *at)) for path, content_type, body, *at in BODY_BREACHES),
    ],
    ids=request_line,
)  # fmt: skip
def test_refuses_what_breaks_the_contract(stage, sent, breach):
    assert stage.breaches(sent) == [breach]


NOT_JSON = [
    (b'{"size":1,"any":[{"a":1,"\\u0061":2}]}', "an object contains a duplicate key"),
    (b'{\n"size":\n01}', "not JSON: line 3, column 2"),
    (CANARY.encode(), "not JSON: line 1, column 1"),
]
"""Of each kind one; `tests/validation/test_json_strict.py` has the others."""


@pytest.mark.parametrize("path", ["/json", "/optional", "/blocking"])
@pytest.mark.parametrize(("body", "reason"), NOT_JSON)
def test_refuses_json_that_parsers_disagree_on(stage, path, body, reason):
    """Connexion takes most of it and answers 500 to the rest. We say what is wrong and where, and no more."""
    problem = stage.refusal(post(path, body, JSON))
    (breach,) = problem["errors"]
    assert (problem["status"], breach["in"], breach["path"], breach["rule"]) == (400, "body", "", "format")
    assert breach["message"].startswith(reason)


# --- What is refused for something else ------------------------------------------------------------

MEDIA_TYPES = [
    None,
    ";",
    "*/*",
    "text/json",
    "application/json; charset=",
    "application/json; charset=\xff",
    CANARY,
]
"""Connexion skips the validation of some, and takes a body without one."""

PATHS = [
    "/thing/",
    "//thing",
    "/x/../thing",
    "/Thing",
    "/thing;a=b",
    "//other.example/thing",
    "*",
    f"/{CANARY}",
    "/docs/",
]
"""Each is another path than it resembles; a redirect would be built from the client's own words."""

NO_TEXT = ["%4", "a%00b", "%ff"]
CHUNKS = b"a\r\n" + THING + b"\r\n0\r\n\r\n"
LARGE_CHUNK = b"%x\r\n%s\r\n" % (BODY_LIMIT + 1, b" " * (BODY_LIMIT + 1))
UNSUPPORTED, TOO_LARGE = (415, "UNSUPPORTED_MEDIA_TYPE"), (413, "BODY_TOO_LARGE")
UNAUTHENTICATED = (401, "UNAUTHENTICATED")
TOKEN, LONG_KEY = ("Authorization", bearer({"sub": "u"})["Authorization"]), "a" * 9000
TRAILER = b"0\r\nAuthorization: %s\r\n\r\n" % TOKEN[1].encode()


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        *((post("/json", THING, content_type), UNSUPPORTED) for content_type in MEDIA_TYPES),
        *((post("/json", THING, JSON, ("Content-Type", one)), UNSUPPORTED) for one in (JSON, "text/plain")),
        *((post("/json", THING, JSON, ("Content-Encoding", encoding)), UNSUPPORTED) for encoding in ("gzip", "identity, gzip", CANARY)),
        # Chunks are unpacked, nothing else is: who unpacks it sees another body.
        (post("/json", CHUNKS, JSON, ("Transfer-Encoding", "gzip, chunked")), UNSUPPORTED),
        # Connexion takes a body of any length; one that says its length is refused before it is sent.
        (post("/json", b"", JSON, ("Content-Length", str(BODY_LIMIT + 1))), TOO_LARGE),
        (post("/json", LARGE_CHUNK, JSON, ("Transfer-Encoding", "chunked")), TOO_LARGE),
        *((get(path, ("X-Forwarded-Host", CANARY)), (404, "NOT_FOUND")) for path in PATHS),
        *((get(f"/files/{name}"), (400, "MALFORMED_PATH")) for name in NO_TEXT),
        (b"GET /thing HTTP/1.1\r\nConnection: close\r\n\r\n", (400, "AMBIGUOUS_HOST")),
        # Routing comes before authentication, and that before validation.
        (get("/token/nope"), (404, "NOT_FOUND")),
        (request("PUT", "/token"), (405, "METHOD_NOT_ALLOWED")),
        (get(f"/token?integer={CANARY}"), UNAUTHENTICATED),
        (get(f"/token?integer={CANARY}", TOKEN), (400, "VALIDATION_ERROR")),
        # A credential in a trailer is none.
        (request("GET", "/token", TRAILER, ("Transfer-Encoding", "chunked")), UNAUTHENTICATED),
        *((get("/key", ("X-Key", key)), UNAUTHENTICATED) for key in ("", "wrong", CANARY, b"\xff", LONG_KEY)),
    ],
    ids=request_line,
)  # fmt: skip
def test_refuses_a_request_with_its_reason(stage, sent, error):
    problem = stage.refusal(sent)
    assert (problem["status"], problem["code"]) == error


# --- Methods ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["OPTIONS", "TRACE", "CONNECT", "POST", "PUT", "PATCH", "PROPFIND", "PURGE", "M-SEARCH"]
)
def test_a_path_has_the_methods_of_the_contract(stage, method):
    """A preflight is no exception: CORS is off. The whole `Allow`, where Connexion names the first."""
    asked = [("Origin", "https://other.example"), ("Access-Control-Request-Method", "DELETE")]
    answer = stage.answer(request(method, "/thing", None, *asked))
    assert (answer.status, answer.headers["allow"]) == (405, "DELETE, GET, HEAD")
    assert not any(name.startswith("access-control") for name in answer.headers)


# --- Framing ---------------------------------------------------------------------------------------

CHUNKED = b"Transfer-Encoding: chunked\r\n"


def framed(head: bytes, body: bytes = THING, method: bytes = b"POST", version: bytes = b"HTTP/1.1") -> bytes:
    """Write a request to /json down with headers as they are."""
    fixed = (
        b"Host: test\r\nConnection: close\r\nContent-Type: application/json\r\nX-Unused: " + CANARY.encode()
    )
    return b"%s /json %s\r\n%s\r\n%s\r\n%s" % (method, version, fixed, head, body)


@pytest.mark.parametrize(
    "sent",
    [
        framed(b"Content-Length: 10\r\nContent-Length: 10\r\n"),
        framed(b"Content-Length: 10\r\nContent-Length: 11\r\n"),
        framed(b"Content-Length: 10, 10\r\n"),
        framed(b"Content-Length: 10\r\n" + CHUNKED, CHUNKS),
        framed(CHUNKED + b"Content-Length: 10\r\n", CHUNKS),
        *(framed(b"Content-Length: " + length + b"\r\n") for length in (b"-1", b"+10", b"1_0", b"0xa", b"1e1", b"9" * 30)),
        *(framed(b"Transfer-Encoding: " + coding + b"\r\n", CHUNKS) for coding in (b"gzip", b"xchunked", b"chunked, gzip")),
        framed(b"Transfer-Encoding : chunked\r\n", CHUNKS),
        framed(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS),
        *(framed(CHUNKED, size + b"\r\n" + THING + b"\r\n0\r\n\r\n") for size in (b"-a", b"+a", b"0xa", b"zz", b"f" * 20, b"")),
        framed(CHUNKED, b"5\r\n" + THING + b"\r\n0\r\n\r\n"),
        framed(CHUNKED, b"a\n" + THING + b"\n0\n\n"),
        framed(b"X-Folded: a\r\n b\r\nContent-Length: 10\r\n"),
        framed(b"X-Nul: a\0b\r\nContent-Length: 10\r\n"),
        framed(b"X-Line: a\rb\r\nContent-Length: 10\r\n"),
        framed(b"X-\xff: a\r\nContent-Length: 10\r\n"),
        framed(b": a\r\nContent-Length: 10\r\n"),
        framed(b"no colon\r\nContent-Length: 10\r\n"),
        framed(b"Content-Length: 10\r\n", method=b"post"),
        framed(b"Content-Length: 10\r\n", method=b"BOGUS"),
        framed(b"Content-Length: 10\r\n", method=b"PO\0ST"),
        framed(b"Content-Length: 10\r\n", version=b"HTTP/1.12"),
        framed(b"Content-Length: 10\r\n", version=b"HTTP/9"),
        framed(b"Content-Length: 10\r\n", version=b"http/1.1"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" + framed(b"Content-Length: 10\r\n"),
        b"\r\n\r\n\0" + framed(b"Content-Length: 10\r\n"),
        b"GET /th\xc3\xa9 HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET thing HTTP/1.1\r\nHost: test\r\n\r\n",
        b"CONNECT test:443 HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /thing HTTP/1.1\nHost: test\n\n",
        b"GET /?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: test\r\n\r\n",
    ],
)  # fmt: skip
def test_refuses_what_a_proxy_could_read_as_something_else(stage, sent):
    """One answer, and the connection is closed: what follows is never read as a request."""
    (answer,) = stage.answers(sent + get("/thing"))
    assert answer.status == 400
    assert answer.headers["connection"] == "close"


LENGTH = b"Content-Length: 10\r\n"
FRAMED = [
    framed(CHUNKED, CHUNKS),
    framed(CHUNKED, b"a;name=value\r\n" + THING + b"\r\n0\r\n\r\n"),
    framed(CHUNKED, b'A;n="v"\r\n' + THING + b"\r\n000\r\n\r\n"),
    framed(CHUNKED, b"1\r\n{\r\n9\r\n" + THING[1:] + b"\r\n0\r\n\r\n"),
    framed(CHUNKED, b"a\r\n" + THING + b"\r\n0\r\nX-Trailer: a\r\nHost: other\r\nContent-Type: text/plain\r\n\r\n"),
    framed(LENGTH + b"Expect: nothing\r\n"),
    framed(b"Content-Length:   10  \r\n"),
    b"\r\n\r\n" + framed(LENGTH),
]  # fmt: skip
"""Connexion refuses a required body in chunks; what comes behind the last chunk is no header."""

OVERRIDES = [
    *([(name, "DELETE")] for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")),
    *([(name, "/nope")] for name in ("X-Original-URL", "X-Rewrite-URL")),
    [("X-Forwarded-Host", CANARY)],
    [("X-Forwarded-Prefix", "/nope"), ("X-Forwarded-Proto", "https")],
    [("Forwarded", f"host={CANARY}")],
]
"""No header overrides the request line."""


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        *((get(target), value) for target, value in TARGETS),
        *((get("/headers", *headers), value) for headers, value in HEADERS),
        *((get("/cookies", ("Cookie", cookie)), value) for cookie, value in COOKIES),
        *((post("/json", body, JSON), {"body": value}) for body, value in BODIES),
        *((post("/json", THING, content_type), {"body": {"size": 1}}) for content_type in SPELLINGS),
        *((sent, {"body": {"size": 1}}) for sent in FRAMED),
        *((request("GET", "/path/1?_method=DELETE", None, *sent), {"integer": 1}) for sent in OVERRIDES),
    ],
    ids=request_line,
)  # fmt: skip
def test_takes_what_is_written_as_the_contract_says(stage, sent, value):
    assert stage.given(sent) == value
