"""Styles in multipart forms, since OpenAPI 3.1: `relay.validation.part_decoders`."""

from __future__ import annotations

import functools

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.http import Request
from relay.validation.requests import RequestDecoder
from relay.validation.schemas import SchemaCompiler
from support.compiled import read
from support.hosting import contract, operation

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0,| "), max_size=8) | st.text(
    "a%+&=2C"
)
FORM = "multipart/form-data"


@functools.cache
def decoder(style, explode, version="3.1.1", kind="array"):
    """The decoder of a form with one property in a style."""
    field = {
        "array": {"type": "array", "items": {"type": "string"}},
        "object": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}},
    }[kind]
    content = {
        FORM: {
            "schema": {"type": "object", "properties": {"p": field, "q": {"type": "string"}}},
            "encoding": {"p": {"style": style, "explode": explode}},
        }
    }
    body = {"required": True, "content": content}
    whole = read(contract({"/p": {"post": operation("take", requestBody=body)}}, openapi=version))
    (taking,) = whole.operations
    return RequestDecoder(taking, taking.arguments, SchemaCompiler(whole))


def taken(one, *fields):
    """The value of a form with these fields."""
    made = httpx.Request("POST", "http://a", files=[(name, (None, text.encode())) for name, text in fields])
    headers = [(b"content-type", made.headers["content-type"].encode())]
    return one.decode(Request({}, b"", headers, made.read()))["body"]


@pytest.mark.parametrize(
    ("style", "separator"), [("form", ","), ("spaceDelimited", " "), ("pipeDelimited", "|")]
)
@settings(max_examples=40)
@given(items=st.lists(TEXTS, min_size=2))
def test_reads_back_lists_that_are_one_part(style, separator, items):
    """A part has no percent-encoding, so a percent sign is itself."""
    one = decoder(style, explode=False)
    assert taken(one, ("p", separator.join(items)), ("q", "x")) == {"p": items, "q": "x"}


def test_reads_objects_in_their_styles():
    """Its properties are parts of their own, or one part."""
    assert taken(decoder("form", explode=True, kind="object"), ("a", "x"), ("b", "1")) == {
        "p": {"a": "x", "b": 1}
    }
    assert taken(decoder("form", explode=False, kind="object"), ("p", "a,x,b,1")) == {"p": {"a": "x", "b": 1}}
    assert taken(decoder("deepObject", explode=True, kind="object"), ("p[a]", "x")) == {"p": {"a": "x"}}


def test_in_openapi_3_0_styles_are_for_other_forms():
    """Its Encoding Object ignores them in multipart forms."""
    one = decoder("form", explode=False, version="3.0.3")
    assert taken(one, ("p", "a,b")) == {"p": ["a,b"]}
