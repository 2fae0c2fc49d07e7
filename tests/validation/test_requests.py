"""Requests to arguments: `relay.validation.requests`, `forms` and `media_types`."""

from __future__ import annotations

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
THING = {"type": "object", "required": ["size"], "properties": {"size": INTEGER}}
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
BOUNDED = f"{MULTIPART}; boundary=b"


def request_decoder(
    body: dict[str, Any] | None = None,
    *parameters: dict[str, Any],
    required: bool = True,
    strictness: Strictness = Strictness(),  # noqa: B008 -- it is immutable
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
    """Return the handler's arguments for a request."""
    typed = [(b"content-type", content_type.encode("latin-1"))] if content_type is not None else []
    return decoder.decode(Request({}, query_string, [*typed, *headers], body))


def violations(decoder, body=b"", content_type=None, *headers, query_string=b""):
    """Return the violations of a request: location, path, rule."""
    with pytest.raises(InvalidRequest) as raised:
        decode(decoder, body, content_type, *headers, query_string=query_string)
    return [(one.location, one.path, one.rule) for one in raised.value.failures]


def part(name, content, *more):
    """Return a part of a multipart body with the boundary `b`."""
    head = [f'Content-Disposition: form-data; name="{name}"'.encode(), *more]
    return b"--b\r\n" + b"".join(line + b"\r\n" for line in head) + b"\r\n" + content + b"\r\n"


END = b"--b--\r\n"

TAKES_JSON = request_decoder({JSON: THING})


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json;charset=utf-8",
        "application/json ; charset=utf-8",
        'Application/Json; Charset="UTF-8"',
        "application/json; charset=us-ascii",
        "application/json; version=2",
    ],
)
def test_accepts_every_spelling_of_a_media_type(content_type):
    """Upper case, spaces and parameters do not matter; the handler gets the validated object."""
    assert decode(TAKES_JSON, b'{"size": 1}', content_type) == {"body": {"size": 1}}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "json",
        "text/plain",
        "application/xml",
        "application/json-patch",
        "application/json;charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; charset=bogus",
        "application/json; charset=utf-8; charset=latin-1",
        "application/json; charset=utf-8; Charset=utf-8",
        "application/json; charset*=utf-8''utf-16",
        "application/json, text/plain",
    ],
)
def test_rejects_a_body_of_another_media_type(content_type):
    """Also a body without a media type, and a charset that validator and handler might read differently."""
    with pytest.raises(UnsupportedMediaType):
        decode(TAKES_JSON, b'{"size": 1}', content_type)


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity, gzip"])
def test_rejects_a_content_encoding(encoding):
    with pytest.raises(UnsupportedMediaType):
        decode(TAKES_JSON, b"{}", JSON, (b"content-encoding", encoding))


def test_accepts_the_identity_encoding():
    assert decode(TAKES_JSON, b'{"size": 1}', JSON, (b"content-encoding", b"Identity"))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"size": 1}{}',
        b'{"size": "\xff"}',
        b'{"size": 1, "size": 2}',
        b'{"size": NaN}',
        b'{"size": Infinity}',
        b'{"size": "\\ud800"}',
        b'{"size": ' + b"1" * 5000 + b"}",
        b'{"size": ' + b"[" * 100_000,
        b'{"size": ' + b"[" * 300 + b"]" * 300 + b"}",
    ],
)
def test_rejects_json_that_not_every_parser_accepts(body):
    """Connexion accepts it or responds with 500."""
    assert violations(TAKES_JSON, body, JSON) == [("body", "", "format")]


def test_validates_a_body():
    assert violations(TAKES_JSON, b'{"size": "1"}', JSON) == [("body", "/size", "type")]
    assert violations(TAKES_JSON, b"{}", JSON) == [("body", "/size", "required")]


def test_a_json_suffix_is_json():
    """RFC 6839 section 3.1."""
    decoder = request_decoder({"application/vnd.thing+json": THING})

    assert decode(decoder, b'{"size": 1}', "application/vnd.thing+json") == {"body": {"size": 1}}


def test_reports_a_missing_body():
    assert violations(TAKES_JSON) == [("body", "", "required")]


def test_an_optional_body_may_be_absent():
    """The handler's default applies."""
    decoder = request_decoder({JSON: THING}, required=False)

    assert decode(decoder) == {}
    assert decode(decoder, b"", JSON) == {}


def test_uses_the_most_specific_documented_media_type():
    """The exact media type, else its range."""
    decoder = request_decoder({"*/*": {}, "text/*": {"maxLength": 3}, JSON: THING})

    assert decode(decoder, b'{"size": 1}', JSON) == {"body": {"size": 1}}
    assert violations(decoder, b"long", "text/csv") == [("body", "", "maxLength")]
    assert decode(decoder, b"\xff", "image/png") == {"body": b"\xff"}


RANGED = request_decoder({"application/*": {**THING, "additionalProperties": False}, "text/*": STRING})


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (JSON, b'{"size": 1}', {"size": 1}),
        ("application/vnd.thing+json", b'{"size": 1}', {"size": 1}),
        (FORM, b"size=1", {"size": 1}),
        ("application/octet-stream", b"\xff", b"\xff"),
        ("application/xml", b"<size/>", b"<size/>"),
        ("text/csv", b"size", "size"),
        ("text/json", b'"size"', "size"),
    ],
)
def test_the_media_type_of_a_message_chooses_how_a_range_is_read(content_type, body, expected):
    """The contract leaves the choice to the client: JSON is parsed, a form is decoded, other bodies are bytes."""
    assert decode(RANGED, body, content_type) == {"body": expected}


@pytest.mark.parametrize(
    ("content_type", "body", "path", "rule"),
    [
        (JSON, b"{{{", "", "format"),
        (JSON, b'{"size": "a"}', "/size", "type"),
        ("application/problem+json", b"{}", "/size", "required"),
        (FORM, b"size=a", "/size", "type"),
        (FORM, b"size=1&more=2", "/more", "additionalProperties"),
        ("text/plain", b"\xff", "", "format"),
    ],
)
def test_a_body_of_a_range_is_validated(content_type, body, path, rule):
    """A range took any bytes, so a body that is not JSON was a success."""
    assert violations(RANGED, body, content_type) == [("body", path, rule)]


@pytest.mark.parametrize("documented", ["*/*", "*", "application/*"])
def test_a_range_of_files_is_bytes(documented):
    """`format: binary` describes the bytes of a file, and a file may contain JSON."""
    decoder = request_decoder({documented: FILE})

    assert decode(decoder, b"{{{", JSON) == {"body": b"{{{"}


def test_a_multipart_form_may_be_sent_for_a_range():
    decoder = request_decoder({"*/*": THING})

    assert decode(decoder, part("size", b"1") + END, BOUNDED) == {"body": {"size": 1}}


VERSIONS = {
    'application/json; Version="1"': {**THING, "required": ["size"]},
    "application/json; version=2": {"type": "object", "required": ["length"]},
}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json; version=1", b'{"size": 1}'),
        ('APPLICATION/JSON;VERSION="1"; charset=utf-8', b'{"size": 1}'),
        ("application/json; charset=utf-8; version=2", b'{"length": 1}'),
        ("application/json; version=2; profile=x", b'{"length": 1}'),
    ],
)
def test_parameters_distinguish_media_types(content_type, body):
    """Each has a schema of its own (RFC 9110 section 8.3.1); they were read as one, with the schema of the last."""
    assert decode(request_decoder(VERSIONS), body, content_type)
    assert violations(request_decoder(VERSIONS), b"{}", content_type)


@pytest.mark.parametrize(
    "content_type", [JSON, "application/json; version=3", "application/json; version=1a"]
)
def test_a_media_type_without_its_parameters_is_another_one(content_type):
    """Unless the bare one is documented, too."""
    with pytest.raises(UnsupportedMediaType):
        decode(request_decoder(VERSIONS), b'{"size": 1, "length": 1}', content_type)
    assert decode(request_decoder({**VERSIONS, JSON: {}}), b"7", content_type) == {"body": 7}


def test_the_charset_of_a_documented_media_type_does_not_distinguish_it():
    """Many contracts document `application/json; charset=utf-8`."""
    decoder = request_decoder({"application/json; charset=utf-8": THING})

    assert decode(decoder, b'{"size": 1}', JSON) == {"body": {"size": 1}}


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


def test_text_is_utf8():
    decoder = request_decoder({"text/plain": STRING})

    assert decode(decoder, "é".encode(), "text/plain") == {"body": "é"}
    assert violations(decoder, "é".encode("latin-1"), "text/plain") == [("body", "", "format")]


def test_reports_all_violations_at_once():
    decoder = request_decoder(
        {JSON: THING}, query("limit", INTEGER), query("X-Depth", INTEGER, location="header", required=True)
    )

    assert violations(decoder, b"{}", JSON, query_string=b"limit=x") == [
        ("query", "/limit", "type"),
        ("header", "/X-Depth", "required"),
        ("body", "/size", "required"),
    ]


def test_parameters_become_arguments_by_their_names():
    decoder = request_decoder(
        None, query("pageSize", INTEGER), query("X-Depth", INTEGER, location="header"), query("from", STRING)
    )

    arguments = decode(
        decoder, b"", None, (b"x-depth", b" 2 "), query_string=b"pageSize=5&from=%C3%A9+a&other=1"
    )

    assert arguments == {"page_size": 5, "x_depth": 2, "from_": "é a"}


@pytest.mark.parametrize("query_string", [b"limit=%ff", b"limit=\xc3\xa9", b"limit=%ed%a0%80", b"a&" * 1001])
def test_rejects_a_query_that_is_not_utf8_or_has_too_many_fields(query_string):
    decoder = request_decoder(None, query("limit", STRING))

    assert violations(decoder, query_string=query_string) == [("query", "", "encoding")]


def test_a_header_on_several_lines_is_one_list():
    """RFC 9110 section 5.3."""
    decoder = request_decoder(None, query("X-Ids", {"type": "array", "items": INTEGER}, location="header"))

    assert decode(decoder, b"", None, (b"x-ids", b"1, 2"), (b"x-ids", b"3")) == {"x_ids": [1, 2, 3]}


def test_reads_cookies_from_one_header_or_several():
    """RFC 6265 allows one Cookie header; HTTP/2 allows several. A comma is part of a value."""
    decoder = request_decoder(
        None,
        query("ids", {"type": "array", "items": INTEGER}, location="cookie", explode=False),
        query("theme", STRING, location="cookie"),
    )

    arguments = decode(decoder, b"", None, (b"cookie", b"ids=1,2; other=x"), (b"cookie", b"theme=a=b"))

    assert arguments == {"ids": [1, 2], "theme": "a=b"}


FIELDS = {
    "type": "object",
    "properties": {
        "size": INTEGER,
        "name": STRING,
        "ids": {"type": "array", "items": INTEGER},
        "limit": {"allOf": [INTEGER, {"maximum": 9}]},
    },
}
TAKES_FORM = request_decoder({FORM: FIELDS})


def test_a_form_has_the_types_of_its_schema():
    """A list field may have one value; fields without a schema stay text."""
    body = decode(TAKES_FORM, b"size=1&name=1&ids=2&limit=3&other=4", FORM)["body"]

    assert body == {"size": 1, "name": "1", "ids": [2], "limit": 3, "other": "4"}


def test_a_field_may_be_repeated_only_if_the_schema_is_an_array():
    assert decode(TAKES_FORM, b"ids=1&ids=2", FORM) == {"body": {"ids": [1, 2]}}
    assert violations(TAKES_FORM, b"size=1&size=2", FORM) == [("body", "/size", "type")]


def test_a_form_schema_may_be_a_combination():
    decoder = request_decoder(
        {FORM: {"allOf": [THING, {"properties": {"ids": FIELDS["properties"]["ids"]}}]}}
    )

    assert decode(decoder, b"size=1&ids=2", FORM) == {"body": {"size": 1, "ids": [2]}}


@pytest.mark.parametrize(("media_type", "body"), [(FORM, b"any=1"), (BOUNDED, part("any", b"1") + END)])
def test_additional_fields_are_coerced(media_type, body):
    """`additionalProperties` defines their type."""
    schema = {"type": "object", "additionalProperties": INTEGER}
    decoder = request_decoder({FORM: schema, MULTIPART: schema})

    assert decode(decoder, body, media_type) == {"body": {"any": 1}}


@pytest.mark.parametrize("body", [b"name=%ff", b"name=\xff", b"a&" * 1001])
def test_reports_a_malformed_form_at_the_body(body):
    """Not at the query, which has the same format."""
    assert violations(TAKES_FORM, body, FORM) == [("body", "", "format")]


PARTS = {
    "type": "object",
    "properties": {
        "size": INTEGER,
        "name": STRING,
        "ids": {"type": "array", "items": INTEGER},
        "file": {**FILE, "maxLength": 4},
        "files": {"type": "array", "items": FILE},
        "thing": THING,
        "things": {"type": "array", "items": THING},
    },
}
TAKES_PARTS = request_decoder({MULTIPART: PARTS})


def decoded_parts(*parts):
    return decode(TAKES_PARTS, b"".join(parts) + END, BOUNDED)["body"]


def test_parts_have_the_types_of_their_schema():
    assert decoded_parts(
        part("size", b"1"), part("name", b"1"), part("ids", b"2"), part("other", "é".encode())
    ) == {"size": 1, "name": "1", "ids": [2], "other": "é"}


FILENAME = b'Content-Disposition: form-data; name="file"; filename="a.png"'


@pytest.mark.parametrize("more", [[], [FILENAME], [FILENAME, b"Content-Type: image/png"]])
def test_a_binary_part_is_an_upload_however_it_is_sent(more):
    """The contract decides the type, not the client."""
    assert decoded_parts(part("file", b"\xff\r\n\0", *more))["file"].read() == b"\xff\r\n\0"


def test_a_string_part_is_text_even_if_sent_as_a_file():
    named = b'Content-Disposition: form-data; name="size"; filename="size.txt"'

    assert decoded_parts(part("size", b"1", named)) == {"size": 1}


def test_accepts_several_files():
    """A list is one upload after the other, in their order."""
    sent = decoded_parts(part("files", b"\xff"), part("files", b""))["files"]

    assert [one.read() for one in sent] == [b"\xff", b""]


def test_the_length_of_a_file_is_its_number_of_bytes():
    assert violations(TAKES_PARTS, part("file", b"\xff" * 5) + END, BOUNDED) == [
        ("body", "/file", "maxLength")
    ]


def test_an_object_in_a_part_is_json():
    """OpenAPI 3.0.3, "Special Considerations for multipart Content"; the JSON is strict."""
    assert decoded_parts(part("thing", b'{"size": 1}'), part("things", b'{"size": 2}')) == {
        "thing": {"size": 1},
        "things": [{"size": 2}],
    }
    assert violations(TAKES_PARTS, part("thing", b'{"size": "1"}') + END, BOUNDED) == [
        ("body", "/thing/size", "type")
    ]
    assert violations(TAKES_PARTS, part("thing", b'{"size": NaN}') + END, BOUNDED) == [
        ("body", "/thing", "format")
    ]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"garbage", BOUNDED),
        (part("name", b"x") + END, MULTIPART),
        (part("name", b"x") + END, f"{MULTIPART}; boundary=other"),
        (part("name", b"x") + END, f"{MULTIPART}; boundary="),
        (part("name", b"x") + END, f"{MULTIPART}; boundary={'b' * 300}"),
        (part("name", b"x"), BOUNDED),
        (part("name", b"x") + part("file", b"x")[:-2], BOUNDED),
        (b"--b\r\n\r\nx\r\n" + END, BOUNDED),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END, BOUNDED),
        (part("\xff", b"x").replace(b"\xc3\xbf", b"\xff") + END, BOUNDED),
        (part("name", b"!", b"Content-Transfer-Encoding: base64") + END, BOUNDED),
        (part("name", b"x", b"Content-Transfer-Encoding: bogus") + END, BOUNDED),
    ],
)
def test_rejects_malformed_multipart_bodies(body, content_type):
    """Also a body truncated at any length, for which Connexion responds with 500."""
    assert violations(TAKES_PARTS, body, content_type) == [("body", "", "format")]


def test_a_part_that_is_not_text_is_named():
    """The form around it is valid."""
    body = part("name", b"\xff") + END

    assert violations(TAKES_PARTS, body, BOUNDED) == [("body", "/name", "format")]


TAKES_ALL = request_decoder(
    {JSON: THING, FORM: FIELDS, MULTIPART: PARTS, "text/plain": STRING, "*/*": {}},
    query("limit", INTEGER),
    query("filter", FIELDS, style="deepObject", explode=True),
    query("X-Depth", INTEGER, location="header"),
    query("theme", INTEGER, location="cookie"),
)
CONTENT_TYPES = st.sampled_from([JSON, FORM, BOUNDED, "text/plain", "image/png"]) | st.text(
    st.characters(codec="latin-1")
)
BODIES = st.binary() | st.text(
    st.sampled_from('--b\r\n{}[]":;=&%ff,1Content-Disposition: form-data; name="')
).map(str.encode)


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
NUL = [
    (JSON, b'{"a": "\\u0000"}', {"a": "\0"}),
    (FORM, b"a=%00", {"a": "\0"}),
    (BOUNDED, part("a", b"\0") + END, {"a": "\0"}),
]


class TestNul:
    """NUL in the text of a request, which JSON and `type: string` allow."""

    @pytest.mark.parametrize(("content_type", "body", "expected"), NUL)
    def test_is_accepted_or_refused_in_a_body(self, content_type, body, expected):
        """RELAY_REFUSE_NUL decides: not every database can store it."""
        content = {JSON: TEXT, FORM: TEXT, MULTIPART: TEXT}
        strict = request_decoder(content, strictness=Strictness(nul=True))

        assert decode(request_decoder(content), body, content_type) == {"body": expected}
        path = "/a" if content_type == BOUNDED else ""
        assert violations(strict, body, content_type) == [("body", path, "format")]

    def test_is_accepted_or_refused_in_plain_text(self):
        strict = request_decoder({"text/plain": STRING}, strictness=Strictness(nul=True))

        assert decode(request_decoder({"text/plain": STRING}), b"\0", "text/plain") == {"body": "\0"}
        assert violations(strict, b"\0", "text/plain") == [("body", "", "format")]

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
        "ids": {"type": "array", "items": INTEGER},
        "at": {"type": "object", "properties": {"x": INTEGER, "tags": {"type": "array", "items": STRING}}},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"size": INTEGER}}},
        "obj": {"type": "object", "properties": {"y": INTEGER}},
        "plain": INTEGER,
    },
}
DEEP = {"style": "deepObject", "explode": True}
STYLED = request_decoder(
    {FORM: ENCODED}, encoding={"ids": {"style": "form", "explode": False}, "at": DEEP, "lines": DEEP}
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"ids=1,2", {"ids": [1, 2]}),
        (b"at[x]=3&plain=1", {"at": {"x": 3}, "plain": 1}),
        (b"at%5Bx%5D=3&at%5Btags%5D%5B%5D=a&at%5Btags%5D%5B%5D=b", {"at": {"x": 3, "tags": ["a", "b"]}}),
        (b"lines[0][size]=1&lines[1][size]=2", {"lines": [{"size": 1}, {"size": 2}]}),
        (b'obj={"y":1}', {"obj": {"y": 1}}),
        (b"", None),
    ],
)
def test_a_form_is_read_in_the_styles_of_its_encoding(body, expected):
    """Also lists of deepObject, which OpenAPI leaves undefined; an object without a style is JSON."""
    decoder = request_decoder({FORM: ENCODED}, required=False) if expected is None else STYLED

    assert decode(decoder, body, FORM) == ({} if expected is None else {"body": expected})


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
    assert violations(STYLED, body, FORM) == [("body", path, rule)]


@pytest.mark.parametrize(
    ("name", "encoding", "body", "expected"),
    [
        ("ids", {"style": "pipeDelimited", "explode": False}, b"ids=1%7C2", [1, 2]),
        ("ids", {"style": "spaceDelimited", "explode": False}, b"ids=1+2", [1, 2]),
        ("ids", {"style": "form"}, b"ids=1&ids=2", [1, 2]),
        ("ids", {"contentType": JSON}, b"ids=[1,2]", [1, 2]),
        ("obj", {"style": "form", "explode": False}, b"obj=y,1", {"y": 1}),
        ("obj", {"explode": True}, b"y=1", None),
        ("plain", {"allowReserved": True}, b"plain=7", 7),
        ("text", {"allowReserved": True}, b"text=a/b?c:d@e", "a/b?c:d@e"),
        ("text", {"allowReserved": True}, b"text=a%2Fb", "a/b"),
        ("text", {"contentType": "text/plain"}, b"text=%5B1%5D", "[1]"),
    ],
)
def test_a_field_has_each_encoding(name, encoding, body, expected):
    """Encoding Object of OpenAPI 3.0.3; reserved characters are accepted whether they are percent-encoded or not."""
    properties = {**ENCODED["properties"], "text": STRING}
    decoder = request_decoder({FORM: {"type": "object", "properties": properties}}, encoding={name: encoding})

    found = decode(decoder, body, FORM)["body"]

    assert found == ({"obj": {"y": 1}} if expected is None else {name: expected})


def test_a_field_may_be_json():
    """Its encoding says so."""
    decoder = request_decoder({FORM: {"properties": {"a": {}}}}, encoding={"a": {"contentType": JSON}})

    assert decode(decoder, b"a=%5B1%5D", FORM) == {"body": {"a": [1]}}


def test_a_handler_gets_no_read_only_properties():
    """In bodies and parameters; RELAY_READ_ONLY=refuse answers 400."""
    thing = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {**INTEGER, "readOnly": True}, "a": INTEGER},
    }
    deep = query("p", thing, style="deepObject")
    taken = {JSON: thing}, deep

    decoded = decode(request_decoder(*taken), b'{"id": 1, "a": 2}', JSON, query_string=b"p[id]=x&p[a]=3")

    assert decoded == {"p": {"a": 3}, "body": {"a": 2}}
    strict = request_decoder(*taken, strictness=Strictness(read_only=True))
    assert violations(strict, b'{"id": 1}', JSON) == [("body", "/id", "readOnly")]
