"""Schemas to valid values: `relay.mock.samples` and its helper modules."""

import itertools

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relay.mock.samples import Sampler
from relay.mock.schema_parts import NoSample
from relay.validation.schemas import SchemaCompiler
from support.compiled import POINTER, around, sampled
from support.hosting import ref
from support.schemas import COMPONENTS, SCALARS, SCHEMAS, containers

NODE = ref("Node")


def generate(schema, schemas=None):
    """Generate a value that the compiled schema accepts; return it and the problems found."""
    return sampled(around(schemas), schema)


def sample(schema, **schemas):
    value, problems = generate(schema, schemas)
    assert problems == []
    return value


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "example": 7, "default": 5, "enum": [3, 5, 7]}, 7),
        ({"type": "integer", "default": 5, "enum": [3, 5]}, 5),
        ({"type": "string", "enum": ["a", "b"]}, "a"),
        ({"type": "integer", "enum": ["38", "39"]}, 38),
        ({"type": "string", "enum": [2025]}, "2025"),
        ({"type": "string", "nullable": True}, "string"),
        ({"type": "string", "nullable": True, "enum": [None]}, None),
        ({"type": "integer", "minimum": 7, "multipleOf": 5}, 10),
        ({"type": "integer", "maximum": -1, "multipleOf": 4}, -4),
        ({"type": "number", "minimum": 0.015, "multipleOf": 0.01}, 0.02),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 0.5}, 0.5),
        ({"type": "string", "maxLength": 3}, "str"),
        ({"type": "string", "minLength": 8}, "stringaa"),
        ({"type": "string", "format": "date-time"}, "2024-01-01T12:00:00Z"),
        ({"type": "string", "format": "date-time", "minLength": 25}, "2024-01-01T12:00:00.0000Z"),
        ({"type": "string", "format": "email", "maxLength": 6}, "a@b.co"),
        ({"type": "string", "format": "byte"}, "c3RyaW5n"),
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
    assert sample(schema) == value


PERSON = {"allOf": [ref("Base"), {"properties": {"name": {"type": "string"}}}]}
ORDER = {"customer": ref("Customer"), "payer": ref("Customer")}
WITH_ID = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 3}}}
RECURSIVE = {
    "name": {"type": "string"},
    "next": NODE,
    "children": {"type": "array", "items": NODE},
    "parent": {"nullable": True, "allOf": [NODE]},
    "other": {"oneOf": [NODE, {"type": "boolean"}]},
}
KINDS_OF = [{"properties": {"kind": {"enum": [kind]}}} for kind in ("cat", "dog")]
NO_CAT = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"not": {"enum": ["cat"]}}, "age": {"type": "integer"}},
}


@pytest.mark.parametrize(
    ("schemas", "value"),
    [
        pytest.param(
            {"Root": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"enum": ["x"]}}}},
            {"a": 0, "b": "x"},
            id="optional properties show the complete shape",
        ),
        pytest.param(
            {"Root": {"allOf": [ref("Base"), {"required": ["name"], "properties": {"id": {"maximum": 3}, "name": {}}}]}, "Base": WITH_ID},
            {"id": 3, "name": "string"},
            id="bounds, required and properties of all parts of allOf",
        ),
        *(
            pytest.param({"Root": {**NO_CAT, word: KINDS_OF}}, {"kind": "dog", "age": 0}, id=f"the first valid branch of {word}")
            for word in ("oneOf", "anyOf")
        ),
        pytest.param(
            {"Root": NODE, "Node": {"type": "object", "required": ["name", "children", "parent", "other"], "properties": RECURSIVE}},
            {"name": "string", "children": [], "parent": None, "other": True},
            id="a recursion ends where the schema allows it",
        ),
        pytest.param(
            {"Root": {"allOf": [ref("Base"), {"required": ["customer"], "properties": ORDER}]}, "Customer": PERSON, "Base": WITH_ID},
            {"id": 3, "customer": {"id": 3, "name": "string"}, "payer": {"id": 3, "name": "string"}},
            id="a base that several objects extend is no recursion, whether the property is required or not",
        ),
        pytest.param(
            {"Root": PERSON, "Base": {"type": "object", "properties": {"id": {"type": "integer"}, "manager": ref("Root")}}},
            {"id": 0, "name": "string"},
            id="a manager is an employee: the property comes from the base, which is on the way to itself",
        ),
        pytest.param(
            {"Root": ref("Base"), "Base": {"type": "object", "properties": {"id": {"type": "integer"}}, "oneOf": [ref("Child")]}, "Child": PERSON},
            {"id": 0, "name": "string"},
            id="a base has its children in oneOf, and each has the base in allOf: no value contains itself",
        ),
    ],
)  # fmt: skip
def test_builds_objects_of_schemas_that_refer_to_each_other(schemas, value):
    assert sample(ref("Root"), **schemas) == value


OPEN = {"type": "object", "properties": {"kind": {"type": "string"}, "name": {"type": "string"}}}
CAT = {"type": "object", "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}}


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("mapping", "kind"),
    [
        ({}, "Cat"),
        ({"mapping": {"c": "#/components/schemas/Cat"}}, "c"),
        ({"mapping": {"dog": "Dog", "c": "Cat", "tom": "Cat"}}, "c"),
    ],
)
def test_sets_the_discriminator_to_the_name_of_the_branch(keyword, mapping, kind):
    """The branches leave it open; a client that reads it would otherwise find no branch."""
    schema = {
        keyword: [ref("Cat"), ref("Dog")],
        "discriminator": {"propertyName": "kind", **mapping},
    }
    dog = {**OPEN, "required": ["name"]}

    assert sample(schema, Cat=CAT, Dog=dog)["kind"] == kind


@pytest.mark.parametrize(
    ("cat", "value"),
    [
        ({**CAT, "example": {"lives": 7}}, {"kind": "Cat", "lives": 7}),
        ({"type": "object", "properties": {"kind": {"enum": ["feline"]}}}, {"kind": "feline"}),
    ],
)
def test_sets_the_discriminator_in_an_example_but_not_where_the_branch_pins_it(cat, value):
    """Examples of branches are often written without it; the branch's own enum is what the validator accepts."""
    schema = {"oneOf": [ref("Cat")], "discriminator": {"propertyName": "kind"}}
    assert sample(schema, Cat=cat) == value


BASE = {**OPEN, "required": ["kind"], "discriminator": {"propertyName": "kind"}}
EXTENDED = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"lives": {"type": "integer"}}}]}


@pytest.mark.parametrize(
    ("name", "mapping", "value"),
    [
        ("Cat", {}, {"kind": "Cat", "name": "string", "lives": 0}),
        ("Cat", {"c": "#/components/schemas/Cat"}, {"kind": "c", "name": "string", "lives": 0}),
        ("Base", {}, {"kind": "Cat", "name": "string", "lives": 0}),
        ("Base", {"d": "Dog", "c": "Cat"}, {"kind": "d", "name": "string"}),
    ],
)
def test_names_the_schema_that_extends_a_base_with_a_discriminator(name, mapping, value):
    """Also where the contract states only the base: then a schema that extends it is chosen."""
    base = {**BASE, "discriminator": {"propertyName": "kind", "mapping": mapping}}
    assert sample(ref(name), Base=base, Cat=EXTENDED, Dog={"allOf": [ref("Base")]}) == value


def test_names_a_base_that_nothing_extends():
    impossible = {"allOf": [ref("Base"), {"type": "string"}]}
    assert sample(ref("Base"), Base=BASE)["kind"] == "Base"
    assert sample(ref("Base"), Base=BASE, Cat=impossible)["kind"] == "Base"


def objects(*names, **rest):
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, **rest}


@pytest.mark.parametrize(
    "branches",
    [
        [objects("message"), objects("url")],
        [objects("a", required=["a"]), objects("b", required=["b"])],
        [objects("a"), objects("a", "b")],
        [objects("a"), objects("b", additionalProperties=False)],
        [{"properties": {"in": objects("a")}}, {"properties": {"in": objects("b")}}],
        [{"type": "array", "items": objects("a")}, {"type": "array", "items": objects("b")}],
        [{"type": "number"}, {"type": "integer"}],
        [{"type": "integer"}, {"type": "number"}],
        [{"type": "string", "minLength": 0}, {"type": "string", "minLength": 1}],
        [objects("a"), objects("b"), objects("c"), objects("d")],
    ],
)
def test_finds_a_value_for_exactly_one_open_branch(branches):
    """Branches of real contracts rarely exclude one another: a property is left out, or has another type."""
    sample({"oneOf": branches})


def test_limits_the_work_for_branches_that_cannot_be_distinguished():
    """Every value is valid for all branches, at every level; the schemas that follow are still sampled."""
    names = [f"p{number}" for number in range(40)]
    branch = {"properties": {name: ref("Node") for name in names}}
    node = {
        "type": "object",
        "oneOf": [branch, {**branch, "minProperties": 0}, {**branch, "maxProperties": 99}],
    }
    whole = around({"Node": node})
    sampler = Sampler(SchemaCompiler(whole))

    with pytest.raises(NoSample):
        sampler.sample(NODE, POINTER)

    assert sampler.sample({"type": "string"}, POINTER) == "string"


def test_finds_a_value_of_another_type_than_the_keywords_indicate():
    """Keywords of objects do not apply to other values."""
    assert sample({"required": ["a"], "properties": {"b": {}}, "additionalProperties": False}) is None


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "minimum": 2**70}, 2**70),
        ({"type": "integer", "maximum": -(2**70)}, -(2**70)),
        ({"type": "integer", "enum": [2**64]}, 2**64),
        ({"type": "integer", "example": 10**30}, 10**30),
        ({"type": "object", "properties": {"a": {"type": "number", "default": 10**400}}}, {"a": 10**400}),
    ],
)
def test_uses_integers_of_more_than_64_bits(schema, value):
    assert sample(schema) == value


def test_omits_write_only_properties():
    """In generated values and in a schema's example, which may be one of a request."""
    secret = {"type": "string", "writeOnly": True}
    properties = {"name": {"type": "string"}, "secret": secret}
    made_up = {"type": "object", "required": ["secret"], "properties": properties}
    example = {**made_up, "example": {"name": "a", "secret": "sk_canary"}}

    assert sample({"type": "array", "items": made_up}) == [{"name": "string"}]
    assert sample({"type": "array", "items": example}) == [{"name": "a"}]
    listed = [{"name": "a", "secret": "sk_canary"}]
    assert sample({"type": "array", "items": made_up, "example": listed}) == [{"name": "a"}]


@pytest.mark.slow
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
        ({"type": "array", "items": {"type": "array", "minItems": 60}, "minItems": 60}, "the value would be too large"),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 3, "uniqueItems": True}, "contradict"),
        ({"type": "string", "oneOf": [{}, {"minLength": 0}]}, "no branch of oneOf gives a valid value"),
        ({"type": "string", "enum": ["a"], "minLength": 2}, "no value of the enum is valid"),
        ({"type": "integer", "oneOf": []}, "the schema cannot be compiled"),
    ],
)  # fmt: skip
def test_fails_in_bounded_time(schema, reason):
    node = {"type": "object", "required": ["next"], "properties": {"next": NODE}}
    with pytest.raises(NoSample, match=reason):
        generate(schema, {"Node": node})


@pytest.mark.slow
def test_limits_the_work_for_schemas_that_refer_to_each_other():
    """All optional paths through forty such schemas would take too long; each one still has a sample."""
    names = [f"S{number}" for number in range(40)]
    properties = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
    schemas = {name: {"type": "object", "properties": properties} for name in names}

    whole = around(schemas)
    sampler = Sampler(SchemaCompiler(whole))

    assert all(sampler.sample(ref(name), POINTER).keys() == set(names) - {name} for name in names)


PATTERNS = ["^[a-z]+$", "^a{2,5}$", "b", "^(x|yz)*$", r"^\d{3}-\w$", "^[^a]$", "(?=z)", ""]
FORMATS = "date date-time uuid email uri byte ipv4 hostname password int32".split()
VALUED = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["integer", "number", "string"]),
        "minimum": st.integers(-20, 20) | st.floats(-2, 2),
        "maximum": st.integers(-20, 20) | st.floats(-2, 2),
        "exclusiveMinimum": st.booleans(),
        "exclusiveMaximum": st.booleans(),
        "multipleOf": st.sampled_from([1, 3, 0.5, 0.01]),
        "minLength": st.integers(0, 30),
        "maxLength": st.integers(0, 40),
        "pattern": st.sampled_from(PATTERNS),
        "format": st.sampled_from(FORMATS),
        "nullable": st.booleans(),
        "default": SCALARS,
        "example": SCALARS,
    },
)
ANY = st.recursive(VALUED | SCHEMAS, containers, max_leaves=6)
"""Also with values of its own, and several kinds of choices next to each other."""


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(ANY, ANY, COMPONENTS)
def test_generates_a_valid_value_or_raises(schema, other, components):
    """For any schema: no invalid value, no other exception, no endless loop."""
    schema = {**other, **schema}
    try:
        value, _ = generate(schema, components)
    except NoSample:
        return

    again, _ = generate(schema, components)
    assert value == again


NAMES = st.sampled_from("abc")
KINDS = {"integer": 0, "string": "string", "boolean": True}
BRANCHES = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(
            NAMES, st.sampled_from([*KINDS]).map(lambda kind: {"type": kind}), max_size=3
        ),
    },
    optional={
        "required": st.lists(NAMES, min_size=1, unique=True),
        "additionalProperties": st.just(False),
    },
)


@pytest.mark.slow
@settings(max_examples=150)
@given(branches=st.lists(BRANCHES, min_size=1, max_size=3))
@example(
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
    ]
)  # what excludes the last branch must not meet the second
def test_finds_a_value_for_exactly_one_branch_if_one_exists(branches):
    """Compared with all objects of three properties."""
    schema = {"oneOf": branches}
    whole = around()
    compiler = SchemaCompiler(whole)
    accepts = compiler.compile(schema, "response", POINTER).accepts
    choices = itertools.product([None, *KINDS.values()], repeat=3)
    objects_ = (
        {name: one for name, one in zip("abc", values, strict=True) if one is not None} for values in choices
    )
    exists = any(map(accepts, objects_))

    try:
        Sampler(compiler).sample(schema, POINTER)
    except NoSample:
        assert not exists
