"""What a handler returns → an answer: `scripts/relay/validation/responses.py`."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import json
import math
import uuid
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.validation.errors import ResponseViolation
from relay.validation.responses import ResponseEncoder
from relay.validation.schemas import SchemaCompiler
from support.compiled import read
from support.hosting import contract, operation

INTEGER, STRING = {"type": "integer"}, {"type": "string"}
THING = {"type": "object", "required": ["size"], "properties": {"size": INTEGER}}


def answer(schema=None, *, headers=None, **content):
    """A documented answer; `content` by media type, of which `schema` is the JSON one."""
    by_type = {**({"application/json": schema} if schema is not None else {}), **content}
    return {
        "description": "",
        "content": {name: {"schema": schema} for name, schema in by_type.items()},
        "headers": headers or {},
    }


def response_encoder(**responses):
    """Compile an operation with these answers, `s200` is that for 200; encode them without a loop at hand."""
    documented = {status.removeprefix("s"): response for status, response in responses.items()}
    whole = read(contract({"/p": {"get": operation("give", responses=documented)}}))
    compiler = SchemaCompiler(whole)
    encoder = ResponseEncoder(whole.operations[0], whole, compiler)
    assert compiler.problems == []
    return SimpleNamespace(encode=lambda result: asyncio.run(encoder.encode(result)))


def breaches(encoder, result):
    """Return how an answer breaks the contract: path and rule."""
    with pytest.raises(ResponseViolation) as refused:
        encoder.encode(result)
    return [(one.path, one.rule) for one in refused.value.violations]


def test_a_body_alone_goes_out_with_the_lowest_success():
    found = response_encoder(s204=answer(), s201=answer(THING), s400=answer(THING)).encode({"size": 1})

    assert found == (201, [(b"content-type", b"application/json")], b'{"size":1}', ())


def test_a_status_may_be_chosen():
    """A number or one of `http.HTTPStatus`."""
    encoder = response_encoder(s200=answer(THING), s202=answer(STRING))

    assert encoder.encode(("later", 202)).body == b'"later"'
    assert encoder.encode(({"size": 1}, 200)).status == 200


@pytest.mark.parametrize(("status", "body"), [(200, 1), (404, "a"), (418, True), (503, None)])
def test_a_status_is_found_as_itself_or_its_range_or_the_default(status, body):
    encoder = response_encoder(
        s200=answer(INTEGER),
        s4XX=answer({"type": "boolean"}),
        s404=answer(STRING),
        sdefault=answer({"enum": [None]}),
    )

    assert encoder.encode((body, status)).body == json.dumps(body).encode()


def test_a_status_that_is_not_documented_is_a_violation():
    assert breaches(response_encoder(s200=answer(THING)), ({"size": 1}, 201)) == [("", "status")]


def test_a_body_is_held_to_its_schema():
    """And the value is not told, since it may be a secret."""
    encoder = response_encoder(s200=answer(THING))

    with pytest.raises(ResponseViolation) as refused:
        encoder.encode({"size": "sk_canary"})

    (violation,) = refused.value.violations
    assert (violation.path, violation.rule) == ("/size", "type")
    assert "canary" not in str(violation)


def test_an_answer_without_content_has_no_body():
    encoder = response_encoder(s204=answer())

    assert encoder.encode(None) == (204, [], b"", ())
    assert breaches(encoder, {"size": 1}) == [("", "content")]


def test_nothing_is_null_where_a_body_is_documented():
    """A handler that forgets to return is found."""
    assert breaches(response_encoder(s200=answer(THING)), None) == [("", "type")]
    assert response_encoder(s200=answer({})).encode(None).body == b"null"


def test_a_tuple_within_a_body_is_a_list():
    assert response_encoder(s200=answer({"type": "array"})).encode([(1, 2)]).body == b"[[1,2]]"


class Colour(enum.Enum):
    """An enum of the standard library's."""

    RED = "red"


class Name(str):
    """A string of one's own."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("schema", "value", "written"),
    [
        ({"format": "date"}, dt.date(2025, 1, 2), '"2025-01-02"'),
        ({"format": "date-time"}, dt.datetime(2025, 1, 2, tzinfo=dt.UTC), '"2025-01-02T00:00:00+00:00"'),
        ({"format": "uuid"}, uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ({"enum": ["red"]}, Colour.RED, '"red"'),
        ({"maxLength": 3}, Name("abc"), '"abc"'),
    ],
)
def test_plain_words_of_the_standard_library_are_judged_as_they_are_written(schema, value, written):
    """Alone and beside others; what then breaks the contract is a violation like any other."""
    encoder = response_encoder(s200=answer({"items": {"type": "string", **schema}}))

    assert encoder.encode([value, value]).body.decode() == f"[{written},{written}]"
    assert ("/1", "type") in breaches(encoder, [value, 1])


@pytest.mark.parametrize(
    "value", [Decimal(1), {1}, b"a", object(), {1: 2}, "\ud800", {"\ud800": 1}, [[object()]]]
)
def test_what_json_cannot_hold_is_a_violation(value):
    """Whether the schema minds or not."""
    assert breaches(response_encoder(s200=answer({})), value) == [("", "type")]
    assert breaches(response_encoder(s200=answer({"type": "boolean"})), value) == [("", "type")]


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**99])
def test_an_integer_may_be_larger_than_a_machines(number):
    """A request may hold it, and a handler that gives it back has done nothing wrong."""
    encoder = response_encoder(s200=answer({"items": {"type": "integer"}}))

    assert encoder.encode([number, 1]).body == f"[{number},1]".encode()
    assert breaches(response_encoder(s200=answer({"items": {"type": "string"}})), [number]) == [
        ("/0", "type")
    ]


def test_a_large_integer_stands_beside_words_of_the_standard_library():
    """What is judged as it is written is judged with its integers whole."""
    schema = {"properties": {"size": {"type": "integer", "minimum": 1}, "id": {"type": "string"}}}

    written = response_encoder(s200=answer(schema)).encode({"size": 2**64, "id": uuid.UUID(int=1)}).body

    assert written == b'{"size":18446744073709551616,"id":"00000000-0000-0000-0000-000000000001"}'


def test_what_is_nested_too_deeply_is_a_violation():
    nested = []
    for _ in range(1000):
        nested = [nested]

    assert breaches(response_encoder(s200=answer({})), nested) == [("", "type")]
    assert breaches(response_encoder(s200=answer(THING)), nested) == [("", "type")]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_sent_as_null(number):
    """A writer makes null of it; a contract that says number has then been broken."""
    assert breaches(response_encoder(s200=answer({"type": "number"})), number) == [("", "type")]


HEADERS = {
    "Location": {"required": True, "schema": STRING},
    "X-Total": {"schema": {"type": "integer", "minimum": 0}},
}


def test_headers_are_held_to_the_contract():
    """Required ones have to be there, typed ones to read as their type; others pass."""
    encoder = response_encoder(s201=answer(THING, headers=HEADERS))
    body = {"size": 1}

    assert breaches(encoder, body) == [("/Location", "required")]
    assert breaches(encoder, (body, 201, {"Location": "/1", "X-Total": "-1"})) == [("/X-Total", "minimum")]
    assert breaches(encoder, (body, 201, {"Location": "/1", "X-Total": "many"})) == [("/X-Total", "type")]
    assert encoder.encode((body, 201, {"location": "/1", "X-Total": 3, "X-Other": "x"})).headers == [
        (b"content-type", b"application/json"),
        (b"location", b"/1"),
        (b"x-total", b"3"),
        (b"x-other", b"x"),
    ]


@pytest.mark.parametrize("value", ["/a\r\nset-cookie: b=c", "/a\nb", "/a\rb", "/a\0", "/\N{SNOWMAN}", "\x7f"])
def test_a_header_ends_where_its_line_ends(value):
    """A value that a client has a part in must not write headers of its own."""
    encoder = response_encoder(s204=answer())

    assert breaches(encoder, (None, 204, {"Location": value})) == [("/location", "header")]


@given(st.text())
def test_a_header_never_holds_the_end_of_a_line(value):
    encoder = NO_CONTENT
    try:
        found = encoder.encode((None, 204, {"x-word": value}))
    except ResponseViolation:
        return

    assert not {*b"\r\n\0"} & {*found.headers[0][1]}


NO_CONTENT = response_encoder(s204=answer())

TEXTS = {"text/plain": {"type": "string", "maxLength": 3}, "text/*": STRING}


def test_json_goes_before_other_media_types():
    """Else the first one that is documented is taken."""
    both = {"text/plain": STRING, "application/problem+json": STRING}

    assert response_encoder(s200=answer(**both)).encode("a").headers == [
        (b"content-type", b"application/problem+json")
    ]
    assert response_encoder(s200=answer(**TEXTS)).encode("a").body == b"a"


def test_a_handler_may_choose_the_media_type():
    encoder = response_encoder(s200=answer(THING, **TEXTS))

    found = encoder.encode(("size=1", 200, {"Content-Type": "text/csv; header=absent"}))

    assert found == (200, [(b"content-type", b"text/csv; header=absent")], b"size=1", ())


def test_a_media_type_has_to_be_documented():
    assert breaches(response_encoder(s200=answer(THING)), ("a", 200, {"Content-Type": "text/csv"})) == [
        ("", "content")
    ]


def test_a_range_is_no_media_type():
    """Nobody sends `image/*`: the handler says which it is."""
    encoder = response_encoder(s200=answer(**{"image/*": {}}))

    assert breaches(encoder, b"\x89PNG") == [("", "content")]
    assert encoder.encode((b"\x89PNG", 200, {"Content-Type": "image/png"})).headers == [
        (b"content-type", b"image/png")
    ]


def test_text_says_that_it_is_utf8():
    """Clients would guess."""
    found = response_encoder(s200=answer(**TEXTS)).encode("é")

    assert found == (200, [(b"content-type", b"text/plain; charset=utf-8")], "é".encode(), ())


def test_text_is_held_to_its_schema():
    encoder = response_encoder(s200=answer(**TEXTS))

    assert breaches(encoder, "long") == [("", "maxLength")]
    assert breaches(encoder, 1) == [("", "type")]


def test_bytes_are_sent_as_they_are():
    encoder = response_encoder(
        s200=answer(**{"application/octet-stream": {"type": "string", "format": "binary"}})
    )

    assert encoder.encode(b"\xff\0").body == b"\xff\0"
