"""Checks with generated values that changes classified as harmless are harmless: `relay.diff`."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from relay.contract.diagnostics import Severity
from relay.diff import compare
from relay.validation.schemas import SchemaCompiler
from support.compiled import POINTER, read
from support.hosting import ref, with_json_body

NAMES = st.sampled_from("abc")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-4, 4)
    | st.sampled_from([0.5, 2.5, "", "a", "ab", "abc", "1", 2**40])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
NOTED = {"nullable": st.just(True), "readOnly": st.just(True), "writeOnly": st.just(True)}
SCHEMAS = st.deferred(
    lambda: (
        st.fixed_dictionaries(
            {}, optional={"enum": st.lists(SCALARS, min_size=1, max_size=4, unique_by=repr)}
        )
        | st.sampled_from([{"$ref": "#/components/schemas/Tree"}, {"$ref": "#/components/schemas/Leaf"}])
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["integer", "number"])},
            optional={
                **NOTED,
                "minimum": st.integers(-3, 3),
                "maximum": st.integers(-3, 3),
                "exclusiveMinimum": st.booleans(),
                "exclusiveMaximum": st.booleans(),
                "multipleOf": st.sampled_from([1, 2, 4, 0.5]),
                "format": st.sampled_from(["int32", "int64", "float"]),
            },
        )
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["string", "boolean"])},
            optional={
                **NOTED,
                "minLength": st.integers(0, 2),
                "maxLength": st.integers(0, 3),
                "pattern": st.sampled_from(["^a", "b", "^[0-9]$"]),
                "enum": st.lists(st.sampled_from(["a", "ab", "1", True, None]), min_size=1, unique_by=repr),
            },
        )
        | st.fixed_dictionaries(
            {"type": st.just("array"), "items": SCHEMAS},
            optional={
                **NOTED,
                "minItems": st.integers(0, 2),
                "maxItems": st.integers(0, 2),
                "uniqueItems": st.booleans(),
            },
        )
        | st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(NAMES, SCHEMAS, max_size=3)},
            optional={
                **NOTED,
                "required": st.lists(NAMES, min_size=1, unique=True),
                "additionalProperties": st.booleans() | SCHEMAS,
                "minProperties": st.integers(0, 2),
                "maxProperties": st.integers(0, 2),
            },
        )
        | st.fixed_dictionaries({"not": SCHEMAS})
        | st.builds(
            lambda kind, parts, rest: {kind: parts, **rest},
            st.sampled_from(["anyOf", "oneOf", "allOf"]),
            st.lists(SCHEMAS, min_size=1, max_size=3),
            st.fixed_dictionaries({}, optional={"nullable": st.just(True)}),
        )
    )
)


def places_in(schema: Any) -> list[tuple[Any, Any]]:
    """Return the positions of nested schemas: container and key."""
    found = []
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), dict):
            found += [(schema, key), *places_in(schema[key])]
    for key in ("properties", "anyOf", "oneOf", "allOf"):
        container = schema.get(key, {})
        for inner in container if isinstance(container, dict) else range(len(container)):
            found += [(container, inner), *places_in(container[inner])]
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
                container[key] = draw(SCHEMAS)
            case "lose" if part.keys() - {"type", "$ref", "items", "properties"}:
                del part[draw(st.sampled_from(sorted(part.keys() - {"type", "$ref", "items", "properties"})))]
            case "take" if "$ref" not in part:
                part.update(
                    {
                        k: v
                        for k, v in draw(SCHEMAS).items()
                        if k not in ("type", "$ref", "properties", "items")
                    }
                )
            case "wrap":
                others = draw(st.lists(SCHEMAS, max_size=2))
                container[key] = {draw(st.sampled_from(["anyOf", "oneOf", "allOf"])): [part, *others]}
            case "unwrap":
                inner = next((part[kind] for kind in ("anyOf", "oneOf", "allOf") if kind in part), None)
                if inner:
                    container[key] = inner[0]
    return whole["items"]


@st.composite
def pairs(draw) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw the schemas of an old and a new contract."""
    old = {
        "Body": draw(SCHEMAS),
        "Leaf": draw(st.sampled_from([{"type": "string"}, {"type": "integer", "nullable": True}])),
        "Tree": {
            "type": "object",
            "properties": {
                "a": {"$ref": "#/components/schemas/Tree"},
                "b": {"$ref": "#/components/schemas/Leaf"},
            },
        },
    }
    name = draw(st.sampled_from(["Body", "Body", "Body", "Leaf", "Tree"]))
    new = {**old, name: draw(edited(old[name]))}
    assume(old != new and not is_endless(new[name], name))
    return (old, new) if draw(st.booleans()) else (new, old)


def is_endless(schema: dict[str, Any], name: str) -> bool:
    """Return True if a schema is a circular reference, which contracts must not contain."""
    parts = [part for kind in ("anyOf", "oneOf", "allOf") for part in schema.get(kind, [])]
    refs = {schema.get("$ref"), *(part.get("$ref") for part in parts)}
    return f"#/components/schemas/{name}" in refs or any(is_endless(part, name) for part in parts)


# A value already sent under an unknown name is validated from now on. This is not classified as breaking,
# because otherwise no property could be added to a request.
NEW_NAMES = "request-property-added"


@pytest.mark.parametrize("direction", ["request", "response"])
@settings(max_examples=80)
@given(pair=pairs(), values=st.lists(VALUES, min_size=8, max_size=20))
def test_harmless_changes_are_harmless(direction, pair, values):
    """Every request accepted before is accepted now; every response valid now was valid before."""
    old, new = (read(with_json_body(direction, ref("Body"), schemas)) for schemas in pair)
    changes = compare(old, new)
    assume(all(change.severity is Severity.INFO and change.rule != NEW_NAMES for change in changes))
    body = {"$ref": "#/components/schemas/Body"}
    before, after = (SchemaCompiler(side).compile(body, direction, POINTER) for side in (old, new))
    assume(before is not None and after is not None)
    producer, consumer = (before, after) if direction == "request" else (after, before)

    for value in values:
        note(f"{pair} {value!r}")
        assert consumer.accepts(value) or not producer.accepts(value)
