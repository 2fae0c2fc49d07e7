"""Schemas of OpenAPI 3.1: what a contract's validator says is what JSON Schema 2020-12 says."""

import json
from functools import partial
from typing import ClassVar

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.violations import MAX_VIOLATIONS
from support import compiled
from support.modern_schemas import SCHEMAS, VALUES, components

rules = partial(compiled.rules, version="3.1.1")


@pytest.mark.slow
@settings(max_examples=200)
@given(components(), SCHEMAS, st.lists(VALUES, min_size=5, max_size=5))
def test_a_value_is_valid_if_json_schema_says_so(schemas, schema, values):
    """The canonical form and the translation change nothing; each rejected value has a reason."""
    text = json.dumps({"$defs": {**schemas, "Root": schema}, "$ref": "#/components/schemas/Root"})
    library = jsonschema_rs.Draft202012Validator(
        json.loads(text.replace("#/components/schemas/", "#/$defs/"))
    )
    validator = compiled.validator(schema, "response", schemas, "3.1.1")

    for value in values:
        found = validator.violations(value)
        assert validator.accepts(value) == library.is_valid(value) == (found == [])
        assert len(found) <= MAX_VIOLATIONS


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": ["string", "null"]}, 1, [("", "type")]),
        ({"type": ["string", "integer"]}, None, [("", "type")]),
        ({"const": "a"}, "b", [("", "enum")]),
        ({"exclusiveMinimum": 1}, 1, [("", "exclusiveMinimum")]),
        ({"exclusiveMaximum": 1, "maximum": 5}, 2, [("", "exclusiveMaximum")]),
        ({"prefixItems": [{"type": "string"}]}, [1], [("/0", "type")]),
        ({"prefixItems": [True], "items": False}, [1, 2], [("/1", "not")]),
        ({"prefixItems": [True], "items": {"type": "string"}}, [1, "a", 2], [("/2", "type")]),
        ({"contains": {"type": "string"}, "minContains": 2}, ["a", 1], [("", "contains")]),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}, [("/b", "required")]),
        ({"if": {"required": ["a"]}, "else": {"required": ["b"]}}, {}, [("/b", "required")]),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"a": 1}, [("/b", "required")]),
        ({"dependentRequired": {"a": ["b", "c"], "d": ["e"]}}, {"a": 1, "c": 1}, [("/b", "dependentRequired")]),
        ({"patternProperties": {"^x": {"type": "integer"}}}, {"xy": "a"}, [("/xy", "type")]),
        ({"patternProperties": {"^x": True}, "additionalProperties": False}, {"xy": 1, "y": 1}, [("/y", "additionalProperties")]),
        ({"propertyNames": {"maxLength": 2}}, {"abc": 1}, [("", "propertyNames")]),
        ({"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False}, {"a": 1, "b": 2}, [("/b", "unevaluatedProperties")]),
        ({"prefixItems": [True], "unevaluatedItems": False}, [1, 2], [("", "unevaluatedItems")]),
        ({"properties": {"a": False}}, {"a": 1}, [("/a", "not")]),
    ],
)  # fmt: skip
def test_names_the_place_and_the_keyword(schema, value, expected):
    assert rules(schema, value) == expected


@pytest.mark.parametrize("pattern", ["([", r"\p{Ghost}"])
def test_a_pattern_of_names_that_cannot_be_read_applies_to_nothing(pattern):
    """As a `pattern` that cannot be read checks nothing; the warning is at the name, and the operation is served."""
    schema = {
        "type": "object",
        "patternProperties": {pattern: {"type": "integer"}, "^x": {"type": "integer"}},
    }

    assert rules(schema, {"([": "a", "y": "a", "xy": 1}) == []
    assert rules(schema, {"xy": "a"}) == [("/xy", "type")]


class TestDirections:
    """`readOnly` and `writeOnly` through every applicator."""

    ID: ClassVar = {"properties": {"id": {"type": "string", "readOnly": True}}}

    @pytest.mark.parametrize(
        "schema",
        [
            {**ID, "required": ["id"]},
            {**ID, "anyOf": [{"required": ["id"]}]},
            {**ID, "if": True, "then": {"required": ["id"]}},
            {**ID, "dependentSchemas": {"a": {"required": ["id"]}}},
            {**ID, "dependentRequired": {"a": ["id"]}},
            {"allOf": [ID], "required": ["id"]},
            {"if": True, "then": ID, "required": ["id"]},
            {"$ref": "#/components/schemas/Id", "required": ["id"]},
        ],
    )
    def test_a_read_only_property_is_required_of_responses_only(self, schema):
        """A client cannot send what only the service knows."""
        schemas = {"Id": self.ID}
        assert rules(schema, {"a": 1}, schemas=schemas) == []
        assert rules(schema, {"a": 1}, "response", schemas=schemas) != []

    @pytest.mark.parametrize(
        "schema",
        [
            {"patternProperties": {"^s": {"writeOnly": True}}},
            {"$ref": "#/components/schemas/Secret", "description": "with siblings"},
            {"if": True, "then": {"properties": {"s": {"type": "string", "writeOnly": True}}}},
            {"properties": {"s": {"$ref": "#/components/schemas/Marked", "description": "with siblings"}}},
        ],
    )
    def test_a_write_only_property_is_in_no_response(self, schema):
        """A secret goes in, and never out."""
        schemas = {"Secret": {"properties": {"s": {"type": "string", "writeOnly": True}}}}
        schemas["Marked"] = {"type": "string", "writeOnly": True}
        assert rules(schema, {"s": "x"}, schemas=schemas) == []
        assert rules(schema, {"s": "x"}, "response", schemas=schemas) == [("/s", "writeOnly")]

    def test_one_alternative_may_require_what_another_hides(self):
        """Alternatives are not for the same value, as parts of `allOf` are."""
        other = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
        hiding = {**self.ID, "additionalProperties": False}
        assert rules({"oneOf": [hiding, other]}, {}) == []
        assert rules({"anyOf": [{"maxProperties": 0, **self.ID}, other]}, {"a": 1}) != []


class TestReferences:
    """References as JSON Schema 2020-12 has them."""

    @pytest.mark.parametrize(
        "ref",
        [
            *("#/components/schemas/Name", "#named", "https://names.example/name", "https://names.example/other"),
            *("https://names.example/name#/$defs/short", "https://names.example/name#short"),
        ],
    )  # fmt: skip
    def test_lead_to_pointers_anchors_and_uris(self, ref):
        """A schema may name itself, by an absolute URI or by one relative to the schema around it."""
        schemas = {
            "Name": {"$anchor": "named", "type": "string"},
            "Place": {
                "$id": "https://names.example/name",
                "type": "string",
                "$defs": {
                    "short": {"$anchor": "short", "type": "string", "maxLength": 9},
                    "other": {
                        "$id": "other",
                        "$ref": "#/$defs/inner",
                        "$defs": {"inner": {"type": "string"}},
                    },
                },
            },
        }

        assert rules({"$ref": ref}, 1, schemas=schemas) == [("", "type")]
        assert rules({"$ref": ref}, "a", schemas=schemas) == []

    def test_have_keywords_next_to_them(self):
        """Since OpenAPI 3.1 a `$ref` is a keyword as others."""
        schema = {"$ref": "#/components/schemas/Name", "maxLength": 2}
        assert rules(schema, "abc", schemas={"Name": {"type": "string"}}) == [("", "maxLength")]

    def test_that_are_dynamic_lead_to_the_outermost_anchor(self):
        """A tree of anything becomes a tree of numbers where a schema says so."""
        tree = {
            "$id": "https://trees.example/tree",
            "$dynamicAnchor": "node",
            "properties": {"children": {"items": {"$dynamicRef": "#node"}}},
        }
        numbers = {
            "$id": "https://trees.example/numbers",
            "$dynamicAnchor": "node",
            "$ref": "tree",
            "required": ["number"],
            "properties": {"number": {"type": "integer"}},
        }
        schemas = {"Tree": tree, "Numbers": numbers}
        value = {"number": 1, "children": [{"number": "one"}]}

        assert rules({"$ref": "#/components/schemas/Tree"}, value, schemas=schemas) == []
        assert rules({"$ref": "#/components/schemas/Numbers"}, value, schemas=schemas) == [
            ("/children/0/number", "type")
        ]

    def test_lead_to_the_meta_schema(self):
        """An API may take schemas."""
        uri = "https://json-schema.org/draft/2020-12/schema"
        assert rules({"$ref": uri}, {"properties": {"a": {"type": "strin"}}}) != []
        assert rules({"$ref": uri}, {"properties": {"a": {"type": "string"}}}) == []


STRING, DRAFT = {"type": "string"}, "http://json-schema.org/draft"


@pytest.mark.parametrize(
    ("dialect", "schema", "valid", "invalid"),
    [
        (f"{DRAFT}-07/schema#", {"items": [STRING], "additionalItems": False}, ["a"], ["a", 1]),
        (f"{DRAFT}-07/schema", {"dependencies": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}),
        (f"{DRAFT}-07/schema", {"dependencies": {"a": {"required": ["b"]}}}, {"a": 1, "b": 1}, {"a": 1}),
        (f"{DRAFT}-06/schema#", {"if": True, "then": False, "const": 1}, 1, 2),
        (f"{DRAFT}-04/schema#", {"minimum": 1, "exclusiveMinimum": True, "const": 9}, 2, 1),
        (f"{DRAFT}-04/schema#", {"exclusiveMinimum": True, "maximum": 2}, 2, 3),
        ("https://json-schema.org/draft/2019-09/schema", {"items": [STRING]}, ["a"], [1]),
        ("https://spec.openapis.org/oas/3.1/dialect/base", {"prefixItems": [STRING]}, ["a"], [1]),
    ],
)
def test_a_schema_means_what_its_dialect_says(dialect, schema, valid, invalid):
    """Schemas are shared between tools, and older than the contract."""
    assert rules({"$schema": dialect, **schema}, valid) == []
    assert rules({"$schema": dialect, **schema}, invalid) != []


def test_the_property_that_requires_a_missing_one_is_named():
    """A client may correct either of them."""
    schema = {"dependentRequired": {"card": ["address"]}}
    (violation,) = compiled.validator(schema, version="3.1.1").violations({"card": 1})
    assert (violation.path, violation.message) == ("/address", 'the value is missing, which "card" requires')
