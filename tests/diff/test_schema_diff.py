"""Checks with generated values that changes classified as harmless are harmless: `relay.diff`."""

import copy
from typing import Any

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from relay.contract.diagnostics import Severity
from relay.contract.schema_words import COMBINING, inner_schemas
from relay.diff import compare
from relay.validation.schemas import SchemaCompiler
from support import modern_schemas, schemas
from support.compiled import POINTER, read
from support.hosting import ref, with_json_body

pytestmark = pytest.mark.slow

STRUCTURE = {"type", "$ref", "items", "properties"}


def places_in(schema: Any) -> list[tuple[Any, Any]]:
    """Return the positions of nested schemas: container and key."""
    found = []
    for (word, *key), inner in inner_schemas(schema):
        if isinstance(inner, dict):
            container, at = (schema, word) if not key else (schema[word], key[0])
            found += [(container, int(at) if isinstance(container, list) else at), *places_in(inner)]
    return found


@st.composite
def edited(draw, schema: dict[str, Any]) -> dict[str, Any]:
    """Draw a slightly changed schema: a part replaced, wrapped or unwrapped, a keyword removed or added."""
    whole = {"items": copy.deepcopy(schema)}
    for _ in range(draw(st.integers(1, 2))):
        container, key = draw(st.sampled_from(places_in(whole)))
        part = container[key]
        match draw(st.sampled_from(["lose", "take", "take", "replace", "wrap", "unwrap"])):
            case "replace":
                container[key] = draw(schemas.SCHEMAS)
            case "lose" if words := sorted(part.keys() - STRUCTURE):
                del part[draw(st.sampled_from(words))]
            case "take" if "$ref" not in part:
                taken = draw(schemas.SCHEMAS)
                part.update({word: taken[word] for word in taken if word not in STRUCTURE})
            case "wrap":
                others = draw(st.lists(schemas.SCHEMAS, max_size=2))
                container[key] = {draw(st.sampled_from(COMBINING)): [part, *others]}
            case "unwrap":
                inner = next((part[kind] for kind in COMBINING if kind in part), None)
                container[key] = inner[0] if inner else part
    return whole["items"]


@st.composite
def of_3_0(draw) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw the schemas of an old and a new contract of 3.0."""
    old = {"Body": draw(schemas.SCHEMAS), **draw(schemas.COMPONENTS)}
    name = draw(st.sampled_from(["Body", "Body", "Body", "A", "B"]))
    new = {**old, name: draw(edited(old[name]))}
    assume(old != new and schemas.is_meaningful(new))
    return (old, new) if draw(st.booleans()) else (new, old)


@st.composite
def of_3_1(draw) -> tuple[Any, Any]:
    """Draw the schemas of an old and a new contract of 3.1, of which one has some keywords of the other."""
    old, new = draw(modern_schemas.SCHEMAS), draw(modern_schemas.SCHEMAS)
    if isinstance(old, dict) and isinstance(new, dict):
        taken = draw(st.sets(st.sampled_from(sorted(new)))) if new else set()
        new = {**old, **{key: new[key] for key in taken}}
        for key in draw(st.sets(st.sampled_from(sorted(old)), max_size=1)) if old else ():
            new = {name: one for name, one in new.items() if name != key}
    named = draw(modern_schemas.components())
    old, new = ({"Body": body, **named} for body in (old, new))
    return (old, new) if draw(st.booleans()) else (new, old)


# A value already sent under an unknown name is validated from now on. This is not classified as breaking,
# because otherwise no property could be added to a request.
NEW_NAMES = "request-property-added"


@pytest.mark.parametrize("direction", ["request", "response"])
@pytest.mark.parametrize(("version", "pairs"), [("3.0.3", of_3_0()), ("3.1.1", of_3_1())])
@settings(max_examples=60)
@given(data=st.data(), values=st.lists(schemas.VALUES | modern_schemas.VALUES, min_size=8, max_size=20))
def test_harmless_changes_are_harmless(direction, version, pairs, data, values):
    """Every request accepted before is accepted now; every response valid now was valid before."""
    pair = data.draw(pairs)
    old, new = (read({**with_json_body(direction, ref("Body"), named), "openapi": version}) for named in pair)
    changes = compare(old, new)
    assume(all(change.severity is Severity.INFO and change.rule != NEW_NAMES for change in changes))
    before, after = (SchemaCompiler(side).compile(ref("Body"), direction, POINTER) for side in (old, new))
    assume(before is not None and after is not None)
    producer, consumer = (before, after) if direction == "request" else (after, before)

    for value in values:
        note(f"{value!r}")
        assert consumer.accepts(value) or not producer.accepts(value)
