"""Class names of components: `scripts/relay/codegen/class_names.py`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.codegen.class_names import class_names, with_class_names


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
    target = {"$ref": "#/components/schemas/acme.v1~1Kind/properties/a~1b"}
    schemas = {
        "acme.v1/Kind": {"properties": {"a/b": {"type": "string"}}},
        "Any": {
            "oneOf": [target],
            "discriminator": {
                "propertyName": "x",
                "mapping": {
                    "one": "acme.v1/Kind",
                    "two": "#/components/schemas/acme.v1~1Kind",
                    "three": "Any",
                },
            },
        },
    }

    named, originals = with_class_names(schemas)

    assert originals == {"AcmeV1Kind": "acme.v1/Kind"}
    assert named["Any"] == {
        "oneOf": [{"$ref": "#/components/schemas/AcmeV1Kind/properties/a~1b"}],
        "discriminator": {
            "propertyName": "x",
            "mapping": {
                "one": "AcmeV1Kind",
                "two": "#/components/schemas/AcmeV1Kind",
                "three": "Any",
            },
        },
    }


@given(st.lists(st.text(st.sampled_from("aAB1_.-/<é"), max_size=5), unique=True))
def test_class_names_are_distinct(names):
    found = class_names(names)

    assert found.keys() == set(names)
    assert len({*found.values()}) == len(names)
