"""Values for schemas of OpenAPI 3.1 and 3.2, which are those of JSON Schema 2020-12."""

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings

from relay.mock.schema_parts import NoSample
from support.compiled import read, sampled
from support.hosting import contract
from support.modern_schemas import SCHEMAS, components

ROOT = {"$ref": "#/components/schemas/Root"}


def generate(schema, schemas=None):
    """Generate a value that the compiled schema accepts; return it and the problems found."""
    document = contract({}, components={"schemas": {"Root": schema, **(schemas or {})}})
    return sampled(read({**document, "openapi": "3.1.0"}), ROOT)


def sample(schema, **schemas):
    value, problems = generate(schema, schemas)
    assert problems == []
    return value


NEEDS_B = {"dependentRequired": {"a": ["b"]}}
CARD = {
    "properties": {"kind": {"enum": ["card", "cash"]}, "number": {"type": "string"}},
    "required": ["kind"],
    "if": {"properties": {"kind": {"const": "card"}}},
    "then": {"required": ["number"]},
    "else": {"properties": {"number": False}},
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": ["null", "integer"]}, 0),
        ({"type": ["string", "integer"], "minimum": 3}, "string"),
        ({"type": ["string", "integer"], "not": {"type": "string"}}, 0),
        ({"type": ["integer", "string"], "minimum": 3, "maximum": 2}, "string"),
        ({"type": "null"}, None),
        ({"const": "a"}, "a"),
        ({"const": None}, None),
        ({"type": "string", "const": "a", "enum": ["a", "b"]}, "a"),
        ({"type": "integer", "examples": [7, 8]}, 7),
        ({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}, 4),
        (True, "string"),
        ({"prefixItems": [{"type": "integer"}, {"const": "x"}]}, [0, "x"]),
        ({"prefixItems": [{"type": "integer"}], "items": {"const": "x"}, "minItems": 3}, [0, "x", "x"]),
        ({"prefixItems": [{"type": "integer"}], "items": False}, [0]),
        ({"prefixItems": [True, False]}, ["string"]),
        ({"prefixItems": [{"type": "integer"}], "unevaluatedItems": False}, [0]),
        ({"prefixItems": [{"type": "integer"}], "maxItems": 0}, []),
        ({"contains": {"const": "x"}, "minContains": 2}, ["x", "x"]),
        ({"items": {"type": "integer"}, "contains": {"minimum": 5}, "minItems": 2}, [5, 0]),
        ({"minItems": 2, "contains": {"type": "string"}, "maxContains": 1}, ["string", None]),
        ({"prefixItems": [{"type": "integer"}], "contains": {"const": "x"}}, [0, "x"]),
        ({"contains": {"const": "x"}, "minContains": 0, "items": {"type": "integer"}}, [0]),
        ({"patternProperties": {"^x-[a-z]$": {"type": "integer"}}}, {"x-a": 0}),
        ({"patternProperties": {"^[a-z]$": {"type": "integer"}}, "additionalProperties": False, "minProperties": 2}, {"a": 0, "b": 0}),
        ({"patternProperties": {"a": {"type": "integer"}}, "properties": {"a": {"minimum": 3}}}, {"a": 3}),
        ({"propertyNames": {"enum": ["b", "c"]}, "minProperties": 2}, {"b": "string", "c": "string"}),
        ({"propertyNames": {"maxLength": 1}, "properties": {"a": True, "bc": True}}, {"a": "string"}),
        ({"properties": {"a": True}, "unevaluatedProperties": False}, {"a": "string"}),
        ({"type": "object", "unevaluatedProperties": {"type": "integer"}}, {"property1": 0}),
        ({"properties": {"a": True, "b": True}, **NEEDS_B}, {"a": "string", "b": "string"}),
        ({"properties": {"a": True, "b": False}, **NEEDS_B}, {}),
        ({"properties": {"a": True}, "dependentSchemas": {"a": {"required": ["b"]}}}, {"a": "string", "b": "string"}),
        ({"if": {"type": "integer"}, "then": {"minimum": 3}, "type": ["integer", "string"]}, 3),
        ({"if": {"type": "integer"}, "then": False, "type": ["integer", "string"]}, "string"),
        (CARD, {"kind": "card", "number": "string"}),
        ({"allOf": [CARD], "properties": {"kind": {"const": "cash"}}}, {"kind": "cash"}),
        ({"not": {"required": ["a"]}, "properties": {"a": {"type": "integer"}}}, {}),
        ({"$ref": "#/components/schemas/Root/$defs/A", "minLength": 8, "$defs": {"A": {"type": "string"}}}, "stringaa"),
    ],
)  # fmt: skip
def test_is_deterministic(schema, value):
    assert sample(schema) == value


@pytest.mark.parametrize(
    ("encoding", "decode"),
    [("base64", base64.b64decode), ("base32hex", base64.b32hexdecode), (None, str.encode)],
)
def test_writes_documents_into_texts(encoding, decode):
    """A client decodes them (JSON Schema Validation, section 8)."""
    schema = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"properties": {"a": {"type": "integer"}}},
    }

    text = sample({**schema, "contentEncoding": encoding} if encoding else schema)

    assert json.loads(decode(text)) == {"a": 0}


def test_writes_pictures_into_texts():
    text = sample({"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"})
    assert base64.b64decode(text).startswith(b"\x89PNG")


def test_content_fits_the_length():
    text = sample({"type": "string", "contentEncoding": "base64", "minLength": 40})
    assert len(text) >= 40
    assert base64.b64decode(text, validate=True)


def test_takes_the_first_valid_example():
    """Others of the list may be invalid; each of these gets a warning."""
    value, problems = generate({"type": "integer", "examples": ["a", 7, 8]})
    assert value == 7
    assert problems == ['the example violates its schema: the value is not of type "integer"; it is not used']


def test_gives_no_value_where_none_is_valid():
    with pytest.raises(NoSample):
        generate({"type": "array", "prefixItems": [False], "minItems": 1})


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS, components())
def test_generates_a_valid_value_or_raises(schema, schemas):
    """For any schema of 2020-12: no invalid value, no other exception, no endless loop."""
    try:
        value, _ = generate(schema, schemas)
    except NoSample:
        return

    again, _ = generate(schema, schemas)
    assert value == again
