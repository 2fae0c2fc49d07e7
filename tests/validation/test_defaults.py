"""Defaults of properties in requests: `relay.validation.defaults`."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.completion import MAX_LEVELS, filling
from relay.validation.http import Request
from relay.validation.requests import RequestDecoder
from relay.validation.schemas import SchemaCompiler
from support.compiled import POINTER, around, read
from support.hosting import contract, operation, ref
from support.schemas import COMPONENTS, SCHEMAS, VALUES

INTEGER, STRING, FILE = {"type": "integer"}, {"type": "string"}, {"type": "string", "format": "binary"}
SIZE = {**INTEGER, "default": 1}
THING = {"type": "object", "required": ["name"], "properties": {"name": STRING, "size": SIZE}}
TAGGED = {"propertyName": "kind", "mapping": {"t": "Thing", "o": "Other"}}
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"


def filled(schema, value, schemas=None):
    """Return what a handler gets of a valid value."""
    contract = around(schemas)
    compiler = SchemaCompiler(contract)
    validator = compiler.compile(schema, "request", POINTER)
    assert validator.accepts(value), validator.violations(value)
    fill = filling(schema, compiler)
    if fill is not None:
        fill(value, validator.accepts)
    return value


SCHEMAS_OF_CASES = {
    "Size": SIZE,
    "Thing": THING,
    "Other": {"type": "object", "properties": {"size": {**INTEGER, "default": 2}}},
    "Node": {
        "type": "object",
        "properties": {"size": SIZE, "inner": {"type": "array", "items": ref("Node")}},
    },
    "Endless": {"type": "object", "properties": {"inner": {"allOf": [ref("Endless")], "default": {}}}},
}

CASES = {
    "of a property": (THING, {"name": "a"}, {"name": "a", "size": 1}),
    "of no property that was sent": (THING, {"name": "a", "size": 7}, {"name": "a", "size": 7}),
    "that is null": ({"properties": {"a": {**STRING, "nullable": True, "default": None}}}, {}, {"a": None}),
    "by reference": ({"properties": {"size": ref("Size")}}, {}, {"size": 1}),
    "by allOf of a property": ({"properties": {"size": {"allOf": [{}, ref("Size")]}}}, {}, {"size": 1}),
    "by allOf": (
        {"allOf": [ref("Thing"), {"properties": {"x": SIZE}}]},
        {"name": "a"},
        {"name": "a", "size": 1, "x": 1},
    ),
    "of the first part of several": (
        {"allOf": [ref("Thing"), ref("Other")]},
        {"name": "a"},
        {"name": "a", "size": 1},
    ),
    "in a property": (
        {"properties": {"thing": ref("Thing")}},
        {"thing": {"name": "a"}},
        {"thing": {"name": "a", "size": 1}},
    ),
    "in no property that was not sent": ({"properties": {"thing": ref("Thing")}}, {}, {}),
    "in items": (
        {"items": ref("Thing")},
        [{"name": "a"}, {"name": "b", "size": 2}],
        [{"name": "a", "size": 1}, {"name": "b", "size": 2}],
    ),
    "in other properties": (
        {"properties": {"known": {}}, "additionalProperties": ref("Thing")},
        {"known": {}, "other": {"name": "a"}},
        {"known": {}, "other": {"name": "a", "size": 1}},
    ),
    "in a default": (
        {"properties": {"thing": {"allOf": [ref("Other")], "default": {}}}},
        {},
        {"thing": {"size": 2}},
    ),
    "at each level of a tree": (
        ref("Node"),
        {"inner": [{"inner": []}]},
        {"size": 1, "inner": [{"size": 1, "inner": []}]},
    ),
    "in itself only once": (ref("Endless"), {}, {"inner": {}}),
    "in no branch that another value may mean": (
        {"oneOf": [ref("Thing"), {"type": "array"}]},
        {"name": "a"},
        {"name": "a"},
    ),
    "in the only branch": ({"anyOf": [ref("Thing")]}, {"name": "a"}, {"name": "a", "size": 1}),
    "in the branch that a discriminator names": (
        {"oneOf": [ref("Thing"), ref("Other")], "discriminator": TAGGED},
        {"kind": "o"},
        {"kind": "o", "size": 2},
    ),
    "in no branch without a discriminator that names it": (
        {"anyOf": [ref("Thing"), ref("Other")], "discriminator": TAGGED},
        {"name": "a"},
        {"name": "a"},
    ),
    "of no read-only property": ({"properties": {"size": {**SIZE, "readOnly": True}}}, {}, {}),
    "unless it is invalid": ({"properties": {"a": {**INTEGER, "default": "x"}, "b": SIZE}}, {}, {"b": 1}),
    "unless the whole becomes invalid": ({"maxProperties": 1, "properties": {"a": SIZE, "b": SIZE}}, {}, {}),
    "unless a part excludes it": ({"properties": {"a": SIZE}, "not": {"required": ["a"]}}, {}, {}),
}


@pytest.mark.parametrize(("schema", "value", "expected"), CASES.values(), ids=CASES)
def test_a_handler_gets_defaults(schema, value, expected):
    assert filled(schema, value, SCHEMAS_OF_CASES) == expected


def test_each_request_gets_a_copy():
    """A handler may modify its body."""
    schema = {"properties": {"ids": {"type": "array", "items": INTEGER, "default": [1]}}}

    filled(schema, {})["ids"].append(2)

    assert filled(schema, {}) == {"ids": [1]}


def test_defaults_within_defaults_end():
    """Otherwise a small contract could fill memory."""
    schemas = {
        f"S{level}": {
            "type": "object",
            "properties": {name: {"allOf": [ref(f"S{level + 1}")], "default": {}} for name in "ab"},
        }
        for level in range(60)
    } | {"S60": {"type": "object"}}

    def depth(value):
        return 1 + max(map(depth, value.values())) if value else 0

    assert depth(filled(ref("S0"), {}, schemas)) == MAX_LEVELS


@pytest.mark.parametrize(
    "schema", [{}, {"properties": {"a": INTEGER}}, ref("Plain"), {"oneOf": [ref("Plain"), STRING]}, SIZE]
)
def test_a_schema_without_defaults_of_properties_costs_nothing(schema):
    """It is decided at start, also for a schema that refers to itself."""
    contract = around({"Plain": {"properties": {"p": ref("Plain")}}})

    assert filling(schema, SchemaCompiler(contract)) is None


def _with_defaults(schema, draw):
    """Return a schema in which some properties have a default, which may be invalid."""
    if isinstance(schema, list):
        return [_with_defaults(one, draw) for one in schema]
    if not isinstance(schema, dict) or "$ref" in schema:
        return schema
    found = {
        key: one if key == "enum" else _with_defaults(one, draw)
        for key, one in schema.items()
        if key != "properties"
    }
    if "properties" in schema:
        parts = {name: _with_defaults(one, draw) for name, one in schema["properties"].items()}
        found["properties"] = {
            name: {**one, "default": draw(VALUES)} if "$ref" not in one and draw(st.booleans()) else one
            for name, one in parts.items()
        }
    return found


@settings(max_examples=100)
@given(COMPONENTS, SCHEMAS, VALUES, st.data())
def test_a_valid_value_stays_valid_and_only_gets_more_properties(components, schema, value, data):
    """Whatever the schema; nothing is raised, and a second time nothing changes."""
    components = {name: _with_defaults(one, data.draw) for name, one in components.items()}
    schema = _with_defaults(schema, data.draw)
    contract = around(components)
    compiler = SchemaCompiler(contract)
    fill = filling(schema, compiler)
    validator = compiler.compile(schema, "request", POINTER)
    if fill is None or not validator.accepts(value):
        return
    found = copy.deepcopy(value)

    fill(found, validator.accepts)

    assert validator.accepts(found)
    assert is_part(value, found)


def is_part(part, whole):
    """Return True if `part` is `whole` without some properties."""
    if isinstance(part, dict):
        return all(name in whole and is_part(one, whole[name]) for name, one in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(is_part, part, whole))
    return part == whole


def arguments(query=b"", body=b"", content_type=JSON, content=None, parameters=(), encoding=None):
    """Return the handler's arguments for a request."""
    media = {content_type: {"schema": content, **({"encoding": encoding} if encoding else {})}}
    taken = {"requestBody": {"content": media}} if content else {}
    whole = read(contract({"/p": {"post": operation("take", parameters=list(parameters), **taken)}}))
    (one,) = whole.operations
    decoder = RequestDecoder(one, one.arguments, SchemaCompiler(whole))
    typed = f"{content_type}; boundary=b" if content_type == MULTIPART else content_type
    return decoder.decode(Request({}, query, [(b"content-type", typed.encode())], body))


class TestRequests:
    """Every part of a request has the defaults of its schema."""

    def test_a_json_body_has_them(self):
        assert arguments(body=b'{"name":"a"}', content=THING) == {"body": {"name": "a", "size": 1}}

    def test_the_fields_of_a_form_have_them(self):
        found = arguments(body=b"name=a", content_type=FORM, content=THING)

        assert found == {"body": {"name": "a", "size": 1}}

    def test_the_parts_of_a_form_with_files_have_them(self):
        schema = {"type": "object", "properties": {"file": FILE, "size": SIZE}}
        body = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n\xff\r\n--b--\r\n'

        assert arguments(body=body, content_type=MULTIPART, content=schema)["body"]["size"] == 1

    @pytest.mark.parametrize(
        ("style", "query", "expected"),
        [
            ({"style": "deepObject"}, b"p[name]=a", {"name": "a", "size": 1}),
            ({}, b"name=a", {"name": "a", "size": 1}),
            ({"explode": False}, b"p=name,a", {"name": "a", "size": 1}),
            ({"style": "deepObject"}, b"", {"size": 1}),
            ({}, b"", {"size": 1}),
            ({"explode": False}, b"", None),
        ],
    )
    def test_the_members_of_an_object_have_them(self, style, query, expected):
        """Where each member is sent like a parameter, also if none is sent: nothing and an empty object are the same."""
        schema = {"type": "object", "properties": {"name": STRING, "size": SIZE}}
        parameter = {"name": "p", "in": "query", "schema": schema, **style}

        assert arguments(query, parameters=[parameter]).get("p") == expected

    def test_an_object_that_needs_more_stays_absent(self):
        parameter = {"name": "p", "in": "query", "schema": THING}

        assert arguments(parameters=[parameter]) == {}
