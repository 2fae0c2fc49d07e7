"""Schemas of OpenAPI 3.0 as JSON Schema 2020-12: `scripts/relay/upgrade/schemas_3_0.py`."""

import json

import jsonschema_rs
import pytest
from hypothesis import assume, given, settings

from relay.importer.yaml_text import block
from relay.validation.schemas import SchemaCompiler
from support.compiled import POINTER, read
from support.hosting import contract
from support.schemas import COMPONENTS, SCHEMAS, VALUES
from support.upgrading import data_of, findings_of, rewritten, upgraded


def schema_after(schema):
    document = contract({}, components={"schemas": {"S": schema}})
    return upgraded(document)["components"]["schemas"]["S"]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(SCHEMAS, COMPONENTS, VALUES)
def test_accepts_the_same_values(schema, components, value):
    """In each direction: what callers send, and what they get, stays valid or invalid."""
    assume("1e+300" not in json.dumps(value))  # an integer from draft 6 on, however it is written
    before = contract({}, components={"schemas": {**components, "S": schema}})
    old, new = (SchemaCompiler(read(document)) for document in (before, upgraded(before)))

    for direction in ("request", "response"):
        ref = {"$ref": "#/components/schemas/S"}
        validators = [one.compile(ref, direction, POINTER) for one in (old, new)]
        assert None not in validators
        assert validators[0].accepts(value) == validators[1].accepts(value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "enum": ["a", None], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"allOf": [{"type": "object"}], "nullable": True, "description": "d"},
         {"anyOf": [{"type": "object"}, {"type": "null"}], "description": "d"}),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}], "nullable": True, "readOnly": True},
         {"anyOf": [{"oneOf": [{"type": "string"}, {"type": "integer"}]}, {"type": "null"}], "readOnly": True}),
        ({"anyOf": [{"type": "string"}], "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": False}, {"type": "integer", "minimum": 1}),
        ({"type": "integer", "exclusiveMaximum": True}, {"type": "integer"}),
        ({"type": "string", "example": "a"}, {"type": "string", "examples": ["a"]}),
        ({"type": "string", "format": "byte"}, {"type": "string", "contentEncoding": "base64"}),
        ({"type": "string", "enum": [1, "b"]}, {"type": "string", "enum": ["1", "b"]}),
        ({"properties": {"nullable": {"type": "string"}}}, {"properties": {"nullable": {"type": "string"}}}),
    ],
)  # fmt: skip
def test_writes_what_2020_12_has_for_it(before, after):
    assert schema_after(before) == after


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True, "nullable": True}, [2, None], [1, "a"]),
        ({"allOf": [{"type": "object", "required": ["a"]}], "nullable": True}, [None, {"a": 1}], [{}, 1]),
        ({"not": {"type": "string"}, "nullable": True}, [None, 1], ["a"]),
        ({"type": "string", "enum": ["a"], "nullable": True}, ["a"], [None, "b"]),
    ],
)
def test_other_validators_agree(schema, valid, invalid):
    validator = jsonschema_rs.Draft202012Validator(schema_after(schema))

    assert all(map(validator.is_valid, valid))
    assert not any(map(validator.is_valid, invalid))


def test_keeps_the_layout():
    text = """\
openapi: '3.0.3'
info: {title: T, version: '1'}   # one line
paths: {}
components:
  schemas:
    # a pet
    Pet:
      type:   object
      properties:
        name: {type: string, nullable: true}   # may be missing
        age:
          type: integer
          # not born yet
          minimum: 0 # zero
          exclusiveMinimum: true
          example: 5
        friends: { $ref: '#/components/schemas/Friends' }
    Friends:
        type: array   # four spaces
        nullable: true # no list
        example:
          - a: 1
            b: 2
        items: {}
"""

    after = text
    for old, new in {
        "3.0.3": "3.1.1",
        "{type: string, nullable: true}": "{type: [string, 'null']}",
        "minimum: 0 # zero\n          exclusiveMinimum: true\n": "exclusiveMinimum: 0 # zero\n",
        "example: 5\n": "examples: [5]\n",
        "array   # four spaces\n        nullable: true #": "[array, 'null']   # four spaces\n        #",
        "example:\n          - a: 1\n            b: 2\n": "examples:\n          - - a: 1\n              b: 2\n",
    }.items():
        assert old in after
        after = after.replace(old, new)
    assert rewritten(text) == after


@pytest.mark.parametrize(
    ("schema", "is_reported"),
    [
        ("{type: string, enum: [red], nullable: true}", True),
        ("{enum: [red], nullable: true}", True),
        ("{type: string, enum: [red, null], nullable: true}", False),
        ("{type: string, enum: [red], nullable: false}", False),
    ],
)
def test_reports_null_that_an_enum_excludes(tmp_path, schema, is_reported):
    """It was excluded before (OpenAPI 3.0.4, "Schema Object"), and is rarely what an author wanted."""
    text = f"openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\npaths: {{}}\ncomponents: {{schemas: {{A: {schema}}}}}\n"
    message = "`nullable` had no effect next to an `enum` without null, so it was removed; add null to the `enum` and the `type` if you mean it"

    found = findings_of(tmp_path, {"c.yaml": text})

    assert found == [f"no-effect c.yaml:4:24: {message}"] * is_reported


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(COMPONENTS)
def test_yaml_and_json_become_the_same(components):
    document = contract({}, components={"schemas": components})

    found = rewritten(block(document))

    assert data_of(found) == upgraded(document)
    assert rewritten(found) == found
