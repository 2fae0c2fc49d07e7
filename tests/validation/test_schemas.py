"""Schema Objects to validators: `relay.validation.schemas`."""

import datetime as dt
import enum
import json
import math
import uuid

import jsonschema
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.schemas import SchemaCompiler, Strictness
from support.compiled import POINTER, around, rules, validator


def accepts(schema, value, direction="request", schemas=None):
    """Return True if a value is valid; an invalid one must have violations."""
    return rules(schema, value, direction, schemas=schemas) == []


NAMES = st.sampled_from("abc")
SCHEMAS = st.deferred(
    lambda: (
        st.just({})
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["integer", "number", "string", "boolean"])},
            optional={
                "nullable": st.booleans(),
                "minimum": st.integers(-5, 5),
                "maximum": st.integers(-5, 5),
                "maxLength": st.integers(0, 3),
                "enum": st.lists(SCALARS, min_size=1, unique_by=repr),
            },
        )
        | st.fixed_dictionaries(
            {"type": st.just("array"), "items": SCHEMAS},
            optional={"minItems": st.integers(0, 2), "uniqueItems": st.booleans(), "nullable": st.booleans()},
        )
        | st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(NAMES, SCHEMAS, max_size=3)},
            optional={
                "required": st.lists(NAMES, min_size=1, unique=True),
                "additionalProperties": st.booleans() | SCHEMAS,
                "nullable": st.booleans(),
            },
        )
        | st.builds(dict, maximum=st.integers(-5, 5), exclusiveMaximum=st.booleans())
        | st.fixed_dictionaries({}, optional={"anyOf": st.lists(SCHEMAS, min_size=1, max_size=2)})
        | st.fixed_dictionaries({"allOf": st.lists(SCHEMAS, min_size=1, max_size=2)})
    )
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-6, 6) | st.sampled_from([0.5, -0.0, 1e300, "", "a", "abcd", "é"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)


def in_draft_4(schema):
    """Translate `nullable` to draft 4 in the simplest way."""
    if not isinstance(schema, dict):
        return schema
    out = {
        key: [in_draft_4(one) for one in value]
        if key in ("anyOf", "allOf")
        else {name: in_draft_4(one) for name, one in value.items()}
        if key == "properties"
        else in_draft_4(value)
        if key in ("items", "additionalProperties")
        else value
        for key, value in schema.items()
        if key != "nullable"
    }
    is_null_listed = None in schema.get("enum", [None])
    return {"anyOf": [out, {"type": "null"}]} if schema.get("nullable") and is_null_listed else out


@pytest.mark.slow
@settings(max_examples=150)
@given(SCHEMAS, VALUES)
def test_agrees_with_another_implementation(schema, value):
    """The `jsonschema` package gets the same schema translated to draft 4."""
    expected = jsonschema.Draft4Validator(in_draft_4(schema)).is_valid(value)
    assert accepts(schema, value) == expected


Shade = enum.Enum("Shade", {"RED": "a"})
Level = enum.IntEnum("Level", {"LOW": 1})
Name = type("Name", (str,), {})
ODD = st.sampled_from(
    [
        *(math.nan, math.inf, -math.inf, 2**63, 2**64, 10**30, -(10**30)),
        *((), (1, "a"), {1}, b"a", "\ud800", Name("a"), Shade.RED, Level.LOW),
        *({1: 1}, {"\ud800": 1}, {Name("a"): 1}, {Shade.RED: 1}),
        *(dt.date(2025, 1, 2), dt.datetime(2025, 1, 2, tzinfo=dt.UTC), dt.time(1, 2), uuid.UUID(int=1)),
    ]
)
ANYTHING = st.recursive(
    SCALARS | ODD,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3) | st.tuples(inner, inner)
    ),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=200)
@given(SCHEMAS, ANYTHING)
def test_a_valid_value_is_valid_in_serialised_form(schema, value):
    """The object is validated but its bytes are sent: NaN as null, a tuple as an array."""
    compiled = validator(schema, "response")
    try:
        is_accepted = compiled.accepts(value)
        written = orjson.dumps(value)
    except (ValueError, TypeError):  # then its serialised form is validated, or it cannot be serialised
        return

    if is_accepted:
        assert compiled.accepts(json.loads(written))


STRING, INTEGER = {"type": "string"}, {"type": "integer"}
V = {"type": "object", "properties": {"v": STRING}}


@pytest.mark.parametrize(
    "schema",
    [
        *(STRING, {"type": "string", "maxLength": 3, "format": "date"}, {"type": "integer", "format": "int64"}),
        *({"type": "object", "properties": {"a": {}}}, {"allOf": [STRING]}, {"oneOf": [STRING, INTEGER]}),
        *({"enum": ["a", None]}, V, {"allOf": [V]}, {"oneOf": [V]}),
    ],
)  # fmt: skip
def test_only_nullable_allows_null(schema):
    """With any other keywords next to `nullable`; violations are those of the schema, not of the alternative null."""
    assert accepts({**schema, "nullable": True}, None)
    assert accepts({**schema, "nullable": False}, None) == (None in schema.get("enum", []))
    if V in (schema, *schema.get("allOf", []), *schema.get("oneOf", [])):
        ((path, _),) = rules({**schema, "nullable": True}, {"v": 3})
        assert path == "/v" or "oneOf" in schema


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "nullable": True, "enum": ["a"]}, None),  # `nullable` extends only `type`
        (INTEGER, 1.0),  # JSON Schema draft 4 core, section 3.5: it is a number
        ({"type": "string", "pattern": "^a$"}, "a\n"),  # in Python `$` matches before a final newline
    ],
)
def test_what_openapi_3_0_does_not_allow(schema, value):
    assert not accepts(schema, value)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", ["2024-02-29"], ["2023-02-29", "2024-2-9", "20240229", "2024-02-29\n"]),
        ("date-time", ["2024-02-29T01:02:03Z", "2024-02-29T01:02:03.5+01:00"], ["2024-02-29T01:02:03", "2024-02-29"]),
        ("uuid", [str(uuid.UUID(int=7)), str(uuid.UUID(int=7)).upper()], [uuid.UUID(int=7).hex, "{}", ""]),
        ("byte", ["", "YQ==", "YWI="], ["YQ", "Y Q==", "é", "YQ==\n"]),
        ("email", ["a@example.com"], ["a", "a@"]),
        ("int32", [2**31 - 1, -(2**31)], [2**31, -(2**31) - 1]),
        ("int64", [2**63 - 1, -(2**63)], [2**63, -(2**63) - 1]),
        ("password", ["anything"], []),
        ("of our own", ["anything"], []),
    ],
)  # fmt: skip
def test_validates_formats(name, good, bad):
    """Connexion knows five formats; an unknown format is ignored."""
    schema = {"type": "integer" if name.startswith("int") else "string", "format": name}
    assert [accepts(schema, value) for value in good] == [True] * len(good)
    assert [accepts(schema, value) for value in bad] == [False] * len(bad)


TREE = {"Tree": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}


def test_a_schema_may_be_recursive():
    """Keywords next to a reference are ignored (OpenAPI 3.0.3, "Reference Object")."""
    tree = {"$ref": "#/components/schemas/Tree"}
    assert accepts({**tree, "maxItems": 0}, [[], [[]]], schemas=TREE)
    assert rules(tree, [[], [1]], schemas=TREE) == [("/1/0", "type")]


@pytest.mark.parametrize("name", ["a/b", "a~b", "a%b", "a b", "ä", "a.b", 'a"b'])
def test_a_reference_may_point_to_any_part_of_the_document(name):
    """Not only to components/schemas, whose names need no escaping."""
    schemas = {"Odd": {"properties": {name: {"type": "integer"}}}}
    token = name.replace("~", "~0").replace("/", "~1").replace("%", "%25")
    ref = {"$ref": f"#/components/schemas/Odd/properties/{token}"}
    assert rules(ref, "1", schemas=schemas) == [("", "type")]


PERSON = {
    "type": "object",
    "required": ["id", "name", "code"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "code": {"type": "string", "writeOnly": True},
    },
}


def test_a_request_need_not_contain_a_read_only_property():
    """The same for a write-only property in a response, for example a secret, which must not contain it."""
    assert accepts(PERSON, {"name": "Alex", "code": "x"}, "request")
    assert accepts(PERSON, {"name": "Alex", "id": 1}, "response")
    assert accepts(PERSON, {"name": "Alex", "code": "x", "id": "any"}, "request")
    assert rules(PERSON, {"name": "Alex", "code": "x", "id": 1}, "response") == [("/code", "writeOnly")]


def test_a_request_must_not_contain_a_read_only_property_if_that_is_refused():
    """OpenAPI 3.0.3 says SHOULD NOT; RELAY_READ_ONLY decides."""
    compiler = SchemaCompiler(around(), Strictness(read_only=True))
    validator = compiler.compile(PERSON, "request", POINTER)
    found = validator.violations({"name": "Alex", "code": "x", "id": 1})
    assert validator.accepts({"name": "Alex", "code": "x"})
    assert [(one.path, one.rule) for one in found] == [("/id", "readOnly")]


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"$ref": "#/components/schemas/Base"}, {"required": ["id"]}]},
        {"allOf": [{"$ref": "#/components/schemas/Base"}], "required": ["id"]},
        {"allOf": [{"allOf": [{"$ref": "#/components/schemas/Base"}]}], "required": ["id"]},
        {"properties": {"id": {"$ref": "#/components/schemas/Id"}}, "required": ["id"]},
    ],
)
def test_required_ignores_read_only_properties_in_every_combination(schema):
    """A base schema declares the property and another requires it; otherwise no request would be valid."""
    marked = {"type": "integer", "readOnly": True}
    schemas = {"Base": {"properties": {"id": marked}}, "Id": marked}
    assert accepts(schema, {}, "request", schemas)
    assert rules(schema, {}, "response", schemas=schemas) == [("/id", "required")]


def test_the_path_of_a_violation_points_to_the_field():
    """Paths are JSON pointers, also for a missing or unknown field."""
    schema = {
        "type": "object",
        "required": ["a/b"],
        "properties": {"list": {"type": "array", "items": {"type": "integer"}}},
        "additionalProperties": False,
    }

    assert set(rules(schema, {"list": [1, "2"], "c~d": 1})) == {
        ("/a~1b", "required"),
        ("/list/1", "type"),
        ("/c~0d", "additionalProperties"),
    }


@pytest.mark.parametrize("number", [10**99, -(10**99), 2**64])
def test_numbers_may_exceed_64_bits(number):
    assert accepts({"type": "integer"}, number)
    assert not accepts({"minimum": -5, "maximum": 5}, number)


def test_equal_schemas_share_a_validator():
    """Large contracts contain many equal schemas."""
    assert validator({"type": "integer"}) is validator({"type": "integer"})
    assert validator({"type": "integer"}) is not validator({"type": "integer"}, "response")


def test_reports_a_schema_that_cannot_be_compiled_with_its_location():
    """The error is reported at start, not on the first request."""
    contract = around({"Bad": {"type": "integer", "oneOf": []}})
    compiler = SchemaCompiler(contract)
    bad = "components", "schemas", "Bad"

    compiled = compiler.compile({"$ref": "#/components/schemas/Bad"}, "request", bad)

    assert compiled is None
    assert [problem.where for problem in compiler.problems] == [contract.place(bad)]
    assert compiler.problems[0].message.startswith("the schema cannot be compiled: ")


def test_narrows_bounds_to_those_of_the_format():
    """The narrower bound applies, and the violation names its keyword."""
    found = validator({"type": "integer", "format": "int32", "minimum": 0, "nullable": True})
    assert found.violations(-1)[0].rule == "minimum"
    assert found.violations(2**31)[0].rule == "maximum"
    assert found.accepts(None)


@pytest.mark.parametrize(
    "text", ["", "24:00", "12:60", "1:00", "12", "12:00:61", "12:00\n", "12:00Z", "noon"]
)
def test_a_time_is_a_time(text):
    """RFC 3339 demands an offset, and most publishers do not mean it. With a pattern and null next to it, too."""
    for good in ("12:00", "23:59:59", "00:00:00.5", "12:00:00Z", "12:00:00+02:00", "12:00:00.25-00:30"):
        assert accepts({"type": "string", "format": "time"}, good)
    assert rules({"type": "string", "format": "time"}, text) == [("", "format")]
    assert not accepts({"type": "string", "format": "time", "nullable": True, "pattern": ":"}, text)


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        ({"type": "integer", "enum": ["1", "2"]}, [1, 2], ["1", 3]),
        ({"type": "integer", "enum": ["1", 1]}, [1], ["1"]),
        ({"type": "number", "enum": ["0.5"]}, [0.5], ["0.5"]),
        ({"type": "boolean", "enum": ["true"]}, [True], ["true", False]),
        ({"type": "string", "enum": [1, 2.5, True]}, ["1", "2.5", "true"], [1, "True"]),
        ({"type": "string", "enum": [1, None], "nullable": True}, ["1", None], [1]),
        ({"type": "integer", "enum": ["one", 2]}, [2], ["one"]),
    ],
)
def test_members_of_an_enum_have_the_type_of_the_schema(schema, valid, invalid):
    """Files write `"1"` for integers and 1 for texts; otherwise no value would be valid."""
    assert [value for value in valid if not accepts(schema, value)] == []
    assert [value for value in invalid if accepts(schema, value)] == []
