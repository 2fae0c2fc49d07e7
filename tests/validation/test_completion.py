"""Changes of a valid value before a handler gets it: `relay.validation.completion`."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.completion import MAX_LEVELS, converting, dropping, filling, reading
from relay.validation.errors import InvalidRequest
from relay.validation.http import Request
from relay.validation.item_content import item_decoders
from relay.validation.item_reading import ReadItem
from relay.validation.requests import RequestDecoder
from relay.validation.schemas import SchemaCompiler, Strictness
from support.compiled import POINTER, around, read
from support.hosting import contract, operation, ref
from support.schemas import COMPONENTS, SCHEMAS, VALUES

INTEGER, STRING, FILE = {"type": "integer"}, {"type": "string"}, {"type": "string", "format": "binary"}
SIZE = {**INTEGER, "default": 1}
THING = {"type": "object", "required": ["name"], "properties": {"name": STRING, "size": SIZE}}
TAGGED = {"propertyName": "kind", "mapping": {"t": "Thing", "o": "Other"}}
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"


def completed(make, schema, value, schemas=None):
    """Return a valid value after what `make` returns for its schema was done to it."""
    value = copy.deepcopy(value)
    compiler = SchemaCompiler(around(schemas))
    validator = compiler.compile(schema, "request", POINTER)
    assert validator.accepts(value), validator.violations(value)
    if (complete := make(schema, compiler)) is not None:
        complete(value, *([validator.accepts] if make is filling else []))
    return value


def is_part(part, whole):
    """Return True if `part` is `whole` without some properties."""
    if isinstance(part, dict):
        return all(name in whole and is_part(one, whole[name]) for name, one in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(is_part, part, whole))
    return part == whole


SCHEMAS_OF_CASES = {
    "Size": SIZE,
    "Thing": THING,
    "Other": {"type": "object", "properties": {"size": {**INTEGER, "default": 2}}},
    "Node": {"type": "object", "properties": {"size": SIZE, "inner": {"type": "array", "items": ref("Node")}}},
    "Endless": {"type": "object", "properties": {"inner": {"allOf": [ref("Endless")], "default": {}}}},
}  # fmt: skip
A, B = {"name": "a"}, {"name": "b", "size": 2}
A1 = {**A, "size": 1}
INNER = {"properties": {"thing": ref("Thing")}}
OTHERS = {"properties": {"known": {}}, "additionalProperties": ref("Thing")}
IN_DEFAULT = {"properties": {"thing": {"allOf": [ref("Other")], "default": {}}}}
NAMING = {"oneOf": [ref("Thing"), ref("Other")], "discriminator": TAGGED}

CASES = {
    "of a property": (THING, A, A1),
    "of no property that was sent": (THING, B, B),
    "that is null": ({"properties": {"a": {**STRING, "nullable": True, "default": None}}}, {}, {"a": None}),
    "by reference": ({"properties": {"size": ref("Size")}}, {}, {"size": 1}),
    "by allOf of a property": ({"properties": {"size": {"allOf": [{}, ref("Size")]}}}, {}, {"size": 1}),
    "by allOf": ({"allOf": [ref("Thing"), {"properties": {"x": SIZE}}]}, A, {**A1, "x": 1}),
    "of the first part of several": ({"allOf": [ref("Thing"), ref("Other")]}, A, A1),
    "in a property": (INNER, {"thing": A}, {"thing": A1}),
    "in no property that was not sent": (INNER, {}, {}),
    "in items": ({"items": ref("Thing")}, [A, B], [A1, B]),
    "in other properties": (OTHERS, {"known": {}, "other": A}, {"known": {}, "other": A1}),
    "in a default": (IN_DEFAULT, {}, {"thing": {"size": 2}}),
    "at each level": (ref("Node"), {"inner": [{"inner": []}]}, {"size": 1, "inner": [{"size": 1, "inner": []}]}),
    "in itself only once": (ref("Endless"), {}, {"inner": {}}),
    "in no branch that another value may mean": ({"oneOf": [ref("Thing"), {"type": "array"}]}, A, A),
    "in the only branch": ({"anyOf": [ref("Thing")]}, A, A1),
    "in the branch that a discriminator names": (NAMING, {"kind": "o"}, {"kind": "o", "size": 2}),
    "in no branch without a name": ({"anyOf": NAMING["oneOf"], "discriminator": TAGGED}, A, A),
    "of no read-only property": ({"properties": {"size": {**SIZE, "readOnly": True}}}, {}, {}),
    "unless it is invalid": ({"properties": {"a": {**INTEGER, "default": "x"}, "b": SIZE}}, {}, {"b": 1}),
    "unless the whole becomes invalid": ({"maxProperties": 1, "properties": {"a": SIZE, "b": SIZE}}, {}, {}),
    "unless a part excludes it": ({"properties": {"a": SIZE}, "not": {"required": ["a"]}}, {}, {}),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "expected"), CASES.values(), ids=CASES)
def test_a_handler_gets_defaults(schema, value, expected):
    assert completed(filling, schema, value, SCHEMAS_OF_CASES) == expected


def test_each_request_gets_a_copy():
    """A handler may modify its body."""
    schema = {"properties": {"ids": {"type": "array", "items": INTEGER, "default": [1]}}}
    completed(filling, schema, {})["ids"].append(2)
    assert completed(filling, schema, {}) == {"ids": [1]}


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

    assert depth(completed(filling, ref("S0"), {}, schemas)) == MAX_LEVELS


@pytest.mark.parametrize("make", [filling, dropping])
@pytest.mark.parametrize(
    "schema",
    [
        *({}, {"properties": {"a": INTEGER}}, {"items": ref("Plain")}, ref("Plain"), SIZE),
        {"oneOf": [ref("Plain"), STRING]},
    ],
)
def test_a_schema_without_such_properties_costs_nothing(make, schema):
    """It is decided at start, also for a schema that refers to itself."""
    contract = around({"Plain": {"properties": {"p": ref("Plain")}}})
    assert make(schema, SchemaCompiler(contract)) is None


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


@pytest.mark.slow
@settings(max_examples=100)
@given(COMPONENTS, SCHEMAS, VALUES, st.data())
def test_a_valid_value_stays_valid_and_only_gets_more_properties(components, schema, value, data):
    """For every schema; nothing is raised, and a second time nothing changes."""
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


def decoded(document, body=b"", content_type=JSON, query=b""):
    whole = read(document)
    (found,) = whole.operations
    decoder = RequestDecoder(found, found.arguments, SchemaCompiler(whole))
    return decoder.decode(Request({}, query, [(b"content-type", content_type.encode())], body))


def arguments(query=b"", body=b"", content_type=JSON, content=None, parameters=()):
    taken = {"requestBody": {"content": {content_type: {"schema": content}}}} if content else {}
    document = contract({"/p": {"post": operation("take", parameters=list(parameters), **taken)}})
    return decoded(document, body, f"{content_type}; boundary=b", query)


class TestRequests:
    """Every part of a request has the defaults of its schema."""

    @pytest.mark.parametrize(("media_type", "body"), [(JSON, b'{"name":"a"}'), (FORM, b"name=a")])
    def test_a_body_has_them(self, media_type, body):
        assert arguments(body=body, content_type=media_type, content=THING) == {"body": A1}

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


ID = {**INTEGER, "readOnly": True}
KNOWN = {"type": "object", "required": ["id", "name"], "properties": {"id": ID, "name": STRING}}
KEYED = {"oneOf": [ref("Thing"), {"type": "object", "required": ["key"], "properties": {"id": INTEGER}}]}
WITH_SIZE = {"allOf": [ref("Thing"), {"required": ["id"], "properties": {"size": INTEGER}}]}
BY_KIND = {
    "oneOf": [ref("Thing"), ref("Open")],
    "discriminator": {"propertyName": "kind", "mapping": {"o": "Open"}},
}
WITH_ID = {"id": 1, "name": "a"}
TREE = {"id": 1, "inner": [{"id": 2, "inner": []}, {"id": 3}]}
MARKED = {
    "a property": (KNOWN, WITH_ID, A),
    "an invalid value": (KNOWN, {"id": {"any": ["thing"]}, "name": "a", "more": 1}, {"name": "a", "more": 1}),
    "nothing": (KNOWN, A, A),
    "in a property": (INNER, {"thing": WITH_ID}, {"thing": A}),
    "in items": ({"items": ref("Thing")}, [WITH_ID, {"name": "b"}], [A, {"name": "b"}]),
    "in other properties": (OTHERS, {"known": {"id": 1}, "other": WITH_ID}, {"known": {"id": 1}, "other": A}),
    "a property that is read-only by reference": ({"properties": {"id": ref("Id")}}, {"id": "x"}, {}),
    "by allOf": (WITH_SIZE, {**WITH_ID, "size": 1}, {**A, "size": 1}),
    "in a closed object": ({**KNOWN, "additionalProperties": False}, WITH_ID, A),
    "of the branch that was meant": (KEYED, {"id": 1, "key": 1}, {"id": 1, "key": 1}),
    "of the other branch": (KEYED, WITH_ID, A),
    "of all branches": ({"anyOf": [ref("Thing"), {"properties": {"size": ID}}]}, {**WITH_ID, "size": 1}, A),
    "of the branch that a discriminator names": (BY_KIND, {"kind": "o", **WITH_ID}, {"kind": "o", **WITH_ID}),
    "at each level of a tree": (ref("Node"), TREE, {"inner": [{"inner": []}, {}]}),
}
SCHEMAS_OF_MARKED = {
    "Thing": KNOWN,
    "Id": ID,
    "Open": {"type": "object", "properties": {"id": {}}},
    "Node": {"type": "object", "properties": {"id": ID, "inner": {"type": "array", "items": ref("Node")}}},
}


@pytest.mark.parametrize(("schema", "value", "expected"), MARKED.values(), ids=MARKED)
def test_a_handler_does_not_get_read_only_properties(schema, value, expected):
    """So clients may change one field of what they got, and send it back."""
    assert completed(dropping, schema, value, SCHEMAS_OF_MARKED) == expected


def test_nothing_is_dropped_if_read_only_properties_are_refused():
    assert dropping(KNOWN, SchemaCompiler(around(), Strictness(read_only=True))) is None


@pytest.mark.slow
@settings(max_examples=150)
@given(COMPONENTS, SCHEMAS, VALUES)
def test_only_properties_are_removed(components, schema, value):
    compiler = SchemaCompiler(around(components))
    drop = dropping(schema, compiler)
    validator = compiler.compile(schema, "request", POINTER)
    if drop is None or not validator.accepts(value):
        return
    found = copy.deepcopy(value)

    drop(found)

    assert is_part(found, value)


NUMBER = {"type": "number"}
NODE = {
    "type": "object",
    "properties": {
        "n": {"$ref": "#/components/schemas/Count"},
        "x": NUMBER,
        "many": {"type": "array", "items": INTEGER},
        "pair": {"type": "array", "prefixItems": [INTEGER, NUMBER], "items": NUMBER},
        "map": {"type": "object", "additionalProperties": {"type": ["integer", "null"]}},
        "named": {"type": "object", "patternProperties": {"^n": INTEGER}, "additionalProperties": NUMBER},
        "either": {"anyOf": [INTEGER, {"type": "string"}]},
        "both": {"type": ["integer", "number"]},
        "member": {"enum": [1, 2]},
        "all": {"allOf": [{"properties": {"n": INTEGER}}, {"properties": {"x": NUMBER}}]},
        "free": {},
        "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
    },
}
OF_NODES = {"Count": {"allOf": [INTEGER]}, "Node": NODE}


def described(schema, media_type=JSON, **others):
    body = {"content": {media_type: {"schema": schema}}}
    paths = {"/things": {"post": operation("add_thing", requestBody=body, **others)}}
    return contract(paths, openapi="3.1.1", components={"schemas": OF_NODES})


WHOLE_FLOATS = {
    "a property": ({"n": 42.0}, {"n": 42}),
    "with an exponent": ({"n": 1e3}, {"n": 1000}),
    "a number": ({"x": 42.0}, {"x": 42.0}),
    "items": ({"many": [1.0, 2, -0.0]}, {"many": [1, 2, 0]}),
    "the first items": ({"pair": [1.0, 2.0, 3.0]}, {"pair": [1, 2.0, 3.0]}),
    "other properties": ({"map": {"a": 1.0, "b": None}}, {"map": {"a": 1, "b": None}}),
    "matching properties": ({"named": {"n1": 1.0, "x": 1.0}}, {"named": {"n1": 1, "x": 1.0}}),
    "of alternatives": ({"either": 1.0}, {"either": 1}),
    "of two types": ({"both": 1.0}, {"both": 1.0}),
    "of an enum": ({"member": 2.0}, {"member": 2}),
    "in all": ({"all": {"n": 1.0, "x": 1.0}}, {"all": {"n": 1, "x": 1.0}}),
    "of no type": ({"free": 1.0}, {"free": 1.0}),
    "of a schema in itself": ({"kids": [{"kids": [{"n": 1.0}]}]}, {"kids": [{"kids": [{"n": 1}]}]}),
    "of many digits": ({"n": 1e30}, {"n": int(1e30)}),
}


@pytest.mark.parametrize(("sent", "expected"), WHOLE_FLOATS.values(), ids=WHOLE_FLOATS)
def test_a_whole_float_is_an_int_where_the_schema_has_an_integer(sent, expected):
    """JSON Schema counts 42.0 as an integer; a handler annotated with `int` would get a float."""
    found = decoded(described({"$ref": "#/components/schemas/Node"}), json.dumps(sent).encode())
    assert repr(found["body"]) == repr(expected)


def test_a_body_may_be_one_integer():
    assert repr(decoded(described(INTEGER), b"42.0")["body"]) == "42"


def test_parts_and_parameters_of_json_have_integers_too():
    form = {"type": "object", "properties": {"thing": NODE}}
    part = b'--b\r\nContent-Disposition: form-data; name="thing"\r\n\r\n{"n": 42.0}\r\n--b--\r\n'
    point = {"name": "p", "in": "query", "content": {JSON: {"schema": NODE}}}
    document = described(form, MULTIPART, parameters=[point])

    found = decoded(document, part, f"{MULTIPART}; boundary=b", query=b'p={"n":42.0}')

    assert repr(found) == repr({"p": {"n": 42}, "body": {"thing": {"n": 42}}})


def test_items_of_a_stream_have_integers():
    paths = {
        "/things": {
            "post": operation(
                "add_things", requestBody={"content": {"application/jsonl": {"itemSchema": NODE}}}
            )
        }
    }
    whole = read(contract(paths, openapi="3.2.0", components={"schemas": OF_NODES}))
    [decoder] = item_decoders(whole.operations[0].body, SchemaCompiler(whole)).values()

    value, violations = decoder.decode(ReadItem(b'{"n": 42.0}', JSON, {}), 0)

    assert (repr(value), violations) == ("{'n': 42}", [])


def test_openapi_3_0_has_no_such_integers():
    """Draft 4 of JSON Schema counts 42.0 as a number only, so the request is refused, as ever."""
    document = {**described({"properties": {"n": INTEGER}}), "openapi": "3.0.3"}
    del document["components"]
    with pytest.raises(InvalidRequest):
        decoded(document, b'{"n": 42.0}')


def test_schemas_without_integers_cost_nothing():
    """Their bodies are read as if there were none of this."""
    whole = read(described({}))
    compiler = SchemaCompiler(whole)
    assert converting({"type": "object", "properties": {"x": NUMBER}}, compiler) is None
    assert reading({"type": "string"}, compiler, decoded) is decoded


_INTEGERS = st.integers(-(2**53), 2**53)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_NODES = st.recursive(
    st.just({}),
    lambda nodes: st.fixed_dictionaries(
        {},
        optional={
            "n": _INTEGERS,
            "x": _FLOATS,
            "many": st.lists(_INTEGERS),
            "pair": st.tuples(_INTEGERS, _FLOATS).map(list),
            "map": st.dictionaries(st.text(), _INTEGERS | st.none()),
            "either": _INTEGERS | st.text(),
            "member": st.sampled_from([1, 2]),
            "free": st.text() | _FLOATS,
            "kids": st.lists(nodes),
        },
    ),
    max_leaves=8,
)
_OF_NODES = described({"$ref": "#/components/schemas/Node"})


def as_floats(value):
    if isinstance(value, dict):
        return {name: as_floats(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_floats(one) for one in value]
    return float(value) if type(value) is int else value


@pytest.mark.slow
@settings(max_examples=60)
@given(_NODES)
def test_the_spelling_of_an_integer_makes_no_difference(node):
    """A handler gets the same, whether a client writes 42 or 42.0."""
    found = decoded(_OF_NODES, json.dumps(as_floats(node)).encode())
    assert repr(found["body"]) == repr(node)
