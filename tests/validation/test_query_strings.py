"""A query that is one value: `relay.validation.parameters`."""

import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.errors import InvalidRequest
from relay.validation.schemas import Strictness
from support.compiled import read
from support.hosting import contract, operation
from support.querying import Service

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
STRINGS = {"type": "array", "items": {"type": "string"}}
STAR = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "tags": STRINGS, "limit": {"type": "integer", "default": 7}},
    "additionalProperties": False,
}
FORM = "application/x-www-form-urlencoded"


def whole(media_type, schema, **rest):
    return {"name": "filter", "in": "querystring", "content": {media_type: {"schema": schema, **rest}}}


def service(parameter, **rest):
    return Service(parameter, openapi="3.2.0", **rest)


FORMS = service(whole(FORM, STAR))
JSON = service(whole("application/json", STAR))
TEXT = service(whole("text/plain", {"type": "string"}))


@settings(max_examples=40)
@given(
    st.fixed_dictionaries(
        {}, optional={"name": TEXTS, "tags": st.lists(TEXTS, min_size=1), "limit": st.integers()}
    )
)
def test_reads_back_any_form(value):
    query = urlencode(value, doseq=True)
    assert FORMS.arguments(query) == {"filter": {"limit": 7, **value}}


@settings(max_examples=40)
@given(st.fixed_dictionaries({}, optional={"name": TEXTS, "tags": st.lists(TEXTS), "limit": st.integers()}))
def test_reads_back_any_json(value):
    """It is percent-encoded as a whole; a plus is no space."""
    assert JSON.arguments(quote(json.dumps(value))) == {"filter": {"limit": 7, **value}}


@settings(max_examples=40)
@given(TEXTS.filter(bool))
def test_reads_back_any_text(text):
    assert TEXT.arguments(quote(text, safe="+")) == {"filter": text}


@settings(max_examples=60)
@given(st.text('ab=&%+[]{}":0129', max_size=16))
def test_any_query_is_read_or_refused(query):
    """No text of a client is an error of the server."""
    for one in (FORMS, JSON, TEXT):
        try:
            one.arguments(query)
        except InvalidRequest:
            continue


@pytest.mark.parametrize(
    ("one", "query", "expected"),
    [
        (FORMS, "limit=x", ("querystring", "/filter/limit", "type")),
        (FORMS, "%zz", ("querystring", "/filter", "encoding")),
        (JSON, "%7B", ("querystring", "/filter", "json")),
        (JSON, "%ff", ("querystring", "/filter", "encoding")),
        (TEXT, "%", ("querystring", "/filter", "encoding")),
    ],
)
def test_a_violation_has_its_place(one, query, expected):
    assert one.violations(query) == [expected]


def test_an_empty_query_is_no_value():
    """A client cannot say whether there is a question mark, so both are the same."""
    required = service({**whole("application/json", {}), "required": True})
    assert FORMS.arguments("") == {"filter": {"limit": 7}}
    assert TEXT.arguments("") == {}
    assert required.violations("") == [("querystring", "/filter", "required")]


def test_every_key_of_the_query_belongs_to_it():
    """So none is unknown to a service that refuses unknown ones; its schema says which it has."""
    free = service(whole(FORM, {"type": "object"}), strictness=Strictness(unknown_query=True))
    assert free.arguments("a=1") == {"filter": {"a": "1"}}


def test_a_form_may_have_styles():
    """The encoding of a query is that of a body (OpenAPI 3.2, "Encoding Object")."""
    one = service(whole(FORM, STAR, encoding={"tags": {"style": "pipeDelimited", "explode": False}}))
    assert one.arguments("tags=a%7Cb") == {"filter": {"tags": ["a", "b"], "limit": 7}}
    assert one.violations("tags=a&tags=b") == [("querystring", "/filter/tags", "style")]


def test_an_operation_whose_query_is_divided_is_left_out():
    """The whole query cannot be one value, and a part of it another one."""
    part = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    item = {"parameters": [whole(FORM, STAR)], "get": operation("take", parameters=[part])}
    found = read(contract({"/p": item}, openapi="3.2.0"))
    (fault,) = found.faults
    assert not found.operations
    assert fault.rule == "divided-query"
    assert "the whole query is the parameter 'filter'" in fault.message
