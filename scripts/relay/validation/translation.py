"""Translates Schema Objects of OpenAPI 3.0 to JSON Schema draft 4, for one direction.

Two keywords of the result are our own, and ignored by the library: `written` is the pattern as the contract has it,
and `explained` the rule and limit that a part of the schema stands for.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from relay.contract.model import Contract, Schema

from .patterns import translated
from .plan import HIDDEN
from .text_values import coerced
from .verdicts import pointer_of

Direction = Literal["request", "response"]

INTEGER_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
MARKS: dict[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
"""The keyword that marks a property as forbidden in that direction."""

_KEYWORDS = frozenset(
    "multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength maxItems "
    "minItems uniqueItems maxProperties minProperties required enum type format".split()
)
_COMBINING = frozenset(["allOf", "anyOf", "oneOf", "not"])
_LOCAL_TIME = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?$"
_TIME: Schema = {"anyOf": [{"format": "time"}, {"pattern": _LOCAL_TIME}], "explained": ("format", "time")}
"""`format: time`, which publishers use for both: with an offset (RFC 3339) and without."""


class Translation(NamedTuple):
    """A schema in draft 4, its `$ref`s as written in the contract, and the patterns that it contains."""

    schema: Schema
    refs: set[str]
    patterns: list[str]


class Translator:
    """Translates the schemas of one contract."""

    def __init__(self, contract: Contract, *, refuses_read_only: bool) -> None:
        self._contract = contract
        self._hidden_schemas: dict[Direction, Schema] = {
            "request": HIDDEN if refuses_read_only else {},
            "response": HIDDEN,
        }

    def translate(self, schema: Schema, direction: Direction) -> Translation:
        """Translate a schema."""
        result = Translation({}, set(), [])
        return result._replace(schema=self._translated(schema, direction, result, frozenset()))

    def _translated(
        self, schema: Schema, direction: Direction, result: Translation, hidden: frozenset[str]
    ) -> Schema:
        """Translate one schema; `hidden` are the properties that the schema it is a part of hides."""
        if "$ref" in schema:  # its siblings are ignored (OpenAPI 3.0.3, "Reference Object")
            result.refs.add(schema["$ref"])
            return {"$ref": pointer_of(schema["$ref"])}
        out: Schema = {key: value for key, value in schema.items() if key in _KEYWORDS}
        hidden |= self.hidden(schema, direction)
        parts = [self._translated(part, direction, result, hidden) for part in schema.get("allOf", [])]
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                branches = [
                    self._translated(part, direction, result, frozenset()) for part in schema[keyword]
                ]
                if targets := discriminated(schema, keyword):
                    name = schema["discriminator"]["propertyName"]
                    parts.append(_dispatched(keyword, branches, name, targets))
                else:
                    out[keyword] = branches
        for keyword in ("not", "items", "additionalProperties"):
            if keyword in schema:
                value = schema[keyword]
                is_schema = isinstance(value, dict)
                out[keyword] = self._translated(value, direction, result, frozenset()) if is_schema else value
        if "properties" in schema:
            out["properties"] = {
                name: self._hidden_schemas[direction]
                if self.is_hidden(part, direction)
                else self._translated(part, direction, result, frozenset())
                for name, part in schema["properties"].items()
            }
        _require(out, [name for name in out.get("required", []) if name not in hidden])
        if isinstance(pattern := schema.get("pattern"), str):
            result.patterns.append(pattern)
            _assert_pattern(out, pattern)
        return _with_values(out, parts, is_nullable=bool(schema.get("nullable")))

    def hidden(self, schema: Schema, direction: Direction, seen: tuple[str, ...] = ()) -> frozenset[str]:
        """Return the properties that are forbidden in a direction, including those of `allOf`.

        `required` does not apply to them in this direction (OpenAPI 3.0.3, "Schema Object", `readOnly`).
        """
        if (ref := schema.get("$ref")) is not None:
            if ref in seen:
                return frozenset()
            return self.hidden(self._contract.resolve(schema), direction, (*seen, ref))
        own = {name for name, part in schema.get("properties", {}).items() if self.is_hidden(part, direction)}
        return frozenset(own).union(*(self.hidden(part, direction, seen) for part in schema.get("allOf", [])))

    def is_hidden(self, schema: Schema, direction: Direction) -> bool:
        """Return True if a property is forbidden in a direction."""
        return self._contract.resolve(schema).get(MARKS[direction]) is True


def discriminated(schema: Schema, keyword: str) -> list[tuple[str, str]]:
    """Return the values of a schema's discriminator, each with the `$ref` of the alternative that it names."""
    if "discriminator" not in schema:
        return []
    refs = [part["$ref"] for part in schema[keyword] if "$ref" in part]
    by_name = {ref.rpartition("/")[2]: ref for ref in refs}
    mapping = schema["discriminator"].get("mapping", {})
    by_value = by_name | {value: by_name.get(target, target) for value, target in mapping.items()}
    return [(value, ref) for value, ref in by_value.items() if ref in refs]


def _dispatched(keyword: str, branches: list[Schema], name: str, targets: list[tuple[str, str]]) -> Schema:
    """Return a choice in which the value of the discriminator decides; without a known value, all branches do."""
    by_ref: dict[str, list[str]] = {}
    for value, ref in targets:
        by_ref.setdefault(ref, []).append(value)
    named = [{"allOf": [_tagged(name, values), {"$ref": pointer_of(ref)}]} for ref, values in by_ref.items()]
    known = _tagged(name, [value for value, _ in targets])
    unnamed = {"allOf": [{"not": known}, {keyword: branches}]}
    by_value = [(value, pointer_of(ref)) for value, ref in targets]
    return {"anyOf": [*named, unnamed], "discriminator": (name, by_value, keyword)}


def _tagged(name: str, values: list[str]) -> Schema:
    return {"type": "object", "required": [name], "properties": {name: {"enum": values}}}


def _assert_pattern(schema: Schema, pattern: str) -> None:
    found = translated(pattern).keywords
    if "pattern" in found:
        schema |= {"pattern": found["pattern"], "written": pattern}
    if (least := found.get("minLength", 0)) > schema.get("minLength", 0):
        schema["minLength"] = least
    if "maxLength" in found:
        schema["maxLength"] = min(found["maxLength"], schema.get("maxLength", found["maxLength"]))


def _with_values(schema: Schema, parts: list[Schema], *, is_nullable: bool) -> Schema:
    """Complete a translated schema: its `allOf`, format, enum and null."""
    if schema.get("format") == "time":
        del schema["format"]
        parts = [*parts, _TIME]
    if parts:
        schema["allOf"] = parts
    if bounds := INTEGER_BOUNDS.get(schema.get("format", "")):
        _bound(schema, *bounds)
    if "enum" in schema:
        schema["enum"] = enum_members(schema)
    return _nullable(schema) if is_nullable else schema


def enum_members(schema: Schema) -> list[Any]:
    """Return the members of an enum in the type of its schema, for files often write them in another one."""
    values: list[Any] = schema["enum"]
    if "type" not in schema:
        return values
    converted = [_in_type(value, schema["type"]) for value in values]
    if all(one is other for one, other in zip(converted, values, strict=True)):
        return values
    return [*{json.dumps(member): member for member in converted}.values()]


def _in_type(value: Any, kind: str) -> Any:
    if kind == "string" and isinstance(value, bool | int | float):
        return json.dumps(value)
    return coerced(value, kind) if isinstance(value, str) else value


def _require(schema: Schema, names: list[str]) -> None:
    """Set `required`; draft 4 does not allow an empty list."""
    if names:
        schema["required"] = names
    else:
        schema.pop("required", None)


def _bound(schema: Schema, low: int, high: int) -> None:
    """Narrow the bounds of a schema to those of its format."""
    if schema.get("minimum", low - 1) < low:
        schema["minimum"] = low
        schema.pop("exclusiveMinimum", None)
    if schema.get("maximum", high + 1) > high:
        schema["maximum"] = high
        schema.pop("exclusiveMaximum", None)


def _nullable(schema: Schema) -> Schema:
    """Allow null in addition to the schema, unless its `enum` excludes null."""
    if None not in schema.get("enum", [None]):
        return schema
    if "type" in schema and not _COMBINING & set(schema):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}
