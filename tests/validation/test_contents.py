"""Encoded content of texts, of OpenAPI 3.1: `relay.validation.contents`, `encoded_text`, `binary_schemas`."""

import base64
import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.contents import DECODERS, ENCODERS, is_encoded
from relay.validation.json_writing import Level, plain
from relay.validation.shapes import Shape
from support.compiled import around, validator
from support.schemas import json_values

JSON_VALUES = json_values(st.text('aé"\\'), st.integers())
compiled = partial(validator, version="3.1.1")


def rules(compiled, value):
    return [(one.path, one.rule) for one in compiled.violations(value)]


@pytest.mark.parametrize("encoding", sorted(DECODERS.keys() & ENCODERS.keys()))
@settings(max_examples=30)
@given(content=st.binary())
def test_accepts_whatever_a_writer_of_the_encoding_writes(encoding, content):
    text = ENCODERS[encoding](content).decode()
    assert is_encoded(text, encoding)
    assert DECODERS[encoding](text) == content


@pytest.mark.slow
@pytest.mark.parametrize("encoding", sorted(DECODERS))
@settings(max_examples=60)
@given(text=st.text(max_size=12) | st.text("AQ=-_+/ \n2z", max_size=12))
def test_any_text_is_in_an_encoding_or_not(encoding, text):
    """No text is an error of the server."""
    assert is_encoded(text, encoding) in (True, False)


@pytest.mark.parametrize(
    ("encoding", "good", "bad"),
    [
        ("base64", ["", "YQ==", "+/8="], ["YQ", "Y Q=", "-_8=", "é"]),
        ("base64url", ["", "YQ", "YQ==", "-_8"], ["+/8=", "Y", "Y Q"]),
        ("base32", ["", "ME======"], ["ME", "me======", "1"]),
        ("base32hex", ["", "C4======"], ["C4"]),
        ("base16", ["", "6aFF"], ["6", "6g"]),
        ("quoted-printable", ["", "a=3Db", "a=\r\nb"], ["a=b=", "é", "=3"]),
        ("Base64", ["YQ=="], ["YQ"]),
        ("8bit", ["anything"], []),
    ],
)
def test_a_text_is_in_its_encoding(encoding, good, bad):
    """In both directions; of other values than strings it says nothing."""
    for direction in ("request", "response"):
        found = compiled({"properties": {"a": {"contentEncoding": encoding}}}, direction)
        assert all(found.accepts({"a": one}) for one in [*good, 7, None])
        for one in bad:
            assert rules(found, {"a": one}) == [("/a", "contentEncoding")]


@pytest.mark.slow
@settings(max_examples=50)
@given(value=JSON_VALUES)
def test_a_text_contains_json(value):
    schema = {"type": "string", "contentMediaType": "application/json"}
    plain, encoded = compiled(schema), compiled({**schema, "contentEncoding": "base64"})
    text = json.dumps(value)
    assert plain.accepts(text)
    assert encoded.accepts(base64.b64encode(text.encode()).decode())


def test_a_text_that_is_no_json_is_a_violation():
    """A text that is not in its encoding violates only that."""
    schema = {"type": "string", "contentMediaType": "application/vnd.x+json"}
    encoded = compiled({**schema, "contentEncoding": "base64url"})
    assert rules(compiled(schema), "{") == [("", "contentMediaType")]
    assert rules(encoded, "ew") == [("", "contentMediaType")]
    assert rules(encoded, "+") == [("", "contentEncoding")]
    assert compiled({"type": "string", "contentMediaType": "text/csv"}).accepts("{")


INNER = {"$ref": "#/components/schemas/Inner"}


def test_the_json_in_a_text_has_a_schema():
    """`contentSchema` is that of the value, with all that a schema has."""
    schema = {"type": "string", "contentMediaType": "application/json", "contentSchema": INNER}
    inner = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    found = compiled(schema, schemas={"Inner": inner})
    assert found.accepts('{"a": 1}')
    assert rules(found, '{"a": "x"}') == [("", "contentSchema")]
    assert rules(found, "{") == [("", "contentMediaType")]


def test_the_schema_of_a_text_may_contain_itself():
    text = {"type": "string", "contentMediaType": "application/json", "contentSchema": INNER}
    inner = {"type": "object", "properties": {"next": text}, "required": ["n"]}
    found = compiled(text, schemas={"Inner": inner})
    innermost = json.dumps({"n": 1})
    assert found.accepts(json.dumps({"n": 1, "next": innermost}))
    assert not found.accepts(json.dumps({"n": 1, "next": "{}"}))


def test_read_only_is_forbidden_in_the_json_of_a_response_only_if_write_only():
    inner = {"type": "object", "properties": {"secret": {"type": "string", "writeOnly": True}}}
    schema = {"type": "string", "contentMediaType": "application/json", "contentSchema": INNER}
    assert compiled(schema, "request", {"Inner": inner}).accepts('{"secret": "a"}')
    assert not compiled(schema, "response", {"Inner": inner}).accepts('{"secret": "a"}')


def test_openapi_3_0_does_not_know_these_words():
    """There they are unknown fields, which are ignored."""
    assert validator({"contentEncoding": "base64"}).accepts("?")


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"contentEncoding": "base64url"}, "-_8="),
        ({"contentEncoding": "base16"}, "FBFF"),
        ({"format": "byte"}, "+/8="),
    ],
)
def test_bytes_of_a_result_are_written_in_the_encoding(schema, text):
    """So a handler need not encode them."""
    shape = Shape({"type": "string", **schema}, around(version="3.1.1"))
    assert plain(b"\xfb\xff", Level(shape, 0, is_model=False)) == text
