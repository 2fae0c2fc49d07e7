"""Several files → one document: `scripts/relay/contract/bundling.py`."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.bundling import Bundle, PointerNotFound, escape, lookup, parse_pointer, references
from relay.contract.documents import read_document


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Bundle `root.yaml` of some files given as text, by name without `.yaml`."""
    monkeypatch.chdir(tmp_path)

    def bundle(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(textwrap.dedent(text), "utf-8")
        return Bundle(read_document(tmp_path / "root.yaml"))

    return bundle


def messages(bundled):
    """What is wrong with a bundle."""
    return [str(problem) for problem in bundled.problems]


def test_a_document_on_its_own_stays_as_it_is(bundle):
    bundled = bundle(root="{a: {$ref: '#/b'}, b: [1, {c: null}]}")

    assert bundled.is_single
    assert bundled.data == {"a": {"$ref": "#/b"}, "b": [1, {"c": None}]}


def test_a_schema_of_another_file_becomes_a_component(bundle):
    """It may refer to itself, so it cannot be copied to where it is asked for."""
    bundled = bundle(
        root="{schema: {$ref: 'other.yaml#/Tree'}}",
        other="{Tree: {type: array, items: {$ref: '#/Tree'}}}",
    )

    assert not bundled.is_single
    assert bundled.data == {
        "schema": {"$ref": "#/components/schemas/Tree"},
        "components": {
            "schemas": {"Tree": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}
        },
    }


def test_schemas_of_one_name_are_kept_apart(bundle):
    """Connexion picks the wrong one."""
    bundled = bundle(
        root="""
            components: {schemas: {Pet: {type: string}}}
            list:
              - schema: {$ref: 'a.yaml#/Pet'}
              - schema: {$ref: 'b.yaml#/Pet'}
              - schema: {$ref: '#/components/schemas/Pet'}
            """,
        a="Pet: {type: integer}",
        b="Pet: {type: boolean}",
    )

    refs = [one["schema"]["$ref"] for one in bundled.data["list"]]
    types = [lookup(bundled.data, parse_pointer(ref[1:]))["type"] for ref in refs]
    assert types == ["integer", "boolean", "string"]


def test_a_whole_file_may_be_a_schema(bundle):
    bundled = bundle(root="schema: {$ref: 'house pet.yaml'}", **{"house pet": "{type: integer}"})

    assert bundled.data["components"]["schemas"] == {"house_pet": {"type": "integer"}}


def test_whatever_is_no_schema_is_taken_in_where_it_is_asked_for(bundle):
    """Path items, parameters, answers; a file may lead on to another, and back."""
    bundled = bundle(
        root="""
            paths: {/pets: {$ref: 'pets.yaml#/item'}}
            components: {schemas: {Id: {type: integer}}}
            """,
        pets="item: {parameters: [{$ref: 'parameters.yaml#/limit'}]}",
        parameters="limit: {name: limit, in: query, schema: {$ref: 'root.yaml#/components/schemas/Id'}}",
    )

    limit = {"name": "limit", "in": "query", "schema": {"$ref": "#/components/schemas/Id"}}
    assert bundled.data["paths"] == {"/pets": {"parameters": [limit]}}


def test_files_are_found_beside_the_file_that_asks(bundle, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.yaml").write_text("{a: {$ref: 'b.yaml#/b'}}", "utf-8")
    (tmp_path / "deep/b.yaml").write_text("{b: {$ref: '../c.yaml'}}", "utf-8")

    assert bundle(root="x: {$ref: 'deep/a.yaml#/a'}", c="[1]").data == {"x": [1]}


def test_the_place_of_a_value_is_in_its_own_file(bundle):
    """So that what is wrong with it can be mended."""
    bundled = bundle(
        root="paths:\n  /pets:\n    $ref: 'pets.yaml#/item'\n",
        pets="item:\n  get:\n    schema:\n      $ref: '#/Pet'\nPet:\n  type: object\n",
    )

    assert str(bundled.place(("paths", "/pets"))) == "pets.yaml:1:1"
    assert str(bundled.place(("paths", "/pets", "get", "schema"))) == "pets.yaml:3:5"
    assert str(bundled.place(("components", "schemas", "Pet", "type"))) == "pets.yaml:6:3"


def test_data_is_not_searched_for_references(bundle):
    """What an example, a default or an extension holds is nobody's reference."""
    text = "{example: {$ref: x}, default: {$ref: x}, enum: [{$ref: x}], x-own: {$ref: x}}"

    bundled = bundle(root=f"schema: {text}")

    assert bundled.problems == []
    assert bundled.data["schema"]["x-own"] == {"$ref": "x"}


def test_a_property_may_have_a_name_that_means_something_elsewhere(bundle):
    """`$ref`, `example` or `properties` below `properties` are what somebody called a field."""
    names = ["$ref", "example", "default", "properties", "x-own"]
    properties = ", ".join(f"{name}: {{$ref: 'other.yaml#/Word'}}" for name in names)

    bundled = bundle(root=f"schema: {{properties: {{{properties}}}}}", other="Word: {type: string}")

    word = {"$ref": "#/components/schemas/Word"}
    assert bundled.data["schema"]["properties"] == dict.fromkeys(names, word)


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ("#/nowhere", "leads nowhere"),
        ("#nowhere", "leads nowhere"),
        ("#/list/2", "leads nowhere"),
        ("#/list/-1", "leads nowhere"),
        ("#/list/01", "leads nowhere"),
        ("#/list/0/x", "leads nowhere"),
        ("#//list", "leads nowhere"),
        ("other.yaml#/nowhere", "leads nowhere"),
        ("gone.yaml", "cannot be followed"),
        ("https://example.com/a.yaml", "is elsewhere and never fetched; keep the file beside the contract"),
        ("//example.com/a.yaml", "is elsewhere and never fetched; keep the file beside the contract"),
        ("file:///etc/hostname", "is elsewhere and never fetched; keep the file beside the contract"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_told(bundle, ref, reason):
    bundled = bundle(root=f"list: [1, 2]\nx:\n  $ref: '{ref}'\n", other="{}")

    assert f"root.yaml:3:3: '{ref}' {reason}" in messages(bundled)


def test_a_broken_file_is_told_too(bundle):
    bundled = bundle(root="x: {$ref: 'other.yaml'}", other="{a: 1, a: 2}")

    assert messages(bundled) == ["other.yaml:1:8: the key 'a' stands in line 1, too; keep one"]


def test_a_file_that_is_no_yaml_is_told_with_who_asks_for_it(bundle):
    bundled = bundle(root="x: {$ref: 'other.yaml'}", other="{a: [}")

    broken, asking = messages(bundled)
    assert broken.startswith("other.yaml:1:6: is not YAML: ")
    assert asking == "root.yaml:1:5: 'other.yaml' cannot be followed"


def test_only_schemas_may_go_round_in_circles(bundle):
    bundled = bundle(root="x: {$ref: 'a.yaml'}", a="{next: {$ref: 'b.yaml'}}", b="{next: {$ref: 'a.yaml'}}")

    assert messages(bundled) == ["b.yaml:1:2: 'a.yaml' leads back to itself; only schemas may do that"]


def test_a_reference_back_to_the_root_is_written_as_a_uri(bundle):
    """A fragment holds no braces and no bare percent sign (RFC 3986 section 3.5)."""
    bundled = bundle(
        root="""
            paths: {'/pets/{id}': {a%b: 1}}
            x: {$ref: 'other.yaml'}
            """,
        other="{y: {$ref: 'root.yaml#/paths/~1pets~1%7Bid%7D/a%25b'}}",
    )

    assert bundled.data["x"] == {"y": {"$ref": "#/paths/~1pets~1%7Bid%7D/a%25b"}}
    assert lookup(bundled.data, parse_pointer("/paths/~1pets~1%7Bid%7D/a%25b")) == 1


@pytest.mark.parametrize("components", ["", "{}", "{schemas: }", "[1]", "{schemas: text}"])
def test_components_may_be_anything(bundle, components):
    """Empty is null in YAML; what else is wrong with them, the structure's check will tell."""
    bundled = bundle(root=f"schema: {{$ref: 'other.yaml#/Pet'}}\ncomponents: {components}\n", other="Pet: {}")

    assert bundled.data["schema"] == {"$ref": "#/components/schemas/Pet"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_pointer_is_read_back(tokens):
    """RFC 6901: `~` and `/` are escaped, an empty token is one."""
    pointer = "".join(f"/{escape(token)}" for token in tokens).replace("%", "%25")

    assert parse_pointer(pointer) == tuple(tokens)


def test_a_pointer_that_leads_nowhere_is_missing():
    with pytest.raises(PointerNotFound):
        lookup({"a": "text"}, ("a", "0"))


def test_finds_references_and_passes_over_data():
    """A property may be called `$ref`, and an example may hold one."""
    value = {
        "schema": {"$ref": "#/a"},
        "example": {"$ref": "#/data"},
        "properties": {"$ref": {"type": "string"}},
        "allOf": [{"$ref": "#/b"}],
    }

    assert list(references(value)) == [(("schema",), "#/a"), (("allOf", "0"), "#/b")]
