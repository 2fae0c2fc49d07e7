"""Random schemas of JSON Schema 2020-12 that refer to each other, and values for them."""

from typing import Any

from hypothesis import strategies as st

NAMES = ("A", "B", "C")
PROPERTIES = st.sampled_from(["a", "b", "kind", "x/y"])
SCALARS = st.sampled_from([None, True, False, -6, 0, 1, 3, 0.5, 2.0, "", "a", "abcd", "é"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PROPERTIES, inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
REFS = st.sampled_from([*(f"#/components/schemas/{name}" for name in NAMES), "#anchored"])


def _some(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas with some of several keywords."""
    return st.fixed_dictionaries({}, optional=fields)


_LEAVES = st.booleans() | st.one_of(
    _some(type=TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True), const=SCALARS),
    _some(enum=st.lists(SCALARS, min_size=1, max_size=3, unique_by=repr), const=SCALARS, type=TYPES),
    _some(
        minimum=st.integers(-5, 5),
        maximum=st.integers(-5, 5),
        exclusiveMinimum=st.integers(-5, 5),
        exclusiveMaximum=st.integers(-5, 5),
        multipleOf=st.just(2),
    ),
    _some(
        minLength=st.integers(0, 3),
        maxLength=st.integers(0, 3),
        pattern=st.sampled_from(["^a", "d$", "^\\w*$"]),
    ),
    _some(type=TYPES, nullable=st.booleans(), description=st.just("what it is")),
)
_PATTERNS = st.sampled_from(["^a", "b$", "/"])


def _compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=1, max_size=3)
    named = st.dictionaries(PROPERTIES, inner, max_size=2)
    names = st.lists(PROPERTIES, max_size=2, unique=True)
    objects = _some(
        properties=named,
        patternProperties=st.dictionaries(_PATTERNS, inner, max_size=2),
        additionalProperties=inner,
        unevaluatedProperties=inner,
        propertyNames=inner,
        required=names,
        dependentRequired=st.dictionaries(PROPERTIES, names, max_size=2),
        dependentSchemas=named,
        maxProperties=st.integers(0, 3),
    )
    arrays = _some(
        prefixItems=several,
        items=inner,
        contains=inner,
        minContains=st.integers(0, 2),
        maxContains=st.integers(0, 2),
        unevaluatedItems=inner,
        uniqueItems=st.booleans(),
        minItems=st.integers(0, 2),
    )
    choices = _some(
        allOf=several,
        anyOf=several,
        oneOf=several,
        **{"not": inner, "if": inner, "then": inner, "else": inner, "$ref": REFS},
        type=TYPES,
        unevaluatedProperties=inner,
        unevaluatedItems=inner,
        properties=named,
    )
    return objects | arrays | choices


SCHEMAS = st.recursive(_LEAVES, _compound, max_leaves=8)


@st.composite
def components(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the components of a contract; no schema refers to itself for the same value, and one has an anchor."""
    return {
        "A": {"$anchor": "anchored", "properties": {"a": draw(SCHEMAS)}},
        "B": {"prefixItems": [draw(SCHEMAS)], "type": draw(TYPES)},
        "C": {"additionalProperties": draw(SCHEMAS), "$comment": "any object"},
    }
