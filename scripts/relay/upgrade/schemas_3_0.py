"""OpenAPI 3.0 → 3.1: Schema Objects become JSON Schema 2020-12 that accepts the same values."""

from relay.contract.schema_words import COMBINING
from relay.importer.text_tree import Map, Seq
from relay.validation.translation import enum_members

from .findings import Findings

_OUTER = frozenset(
    "title description default example examples readOnly writeOnly deprecated externalDocs xml".split()
)
"""Keywords that stay next to the `anyOf` that adds null: they say nothing of one value."""

_COMBINING = frozenset([*COMBINING, "not"])

_UNKNOWN = frozenset(
    "$schema $id $anchor $dynamicRef $dynamicAnchor const if then else prefixItems contains minContains "
    "maxContains patternProperties propertyNames dependentSchemas dependentRequired unevaluatedItems "
    "unevaluatedProperties contentEncoding contentMediaType contentSchema".split()
)
"""Keywords of JSON Schema 2020-12 that 3.0 does not have, so that they had no effect; `$defs` have none at all."""

_BESIDE_REF = frozenset(["$ref", "description", "summary", "$comment"])
"""Keywords that may stay next to a `$ref`, because they have no effect on values."""


def upgrade_schema(schema: Map, findings: Findings) -> None:
    """Rewrite one schema, not those in it."""
    if isinstance(schema.get("$ref"), str):
        for key in [key for key in schema if key not in _BESIDE_REF and not key.startswith("x-")]:
            todo = "write `anyOf` with the $ref and `type: 'null'`" if key == "nullable" else "add it again"
            what = f"`{key}` next to a $ref had no effect in OpenAPI 3.0, so it was removed"
            findings.drop(schema, key, f"{what}; {todo} if you mean it")
        return
    for key in [key for key in schema if key in _UNKNOWN]:
        message = f"OpenAPI 3.0 has no `{key}` in schemas, so it was removed; add it again if you mean it"
        findings.drop(schema, key, message)
    _enum(schema)
    _bound(schema, "exclusiveMinimum", "minimum")
    _bound(schema, "exclusiveMaximum", "maximum")
    _example(schema)
    if schema.get("format") == "byte":
        schema.rename("format", "contentEncoding")
        schema["contentEncoding"] = "base64"
    _nullable(schema, findings)


def _enum(schema: Map) -> None:
    """Write the members of an enum in the type of its schema, in which 3.0 contracts are read."""
    members = schema.get("enum")
    if not isinstance(members, Seq) or not isinstance(schema.get("type", ""), str):
        return
    typed = enum_members(schema)
    if len(typed) == len(members):
        for index, member in enumerate(typed):
            if member is not members[index]:
                members[index] = member
    elif typed is not members:
        schema["enum"] = Seq(typed, is_flow=members.is_flow)


def _bound(schema: Map, exclusive: str, bound: str) -> None:
    """Write an exclusive bound as a number."""
    value = schema.get(exclusive)
    if not isinstance(value, bool):
        return
    schema.drop(exclusive)
    if value and bound in schema:
        schema.rename(bound, exclusive)


def _example(schema: Map) -> None:
    if "example" not in schema or "examples" in schema:
        return
    value = schema["example"]
    schema.rename("example", "examples")
    is_line = not (isinstance(value, Map | Seq) and value and not value.is_flow)
    entry = schema.entries.get("examples")
    if entry is not None and isinstance(value, str):
        is_multi_line = entry.value.start_mark.line != entry.value.end_mark.line
        is_line = schema.is_flow if is_multi_line else is_line
    schema["examples"] = Seq([value], is_flow=is_line)


def _nullable(schema: Map, findings: Findings) -> None:
    """Accept null as before: unless the `enum` excludes it, also for a schema without a type."""
    value = schema.get("nullable")
    if not isinstance(value, bool):
        return
    enum = schema.get("enum")
    is_excluded = isinstance(enum, list) and None not in enum
    if value and is_excluded:
        entry = schema.entries.get("nullable")  # which is `x-nullable` in Swagger 2.0
        name = entry.key.value if entry is not None and entry.key is not None else "nullable"
        what = f"`{name}` had no effect next to an `enum` without null, so it was removed"
        message = f"{what}; add null to the `enum` and the `type` if you mean it"
        findings.report("no-effect", schema, "nullable", message)
    schema.drop("nullable")
    if not value or is_excluded:
        return
    kind = schema.get("type")
    if not _COMBINING.isdisjoint(schema):
        _accept_null(schema)
    elif isinstance(kind, str) and kind != "null":
        schema["type"] = Seq([kind, "null"], is_flow=True)
    elif isinstance(kind, Seq) and "null" not in kind:
        kind.add("null")


def _accept_null(schema: Map) -> None:
    """Add null to a schema that combines others."""
    null = Map({"type": "null"}, is_flow=schema.is_flow)
    inner_keys = [key for key in schema if key not in _OUTER and not key.startswith("x-")]
    if inner_keys == ["anyOf"] and isinstance(schema["anyOf"], Seq):
        schema["anyOf"].add(null)
        return
    inner = schema.gather(inner_keys, "anyOf")
    assert inner is not None  # a schema that combines others has keys
    branches = Seq(is_flow=schema.is_flow)
    parts = inner.get("allOf")
    if list(inner) == ["allOf"] and isinstance(parts, Seq) and len(parts) == 1:
        schema.keep(inner.entries.get("allOf"), "anyOf", is_empty=True)
        branches.add(*parts.take(0))
    else:
        branches.add(inner)
    branches.add(null)
    schema["anyOf"] = branches
