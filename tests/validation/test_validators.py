"""Schemas compiled together: `relay.validation.validators`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.validation.schemas import SchemaCompiler
from support.compiled import POINTER, around
from support.schemas import COMPONENTS, SCHEMAS, VALUES


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


@given(
    components=COMPONENTS,
    schemas=st.lists(SCHEMAS, min_size=1, max_size=6),
    values=st.lists(VALUES, min_size=1, max_size=4),
    direction=st.sampled_from(["request", "response"]),
    data=st.data(),
)
def test_a_verdict_does_not_depend_on_what_is_compiled_with_it(components, schemas, values, direction, data):
    """Whenever a schema is added, before or after another one was used."""
    together = SchemaCompiler(around(components))
    validators = []
    for schema in schemas:
        validators.append((schema, together.compile(schema, direction, POINTER)))
        if data.draw(st.booleans()):
            validators[-1][1].accepts(values[0])

    for schema, validator in validators:
        alone = SchemaCompiler(around(components)).compile(schema, direction, POINTER)
        assert [validator.accepts(value) for value in values] == [alone.accepts(value) for value in values]


def test_few_validators_of_the_library_are_kept():
    """Though every schema refers to all others, and each is used as soon as it is there."""
    names = [f"S{number}" for number in range(40)]
    properties = {name: ref(name) for name in names}
    compiler = SchemaCompiler(around({name: {"type": "object", "properties": properties} for name in names}))

    for name in names:
        validator = compiler.compile({"type": "array", "items": ref(name)}, "response", POINTER)
        assert validator.accepts([])
    held = {
        id(cell.cell_contents)
        for validator in compiler._validators.values()
        for cell in validator.accepts.__closure__
        if callable(cell.cell_contents)
    }

    assert len(held) <= 3


def test_a_schema_that_cannot_be_compiled_costs_the_others_nothing():
    """Only those that refer to it."""
    compiler = SchemaCompiler(
        around(
            {
                "Bad": {"type": "string", "pattern": "^.{0,262144}$"},
                "Good": {"type": "string", "maxLength": 1},
            }
        )
    )

    good = compiler.compile({"type": "array", "items": ref("Good")}, "response", POINTER)
    bad = compiler.compile({"type": "array", "items": ref("Bad")}, "response", POINTER)

    assert bad is None
    assert [problem.rule for problem in compiler.problems] == ["schema"]
    assert good.accepts(["a"])
    assert not good.accepts(["ab"])
