"""Integers that are written with a fraction of nought: `relay.validation.completion`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.completion import converting, reading
from relay.validation.errors import InvalidRequest
from relay.validation.http import Request
from relay.validation.item_compiling import item_decoders
from relay.validation.item_reading import ReadItem
from relay.validation.requests import RequestDecoder
from relay.validation.schemas import SchemaCompiler
from support.compiled import read
from support.hosting import contract, operation

INTEGER, NUMBER = {"type": "integer"}, {"type": "number"}
NODE = {
    "type": "object",
    "properties": {
        "n": {"$ref": "#/components/schemas/Count"},
        "x": NUMBER,
        "many": {"type": "array", "items": INTEGER},
        "pair": {"type": "array", "prefixItems": [INTEGER, NUMBER], "items": NUMBER},
        "map": {"type": "object", "additionalProperties": {"type": ["integer", "null"]}},
        "named": {"type": "object", "patternProperties": {"^n": INTEGER}, "additionalProperties": NUMBER},
        "either": {"anyOf": [INTEGER, {"type": "string"}]},
        "both": {"type": ["integer", "number"]},
        "member": {"enum": [1, 2]},
        "all": {"allOf": [{"properties": {"n": INTEGER}}, {"properties": {"x": NUMBER}}]},
        "free": {},
        "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
    },
}
SCHEMAS = {"Count": {"allOf": [INTEGER]}, "Node": NODE}
JSON, MULTIPART = "application/json", "multipart/form-data; boundary=b"


def described(schema, media_type=JSON, **others):
    """Return the document of one operation with such a body."""
    body = {"content": {media_type: {"schema": schema}}}
    paths = {"/things": {"post": operation("add_thing", requestBody=body, **others)}}
    return contract(paths, openapi="3.1.1", components={"schemas": SCHEMAS})


def decoded(document, body=b"", content_type=JSON, query=b""):
    """Return the arguments that a handler gets."""
    whole = read(document)
    [found] = whole.operations
    names = {one.pointer: one.name for one in found.parameters}
    decoder = RequestDecoder(found, names, SchemaCompiler(whole))
    return decoder.decode(Request({}, query, [(b"content-type", content_type.encode())], body))


CASES = {
    "a property": ({"n": 42.0}, {"n": 42}),
    "with an exponent": ({"n": 1e3}, {"n": 1000}),
    "a number": ({"x": 42.0}, {"x": 42.0}),
    "items": ({"many": [1.0, 2, -0.0]}, {"many": [1, 2, 0]}),
    "the first items": ({"pair": [1.0, 2.0, 3.0]}, {"pair": [1, 2.0, 3.0]}),
    "other properties": ({"map": {"a": 1.0, "b": None}}, {"map": {"a": 1, "b": None}}),
    "matching properties": ({"named": {"n1": 1.0, "x": 1.0}}, {"named": {"n1": 1, "x": 1.0}}),
    "of alternatives": ({"either": 1.0}, {"either": 1}),
    "of two types": ({"both": 1.0}, {"both": 1.0}),
    "of an enum": ({"member": 2.0}, {"member": 2}),
    "in all": ({"all": {"n": 1.0, "x": 1.0}}, {"all": {"n": 1, "x": 1.0}}),
    "of no type": ({"free": 1.0}, {"free": 1.0}),
    "of a schema in itself": ({"kids": [{"kids": [{"n": 1.0}]}]}, {"kids": [{"kids": [{"n": 1}]}]}),
    "of many digits": ({"n": 1e30}, {"n": int(1e30)}),
}


@pytest.mark.parametrize(("sent", "expected"), CASES.values(), ids=CASES)
def test_a_whole_float_is_an_int_where_the_schema_has_an_integer(sent, expected):
    """JSON Schema counts 42.0 as an integer; a handler annotated with `int` would get a float."""
    found = decoded(described({"$ref": "#/components/schemas/Node"}), json.dumps(sent).encode())

    assert repr(found["body"]) == repr(expected)


def test_a_body_may_be_one_integer():
    """It is in no object that could be changed."""
    assert repr(decoded(described(INTEGER), b"42.0")["body"]) == "42"


def test_parts_and_parameters_of_json_have_integers_too():
    """Wherever JSON is read."""
    form = {"type": "object", "properties": {"thing": NODE}}
    part = b'--b\r\nContent-Disposition: form-data; name="thing"\r\n\r\n{"n": 42.0}\r\n--b--\r\n'
    point = {"name": "p", "in": "query", "content": {JSON: {"schema": NODE}}}
    document = described(form, "multipart/form-data", parameters=[point])

    found = decoded(document, part, MULTIPART, query=b'p={"n":42.0}')

    assert repr(found) == repr({"p": {"n": 42}, "body": {"thing": {"n": 42}}})


def test_items_of_a_stream_have_integers():
    """Each is a JSON text of its own."""
    paths = {
        "/things": {
            "post": operation(
                "add_things", requestBody={"content": {"application/jsonl": {"itemSchema": NODE}}}
            )
        }
    }
    whole = read(contract(paths, openapi="3.2.0", components={"schemas": SCHEMAS}))
    [decoder] = item_decoders(whole.operations[0].body, SchemaCompiler(whole)).values()

    value, violations = decoder.decode(ReadItem(b'{"n": 42.0}', JSON, {}), 0)

    assert (repr(value), violations) == ("{'n': 42}", [])


def test_openapi_3_0_has_no_such_integers():
    """Draft 4 of JSON Schema counts 42.0 as a number only, so the request is refused, as ever."""
    document = {**described({"properties": {"n": INTEGER}}), "openapi": "3.0.3"}
    del document["components"]

    with pytest.raises(InvalidRequest):
        decoded(document, b'{"n": 42.0}')


def test_schemas_without_integers_cost_nothing():
    """Their bodies are read as if there were none of this."""
    whole = read(described({}))
    compiler = SchemaCompiler(whole)

    assert converting({"type": "object", "properties": {"x": NUMBER}}, compiler) is None
    assert reading({"type": "string"}, compiler, decoded) is decoded


_INTEGERS = st.integers(-(2**53), 2**53)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_NODES = st.recursive(
    st.just({}),
    lambda nodes: st.fixed_dictionaries(
        {},
        optional={
            "n": _INTEGERS,
            "x": _FLOATS,
            "many": st.lists(_INTEGERS),
            "pair": st.tuples(_INTEGERS, _FLOATS).map(list),
            "map": st.dictionaries(st.text(), _INTEGERS | st.none()),
            "either": _INTEGERS | st.text(),
            "member": st.sampled_from([1, 2]),
            "free": st.text() | _FLOATS,
            "kids": st.lists(nodes),
        },
    ),
    max_leaves=8,
)
_OF_NODES = described({"$ref": "#/components/schemas/Node"})


def as_floats(value):
    """Return a value with floats in place of its integers."""
    if isinstance(value, dict):
        return {name: as_floats(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_floats(one) for one in value]
    return float(value) if type(value) is int else value


@settings(max_examples=60)
@given(_NODES)
def test_the_spelling_of_an_integer_makes_no_difference(node):
    """A handler gets the same, whether a client writes 42 or 42.0."""
    found = decoded(_OF_NODES, json.dumps(as_floats(node)).encode())

    assert repr(found["body"]) == repr(node)
