"""Requests to arguments: `relay.validation.requests`, `forms` and `media_types`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.validation.errors import InvalidRequest, UnsupportedMediaType
from relay.validation.http import Request
from relay.validation.requests import RequestDecoder
from relay.validation.schemas import SchemaCompiler, Strictness
from support.compiled import read
from support.hosting import contract, operation, query

INTEGER, STRING, FILE = {"type": "integer"}, {"type": "string"}, {"type": "string", "format": "binary"}
INTEGERS = {"type": "array", "items": INTEGER}
THING = {"type": "object", "required": ["size"], "properties": {"size": INTEGER}}
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
BOUNDED = f"{MULTIPART}; boundary=b"
NO_STRICTNESS = Strictness()


def request_decoder(
    body: dict[str, Any] | None = None,
    *parameters: dict[str, Any],
    required: bool = True,
    strictness: Strictness = NO_STRICTNESS,
    **rest: Any,
):
    """Compile an operation with parameters and a body of one or more media types; `rest` are their other fields."""
    content = {name: {"schema": schema, **rest} for name, schema in (body or {}).items()}
    taken = {"requestBody": {"required": required, "content": content}} if body else {}
    whole = read(contract({"/p": {"post": operation("take", parameters=list(parameters), **taken)}}))
    (taking,) = whole.operations
    compiler = SchemaCompiler(whole, strictness)
    decoder = RequestDecoder(taking, taking.arguments, compiler)
    assert {one.rule for one in compiler.problems} <= {"unvalidated-body"}
    return decoder


def decode(decoder, body=b"", content_type=None, *headers, query_string=b""):
    typed = [(b"content-type", content_type.encode("latin-1"))] if content_type is not None else []
    return decoder.decode(Request({}, query_string, [*typed, *headers], body))


def violations(decoder, body=b"", content_type=None, *headers, query_string=b""):
    with pytest.raises(InvalidRequest) as raised:
        decode(decoder, body, content_type, *headers, query_string=query_string)
    return [(one.location, one.path, one.rule) for one in raised.value.failures]


def part(name, content, *more):
    head = [f'Content-Disposition: form-data; name="{name}"'.encode(), *more]
    return b"--b\r\n" + b"".join(line + b"\r\n" for line in head) + b"\r\n" + content + b"\r\n"


END = b"--b--\r\n"
SIZED = b'{"size": 1}'
TAKES_JSON = request_decoder({JSON: THING})

SPELLINGS = [
    *("application/json", "APPLICATION/JSON", "application/json;charset=utf-8", "application/json; version=2"),
    *("application/json ; charset=utf-8", 'Application/Json; Charset="UTF-8"'),
    "application/json; charset=us-ascii",
]  # fmt: skip
OTHERS = [
    *(None, "", "json", "text/plain", "application/xml", "application/json-patch"),
    *("application/json;charset=latin-1", "application/json; charset=utf-16", "application/json; charset=bogus"),
    *("application/json; charset=utf-8; charset=latin-1", "application/json; charset=utf-8; Charset=utf-8"),
    *("application/json; charset*=utf-8''utf-16", "application/json, text/plain"),
]  # fmt: skip


@pytest.mark.parametrize("content_type", SPELLINGS)
def test_accepts_every_spelling_of_a_media_type(content_type):
    """Upper case, spaces and parameters do not matter; the handler gets the validated object."""
    assert decode(TAKES_JSON, SIZED, content_type) == {"body": {"size": 1}}


@pytest.mark.parametrize("content_type", OTHERS)
def test_rejects_a_body_of_another_media_type(content_type):
    """Also a body without a media type, and a charset that validator and handler might read differently."""
    with pytest.raises(UnsupportedMediaType):
        decode(TAKES_JSON, SIZED, content_type)


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity, gzip"])
def test_rejects_a_content_encoding_but_the_identity(encoding):
    assert decode(TAKES_JSON, SIZED, JSON, (b"content-encoding", b"Identity"))
    with pytest.raises(UnsupportedMediaType):
        decode(TAKES_JSON, b"{}", JSON, (b"content-encoding", encoding))


@pytest.mark.parametrize("body", [b'{"size": 1, "size": 2}', b'{"size": ' + b"[" * 100_000])
def test_rejects_json_that_not_every_parser_accepts(body):
    """Connexion accepts it or responds with 500; `test_json_strict.py` has the other cases."""
    assert violations(TAKES_JSON, body, JSON) == [("body", "", "format")]


def test_validates_a_body():
    assert violations(TAKES_JSON, b'{"size": "1"}', JSON) == [("body", "/size", "type")]
    assert violations(TAKES_JSON, b"{}", JSON) == [("body", "/size", "required")]
    assert violations(TAKES_JSON) == [("body", "", "required")]


def test_an_optional_body_may_be_absent():
    decoder = request_decoder({JSON: THING}, required=False)
    assert decode(decoder) == decode(decoder, b"", JSON) == {}


RANGED = {"application/*": {**THING, "additionalProperties": False}, "text/*": STRING}
SPECIFIC = {"*/*": {}, "text/*": {"maxLength": 3}, JSON: THING}
VERSIONS = {
    'application/json; Version="1"': {**THING, "required": ["size"]},
    "application/json; version=2": {"type": "object", "required": ["length"]},
}


@pytest.mark.parametrize(
    ("documented", "content_type", "body", "expected"),
    [
        (SPECIFIC, JSON, SIZED, {"size": 1}),
        (SPECIFIC, "image/png", b"\xff", b"\xff"),
        (RANGED, JSON, SIZED, {"size": 1}),
        (RANGED, "application/vnd.thing+json", SIZED, {"size": 1}),
        (RANGED, FORM, b"size=1", {"size": 1}),
        (RANGED, "application/octet-stream", b"\xff", b"\xff"),
        (RANGED, "application/xml", b"<size/>", b"<size/>"),
        (RANGED, "text/csv", b"size", "size"),
        (RANGED, "text/json", b'"size"', "size"),
        ({"*/*": THING}, BOUNDED, part("size", b"1") + END, {"size": 1}),
        ({"*/*": FILE}, JSON, b"{{{", b"{{{"),  # the bytes of a file, which may contain JSON
        ({"*": FILE}, JSON, b"{{{", b"{{{"),
        ({"application/*": FILE}, JSON, b"{{{", b"{{{"),
        (VERSIONS, "application/json; version=1", SIZED, {"size": 1}),  # RFC 9110 section 8.3.1
        (VERSIONS, 'APPLICATION/JSON;VERSION="1"; charset=utf-8', SIZED, {"size": 1}),
        (VERSIONS, "application/json; charset=utf-8; version=2", b'{"length": 1}', {"length": 1}),
        (VERSIONS, "application/json; version=2; profile=x", b'{"length": 1}', {"length": 1}),
        ({"application/json; charset=utf-8": THING}, JSON, SIZED, {"size": 1}),
        ({"application/vnd.thing+json": THING}, "application/vnd.thing+json", SIZED, {"size": 1}),  # RFC 6839
        ({"text/plain": STRING}, "text/plain", "é".encode(), "é"),
        ({FORM: {"properties": {"size": INTEGER}}}, FORM, b"size=1&other=2", {"size": 1, "other": "2"}),
    ],
)
def test_the_media_type_of_a_message_chooses_how_it_is_read(documented, content_type, body, expected):
    """By the most specific documented one; of a range, JSON is parsed, a form is decoded, other bodies are bytes."""
    assert decode(request_decoder(documented), body, content_type) == {"body": expected}


@pytest.mark.parametrize(
    ("documented", "content_type", "body", "path", "rule"),
    [
        (SPECIFIC, "text/csv", b"long", "", "maxLength"),
        (RANGED, JSON, b"{{{", "", "format"),
        (RANGED, JSON, b'{"size": "a"}', "/size", "type"),
        (RANGED, "application/problem+json", b"{}", "/size", "required"),
        (RANGED, FORM, b"size=a", "/size", "type"),
        (RANGED, FORM, b"size=1&more=2", "/more", "additionalProperties"),
        (RANGED, "text/plain", b"\xff", "", "format"),
        (VERSIONS, "application/json; version=1", b"{}", "/size", "required"),
        (VERSIONS, "application/json; version=2; profile=x", b"{}", "/length", "required"),
        ({"text/plain": STRING}, "text/plain", b"\xe9", "", "format"),
    ],
)
def test_a_body_is_validated_as_its_media_type(documented, content_type, body, path, rule):
    """A range took any bytes, so a body that is not JSON was a success."""
    assert violations(request_decoder(documented), body, content_type) == [("body", path, rule)]


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json; version=3", "application/json; version=1a"]
)
def test_a_media_type_without_its_parameters_is_another_one(content_type):
    """Unless the bare one is documented, too."""
    with pytest.raises(UnsupportedMediaType):
        decode(request_decoder(VERSIONS), b'{"size": 1, "length": 1}', content_type)
    assert decode(request_decoder({**VERSIONS, JSON: {}}), b"7", content_type) == {"body": 7}


@pytest.mark.parametrize(
    ("media_type", "body"), [("application/xml", b"<a/>"), ("text/xml", "<a/>"), ("text/csv", "a,b")]
)
def test_a_body_that_stands_for_a_value_is_not_validated(media_type, body):
    """Text with the schema of an object was always refused; the contract gets a warning instead."""
    content = {media_type: {"schema": THING}}
    whole = read(contract({"/p": {"post": operation("take", requestBody={"content": content})}}))
    compiler = SchemaCompiler(whole)
    decoder = RequestDecoder(whole.operations[0], {}, compiler)

    assert [one.rule for one in compiler.take_problems()] == ["unvalidated-body"]
    sent = body.encode() if isinstance(body, str) else body
    assert decode(decoder, sent, media_type) == {"body": body}


def test_reports_all_violations_at_once():
    depth = query("X-Depth", INTEGER, location="header", required=True)
    decoder = request_decoder({JSON: THING}, query("limit", INTEGER), depth)
    assert violations(decoder, b"{}", JSON, query_string=b"limit=x") == [
        *(("query", "/limit", "type"), ("header", "/X-Depth", "required"), ("body", "/size", "required"))
    ]


def test_parameters_become_arguments_by_their_names():
    taken = [query("pageSize", INTEGER), query("X-Depth", INTEGER, location="header"), query("from", STRING)]
    sent = b"pageSize=5&from=%C3%A9+a&other=1"
    arguments = decode(request_decoder(None, *taken), b"", None, (b"x-depth", b" 2 "), query_string=sent)
    assert arguments == {"page_size": 5, "x_depth": 2, "from_": "é a"}


@pytest.mark.parametrize("query_string", [b"limit=%ff", b"limit=\xc3\xa9", b"limit=%ed%a0%80", b"a&" * 1001])
def test_rejects_a_query_that_is_not_utf8_or_has_too_many_fields(query_string):
    decoder = request_decoder(None, query("limit", STRING))
    assert violations(decoder, query_string=query_string) == [("query", "", "encoding")]


def test_a_header_on_several_lines_is_one_list():
    """RFC 9110 section 5.3."""
    decoder = request_decoder(None, query("X-Ids", INTEGERS, location="header"))
    assert decode(decoder, b"", None, (b"x-ids", b"1, 2"), (b"x-ids", b"3")) == {"x_ids": [1, 2, 3]}


def test_reads_cookies_from_one_header_or_several():
    """RFC 6265 allows one Cookie header; HTTP/2 allows several. A comma is part of a value."""
    ids = query("ids", INTEGERS, location="cookie", explode=False)
    decoder = request_decoder(None, ids, query("theme", STRING, location="cookie"))
    arguments = decode(decoder, b"", None, (b"cookie", b"ids=1,2; other=x"), (b"cookie", b"theme=a=b"))
    assert arguments == {"ids": [1, 2], "theme": "a=b"}


FIELDS = {
    "type": "object",
    "properties": {
        "size": INTEGER,
        "name": STRING,
        "ids": INTEGERS,
        "limit": {"allOf": [INTEGER, {"maximum": 9}]},
    },
}
COMBINED = {"allOf": [THING, {"properties": {"ids": INTEGERS}}]}
OPEN = {"type": "object", "additionalProperties": INTEGER}
PARTS = {
    "type": "object",
    "properties": {
        "size": INTEGER,
        "name": STRING,
        "ids": INTEGERS,
        "thing": THING,
        "file": {**FILE, "maxLength": 4},
        "files": {"type": "array", "items": FILE},
        "things": {"type": "array", "items": THING},
    },
}
NAMED = b'Content-Disposition: form-data; name="size"; filename="size.txt"'


@pytest.mark.parametrize(
    ("schema", "body", "expected"),
    [
        (FIELDS, b"size=1&name=1&ids=2&limit=3", {"size": 1, "name": "1", "ids": [2], "limit": 3}),
        (FIELDS, b"other=4", {"other": "4"}),
        (FIELDS, b"ids=1&ids=2", {"ids": [1, 2]}),
        (COMBINED, b"size=1&ids=2", {"size": 1, "ids": [2]}),
        (OPEN, b"any=1", {"any": 1}),
        (OPEN, part("any", b"1"), {"any": 1}),
        (PARTS, part("size", b"1") + part("name", b"1") + part("ids", b"2"), {"size": 1, "name": "1", "ids": [2]}),
        (PARTS, part("other", "é".encode()), {"other": "é"}),
        (PARTS, part("size", b"1", NAMED), {"size": 1}),  # text even if sent as a file
        # OpenAPI 3.0.3, "Special Considerations for multipart Content"
        (PARTS, part("thing", SIZED) + part("things", SIZED), {"thing": {"size": 1}, "things": [{"size": 1}]}),
    ],
)  # fmt: skip
def test_a_form_has_the_types_of_its_schema(schema, body, expected):
    """A list field may have one value; fields without a schema stay text."""
    decoder = request_decoder({FORM: schema, MULTIPART: schema})
    sent = (body + END, BOUNDED) if body.startswith(b"--b") else (body, FORM)
    assert decode(decoder, *sent) == {"body": expected}


@pytest.mark.parametrize(
    ("schema", "body", "path", "rule"),
    [
        (FIELDS, b"size=1&size=2", "/size", "type"),
        *((FIELDS, body, "", "format") for body in (b"name=%ff", b"name=\xff", b"a&" * 1001)),
        (PARTS, part("file", b"\xff" * 5), "/file", "maxLength"),  # its number of bytes
        (PARTS, part("thing", b'{"size": "1"}'), "/thing/size", "type"),
        (PARTS, part("thing", b'{"size": NaN}'), "/thing", "format"),
        (PARTS, part("name", b"\xff"), "/name", "format"),
    ],
)
def test_a_wrong_field_is_refused(schema, body, path, rule):
    """Not at the query, which has the same format."""
    decoder = request_decoder({FORM: schema, MULTIPART: schema})
    sent = (body + END, BOUNDED) if body.startswith(b"--b") else (body, FORM)
    assert violations(decoder, *sent) == [("body", path, rule)]


TAKES_PARTS = request_decoder({MULTIPART: PARTS})
FILENAME = b'Content-Disposition: form-data; name="file"; filename="a.png"'


@pytest.mark.parametrize("more", [[], [FILENAME], [FILENAME, b"Content-Type: image/png"]])
def test_a_binary_part_is_an_upload_however_it_is_sent(more):
    """The contract decides the type, not the client; a list is one upload after the other."""
    sent = part("file", b"\xff\r\n\0", *more) + part("files", b"\xff") + part("files", b"")
    found = decode(TAKES_PARTS, sent + END, BOUNDED)["body"]
    assert found["file"].read() == b"\xff\r\n\0"
    assert [one.read() for one in found["files"]] == [b"\xff", b""]


@pytest.mark.parametrize("body", [b"garbage", part("name", b"x") + part("file", b"x")[:-2]])
def test_rejects_malformed_multipart_bodies(body):
    """Connexion responds with 500; `test_multipart.py` has the other cases."""
    assert violations(TAKES_PARTS, body, BOUNDED) == [("body", "", "format")]


TAKES_ALL = request_decoder(
    {JSON: THING, FORM: FIELDS, MULTIPART: PARTS, "text/plain": STRING, "*/*": {}},
    query("limit", INTEGER),
    query("filter", FIELDS, style="deepObject", explode=True),
    query("X-Depth", INTEGER, location="header"),
    query("theme", INTEGER, location="cookie"),
)
LATIN = st.text(st.characters(codec="latin-1"))
CONTENT_TYPES = st.sampled_from([JSON, FORM, BOUNDED, "text/plain", "image/png"]) | LATIN
PIECES = '--b\r\n{}[]":;=&%ff,1Content-Disposition: form-data; name="'
BODIES = st.binary() | st.text(st.sampled_from(PIECES)).map(str.encode)


@given(BODIES, CONTENT_TYPES, st.binary(), st.binary(), st.binary())
def test_any_request_is_decoded_or_rejected(body, content_type, query_string, header, cookie):
    """No bytes cause another exception, which would give a 500."""
    lines = [(b"x-depth", header), (b"cookie", cookie), (b"cookie", b"theme=" + cookie)]
    try:
        arguments = decode(TAKES_ALL, body, content_type, *lines, query_string=query_string)
    except (InvalidRequest, UnsupportedMediaType):
        return

    assert set(arguments) <= {"body", "limit", "filter", "x_depth", "theme"}


TEXT = {"type": "object", "properties": {"a": STRING}}


class TestNul:
    """NUL in the text of a request, which JSON and `type: string` allow: RELAY_REFUSE_NUL decides."""

    @pytest.mark.parametrize(
        ("content_type", "body", "expected", "path"),
        [
            (JSON, b'{"a": "\\u0000"}', {"a": "\0"}, ""),
            (FORM, b"a=%00", {"a": "\0"}, ""),
            (BOUNDED, part("a", b"\0") + END, {"a": "\0"}, "/a"),
            ("text/plain", b"\0", "\0", ""),
        ],
    )
    def test_is_accepted_or_refused_in_a_body(self, content_type, body, expected, path):
        """Not every database can store it."""
        content = {JSON: TEXT, FORM: TEXT, MULTIPART: TEXT, "text/plain": STRING}
        strict = request_decoder(content, strictness=Strictness(nul=True))
        assert decode(request_decoder(content), body, content_type) == {"body": expected}
        assert violations(strict, body, content_type) == [("body", path, "format")]

    def test_is_accepted_or_refused_in_a_query(self):
        taken = [query("q", STRING), {"name": "j", "in": "query", "content": {JSON: {"schema": STRING}}}]
        strict = request_decoder(None, *taken, strictness=Strictness(nul=True))
        text, in_json = b"q=%00", b"j=%22%5Cu0000%22"

        assert decode(request_decoder(None, *taken), query_string=text) == {"q": "\0"}
        assert decode(request_decoder(None, *taken), query_string=in_json) == {"j": "\0"}
        assert violations(strict, query_string=text) == [("query", "", "encoding")]
        assert violations(strict, query_string=in_json) == [("query", "/j", "json")]


ENCODED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "ids": INTEGERS,
        "plain": INTEGER,
        "text": STRING,
        "any": {},
        "at": {"type": "object", "properties": {"x": INTEGER, "tags": {"type": "array", "items": STRING}}},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"size": INTEGER}}},
        "obj": {"type": "object", "properties": {"y": INTEGER}},
    },
}
DEEP = {"style": "deepObject", "explode": True}
STYLES = {"ids": {"style": "form", "explode": False}, "at": DEEP, "lines": DEEP}


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        (STYLES, b"ids=1,2", {"ids": [1, 2]}),
        (STYLES, b"at[x]=3&plain=1", {"at": {"x": 3}, "plain": 1}),
        (STYLES, b"at%5Bx%5D=3&at%5Btags%5D[]=a&at%5Btags%5D[]=b", {"at": {"x": 3, "tags": ["a", "b"]}}),
        (STYLES, b"lines[0][size]=1&lines[1][size]=2", {"lines": [{"size": 1}, {"size": 2}]}),
        (STYLES, b'obj={"y":1}', {"obj": {"y": 1}}),
        ({"ids": {"style": "pipeDelimited", "explode": False}}, b"ids=1%7C2", {"ids": [1, 2]}),
        ({"ids": {"style": "spaceDelimited", "explode": False}}, b"ids=1+2", {"ids": [1, 2]}),
        ({"ids": {"style": "form"}}, b"ids=1&ids=2", {"ids": [1, 2]}),
        ({"ids": {"contentType": JSON}}, b"ids=[1,2]", {"ids": [1, 2]}),
        ({"any": {"contentType": JSON}}, b"any=%5B1%5D", {"any": [1]}),
        ({"obj": {"style": "form", "explode": False}}, b"obj=y,1", {"obj": {"y": 1}}),
        ({"obj": {"explode": True}}, b"y=1", {"obj": {"y": 1}}),
        ({"plain": {"allowReserved": True}}, b"plain=7", {"plain": 7}),
        ({"text": {"allowReserved": True}}, b"text=a/b?c:d@e", {"text": "a/b?c:d@e"}),
        ({"text": {"allowReserved": True}}, b"text=a%2Fb", {"text": "a/b"}),
        ({"text": {"contentType": "text/plain"}}, b"text=%5B1%5D", {"text": "[1]"}),
    ],
)
def test_a_form_is_read_in_the_styles_of_its_encoding(encoding, body, expected):
    """Also lists of deepObject, which OpenAPI leaves undefined; an object without a style is JSON.

    Reserved characters are accepted whether they are percent-encoded or not.
    """
    assert decode(request_decoder({FORM: ENCODED}, encoding=encoding), body, FORM) == {"body": expected}


@pytest.mark.parametrize(
    ("body", "path", "rule"),
    [
        (b"ids=1&ids=2", "/ids", "style"),
        (b"at[x=3", "/at", "style"),
        (b"at[x]=a", "/at/x", "type"),
        (b"ids[]=1", "/ids[]", "additionalProperties"),
        (b"obj={", "/obj", "type"),
    ],
)
def test_a_form_in_another_style_is_refused(body, path, rule):
    decoder = request_decoder({FORM: ENCODED}, encoding=STYLES)
    assert violations(decoder, body, FORM) == [("body", path, rule)]


def test_a_handler_gets_no_read_only_properties():
    """In bodies and parameters; RELAY_READ_ONLY=refuse answers 400."""
    properties = {"id": {**INTEGER, "readOnly": True}, "a": INTEGER}
    thing = {"type": "object", "required": ["id"], "properties": properties}
    taken = {JSON: thing}, query("p", thing, style="deepObject")

    decoded = decode(request_decoder(*taken), b'{"id": 1, "a": 2}', JSON, query_string=b"p[id]=x&p[a]=3")

    assert decoded == {"p": {"a": 3}, "body": {"a": 2}}
    strict = request_decoder(*taken, strictness=Strictness(read_only=True))
    assert violations(strict, b'{"id": 1}', JSON) == [("body", "/id", "readOnly")]
