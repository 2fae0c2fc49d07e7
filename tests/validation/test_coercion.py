"""Text to values: `relay.validation.coercion`."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.coercion import MAX_NESTING, Coercion
from relay.validation.schemas import SchemaCompiler
from support.hostile_files import document
from support.hosting import ref
from support.scaffolded import read


def coercion(version="3.0.3", **schemas):
    """Return the conversions of a contract with some schemas."""
    contract = read({**document({}, **schemas), "openapi": version})
    return Coercion(SchemaCompiler(contract))


def test_a_schema_is_built_once():
    """Twenty objects, each with the next one twice, took 1.3 GB."""
    schemas = {
        f"S{n}": {"type": "object", "properties": {"a": ref(f"S{n + 1}"), "b": ref(f"S{n + 1}")}}
        for n in range(60)
    }

    coerce = coercion(**schemas, S60={"type": "integer"}).of(ref("S57"))

    assert coerce({"a": {"b": {"a": "7"}}, "b": {"a": {"b": "x"}}}) == {
        "a": {"b": {"a": 7}},
        "b": {"a": {"b": "x"}},
    }


def test_a_recursive_object_is_converted_at_each_level():
    """The function of a schema is found when it is called."""
    node = {"type": "object", "properties": {"n": {"type": "integer"}, "next": ref("Node")}}

    coerce = coercion(Node=node).of(ref("Node"))

    assert coerce({"n": "1", "next": {"n": "2", "next": {"n": "3"}}}) == {
        "n": 1,
        "next": {"n": 2, "next": {"n": 3}},
    }


@pytest.mark.parametrize("levels", [1, 2, MAX_NESTING])
def test_one_element_of_nested_arrays_is_a_text(levels):
    schemas = {f"S{n}": {"type": "array", "items": ref(f"S{n + 1}")} for n in range(levels)}
    expected = 7
    for _ in range(levels):
        expected = [expected]

    coerce = coercion(**schemas, **{f"S{levels}": {"type": "integer"}}).of(ref("S0"))

    assert coerce("7") == expected


def test_text_for_an_endless_array_is_one_element():
    """A text cannot nest without end."""
    coerce = coercion(S0={"type": "array", "items": ref("S0")}).of(ref("S0"))

    assert coerce("7") == ["7"]


def alternatives(types, version):
    """A schema of these types: a list of them, or an alternative for each."""
    if version != "3.0.3":
        return {"type": sorted(types)}
    return {"anyOf": [{"type": one} for one in sorted(types - {"null"})], "nullable": "null" in types}


@pytest.mark.parametrize(
    ("text", "kinds", "value"),
    [
        ("null", {"null"}, None),
        ("true", {"boolean"}, True),
        ("7", {"integer", "number"}, 7),
        ("0.5", {"number"}, 0.5),
        ("a", set(), "a"),
        ('"null"', set(), '"null"'),
    ],
)
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@settings(max_examples=20)
@given(types=st.sets(st.sampled_from(["integer", "number", "boolean", "null"])))
def test_text_becomes_a_value_of_another_type_wherever_that_is_allowed(version, types, text, kinds, value):
    """Whatever other types there are; `true` stayed text next to a number and a string."""
    expected = value if types & kinds else text
    schema = alternatives({*types, "string"}, version)
    coerce = coercion(version).of(schema)
    each = coercion(version).of({"type": "array", "items": schema})

    assert (coerce(text), type(coerce(text))) == (expected, type(expected))
    assert each([text]) == [expected]
