"""What Connexion 3.3 gets wrong with a request, and what no request may do: raw bytes on a real socket.

Every row says what is sent and what is answered; that what was sent stands in no answer and no line
of the log, even at debug, is asserted for all of them. `HELD` names, for each defect of Connexion
that does not show in raw bytes, the test elsewhere that holds it off.
"""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import pytest

from relay.contract_tests.secret_spellings import Spellings
from support import echoing
from support.hosting import SECRET, bearer
from support.running import logged, serving
from support.wire import connect, exchange, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.running import Service
    from support.wire import Answer

CANARY = "cnry-5a1f0c7e93b24d68"
"""Sent with every request, where nothing asks for it."""

BODY_LIMIT = 200_000


class Stage(NamedTuple):
    """A service, and the file that it logs to."""

    service: Service
    log: Path

    def answers(self, *sent: bytes) -> list[Answer]:
        """Send some bytes on a connection of their own; nothing secret comes out, and nobody is redirected."""
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
    variables = {
        "RELAY_JWT_SECRET": SECRET,
        "RELAY_LOG_LEVEL": "debug",
        "RELAY_BODY_LIMIT": str(BODY_LIMIT),
    }
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

NOT_INTEGERS = [
    "1_0", "+1", "1.0", "01", "0x1", "\N{FULLWIDTH DIGIT ONE}", "\N{ARABIC-INDIC DIGIT THREE}", "1 0", "1e2",
    "1e400", "NaN", "Infinity", "--1", "-", "1\N{NO-BREAK SPACE}", "true", "null", "1" * 101, "1" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("place", WRITTEN)
@pytest.mark.parametrize("text", NOT_INTEGERS, ids=ascii)
def test_an_integer_has_one_spelling_everywhere(stage, place, text):
    """Connexion takes what Python's `int` takes, and in headers and cookies nothing at all."""
    write, location, path = WRITTEN[place]
    hidden = [text] if len(text) > 2 and text not in ("true", "null") else []

    assert stage.breaches(write(text), *hidden) == [(location, path, "type")]


@pytest.mark.parametrize("text", [" 1", "1 ", "\t1"])
@pytest.mark.parametrize("place", sorted({*WRITTEN} - {"header", "cookie"}))
def test_space_is_no_part_of_an_integer(stage, place, text):
    """But around the values of headers and cookies, where it belongs to the writing."""
    write, location, path = WRITTEN[place]

    assert stage.breaches(write(text)) == [(location, path, "type")]


@pytest.mark.parametrize("place", sorted({*WRITTEN} - {"path"}))
def test_nothing_is_no_integer(stage, place):
    """In a path it is another path."""
    write, location, path = WRITTEN[place]

    assert stage.breaches(write("")) == [(location, path, "type")]


@pytest.mark.parametrize("place", WRITTEN)
@pytest.mark.parametrize("text", ["0", "-0", "-1", "7", "18446744073709551616", "9" * 100])
def test_an_integer_is_taken_everywhere(stage, place, text):
    """And given back, however large."""
    write, _, path = WRITTEN[place]
    value = stage.given(write(text))
    for step in (
        path.lower().replace("x-", "x_")[1:].split("/") if place not in ("form", "part") else ["body", "size"]
    ):
        value = value[int(step) if isinstance(value, list) else step]

    assert value == int(text)


NOT_NUMBERS = ["1_0", "+1", "01", "0x1", "\N{FULLWIDTH DIGIT ONE}", " 1", "1e400", "-1e400", "NaN", "Infinity",
               "-Infinity", "", ".5", "5.", "1e", "1e4000000000"]  # fmt: skip


@pytest.mark.parametrize("text", NOT_NUMBERS, ids=ascii)
def test_a_number_has_the_spelling_of_json(stage, text):
    assert stage.breaches(get(f"/query?number={quote(text, safe='')}")) == [("query", "/number", "type")]


# --- Queries -------------------------------------------------------------------------------------

TAKEN = [
    ("/query", {}),
    ("/query?", {}),
    ("/query?=1&&unknown=1", {}),
    ("/query?either=7", {"either": 7}),
    ("/query?either=ABC", {"either": "ABC"}),
    ("/query?string=", {"string": ""}),
    ("/query?string=a+b%2Bc", {"string": "a b+c"}),
    ("/query?string=a;b=c", {"string": "a;b=c"}),
    ("/query?ids=1&ids=2", {"ids": [1, 2]}),
    ("/query?form=1,2", {"form": [1, 2]}),
    ("/query?form=1%2C2", {"form": [1, 2]}),
    ("/query?form=", {"form": []}),
    ("/query?space=1%202", {"space": [1, 2]}),
    ("/query?space=1+2", {"space": [1, 2]}),
    ("/query?pipe=1|2", {"pipe": [1, 2]}),
    ("/query?pipe=1%7C2", {"pipe": [1, 2]}),
    ("/query?words=", {"words": []}),
    ("/query?words=a,,b", {"words": ["a", "", "b"]}),
    ("/query?filter[size][x]=1&filter[at]=2", {"filter": {"size": {"x": 1}, "at": 2}}),
    ("/query?filter%5Bsize%5D%5Bx%5D=1", {"filter": {"size": {"x": 1}}}),
    ("/query?filter[tags][]=a&filter[tags][]=", {"filter": {"tags": ["a", ""]}}),
    ('/query?json={"x":1}', {"json": {"x": 1}}),
    ("/label/.1,2", {"ids": [1, 2]}),
    ("/label/.", {"ids": []}),
    ("/matrix/;ids=1;ids=2", {"ids": [1, 2]}),
    ("/files/a%2Fb", {"name": "a/b"}),
    ("/files/..", {"name": ".."}),
    ("/files/%2e%2e%2fa", {"name": "../a"}),
    ("/files/a;b=c", {"name": "a;b=c"}),
    ("/files/%2541", {"name": "%41"}),
    ("http://other.example/files/a", {"name": "a"}),
    ("http://other.example:99/files/a?x=y", {"name": "a"}),
]


@pytest.mark.parametrize(("target", "value"), TAKEN)
def test_takes_what_is_written_as_the_contract_says(stage, target, value):
    """An encoded slash separates nothing, nor does a semicolon; another address in the target means nothing."""
    assert stage.given(get(target)) == value


REFUSED = [
    ("integer=1&integer=2", "/integer", "style"),
    ("integer=1&integer=1", "/integer", "style"),
    ("integer", "/integer", "type"),
    ("integer=1;number=2", "/integer", "type"),
    ("integer[]=1&integer=a", "/integer", "type"),
    ("string=a&string=b", "/string", "style"),
    ("boolean=True", "/boolean", "type"),
    ("boolean=1", "/boolean", "type"),
    ("boolean=", "/boolean", "type"),
    ("either=0", "/either", "pattern"),
    ("either=abc", "/either", "pattern"),
    ("either=1_0", "/either", "pattern"),
    ("either=", "/either", "pattern"),
    ("ids=", "/ids/0", "type"),
    ("ids=1,2", "/ids/0", "type"),
    ("form=1,,2", "/form/1", "type"),
    ("form=1&form=2", "/form", "style"),
    ("space=1%20%202", "/space/1", "type"),
    ("space=1,2", "/space/0", "type"),
    ("pipe=1||2", "/pipe/1", "type"),
    ("pipe=|1", "/pipe/0", "type"),
    ("filter=1", "/filter", "style"),
    ("filter[]=1", "/filter/", "additionalProperties"),
    ("filter[other]=1", "/filter/other", "additionalProperties"),
    ("filter[at]=1&filter[at]=2", "/filter/at", "type"),
    ("filter[size][x][y]=1", "/filter/size/x", "type"),
    ("filter[size]=1", "/filter/size", "type"),
    ("filter[size]=1&filter[size][x]=1", "/filter", "style"),
    ("filter[size][x]=1&filter[size]=1", "/filter", "style"),
    ("filter[at", "/filter", "style"),
    ("filter[at]x=1", "/filter", "style"),
    ("filter[[at]]=1", "/filter", "style"),
    ("filter" + "[a]" * 1000 + "=1", "/filter", "style"),
    ('json={"x":"a"}', "/json/x", "type"),
    ('json={"x":1,"x":2}', "/json", "json"),
    ("json={", "/json", "json"),
    ("json=" + "[" * 5000, "/json", "json"),
    ("string=%zz", "", "encoding"),
    ("string=%", "", "encoding"),
    ("string=%4", "", "encoding"),
    ("string=%C0%AF", "", "encoding"),
    ("string=%ED%A0%80", "", "encoding"),
    ("string=%F4%90%80%80", "", "encoding"),
    ("%ff=1", "", "encoding"),
    ("&a=b" * 1001, "", "encoding"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "path", "rule"), REFUSED)
def test_refuses_a_query_that_says_something_else(stage, query, path, rule):
    """What Connexion answers 500 to, drops, or takes the last of; and whatever two readers could read as two."""
    sent = get(f"/query?{query}&unused={CANARY}")

    assert stage.breaches(sent) == [("query", path, rule)]


def test_a_query_may_be_long(stage):
    assert stage.given(get("/query?string=" + "a" * 30_000)) == {"string": "a" * 30_000}


# --- Headers and cookies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ([("X-Integer", " \t1 ")], {"x_integer": 1}),
        ([("x-iNTEGER", "1")], {"x_integer": 1}),
        ([("X-Ids", "1, 2"), ("X-Ids", "3")], {"x_ids": [1, 2, 3]}),
        ([("X-Ids", "")], {"x_ids": []}),
        ([("X-Point", "x=1,y=2")], {"x_point": {"x": 1, "y": 2}}),
        ([("X-Text", b"\xe9\xff")], {"x_text": "éÿ"}),
    ],
)
def test_takes_headers_as_they_are_written(stage, headers, value):
    """Bytes beyond ASCII are what they are, as RFC 9110 section 5.5 leaves them."""
    assert stage.given(get("/headers", *headers)) == value


@pytest.mark.parametrize(
    ("headers", "path", "rule"),
    [
        ([("X-Integer", "1"), ("X-Integer", "1")], "/X-Integer", "type"),
        ([("X-Integer", b"\xef\xbc\x91")], "/X-Integer", "type"),
        ([("X-Integer", b"\xb2")], "/X-Integer", "type"),
        ([("X-Ids", "1,,2")], "/X-Ids/1", "type"),
        ([("X-Ids", "1,")], "/X-Ids/1", "type"),
        ([("X-Point", "x=1,x=2")], "/X-Point", "style"),
        ([("X-Point", "x,1")], "/X-Point", "style"),
        ([("X-Point", f"{CANARY}")], "/X-Point", "style"),
        ([("X-Text", CANARY * 2)], "/X-Text", "maxLength"),
    ],
)
def test_refuses_headers_that_say_something_else(stage, headers, path, rule):
    assert stage.breaches(get("/headers", *headers)) == [("header", path, rule)]


@pytest.mark.parametrize(
    ("cookie", "value"),
    [
        ("integer=1", {"integer": 1}),
        (f"a={CANARY};integer=1;;", {"integer": 1}),
        ("integer", {}),
        ("=1; b", {}),
        ("ids=1,2", {"ids": [1, 2]}),
        ("ids=", {"ids": []}),
    ],
)
def test_takes_cookies_as_they_are_written(stage, cookie, value):
    assert stage.given(get("/cookies", ("Cookie", cookie))) == value


@pytest.mark.parametrize(
    ("cookies", "path", "rule"),
    [
        (["integer=1; integer=2"], "/integer", "style"),
        (["integer=1; integer=1"], "/integer", "style"),
        (["integer=1", "integer=1"], "/integer", "style"),
        (['integer="1"'], "/integer", "type"),
        (["integer=%31"], "/integer", "type"),
        ([b"integer=\xff"], "/integer", "type"),
        (["ids=1,,2"], "/ids/1", "type"),
        (["ids=1; ids=2"], "/ids", "style"),
    ],
)
def test_refuses_cookies_that_say_something_else(stage, cookies, path, rule):
    """Two of a name are no value: which of them counts, readers disagree on."""
    assert stage.breaches(get("/cookies", *(("Cookie", one) for one in cookies))) == [("cookie", path, rule)]


# --- JSON ------------------------------------------------------------------------------------------

NOT_JSON = [
    (b'\xef\xbb\xbf{"size":1}', "not JSON: line 1, column 1"),
    ('{"size":1}'.encode("utf-16"), "not UTF-8: byte 0"),
    ('{"size":1}'.encode("utf-16-be"), "not JSON: line 1, column 1"),
    ('{"size":1}'.encode("utf-32-le"), "not JSON: line 1, column 2"),
    (b'{"size":1,"name":"\xff"}', "not UTF-8: byte 18"),
    (b'{"size":1,"name":"\xc0\xaf"}', "not UTF-8: byte 18"),
    (b'{"size":1,"name":"\xed\xa0\x80"}', "not UTF-8: byte 18"),
    (b'{"size":1,"size":1}', "an object contains a duplicate key"),
    (b'{"size":1,"any":[{"a":1,"\\u0061":2}]}', "an object contains a duplicate key"),
    (b'{"size":1,"name":"\\ud800"}', "a string contains a lone surrogate"),
    (b'{"size":1,"\\udfff":1}', "a string contains a lone surrogate"),
    (b'{"size":1,"name":"\0"}', "not JSON: line 1, column 19"),
    (b'{"size":' + b"1" * 101 + b"}", "an integer of more than 100 digits"),
    (b'{"size":' + b"1" * 5000 + b"}", "an integer of more than 100 digits"),
    (b'{"size":1,"ratio":1e400}', "a number too large to represent"),
    (b'{"size":1,"ratio":-1e400}', "a number too large to represent"),
    (b'{"size":NaN}', "NaN is not JSON"),
    (b'{"size":Infinity}', "Infinity is not JSON"),
    (b'{"size":-Infinity}', "-Infinity is not JSON"),
    (b'{"size":1,"any":' + b"[" * 200 + b"]" * 200 + b"}", "nested too deeply"),
    (b'{"size":1,"any":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}", "nested too deeply"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"a":' * 30_000, "nested too deeply"),
    (b'{"size":1}{}', "not JSON: line 1, column 11"),
    (b'{"size":1}\0', "not JSON: line 1, column 11"),
    (b'{"size":1} // size', "not JSON: line 1, column 12"),
    (b'/**/{"size":1}', "not JSON: line 1, column 1"),
    (b'{"size":1,}', "not JSON: line 1, column 1"),
    (b"{size:1}", "not JSON: line 1, column 2"),
    (b"{'size':1}", "not JSON: line 1, column 2"),
    (b'{\n"size":\n01}', "not JSON: line 3, column 2"),
    (b'{"size":+1}', "not JSON: line 1, column 9"),
    (b'{"size":0x1}', "not JSON: line 1, column 10"),
    (b'{"size":1,"ratio":.5}', "not JSON: line 1, column 19"),
    (b'{"size":1,"name":"a\nb"}', "not JSON: line 1, column 20"),
    (b'{"size":1,"name":"\\x41"}', "not JSON: line 1, column 19"),
    (b" \n ", "not JSON: line 2, column 2"),
    (CANARY.encode(), "not JSON: line 1, column 1"),
]  # fmt: skip


@pytest.mark.parametrize("path", ["/json", "/optional", "/blocking"])
@pytest.mark.parametrize(("body", "told"), NOT_JSON)
def test_refuses_json_that_parsers_disagree_on(stage, path, body, told):
    """Connexion takes most of it and answers 500 to the rest. We say what is wrong and where, and no more."""
    problem = stage.refusal(post(path, body, JSON))

    (breach,) = problem["errors"]
    assert (problem["status"], breach["in"], breach["path"], breach["rule"]) == (400, "body", "", "format")
    assert breach["message"].startswith(told)


@pytest.mark.parametrize(
    ("body", "path", "rule"),
    [
        (b"", "", "required"),
        (b"null", "", "type"),
        (b"[]", "", "type"),
        (b'"' + CANARY.encode() + b'"', "", "type"),
        (b"{}", "/size", "required"),
        (b'{"size":"' + CANARY.encode() + b'"}', "/size", "type"),
        (b'{"size":1.0}', "/size", "type"),
        (b'{"size":1e2}', "/size", "type"),
        (b'{"size":true}', "/size", "type"),
        (b'{"size":null}', "/size", "type"),
    ],
)
def test_holds_json_to_its_schema(stage, body, path, rule):
    """Types are those of JSON: true is no integer, and neither is 1.0."""
    assert stage.breaches(post("/json", body, JSON)) == [("body", path, rule)]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\t\r\n {"size":1}\n', {"size": 1}),
        (b'{"size":-0}', {"size": 0}),
        (b'{"size":1,"ratio":1E-400}', {"size": 1, "ratio": 0.0}),
        (b'{"size":1,"name":"\x7f\xe2\x80\xa8"}', {"size": 1, "name": "\x7f\u2028"}),
        (b'{"size":1,"name":"\\ud83d\\ude00"}', {"size": 1, "name": "\N{GRINNING FACE}"}),
        (b'{"size":1,"any":' + b"[" * 199 + b"]" * 199 + b"}", None),
    ],
)
def test_takes_json_that_every_parser_reads_alike(stage, body, value):
    assert stage.given(post("/json", body, JSON))["body"] == (value or json.loads(body))


def test_a_body_that_nobody_asks_for_says_nothing(stage):
    """A GET may carry one; it is read past."""
    first = request("GET", "/thing", b'{"size": NaN}', close=False)

    assert [answer.status for answer in stage.answers(first + get("/query?integer=1"))] == [200, 200]


# --- Media types and encodings -----------------------------------------------------------------------

THING = b'{"size":1}'


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json", "APPLICATION/JSON", "application/json;charset=utf-8", "application/json ; charset=utf-8",
        'application/json; charset="UTF-8"', "application/json; Charset=utf8", "application/json;",
        "application/json; version=1; charset=us-ascii", f'application/json; a="{CANARY}; charset=latin-1"',
    ],
)  # fmt: skip
def test_a_media_type_is_read_as_it_is_meant(stage, content_type):
    """One parse for validator and handler, whatever the case and the spaces."""
    assert stage.given(post("/json", THING, content_type)) == {"body": {"size": 1}}


@pytest.mark.parametrize(
    "content_type",
    [
        None, "", ";", "json", "*/*", "application/*", "text/json", "application/xml", "application/json-seq",
        "application/vnd.thing+json", "application/json, application/json", "application/json; charset=latin-1",
        "application/json; charset=utf-16", "application/json; charset=", "application/json; charset=bogus",
        "application/json; charset=utf-8; charset=latin-1", "application/json; charset=latin-1; charset=utf-8",
        "application/json; charset=utf-8; charset=utf-8", "application/json; charset*=utf-8''utf-8",
        "application/json; charset=\xff", CANARY,
    ],
)  # fmt: skip
def test_refuses_a_body_of_another_media_type(stage, content_type):
    """Connexion skips the validation of some, and takes a body without one."""
    problem = stage.refusal(post("/json", THING, content_type))

    assert (problem["status"], problem["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("second", ["application/json", "text/plain"])
def test_refuses_two_media_types(stage, second):
    """Which one counts, readers disagree on."""
    assert stage.refusal(post("/json", THING, JSON, ("Content-Type", second)))["status"] == 415


@pytest.mark.parametrize(
    "encoding", ["gzip", "br", "identity, gzip", "gzip, identity", "identity, identity", CANARY]
)
def test_refuses_a_body_that_is_packed(stage, encoding):
    """It may be a thousand times its size."""
    assert stage.refusal(post("/json", THING, JSON, ("Content-Encoding", encoding)))["status"] == 415


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/form", FORM, b"name=%zz"),
        ("/form", FORM, b"name=%ff"),
        ("/form", FORM, b"name=\xff"),
        ("/form", FORM, b"a&" * 1001),
        ("/parts", PARTS, b"garbage"),
        ("/parts", PARTS, part("name", b"a")[:-6]),
        ("/parts", PARTS, b"--b\r\nX: y\r\n\r\na\r\n--b--\r\n"),
        ("/parts", "multipart/form-data", part("name", b"a")),
        ("/parts", "multipart/form-data; boundary=other", part("name", b"a")),
        ("/text", "text/plain", b"\xff"),
    ],
)
def test_refuses_a_body_that_cannot_be_read(stage, path, content_type, body):
    """Where Connexion answers 500."""
    assert stage.breaches(post(path, body, content_type)) == [("body", "", "format")]


@pytest.mark.parametrize(
    ("body", "where"), [(part("name", b"\xff"), "/name"), (part("thing", b'{"size": NaN}'), "/thing")]
)
def test_refuses_a_part_that_cannot_be_read(stage, body, where):
    """Where Connexion answers 500; the part has a name."""
    assert stage.breaches(post("/parts", body, PARTS)) == [("body", where, "format")]


@pytest.mark.parametrize(
    ("path", "content_type", "body", "where", "rule"),
    [
        ("/form", FORM, b"size=1&size=2", "/size", "type"),
        ("/form", FORM, b"size=1;name=2", "/size", "type"),
        ("/form", FORM, b"ids=1&ids=", "/ids/1", "type"),
        ("/form", FORM, b"other=1", "/other", "additionalProperties"),
        ("/parts", PARTS, part("other", CANARY.encode()), "/other", "additionalProperties"),
        ("/parts", PARTS, part("thing", b'{"size":"' + CANARY.encode() + b'"}'), "/thing/size", "type"),
    ],
)
def test_holds_forms_to_their_schema(stage, path, content_type, body, where, rule):
    assert stage.breaches(post(path, body, content_type)) == [("body", where, rule)]


def test_refuses_a_body_that_is_packed_on_its_way(stage):
    """Chunks are unpacked, nothing else is; who unpacks it sees another body."""
    chunks = b"a\r\n" + THING + b"\r\n0\r\n\r\n"

    assert stage.refusal(post("/json", chunks, JSON, ("Transfer-Encoding", "gzip, chunked")))["status"] == 415


def test_a_body_is_only_so_long(stage):
    """413, where Connexion takes any; before it is sent, if it says how long it will be."""
    announced = post("/json", b"", JSON, ("Content-Length", str(BODY_LIMIT + 1)))
    chunk = b"%x\r\n%s\r\n" % (BODY_LIMIT + 1, b" " * (BODY_LIMIT + 1))
    chunked = post("/json", chunk, JSON, ("Transfer-Encoding", "chunked"))

    for sent in (announced, chunked):
        problem = stage.refusal(sent)
        assert (problem["status"], problem["code"]) == (413, "BODY_TOO_LARGE")


# --- Paths and methods -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "/thing/", "//thing", "/./thing", "/x/../thing", "/THING", "/Thing", "/thing//", "/thing%2F", "/thing;a=b",
        "/path/", "/path//1", "/path/1/", "/path/1/..", "/files/", "/files/a/b", "//other.example/thing", "*",
        f"/{CANARY}", "/docs/", "/livez/", "http://other.example//thing", "http://other.example/thing/",
    ],
)  # fmt: skip
def test_a_path_is_taken_by_its_letters(stage, target):
    """Never a redirect, which would be built from the client's own words."""
    assert stage.refusal(get(target, ("X-Forwarded-Host", CANARY)))["code"] == "NOT_FOUND"


@pytest.mark.parametrize("name", ["%", "%4", "%zz", "%00", "a%00b", "%c0%af", "%ed%a0%80", "%ff"])
def test_refuses_a_path_that_is_no_text(stage, name):
    problem = stage.refusal(get(f"/files/{name}"))

    assert (problem["status"], problem["code"]) == (400, "MALFORMED_PATH")


@pytest.mark.parametrize(
    "headers",
    [
        [("X-HTTP-Method-Override", "DELETE")],
        [("X-HTTP-Method", "DELETE")],
        [("X-Method-Override", "DELETE")],
        [("X-Original-URL", "/nope")],
        [("X-Rewrite-URL", "/nope")],
        [("X-Forwarded-Host", CANARY)],
        [("X-Forwarded-Prefix", "/nope"), ("X-Forwarded-Proto", "https")],
        [("Forwarded", f"host={CANARY}")],
    ],
)
def test_no_header_overrides_the_request_line(stage, headers):
    """A proxy allowed what stands there."""
    assert stage.given(request("GET", "/path/1?_method=DELETE", None, *headers)) == {"integer": 1}


@pytest.mark.parametrize(
    "method", ["OPTIONS", "TRACE", "CONNECT", "POST", "PUT", "PATCH", "PROPFIND", "PURGE", "M-SEARCH"]
)
def test_a_path_has_the_methods_of_the_contract(stage, method):
    """A preflight is no exception: CORS is off. The whole `Allow`, where Connexion names the first."""
    asked = [("Origin", "https://other.example"), ("Access-Control-Request-Method", "DELETE")]
    answer = stage.answer(request(method, "/thing", None, *asked))

    assert (answer.status, answer.headers["allow"]) == (405, "DELETE, GET, HEAD")
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_the_answer_to_head_has_no_body(stage):
    """HEAD runs the handler of GET."""
    _, sep, body = b"".join(_raw(stage, request("HEAD", "/thing"))).partition(b"\r\n\r\n")

    assert (sep, body) == (b"\r\n\r\n", b"")


def _raw(stage: Stage, sent: bytes) -> Iterator[bytes]:
    """Send a request and return the bytes that come back."""
    with connect(stage.service.url) as connection:
        connection.sendall(sent)
        yield from iter(lambda: connection.recv(65536), b"")


# --- Framing ---------------------------------------------------------------------------------------

CHUNKED = b"Transfer-Encoding: chunked\r\n"


def framed(
    head: bytes, body: bytes = THING, *, method: bytes = b"POST", version: bytes = b"HTTP/1.1"
) -> bytes:
    """Write a request to /json down with headers as they are."""
    return (
        method
        + b" /json "
        + version
        + b"\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n"
    ) + (head + b"X-Unused: " + CANARY.encode() + b"\r\n\r\n" + body)


CHUNKS = b"a\r\n" + THING + b"\r\n0\r\n\r\n"


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


@pytest.mark.parametrize(
    "sent",
    [
        framed(CHUNKED, CHUNKS),
        framed(CHUNKED, b"a;name=value\r\n" + THING + b"\r\n0\r\n\r\n"),
        framed(CHUNKED, b'A;n="v"\r\n' + THING + b"\r\n000\r\n\r\n"),
        framed(CHUNKED, b"1\r\n{\r\n9\r\n" + THING[1:] + b"\r\n0\r\n\r\n"),
        framed(CHUNKED, b"a\r\n" + THING + b"\r\n0\r\nX-Trailer: a\r\nHost: other\r\nContent-Type: text/plain\r\n\r\n"),
        framed(b"Content-Length: 10\r\nExpect: nothing\r\n"),
        framed(b"Content-Length:   10  \r\n"),
        b"\r\n\r\n" + framed(b"Content-Length: 10\r\n"),
    ],
)  # fmt: skip
def test_takes_a_body_however_it_is_framed(stage, sent):
    """Connexion refuses a required body in chunks; what comes behind the last chunk is no header."""
    assert stage.given(sent) == {"body": {"size": 1}}


def test_answers_100_to_who_waits_for_it(stage):
    first, second = stage.answers(framed(b"Expect: 100-continue\r\nContent-Length: 10\r\n"))

    assert (first.status, second.status) == (100, 200)


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.0, HTTP/2.0", CANARY])
def test_an_upgrade_is_ignored(stage, upgrade):
    """RFC 9110 section 7.8; the request is answered as it is."""
    more = [
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
        ("HTTP2-Settings", "A"),
    ]
    headers = [("Connection", "Upgrade, HTTP2-Settings, close"), ("Upgrade", upgrade), *more]

    assert stage.given(request("GET", "/path/1", None, *headers, close=False)) == {"integer": 1}


def test_answers_in_the_order_of_the_requests(stage):
    """Sent at once; what one of them did wrong is no other's."""
    sent = [get(f"/path/{number}").replace(b"Connection: close\r\n", b"") for number in ("1", "x", "2", "%")]

    found = stage.answers(b"".join(sent) + post("/json", THING, JSON))

    assert [answer.status for answer in found] == [200, 400, 200, 400, 200]
    assert [answer.body for answer in found if answer.status == 200] == [
        b'{"integer":1}', b'{"integer":2}', b'{"body":{"size":1}}',
    ]  # fmt: skip


@pytest.mark.parametrize("hosts", [[], ["a", "a"], ["a", "b"]])
def test_wants_exactly_one_host(stage, hosts):
    lines = b"".join(b"Host: %s\r\n" % host.encode() for host in hosts)

    problem = stage.refusal(b"GET /thing HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n")

    assert problem["code"] == "AMBIGUOUS_HOST"


# --- Order, failures, credentials ----------------------------------------------------------------------


def test_routing_comes_before_authentication_and_that_before_validation(stage):
    """Nobody learns what a request lacks before they have said who they are."""
    token = ("Authorization", bearer({"sub": "u"})["Authorization"])

    assert stage.refusal(get("/token/nope"))["status"] == 404
    assert stage.refusal(request("PUT", "/token"))["status"] == 405
    assert stage.refusal(get(f"/token?integer={CANARY}"))["status"] == 401
    assert stage.breaches(get(f"/token?integer={CANARY}", token)) == [("query", "/integer", "type")]


def test_refuses_two_credentials(stage):
    """Connexion takes the first; a proxy may have checked the second."""
    good = bearer({"sub": "u"})["Authorization"]

    for second in (good, f"Bearer {CANARY}"):
        problem = stage.refusal(get("/token", ("Authorization", good), ("Authorization", second)))
        assert problem["code"] == "UNAUTHENTICATED"


def test_a_credential_in_a_trailer_is_none(stage):
    """It came after everything that looks at credentials."""
    token = bearer({"sub": "u"})["Authorization"].encode()
    sent = request(
        "GET", "/token", b"0\r\nAuthorization: " + token + b"\r\n\r\n", ("Transfer-Encoding", "chunked")
    )

    assert stage.refusal(sent)["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("credential", ["", "wrong", CANARY, b"\xff", "a" * 9000])
def test_refuses_a_key_that_proves_nothing(stage, credential):
    problem = stage.refusal(get("/key", ("X-Key", credential)))

    assert (problem["status"], problem["code"]) == (401, "UNAUTHENTICATED")


FAILING = ["/fails/{secret}", "/violates/{secret}"]


@pytest.mark.parametrize("path", FAILING)
def test_a_failure_of_ours_tells_the_client_nothing(stage, path):
    """Connexion sends the text of an exception, and the value that breaks the contract."""
    (answer,) = stage.answers(request("GET", path.format(secret="hush-hush-hush")))

    assert (answer.status, b"hush" in answer.raw) == (500, False)


@pytest.mark.parametrize("path", FAILING)
def test_a_failure_of_ours_tells_the_log_no_value(stage, path):
    """Where it failed and by which rule or class is what mends it."""
    stage.answers(request("GET", path.format(secret="hush-in-the-log")))

    assert "hush-in-the-log" not in logged(stage.log)


# --- What is held elsewhere ----------------------------------------------------------------------------

HELD = {
    "a contract is rendered as a template, which runs code": [
        "test_documents::test_does_not_render_templates"
    ],
    "of several files the wrong schema is taken": [
        "test_bundling::test_schemas_with_the_same_name_in_different_files_get_different_names",
        "test_bundling::test_references_are_relative_to_the_referring_file",
    ],
    "a key may stand twice in a contract, and a date becomes an object": [
        "test_documents::test_reports_every_duplicate_key_with_its_location",
        "test_documents::test_reads_scalars_as_yaml_1_2_does",
    ],
    "a missing handler is found by the first request": [
        "test_binding::test_tells_every_missing_handler_at_once",
        "test_cli::test_lists_every_problem",
    ],
    "operations and tags of one name share what is theirs": [
        "test_binding::test_tags_that_differ_by_punctuation_share_a_module",
        "test_model::test_rejects_ambiguous_operations",
    ],
    "a stub answers before it asks for a credential, and hides a broken import": [
        "test_missing_handlers::test_a_stub_asks_for_a_credential_and_a_valid_request_first",
        "test_missing_handlers::test_hides_nothing_that_is_broken",
    ],
    "OpenAPI 3.1 is read as something else": [
        "test_modern_schemas::test_a_value_is_valid_if_json_schema_says_so"
    ],
    "the contract is written anew with each request, and not at all when it is recursive": [
        "test_pages::test_spares_a_client_what_it_has",
        "test_app::test_serves_a_recursive_schema",
    ],
    "header and cookie parameters never arrive": [
        "test_binding::test_gives_each_parameter_under_its_snake_case_name"
    ],
    "a parameter without an argument is dropped, an argument without a parameter is 500": [
        "test_binding::test_refuses_a_signature_that_cannot_receive_a_parameter",
        "test_binding::test_refuses_arguments_that_nobody_gives",
        "test_binding::test_refuses_a_signature_without_the_body",
    ],
    "without a verifier every call is 401": ["test_cli::test_refuses_to_start_without_a_key"],
    "a verifier's failure is logged with its text": ["test_leaks::test_failures_keep_what_they_were_given"],
    "no claims at all are claims": ["test_security::test_refuses_what_a_verifier_does_not_accept"],
    "401 does not say how to sign in": [
        "test_security::test_asks_for_a_token_where_none_is_shown",
        "test_security::test_says_every_way_to_sign_in",
    ],
    "of two Authorization headers the first wins": ["test_security::test_refuses_two_authorization_headers"],
    "an operation that forgets its security is public": [
        "test_lint::test_each_rule_reports_a_violation_and_accepts_the_near_miss",
        "test_security::test_applies_the_security_of_the_top_level",
    ],
    "some failures have another shape": [
        "test_errors::test_every_failure_fits_the_contracts_envelope",
        "test_app::test_answers_whatever_is_raised",
    ],
    "405 names the first method only": ["test_app::test_names_every_method_that_a_path_has"],
    "413 is never answered": ["test_app::test_refuses_a_body_over_the_limit"],
    "a failure within an error handler is plain text": [
        "test_app::test_survives_a_broken_renderer",
        "test_app::test_answers_though_an_errors_headers_make_no_sense",
    ],
    "a slash too many is redirected by the Host header": [
        "test_app::test_answers_404_for_a_path_it_does_not_know"
    ],
    "400 and the log repeat the value": [
        "test_schemas::test_a_violation_does_not_contain_the_value",
        "test_json_strict::test_the_message_does_not_quote_the_body",
        "test_parameters::test_reports_the_path_within_a_parameter_but_not_the_value",
    ],
    "a response that breaks the contract is told to the client": [
        "test_app::test_tells_a_response_violation_to_the_log_only"
    ],
    "validators are made for each request": ["test_schemas::test_equal_schemas_share_a_validator"],
    "five formats are known": ["test_schemas::test_validates_formats"],
    "nullable counts beside type and enum only": ["test_schemas::test_only_nullable_allows_null"],
    "an undocumented status passes": [
        "test_app::test_refuses_to_send_what_the_contract_does_not_know",
        "test_responses::test_an_undocumented_status_is_a_violation",
    ],
    "HEAD runs the handler of GET": ["test_app::test_answers_methods_only_that_the_contract_has"],
}
"""What Connexion does → the tests, `file::function`, that see that we do not."""


@cache
def names_in(module: str) -> set[str]:
    """The names of a file's tests, those of classes included."""
    [file] = Path(__file__).parents[1].rglob(f"{module}.py")
    tree = ast.parse(file.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name for node in ast.walk(tree) if isinstance(node, functions) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("defect", HELD)
def test_each_defect_is_held_off_by_a_test(defect):
    """A test that is renamed or removed leaves a hole that nobody sees."""
    for test in HELD[defect]:
        module, _, name = test.partition("::")
        assert name in names_in(module), test
