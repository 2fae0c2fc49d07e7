"""Bundling several files into one document: `relay.contract.bundling`."""

import textwrap

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.bundling import Bundle
from relay.contract.documents import read_document
from relay.contract.pointers import escape, lookup, parse_pointer, references


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Bundle `root.yaml`; files are given as text, by name without `.yaml`."""
    monkeypatch.chdir(tmp_path)

    def bundle(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").parent.mkdir(exist_ok=True)
            (tmp_path / f"{name}.yaml").write_text(textwrap.dedent(text), "utf-8")
        return Bundle(read_document(tmp_path / "root.yaml"))

    return bundle


def messages(bundled):
    return [str(problem) for problem in bundled.problems]


DATA_ONLY = "schema: {example: {$ref: x}, default: {$ref: x}, enum: [{$ref: x}], x-own: {$ref: x}}"
NAMES = "{$ref: {$ref: '%s'}, example: {$ref: '%s'}, default: {$ref: '%s'}, properties: {$ref: '%s'}, x-own: {$ref: '%s'}}"
DISCRIMINATOR = "{schema: {properties: {discriminator: {properties: {mapping: {$ref: '#/b'}}}}}, b: {}}"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"root": "{a: {$ref: '#/b'}, b: [1, {c: null}]}"}, "{a: {$ref: '#/b'}, b: [1, {c: null}]}"),
        (
            {
                "root": "{schema: {$ref: 'o.yaml#/Tree'}}",
                "o": "{Tree: {type: array, items: {$ref: '#/Tree'}}}",
            },
            """
            schema: {$ref: '#/components/schemas/Tree'}
            components: {schemas: {Tree: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}
            """,
        ),
        (
            {
                "root": """
                    components: {schemas: {Pet: {type: string}}}
                    a: {schema: {$ref: 'a.yaml#/Pet'}}
                    b: {schema: {$ref: 'b.yaml#/Pet'}}
                    c: {schema: {$ref: '#/components/schemas/Pet'}}
                    """,
                "a": "Pet: {type: integer}",
                "b": "Pet: {type: boolean}",
            },
            """
            components: {schemas: {Pet: {type: string}, Pet_2: {type: integer}, Pet_3: {type: boolean}}}
            a: {schema: {$ref: '#/components/schemas/Pet_2'}}
            b: {schema: {$ref: '#/components/schemas/Pet_3'}}
            c: {schema: {$ref: '#/components/schemas/Pet'}}
            """,
        ),
        (
            {"root": "schema: {$ref: 'house pet.yaml'}", "house pet": "{type: integer}"},
            "{schema: {$ref: '#/components/schemas/house_pet'}, components: {schemas: {house_pet: {type: integer}}}}",
        ),
        (
            {
                "root": "{paths: {/pets: {$ref: 'pets.yaml#/item'}}, components: {schemas: {Id: {type: integer}}}}",
                "pets": "item: {parameters: [{$ref: 'shared.yaml#/limit'}]}",
                "shared": "limit: {name: limit, in: query, schema: {$ref: 'root.yaml#/components/schemas/Id'}}",
            },
            """
            paths: {/pets: {parameters: [{name: limit, in: query, schema: {$ref: '#/components/schemas/Id'}}]}}
            components: {schemas: {Id: {type: integer}}}
            """,
        ),
        (
            {
                "root": "x: {$ref: 'deep/a.yaml#/a'}",
                "deep/a": "{a: {$ref: 'b.yaml#/b'}}",
                "deep/b": "{b: {$ref: '../c.yaml'}}",
                "c": "[1]",
            },
            "x: [1]",
        ),
        (  # a URI fragment contains no braces and no unescaped percent sign (RFC 3986, section 3.5)
            {
                "root": "{paths: {'/pets/{id}': {a%b: 1}}, x: {$ref: 'o.yaml'}}",
                "o": "{y: {$ref: 'root.yaml#/paths/~1pets~1%7Bid%7D/a%25b'}}",
            },
            "{paths: {'/pets/{id}': {a%b: 1}}, x: {y: {$ref: '#/paths/~1pets~1%7Bid%7D/a%25b'}}}",
        ),
        ({"root": DATA_ONLY}, DATA_ONLY),
        (
            {"root": f"schema: {{properties: {NAMES % (('o.yaml#/W',) * 5)}}}", "o": "W: {type: string}"},
            f"""
            schema: {{properties: {NAMES % (("#/components/schemas/W",) * 5)}}}
            components: {{schemas: {{W: {{type: string}}}}}}
            """,
        ),
        ({"root": DISCRIMINATOR}, DISCRIMINATOR),
    ],
    ids=[
        "a single document is unchanged",
        "a schema in another file becomes a component: it may be recursive",
        "schemas with the same name in different files get different names",
        "a whole file may be a schema",
        "an object that is not a schema replaces its reference",
        "references are relative to the referring file",
        "a reference back to the root is written as a URI",
        "data is not searched for references",
        "a property name may equal a keyword",
        "a property called discriminator is a schema",
    ],
)  # fmt: skip
def test_files_become_one_document(bundle, files, expected):
    """In which every reference is local."""
    bundled = bundle(**files)

    assert bundled.data == yaml.safe_load(expected)
    assert messages(bundled) == []
    assert len(bundled.documents) == len(files)
    for _, ref in references(bundled.data):
        lookup(bundled.data, parse_pointer(ref[1:]))


def test_the_location_of_a_value_is_in_its_own_file(bundle):
    """The author edits that file."""
    bundled = bundle(
        root="paths:\n  /pets:\n    $ref: 'pets.yaml#/item'\n",
        pets="item:\n  get:\n    schema:\n      $ref: '#/Pet'\nPet:\n  type: object\n",
    )

    assert str(bundled.place(("paths", "/pets"))) == "pets.yaml:1:1"
    assert str(bundled.place(("paths", "/pets", "get", "schema"))) == "pets.yaml:3:5"
    assert str(bundled.place(("components", "schemas", "Pet", "type"))) == "pets.yaml:6:3"


ABSENT = "#/nowhere #nowhere #/list/2 #/list/-1 #/list/01 #/list/0/x #//list other.yaml#/nowhere".split()
REMOTE = "https://example.com/a.yaml //example.com/a.yaml file:///etc/hostname".split()
REASONS = {
    **dict.fromkeys(ABSENT, "does not exist; define it or correct the $ref"),
    **dict.fromkeys(REMOTE, "is a remote reference and is not fetched; copy the file next to the contract"),
    "gone.yaml": "cannot be resolved",
}


@pytest.mark.parametrize(("ref", "reason"), REASONS.items())
def test_reports_a_reference_that_cannot_be_resolved(bundle, ref, reason):
    bundled = bundle(root=f"list: [1, 2]\nx:\n  $ref: '{ref}'\n", other="{}")
    assert f"root.yaml:3:3: '{ref}' {reason}" in messages(bundled)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"root": "x: {$ref: 'a.yaml'}", "a": "{a: 1, a: 2}"}, "a.yaml:1:8: duplicate key, first in line 1; keep one"),
        (
            {"root": "x: {$ref: 'a.yaml'}", "a": "{next: {$ref: 'b.yaml'}}", "b": "{next: {$ref: 'a.yaml'}}"},
            "b.yaml:1:2: the $ref is a circular reference; only schemas may be recursive",
        ),
    ],
)  # fmt: skip
def test_reports_an_error_of_a_referenced_file_at_its_place(bundle, files, message):
    assert messages(bundle(**files)) == [message]


def test_reports_a_referenced_file_that_is_not_yaml_and_the_reference(bundle):
    bundled = bundle(root="x: {$ref: 'other.yaml'}", other="{a: [}")
    broken, reference = messages(bundled)
    assert broken.startswith("other.yaml:1:6: is not YAML: ")
    assert reference == "root.yaml:1:5: 'other.yaml' cannot be resolved"


@pytest.mark.parametrize("components", ["", "{}", "{schemas: }", "[1]", "{schemas: text}"])
def test_bundles_a_document_with_invalid_components(bundle, components):
    """Empty is null in YAML; the structure check reports the other errors."""
    bundled = bundle(root=f"schema: {{$ref: 'other.yaml#/Pet'}}\ncomponents: {components}\n", other="Pet: {}")
    assert bundled.data["schema"] == {"$ref": "#/components/schemas/Pet"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_an_escaped_pointer_parses_to_its_tokens(tokens):
    """RFC 6901: `~` and `/` are escaped, and a token may be empty."""
    pointer = "".join(f"/{escape(token)}" for token in tokens).replace("%", "%25")
    assert parse_pointer(pointer) == tuple(tokens)


def mapping_of(bundled, name="A"):
    return bundled.data["components"]["schemas"][name]["discriminator"]["mapping"]


def test_the_mapping_of_a_discriminator_is_bundled(bundle):
    """In `/openapi.json` a file name led nowhere."""
    bundled = bundle(
        root="""
            components:
              schemas:
                A:
                  oneOf: [{$ref: other.yaml}]
                  discriminator:
                    propertyName: kind
                    mapping:
                      whole: other.yaml
                      part: ./other.yaml#/components/schemas/Part
                      only mapped: other.yaml#/components/schemas/B
                      name: B
                      local: '#/components/schemas/B'
                      gone: gone.yaml
                      outside: ../other.yaml
                      remote: https://example.com/a.yaml
                      empty: ''
                B: {type: string}
        """,
        other="{type: object, components: {schemas: {Part: {type: integer}, B: {type: number}}}}",
    )

    assert messages(bundled) == []
    assert mapping_of(bundled) == {
        "whole": "#/components/schemas/other",
        "part": "#/components/schemas/Part",
        "only mapped": "#/components/schemas/B_2",
        "name": "B",
        "local": "#/components/schemas/B",
        "gone": "gone.yaml",
        "outside": "../other.yaml",
        "remote": "https://example.com/a.yaml",
        "empty": "",
    }
    assert bundled.data["components"]["schemas"]["B_2"] == {"type": "number"}


def test_a_name_in_the_mapping_of_another_file_is_a_component_of_that_file_first(bundle):
    """Its author sees that file; a name that only the root document has is one of that."""
    bundled = bundle(
        root="""
            components: {schemas: {A: {$ref: 'other.yaml#/components/schemas/Base'}, Dog: {type: string}, Cat: {}}}
        """,
        other="""
            components:
              schemas:
                Base: {type: object, discriminator: {propertyName: kind, mapping: {dog: Dog, cat: Cat, cow: Cow}}}
                Dog: {type: object}
        """,
    )

    assert mapping_of(bundled, "Base") == {"dog": "#/components/schemas/Dog_2", "cat": "Cat", "cow": "Cow"}
    assert bundled.data["components"]["schemas"]["Dog_2"] == {"type": "object"}


def test_a_reference_to_what_is_next_to_a_reference_gets_a_component(bundle):
    """The bundle leaves out what is next to a `$ref`; following such a reference ended with a traceback."""
    bundled = bundle(
        root="""
            a: {schema: {$ref: '#/components/schemas/A', allOf: [{type: integer}]}}
            b: {schema: {$ref: '#/a/schema/allOf/0'}}
            c: {schema: {$ref: '#/a/schema'}}
            components: {schemas: {A: {type: string}}}
        """
    )

    assert messages(bundled) == []
    assert bundled.data["a"]["schema"] == {"$ref": "#/components/schemas/A"}
    assert bundled.data["b"]["schema"] == {"$ref": "#/components/schemas/0"}
    assert bundled.data["c"]["schema"] == {"$ref": "#/a/schema"}
    assert bundled.data["components"]["schemas"]["0"] == {"type": "integer"}
    assert str(bundled.place(("components", "schemas", "0", "type"))) == "root.yaml:2:55"
