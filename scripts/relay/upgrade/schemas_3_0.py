"""OpenAPI 3.0 → 3.1: Schema Objects become JSON Schema 2020-12 that accepts the same values."""

from __future__ import annotations

from typing import Any

from relay.contract.schema_words import COMBINING
from relay.validation.translation import enum_members

from .findings import Findings
from .tree import Map, Seq

_OUTER = frozenset(
    "title description default example examples readOnly writeOnly deprecated externalDocs xml".split()
)
"""What stays next to the `anyOf` that adds null: it says nothing of one value."""

_COMBINING = frozenset([*COMBINING, "not"])

_UNKNOWN = frozenset(
    "$schema $id $anchor $dynamicRef $dynamicAnchor const if then else prefixItems contains minContains "
    "maxContains patternProperties propertyNames dependentSchemas dependentRequired unevaluatedItems "
    "unevaluatedProperties contentEncoding contentMediaType contentSchema".split()
)
"""Keywords of JSON Schema 2020-12 that 3.0 does not have, so that they had no effect; `$defs` have none at all."""

_BESIDE_REF = frozenset(["$ref", "description", "summary", "$comment"])
"""What may stay next to a `$ref`, because it has no effect on values."""


def upgrade_schema(schema: Map, findings: Findings) -> None:
    """Rewrite one schema, not those in it."""
    if isinstance(schema.get("$ref"), str):
        _drop_beside_ref(schema, findings)
        return
    _drop_unknown(schema, findings)
    _enum(schema)
    _bound(schema, "exclusiveMinimum", "minimum")
    _bound(schema, "exclusiveMaximum", "maximum")
    _example(schema)
    _byte(schema)
    _nullable(schema, findings)


def _drop_beside_ref(schema: Map, findings: Findings) -> None:
    for key in [key for key in schema if key not in _BESIDE_REF and not key.startswith("x-")]:
        todo = "write `anyOf` with the $ref and `type: 'null'`" if key == "nullable" else "add it again"
        message = (
            f"`{key}` next to a $ref had no effect in OpenAPI 3.0, so it was removed; {todo} if you mean it"
        )
        findings.no_effect(schema, key, message)
        schema.drop(key)


def _drop_unknown(schema: Map, findings: Findings) -> None:
    for key in [key for key in schema if key in _UNKNOWN]:
        message = f"OpenAPI 3.0 has no `{key}` in schemas, so it was removed; add it again if you mean it"
        findings.no_effect(schema, key, message)
        schema.drop(key)


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
    examples = Seq([value], is_flow=is_line)
    if (
        is_line
        and (entry := schema.entries.get("examples")) is not None
        and _is_multi_line(value, entry.value)
    ):
        examples.is_flow = schema.is_flow
    schema["examples"] = examples


def _is_multi_line(value: Any, node: Any) -> bool:
    return isinstance(value, str) and bool(node.start_mark.line != node.end_mark.line)


def _byte(schema: Map) -> None:
    if schema.get("format") == "byte":
        schema.rename("format", "contentEncoding")
        schema["contentEncoding"] = "base64"


def _nullable(schema: Map, findings: Findings) -> None:
    """Accept null as before: unless the `enum` excludes it, also for a schema without a type."""
    value = schema.get("nullable")
    if not isinstance(value, bool):
        return
    enum = schema.get("enum")
    is_excluded = isinstance(enum, list) and None not in enum
    if value and is_excluded:
        _report_excluded(schema, findings)
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


def _report_excluded(schema: Map, findings: Findings) -> None:
    """Report `nullable`, which is `x-nullable` in Swagger 2.0, next to an enum without null."""
    entry = schema.entries.get("nullable")
    name = entry.key.value if entry is not None and entry.key is not None else "nullable"
    message = f"`{name}` had no effect next to an `enum` without null, so it was removed; add null to the `enum` and the `type` if you mean it"
    findings.no_effect(schema, "nullable", message)


def _accept_null(schema: Map) -> None:
    """Add null to a schema that combines others."""
    inner_keys = [key for key in schema if key not in _OUTER and not key.startswith("x-")]
    if inner_keys == ["anyOf"] and isinstance(schema["anyOf"], Seq):
        schema["anyOf"].add(_null(schema))
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
    branches.add(_null(schema))
    schema["anyOf"] = branches


def _null(schema: Map) -> Map:
    return Map({"type": "null"}, is_flow=schema.is_flow)
