"""Random schemas that refer to each other, and values for them."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

PROPERTIES = st.sampled_from(["a", "b", "kind", "x/y"])
_NAMES = ("A", "B", "C")
REFS = st.sampled_from([{"$ref": f"#/components/schemas/{name}"} for name in _NAMES])
SCALARS = st.sampled_from(
    [None, True, False, -6, 0, 1, 3, 2**64, 10**30, 0.5, 1e300, "", "a", "abcd", "é", "12:00"]
)


def _optional(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def _merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: one for part in found for key, one in part.items()})


_DISCRIMINATORS = st.sampled_from(
    [
        {"propertyName": "kind"},
        {"propertyName": "kind", "mapping": {"a": "A", "abcd": "#/components/schemas/B", "b": "C"}},
    ]
)
_MARKS = _optional(nullable=st.booleans(), readOnly=st.just(True), writeOnly=st.just(True))
_LEAVES = _merged(
    st.sampled_from([{}, *({"type": name} for name in ("integer", "number", "string", "boolean"))]),
    st.one_of(
        _optional(maximum=st.integers(-5, 5), multipleOf=st.just(2)),
        st.builds(dict, minimum=st.integers(-5, 5), exclusiveMinimum=st.booleans()),
        _optional(
            maxLength=st.integers(0, 3), pattern=st.sampled_from(["^a", "d$", r"\w-[", "^.{0,262144}$"])
        ),
        _optional(format=st.sampled_from(["byte", "uuid", "date", "time", "int32", "password"])),
        _optional(
            enum=st.lists(SCALARS.filter(lambda one: not isinstance(one, int)), min_size=1, max_size=3)
        ),
    ),
    _MARKS,
)


def containers(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return schemas that contain others."""
    fields = st.dictionaries(PROPERTIES, inner, max_size=3)
    tagged = st.tuples(st.sampled_from(["a", "abcd", "b"]), fields, st.booleans()).map(_tagged)
    alternatives = st.lists(inner | tagged, min_size=1, max_size=3)
    objects = _merged(
        st.just({"type": "object"}) | st.just({}),
        st.builds(dict, properties=fields),
        _optional(
            required=st.lists(PROPERTIES, min_size=1, max_size=2, unique=True),
            additionalProperties=st.booleans() | inner,
            minProperties=st.integers(0, 2),
            maxProperties=st.integers(0, 2),
        ),
        _MARKS,
    )
    arrays = _merged(
        st.builds(dict, type=st.just("array"), items=inner),
        _optional(minItems=st.integers(0, 2), maxItems=st.integers(0, 2), uniqueItems=st.booleans()),
        _MARKS,
    )
    choices = _merged(
        st.one_of(
            st.builds(dict, anyOf=alternatives),
            st.builds(dict, oneOf=alternatives),
            st.builds(dict, oneOf=alternatives, discriminator=_DISCRIMINATORS),
            st.builds(dict, anyOf=alternatives, discriminator=_DISCRIMINATORS),
            st.builds(dict, allOf=st.lists(inner, min_size=1, max_size=2)),
            inner.map(lambda one: {"not": one}),
        ),
        _MARKS,
    )
    return objects | arrays | choices | tagged


def _tagged(parts: tuple[str, dict[str, Any], bool]) -> dict[str, Any]:
    tag, fields, is_required = parts
    schema = {"type": "object", "properties": {**fields, "kind": {"type": "string", "enum": [tag]}}}
    return {**schema, "required": ["kind"]} if is_required else schema


SCHEMAS = st.recursive(_LEAVES | REFS, containers, max_leaves=8)
"""Schema Objects that may refer to the components of COMPONENTS."""


def is_meaningful(components: dict[str, Any]) -> bool:
    """Return True if no schema applies itself to the same value."""
    reached = {name: _applied(schema) for name, schema in components.items()}
    for _ in components:
        reached = {name: refs.union(*(reached[ref] for ref in refs)) for name, refs in reached.items()}
    return all(name not in refs for name, refs in reached.items())


def _applied(schema: dict[str, Any]) -> set[str]:
    """Return the components that a schema applies to its own value."""
    if "$ref" in schema:
        return {schema["$ref"].rpartition("/")[2]}
    parts = [part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, [])]
    parts += [schema["not"]] if "not" in schema else []
    return set().union(*map(_applied, parts))


COMPONENTS = st.fixed_dictionaries(dict.fromkeys(_NAMES, SCHEMAS)).filter(is_meaningful)
"""Component schemas, which are often recursive."""

CANARY = "sk_canary"
"""A value that no schema contains."""

VALUES = st.recursive(
    SCALARS | st.just(CANARY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PROPERTIES, inner, max_size=3),
    max_leaves=12,
)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def json_values(texts: st.SearchStrategy[str], numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return values of JSON with these texts, which are also names of members, and numbers."""
    return st.recursive(
        st.none() | st.booleans() | numbers | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=10,
    )


def pointers(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield each value within a value of JSON, and that itself, with the keys that lead to it."""
    yield at, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from pointers(item, (*at, key))
