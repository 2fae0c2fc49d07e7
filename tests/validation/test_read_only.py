"""Read-only properties in requests: `relay.validation.read_only`."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings

from relay.validation.completion import dropping
from relay.validation.schemas import SchemaCompiler, Strictness
from support.compiled import POINTER, around
from support.hosting import ref
from support.schemas import COMPONENTS, SCHEMAS, VALUES

INTEGER, STRING = {"type": "integer"}, {"type": "string"}
ID = {**INTEGER, "readOnly": True}
THING = {"type": "object", "required": ["id", "name"], "properties": {"id": ID, "name": STRING}}


def kept(schema, value, schemas=None):
    """Return what a handler gets of a valid value."""
    contract = around(schemas)
    compiler = SchemaCompiler(contract)
    validator = compiler.compile(schema, "request", POINTER)
    assert validator.accepts(value), validator.violations(value)
    drop = dropping(schema, compiler)
    if drop is not None:
        drop(value)
    return value


CASES = {
    "a property": (THING, {"id": 1, "name": "a"}, {"name": "a"}),
    "an invalid value": (THING, {"id": {"any": ["thing"]}, "name": "a", "more": 1}, {"name": "a", "more": 1}),
    "nothing": (THING, {"name": "a"}, {"name": "a"}),
    "in a property": (
        {"properties": {"thing": ref("Thing")}},
        {"thing": {"id": 1, "name": "a"}},
        {"thing": {"name": "a"}},
    ),
    "in items": (
        {"items": ref("Thing")},
        [{"id": 1, "name": "a"}, {"name": "b"}],
        [{"name": "a"}, {"name": "b"}],
    ),
    "in other properties": (
        {"properties": {"known": {}}, "additionalProperties": ref("Thing")},
        {"known": {"id": 1}, "other": {"id": 1, "name": "a"}},
        {"known": {"id": 1}, "other": {"name": "a"}},
    ),
    "a property that is read-only by reference": ({"properties": {"id": ref("Id")}}, {"id": "x"}, {}),
    "by allOf": (
        {"allOf": [ref("Thing"), {"required": ["id"], "properties": {"size": INTEGER}}]},
        {"id": 1, "name": "a", "size": 1},
        {"name": "a", "size": 1},
    ),
    "in a closed object": ({**THING, "additionalProperties": False}, {"id": 1, "name": "a"}, {"name": "a"}),
    "of the branch that was meant": (
        {"oneOf": [ref("Thing"), {"type": "object", "required": ["key"], "properties": {"id": INTEGER}}]},
        {"id": 1, "key": 1},
        {"id": 1, "key": 1},
    ),
    "of the other branch": (
        {"oneOf": [ref("Thing"), {"type": "object", "required": ["key"], "properties": {"id": INTEGER}}]},
        {"id": 1, "name": "a"},
        {"name": "a"},
    ),
    "of all branches that apply": (
        {"anyOf": [ref("Thing"), {"properties": {"size": ID}}]},
        {"id": 1, "name": "a", "size": 1},
        {"name": "a"},
    ),
    "of the branch that a discriminator names": (
        {
            "oneOf": [ref("Thing"), ref("Open")],
            "discriminator": {"propertyName": "kind", "mapping": {"t": "Thing", "o": "Open"}},
        },
        {"kind": "o", "id": 1, "name": "a"},
        {"kind": "o", "id": 1, "name": "a"},
    ),
    "at each level of a tree": (
        ref("Node"),
        {"id": 1, "inner": [{"id": 2, "inner": []}, {"id": 3}]},
        {"inner": [{"inner": []}, {}]},
    ),
}
SCHEMAS_OF_CASES = {
    "Thing": THING,
    "Id": ID,
    "Open": {"type": "object", "properties": {"id": {}}},
    "Node": {"type": "object", "properties": {"id": ID, "inner": {"type": "array", "items": ref("Node")}}},
}


@pytest.mark.parametrize(("schema", "value", "expected"), CASES.values(), ids=CASES)
def test_a_handler_does_not_get_read_only_properties(schema, value, expected):
    """So clients may change one field of what they got, and send it back."""
    assert kept(schema, value, SCHEMAS_OF_CASES) == expected


@pytest.mark.parametrize(
    "schema", [{}, {"properties": {"a": INTEGER}}, {"items": ref("Plain")}, {"oneOf": [ref("Plain"), STRING]}]
)
def test_a_schema_without_read_only_properties_costs_nothing(schema):
    """It is decided at start, also for a schema that refers to itself."""
    contract = around({"Plain": {"properties": {"p": ref("Plain")}}})

    assert dropping(schema, SchemaCompiler(contract)) is None


def test_nothing_is_dropped_if_read_only_properties_are_refused():
    contract = around()

    assert dropping(THING, SchemaCompiler(contract, Strictness(read_only=True))) is None


@settings(max_examples=150)
@given(COMPONENTS, SCHEMAS, VALUES)
def test_only_properties_are_removed(components, schema, value):
    """Whatever the schema; nothing is raised."""
    contract = around(components)
    compiler = SchemaCompiler(contract)
    drop = dropping(schema, compiler)
    validator = compiler.compile(schema, "request", POINTER)
    if drop is None or not validator.accepts(value):
        return
    found = copy.deepcopy(value)

    drop(found)

    assert is_part(found, value)


def is_part(part, whole):
    """Return True if `part` is `whole` without some properties."""
    if isinstance(whole, dict):
        return all(name in whole and is_part(one, whole[name]) for name, one in part.items())
    if isinstance(whole, list):
        return len(part) == len(whole) and all(map(is_part, part, whole))
    return part == whole
