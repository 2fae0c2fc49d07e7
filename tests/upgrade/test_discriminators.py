"""Discriminators of OpenAPI 3.0, which later versions do not ask: `scripts/relay/upgrade/from_3_0.py`."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.validation.schemas import SchemaCompiler
from support.compiled import POINTER, read
from support.hosting import contract
from support.upgrading import findings_of, upgraded

DISCRIMINATOR = {"propertyName": "kind"}
MESSAGE = "`discriminator` decided which schema of `{}` applies, and now only the schemas do; write `const`, or an `enum` of one member, for `kind` into each"


def pet(*kinds, **words):
    kind = {"type": "string", "enum": [*kinds]} if kinds else {"type": "string"}
    return {"type": "object", "required": ["kind"], "properties": {"kind": kind}, **words}


HIDDEN = {"properties": {"kind": {"enum": ["Cat"], "readOnly": True}}}
"""A request may have any kind."""


def document_of(schemas, word="oneOf", **discriminator):
    choice = {
        word: [{"$ref": f"#/components/schemas/{name}"} for name in schemas],
        "discriminator": {**DISCRIMINATOR, **discriminator},
    }
    return contract({}, components={"schemas": {"Pet": choice, **schemas}})


def rules_of(folder, document):
    return [one.split()[0] for one in findings_of(folder, {"c.json": json.dumps(document)})]


@pytest.mark.parametrize("word", ["oneOf", "anyOf"])
def test_reports_a_discriminator_that_decided(tmp_path, word):
    """3.1 must not ask it (OpenAPI 3.1.1, "Discriminator Object"), so that other values are valid."""
    text = f"""\
openapi: 3.0.3
info: {{title: T, version: '1'}}
paths: {{}}
components:
  schemas:
    Pet:
      {word}:
        - $ref: '#/components/schemas/Cat'
        - $ref: '#/components/schemas/Dog'
      discriminator: {{propertyName: kind}}
    Cat: {{type: object, properties: {{kind: {{type: string}}}}}}
    Dog: {{type: object, properties: {{kind: {{type: string}}}}}}
"""

    assert findings_of(tmp_path, {"c.yaml": text}) == [
        f"discriminator-decides c.yaml:10:7: {MESSAGE.format(word)}"
    ]


@pytest.mark.parametrize(
    ("schemas", "discriminator"),
    [
        ({"Cat": pet("Cat"), "Dog": pet("Dog")}, {}),
        ({"Cat": pet("cat", "Cat"), "Dog": pet("Dog")}, {"mapping": {"cat": "Cat"}}),
        ({"Cat": pet()}, {}),
        ({"Cat": {"type": "string"}, "Dog": pet("Dog")}, {}),
        ({"Cat": {"allOf": [pet(), {"allOf": [pet("Cat")]}]}, "Dog": pet("Dog")}, {}),
    ],
)
def test_reports_nothing_if_the_schemas_decide_alone(tmp_path, schemas, discriminator):
    assert rules_of(tmp_path, document_of(schemas, **discriminator)) == []


@pytest.mark.parametrize(
    ("schemas", "discriminator"),
    [
        ({"Cat": pet(), "Dog": pet("Dog")}, {}),
        ({"Cat": HIDDEN, "Dog": pet("Dog")}, {}),
        ({"Cat": pet("Cat", "Dog"), "Dog": pet("Cat", "Dog")}, {}),
        ({"Cat": pet("Dog"), "Dog": pet("Cat")}, {}),
        ({"Cat": pet("cat"), "Dog": pet("dog")}, {"mapping": {"cat": "Dog"}}),
        ({"Cat": pet("a"), "Dog": pet("a")}, {"mapping": {"a": "./c.json#/components/schemas/Cat"}}),
    ],
)
def test_reports_a_value_that_another_schema_allows(tmp_path, schemas, discriminator):
    """Before, only the schema that it names was asked."""
    assert rules_of(tmp_path, document_of(schemas, **discriminator)) == ["discriminator-decides"]


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        ("{$ref: kinds.yaml#/Dog}", []),
        ("{$ref: kinds.yaml#/Any}", ["discriminator-decides"]),
        ("{$ref: missing.yaml}", ["discriminator-decides"]),
    ],
)
def test_follows_refs_into_other_files(tmp_path, kind, rules):
    """Of what cannot be read, nothing is known."""
    files = {
        "c.yaml": """\
openapi: 3.0.3
info: {title: T, version: '1'}
paths: {}
components: {schemas: {Pet: {$ref: pets/pet.yaml}}}
""",
        "pets/pet.yaml": "{oneOf: [{$ref: cat.yaml}, {$ref: dog.yaml}], discriminator: {propertyName: kind}}\n",
        "pets/cat.yaml": "{type: object, properties: {kind: {enum: [cat]}}}\n",
        "pets/dog.yaml": f"{{type: object, properties: {{kind: {kind}}}}}\n",
        "pets/kinds.yaml": "{Dog: {type: string, enum: [dog]}, Any: {type: string}}\n",
    }

    assert [one.split()[0] for one in findings_of(tmp_path, files)] == rules


@pytest.mark.slow
def test_schemas_that_contain_themselves_end(tmp_path):
    schemas = {
        f"S{number}": {"allOf": [{"$ref": f"#/components/schemas/S{number + 1}"}]} for number in range(150)
    }
    schemas["S150"] = {"allOf": [{"$ref": "#/components/schemas/S0"}, pet("S0")]}

    assert rules_of(tmp_path, document_of({**schemas, "Other": pet("Other")})) == ["discriminator-decides"]


KINDS = st.sampled_from(["Cat", "Dog", "x"])
PETS = st.builds(
    lambda kinds, names, words: pet(*kinds, **({"required": names} | words)),
    st.lists(KINDS, max_size=2, unique=True),
    st.lists(st.sampled_from(["kind", "a"]), max_size=2, unique=True),
    st.sampled_from([{}, {}, {"type": "string"}, {"maxProperties": 1}]),
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries({"Cat": PETS, "Dog": PETS}),
    st.sampled_from(["oneOf", "anyOf"]),
    st.dictionaries(KINDS, st.sampled_from(["Cat", "#/components/schemas/Dog", "Bird"]), max_size=2),
)
def test_other_values_are_valid_only_if_it_is_reported(schemas, word, mapping):
    """Every text for the property, with and without another field, in both directions."""
    before = document_of(schemas, word, **({"mapping": mapping} if mapping else {}))
    after = upgraded(before)
    old, new = (SchemaCompiler(read(document)) for document in (before, after))
    values = [
        {**kind, **more}
        for kind in ({}, *({"kind": one} for one in ("Cat", "Dog", "x", "y")))
        for more in ({}, {"a": 1})
    ]

    with TemporaryDirectory() as folder:
        if rules_of(Path(folder).resolve(), before):
            return
    for direction in ("request", "response"):
        one, other = (
            compiler.compile({"$ref": "#/components/schemas/Pet"}, direction, POINTER)
            for compiler in (old, new)
        )
        assert [one.accepts(value) for value in values] == [other.accepts(value) for value in values]
