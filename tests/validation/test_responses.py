"""Handler results to responses: `relay.validation.responses`."""

import json
import math
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.validation.errors import ResponseViolation
from relay.validation.results import NO_BODY
from support.encoding import documented, response_encoder, violations

INTEGER, STRING = {"type": "integer"}, {"type": "string"}
THING = {"type": "object", "required": ["size"], "properties": {"size": INTEGER}}


def test_a_body_without_a_status_gets_the_lowest_2xx_status():
    encoder = response_encoder(s204=documented(), s201=documented(THING), s400=documented(THING))
    found = encoder.encode({"size": 1})
    assert found == (201, [(b"content-type", b"application/json")], b'{"size":1}', ())
    found = encoder.encode(({"size": 1}, {"X-A": "b"}))  # as in Connexion
    assert (found.status, found.headers[1:]) == (201, [(b"x-a", b"b")])


def test_a_handler_may_set_the_status():
    encoder = response_encoder(s200=documented(THING), s202=documented(STRING))
    assert encoder.encode(("later", 202)).body == b'"later"'
    assert encoder.encode(({"size": 1}, 200)).status == 200
    assert violations(encoder, ({"size": 1}, 201)) == [("", "status")]


@pytest.mark.parametrize(("status", "body"), [(200, 1), (404, "a"), (418, True), (503, None)])
def test_a_status_matches_exactly_or_by_range_or_default(status, body):
    encoder = response_encoder(
        s200=documented(INTEGER),
        s4XX=documented({"type": "boolean"}),
        s404=documented(STRING),
        sdefault=documented({"enum": [None]}),
    )

    assert encoder.encode((body, status)).body == json.dumps(body).encode()


@pytest.mark.parametrize("result", [(), (1,), (1, "200"), (1, 200, []), (1, 200, {}, None), (1, None)])
def test_a_tuple_of_another_form_is_a_violation(result):
    """An array of two numbers must not become a status."""
    assert violations(response_encoder(s200=documented({})), result) == [("", "status")]


def test_a_header_in_a_list_is_a_line_for_each_value():
    """Cookies cannot be joined to one line (RFC 9110 section 5.3)."""
    headers = {"Set-Cookie": ["a=1", "b=2"], "X-Count": (1, True), "X-None": []}

    found = response_encoder(s204=documented()).encode((None, 204, headers))

    assert found.headers == [
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"x-count", b"1"),
        (b"x-count", b"true"),
    ]


def test_documented_headers_with_several_lines_are_validated():
    """Lines of a list are joined, cookies are validated one by one."""
    numbers = {"type": "array", "items": INTEGER}
    cookie = {"type": "string", "pattern": "^[a-z]=[^,]*$"}
    encoder = response_encoder(
        s204=documented(headers={"X-Ids": {"schema": numbers}, "Set-Cookie": {"schema": cookie}})
    )

    assert encoder.encode((None, 204, {"X-Ids": [1, 2], "Set-Cookie": ["a=1", "b=2"]})).status == 204
    assert violations(encoder, (None, 204, {"X-Ids": [1, "a"]})) == [("/X-Ids/1", "type")]
    assert violations(encoder, (None, 204, {"Set-Cookie": ["a=1", "b2"]})) == [("/Set-Cookie", "pattern")]


@pytest.mark.parametrize("body", [None, "", b"", NO_BODY])
def test_an_empty_body_is_sent_where_none_is_documented(body):
    """Handlers of Connexion return an empty text, or NoContent."""
    assert response_encoder(s204=documented()).encode(body) == (204, [], b"", ())


@pytest.mark.parametrize(
    ("content", "result", "path", "rule"),
    [
        ({}, (NO_BODY, 200), "", "content"),  # it is no null
        (None, {"size": 1}, "", "content"),
        (THING, None, "", "type"),  # a handler without a return statement
        (THING, {"size": "sk_canary"}, "/size", "type"),
    ],
)
def test_validates_a_body(content, result, path, rule):
    """The value is not reported, since it may be a secret."""
    encoder = response_encoder(s200=documented() if content is None else documented(content))

    with pytest.raises(ResponseViolation) as raised:
        encoder.encode(result)

    (violation,) = raised.value.violations
    assert (violation.path, violation.rule) == (path, rule)
    assert "canary" not in str(violation)


def test_none_is_null_if_it_is_documented():
    assert response_encoder(s200=documented({})).encode(None).body == b"null"


def test_a_tuple_in_a_body_is_an_array():
    assert response_encoder(s200=documented({"type": "array"})).encode([(1, 2)]).body == b"[[1,2]]"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        *((value, "") for value in (b"a", object(), {1: 2}, "\ud800", {"\ud800": 1}, Decimal("NaN"), iter([]))),
        *(([[object()]], "/0/0"), ({"a/b": [1, {2: 3}]}, "/a~1b/1")),
    ],
)  # fmt: skip
def test_a_value_that_json_cannot_represent_is_a_violation(value, path):
    """Even if the schema accepts every value; the violation says where it is."""
    assert violations(response_encoder(s200=documented({})), value) == [(path, "type")]
    assert violations(response_encoder(s200=documented({"type": "boolean"})), value) == [(path, "type")]


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**99])
def test_an_integer_may_exceed_64_bits(number):
    """A request may contain it, so a handler may return it."""
    encoder = response_encoder(s200=documented({"items": {"type": "integer"}}))
    assert encoder.encode([number, 1]).body == f"[{number},1]".encode()
    assert violations(response_encoder(s200=documented({"items": {"type": "string"}})), [number]) == [
        ("/0", "type")
    ]


def test_a_large_integer_next_to_standard_library_types_is_exact():
    """Validation of the serialised form does not round integers."""
    schema = {"properties": {"size": {"type": "integer", "minimum": 1}, "id": {"type": "string"}}}
    written = response_encoder(s200=documented(schema)).encode({"size": 2**64, "id": uuid.UUID(int=1)}).body
    assert written == b'{"size":18446744073709551616,"id":"00000000-0000-0000-0000-000000000001"}'


def test_a_body_nested_too_deeply_is_a_violation():
    nested = []
    for _ in range(1000):
        nested = [nested]
    assert violations(response_encoder(s200=documented({})), nested) == [("", "type")]
    assert violations(response_encoder(s200=documented(THING)), nested) == [("", "type")]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_non_finite_number_is_not_sent_as_null(number):
    """The serialiser writes null, which violates a schema of type number."""
    assert violations(response_encoder(s200=documented({"type": "number"})), number) == [("", "type")]


HEADERS = {
    "Location": {"required": True, "schema": STRING},
    "X-Total": {"schema": {"type": "integer", "minimum": 0}},
}


def test_validates_headers():
    encoder = response_encoder(s201=documented(THING, headers=HEADERS))
    body = {"size": 1}

    assert violations(encoder, body) == [("/Location", "required")]
    assert violations(encoder, (body, 201, {"Location": "/1", "X-Total": "-1"})) == [("/X-Total", "minimum")]
    assert violations(encoder, (body, 201, {"Location": "/1", "X-Total": "many"})) == [("/X-Total", "type")]
    assert encoder.encode((body, 201, {"location": "/1", "X-Total": 3, "X-Other": "x"})).headers == [
        (b"content-type", b"application/json"),
        (b"location", b"/1"),
        (b"x-total", b"3"),
        (b"x-other", b"x"),
    ]


BROKEN = [
    "/a\r\nset-cookie: b=c",
    "/a\nb",
    "/a\rb",
    "/a\0",
    "/\N{SNOWMAN}",
    "\x7f",
    [["a"]],
    ["a", "a\r\nX-B: b"],
]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("location", value) for value in BROKEN),
        *(("content-length", "50"), ("transfer-encoding", "chunked"), ("connection", "close")),
        ("bad\r\nname", "x"),
    ],
)
def test_rejects_a_header_that_breaks_the_framing(name, value):
    """A value that a client influences must not inject headers; behind a proxy, one answer could be read as two."""
    encoder = response_encoder(s204=documented())
    assert violations(encoder, (None, 204, {name: value})) == [(f"/{name}", "header")]


@given(st.text())
def test_no_header_contains_a_line_break(value):
    encoder = NO_CONTENT
    try:
        found = encoder.encode((None, 204, {"x-word": value}))
    except ResponseViolation:
        return

    assert not {*b"\r\n\0"} & {*found.headers[0][1]}


NO_CONTENT = response_encoder(s204=documented())

TEXTS = {"text/plain": {"type": "string", "maxLength": 3}, "text/*": STRING}
FILES = {"application/octet-stream": {"type": "string", "format": "binary"}}
IMAGES = {"image/*": {}}
UTF8, LATIN = "text/plain; charset=utf-8", "text/plain; charset=latin-1"
CSV, PROBLEM = "text/csv; header=absent", "application/problem+json"


@pytest.mark.parametrize(
    ("content", "body", "given", "sent", "written"),
    [
        # JSON is preferred to other media types, else the first documented one.
        ({"text/plain": STRING, PROBLEM: STRING}, "a", None, PROBLEM, b'"a"'),
        (TEXTS, "a", None, UTF8, b"a"),
        (TEXTS, "é", None, UTF8, "é".encode()),  # without it clients guess
        ({"application/json": THING, **TEXTS}, "size=1", CSV, CSV, b"size=1"),
        (IMAGES, b"\x89PNG", "image/png", "image/png", b"\x89PNG"),
        (FILES, b"\xff\0", None, "application/octet-stream", b"\xff\0"),
        # Text in bytes is validated in its charset; other bytes are sent as they are.
        (TEXTS, "é".encode(), None, "text/plain; charset=utf-8", "é".encode()),
        (TEXTS, b"\xe9\xe9\xe9", LATIN, LATIN, b"\xe9\xe9\xe9"),
        (TEXTS, b"\xff\xff\xff\xff", None, UTF8, b"\xff\xff\xff\xff"),
        # A body says what it is where only ranges are documented; it was a 500 at every request.
        *(
            ({one: THING}, body, None, sent, written)
            for one in ("*/*", "*")
            for body, sent, written in (
                ({"size": 1}, "application/json", b'{"size":1}'),
                ("a", "text/plain; charset=utf-8", b"a"),
                (b"\xff", "application/octet-stream", b"\xff"),
            )
        ),
    ],
)
def test_a_body_is_sent_as_a_documented_media_type(content, body, given, sent, written):
    headers = {"Content-Type": given} if given else {}
    found = response_encoder(s200=documented(**content)).encode((body, 200, headers))
    assert found == (200, [(b"content-type", sent.encode())], written, ())


@pytest.mark.parametrize(
    ("content", "result", "rule"),
    [
        ({"application/json": THING}, ("a", 200, {"Content-Type": "text/csv"}), "content"),
        (IMAGES, b"\x89PNG", "content"),  # a range cannot be sent
        (TEXTS, "long", "maxLength"),
        (TEXTS, b"long", "maxLength"),
        (TEXTS, 1, "type"),
    ],
)
def test_a_body_of_another_media_type_is_not_sent(content, result, rule):
    assert violations(response_encoder(s200=documented(**content)), result) == [("", rule)]


@pytest.mark.parametrize("media_type", ["application/json", "application/vnd.thing+json"])
def test_a_response_of_a_range_may_be_json(media_type):
    """The media type that the handler sets chooses the writer, and JSON is validated."""
    encoder = response_encoder(s200=documented(**{"application/*": THING}))
    headers = {"Content-Type": media_type}

    assert encoder.encode(({"size": 1}, 200, headers)).body == b'{"size":1}'
    assert violations(encoder, ({"size": "a"}, 200, headers)) == [("/size", "type")]
    assert violations(encoder, {"size": "a"}) == [("/size", "type")]
    assert violations(encoder, "text") == [("", "content")]


VERSIONS = response_encoder(
    s200=documented(
        **{
            "application/json; version=1": THING,
            "application/json; version=2": {"type": "object", "required": ["length"]},
        }
    )
)


def test_parameters_distinguish_media_types():
    """They were read as one, with the schema of the last; the first is the default."""
    second = {"Content-Type": 'application/json;VERSION="2"'}
    assert VERSIONS.encode({"size": 1}).headers[0] == (b"content-type", b"application/json; version=1")
    assert VERSIONS.encode(({"length": 1}, 200, second)).body == b'{"length":1}'
    assert violations(VERSIONS, ({"size": 1}, 200, second)) == [("/length", "required")]
    assert violations(VERSIONS, ({"size": 1}, 200, {"Content-Type": "application/json"})) == [("", "content")]


@pytest.mark.parametrize("media_type", ["application/xml", "text/xml", "application/atom+xml", "text/csv"])
@pytest.mark.parametrize("body", ["<a/>", b"<a/>"])
def test_text_and_bytes_that_stand_for_a_value_are_alike(media_type, body):
    """XML cannot be validated; as text it was a 500, as bytes it was sent."""
    encoder = response_encoder(s200=documented(**{media_type: THING}))
    assert encoder.encode(body).body == b"<a/>"
    assert violations(encoder, {"size": 1}) == [("", "type")]


V1 = {"type": "object", "required": ["name"], "properties": {"name": STRING}}
SEVERAL = {
    "application/json": {},
    "application/hal+json": {},
    "application/vnd.one+json": V1,
    "text/csv": STRING,
}


def accepting(value):
    return [(b"accept", value.encode())]


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        ("*/*", "application/json"),
        ("application/hal+json", "application/hal+json"),
        ("application/json;q=0.5, application/hal+json", "application/hal+json"),
        ("application/*;q=0.1, application/hal+json;q=0", "application/json"),
        ("application/vnd.one+json, application/hal+json;q=0.5", "application/hal+json"),
        ("text/csv", "application/json"),
        ("image/png", "application/json"),
        ("", "application/json"),
        (",;q=,=", "application/json"),
    ],
)
def test_accept_chooses_among_several_types_of_json(accept, sent):
    """By weight, of those that the body is valid as; else the default. Text is the handler's to choose."""
    found = response_encoder(s200=documented(**SEVERAL)).encode({"size": 1}, accepting(accept))
    assert found.headers == [(b"content-type", sent.encode()), (b"vary", b"Accept")]


def test_the_most_wanted_type_is_judged_if_the_body_is_valid_as_none():
    """The violation is that of the type that would have been sent."""
    encoder = response_encoder(
        s200=documented(**{"application/json": INTEGER, "application/vnd.one+json": V1})
    )

    with pytest.raises(ResponseViolation) as raised:
        encoder.encode({}, accepting("application/vnd.one+json"))

    assert [(one.path, one.rule) for one in raised.value.violations] == [("/name", "required")]


def test_a_handler_that_sets_the_media_type_is_not_overruled():
    found = response_encoder(s200=documented(**SEVERAL)).encode(
        ("a,b", 200, {"Content-Type": "text/csv"}), accepting("application/json")
    )
    assert found.headers == [(b"content-type", b"text/csv; charset=utf-8")]


def test_an_operation_with_one_type_does_not_read_accept():
    found = response_encoder(s200=documented({})).encode({}, accepting("text/html"))
    assert found.headers == [(b"content-type", b"application/json")]


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_any_accept_gets_a_documented_type(value):
    found = NEGOTIATING.encode({}, [(b"accept", value.encode("latin-1"))])
    assert found.headers[0][1].decode() in SEVERAL


NEGOTIATING = response_encoder(s200=documented(**SEVERAL))
