"""Random schemas of JSON Schema 2020-12 that refer to components A and B."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from("ab")
SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "a", "ab"])
REFS = st.sampled_from(["A", "B"]).map(lambda name: {"$ref": f"#/components/schemas/{name}"})
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
COUNTS = st.integers(0, 3)


def _containers(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(schemas, min_size=1, max_size=2)
    maps = st.dictionaries(NAMES, schemas, max_size=2)
    names = st.lists(NAMES, unique=True, max_size=2)
    whole = dict.fromkeys(
        "not items additionalProperties unevaluatedProperties unevaluatedItems contains propertyNames if then else".split(),
        schemas,
    )
    counts = dict.fromkeys(
        "minItems maxItems minContains maxContains minProperties maxProperties".split(), COUNTS
    )
    words = {
        **whole,
        **counts,
        **dict.fromkeys("allOf anyOf oneOf prefixItems".split(), lists),
        "properties": maps,
        "dependentSchemas": maps,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$", "."]), schemas, max_size=2),
        "dependentRequired": st.dictionaries(NAMES, names, max_size=2),
        "required": names,
        "uniqueItems": st.booleans(),
        "type": TYPES | st.lists(TYPES, min_size=1, unique=True),
        "examples": st.lists(SCALARS, max_size=2),
        "readOnly": st.booleans(),
        "writeOnly": st.booleans(),
    }
    return st.lists(st.sampled_from([*words]), min_size=1, max_size=4, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({word: words[word] for word in chosen})
    )


LEAVES = st.one_of(
    st.booleans(),
    REFS,
    st.builds(dict, const=SCALARS),
    st.builds(dict, enum=st.lists(SCALARS, min_size=1, max_size=2)),
    st.fixed_dictionaries(
        {"type": TYPES | st.lists(TYPES, min_size=1, unique=True)},
        optional={
            "exclusiveMinimum": st.integers(-2, 2),
            "maximum": COUNTS,
            "minLength": COUNTS,
            "contentEncoding": st.just("base64"),
            "contentMediaType": st.just("application/json"),
        },
    ),
)
SCHEMAS = st.recursive(LEAVES, _containers, max_leaves=8)
