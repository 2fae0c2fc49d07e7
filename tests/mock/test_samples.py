"""Schemas to valid values: `relay.mock.samples` and its helper modules."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.contract.diagnostics import SetupError
from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation.schemas import SchemaCompiler
from support.compiled import POINTER, around

NODE = {"$ref": "#/components/schemas/Node"}


def generate(schema, schemas=None):
    """Generate a value that the compiled schema accepts; return it and the problems found."""
    whole = around(schemas)
    compiler = SchemaCompiler(whole)
    value = Sampler(whole, compiler).sample(schema, POINTER)
    assert compiler.compile(schema, "response", POINTER).accepts(value), value
    return value, [problem.message for problem in compiler.problems]


def sample(schema, **schemas):
    """Generate a valid value, without problems."""
    value, problems = generate(schema, schemas)
    assert problems == []
    return value


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "example": 7, "default": 5, "enum": [3, 5, 7]}, 7),
        ({"type": "integer", "default": 5, "enum": [3, 5]}, 5),
        ({"type": "string", "enum": ["a", "b"]}, "a"),
        ({"type": "string", "nullable": True}, "string"),
        ({"type": "string", "nullable": True, "enum": [None]}, None),
        ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
        ({"type": "integer", "maximum": -1, "multipleOf": 4}, -4),
        ({"type": "number", "minimum": 0.015, "multipleOf": 0.01}, 0.02),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 0.5}, 0.5),
        ({"type": "string", "maxLength": 3}, "str"),
        ({"type": "string", "minLength": 8}, "stringaa"),
        ({"type": "string", "format": "date-time"}, "2024-01-01T12:00:00Z"),
        ({"type": "string", "format": "email", "maxLength": 6}, "a@b.co"),
        ({"type": "string", "pattern": "^[A-Z]{1,3}-[0-9]{1,4}$"}, "A-0"),
        ({"type": "string", "pattern": "^[a-z]+-[0-9]+$", "minLength": 6, "maxLength": 6}, "aaaa-0"),
        ({"type": "string", "pattern": "^(?<word>foo|bar)[^a-z]$"}, "fooA"),
        ({"type": "array", "items": {"type": "boolean"}}, [True]),
        ({"type": "array", "items": {"type": "boolean"}, "maxItems": 0}, []),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "uniqueItems": True}, ["a", "b"]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2, "uniqueItems": True}, [0, 1]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"property1": 0}),
        ({"type": "object", "minProperties": 1, "maxProperties": 1}, {"property1": "string"}),
        ({"required": ["a"], "additionalProperties": {"type": "integer"}}, {"a": 0, "property1": 0}),
        ({"type": "string", "not": {"enum": ["string"]}}, "string1"),
    ],
)
def test_is_deterministic(schema, value):
    """Examples and defaults come first, then the simplest value within the bounds."""
    assert sample(schema) == value


def test_includes_optional_properties():
    """A mock shows the complete shape."""
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "integer"}, "b": {"enum": ["x"]}},
    }

    assert sample(schema) == {"a": 0, "b": "x"}


def test_combines_the_parts_of_all_of():
    """Bounds, `required` and properties of all parts apply."""
    base = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 3}}}
    more = {"required": ["name"], "properties": {"id": {"maximum": 3}, "name": {"type": "string"}}}

    assert sample({"allOf": [{"$ref": "#/components/schemas/Base"}, more]}, Base=base) == {
        "id": 3,
        "name": "string",
    }


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
def test_uses_the_first_branch_that_is_valid(keyword):
    """The value is also valid for the keywords next to the branches."""
    branches = [{"properties": {"kind": {"enum": ["cat"]}}}, {"properties": {"kind": {"enum": ["dog"]}}}]
    schema = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"not": {"enum": ["cat"]}}, "age": {"type": "integer"}},
        keyword: branches,
    }

    assert sample(schema) == {"kind": "dog", "age": 0}


def test_ends_a_recursion_where_the_schema_allows_it():
    """With an omitted property, an empty list, null or another branch."""
    node = {
        "type": "object",
        "required": ["name", "children", "parent", "other"],
        "properties": {
            "name": {"type": "string"},
            "next": NODE,
            "children": {"type": "array", "items": NODE},
            "parent": {"nullable": True, "allOf": [NODE]},
            "other": {"oneOf": [NODE, {"type": "boolean"}]},
        },
    }

    assert sample(NODE, Node=node) == {"name": "string", "children": [], "parent": None, "other": True}


def test_omits_write_only_properties():
    """In generated values and in a schema's example, which may be one of a request."""
    secret = {"type": "string", "writeOnly": True}
    properties = {"name": {"type": "string"}, "secret": secret}
    made_up = {"type": "object", "required": ["secret"], "properties": properties}
    example = {**made_up, "example": {"name": "a", "secret": "sk_canary"}}

    assert sample({"type": "array", "items": made_up}) == [{"name": "string"}]
    assert sample({"type": "array", "items": example}) == [{"name": "a"}]


def test_reports_an_example_that_violates_its_schema():
    """The example is not used, and its value is not quoted."""
    value, problems = generate(
        {"type": "object", "properties": {"a": {"type": "integer", "example": "sk_canary"}}}
    )

    assert value == {"a": 0}
    assert problems == ['the example violates its schema: the value is not of type "integer"']


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (NODE, "the schema requires infinite recursion"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "no number is within the bounds"),
        ({"allOf": [{"type": "integer"}, {"type": "string"}]}, "its types are contradictory"),
        ({"type": "string", "pattern": "(?=b)a"}, "no string was found for the pattern or format"),
        ({"type": "string", "pattern": "(a|){9999}(b|){9999}c"}, "no string was found"),
        ({"type": "string", "pattern": "(a{500}){500}"}, "no string was found for the pattern or format"),
        ({"type": "string", "minLength": 10**9}, "the value would be too large"),
        ({"type": "array", "items": {}, "minItems": 10**9}, "the value would be too large"),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 3, "uniqueItems": True}, "contradict"),
        (
            {"type": "string", "oneOf": [{"minLength": 0}, {"minLength": 1}]},
            "no branch of oneOf gives a valid value",
        ),
        ({"type": "string", "enum": ["a"], "minLength": 2}, "no value of the enum is valid"),
        ({"type": "integer", "pattern": "(["}, "the schema cannot be compiled"),
    ],
)
def test_fails_in_bounded_time(schema, reason):
    """The error gives the reason."""
    node = {"type": "object", "required": ["next"], "properties": {"next": NODE}}

    with pytest.raises(NoSample, match=reason):
        generate(schema, {"Node": node})


def test_limits_the_work_for_schemas_that_refer_to_each_other():
    """All optional paths through forty such schemas would take too long."""
    names = [f"S{number}" for number in range(40)]
    properties = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
    schemas = {name: {"type": "object", "properties": properties} for name in names}

    assert sample({"$ref": "#/components/schemas/S0"}, **schemas) is not None


NAMES = st.sampled_from("abc")
FORMATS = ["date", "date-time", "uuid", "email", "uri", "byte", "ipv4", "hostname", "password", "int32"]
REFS = st.sampled_from([{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}])
PATTERNS = ["^[a-z]+$", "^a{2,5}$", "b", "^(x|yz)*$", r"^\d{3}-\w$", "^[^a]$", "(?=z)", ""]
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=3)
SCHEMAS = st.deferred(
    lambda: st.one_of(
        st.just({}),
        REFS,
        st.fixed_dictionaries(
            {"type": st.sampled_from(["integer", "number"])},
            optional={
                "minimum": st.integers(-20, 20) | st.floats(-2, 2),
                "maximum": st.integers(-20, 20) | st.floats(-2, 2),
                "exclusiveMinimum": st.booleans(),
                "exclusiveMaximum": st.booleans(),
                "multipleOf": st.sampled_from([1, 3, 0.5, 0.01]),
                "format": st.sampled_from(["int32", "int64", "float"]),
                "nullable": st.booleans(),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("string")},
            optional={
                "minLength": st.integers(0, 30),
                "maxLength": st.integers(0, 40),
                "pattern": st.sampled_from(PATTERNS),
                "format": st.sampled_from(FORMATS),
                "nullable": st.booleans(),
            },
        ),
        st.fixed_dictionaries(
            {"enum": st.lists(SCALARS, min_size=1, max_size=3)},
            optional={"nullable": st.booleans(), "type": st.sampled_from(["string", "integer"])},
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": SCHEMAS},
            optional={
                "minItems": st.integers(0, 3),
                "maxItems": st.integers(0, 3),
                "uniqueItems": st.booleans(),
                "nullable": st.booleans(),
            },
        ),
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.just("object"),
                "properties": st.dictionaries(NAMES, SCHEMAS, max_size=3),
                "required": st.lists(NAMES, min_size=1, unique=True),
                "additionalProperties": st.booleans() | SCHEMAS,
                "minProperties": st.integers(0, 3),
                "maxProperties": st.integers(0, 3),
                "nullable": st.booleans(),
                "writeOnly": st.booleans(),
                "default": SCALARS,
                "example": SCALARS,
            },
        ),
        st.dictionaries(
            st.sampled_from(["allOf", "oneOf", "anyOf"]),
            st.lists(SCHEMAS, min_size=1, max_size=3),
            min_size=1,
            max_size=2,
        ),
        st.fixed_dictionaries({"not": SCHEMAS, "type": st.sampled_from(["string", "object"])}),
    )
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(schema=SCHEMAS, a=SCHEMAS, b=SCHEMAS)
def test_generates_a_valid_value_or_raises(schema, a, b):
    """For any schema: no invalid value, no other exception, no endless loop."""
    try:
        value, _ = generate(schema, {"A": a, "B": b})
    except (NoSample, SetupError):  # a circular reference is a SetupError
        return

    again, _ = generate(schema, {"A": a, "B": b})
    assert value == again
