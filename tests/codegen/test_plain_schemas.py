"""Types of OpenAPI 3.1 and 3.2: `scripts/relay/codegen/plain_schemas.py` and `type_schemas.py`."""

from __future__ import annotations

import json
import sys
import typing
from types import ModuleType

import jsonschema_rs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from relay.codegen.annotations import of_schema
from relay.codegen.types_module import generate_types
from relay.contract.pointers import lookup, parse_pointer
from relay.contract.schema_words import applied_schemas
from support.hosting import contract, json_of, operation, ref
from support.scaffolded import read

pytestmark = pytest.mark.usefixtures("generated_here")

TEXT, INTEGER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "null"}
PATTERNS = {"^x": INTEGER, "^y": TEXT}


def shaped(*required, **properties):
    found = {"type": "object", "properties": properties} if properties else {"type": "object"}
    return {**found, "required": [*required]} if required else found


def later(version="3.1.1", **schemas):
    paths = {"/a": {"get": operation("show", responses={"200": json_of(ref(next(iter(schemas))))})}}
    return read(contract(paths, components={"schemas": schemas}, openapi=version))


def source_of(**schemas):
    source = generate_types(later(**schemas)).source
    return "\n".join(line for line in source.split("\n") if line)


def annotation(schema):
    found = later(Given=schema, Thing=shaped())
    given_schema = found.document["components"]["schemas"]["Given"]
    return of_schema(given_schema, found, generate_types(found).names).written({})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "integer", "null"]}, "str | int | None"),
        ({"type": ["string", "null"]}, "str | None"),
        ({"anyOf": [{"type": "string", "format": "uuid"}, NULL], "title": "Owner"}, "str | None"),
        ({"const": "cat"}, 'Literal["cat"]'),
        ({"const": None}, "None"),
        ({"enum": ["a", 1, None]}, 'Literal["a", 1] | None'),
        ({"type": ["string", "null"], "enum": ["a"]}, 'Literal["a"]'),
        ({"type": "array", "prefixItems": [TEXT, INTEGER], "items": False}, "list[str | int]"),
        ({"type": "array", "prefixItems": [TEXT, INTEGER], "maxItems": 2}, "list[str | int]"),
        ({"type": "array", "prefixItems": [TEXT], "unevaluatedItems": False}, "list[str]"),
        ({"type": "array", "prefixItems": [TEXT], "items": INTEGER}, "list[str | int]"),
        ({"type": "array", "prefixItems": [TEXT, INTEGER]}, "list[Any]"),
        ({"type": "object", "patternProperties": {"^x": INTEGER}}, "dict[str, Any]"),
        ({**shaped(), "patternProperties": PATTERNS, "additionalProperties": False}, "dict[str, int | str]"),
        ({**shaped(), "propertyNames": {"enum": ["a"]}, "additionalProperties": INTEGER}, "dict[str, int]"),
        ({"type": "object", "unevaluatedProperties": INTEGER}, "dict[str, Any]"),
        ({**TEXT, "contentMediaType": "application/json", "contentSchema": shaped()}, "str"),
        ({**ref("Thing"), "description": "The one that is meant"}, "Thing"),
        ({"anyOf": [ref("Thing"), NULL]}, "Thing | None"),
        ({"anyOf": [INTEGER, True]}, "Any"),
        ({"anyOf": [INTEGER, False]}, "int"),
        ({"type": "string", "if": {"pattern": "^a"}, "then": {"minLength": 3}}, "str"),
        ({"allOf": [{"type": "string"}, {"if": {"minLength": 2}, "then": {"pattern": "^a"}}]}, "str"),
        ({**shaped(a=TEXT), "type": ["object", "array"], "items": INTEGER}, "dict[str, Any] | list[int]"),
        ({"not": {"type": "string"}}, "Any"),
        (True, "Any"),
    ],
)
def test_an_annotation_says_what_is_certain(schema, expected):
    """Where a keyword of JSON Schema 2020-12 has no type, the annotation accepts more, never less."""
    assert annotation(schema) == expected


def test_a_class_says_the_same_as_an_annotation():
    pet = shaped(
        *("name", "kind"),
        name={"type": ["string", "integer", "null"], "title": "Name"},
        kind={"const": "cat", "title": "Kind"},
        place={"type": "array", "prefixItems": [TEXT, INTEGER]},
        owner={"anyOf": [ref("Pet"), NULL]},
        never=False,
    )
    conditions = {"if": {"required": ["name"]}, "then": {"required": ["place"]}}

    source = source_of(
        Pet={**pet, **conditions, "dependentSchemas": {"name": {"properties": {"more": TEXT}}}}
    )

    assert source.endswith(
        """\
class Pet(TypedDict):
    name: str | int | None
    kind: Literal["cat"]
    place: NotRequired[list[Any]]
    owner: NotRequired[Pet | None]"""
    )


def test_keywords_next_to_a_reference_extend_its_class():
    dog = {**ref("Pet"), "properties": {"chip": TEXT}, "required": ["chip"]}

    source = source_of(Dog=dog, Pet=shaped(name=TEXT))

    assert "class Dog(Pet):\n    chip: str" in source


def test_a_schema_within_a_component_has_the_name_of_its_place():
    """It is referred to like a component; another schema of the name has it already, or gets one that says whose it is."""
    own = {"$defs": {"Toy": shaped(size=INTEGER)}}
    to_toy = ref("Pet/$defs/Toy")
    found = later(
        Pet={**shaped(toy=to_toy), **own},
        Shop={**shaped(best=ref("Shop/$defs/Toy")), **own},
        Age={"type": "array", "items": ref("Pet/$defs/Toy/properties/size")},
    )

    types = generate_types(found)

    assert "class Toy(TypedDict):\n    size: NotRequired[int]" in types.source
    assert "best: NotRequired[ShopToy]" in types.source
    assert "Size: TypeAlias = int" in types.source
    assert of_schema(to_toy, found, types.names).written({}) == "Toy"


def test_a_schema_of_the_whole_document_may_be_referred_to_by_an_anchor():
    """The generator gets the components alone, and would take it for anything."""
    shown = {**shaped(a=TEXT), "$anchor": "shown"}
    paths = {"/a": {"get": operation("show", responses={"200": json_of(shown)})}}
    schemas = {"List": {"type": "array", "items": {"$ref": "#shown"}}}

    source = generate_types(read(contract(paths, components={"schemas": schemas}, openapi="3.1.0"))).source

    assert "class Schema(TypedDict):\n    a: NotRequired[str]\n" in source
    assert "List: TypeAlias = list[Schema]" in source


def test_words_of_the_generator_itself_are_not_passed_on():
    """A contract must not choose what the generated module imports, and any keyword may be in a schema of 3.1."""
    words = {"customTypePath": "os.system", "x-python-import": {"module": "os", "name": "system"}}

    assert source_of(Pet={**TEXT, **words}).endswith("Pet: TypeAlias = str")


def test_a_header_may_have_several_types():
    headers = {
        "X-Left": {"schema": {"type": ["integer", "null"]}},
        "X-Kind": {"schema": {"type": ["integer", "string"]}},
        "X-Count": {"schema": {**ref("Count"), "description": "How many"}},
    }
    paths = {"/a": {"get": operation("show", responses={"200": {"description": "", "headers": headers}})}}
    schemas = {"Count": INTEGER}

    source = generate_types(read(contract(paths, components={"schemas": schemas}, openapi="3.1.0"))).source

    assert '"X-Left": NotRequired[int]' in source
    assert '"X-Kind": NotRequired[int | str]' in source
    assert '"X-Count": NotRequired[int]' in source


NAMES = st.sampled_from("abc")
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 1.5, "x", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=4,
)
TYPES = st.sampled_from("string integer number boolean null array object".split())
REFERENCES = [f"#/components/schemas/{name}" for name in ("S0", "S1", "S0/$defs/In")]


def words(inner):
    """The values that each keyword may have; `inner` are schemas."""
    one = dict.fromkeys(
        "items contains additionalProperties unevaluatedProperties unevaluatedItems propertyNames not if then else "
        "contentSchema".split(),
        inner,
    )
    some = dict.fromkeys("prefixItems anyOf oneOf allOf".split(), st.lists(inner, min_size=1, max_size=2))
    named = dict.fromkeys("properties dependentSchemas".split(), st.dictionaries(NAMES, inner, max_size=2))
    return {
        **one,
        **some,
        **named,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), inner, min_size=1, max_size=2),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "const": VALUES,
        "enum": st.lists(VALUES, min_size=1, max_size=3, unique_by=json.dumps),
        "$ref": st.sampled_from(REFERENCES),
        "maxItems": st.integers(0, 3),
        "title": st.sampled_from(["S0", "Title"]),
        "default": VALUES,
        "exclusiveMinimum": st.just(0),
    }


def grown(inner):
    """Schemas with a type and some keywords; those of objects and of arrays only with their type."""
    possible = words(inner)
    some = st.lists(st.sampled_from(sorted(possible)), max_size=4, unique=True)
    schemas = some.flatmap(lambda names: st.fixed_dictionaries({name: possible[name] for name in names}))
    types = TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True)
    return st.builds(lambda schema, kinds: _fitting({**schema, "type": kinds}), schemas, types)


def _fitting(schema):
    of_objects = "properties patternProperties additionalProperties required".split()
    kinds = {"items": "array", "prefixItems": "array"} | dict.fromkeys(of_objects, "object")
    return {key: value for key, value in schema.items() if kinds.get(key, "") in ("", *schema["type"])}


SCHEMAS = st.recursive(st.booleans() | TYPES.map(lambda name: {"type": name}), grown, max_leaves=6)


def contains_itself(schema, document, above=()):
    """Return True for a schema that refers to itself for the same value: it has no definition."""
    if isinstance(schema, bool):
        return False
    inner, within = [*applied_schemas(schema)], above
    if target := schema.get("$ref"):
        inner, within = [*inner, lookup(document, parse_pointer(target[1:]))], (*above, target)
    return target in above or any(contains_itself(one, document, within) for one in inner)


def imported(source):
    module = sys.modules["generated"] = ModuleType("generated")
    exec(source.replace("from typing import", "from typing_extensions import"), module.__dict__)  # noqa: S102
    return module


@pytest.mark.slow
@given(
    some=st.lists(grown(SCHEMAS), min_size=6, max_size=6),
    nested=SCHEMAS,
    values=st.lists(VALUES, min_size=6, max_size=12),
)
@settings(max_examples=7, deadline=None)
def test_types_accept_every_valid_value(some, nested, values):
    """For all schemas the types end, are valid Python, and refuse nothing that the contract accepts."""
    schemas = {f"S{number}": {**one, "$defs": {"In": nested}} for number, one in enumerate(some)}
    found = later(**schemas)
    assume(not any(contains_itself(ref(name), found.document) for name in schemas))
    types = generate_types(found)
    module = imported(types.source)
    names = {"Literal": typing.Literal, **module.__dict__}  # a handlers module imports it itself
    for name in schemas:
        written = of_schema(ref(name), found, types.names).written({})
        hint = typing.get_type_hints(type("Holder", (), {"__annotations__": {"it": written}}), names)
        accepted = TypeAdapter(hint["it"])
        if not accepted.pydantic_complete:
            continue  # it cannot read an alias that contains itself
        whole = {**ref(name), "components": {"schemas": schemas}}
        for value in filter(jsonschema_rs.Draft202012Validator(whole).is_valid, values):
            accepted.validate_python(value, strict=True)
