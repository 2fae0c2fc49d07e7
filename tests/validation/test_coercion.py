"""Text to values: `relay.validation.coercion`."""

from __future__ import annotations

import pytest

from relay.validation.coercion import MAX_NESTING, Coercion
from relay.validation.schemas import SchemaCompiler
from support.hostile_files import document, reference
from support.scaffolded import read


def coercion(**schemas):
    """Return the conversions of a contract with some schemas."""
    contract = read(document({}, **schemas))
    return Coercion(contract, SchemaCompiler(contract))


def test_a_schema_is_built_once():
    """Twenty objects, each with the next one twice, took 1.3 GB."""
    schemas = {
        f"S{n}": {
            "type": "object",
            "properties": {"a": reference(f"S{n + 1}"), "b": reference(f"S{n + 1}")},
        }
        for n in range(60)
    }

    coerce = coercion(**schemas, S60={"type": "integer"}).of(reference("S57"))

    assert coerce({"a": {"b": {"a": "7"}}, "b": {"a": {"b": "x"}}}) == {
        "a": {"b": {"a": 7}},
        "b": {"a": {"b": "x"}},
    }


def test_a_recursive_object_is_converted_at_each_level():
    """The function of a schema is found when it is called."""
    node = {"type": "object", "properties": {"n": {"type": "integer"}, "next": reference("Node")}}

    coerce = coercion(Node=node).of(reference("Node"))

    assert coerce({"n": "1", "next": {"n": "2", "next": {"n": "3"}}}) == {
        "n": 1,
        "next": {"n": 2, "next": {"n": 3}},
    }


@pytest.mark.parametrize("levels", [1, 2, MAX_NESTING])
def test_one_element_of_nested_arrays_is_a_text(levels):
    schemas = {f"S{n}": {"type": "array", "items": reference(f"S{n + 1}")} for n in range(levels)}
    expected = 7
    for _ in range(levels):
        expected = [expected]

    coerce = coercion(**schemas, **{f"S{levels}": {"type": "integer"}}).of(reference("S0"))

    assert coerce("7") == expected


def test_text_for_an_endless_array_is_one_element():
    """A text cannot nest without end."""
    coerce = coercion(S0={"type": "array", "items": reference("S0")}).of(reference("S0"))

    assert coerce("7") == ["7"]
