"""The names and fields of generated classes: `scripts/relay/codegen/types_module.py`, `class_names.py`, `response_headers.py`."""

from __future__ import annotations

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from relay.codegen.class_names import class_names, with_class_names
from relay.codegen.types_module import generate_types, without_overrides
from support.hosting import contract, operation, ref
from support.scaffolded import read


def test_names_that_the_generator_takes_are_unchanged():
    """Types that a project has keep their names."""
    schemas = {"Pet": {"type": "object"}, "new_pet": {"$ref": "#/components/schemas/Pet"}, "Foo-Bar": {}}

    assert with_class_names(schemas) == (schemas, {})


def test_components_that_ask_for_one_class_get_one_each():
    """The one that is written like the class keeps it."""
    assert class_names(["foo_1", "Foo1", "Foo.1", "Foo1Type"]) == {
        "Foo1": "Foo1",
        "Foo1Type": "Foo1Type",
        "foo_1": "Foo1Type2",
        "Foo.1": "Foo1Type3",
    }


def test_references_follow_a_new_name():
    """Those in a discriminator too, which names a component with or without the path to it."""
    mapping = {"one": "acme.v1/Kind", "two": "#/components/schemas/acme.v1~1Kind", "three": "Any"}
    target = {"$ref": "#/components/schemas/acme.v1~1Kind/properties/a~1b"}
    kind = {"properties": {"a/b": {"type": "string"}}}
    discriminated = {"oneOf": [target], "discriminator": {"propertyName": "x", "mapping": mapping}}

    named, originals = with_class_names({"acme.v1/Kind": kind, "Any": discriminated})

    assert originals == {"AcmeV1Kind": "acme.v1/Kind"}
    assert named["Any"]["oneOf"] == [{"$ref": "#/components/schemas/AcmeV1Kind/properties/a~1b"}]
    assert named["Any"]["discriminator"]["mapping"] == {
        "one": "AcmeV1Kind",
        "two": "#/components/schemas/AcmeV1Kind",
        "three": "Any",
    }


@given(st.lists(st.text(st.sampled_from("aAB1_.-/<é"), max_size=5), unique=True))
def test_class_names_are_distinct(names):
    found = class_names(names)

    assert found.keys() == set(names)
    assert len({*found.values()}) == len(names)


def rewritten(source):
    """The source after the rewrite, as a formatter would lay it out."""
    return without_overrides(textwrap.dedent(source).strip())


def test_a_class_that_changes_a_field_lists_all_its_fields():
    """Type checkers refuse it otherwise; classes that only add fields keep their base."""
    assert rewritten("""
        class Base(TypedDict):
            kind: str
            n: NotRequired[int]
        class Narrow(Base):
            kind: Literal['a']
            x: str
        class Wider(Base):
            y: str
        class Deep(Narrow):
            n: int
    """) == rewritten("""
        class Base(TypedDict):
            kind: str
            n: NotRequired[int]
        class Narrow(TypedDict):
            kind: Literal['a']
            n: NotRequired[int]
            x: str
        class Wider(Base):
            y: str
        class Deep(TypedDict):
            kind: Literal['a']
            n: int
            x: str
    """)


def test_bases_that_differ_in_a_field_are_merged():
    """A value conforms to both, so the later one describes it as well as the first."""
    assert rewritten("""
        class A(TypedDict):
            k: str
        class B(TypedDict):
            k: Literal['b']
        class C(A, B):
            pass
    """).endswith("class C(TypedDict):\n    k: Literal['b']")


def test_what_is_nested_too_deeply_stays_as_it_is():
    """Python's parser gives up on thousands of brackets; other tools do not."""
    source = f"Deep: TypeAlias = {'list[' * 5000}int{']' * 5000}"

    assert without_overrides(source) == source


HEADERS = {
    "Location": {"required": True, "schema": {"type": "string", "format": "uri"}},
    "X-Count": {"schema": ref("Count")},
    "Set-Cookie": {"schema": {"type": "string"}},
    "X-Filter": {"content": {"application/json": {"schema": {"type": "integer"}}}},
    "Content-Type": {"schema": {"type": "string"}},
}


def test_a_header_has_the_type_that_a_handler_gives_it():
    """Numbers are written as text by the server, all else by the handler; several cookies are a list."""
    made = {"description": "", "headers": HEADERS}
    responses = {"201": made, "204": {"description": ""}, "404": made}
    components = {"schemas": {"Count": {"type": "integer"}}}
    document = contract({"/a": {"post": operation("make-it", responses=responses)}}, components=components)

    types = generate_types(read(document))

    assert types.headers == {("make-it", "201"): "MakeIt201Headers"}
    assert '        "Location": str,\n' in types.source
    assert '        "X-Count": NotRequired[int],\n' in types.source
    assert '        "Set-Cookie": NotRequired[str | list[str]],\n' in types.source
    assert '        "X-Filter": NotRequired[str],\n' in types.source
    assert "Content-Type" not in types.source
    assert {"MakeIt201Headers", "Count"} <= types.classes


ETAG = {"description": "", "headers": {"ETag": {"schema": {"type": "string"}}}}
SHOWING = {"/a": {"get": operation("show", responses={"200": ETAG})}}


def test_a_contract_without_schemas_may_have_headers():
    """Its generated module has nothing else."""
    types = generate_types(read(contract(SHOWING)))

    assert "class Show200Headers(TypedDict):\n    ETag: NotRequired[str]\n" in types.source
    assert types.names == {}


def test_the_class_of_a_schema_keeps_its_name():
    """Handlers use it; the class of the headers gets another one."""
    schemas = {"show200_headers": {"type": "object"}}

    types = generate_types(read(contract(SHOWING, components={"schemas": schemas})))

    assert types.names == {"show200_headers": "Show200Headers"}
    assert types.headers == {("show", "200"): "Show200Headers2"}
