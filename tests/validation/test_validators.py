"""Schemas compiled together: `relay.validation.validators`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.validation import schemas as compiling
from relay.validation.schemas import SchemaCompiler
from support.compiled import POINTER, around
from support.hosting import ref
from support.schemas import COMPONENTS, SCHEMAS, VALUES


def an_object(**properties):
    return {"type": "object", "properties": properties}


@pytest.mark.slow
@given(
    components=COMPONENTS,
    schemas=st.lists(SCHEMAS, min_size=1, max_size=6),
    values=st.lists(VALUES, min_size=1, max_size=4),
    direction=st.sampled_from(["request", "response"]),
    data=st.data(),
)
def test_a_verdict_does_not_depend_on_what_is_compiled_with_it(components, schemas, values, direction, data):
    together = SchemaCompiler(around(components))
    validators = []
    for schema in schemas:
        validators.append((schema, together.compile(schema, direction, POINTER)))
        if data.draw(st.booleans()):
            validators[-1][1].accepts(values[0])

    for schema, validator in validators:
        alone = SchemaCompiler(around(components)).compile(schema, direction, POINTER)
        assert [validator.accepts(value) for value in values] == [alone.accepts(value) for value in values]


def test_what_many_schemas_refer_to_is_compiled_twice_at_most(monkeypatch):
    """Once for the verdicts of all, though each reaches all others and is used at once; and once to explain.

    Most commands never explain a rejected value.
    """
    names = [f"S{number}" for number in range(40)]
    properties = {name: ref(name) for name in names}
    compiled = []
    monkeypatch.setattr(
        compiling,
        "_compiled",
        lambda document, delegate, real=compiling._compiled, **options: (
            compiled.extend(document.get("definitions", {}).values()) or real(document, delegate, **options)
        ),
    )
    compiler = SchemaCompiler(around({name: {"type": "object", "properties": properties} for name in names}))

    def count():
        return sum("properties" in definition for definition in compiled)

    validators = {}
    for name in names:
        validators[name] = compiler.compile({"type": "array", "items": ref(name)}, "response", POINTER)
        assert validators[name].accepts([{name: {name: {}}}])
        assert not validators[name].accepts([{name: {name: 1}}])
    assert count() == len(names)
    for name, validator in validators.items():
        assert validator.violations([{name: {name: 1}}])
    assert count() == 2 * len(names)


def test_schemas_that_nothing_uses_any_more_are_forgotten():
    """Thousands are compiled to find the values of mock responses, which is done at start."""
    compiler = SchemaCompiler(around({"A": {"type": "object"}}))
    kept = compiler.compile({"type": "array", "items": ref("A")}, "response", POINTER)

    for number in range(1000):
        schema = {"type": "array", "items": ref("A"), "maxItems": number}
        assert compiler.compile(schema, "response", POINTER).accepts([])

    assert len(compiler._validators) < 300
    assert compiler.compile({"type": "array", "items": ref("A")}, "response", POINTER) is kept


def test_an_error_in_a_schema_is_found_by_all_that_reach_it():
    """Whichever is compiled first, and though they reach one another."""
    components = {
        "A": {"allOf": [ref("B")]},
        "B": an_object(a=ref("A"), c=ref("C")),
        "C": an_object(d=ref("D")),
    }
    compiler = SchemaCompiler(around({**components, "D": {"oneOf": []}, "E": ref("A")}))

    found = [compiler.compile(ref(name), "request", POINTER) for name in "CABED"]

    assert found == [None] * 5
    assert len(set(compiler.problems)) == 1


def test_a_schema_that_cannot_be_compiled_costs_the_others_nothing():
    compiler = SchemaCompiler(
        around({"Bad": {"type": "integer", "oneOf": []}, "Good": {"type": "string", "maxLength": 1}})
    )

    good = compiler.compile({"type": "array", "items": ref("Good")}, "response", POINTER)
    bad = compiler.compile({"type": "array", "items": ref("Bad")}, "response", POINTER)

    assert bad is None
    assert [problem.rule for problem in compiler.problems] == ["schema"]
    assert good.accepts(["a"])
    assert not good.accepts(["ab"])
